"""Exact nearest palette colours of whole cells of the RGB cube, four 8-bit levels a side, by Oklab or RGB distance."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..color import _LMS_TO_LAB, _RGB_TO_LMS, srgb_to_linear
from .distance import Space

Array = NDArray[Any]

SIDE = 4
"""8-bit levels along a side of a cell."""

CELLS = 256 // SIDE
"""Cells along a side of the cube; a cell's number is red + CELLS * (green + CELLS * blue)."""

_PARENT = 2
_CELLS_AT_ONCE = 2048
_PAIRS_AT_ONCE = 2**18
# Above what float32 rounds away in a difference of squared distances of coordinates up to about 1.
_SLACK = 1e-5


def nearest_in_cells(cells: Array, wanted: Array, space: Space) -> Array:
    """Nearest palette colours of all 64 colours of each cell.

    A cell keeps every palette colour that can be nearest to any of its colours, first as part of a cell twice as wide,
    and these are compared one by one. With c the middle of a cell, r its radius and p the colour nearest to c, colour q
    is nowhere in the cell nearer than p when c is further than r from the plane between both:
    |c-q|² - |c-p|² > 2 r |p-q|.

    Args:
        cells: `n`, numbers of cells.
        wanted: `k 3`, float32, the palette as `coordinates` gives it.
        space: "oklab" or "rgb".

    Returns:
        `n 64`, int32, red counting fastest, then green, then blue; of equally near colours the first.
    """
    axes = np.ascontiguousarray(wanted.T)  # 3 k
    low = SIDE * np.stack([cells % CELLS, cells // CELLS % CELLS, cells // CELLS**2])  # 3 n
    wide = low // (_PARENT * SIDE)
    parents, of = np.unique((wide[2] * CELLS + wide[1]) * CELLS + wide[0], return_inverse=True)
    colors, starts = _candidates(parents, axes, space)
    parts = [
        _nearest(low[:, part : part + _CELLS_AT_ONCE], of[part : part + _CELLS_AT_ONCE], colors, starts, axes, space)
        for part in range(0, len(cells), _CELLS_AT_ONCE)
    ]
    return np.concatenate(parts)


def wide_candidates(wanted: Array, space: Space) -> list[tuple[int, ...]]:
    """What can be nearest in each cell of 8 levels a side, at 8-bit levels: cells of the whole cube, red fastest."""
    blue, green, red = np.indices((CELLS // _PARENT,) * 3).reshape(3, -1)
    colors, starts = _candidates((blue * CELLS + green) * CELLS + red, np.ascontiguousarray(wanted.T), space)
    found, ends = colors.tolist(), starts.tolist()
    return [tuple(found[start:end]) for start, end in itertools.pairwise(ends)]


def _candidates(parents: Array, axes: Array, space: Space) -> tuple[Array, Array]:
    """What can be nearest in each wide cell, one cell after the other, and where each begins, `parents + 1`."""
    low = np.stack([parents % CELLS, parents // CELLS % CELLS, parents // CELLS**2]) * _PARENT * SIDE
    middles, radii = _ball(low, _PARENT * SIDE, space)
    found, counts = [], []
    step = max(1, _PAIRS_AT_ONCE // axes.shape[1])
    for part in range(0, len(parents), step):
        mine = middles[:, part : part + step]
        away = _squares(mine[:, :, None], axes[:, None])  # parents k
        best = away.argmin(1)
        limit = np.sqrt(_squares(axes[:, best, None], axes[:, None]))
        limit *= 2 * radii[part : part + step, None]
        limit += away[np.arange(len(best)), best][:, None] + _SLACK
        rows, colors = np.nonzero(away <= limit)
        found.append(colors)
        counts.append(np.bincount(rows, minlength=len(best)))
    return np.concatenate(found), np.concatenate([[0], *counts]).cumsum()


def _nearest(low: Array, of: Array, colors: Array, starts: Array, axes: Array, space: Space) -> Array:
    """Cells `3 n`, the numbers of their wide cells, `n`, and what `_candidates` gives for those, to `n 64`."""
    many = np.diff(starts)[of]
    ends = many.cumsum()
    rows = np.repeat(np.arange(len(of)), many)
    mine = colors[np.arange(len(rows)) + np.repeat(starts[of] - ends + many, many)]
    middles, radii = _ball(low, SIDE, space)
    away = _squares(middles[:, rows], axes[:, mine])
    least = np.minimum.reduceat(away, ends - many)
    first = np.flatnonzero(away == least[rows])[::-1]
    best = np.empty(len(of), np.intp)
    best[rows[first]] = mine[first]
    gap = np.sqrt(_squares(axes[:, best[rows]], axes[:, mine]))
    kept = away <= (least + _SLACK)[rows] + (2 * radii)[rows] * gap
    counts = np.bincount(rows[kept], minlength=len(of))
    return _compare(low, axes, space, mine[kept], counts)


def _squares(one: Array | list[Array], other: Array) -> Array:
    """Squared distances, from differences: a product of matrices rounds away close colours."""
    total = np.square(one[0] - other[0])
    for axis in (1, 2):
        away = one[axis] - other[axis]
        total += np.square(away, out=away)
    return total


def _points(red: Array, green: Array, blue: Array, space: Space) -> list[Array]:
    """Three coordinates, float32, of 8-bit levels that broadcast against each other."""
    if space == "rgb":
        shape = np.broadcast_shapes(red.shape, green.shape, blue.shape)
        return [np.broadcast_to(level.astype(np.float32) / np.float32(255), shape) for level in (red, green, blue)]
    tables = _cone_shares()
    roots = [np.cbrt(table[0][red] + table[1][green] + table[2][blue]) for table in tables]
    mixed = []
    for first, second, third in np.array(_LMS_TO_LAB, np.float32):
        sum_ = roots[0] * first
        sum_ += roots[1] * second
        sum_ += roots[2] * third
        mixed.append(sum_)
    return mixed


@functools.cache
def _cone_shares() -> Array:
    """What each 8-bit level of red, green and blue adds to each cone response: `3 3 256`, cones first, float32."""
    light = srgb_to_linear(torch.arange(256, dtype=torch.float64) / 255).numpy()
    return (np.array(_RGB_TO_LMS)[:, :, None] * light).astype(np.float32)


def _ball(low: Array, side: int, space: Space) -> tuple[Array, Array]:
    """Middles `3 n` and radii `n` of cells of `side` levels whose lowest colours are `3 n`."""
    corner = np.array([[0] * 4 + [1] * 4, [0, 0, 1, 1] * 2, [0, 1] * 4]) * (side - 1)
    red, green, blue = low[:, :, None] + corner[:, None]  # n 8
    spread = np.stack(_points(red, green, blue, space))  # 3 n 8
    middles = spread.mean(2)
    # Cells are so small that nothing in them is further from the middle than a corner is.
    return middles, np.sqrt(_squares(spread, middles[:, :, None]).max(1))


def _compare(low: Array, axes: Array, space: Space, colors: Array, counts: Array) -> Array:
    """Nearest of the colours that each cell keeps, one cell after the other: `n 64`."""
    starts = counts.cumsum() - counts
    order = np.argsort(-counts, kind="stable")
    counts, begins = counts[order], starts[order]
    choice = np.repeat(colors[begins].astype(np.int32)[:, None], SIDE**3, 1)
    several = int((counts > 1).sum())
    red, green, blue = low[:, order[:several], None] + np.arange(SIDE)  # several 4
    cube = _points(red[:, None, None], green[:, None, :, None], blue[:, :, None, None], space)  # several 4 4 4
    mine = [axis.reshape(several, SIDE**3) for axis in cube]
    least = np.empty((several, SIDE**3), np.float32)
    for turn in range(int(counts[0]) if several else 0):
        live = several if turn == 0 else int((counts > turn).sum())
        color = colors[begins[:live] + turn]
        away = _squares([axis[:live] for axis in mine], axes[:, color, None])
        if turn == 0:
            least[:] = away
            continue
        np.copyto(choice[:live], color[:, None], where=away < least[:live])
        np.minimum(least[:live], away, out=least[:live])
    result = np.empty_like(choice)
    result[order] = choice
    return result
