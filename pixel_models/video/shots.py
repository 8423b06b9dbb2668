"""Where a film cuts: the colours of a frame against those of the frame before, and what is back after a flash."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cells import Floats

# Share of cells whose colour (of 512) is elsewhere that a cut has at least: a fast pan keeps its colours.
_COLORS_CHANGE = 0.32
# And times what was elsewhere in the frames before; and levels that a cut changes a frame by, at least.
_OF_MOTION, _LEAST_CHANGE = 2.5, 9.0
# Of a cut's jump, what the next frame changes by at most: fades go on.
_GRADUAL = 0.5
# So many frames a flash may last.
_FLASH = 3
_ROWS, _COLUMNS = 18, 32
# A frame of one colour: levels of spread, and how dark or light it is.
_PLAIN, _DARK, _LIGHT = 6.0, 20.0, 236.0


@dataclasses.dataclass(frozen=True)
class _Look:
    """What is compared of a frame."""

    small: Floats
    """`y x 3`, about 32x18 means."""
    colors: NDArray[np.floating[Any]]
    """`512`, shares of colours."""

    def apart(self, other: _Look) -> tuple[float, float]:
        """Mean difference in levels, and the share of cells whose colour is elsewhere."""
        away = float(np.abs(self.small - other.small).mean())
        return away, float(np.abs(self.colors - other.colors).sum() / 2)

    @property
    def plain(self) -> bool:
        """Whether it is black or white, as between two fades."""
        level = float(self.small.mean())
        return float(self.small.std()) < _PLAIN and not _DARK < level < _LIGHT


class ShotFinder:
    """Tells frame by frame whether a cut came; needs no frame but the one before, so a flash counts as one."""

    def __init__(self) -> None:
        self._before: _Look | None = None
        self._motion = 0.0
        self.jump = 0.0
        """Share of cells whose colour was elsewhere in the last frame, against the one before."""

    def is_cut(self, mean: Floats) -> bool:
        """Whether a new shot begins with this frame, `h w 3` in [0, 255]; not at the first."""
        look, before = _look(mean), self._before
        self._before = look
        return before is not None and self.differ(before, look)

    def differ(self, before: _Look, look: _Look) -> bool:
        """Whether there is a cut between two frames that follow each other; learns how much the film moves."""
        away, elsewhere = look.apart(before)
        usual = max(self._motion, self.jump)
        cut = elsewhere > max(_COLORS_CHANGE, _OF_MOTION * usual) and away > _LEAST_CHANGE
        self._motion, self.jump = 0.7 * self._motion + 0.3 * elsewhere, elsewhere
        return cut


class ShotSplitter:
    """Splits a film into shots with a few frames of delay: a flash is no cut, black between two fades is one."""

    def __init__(self) -> None:
        self._finder = ShotFinder()
        self._before: _Look | None = None
        self._doubt: tuple[int, _Look, float] | None = None
        self._count = 0
        self._was_plain = False

    def add(self, mean: Floats) -> int | None:
        """Take the next frame, `h w 3` in [0, 255].

        Returns:
            The number of the frame with which a new shot began, this one or one of the last few; None: none did.
        """
        look, index = _look(mean), self._count
        self._count += 1
        before, self._before = self._before, look
        if before is None:
            self._was_plain = look.plain
            return None
        ends_plain, self._was_plain = self._was_plain and not look.plain, look.plain
        cut = self._finder.differ(before, look)
        if self._doubt is not None:
            return self._settle(look, index)
        if ends_plain and index > 1:
            return index
        if cut:
            self._doubt = (index, before, self._finder.jump)
        return None

    def end(self) -> int | None:
        """The frame with which the last shot began, if that was still open when the film ended."""
        found, self._doubt = self._doubt, None
        return None if found is None else found[0]

    def _settle(self, look: _Look, index: int) -> int | None:
        assert self._doubt is not None
        began, before, jump = self._doubt
        away, elsewhere = look.apart(before)
        if elsewhere < _COLORS_CHANGE / 2 or away < _LEAST_CHANGE:
            self._doubt = None  # what was there before the flash is back
            return None
        if index == began + 1 and self._finder.jump > _GRADUAL * jump:
            self._doubt = None  # it goes on: a fade, or something very fast
            return None
        if index - began < _FLASH:
            return None
        self._doubt = None
        return began


def _look(mean: Floats) -> _Look:
    height, width = mean.shape[:2]
    rows, columns = (np.arange(0, side, max(1, side // most)) for side, most in ((height, _ROWS), (width, _COLUMNS)))
    sums = np.add.reduceat(np.add.reduceat(mean, rows, axis=0), columns, axis=1)
    area = np.diff(rows, append=height)[:, None] * np.diff(columns, append=width)
    bins = mean.astype(np.uint8) >> 5
    keys = bins[..., 0] * np.uint16(64) + bins[..., 1] * np.uint16(8) + bins[..., 2]
    counts = np.bincount(keys.reshape(-1), minlength=512).astype(np.float64)
    # Neighbouring bins share, or a film that lightens by a level would seem another.
    cube = counts.reshape(8, 8, 8)
    for axis in range(3):
        cube = 0.5 * cube + 0.25 * (_moved(cube, axis, 1) + _moved(cube, axis, -1))
    return _Look((sums / area[..., None]).astype(np.float32), cube.reshape(-1) / keys.size)


def _moved(cube: NDArray[np.float64], axis: int, by: int) -> NDArray[np.float64]:
    """Shifted along an axis, the border repeated, so that the sum stays."""
    order = np.clip(np.arange(8) + by, 0, 7)
    return cube.take(order, axis=axis)
