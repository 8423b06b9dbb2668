"""Grid lines along one axis: whole, cropped, or wandering, from an edge profile and an approximate period."""

from __future__ import annotations

import dataclasses

import numpy as np

from .profile import Floats, in_step

_STIFF = 8.0
"""Cost of a cell that is wider or narrower than the others, times its relative deviation squared."""
_REACH = 0.45
"""How far a line may wander from its place on the even grid, in cells."""
_SURE = 0.9
"""An even grid is believed when edges keep step with it this well, against the best that they do with any."""
_CUT = 1.0
"""Cropping is assumed where its even lines are worth at least as much, less this, as whole wandering ones."""

_EVEN = 0.85
"""And when they are worth at least this share of what lines that may wander are worth."""
_SPREAD = 0.06
"""How far the number of cells may be from what the period says."""
_ALIKE = 0.12
_SQUARE = 3.0
"""What square cells are worth, in lines that are right."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Lines:
    """Where the cells of one axis begin and end."""

    cell: float
    """Mean cell size, pixels."""
    offset: float
    """Place of the first full cell's beginning, pixels, in [0, cell)."""
    edges: tuple[float, ...]
    """`cells+1` places in pixels, increasing, from 0 or just outside to the picture's size or just outside."""


def even_lines(length: int, cells: int) -> Lines:
    """`cells` equal cells that fill `length` pixels exactly."""
    edges = tuple(float(edge) for edge in np.linspace(0, length, cells + 1))
    return Lines(cell=length / cells, offset=0.0, edges=edges)


def shifted_lines(length: int, cell: float, offset: float) -> Lines:
    """Equal cells from `offset` on; a cell cut by the picture's border stays when half of it is left."""
    offset %= cell
    first = -1 if offset >= cell / 2 else 0
    last = max(round((length - offset) / cell), first + 1)
    return Lines(cell=cell, offset=offset, edges=tuple(offset + cell * k for k in range(first, last + 1)))


def find_lines(profile: Floats, period: float, steady: float, other: float | None = None) -> Lines:
    """Fit the lines of one axis.

    Args:
        profile: `length-1`, as `edge_profiles` gives it.
        period: cell size in pixels, right to a few per cent.
        steady: how regular the profile is at that period, 0 to 1: `regularity`.
        other: cell size of the other axis, if that is known better; wandering cells are rather square than not.
    """
    length = len(profile) + 1
    square = 0 if other is None or abs(other / period - 1) > _ALIKE else round(length / other)
    cells = max(1, round(length / period))
    spread = max(1, round(cells * _SPREAD))
    counts = [n for n in {*range(cells - spread, cells + spread + 1), square} if 1 <= n <= length // 2] or [1]
    whole = {n: in_step(profile, length / n).real for n in counts}
    best = max(counts, key=lambda n: whole[n])
    nearby = period * np.linspace(0.97, 1.03, 121)
    found = [in_step(profile, p) for p in nearby]
    free = int(np.argmax(np.abs(found)))
    top = abs(found[free])
    gain = _gain(profile, period)
    trials = {n: _wander(gain, length, n) for n in counts}
    most = max(counts, key=lambda n: trials[n][0] + _SQUARE * (n == square))
    worth, wandering = trials[most]
    even = even_lines(length, best)
    if whole[best] >= _SURE * max(top, steady) and _worth(gain, even) >= _EVEN * worth:
        return even
    if top >= _SURE * steady:
        cell = float(nearby[free])
        shifted = shifted_lines(length, cell, float(np.angle(found[free]) / (2 * np.pi)) * cell)
        if _worth(gain, shifted) > worth - _CUT:
            return shifted
    return wandering


def _worth(gain: Floats, lines: Lines) -> float:
    """Sum of the gains at the lines inside the picture."""
    inside = np.array(lines.edges[1:-1])
    return float(np.maximum(gain[np.floor(inside).astype(int)], gain[np.ceil(inside).astype(int)]).sum())


def _gain(profile: Floats, period: float) -> Floats:
    """`length+1`: what a line at each place is worth, -1 to 3; 0 where nothing is known."""
    sharp, around = _blur(profile, 0.08 * period), _blur(profile, period)
    some = 0.05 * float(profile.mean()) + 1e-12
    gain = ((sharp - around) / (around + some)).clip(-1, 3)
    return np.concatenate([[0.0], gain, [0.0]])


def _blur(x: Floats, sigma: float) -> Floats:
    if sigma < 0.3:
        return x
    reach = min(int(3 * sigma) + 1, len(x) // 2)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return np.convolve(x, kernel / kernel.sum(), mode="same")[: len(x)]


def _wander(gain: Floats, length: int, cells: int) -> tuple[float, Lines]:
    """The best `cells+1` lines from 0 to `length`, by dynamic programming, and what they are worth."""
    cell = length / cells
    reach = int(np.ceil(cell * _REACH))
    shifts = np.arange(-reach, reach + 1)
    value = np.where(shifts == 0, 0.0, -np.inf)
    came = np.zeros((cells + 1, len(shifts)), dtype=np.intp)
    base = np.round(np.arange(cells + 1) * cell).astype(int)
    for k in range(1, cells + 1):
        width = (base[k] - base[k - 1]) + shifts[:, None] - shifts[None, :]  # now before
        trial = value[None, :] - _STIFF * (width / cell - 1) ** 2
        trial = np.where(width >= 1, trial, -np.inf)
        came[k] = trial.argmax(1)
        place = base[k] + shifts
        worth = np.where((place >= 0) & (place <= length), gain[place.clip(0, length)], -np.inf)
        value = trial.max(1) + worth
    at, edges = reach, []
    for k in range(cells, -1, -1):
        edges.append(float(base[k] + shifts[at]))
        at = int(came[k, at])
    return float(value[reach]), Lines(cell=cell, offset=0.0, edges=tuple(reversed(edges)))


def wandering_lines(profile: Floats, cells: int) -> Lines:
    """Exactly `cells` cells over the whole axis, their lines moved to where the edges are."""
    length = len(profile) + 1
    return _wander(_gain(profile, length / cells), length, cells)[1]
