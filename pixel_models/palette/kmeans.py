"""Weighted k-means for colours: a cost between median and outlier guard, greedy seeding, swaps out of dead ends."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Indices = NDArray[np.intp]

# The cost of a colour at Oklab distance d is d + guard**4 * d**5. The first term is the mean distance itself (squares
# would spend the palette on noise); the second overtakes it at d = 1 / guard, so that a few pixels of a
# colour that nothing else is near, an eye or a button, are worth an entry of their own. They are not where entries are
# few: then areas would share a mixed colour for the sake of a few pixels, so of less than _ENOUGH the guard is weaker.
_GUARD, _ENOUGH = 6.0, 16
# No point pulls harder than one at this distance: about half an 8-bit step.
_NEAR = 0.004

_CANDIDATES = 4
_SETTLE = 8
# How often a centre is moved elsewhere, out of how many that are missed least, and how many steps it gets to settle.
_SWAPS = 24
_DROPS = 4
_SWAP_SETTLE = 2
# Reweighting creeps: steps this many times as long settle in a third of them (measured on photographs).
_STRIDE = 1.8
# Where the guard rules, such steps and even whole ones go farther and farther astray: reweighting for distances to the
# power of p is sure to come closer only with steps below 2 / (p - 1), and p is 5 there.
_CAREFUL = 0.4


@dataclasses.dataclass(frozen=True)
class _State:
    """Centres, and what follows from them for every point."""

    guard: float
    """Against outliers."""
    centres: Floats
    """`k d`; those that must not move come first."""
    nearest: Indices
    """`n`."""
    distance: Floats
    """`n`, to the nearest centre."""
    spare: Floats
    """`n`, to the second nearest centre."""


def fit_centres(
    points: Floats,
    weights: Floats,
    num_centres: int,
    rng: np.random.Generator,
    *,
    fixed: Floats | None = None,
    restarts: int = 1,
) -> Floats:
    """Place centres among weighted points.

    Args:
        points: `n d`, float32, distinct, n of at least `num_centres`; distances in Oklab units.
        weights: `n`, float32, above 0.
        num_centres: how many, 1 or more, beside the fixed ones.
        rng: where randomness comes from.
        fixed: `f d`, float32: centres that are there already and stay where they are.
        restarts: how often to begin anew; the cheapest result is given.

    Returns:
        `num_centres d`, float32.
    """
    assert len(points) >= num_centres >= 1
    there = np.empty((0, points.shape[1]), points.dtype) if fixed is None else fixed.astype(points.dtype)
    tries = [_fit(points, weights, num_centres, there, rng) for _ in range(max(1, restarts))]
    return min(tries, key=lambda state: _total(weights, state)).centres[len(there) :]


def _fit(points: Floats, weights: Floats, num_centres: int, fixed: Floats, rng: np.random.Generator) -> _State:
    still = len(fixed)
    guard = _GUARD * min(1, (still + num_centres) / _ENOUGH)
    state = _measure(points, np.concatenate([fixed, _seed(points, weights, num_centres, fixed, rng)]), guard)
    state = _settle(points, weights, state, still, _SETTLE)
    cost = _total(weights, state)
    for _ in range(_SWAPS if len(state.centres) > 1 else 0):
        trial = _settle(points, weights, _swap(points, weights, state, still, rng), still, _SWAP_SETTLE)
        trial_cost = _total(weights, trial)
        if trial_cost < cost:
            state, cost = trial, trial_cost
    return _settle(points, weights, state, still, _SETTLE)


def _seed(points: Floats, weights: Floats, num_centres: int, fixed: Floats, rng: np.random.Generator) -> Floats:
    """Greedy k-means++ (Arthur and Vassilvitskii 2007): of a few candidates, keep the one that helps most."""
    norms = np.einsum("nd,nd->n", points, points)
    chosen = np.empty(0, np.intp)
    if len(fixed):
        squared = _measure(points, fixed, _GUARD).distance ** 2
    else:
        chosen = _draw(weights, rng, 1)
        squared = ((points - points[chosen]) ** 2).sum(1)
    while len(chosen) < num_centres:
        candidates = _draw(weights * squared, rng, _CANDIDATES)
        away = np.maximum(norms + norms[candidates, None] - 2 * (points[candidates] @ points.T), 0)  # candidates n
        away[np.arange(len(candidates)), candidates] = 0
        away = np.minimum(squared, away)
        best = int((away @ weights).argmin())
        chosen = np.append(chosen, candidates[best])
        squared = away[best]
    return points[chosen]


def _draw(chances: Floats, rng: np.random.Generator, count: int) -> Indices:
    """Indices drawn in proportion to `chances`; by position where all are 0."""
    heaped = np.cumsum(chances, dtype=np.float64)
    if heaped[-1] <= 0:
        heaped = np.arange(1, len(chances) + 1, dtype=np.float64)
    return np.searchsorted(heaped, rng.random(count) * heaped[-1], side="right").clip(max=len(chances) - 1)


def _measure(points: Floats, centres: Floats, guard: float) -> _State:
    norms = np.einsum("nd,nd->n", points, points)
    away = (centres**2).sum(1)[:, None] - 2 * (centres @ points.T)  # k n
    nearest = away.argmin(0)
    order = np.arange(len(points))
    distance = np.sqrt(np.maximum(away[nearest, order] + norms, 0))
    spare = distance
    if len(centres) > 1:
        away[nearest, order] = np.inf
        spare = np.sqrt(np.maximum(away.min(0) + norms, 0))
    return _State(guard, centres, nearest, distance, spare)


def _costs(distance: Floats, guard: float) -> Floats:
    squared = (guard * distance) ** 2
    return distance * (1 + squared * squared)


def _total(weights: Floats, state: _State) -> float:
    return float(weights @ _costs(state.distance, state.guard))


def _settle(points: Floats, weights: Floats, state: _State, still: int, steps: int) -> _State:
    """Move every centre to the best place for its points, by reweighting (Weiszfeld): slope of the cost over d."""
    for _ in range(steps):
        pull = weights * (1 / np.maximum(state.distance, _NEAR) + 5 * state.guard**4 * state.distance**3)
        count = len(state.centres)
        total = np.bincount(state.nearest, pull, count)
        sums = [np.bincount(state.nearest, pull * points[:, axis], count) for axis in range(points.shape[1])]
        step = np.stack(sums, 1) / np.maximum(total, 1e-30)[:, None] - state.centres
        step[(total <= 0) | (np.arange(count) < still)] = 0
        moved = (state.centres + _STRIDE * step).astype(points.dtype)
        astray = _own_costs(points, weights, moved, state) > _own_costs(points, weights, state.centres, state)
        moved[astray] = (state.centres + _CAREFUL * step)[astray]
        state = _measure(points, moved, state.guard)
    return state


def _own_costs(points: Floats, weights: Floats, centres: Floats, state: _State) -> Floats:
    """What the points of each centre cost, `k`, if it were at `centres` and they stayed with it."""
    away = points - centres[state.nearest]
    costs: Floats = weights * _costs(np.sqrt(np.einsum("nd,nd->n", away, away)), state.guard)
    return np.asarray(np.bincount(state.nearest, costs, len(centres)), np.float64)


def _swap(points: Floats, weights: Floats, state: _State, still: int, rng: np.random.Generator) -> _State:
    """Take away one of the centres that are missed least, and put one where the cost is."""
    costs = weights * _costs(state.distance, state.guard)
    loss = np.bincount(state.nearest, weights * _costs(state.spare, state.guard) - costs, len(state.centres))[still:]
    drop = still + np.argsort(loss, kind="stable")[rng.integers(min(_DROPS, len(loss)))]
    centres = state.centres.copy()
    centres[drop] = points[_draw(costs, rng, 1)[0]]
    return _measure(points, centres, state.guard)
