"""Socket types for the values that only this pack has."""

from __future__ import annotations

from ._comfy import io

PixelModel = io.Custom("PIXEL_MODEL")
"""Carries a `pixel_models.checkpoint.LoadedModel`."""

PixelPalette = io.Custom("PIXEL_PALETTE")
"""Carries a `pixel_models.palette.Palette`."""

PixelIndexed = io.Custom("PIXEL_INDEXED")
"""Carries a `pixel_models.palette.IndexedImage`: the palette's order survives, an IMAGE loses it."""

PixelCodes = io.Custom("PIXEL_CODES")
"""Carries a `pixel_models.codes.CodeGrid`: what a VQ-VAE made of pictures, of use to that model alone."""

PixelSprites = io.Custom("PIXEL_SPRITES")
"""Carries a `pixel_models.sheets.SpriteSheet`: frames of any size with names, times and tags."""


def image_or(name: str, *types: type[io.ComfyTypeIO], tooltip: str, optional: bool = False) -> io.MultiType.Input:
    """An input that takes an IMAGE or one of `types`."""
    return io.MultiType.Input(name, types=[io.Image, *types], tooltip=tooltip, optional=optional)
