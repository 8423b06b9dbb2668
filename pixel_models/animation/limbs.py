"""Rough masks of legs and arms made fit to move: edges that were missed, one blob for two legs, where limbs begin."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter

import torch
from torch import Tensor

from ..errors import ShapeError, SheetError
from .islands import Spots, islands
from .parts import PARTS, find_legs, runs_of

LEGS, ARMS = (1, 2), (3, 4)

_MISSED = 24
"""An artist's quick blob misses so much of an edge: this part of the sprite's height, or one pixel."""

_MOST = 0.75
"""No sprite is legs to a larger part."""

_HALF = 0.2
"""Of one blob, each leg is at least this part."""

_AROUND = [(down, across) for down in (-1, 0, 1) for across in (-1, 0, 1)]


@dataclasses.dataclass(frozen=True, eq=False)
class Limbs:
    """What moves of a sprite."""

    labels: Tensor
    """`h w`, int64: places in `PARTS`."""
    crotch: int
    """The row at which the legs part; above it what belongs to them stays with the body, too."""
    copied: bool
    """Whether the two legs are one in the picture, so that the far one is a copy of the near one."""


def limbs_of(sprite: Tensor, parts: Tensor | None) -> Limbs:
    """Take masks as an artist draws them quickly, and mend them.

    Args:
        sprite: `4 h w`.
        parts: `h w`, int64: places in `PARTS`, drawn roughly; None finds legs that a gap parts.

    Returns:
        Masks whose edges are those of the sprite, of two legs or of one that stands for both.

    Raises:
        ShapeError: `parts` has another size.
        SheetError: no leg, nothing but legs, or unknown labels.
    """
    labels = _checked(sprite, parts)
    solid = sprite[3] > 0
    one = [leg for leg in LEGS if bool((labels == leg).any())]
    if len(one) == 1:
        labels = _grown(_flat(labels, solid, one), solid)
        split = split_leg(labels == one[0])
        labels = torch.where(labels == one[0], LEGS[1] if split is None else split, labels)
        return Limbs(labels, _crotch(labels, solid), split is None)
    labels = _grown(_flat(labels, solid, LEGS), solid)
    return Limbs(labels, _crotch(labels, solid), False)


def _checked(sprite: Tensor, parts: Tensor | None) -> Tensor:
    labels = find_legs(sprite) if parts is None else parts.cpu()
    if labels is None:
        msg = "no two legs were found for certain; give a picture of the parts: a leg red, the other blue"
        raise SheetError(msg)
    if labels.shape != sprite.shape[1:]:
        msg = f"the parts are {tuple(labels.shape)}, expected {tuple(sprite.shape[1:])} as the sprite (height, width)"
        raise ShapeError(msg)
    labels = labels.long() * (sprite[3] > 0)
    if bool(((labels < 0) | (labels >= len(PARTS))).any()) or not bool(((labels == 1) | (labels == 2)).any()):
        msg = f"the parts hold the labels {labels.unique().tolist()}, expected 1 and 2 for two legs, and at most 4"
        raise SheetError(msg)
    share = float(((labels == 1) | (labels == 2)).sum() / (sprite[3] > 0).sum())
    if share > _MOST:
        msg = f"{share:.0%} of the sprite is marked as legs, expected at most {_MOST:.0%}; mark the two legs alone"
        raise SheetError(msg)
    return labels


def _flat(labels: Tensor, solid: Tensor, legs: tuple[int, ...] | list[int]) -> Tensor:
    """Legs whose upper end is a straight line: a round blob would leave corners of the thigh behind."""
    labels = labels.clone()
    for leg in legs:
        own = labels == leg
        rows = own.any(dim=1).nonzero().flatten()
        top, bottom = int(rows[0]), int(rows[-1]) + 1
        widths = own.sum(dim=1)[top:bottom]
        full = top + int((widths >= widths.float().median()).nonzero()[0])
        columns = own[full].nonzero().flatten()
        part = labels[top:full, int(columns[0]) : int(columns[-1]) + 1]
        inside = solid[top:full, int(columns[0]) : int(columns[-1]) + 1]
        part[(part == 0) & inside] = leg
    return labels


def _grown(labels: Tensor, solid: Tensor) -> Tensor:
    """Limbs with the edges that their masks missed, and with what no longer hangs on the body without them."""
    labels = labels.clone()
    least = max(1, len(solid) // _MISSED)
    legs = [labels == leg for leg in LEGS]
    feet = [int(leg.any(dim=1).nonzero().float().quantile(0.5)) for leg in legs if bool(leg.any())]
    thick = max(int(leg.sum(dim=1).max()) for leg in legs)
    for y in range(len(solid)):
        reach = max(least, thick // 3) if y >= min(feet) else least  # beside feet there is little else
        for begin, end in runs_of(solid[y] & (labels[y] == 0)):
            if end - begin > reach:
                continue
            before, after = (_at(labels, y, begin - 1), _at(labels, y, end))
            if before and after and end - begin <= least:
                middle = (begin + end) // 2
                labels[y, begin:middle], labels[y, middle:end] = before, after
            elif (before and not _at(solid, y, end)) or (after and not _at(solid, y, begin - 1)):  # an outer edge
                labels[y, begin:end] = before or after
    pieces = islands(solid & (labels == 0))
    body = max(pieces, key=len, default=[])
    for piece in pieces:
        near = Counter(_at(labels, y + down, x + across) for y, x in piece for down, across in _AROUND)
        limb = max((label for label in near if label), key=lambda label: near[label], default=0)
        # what reaches farther is no edge of the limb: a weapon, a shadow, the other half of the body
        if piece is not body and limb and _reaches(piece, labels > 0) <= max(least, thick // 3):
            for y, x in piece:
                labels[y, x] = limb
    return labels


def _reaches(piece: Spots, limb: Tensor) -> int:
    """How far a piece goes from a limb, in pixels."""
    pixels = limb.nonzero()
    return max(int((pixels - torch.tensor(at)).abs().amax(dim=1).min()) for at in piece)


def _at(values: Tensor, y: int, x: int) -> int:
    return int(values[y, x]) if 0 <= y < values.shape[0] and 0 <= x < values.shape[1] else 0


def split_leg(leg: Tensor) -> Tensor | None:
    """One blob over both legs parted where a gap parts them: `h w`, 1 and 2; None: there is no gap.

    Args:
        leg: `h w`, bool.
    """
    rows = leg.any(dim=1).nonzero().flatten()
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    cuts: dict[int, float] = {}
    for y in range(bottom - 1, top - 1, -1):
        columns = leg[y].nonzero().flatten().tolist()
        gaps = [(b - a, (a + b) / 2) for a, b in itertools.pairwise(columns) if b - a > 1]
        if gaps:
            cuts[y] = max(gaps)[1]
    if len(cuts) < max(1, (bottom - top) // 4):
        return None
    made = torch.zeros(leg.shape, dtype=torch.int64)
    columns = torch.arange(leg.shape[1])
    for y in range(top, bottom):
        cut = cuts[min(cuts, key=lambda row: (abs(row - y), row))]
        made[y] = torch.where(columns < cut, 1, 2)
    made = made * leg
    least = _HALF * int(leg.sum())
    return made if min(int((made == 1).sum()), int((made == 2).sum())) >= least else None


def halved(labels: Tensor) -> Tensor:
    """One blob over two legs cut at the middle of each row, as legs side by side are: `h w`, int64."""
    made = labels.clone()
    for row in made:
        columns = (row == LEGS[1]).nonzero().flatten()
        row[columns[: len(columns) // 2]] = LEGS[0]
    return made


def _crotch(labels: Tensor, solid: Tensor) -> int:
    """The row from which on the legs are apart; at most a third down the legs."""
    legged = (labels == LEGS[0]) | (labels == LEGS[1])
    rows = legged.any(dim=1).nonzero().flatten()
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    apart = []
    for y in range(top, bottom):
        one, two = ((labels[y] == leg).nonzero().flatten() for leg in LEGS)
        if len(one) and len(two):
            low, high = min(int(one[-1]), int(two[-1])), max(int(one[0]), int(two[0]))
            if low < high and bool((~solid[y, low:high]).any()):
                apart.append(y)
    return min([*apart, top + max(1, (bottom - top) // 3)])
