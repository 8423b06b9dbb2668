"""The nodes "Pixelate (CycleGAN)" and "Depixelate (CycleGAN)": pictures to pixel art and back."""

# ComfyUI's base methods take **kwargs, and each node names its own inputs.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

import math
from typing import get_args

from torch import Tensor

from ..pixel_models.checkpoint import LoadedModel
from ..pixel_models.depixelate import depixelate
from ..pixel_models.dither import DITHERS, Dither
from ..pixel_models.drawers import trained_cells
from ..pixel_models.palette import Palette
from ..pixel_models.pixelate import PalettePer, pixelate
from ..pixel_models.regrid import working_cell
from ..pixel_models.spec import Purpose
from ._art import MASK_TOOLTIP, check_choices
from ._comfy import image_to_nchw, io, nchw_to_image, nchw_to_mask, preview, progress, run_on_device
from ._pixelating import CELL_SIZE, SIZE_MODES, dither_strength_input, palette_input, size_mode_input
from ._types import PixelModel

PALETTE_PER = get_args(PalettePer)
SMALLEST_TILE, LARGEST_TILE = 8, 1024

_TILE_TOOLTIP = (
    "Side of the pieces that are worked on one after the other, in cells (8 to 1024); 0 = automatic. Smaller needs "
    "less memory; the seams do not show. When memory runs out, smaller tiles are tried by themselves."
)


def _check_tile(tile: int) -> str:
    """What is wrong with a tile's size in cells, or nothing."""
    if tile == 0 or SMALLEST_TILE <= tile <= LARGEST_TILE:
        return ""
    return f"tile is {tile} cells, expected 0 (automatic) or {SMALLEST_TILE} to {LARGEST_TILE}"


