"""Connected parts of a mask: labelled by runs, with their boxes, joined, and brought into reading order."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ..errors import SheetError

MAX_PARTS = 8192
"""More connected parts than this are noise or a photo, not sprites on a background."""

Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Boxes = Ints
"""`n 4`: left, top, right, bottom in pixels; right and bottom are one past the last."""


@dataclasses.dataclass(frozen=True)
class _Runs:
    """Rows of a mask as runs of set pixels, in reading order; all `n`."""

    row: Ints
    start: Ints
    stop: Ints
    label: Ints
    """Equal for connected runs: the index of the first of them."""


def find_boxes(mask: Mask) -> Boxes:
    """Boxes of the 8-connected parts of a mask.

    Args:
        mask: `h w`, True = belongs to a part.

    Returns:
        `n 4`, in the order of each part's first pixel.
    """
    runs = _label(mask, diagonal=True)
    firsts, group = np.unique(runs.label, return_inverse=True)
    boxes = np.empty((len(firsts), 4), np.int64)
    boxes[:, :2] = max(mask.shape) + 1
    boxes[:, 2:] = 0
    np.minimum.at(boxes[:, 0], group, runs.start)
    np.minimum.at(boxes[:, 1], group, runs.row)
    np.maximum.at(boxes[:, 2], group, runs.stop)
    np.maximum.at(boxes[:, 3], group, runs.row + 1)
    return boxes


def reached_from_border(mask: Mask) -> Mask:
    """The part of a mask that is 4-connected to the picture's border, `h w`.

    Four, since a one-pixel diagonal outline keeps what it encloses from running out.
    """
    height, width = mask.shape
    runs = _label(mask, diagonal=False)
    edge = (runs.row == 0) | (runs.row == height - 1) | (runs.start == 0) | (runs.stop == width)
    kept = np.isin(runs.label, runs.label[edge])
    change = np.zeros((height, width + 1), np.int8)
    change[runs.row[kept], runs.start[kept]] = 1
    change[runs.row[kept], runs.stop[kept]] -= 1
    return change.cumsum(axis=1, dtype=np.int8)[:, :-1].astype(bool)


def _label(mask: Mask, *, diagonal: bool) -> _Runs:
    """Runs of every row, and which of them touch from row to row."""
    height, width = mask.shape
    stride = width + 2  # an empty column at both ends: no run goes on in the next row
    flat = np.zeros((height, stride), np.int8)
    flat[:, 1:-1] = mask
    change = np.flatnonzero(np.diff(flat.ravel()))
    start, stop = change[0::2] + 1, change[1::2] + 1
    reach = 1 if diagonal else 0
    first = np.searchsorted(stop + stride, start - reach, side="right")
    last = np.searchsorted(start + stride, stop + reach, side="left")
    counts = np.maximum(last - first, 0)
    below = np.repeat(np.arange(len(start)), counts)
    above = np.arange(len(below)) - np.repeat(counts.cumsum() - counts, counts) + np.repeat(first, counts)
    label = connect(len(start), above, below)
    return _Runs(start // stride, start % stride - 1, (stop - 1) % stride, label)


def connect(count: int, one: Ints, other: Ints) -> Ints:
    """Label the connected groups of a graph with their smallest member.

    Labels hook onto smaller ones and are followed to their end, again and again: a few rounds, each over whole arrays
    (Shiloach & Vishkin 1982, "An O(log n) parallel connectivity algorithm").

    Args:
        count: how many things there are.
        one: `e`, the one end of every connection.
        other: `e`, its other end.

    Returns:
        `count`, the smallest thing that each is connected to.
    """
    label = np.arange(count)
    while True:
        a, b = label[one], label[other]
        low = np.minimum(a, b)
        hooked = label.copy()
        np.minimum.at(hooked, a, low)
        np.minimum.at(hooked, b, low)
        while not np.array_equal(hooked, hooked[hooked]):
            hooked = hooked[hooked]
        if np.array_equal(hooked, label):
            return label
        label = hooked


def join_boxes(boxes: Boxes, gap: int) -> Boxes:
    """Join parts that belong together: their boxes overlap, or one is small and at most `gap` pixels from the other.

    Small is at most a sixth of the other's area, so that an eye that floats joins its head, while two sprites that
    stand side by side stay two. Where the sprites of a sheet stand closer than `gap`, only what is closer still joins.

    Raises:
        SheetError: more than `MAX_PARTS` parts.
    """
    if len(boxes) > MAX_PARTS:
        msg = (
            f"{len(boxes)} separate parts were found, over the limit of {MAX_PARTS}: this looks like noise or a photo. "
            "Say what the background is, or slice by size or count"
        )
        raise SheetError(msg)
    if len(boxes) < 2:
        return boxes
    boxes = _join_overlapping(boxes)
    gap = min(gap, _spacing(boxes, gap + 1) - 1)
    if gap < 0:
        return boxes
    area = _areas(boxes)
    pairs = [
        (one + begin, other)
        for begin, apart in _distances(boxes)
        for rows in [area[begin : begin + len(apart), None]]
        for one, other in [np.nonzero((apart <= gap) & (_SMALL * np.minimum(rows, area) <= np.maximum(rows, area)))]
    ]
    return _join_overlapping(_join(boxes, pairs))


_SMALL = 6


def _areas(boxes: Boxes) -> Ints:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def _distances(boxes: Boxes) -> Iterator[tuple[int, npt.NDArray[np.int32]]]:
    """Empty pixels between boxes, `rows n`, a few rows at a time, with the first row's index; below 0: overlap."""
    left, top, right, bottom = (side.astype(np.int32) for side in boxes.T)
    for begin in range(0, len(boxes), 512):  # 512 x 8192 distances are 16 MiB
        rows = slice(begin, begin + 512)
        across = np.maximum(left[rows, None] - right, left - right[rows, None])
        down = np.maximum(top[rows, None] - bottom, top - bottom[rows, None])
        yield begin, np.maximum(across, down)


