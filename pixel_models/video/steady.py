"""Palette entries that stay: a cell keeps its own while the film does not change there, and moves at once with it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .cells import Bytes, Cells, Floats
from .matcher import Indices, Matcher

AGREEMENT = 0.0006
"""Squared Oklab distance that a neighbour of the same colour is worth, as in `cleanup.cluster_cells`."""

HOLD = 0.004
"""Squared Oklab distance by which a new entry must be nearer, where the film does not change."""

_LEAST, _MOST = 3.0, 9.0
"""Levels that a cell's mean must move by to count as changed, at the least and the most noise."""

_OF_NOISE = 4.0
_AGES = 8
_DIAGONAL = 0.7
_AROUND = tuple((y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0))
_ROUNDS = 2


class Steady:
    """Gives the cells of one frame after the other their palette entries.

    Whether a cell changed is seen by its mean, which noise and compression hardly move, against the mean it had while
    it was still. Cells that changed take their new colour at once, so that nothing drags behind what moves. For the
    others colours are averaged over up to 8 frames, and the entry is kept unless another is clearly nearer.

    Entries are chosen by Besag's iterated conditional modes, as in `cleanup.cluster_cells`, of the squared distance
    less what agreeing neighbours are worth (`AGREEMENT`), less `HOLD` for the entry that stood there.
    """

    def __init__(self, matcher: Matcher, *, clean: bool = True, steady: bool = True) -> None:
        """Begin with nothing shown.

        Args:
            matcher: the palette.
            clean: let neighbours agree; without effect where there is a dither.
            steady: keep entries; else every frame is made as if it were alone.
        """
        self._matcher, self._agreement, self._hold = matcher, AGREEMENT if clean else 0.0, HOLD
        self._steady = steady
        self._noise = 1.0
        self._mean: Floats | None = None
        self._before = self._color = np.empty((0, 0, 3), np.float32)
        self._age = np.empty((0, 0), np.uint8)
        self._entries: Indices = np.empty((0, 0), np.intp)

    def forget(self, matcher: Matcher | None = None) -> None:
        """A new shot begins; with `matcher`, in another palette."""
        self._mean = None
        self._matcher = matcher or self._matcher

    def step(self, cells: Cells) -> Indices:
        """Entries of the next frame's cells, `h w`."""
        known = self._steady and self._mean is not None
        if known and np.array_equal(cells.mean, self._before):
            return self._entries  # a frame that is shown again, as in drawn films
        changed = self._changed(cells.mean) if known else None
        if changed is None:
            self._mean, self._color = cells.mean.copy(), cells.color.astype(np.float32)
            self._age = np.ones(cells.mean.shape[:2], np.uint8)
            self._entries = self._fresh(cells.color)
        else:
            assert self._mean is not None
            self._age = np.where(changed, 1, np.minimum(self._age + 1, _AGES)).astype(np.uint8)
            share = (1 / self._age)[..., None].astype(np.float32)
            self._mean += share * (cells.mean - self._mean)
            self._color += share * (cells.color - self._color)
            self._entries = self._kept(np.round(self._color).astype(np.uint8), changed)
        self._before = cells.mean
        return self._entries

    def _changed(self, mean: Floats) -> NDArray[np.bool_]:
        assert self._mean is not None
        moved = np.abs(mean - self._before).max(axis=2)
        # Most films stand still somewhere: what the quieter third moves by is noise.
        self._noise += 0.2 * (float(np.quantile(moved[::2, ::2], 0.33)) - self._noise)
        limit = float(np.clip(_OF_NOISE * self._noise, _LEAST, _MOST))
        away = np.abs(mean - self._mean).max(axis=2)
        changed = away > limit
        near = changed.copy()
        near[1:] |= changed[:-1]
        near[:-1] |= changed[1:]
        near[:, 1:] |= changed[:, :-1]
        near[:, :-1] |= changed[:, 1:]
        return changed | (near & (away > limit / 2))  # where something moves, less is needed to believe it

    def _fresh(self, color: Bytes) -> Indices:
        """Entries of a frame before which there is none."""
        if self._matcher.dither != "none":
            return self._matcher.dithered(color)
        entries = self._matcher.nearest(color)
        if not self._agreement:
            return entries
        every = np.ones(entries.shape, bool)
        return self._agreed(color, entries, entries, every, ~every)

    def _kept(self, color: Bytes, changed: NDArray[np.bool_]) -> Indices:
        before, matcher = self._entries, self._matcher
        if matcher.dither != "none":
            found = matcher.dithered(color)
            doubt = np.flatnonzero((found != before) & ~changed)
            target = matcher.oklab(matcher.shifted(color).reshape(-1, 3)[doubt])
            gain = _squared(target - matcher.lab[before.reshape(-1)[doubt]])
            gain -= _squared(target - matcher.lab[found.reshape(-1)[doubt]])
            stays = doubt[gain < self._hold] if matcher.dither != "knoll" else doubt
            found.reshape(-1)[stays] = before.reshape(-1)[stays]
            return found
        nearest = matcher.nearest(color)
        entries = np.where(changed, nearest, before)
        open_ = changed | (nearest != before)
        return self._agreed(color, entries, nearest, open_, ~changed)

    def _agreed(
        self, color: Bytes, entries: Indices, nearest: Indices, open_: NDArray[np.bool_], still: NDArray[np.bool_]
    ) -> Indices:
        """Entries of least cost for the cells that are open; the others stay.

        Args:
            color: `h w 3`.
            entries: what stands there, or would.
            nearest: the nearest of each.
            open_: cells that are chosen for.
            still: cells at which the entry that stood there is worth `HOLD`.
        """
        height, width = entries.shape
        places = np.flatnonzero(open_)
        if len(places) == 0:
            return entries
        lab = self._matcher.oklab(color.reshape(-1, 3)[places])  # n 3
        own, first = self._entries if still.any() else entries, nearest.reshape(-1)[places]
        bonus = np.where(still.reshape(-1)[places], np.float32(self._hold), np.float32(0))
        own = own.reshape(-1)[places]
        padded = np.full((height + 2, width + 2), -1, np.intp)
        padded[1:-1, 1:-1] = entries
        flat, stride = padded.reshape(-1), width + 2
        spots = (places // width + 1) * stride + places % width + 1
        if self._agreement:
            # Where all around agrees with the nearest entry, nothing is to be weighed.
            lone = np.zeros(len(places), bool)
            for y, x in _AROUND:
                there = flat[spots + y * stride + x]
                lone |= (there != first) & (there >= 0)
            lone |= own != first
            flat[spots[~lone]] = first[~lone]
            spots, lab, first, own, bonus = spots[lone], lab[lone], first[lone], own[lone], bonus[lone]
        for _ in range(_ROUNDS if self._agreement else 1):
            around = [flat[spots + y * stride + x] for y, x in _AROUND]
            best, least = first, np.full(len(spots), np.inf, np.float32)
            for candidate in (first, own, *(around if self._agreement else ())):
                cost = _squared(lab - self._matcher.lab[candidate]) - np.where(candidate == own, bonus, 0)
                if self._agreement:
                    alike = sum(
                        (one == candidate) * np.float32(1 if 0 in step else _DIAGONAL)
                        for one, step in zip(around, _AROUND, strict=True)
                    )
                    cost = np.where(candidate < 0, np.inf, cost - self._agreement * alike)
                better = cost < least
                best, least = np.where(better, candidate, best), np.where(better, cost, least)
            if np.array_equal(flat[spots], best):
                break
            flat[spots] = best
        return padded[1:-1, 1:-1].copy()


def _squared(away: Floats) -> Floats:
    return np.einsum("nc,nc->n", away, away)
