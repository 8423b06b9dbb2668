"""Groups: frames of one animation, recolours of one thing, look-alikes of one sheet stay in one split."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from .forms import Form
from .model import Found, Record
from .plain import split_of

ALIKE = 0.7
"""Share of their cells' colours that two sprites must have in common to be of one thing."""
_SIZES = 0.7
"""And how much smaller, at least, one may be than the other along a side."""
_SHARED = 0.65
"""And the share of cells, of those where either is, where both are, set on one ground."""
_STRICT = (ALIKE, _SIZES, _SHARED)
_AHEAD = 24
"""Pieces of a sheet that each is compared with."""
_SHORT = 12
"""Files of one name but for their number: up to so many are likely frames of one thing, and less likeness will do."""
_LOOSE = (0.4, 0.5, 0.4)
"""In these, what the first three are elsewhere."""


class Joined:
    """Things in groups (union by the smaller index)."""

    def __init__(self, count: int) -> None:
        """Every thing by itself."""
        self._parent = list(range(count))

    def root(self, index: int) -> int:
        """The smallest index of the group."""
        while self._parent[index] != index:
            self._parent[index] = self._parent[self._parent[index]]
            index = self._parent[index]
        return index

    def join(self, one: int, other: int) -> None:
        """Make one group of two."""
        low, high = sorted((self.root(one), self.root(other)))
        self._parent[high] = low


def sequence_of(file: str) -> str:
    """A file's path without what numbers a frame: `hero/walk_01.png` and `hero/walk (2).png` are `hero/walk`."""
    path = PurePosixPath(file)
    stem = re.sub(r"[\s_\-.]*[(\[]?\d+[)\]]?$", "", path.stem)
    return str(path.with_name(stem)) if stem else file


def group(records: Sequence[Record], forms: Sequence[Form], found: Mapping[str, Found]) -> Joined:
    """Put records together: doubles with what they are like, animations whole, look-alikes of a sheet or sequence."""
    joined = Joined(len(records))
    by_file: dict[str, list[int]] = defaultdict(list)
    sequences: dict[str, list[int]] = defaultdict(list)
    for index, record in enumerate(records):
        by_file[record.file].append(index)
        if record.double_of >= 0:
            joined.join(index, record.double_of)
    for file, members in by_file.items():
        kind = found[file].kind
        if kind == "animation":
            _join_all(joined, members)
        elif kind == "sheet":
            tags: dict[str, list[int]] = defaultdict(list)
            for index in members:
                if records[index].piece.tag:
                    tags[records[index].piece.tag].append(index)
            for tagged in tags.values():
                _join_all(joined, tagged)
            _join_alike(joined, members, forms)
        elif kind == "sprite":
            sequences[sequence_of(file)].extend(members)
    for members in sequences.values():
        _join_alike(joined, members, forms, _LOOSE if len(members) <= _SHORT else _STRICT)
    return joined


def _join_all(joined: Joined, members: Sequence[int]) -> None:
    for index in members[1:]:
        joined.join(members[0], index)


def _join_alike(
    joined: Joined, members: Sequence[int], forms: Sequence[Form], least: tuple[float, float, float] = _STRICT
) -> None:
    counts = {index: _colors(forms[index]) for index in members}
    for at, one in enumerate(members):
        for other in members[at + 1 : at + 1 + _AHEAD]:
            if joined.root(one) != joined.root(other) and _alike(
                forms[one], forms[other], counts[one], counts[other], least
            ):
                joined.join(one, other)


def _colors(form: Form) -> Counter[int]:
    counts = Counter(form.indices[form.indices > 0].tolist())
    return Counter({form.colors[index - 1]: count for index, count in counts.items()})


def _alike(one: Form, other: Form, a: Counter[int], b: Counter[int], least: tuple[float, float, float]) -> bool:
    colors, sizes, shared = least
    for side, length in zip(one.indices.shape, other.indices.shape, strict=True):
        if min(side, length) < sizes * max(side, length):
            return False
    total = max(a.total(), b.total())
    if total == 0 or sum((a & b).values()) < colors * total:
        return False
    return max(_overlap(one.indices > 0, way > 0) for way in (other.indices, other.indices[:, ::-1])) >= shared


def _overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Intersection over union, the middles of their bottoms at one place."""
    height, width = (max(a, b) for a, b in zip(one.shape, other.shape, strict=True))
    laid = np.zeros((2, height, width), bool)
    for canvas, mask in zip(laid, (one, other), strict=True):
        left = (width - mask.shape[1]) // 2
        canvas[height - mask.shape[0] :, left : left + mask.shape[1]] = mask
    return float(laid.all(axis=0).sum() / max(1, laid.any(axis=0).sum()))


def assign(
    records: Sequence[Record], forms: Sequence[Form], joined: Joined, known: Mapping[str, tuple[str, str]]
) -> int:
    """Set `group` and `split` of all records.

    A group is named after the smallest hash of its members' forms, so that it does not depend on the files' order or
    names. What an earlier set holds (`known`: SHA-256 to group and split) keeps both; where groups of several splits
    turn out to be one, all of it goes to `train`: what was trained on can never be tested with.

    Returns:
        How many records had to leave `val` or `test` for that.
    """
    members: dict[int, list[int]] = defaultdict(list)
    for index in range(len(records)):
        members[joined.root(index)].append(index)
    moved = 0
    for indices in members.values():
        before = [known[records[i].sha256] for i in indices if records[i].sha256 in known]
        splits = {split for _, split in before}
        name = min((one for one, _ in before), default=_name(forms[i] for i in indices))
        split = splits.pop() if len(splits) == 1 else "train" if splits else split_of(name)
        moved += sum(one != split for _, one in before)
        for index in indices:
            records[index].group, records[index].split = name, split
    return moved


def _name(forms: Iterable[Form]) -> str:
    return min(form.shape for form in forms)[:16]