def _spacing(boxes: Boxes, most: int) -> int:
    """How close the larger boxes stand to their nearest neighbours (the closest tenth of them), at most `most`."""
    area = _areas(boxes)
    large = boxes[4 * area >= np.quantile(area, 0.9)]
    if len(large) < 2:
        return most
    nearest = [
        np.where(np.arange(len(large)) == begin + np.arange(len(apart))[:, None], most, apart).min(axis=1)
        for begin, apart in _distances(large)
    ]
    return min(most, int(np.quantile(np.concatenate(nearest), 0.1)))


def _join_overlapping(boxes: Boxes) -> Boxes:
    while True:
        joined = _join(
            boxes,
            [(one + begin, other) for begin, apart in _distances(boxes) for one, other in [np.nonzero(apart < 0)]],
        )
        if len(joined) == len(boxes):
            return boxes
        boxes = joined


def _join(boxes: Boxes, pairs: list[tuple[Ints, Ints]]) -> Boxes:
    one, other = (np.concatenate(ends) for ends in zip(*pairs, strict=True))
    firsts, group = np.unique(connect(len(boxes), one, other), return_inverse=True)
    joined = boxes[firsts].copy()
    for side in (0, 1):
        np.minimum.at(joined[:, side], group, boxes[:, side])
        np.maximum.at(joined[:, side + 2], group, boxes[:, side + 2])
    return joined


def reading_order(boxes: Boxes) -> list[list[int]]:
    """Indices of the boxes, row by row from the top, each row from left to right.

    Boxes stand in one row when they share at least half of the lower one's height.
    """
    rows: list[list[int]] = []
    top = bottom = 0
    for index in np.lexsort((boxes[:, 0], boxes[:, 1])).tolist():
        _, upper, _, lower = boxes[index].tolist()
        shared = min(bottom, lower) - max(top, upper)
        if rows and 2 * shared >= min(bottom - top, lower - upper):
            rows[-1].append(index)
            bottom = max(bottom, lower)
        else:
            rows.append([index])
            top, bottom = upper, lower
    return [sorted(row, key=lambda index: tuple(boxes[index].tolist())) for row in rows]


def spans(used: Mask) -> list[tuple[int, int]]:
    """Runs of True in a line: start, and one past the end."""
    change = np.flatnonzero(np.diff(np.concatenate([[False], used, [False]]).astype(np.int8)))
    return [(int(start), int(stop)) for start, stop in zip(change[0::2], change[1::2], strict=True)]
