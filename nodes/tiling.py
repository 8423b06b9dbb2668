"""The nodes for tiles: seamless tile, autotile."""

# ComfyUI's base methods take **kwargs, and each node names its own inputs.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

import torch
from torch import Tensor

from ..pixel_models.sheets.autotile import AUTOTILE_KINDS, AutotileKind, autotile
from ..pixel_models.sheets.tiles import make_seamless, repeat, seam_error
from ._art import check_choices, is_rgba, mask_input, to_rgba
from ._comfy import image_to_nchw, io, nchw_to_image, nchw_to_mask, preview

MAKE, KEEP = ACTIONS = ("make seamless", "check only")


class SeamlessTileNode(io.ComfyNode):
    """Tiles that repeat."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnSeamlessTile",
            display_name="Seamless Tile",
            category="pixel art/sheets",
            description=(
                "Tells how visible the seam of a repeated tile is, makes it seamless without new colours, and shows it "
                "repeated three by three times."
            ),
            is_output_node=True,  # so that the result shows with nothing connected behind, and again when it is cached
            inputs=[
                io.Image.Input("image", tooltip="A tile at its own size, one pixel a cell; RGB or RGBA."),
                io.Combo.Input(
                    "action",
                    options=list(ACTIONS),
                    default=MAKE,
                    tooltip=f"'{MAKE}' cuts the tile anew along the least visible line, '{KEEP}' leaves it as it is.",
                ),
                mask_input(),
            ],
            outputs=[
                io.Image.Output("tile", display_name="image", tooltip="The tile, repeatable as it is."),
                io.Mask.Output("tile_mask", display_name="mask", tooltip="Its transparency: 1 = transparent."),
                io.Image.Output("repeated", display_name="repeated", tooltip="The tile three by three times."),
                io.Float.Output(
                    "seam",
                    display_name="seam",
                    tooltip="How visible the seam is beside the inside of the tile; 0 = not at all.",
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, action: str = MAKE) -> bool | str:
        """Refuse actions that do not exist, before anything runs."""
        return check_choices(action=(action, ACTIONS))

    @classmethod
    def execute(cls, image: Tensor, action: str, mask: Tensor | None = None) -> io.NodeOutput:
        """Convert in, one call, convert out."""
        rgb, alpha = image_to_nchw(image, mask)
        if action == MAKE:
            rgb, alpha = make_seamless(rgb, alpha=alpha)
        shown, shown_alpha = repeat(rgb, alpha=alpha)
        opaque = torch.ones_like(rgb[:, :1]) if alpha is None else alpha
        return io.NodeOutput(
            nchw_to_image(rgb, opaque if is_rgba(image) else None),
            nchw_to_mask(opaque),
            nchw_to_image(shown, shown_alpha if is_rgba(image) else None),
            seam_error(rgb, alpha),
            ui=preview(shown, shown_alpha),
        )


class AutotileNode(io.ComfyNode):
    """A tile set laid out for an engine's autotiling."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnAutotile",
            display_name="Autotile",
            category="pixel art/sheets",
            description=(
                "Lays a set of tiles out as engines want them for autotiling: 47 blob tiles or 16 edge tiles, made "
                "from "
                "fewer pieces where the set is smaller."
            ),
            is_output_node=True,  # so that the result shows with nothing connected behind, and again when it is cached
            inputs=[
                io.Image.Input(
                    "image", tooltip="The tiles as a batch of squares of one size, in the order of the help page."
                ),
                io.Combo.Input(
                    "kind",
                    options=list(AUTOTILE_KINDS),
                    default=AUTOTILE_KINDS[0],
                    tooltip="The layout: 47 tiles for all eight neighbours, or 16 for four.",
                ),
                mask_input(),
            ],
            outputs=[
                io.Image.Output("sheet", display_name="image", tooltip="The layout as one RGBA picture."),
                io.Mask.Output("sheet_mask", display_name="mask", tooltip="Its transparency: 1 = transparent."),
            ],
        )

    @classmethod
    def validate_inputs(cls, kind: str = AUTOTILE_KINDS[0]) -> bool | str:
        """Refuse layouts that do not exist, before anything runs."""
        return check_choices(kind=(kind, AUTOTILE_KINDS))

    @classmethod
    def execute(cls, image: Tensor, kind: AutotileKind, mask: Tensor | None = None) -> io.NodeOutput:
        """Convert in, one call, convert out."""
        made = autotile(to_rgba(image, mask), kind)[None]
        return io.NodeOutput(
            nchw_to_image(made[:, :3], made[:, 3:]), nchw_to_mask(made[:, 3:]), ui=preview(made[:, :3], made[:, 3:])
        )
