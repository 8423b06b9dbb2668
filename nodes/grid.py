"""The nodes about grids: snap to the native grid, inspect."""

# ComfyUI's base methods take **kwargs, and each node names its own inputs.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

import json

from torch import Tensor

from ..pixel_models.palette import IndexedImage, Palette
from ..pixel_models.report import inspect_picture, marked
from ..pixel_models.snapping import snap_to_grid
from ._art import MASK_TOOLTIP, art_output, art_outputs, check_choices, is_rgba, to_rgba
from ._comfy import image_to_nchw, io, nchw_to_image, preview
from ._types import PixelIndexed, PixelPalette, image_or

AUTOMATIC, CELL_SIZE, TARGET_SIZE = GRID_MODES = ("automatic", "cell size", "target size")


class SnapToGridNode(io.ComfyNode):
    """Enlarged pixel art back to one pixel a cell."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnSnapToGrid",
            display_name="Snap to Grid",
            category="pixel art/grid",
            description=(
                "Brings enlarged, blurred or generated pixel art to its native size: finds the cells, also where they "
                "are "
                "fractional or drift, and gives each one colour. A batch shares one grid and one palette."
            ),
            is_output_node=True,  # so that the result shows with nothing connected behind, and again when it is cached
            inputs=[
                io.Image.Input(
                    "image", tooltip="Pixel art that is larger than it should be; RGB, or RGBA with transparency."
                ),
                io.Combo.Input(
                    "mode",
                    options=list(GRID_MODES),
                    default=AUTOMATIC,
                    tooltip=f"'{AUTOMATIC}' finds the grid, '{CELL_SIZE}' is told the cell's size and finds its "
                    "offset, "
                    f"'{TARGET_SIZE}' gives exactly target_width by target_height cells.",
                ),
                io.Float.Input(
                    "cell_size",
                    default=8.0,
                    min=1.0,
                    max=64.0,
                    step=0.125,
                    tooltip=f"Side of a cell for '{CELL_SIZE}', in pixels of the picture (1.0 to 64.0 pixels).",
                ),
                io.Int.Input(
                    "target_width",
                    default=64,
                    min=1,
                    max=2048,
                    tooltip=f"Width of the result for '{TARGET_SIZE}' (1 to 2048 cells).",
                ),
                io.Int.Input(
                    "target_height",
                    default=64,
                    min=1,
                    max=2048,
                    tooltip=f"Height of the result for '{TARGET_SIZE}' (1 to 2048 cells).",
                ),
                io.Int.Input(
                    "colors",
                    default=0,
                    min=0,
                    max=256,
                    tooltip="The most colours of the result (0 to 256 colours); 0 keeps those that the cells have. "
                    "Ignored "
                    "with a palette.",
                ),
                io.Boolean.Input(
                    "force",
                    default=False,
                    tooltip=f"What '{AUTOMATIC}' does where no grid is found: on = take the best guess, off = stop "
                    "and say "
                    "so, as for a photo.",
                ),
                PixelPalette.Input("palette", optional=True, tooltip="Use these colours and no others."),
                io.Mask.Input("mask", optional=True, tooltip=MASK_TOOLTIP),
            ],
            outputs=[
                *art_outputs("The pixel art at its own size, one pixel a cell"),
                io.Float.Output(
                    "cell_width", display_name="cell_x", tooltip="Mean width of a cell in the input, pixels."
                ),
                io.Float.Output(
                    "cell_height", display_name="cell_y", tooltip="Mean height of a cell in the input, pixels."
                ),
                io.Float.Output(
                    "sure", display_name="confidence", tooltip="How sure the grid is, 0 to 1; 1 where it was given."
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, mode: str = AUTOMATIC) -> bool | str:
        """Refuse modes that do not exist, before anything runs."""
        return check_choices(mode=(mode, GRID_MODES))

    @classmethod
    def execute(
        cls,
        image: Tensor,
        mode: str,
        cell_size: float,
        target_width: int,
        target_height: int,
        colors: int,
        force: bool,
        palette: Palette | None = None,
        mask: Tensor | None = None,
    ) -> io.NodeOutput:
        """Convert in, one call, convert out."""
        rgb, alpha = image_to_nchw(image, mask)
        snapped = snap_to_grid(
            rgb,
            alpha=alpha,
            size=(target_width, target_height) if mode == TARGET_SIZE else None,
            cell=cell_size if mode == CELL_SIZE else None,
            colors=colors or None,
            palette=palette,
            force=force,
        )
        grid = snapped.grid
        return art_output(snapped.image, grid.cell_x, grid.cell_y, grid.confidence, rgba=is_rgba(image))


class InspectNode(io.ComfyNode):
    """Is it pixel art?"""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnInspect",
            display_name="Inspect",
            category="pixel art/grid",
            description=(
                "Tells whether a picture is pixel art and what is wrong with it: native size, cells of more than one "
                "colour, stray cells, half transparency, banding. The picture shows where."
            ),
            is_output_node=True,  # so that the result shows with nothing connected behind, and again when it is cached
            inputs=[
                image_or("image", PixelIndexed, tooltip="The picture to look at; of a batch, all share one report."),
                io.Mask.Input("mask", optional=True, tooltip=MASK_TOOLTIP),
            ],
            outputs=[
                io.String.Output("report", display_name="report", tooltip="Everything that was found, as JSON."),
                io.Image.Output(
                    "marked", display_name="marked", tooltip="The picture with what was found marked on it."
                ),
                io.Boolean.Output(
                    "is_art", display_name="is_pixel_art", tooltip="Whether it is believed to be pixel art."
                ),
                io.Int.Output("width", display_name="native_width", tooltip="Its own width in cells."),
                io.Int.Output("height", display_name="native_height", tooltip="Its own height in cells."),
                io.Int.Output("count", display_name="colors", tooltip="How many colours the picture has."),
            ],
        )

    @classmethod
    def execute(cls, image: Tensor | IndexedImage, mask: Tensor | None = None) -> io.NodeOutput:
        """Convert in, one call, convert out."""
        rgba = to_rgba(image, mask)
        report = inspect_picture(rgba)
        shown = marked(rgba, report)
        return io.NodeOutput(
            json.dumps(report.to_dict(), indent=1),
            nchw_to_image(shown),
            report.is_pixel_art,
            report.native_width,
            report.native_height,
            report.colors,
            ui=preview(shown, sharp=False),
        )
