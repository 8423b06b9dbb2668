"""Near doubles: sprites of nearly one silhouette whose colours can be mapped to one another but for a few cells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from .forms import Form, Indices, mirrored

NEAR = 0.02
"""Share of cells, of those where either sprite is, that may differ in a near double."""
LEAST_AREA = 48
"""Opaque cells from which on sprites are compared so: of fewer, a cell may be the whole difference."""
LEAST_COLORS = 3
"""Colours likewise: flat shapes differ in nothing but their outline."""
_GRID = 8
_AT_ONCE = 1024
_REACH = 1
"""Cells by which the sizes of near doubles may differ."""


def near_pairs(forms: Sequence[Form], near: float = NEAR) -> Iterator[tuple[int, int, float]]:
    """All pairs at most `near` apart, the earlier index first, with how far apart they are, 0 to 1."""
    bins: dict[tuple[int, int], list[int]] = defaultdict(list)
    for index, form in enumerate(forms):
        if form.area >= LEAST_AREA and len(form.colors) >= LEAST_COLORS:
            bins[form.indices.shape[0], form.indices.shape[1]].append(index)
    signs = {
        key: (np.stack([signature(forms[i].indices) for i in members]),
              np.stack([signature(forms[i].indices[:, ::-1]) for i in members]))
        for key, members in bins.items()
    }  # fmt: skip
    for key, members in sorted(bins.items()):
        for other in _neighbours(key, bins):
            for turned in (False, True):
                yield from _compare(forms, members, bins[other], signs[key][0], signs[other][int(turned)],
                                    near, same=key == other, turned=turned)  # fmt: skip


def _neighbours(key: tuple[int, int], bins: dict[tuple[int, int], list[int]]) -> list[tuple[int, int]]:
    """Sizes that are at most a cell larger or smaller, each pair of sizes once."""
    around = [(key[0] + y, key[1] + x) for y in range(-_REACH, _REACH + 1) for x in range(-_REACH, _REACH + 1)]
    return [size for size in around if size in bins and size >= key]


def _compare(
    forms: Sequence[Form], ones: list[int], others: list[int],
    a: NDArray[np.float32], b: NDArray[np.float32], near: float, *, same: bool, turned: bool,
) -> Iterator[tuple[int, int, float]]:  # fmt: skip
    """Pairs of two bins; the cheap distance of signatures first, then cell by cell."""
    area = np.array([forms[i].area for i in ones], np.float32)
    square = (b**2).sum(axis=1)
    for begin in range(0, len(ones), _AT_ONCE):
        rows = a[begin : begin + _AT_ONCE]
        apart = (rows**2).sum(axis=1)[:, None] + square - 2 * rows @ b.T
        # A cell that differs changes its own count and at most four borders, by one each, in boxes that may be many.
        bound = 6 * near * area[begin : begin + _AT_ONCE, None] + 6
        for one, other in zip(*np.nonzero(apart <= bound * 2), strict=True):
            i, j = ones[begin + int(one)], others[int(other)]
            if i == j or (same and i > j):
                continue
            far = distance(forms[i].indices, forms[j].indices, turned=turned, near=near)
            if far <= near:
                yield min(i, j), max(i, j), far


def signature(indices: Indices) -> NDArray[np.float32]:
    """`3*64`: opaque cells, and borders between colours along both axes, counted in 8x8 boxes of the sprite."""
    height, width = indices.shape
    row, column = (np.arange(side) * _GRID // side for side in (height, width))
    place = row[:, None] * _GRID + column
    borders = [np.zeros((height, width), bool), np.zeros((height, width), bool)]
    borders[0][:, 1:] = indices[:, 1:] != indices[:, :-1]
    borders[1][1:] = indices[1:] != indices[:-1]
    counts = [np.bincount(place[mask], minlength=_GRID**2) for mask in (indices > 0, *borders)]
    return np.concatenate(counts).astype(np.float32)


def distance(one: Indices, other: Indices, *, turned: bool = False, near: float = 1.0) -> float:
    """Share of cells that differ, after the best shift by a cell and the best mapping of colours, 0 to 1.

    Of cells where either sprite is. Colours are mapped in both directions, and the worse one counts: a sprite is no
    double of another because all of it could be painted over with one colour.

    Args:
        one: indices, as `Form` has them.
        other: likewise.
        turned: mirror `other` first.
        near: what is further apart need not be told exactly.
    """
    if turned:
        other = mirrored(other)
    height, width = (max(a, b) for a, b in zip(one.shape, other.shape, strict=True))
    best = 1.0
    for y in range(height - other.shape[0] + 1):
        for x in range(width - other.shape[1] + 1):
            for v in range(height - one.shape[0] + 1):
                for u in range(width - one.shape[1] + 1):
                    best = min(best, _apart(_laid(one, v, u, height, width), _laid(other, y, x, height, width), near))
    return best


def _laid(indices: Indices, y: int, x: int, height: int, width: int) -> Indices:
    if indices.shape == (height, width):
        return indices
    return np.pad(indices, ((y, height - y - indices.shape[0]), (x, width - x - indices.shape[1])))


def _apart(one: Indices, other: Indices, near: float) -> float:
    either = (one > 0) | (other > 0)
    total = int(either.sum())
    outside = int(((one > 0) != (other > 0)).sum())
    if outside > near * total:
        return outside / total
    both = (one > 0) & (other > 0)
    a, b = one[both].astype(np.int64), other[both].astype(np.int64)
    if not len(a):
        return 1.0
    table = np.zeros((int(a.max()) + 1, int(b.max()) + 1), np.int64)
    np.add.at(table, (a, b), 1)
    agree = min(int(table.max(axis=axis).sum()) for axis in (0, 1))
    return (outside + len(a) - agree) / total
