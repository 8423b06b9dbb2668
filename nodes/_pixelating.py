"""Inputs that are the same whether pictures or films are made pixel art."""

from __future__ import annotations

from ._comfy import io
from ._types import PixelPalette

CELL_SIZE, TARGET_WIDTH = SIZE_MODES = ("cell size", "target width")
"""What sets how many cells there are."""


def size_mode_input() -> io.Input:
    """`size_mode`, one of `SIZE_MODES`; `cell_size` and `target_width` follow it."""
    return io.Combo.Input(
        "size_mode",
        options=list(SIZE_MODES),
        default=CELL_SIZE,
        tooltip=f"What sets the size of the pixel art: '{CELL_SIZE}' uses cell_size and ignores "
        f"target_width, '{TARGET_WIDTH}' the other way round.",
    )


def dither_strength_input(*, optional: bool = False) -> io.Input:
    """`dither_strength`, which follows `dither`."""
    return io.Float.Input(
        "dither_strength",
        optional=optional,
        default=0.5,
        min=0.0,
        max=1.0,
        step=0.05,
        tooltip="How much is dithered (0.0 to 1.0 times the full dither).",
    )


def palette_input() -> io.Input:
    """`palette`, in place of colours that are chosen."""
    return PixelPalette.Input(
        "palette",
        optional=True,
        tooltip="Use these colours and no others (any number); colors and palette_per are then ignored.",
    )
