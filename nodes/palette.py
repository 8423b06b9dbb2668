"""The node "Palette": a fixed set of colours, by name or as hex codes."""

# ComfyUI's base methods take **kwargs, and each node names its own inputs.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

from einops import rearrange

from ..pixel_models.errors import PaletteError
from ..pixel_models.image import from_uint8
from ..pixel_models.palette import NAMED_PALETTES, Palette, find_palette
from ._comfy import io, preview
from ._types import PixelPalette


class PaletteNode(io.ComfyNode):
    """A fixed set of colours for the nodes that take one."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnPalette",
            display_name="Palette",
            category="pixel art/palette",
            description="A fixed set of colours. Connect it to Pixelate, and the result has these and no others.",
            inputs=[
                io.Combo.Input(
                    "name",
                    options=list(NAMED_PALETTES),
                    tooltip="A well-known palette. Not used where hex_colors holds any colour.",
                ),
                io.String.Input(
                    "hex_colors",
                    default="",
                    multiline=True,
                    placeholder="#1a1c2c #5d275d #b13e53 …",
                    tooltip="Your own colours instead: one or more hex codes of 3 or 6 digits, with or without #, "
                    "parted by spaces, commas or new lines. Leave it empty to use the palette named above.",
                ),
            ],
            outputs=[PixelPalette.Output("palette", display_name="palette", tooltip="The colours, in this order.")],
        )

    @classmethod
    def validate_inputs(cls, name: str = "", hex_colors: str = "") -> bool | str:
        """Refuse names that are not on the list and codes that are no colours, before anything runs."""
        try:
            if name or hex_colors.strip():
                _palette(name, hex_colors)
        except PaletteError as error:
            return str(error)
        return True

    @classmethod
    def execute(cls, name: str, hex_colors: str = "") -> io.NodeOutput:
        """The palette, shown as one square a colour."""
        palette = _palette(name, hex_colors)
        return io.NodeOutput(palette, ui=preview(rearrange(from_uint8(palette.colors), "k c -> 1 c 1 k")))


def _palette(name: str, hex_colors: str) -> Palette:
    """The colours that the node's inputs mean; a name only from the list, so that a workflow cannot read files."""
    if hex_colors.strip():
        return Palette.from_hex(hex_colors)
    if name not in NAMED_PALETTES:
        msg = f"name is {name!r}, expected one of {', '.join(map(repr, NAMED_PALETTES))}"
        raise PaletteError(msg)
    return find_palette(name)
