"""The palette of a film or of each shot, out of a bounded number of frames: the first pass over a film."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from fractions import Fraction

import torch

from ..image import from_uint8
from ..palette import Palette, extract_palette
from ..pixelate import ACCENTS
from .cells import CellMaker, mean_of
from .grid import Bytes, Grid
from .options import FilmOptions
from .read import FilmReader, Shown
from .scaler import FrameScaler
from .shots import ShotSplitter

MOST_KEPT = 24
"""Frames that a palette is made of."""

_MOST_BYTES = 2**25
# A film of more frames is not read twice: its frames are taken where decoding can begin.
_LONG = 20000


@dataclasses.dataclass(frozen=True)
class ShotPalette:
    """A palette, and from when on it holds."""

    time: Fraction
    palette: Palette


class _Kept:
    """Frames spread evenly over however many there are: when it is full, every second one goes."""

    def __init__(self, most: int) -> None:
        self._most, self._step, self._count = most, 1, 0
        self.pictures: list[Bytes] = []

    def wants(self) -> bool:
        """Whether the next frame is to be given to `add`; else to `skip`."""
        return self._count % self._step == 0

    def add(self, picture: Bytes | None) -> None:
        """The next frame; None where it is not wanted."""
        if self.wants() and picture is not None:
            self.pictures.append(picture)
            if len(self.pictures) == self._most:
                self.pictures, self._step = self.pictures[::2], 2 * self._step
        self._count += 1


def film_palettes(
    reader: FilmReader,
    options: FilmOptions,
    grid: Grid,
    scaler: FrameScaler,
    maker: CellMaker,
    done: Callable[[], None],
) -> list[ShotPalette]:
    """Make the palette of a film, or of each of its shots.

    Args:
        reader: the film.
        options: number of colours, and what a palette is for.
        grid: the cells.
        scaler: brings frames to it.
        maker: makes cells.
        done: called after each frame; may raise to cancel.

    Returns:
        One from 0 on for the film; one for each shot.

    Raises:
        FilmError: the film cannot be read.
    """
    most = max(4, min(MOST_KEPT, _MOST_BYTES // (grid.width * grid.height * grid.samples**2 * 4)))
    if options.palette_per == "shot":
        return _each_shot(reader, options, grid, scaler, maker, done, most)
    kept = _Kept(most)
    long = (reader.frames or 0) > _LONG
    for part in reader.samples(most - 1) if long else reader.parts():
        assert isinstance(part, Shown)
        kept.add(scaler.picture(part.frame) if kept.wants() else None)
        if not long:
            done()
    return [ShotPalette(Fraction(0), make_palette(kept.pictures, options, grid, maker))]


def _each_shot(
    reader: FilmReader,
    options: FilmOptions,
    grid: Grid,
    scaler: FrameScaler,
    maker: CellMaker,
    done: Callable[[], None],
    most: int,
) -> list[ShotPalette]:
    splitter, shots = ShotSplitter(), list[ShotPalette]()
    kept, began, recent = _Kept(most), Fraction(0), list[tuple[int, Fraction, Bytes]]()

    def close(first: int) -> None:
        """End the shot before the frame `first`."""
        nonlocal kept, began, recent
        for index, _, picture in recent:
            if index < first:
                kept.add(picture)
        shots.append(ShotPalette(began, make_palette(kept.pictures, options, grid, maker)))
        recent = [entry for entry in recent if entry[0] >= first]
        kept, began = _Kept(most), recent[0][1]

    for number, part in enumerate(reader.parts()):
        assert isinstance(part, Shown)
        picture = scaler.picture(part.frame)
        recent.append((number, part.time, picture))
        first = splitter.add(mean_of(picture, grid))
        if first is not None and first > 0:
            close(first)
        while len(recent) > 4:  # a cut is told no later than this
            kept.add(recent.pop(0)[2])
        done()
    first = splitter.end()
    if first is not None:
        close(first)
    for _, _, picture in recent:
        kept.add(picture)
    shots.append(ShotPalette(began, make_palette(kept.pictures, options, grid, maker)))
    return shots


def make_palette(pictures: list[Bytes], options: FilmOptions, grid: Grid, maker: CellMaker) -> Palette:
    """The colours that serve the cells of some frames best; what is transparent has no say."""
    colors, weights = [], []
    for picture in pictures:
        (cells,) = maker.cells([picture], grid)
        colors.append(torch.from_numpy(cells.color).permute(2, 0, 1))
        weights.append(torch.ones(1, grid.height, grid.width))
        if cells.clear is not None:
            weights[-1][0][torch.from_numpy(cells.clear)] = 0
    rgb, weight = from_uint8(torch.stack(colors)), torch.stack(weights)
    return extract_palette(rgb, options.colors, weight=weight, accents=ACCENTS)
