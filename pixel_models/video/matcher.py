"""Cells to entries of a palette: the nearest, and how far off any other is."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..color import LMS_TO_LAB, RGB_TO_LMS, srgb_to_linear, srgb_to_oklab
from ..dither.matrices import threshold_map
from ..dither.ordered import ordered_dither
from ..image import from_uint8
from ..palette import Palette, nearest_indices
from ..palette.nearest import NearestTable
from .cells import Bytes, Floats
from .options import FilmDither

Indices = NDArray[np.intp]

# Bits a channel of the table that is filled at once, for palettes whose hues count more.
_BITS = 6


class Matcher:
    """A palette, and how cells are matched to it."""

    def __init__(self, palette: Palette, *, chroma: float, dither: FilmDither, strength: float) -> None:
        """Prepare.

        Args:
            palette: k colours.
            chroma: how much more hue and saturation count than lightness; above 1 the nearest colour is found on 64
                levels a channel, which is below what the eye tells.
            dither: how colours are mixed, by a matrix that lies still on the grid.
            strength: of the dither, 0 to 1.
        """
        self.palette = palette
        self.dither: FilmDither = dither
        self._strength = strength
        self._weight = np.array([1, chroma, chroma], np.float32)
        self.lab: Floats = srgb_to_oklab(from_uint8(palette.colors), dim=1).numpy() * self._weight
        self._shift: Floats | None = None
        self._table, self._coarse = (None, _coarse(palette, chroma)) if chroma != 1 else (NearestTable(palette), None)

    def nearest(self, color: Bytes) -> Indices:
        """The nearest entry of each colour, `h w 3` or `n 3`; without dither."""
        if self._coarse is not None:
            bins = color >> (8 - _BITS)
            keys = bins[..., 0].astype(np.int32) << 2 * _BITS | bins[..., 1].astype(np.int32) << _BITS | bins[..., 2]
            return self._coarse[keys].astype(np.intp)
        assert self._table is not None
        return self._table.indices(torch.from_numpy(np.ascontiguousarray(color))).numpy().astype(np.intp)

    def shifted(self, color: Bytes) -> Bytes:
        """Colours `h w 3` as the dither's matrix shifts them at their places."""
        if self.dither in ("none", "knoll"):
            return color
        if self._shift is None or self._shift.shape[:2] != color.shape[:2]:
            matrix = threshold_map(self.dither).numpy()
            (high, wide), (h, w) = matrix.shape, color.shape[:2]
            tiled = np.tile(matrix, (-(-h // high), -(-w // wide)))[:h, :w]
            levels = np.round(255 * self._strength * _mean_step(self.palette) * tiled)
            self._shift = levels[..., None].astype(np.float32)
        shift = self._shift
        return np.clip(color + shift, 0, 255).astype(np.uint8)

    def dithered(self, color: Bytes) -> Indices:
        """Entries of colours `h w 3` by the dither."""
        if self.dither == "knoll":
            rgb = from_uint8(torch.from_numpy(np.ascontiguousarray(color.transpose(2, 0, 1)))[None])
            return ordered_dither(rgb, self.palette, "knoll", strength=self._strength)[0].numpy().astype(np.intp)
        return self.nearest(self.shifted(color))

    def oklab(self, color: Bytes) -> Floats:
        """Oklab of 8-bit colours `... 3`, hue and saturation stretched as they count."""
        lms = np.cbrt(_LIGHT[color] @ _TO_LMS)
        return lms @ (_TO_LAB * self._weight)


def _mean_step(palette: Palette) -> float:
    """As `dither.ordered` has it: mean over the colours of the largest channel difference to the nearest other one."""
    colors = from_uint8(palette.colors).unique(dim=0)
    if len(colors) == 1:
        return 0.0
    away = torch.cdist(colors, colors, p=float("inf")).fill_diagonal_(float("inf"))
    return float(away.min(dim=1).values.mean())


def _coarse(palette: Palette, chroma: float) -> NDArray[Any]:
    """The nearest entry of every colour of `_BITS` bits a channel."""
    side = 2**_BITS
    levels = (np.arange(side, dtype=np.float32) + 0.5) * (256 / side) - 0.5
    red, green, blue = np.meshgrid(levels, levels, levels, indexing="ij")
    cube = torch.from_numpy(np.stack([red, green, blue]).reshape(1, 3, side, side * side) / 255)
    found = nearest_indices(cube, palette, chroma=chroma).numpy().reshape(-1)
    return found.astype(np.uint8 if len(palette) <= 256 else np.int32)


_LIGHT: Floats = srgb_to_linear(torch.arange(256) / 255).numpy()
_TO_LMS: Floats = np.array(RGB_TO_LMS, np.float32).T
_TO_LAB: Floats = np.array(LMS_TO_LAB, np.float32).T
