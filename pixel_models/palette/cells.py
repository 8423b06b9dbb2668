"""Exact nearest palette colours of whole cells of the RGB cube, four 8-bit levels a side, by Oklab or RGB distance."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ..color import LMS_TO_LAB, RGB_TO_LMS, srgb_to_linear
from .distance import Space

Array = NDArray[Any]

SIDE = 4
"""8-bit levels along a side of a cell."""

CELLS = 256 // SIDE
"""Cells along a side of the cube."""

BLOCK = 8
"""8-bit levels along a side of a block of eight cells, which are filled together."""

BLOCKS = 256 // BLOCK
"""Blocks along a side of the cube; a block's number is red + BLOCKS * (green + BLOCKS * blue)."""

_COARSE = 16
_CELLS_AT_ONCE = 1024
# A colour inside a cell: the second of four along each side.
_MIDDLE = 1 + SIDE + SIDE**2
_PAIRS_AT_ONCE = 2**17
# Above what float32 rounds away in a difference of squared distances of coordinates up to about 1.
_SLACK = 1e-5


class _Cells(NamedTuple):
    """Cells, and what can be nearest in each."""

    low: Array
    """`3 n`: lowest levels."""

    colors: Array
    """Numbers of palette colours, rising, one cell after the other."""

    counts: Array
    """`n`: how many."""


def nearest_in_blocks(blocks: Array, wanted: Array, space: Space) -> Iterator[tuple[Array, Array]]:
    """Nearest palette colours of all 512 colours of each block, cell by cell.

    A cell keeps every palette colour that can be nearest to any of its colours, first as part of a cell twice and four
    times as wide, and these are compared one by one. With c the middle of a cell, r its radius and p the colour
    nearest to c, colour q is nowhere in the cell nearer than p when c is further than r from the plane between both:
    |c-q|² - |c-p|² > 2 r |p-q|.

    Args:
        blocks: `n`, numbers of blocks.
        wanted: `k 3`, float32, the palette as `coordinates` gives it.
        space: "oklab" or "rgb".

    Yields:
        Lowest levels of some cells, `3 m`, and the nearest colours, `4 4 4 m` by blue, green and red, or `1 1 1 m`
        where a cell has but one; in any order of cells. Of equally near colours, to rounding, the first.
    """
    axes = np.ascontiguousarray(wanted.T)  # 3 k
    cells = _split(_blocks(blocks, axes, space), BLOCK, axes, space)
    order = np.argsort(-cells.counts, kind="stable")
    starts = (cells.counts.cumsum() - cells.counts)[order]
    low, counts = cells.low[:, order], cells.counts[order]
    several = int((counts > 1).sum())
    room = [np.empty((SIDE**3, min(several, _CELLS_AT_ONCE)), np.float32) for _ in range(6)]
    for at in range(0, several, _CELLS_AT_ONCE):
        part = slice(at, min(at + _CELLS_AT_ONCE, several))
        yield low[:, part], _compare(low[:, part], cells.colors, starts[part], counts[part], axes, space, room)
    if several < len(counts):
        yield low[:, several:], cells.colors[starts[several:]][None, None, None]


def block_candidates(wanted: Array, space: Space) -> list[tuple[int, ...]]:
    """What can be nearest in each block of the cube, at 8-bit levels; red counts fastest."""
    cells = _blocks(np.arange(BLOCKS**3), np.ascontiguousarray(wanted.T), space)
    colors, ends = cells.colors.tolist(), cells.counts.cumsum().tolist()
    found = [tuple(colors[start:end]) for start, end in itertools.pairwise([0, *ends])]
    return [found[place] for place in np.argsort(_number(cells.low, BLOCK)).tolist()]


def _number(low: Array, side: int) -> Array:
    """Numbers of cells of so many levels a side, from their lowest levels `3 ...`."""
    count = 256 // side
    return low[0] // side + count * (low[1] // side + count * (low[2] // side))


