"""Films to pixel art: read and written as streams, with one grid, steady colours, exact times and their sound."""

from __future__ import annotations

from .batch import pixelate_frames
from .encode import FILM_FORMATS
from .options import (
    FILM_DITHERS,
    FILM_METHODS,
    FILM_PALETTES,
    QUALITIES,
    FilmDither,
    FilmMethod,
    FilmOptions,
    FilmPalette,
    Quality,
)
from .run import OUT_SUFFIXES, FilmReport, check_target, pixelate_film

__all__ = [
    "FILM_DITHERS",
    "FILM_FORMATS",
    "FILM_METHODS",
    "FILM_PALETTES",
    "OUT_SUFFIXES",
    "QUALITIES",
    "FilmDither",
    "FilmMethod",
    "FilmOptions",
    "FilmPalette",
    "FilmReport",
    "Quality",
    "check_target",
    "pixelate_film",
    "pixelate_frames",
]