class PixelateNode(io.ComfyNode):
    """Pictures to pixel art on an exact grid."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnPixelate",
            display_name="Pixelate (CycleGAN)",
            category="pixel art/pixelate",
            description=(
                "Turns photos and drawings into pixel art: one colour for each cell of an exact grid, few colours, "
                "hard transparency. The node shows the result enlarged without smoothing."
            ),
            is_output_node=True,  # so that the result shows with nothing connected behind, and again when it is cached
            inputs=[
                io.Image.Input("image", tooltip="Pictures to turn into pixel art; RGB, or RGBA with transparency."),
                PixelModel.Input(
                    "model",
                    tooltip="A model that makes pixel art, such as kiln-pixelate. A full-resolution CycleGAN, CUT or "
                    "pix2pix generator serves too: its picture is brought to the exact grid.",
                ),
                size_mode_input(),
                io.Int.Input(
                    "cell_size",
                    default=8,
                    min=2,
                    max=32,
                    tooltip="Side of one cell in pixels of the picture (2 to 32): 8 turns 512 px into 64 cells.",
                ),
                io.Int.Input(
                    "target_width",
                    default=64,
                    min=8,
                    max=512,
                    tooltip="Width of the pixel art in cells (8 to 512); the height follows the picture's shape.",
                ),
                io.Int.Input(
                    "colors",
                    default=16,
                    min=2,
                    max=256,
                    tooltip="Number of colours at most (2 to 256), chosen from the picture. Ignored with a palette.",
                ),
                io.Combo.Input(
                    "palette_per",
                    options=list(PALETTE_PER),
                    default="batch",
                    tooltip="Whether the pictures of a batch share their colours: 'batch' keeps the frames of an "
                    "animation from flickering, 'image' gives each picture its own. Ignored with a palette.",
                ),
                io.Boolean.Input(
                    "clean",
                    default=True,
                    tooltip="Clean up single stray cells (on or off) that differ from everything around them.",
                ),
                io.Mask.Input("mask", optional=True, tooltip=MASK_TOOLTIP),
                palette_input(),
                io.Int.Input(
                    "tile",
                    optional=True,
                    default=0,
                    min=0,
                    max=LARGEST_TILE,
                    step=8,
                    tooltip=f"{_TILE_TOOLTIP} A full-resolution model sees the whole picture and ignores this: larger "
                    "cells need less memory there.",
                ),
                io.Combo.Input(
                    "dither",
                    optional=True,
                    options=list(DITHERS),
                    default=DITHERS[0],
                    tooltip="How cells mix the palette's colours: 'none' gives clean areas; ordered ones (bayer to "
                    "knoll) stay put from frame to frame, error diffusion (floyd_steinberg to sierra) crawls.",
                ),
                dither_strength_input(optional=True),
            ],
            outputs=[
                io.Image.Output(
                    "pixelated",
                    display_name="image",
                    tooltip="The pixel art at the input's size in pixels, each cell a square of one colour.",
                ),
                io.Image.Output(
                    "native", tooltip="The pixel art at its own size, one pixel a cell.", display_name="native"
                ),
                io.Mask.Output(
                    "pixelated_mask", display_name="mask", tooltip="Transparency at the input's size: 1 = transparent."
                ),
                io.Mask.Output(
                    "native_mask",
                    display_name="native_mask",
                    tooltip="Transparency at the pixel art's own size: 1 = transparent.",
                ),
            ],
        )

    @classmethod
    def validate_inputs(
        cls,
        size_mode: str = SIZE_MODES[0],
        palette_per: str = PALETTE_PER[0],
        tile: int = 0,
        dither: str = DITHERS[0],
    ) -> bool | str:
        """Refuse choices that do not exist and tiles too small for the network, before anything runs."""
        chosen = check_choices(
            size_mode=(size_mode, SIZE_MODES), palette_per=(palette_per, PALETTE_PER), dither=(dither, DITHERS)
        )
        return chosen if isinstance(chosen, str) else _check_tile(tile) or True

    @classmethod
    def execute(
        cls,
        image: Tensor,
        model: LoadedModel,
        size_mode: str,
        cell_size: int,
        target_width: int,
        colors: int,
        palette_per: PalettePer,
        clean: bool,
        mask: Tensor | None = None,
        palette: Palette | None = None,
        tile: int = 0,
        dither: Dither = "none",
        dither_strength: float = 0.5,
    ) -> io.NodeOutput:
        """Convert in, one call, convert out; an IMAGE with a fourth channel keeps it."""
        rgb, alpha = image_to_nchw(image, mask)
        by_cell = size_mode == CELL_SIZE
        natural = cell_size if by_cell else rgb.shape[-1] / max(1, target_width)
        art = run_on_device(
            model.module,
            rgb,
            alpha,
            tile,
            lambda rgb, alpha, cells: pixelate(
                model,
                rgb,
                alpha=alpha,
                cell=cell_size if by_cell else None,
                size=None if by_cell else (target_width, _height(rgb, target_width)),
                colors=colors,
                palette=palette,
                palette_per=palette_per,
                clean=clean,
                dither=dither,
                strength=dither_strength,
                tile=cells,
                callback=progress(),
            ),
            whole=_pixels_seen(model, rgb, natural),
        )
        large, large_alpha = art.at_input_size()
        native, native_alpha = art.rgb(), art.alpha()
        rgba = image.shape[-1] == 4
        return io.NodeOutput(
            nchw_to_image(large, large_alpha if rgba else None),
            nchw_to_image(native, native_alpha if rgba else None),
            nchw_to_mask(large_alpha),
            nchw_to_mask(native_alpha),
            ui=preview(native, None if alpha is None else native_alpha),
        )


class DepixelateNode(io.ComfyNode):
    """Pixel art at its own size to a smooth picture."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnDepixelate",
            display_name="Depixelate (CycleGAN)",
            category="pixel art/pixelate",
            description=(
                "Turns pixel art back into a smooth picture. Feed it at its own size, one pixel a cell: the native "
                "output of Pixelate, or a sprite file that was not scaled up."
            ),
            is_output_node=True,  # so that the result shows with nothing connected behind, and again when it is cached
            inputs=[
                io.Image.Input(
                    "image", tooltip="Pixel art at its own size, one pixel a cell; RGB, or RGBA with transparency."
                ),
                PixelModel.Input("model", tooltip="A model that smooths pixel art, such as kiln-depixelate."),
                io.Int.Input(
                    "scale",
                    default=4,
                    min=2,
                    max=8,
                    tooltip="How many times wider and higher the smooth picture is (2 to 8 times).",
                ),
                io.Mask.Input("mask", optional=True, tooltip=MASK_TOOLTIP),
                io.Int.Input("tile", optional=True, default=0, min=0, max=LARGEST_TILE, step=8, tooltip=_TILE_TOOLTIP),
            ],
            outputs=[
                io.Image.Output("smooth", display_name="image", tooltip="The smooth picture, scale times the size."),
                io.Mask.Output(
                    "smooth_mask", display_name="mask", tooltip="Its transparency, with soft edges: 1 = transparent."
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, tile: int = 0) -> bool | str:
        """Refuse tiles too small for the network before anything runs."""
        return _check_tile(tile) or True

    @classmethod
    def execute(
        cls, image: Tensor, model: LoadedModel, scale: int, mask: Tensor | None = None, tile: int = 0
    ) -> io.NodeOutput:
        """Convert in, one call, convert out; an IMAGE with a fourth channel keeps it."""
        rgb, alpha = image_to_nchw(image, mask)
        smooth, smooth_alpha = run_on_device(
            model.module,
            rgb,
            alpha,
            tile,
            lambda rgb, alpha, cells: depixelate(model, rgb, alpha=alpha, scale=scale, tile=cells, callback=progress()),
            whole=_pixels_seen(model, rgb, 1, scale),
        )
        opaque = smooth.new_ones(smooth[:, :1].shape) if smooth_alpha is None else smooth_alpha
        return io.NodeOutput(
            nchw_to_image(smooth, opaque if image.shape[-1] == 4 else None),
            nchw_to_mask(opaque),
            ui=preview(smooth, smooth_alpha, sharp=False),
        )


def _height(picture: Tensor, width: int) -> int:
    """Height in cells that keeps the picture's shape at `width` cells; `picture` is `b c h w`."""
    return max(1, round(picture.shape[-2] * width / max(1, picture.shape[-1])))


def _pixels_seen(model: LoadedModel, picture: Tensor, cell: float, scale: float | None = None) -> int:
    """Pixels that a full-resolution network is shown of one picture; 0 for a network that sees tiles.

    Args:
        model: any that a node here takes.
        picture: `b c h w`.
        cell: its pixels along a cell's side.
        scale: pixels along a cell's side that are wanted, where they are not `cell`.
    """
    if model.purpose is not Purpose.TRANSLATE:
        return 0
    seen = working_cell(scale or cell, trained_cells(model.metadata.get("cell", "")))
    return math.ceil(picture.shape[-2] * seen / cell) * math.ceil(picture.shape[-1] * seen / cell)
