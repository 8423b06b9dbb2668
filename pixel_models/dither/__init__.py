"""Dither to a palette: ordered (Bayer, blue noise, clustered dot, Knoll's pattern) and error diffusion."""

from __future__ import annotations

from .apply import DITHERS, Dither, apply_palette
from .diffusion import DIFFUSIONS, Diffusion, diffuse
from .matrices import ORDERED, Ordered, threshold_map
from .ordered import ordered_dither

__all__ = [
    "DIFFUSIONS",
    "DITHERS",
    "ORDERED",
    "Diffusion",
    "Dither",
    "Ordered",
    "apply_palette",
    "diffuse",
    "ordered_dither",
    "threshold_map",
]
