"""Which records are doubles of which: equal, mirrored or shifted, recoloured, or nearly equal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .forms import Form
from .grouping import sequence_of
from .model import Record
from .nearness import near_pairs

DOUBLES: tuple[str, ...] = ("mirrored", "recoloured", "near")
"""Kinds of doubles that can be kept; equal ones never are, wherever they lie on their canvas."""

_FLAT = 1
"""Silhouettes in one colour are no recolours of one another unless the shape says something."""
_LEAST_SHAPE = 24


def mark_doubles(records: Sequence[Record], forms: Sequence[Form], known: Mapping[str, object]) -> None:
    """Set `double_of` and `double_kind` of records; the best one of each kind of double stays.

    Best is what an earlier set of the same name holds already (`known`, by SHA-256), then what has a licence, then the
    first by file name. Near doubles count only between files: frames of one animation are meant to be nearly equal.
    """
    order = sorted(range(len(records)), key=lambda i: _rank(records[i], known))
    same: dict[str, int] = {}
    shape: dict[str, int] = {}
    for index in order:
        form, record = forms[index], records[index]
        if form.same in same:
            first = same[form.same]
            record.double_of = first
            record.double_kind = "equal" if form.mirrored == forms[first].mirrored else "mirrored"
        elif form.shape in shape and _says_something(form):
            record.double_of, record.double_kind = shape[form.shape], "recoloured"
            same[form.same] = index
        else:
            same[form.same] = index
            shape.setdefault(form.shape, index)
    left = [index for index in order if records[index].double_of < 0]
    for one, other, far in sorted(near_pairs([forms[i] for i in left])):
        first, second = left[one], left[other]
        if records[second].double_of < 0 and records[first].double_of < 0 and not _one_sequence(records, first, second):
            records[second].double_of, records[second].double_kind = first, f"near ({far:.1%})"


def _rank(record: Record, known: Mapping[str, object]) -> tuple[bool, bool, str, int]:
    return record.sha256 not in known, not record.licence, record.file, record.number


def _says_something(form: Form) -> bool:
    return len(form.colors) > _FLAT or form.area >= _LEAST_SHAPE


def _one_sequence(records: Sequence[Record], first: int, second: int) -> bool:
    one, other = records[first], records[second]
    return one.file == other.file or sequence_of(one.file) == sequence_of(other.file)


def drop(records: Sequence[Record], keep: Sequence[str]) -> None:
    """Set `dropped` of doubles whose kind is not to be kept."""
    for record in records:
        record.dropped = record.double_of >= 0 and record.double_kind.split(" ")[0] not in keep
