"""What can be chosen when a film is pixelated, and the checks of it."""

from __future__ import annotations

import dataclasses
import math
from typing import Literal, get_args

from ..dither import ORDERED, Ordered
from ..downscale import DOWNSCALE_METHODS, DownscaleMethod
from ..errors import FilmError
from ..palette import Palette
from ..pixelate import COLOR_RANGE, MAX_CELLS

FilmMethod = Literal["sharp"] | DownscaleMethod
FILM_METHODS: tuple[FilmMethod, ...] = ("sharp", *DOWNSCALE_METHODS)
"""How a cell gets its colour without a model: "sharp", made for films, and those of `downscale`."""

FilmDither = Literal["none"] | Ordered
FILM_DITHERS: tuple[FilmDither, ...] = ("none", *ORDERED)
"""Dithers that stay put from frame to frame; error diffusion would crawl."""

FilmPalette = Literal["film", "shot"]
FILM_PALETTES: tuple[FilmPalette, ...] = get_args(FilmPalette)
"""One palette for the whole film, or one for each shot."""

Quality = Literal["compatible", "exact"]
QUALITIES: tuple[Quality, ...] = get_args(Quality)
"""Films that play everywhere with colours a few levels off; or exact ones, which fewer programs play."""

CELL_RANGE = (2, 256)
"""Smallest and largest cell, pixels of the film a side."""

SCALE_RANGE = (1, 64)
"""Least and most that a result is enlarged."""

FPS_RANGE = (0.1, 1000.0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class FilmOptions:
    """How frames become pixel art."""

    cell: int | None = None
    """Pixels of the film along a cell's side; or"""
    size: tuple[int, int] | None = None
    """width and height in cells; one of them may be 0 and follows the film's shape."""
    palette: Palette | None = None
    """Exactly these colours; None makes a palette from the film."""
    colors: int = 16
    """Most colours of a palette that is made."""
    palette_per: FilmPalette = "film"
    """One palette that is made for the film, or one for each shot."""
    method: FilmMethod = "sharp"
    """How a cell gets its colour; without effect where a model does it."""
    dither: FilmDither = "none"
    strength: float = 0.5
    """Of the dither, 0 to 1."""
    clean: bool = True
    """Let cells agree with their neighbours where that costs little; a dither's cells are left alone."""
    steady: bool = True
    """Keep a cell's palette entry while the film does not change there."""
    fps: float | None = None
    """Most frames a second; others are left out, the rest keep their times."""
    start: float = 0.0
    """Where to begin, seconds."""
    end: float | None = None
    """Where to end, seconds; None: at the film's end."""

    def __post_init__(self) -> None:
        """Check what can be checked without a film.

        Raises:
            FilmError: something is out of its range, or not one of what there is.
        """
        if (self.cell is None) == (self.size is None):
            msg = f"give either cell or size, got cell={self.cell} and size={self.size}"
            raise FilmError(msg)
        if self.cell is not None and not CELL_RANGE[0] <= self.cell <= CELL_RANGE[1]:
            msg = f"cell is {self.cell} pixels, expected {CELL_RANGE[0]} to {CELL_RANGE[1]}"
            raise FilmError(msg)
        if self.size is not None and not (max(self.size) >= 1 and min(self.size) >= 0 and max(self.size) <= MAX_CELLS):
            msg = f"size is {self.size[0]}x{self.size[1]} cells, expected 1 to {MAX_CELLS}, or 0 for one of both"
            raise FilmError(msg)
        if not COLOR_RANGE[0] <= self.colors <= COLOR_RANGE[1]:
            msg = f"colors is {self.colors}, expected {COLOR_RANGE[0]} to {COLOR_RANGE[1]}"
            raise FilmError(msg)
        choose("palette_per", self.palette_per, FILM_PALETTES)
        choose("method", self.method, FILM_METHODS)
        choose("dither", self.dither, FILM_DITHERS)
        if not 0 <= self.strength <= 1:
            msg = f"strength is {self.strength}, expected 0 to 1"
            raise FilmError(msg)
        if self.fps is not None and not FPS_RANGE[0] <= self.fps <= FPS_RANGE[1]:
            msg = f"fps is {self.fps} frames a second, expected {FPS_RANGE[0]} to {FPS_RANGE[1]}"
            raise FilmError(msg)
        if not (0 <= self.start < math.inf and (self.end is None or self.start < self.end)):
            msg = f"from {self.start} to {self.end} seconds is no part of a film; expected 0 or more, the end later"
            raise FilmError(msg)


def choose(name: str, value: str, known: tuple[str, ...]) -> None:
    """Refuse a choice that there is not.

    Raises:
        FilmError: `value` is not one of `known`.
    """
    if value not in known:
        msg = f"{name} is {value!r}, expected one of {', '.join(known)}"
        raise FilmError(msg)
