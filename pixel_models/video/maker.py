"""Frames to pixel art, in order: cells, cuts, the palette of the shot, entries that stay."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from .cells import CellMaker
from .grid import Bytes, Grid
from .matcher import Matcher
from .options import FilmOptions
from .palettes import ShotPalette
from .shots import ShotFinder
from .sink import Drawn
from .steady import Steady

CHROMA = 2.0
"""As in `pixelate`: how much more hue counts with a palette that is made; else skin is grey."""


class FilmMaker:
    """Makes one frame after the other; what it keeps of the past does not grow."""

    def __init__(self, options: FilmOptions, grid: Grid, maker: CellMaker, palettes: Sequence[ShotPalette]) -> None:
        """Begin at the first frame.

        Args:
            options: dither, clean-up and steadiness.
            grid: the cells.
            maker: makes colours of them.
            palettes: from when on each holds; one or more, the first from the beginning.
        """
        self._options, self._grid, self._maker = options, grid, maker
        self._palettes, self._at = palettes, 0
        self._finder = ShotFinder()
        self._steady = Steady(self._matcher(0), clean=options.clean, steady=options.steady)
        self.cuts: int = 0
        """Cuts that were found so far."""

    @property
    def batch(self) -> int:
        """Frames that are best given at once."""
        return self._maker.batch

    def make(self, pictures: Sequence[tuple[Bytes, Fraction, Fraction]]) -> list[Drawn]:
        """Make the next few frames.

        Args:
            pictures: samples `h*s w*s c` of each, when it is shown, and for how long, seconds.
        """
        cells = self._maker.cells([picture for picture, _, _ in pictures], self._grid)
        made: list[Drawn] = []
        for one, (_, time, duration) in zip(cells, pictures, strict=True):
            cut = self._finder.is_cut(one.mean)
            self.cuts += cut
            if self._at + 1 < len(self._palettes) and time >= self._palettes[self._at + 1].time:
                self._at += 1
                self._steady.forget(self._matcher(self._at))
            elif cut:
                self._steady.forget()
            entries = self._steady.step(one)
            made.append(Drawn(entries, one.clear, self._palettes[self._at].palette, time, duration))
        return made

    def _matcher(self, index: int) -> Matcher:
        options = self._options
        return Matcher(
            self._palettes[index].palette,
            chroma=1.0 if options.palette is not None or options.dither != "none" else CHROMA,
            dither=options.dither,
            strength=options.strength,
        )
