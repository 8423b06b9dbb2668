"""The nodes about cells at native size: downscale to it, upscale from it, clean up."""

# ComfyUI's base methods take **kwargs, and each node names its own inputs.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

from typing import get_args

import torch
from torch import Tensor

from ..pixel_models.cleanup import OUTLINES, Outline, clean_up
from ..pixel_models.downscale import DOWNSCALE_METHODS, DownscaleMethod, downscale, native_size
from ..pixel_models.palette import IndexedImage
from ..pixel_models.upscale import UPSCALE_METHODS, UpscaleMethod, upscale
from ._art import MASK_TOOLTIP, art_output, art_outputs, check_choices, is_rgba, to_indexed
from ._comfy import image_to_nchw, io, nchw_to_image, nchw_to_mask, preview
from ._types import PixelIndexed, image_or

CELL_SIZE, TARGET_SIZE = SIZE_MODES = ("cell size", "target size")
NO_OUTLINE = "none"
OUTLINE_CHOICES = (NO_OUTLINE, *OUTLINES)


class DownscaleNode(io.ComfyNode):
    """Pictures to cells without a model."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnDownscale",
            display_name="Downscale",
            category="pixel art/grid",
            description=(
                "Makes a picture small, one pixel a cell, without a model. Connect Palette Apply behind it for few "
                "colours "
                "and dithering. For pixel art that was enlarged, take Snap to Grid."
            ),
            is_output_node=True,  # so that the result shows with nothing connected behind, and again when it is cached
            inputs=[
                io.Image.Input("image", tooltip="Pictures to make small; RGB, or RGBA with transparency."),
                io.Combo.Input(
                    "size_mode",
                    options=list(SIZE_MODES),
                    default=CELL_SIZE,
                    tooltip=f"What sets the size: '{CELL_SIZE}' or '{TARGET_SIZE}', which uses target_width and "
                    "target_height.",
                ),
                io.Int.Input(
                    "cell_size",
                    default=8,
                    min=1,
                    max=64,
                    tooltip=f"Side of a cell for '{CELL_SIZE}' in pixels of the picture (1 to 64 pixels).",
                ),
                io.Int.Input(
                    "target_width", default=64, min=1, max=2048, tooltip=f"Width for '{TARGET_SIZE}' (1 to 2048 cells)."
                ),
                io.Int.Input(
                    "target_height",
                    default=0,
                    min=0,
                    max=2048,
                    tooltip=f"Height for '{TARGET_SIZE}' (0 to 2048 cells); 0 follows the picture's shape.",
                ),
                io.Combo.Input(
                    "method",
                    options=list(DOWNSCALE_METHODS),
                    default="k-centroid",
                    tooltip="How a cell's colour is found: k-centroid is the all-round one, contrast and outline keep "
                    "thin "
                    "lines, edge keeps shapes, dominant and nearest take colours as they are, box and median blur.",
                ),
                io.Mask.Input("mask", optional=True, tooltip=MASK_TOOLTIP),
            ],
            outputs=[
                io.Image.Output("small", display_name="image", tooltip="The pictures at one pixel a cell."),
                io.Mask.Output("small_mask", display_name="mask", tooltip="Their transparency, hard: 1 = transparent."),
            ],
        )

    @classmethod
    def validate_inputs(cls, size_mode: str = CELL_SIZE, method: str = DOWNSCALE_METHODS[0]) -> bool | str:
        """Refuse choices that do not exist, before anything runs."""
        return check_choices(size_mode=(size_mode, SIZE_MODES), method=(method, DOWNSCALE_METHODS))

    @classmethod
    def execute(
        cls,
        image: Tensor,
        size_mode: str,
        cell_size: int,
        target_width: int,
        target_height: int,
        method: DownscaleMethod,
        mask: Tensor | None = None,
    ) -> io.NodeOutput:
        """Convert in, one call, convert out."""
        rgb, alpha = image_to_nchw(image, mask)
        cell, size = (cell_size, None) if size_mode == CELL_SIZE else (None, (target_width, target_height))
        made, hard = downscale(rgb, native_size(rgb, cell=cell, size=size), method, alpha=alpha)
        opaque = torch.ones_like(made[:, :1]) if hard is None else hard
        return io.NodeOutput(
            nchw_to_image(made, opaque if is_rgba(image) else None), nchw_to_mask(opaque), ui=preview(made, hard)
        )


class UpscaleNode(io.ComfyNode):
    """Pixel art larger, sharp or smooth."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnUpscale",
            display_name="Upscale",
            category="pixel art/grid",
            description=(
                "Enlarges pixel art at its own size by a whole factor: sharp, by the scalers of emulators, or with "
                "smooth "
                "outlines as if it had been drawn large."
            ),
            is_output_node=True,  # so that the result shows with nothing connected behind, and again when it is cached
            inputs=[
                io.Image.Input("image", tooltip="Pixel art at its own size, one pixel a cell; RGB or RGBA."),
                io.Int.Input(
                    "scale", default=4, min=1, max=16, tooltip="How many times wider and higher (1 to 16 times)."
                ),
                io.Combo.Input(
                    "method",
                    options=list(UPSCALE_METHODS),
                    default=UPSCALE_METHODS[0],
                    tooltip="'nearest': every cell a square. 'epx': Scale2x and Scale3x one after the other, no new "
                    "colours; "
                    "scale is 1, 2, 3, 4, 6, 8, 9, 12 or 16. 'smooth': curves with soft edges.",
                ),
                io.Mask.Input("mask", optional=True, tooltip=MASK_TOOLTIP),
            ],
            outputs=[
                io.Image.Output("large", display_name="image", tooltip="The enlarged pictures."),
                io.Mask.Output(
                    "large_mask", display_name="mask", tooltip="Their transparency: 1 = transparent; soft where smooth."
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, method: str = UPSCALE_METHODS[0]) -> bool | str:
        """Refuse methods that do not exist, before anything runs."""
        return check_choices(method=(method, UPSCALE_METHODS))

    @classmethod
    def execute(cls, image: Tensor, scale: int, method: UpscaleMethod, mask: Tensor | None = None) -> io.NodeOutput:
        """Convert in, one call, convert out."""
        rgb, alpha = image_to_nchw(image, mask)
        large, soft = upscale(rgb, scale, method, alpha=alpha)
        opaque = torch.ones_like(large[:, :1]) if soft is None else soft
        return io.NodeOutput(
            nchw_to_image(large, opaque if is_rgba(image) else None),
            nchw_to_mask(opaque),
            ui=preview(large, soft, sharp=False),
        )


class CleanUpNode(io.ComfyNode):
    """Pixel art tidied cell by cell."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnCleanUp",
            display_name="Clean Up",
            category="pixel art/grid",
            description=(
                "Tidies pixel art at its own size: stray single cells, ragged lines, leftovers of anti-aliasing; and "
                "draws "
                "outlines. No colour comes in that the picture's palette lacks, but an outline colour that you name."
            ),
            is_output_node=True,  # so that the result shows with nothing connected behind, and again when it is cached
            inputs=[
                image_or("image", PixelIndexed, tooltip="Pixel art at its own size with few colours."),
                io.Boolean.Input(
                    "orphans",
                    default=True,
                    tooltip="Merge single cells that hardly differ from a neighbour; eyes stay.",
                ),
                io.Boolean.Input(
                    "jaggies", default=False, tooltip="Take doubled corners out of lines that are one cell wide."
                ),
                io.Boolean.Input(
                    "antialias",
                    default=False,
                    tooltip="Turn mixed colours along edges into one of the two areas beside.",
                ),
                io.Combo.Input(
                    "outline",
                    options=list(OUTLINE_CHOICES),
                    default=NO_OUTLINE,
                    tooltip="'outside' draws around the sprite, 'inside' over its border cells, 'selective' darkens "
                    "these "
                    "by what they bound. Needs transparency.",
                ),
                io.String.Input(
                    "outline_color",
                    default="",
                    placeholder="#1a1c2c",
                    tooltip="Hex code for the outline; leave it empty for the palette's darkest. 'selective' ignores "
                    "it.",
                ),
                io.Int.Input(
                    "padding",
                    default=0,
                    min=0,
                    max=16,
                    tooltip="Transparent room added on every side first, for an outside outline (0 to 16 cells).",
                ),
                io.Mask.Input("mask", optional=True, tooltip=MASK_TOOLTIP),
                io.String.Input(
                    "background",
                    optional=True,
                    default="",
                    placeholder="auto, or #ff00ff",
                    tooltip="Colour to make transparent as far as it is reached from the border: a hex code, or 'auto' "
                    "to find it. Leave it empty to keep the background.",
                ),
            ],
            outputs=art_outputs("The tidied pixel art"),
        )

    @classmethod
    def validate_inputs(cls, outline: str = NO_OUTLINE) -> bool | str:
        """Refuse outlines that do not exist, before anything runs."""
        return check_choices(outline=(outline, OUTLINE_CHOICES))

    @classmethod
    def execute(
        cls,
        image: Tensor | IndexedImage,
        orphans: bool,
        jaggies: bool,
        antialias: bool,
        outline: str,
        outline_color: str,
        padding: int,
        mask: Tensor | None = None,
        background: str = "",
    ) -> io.NodeOutput:
        """Convert in, one call, convert out."""
        kind: Outline | None = next((kind for kind in get_args(Outline) if kind == outline), None)
        art = clean_up(
            to_indexed(image, mask),
            orphans=orphans,
            jaggies=jaggies,
            antialias=antialias,
            outline=kind,
            outline_color=outline_color.strip() or None,
            padding=padding,
            background=background.strip() or None,
        )
        return art_output(art, rgba=is_rgba(image) or bool(background.strip()))