def _low(numbers: Array, side: int) -> Array:
    count = 256 // side
    return side * np.stack([numbers % count, numbers // count % count, numbers // count**2])


def _blocks(blocks: Array, axes: Array, space: Space) -> _Cells:
    """What can be nearest in each block; their order changes."""
    mine = np.zeros(BLOCKS**3, bool)
    mine[blocks] = True
    wide = np.flatnonzero(np.bincount(_number(_low(blocks, BLOCK), _COARSE)))
    cells = _split(_coarse(wide, axes, space), _COARSE, axes, space)
    kept = mine[_number(cells.low, BLOCK)]
    return _Cells(cells.low[:, kept], cells.colors[np.repeat(kept, cells.counts)], cells.counts[kept])


def _coarse(numbers: Array, axes: Array, space: Space) -> _Cells:
    """What of the whole palette can be nearest in each of the widest cells."""
    balls = _balls(_COARSE, space)[:, numbers]
    found, counts = [], []
    step = max(1, _PAIRS_AT_ONCE // axes.shape[1])
    for at in range(0, len(numbers), step):
        middles, radii = balls[:3, at : at + step], balls[3, at : at + step]
        away = _squares(middles[:, :, None], axes[:, None])  # cells k
        best = away.argmin(1)
        limit = np.sqrt(_squares(axes[:, best, None], axes[:, None]))
        limit *= 2 * radii[:, None]
        limit += away[np.arange(len(best)), best][:, None] + _SLACK
        rows, colors = np.nonzero(away <= limit)
        found.append(colors)
        counts.append(np.bincount(rows, minlength=len(best)))
    return _Cells(_low(numbers, _COARSE), np.concatenate(found), np.concatenate(counts))


def _split(cells: _Cells, side: int, axes: Array, space: Space) -> _Cells:
    """Every cell of so many levels a side in eight, and which of its colours each of them keeps."""
    half, n = side // 2, len(cells.counts)
    corner = half * np.indices((2, 2, 2)).reshape(3, 8, 1)
    low = (cells.low[:, None] + corner).reshape(3, -1)  # 3 8n
    balls = np.take(_balls(half, space), _number(low, half), axis=1)  # 4 8n
    starts = cells.counts.cumsum() - cells.counts
    rows = np.repeat(np.arange(n), cells.counts)
    spread = [np.take(axis.reshape(8, n), rows, axis=1) for axis in balls[:3]]
    away = _squares(spread, np.take(axes, cells.colors, axis=1))  # 8 pairs
    least = np.minimum.reduceat(away, starts, axis=1)
    # Nothing further off than this can win, wherever the nearest colour lies.
    limit = np.square(np.sqrt(least) + 2 * balls[3].reshape(8, n)) + _SLACK
    pairs = np.flatnonzero(away <= np.take(limit, rows, axis=1))
    octants, places = np.divmod(pairs, len(rows))
    owner, colors = octants * n + rows[places], cells.colors[places]
    away, least = away.reshape(-1)[pairs], least.reshape(-1)
    best = np.empty(8 * n, np.intp)
    nearest = np.flatnonzero(away == least[owner])
    best[owner[nearest]] = colors[nearest]
    gap = np.sqrt(_squares(np.take(axes, best[owner], axis=1), np.take(axes, colors, axis=1)))
    kept = away <= (least + _SLACK)[owner] + (2 * balls[3])[owner] * gap
    return _Cells(low, colors[kept], np.bincount(owner[kept], minlength=8 * n))


def _compare(
    low: Array, colors: Array, starts: Array, counts: Array, axes: Array, space: Space, room: list[Array]
) -> Array:
    """Nearest of the colours that each cell keeps, `4 4 4 m`; cells with most colours come first.

    With p the first colour and q another, |c-q|² - |c-p|² is linear in what `_features` gives for c. It is taken
    relative to a colour of the cell, where everything is small and float32 rounds little away.
    """
    *features, score, term, most = [part[:, : low.shape[1]] for part in room]  # 64 m
    _features(low, space, features)
    middle = np.stack([feature[_MIDDLE] for feature in features])
    for feature, zero in zip(features, middle, strict=True):
        feature -= zero
    mix = _mix(space)
    base = np.take(axes, colors[starts], axis=1)
    around = base - 2 * (mix @ middle)
    choice = np.empty(score.shape, np.min_scalar_type(axes.shape[1] - 1))
    choice[:] = colors[starts]
    for turn in range(1, int(counts[0])):
        live = int((counts > turn).sum())
        color = colors[starts[:live] + turn]
        there = np.take(axes, color, axis=1)
        step = there - base[:, :live]
        slope = 2 * (mix.T @ step)
        there += around[:, :live]
        there *= step
        now, more, best = score[:, :live], term[:, :live], most[:, :live]
        np.multiply(features[0][:, :live], slope[0], out=now)
        now -= there[0] + there[1] + there[2]
        for axis in (1, 2):
            now += np.multiply(features[axis][:, :live], slope[axis], out=more)
        better = now > (0 if turn == 1 else best)
        if turn + 1 < counts[0]:
            np.maximum(now, 0 if turn == 1 else best, out=best)
        # All bits set where it is nearer: quicker than a choice by mask.
        flags = better.view(np.uint8) if choice.itemsize == 1 else better.astype(choice.dtype)
        np.negative(flags, out=flags)
        flags &= choice[:, :live] ^ color.astype(choice.dtype)
        choice[:, :live] ^= flags
    return choice.reshape(SIDE, SIDE, SIDE, -1)


def _squares(one: Array | list[Array], other: Array | list[Array]) -> Array:
    """Squared distances, from differences: a product of matrices rounds away close colours."""
    total = np.square(one[0] - other[0])
    for axis in (1, 2):
        away = one[axis] - other[axis]
        total += np.square(away, out=away)
    return total


def _features(low: Array, space: Space, out: Sequence[Array], step: int = 1) -> None:
    """Three numbers, of which coordinates are a `_mix`, of colours of cells `3 m`: each `s*s*s m`, red fastest."""
    side = round(len(out[0]) ** (1 / 3))
    red, green, blue = low[:, None] + np.arange(0, side * step, step)[:, None]  # s m
    for number, feature in enumerate(out):
        shares = _shares(space)[number]
        plane = np.take(shares[2], blue)[:, None] + np.take(shares[1], green)  # s s m
        np.add(plane[:, :, None], np.take(shares[0], red), out=feature.reshape(side, side, side, -1))
        if space == "oklab":
            np.cbrt(feature, out=feature)


def _mix(space: Space) -> Array:
    return np.array(LMS_TO_LAB, np.float32) if space == "oklab" else np.eye(3, dtype=np.float32)


@functools.cache
def _shares(space: Space) -> Array:
    """What each 8-bit level of red, green and blue adds to each feature: `3 3 256`, features first, float32."""
    levels = torch.arange(256, dtype=torch.float64) / 255
    if space == "rgb":
        return (np.eye(3)[:, :, None] * levels.numpy()).astype(np.float32)
    return (np.array(RGB_TO_LMS)[:, :, None] * srgb_to_linear(levels).numpy()).astype(np.float32)


@functools.cache
def _balls(side: int, space: Space) -> Array:
    """Middles and radii of all cells of so many levels a side, `4 n`, red counting fastest; once for all palettes."""
    parts = []
    for numbers in np.array_split(np.arange((256 // side) ** 3), 64):
        features = np.empty((3, 8, len(numbers)), np.float32)
        _features(_low(numbers, side), space, list(features), side - 1)
        spread = (_mix(space) @ features.reshape(3, -1)).reshape(features.shape)
        middles = spread.mean(1)
        # Cells are so small that nothing in them is further from the middle than a corner is.
        parts.append(np.stack([*middles, np.sqrt(_squares(spread, middles[:, None]).max(0))]))
    return np.concatenate(parts, 1)
