"""Socket types for the values that only this pack has: PIXEL_MODEL and PIXEL_PALETTE."""

from __future__ import annotations

from ._comfy import io

PixelModel = io.Custom("PIXEL_MODEL")
"""Carries a `pixel_models.checkpoint.LoadedModel`."""

PixelPalette = io.Custom("PIXEL_PALETTE")
"""Carries a `pixel_models.palette.Palette`."""
