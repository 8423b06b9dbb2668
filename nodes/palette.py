"""The nodes that make palettes: by name, from a file, from pictures, from one colour, from other palettes."""

# ComfyUI's base methods take **kwargs, and each node names its own inputs.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

from torch import Tensor

from ..pixel_models.errors import PaletteError, PixelModelError
from ..pixel_models.palette import (
    NAMED_PALETTES,
    PALETTE_SUFFIXES,
    SORT_KEYS,
    IndexedImage,
    Palette,
    find_palette,
    make_ramp,
    read_palette,
)
from ..pixel_models.palette.choose import PALETTE_METHODS, PaletteMethod, choose_palette
from ..pixel_models.palette.combine import distinct_colors, edit_palette, join_palettes
from ._art import check_choices, mask_input, palette_output, palette_outputs, to_rgba
from ._comfy import PALETTE_FOLDER, file_state, find_user_file, io, list_user_files
from ._types import PixelIndexed, PixelPalette, image_or

AS_IT_IS = "as it is"
SORTS = (AS_IT_IS, *SORT_KEYS)
IN_ORDER = "all, in order"
METHODS = (*PALETTE_METHODS, IN_ORDER)


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
            outputs=palette_outputs(),
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
        return palette_output(_palette(name, hex_colors))


def _palette(name: str, hex_colors: str) -> Palette:
    """The colours that the node's inputs mean; a name only from the list, so that a workflow cannot read files."""
    if hex_colors.strip():
        return Palette.from_hex(hex_colors)
    if name not in NAMED_PALETTES:
        msg = f"name is {name!r}, expected one of {', '.join(map(repr, NAMED_PALETTES))}"
        raise PaletteError(msg)
    return find_palette(name)


class PaletteLoadNode(io.ComfyNode):
    """A palette from a file."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnPaletteLoad",
            display_name="Palette Load",
            category="pixel art/palette",
            description=(
                "Reads a palette file from ComfyUI's input folder or from models/pixel_palettes: "
                f"{', '.join(PALETTE_SUFFIXES)}. A picture has one pixel, or one square, a colour."
            ),
            inputs=[
                io.Combo.Input(
                    "file",
                    options=list_user_files(PALETTE_SUFFIXES, PALETTE_FOLDER),
                    tooltip="The palette file; press R to list new ones.",
                )
            ],
            outputs=palette_outputs(),
        )

    @classmethod
    def validate_inputs(cls, file: str = "") -> bool | str:
        """Refuse a file that is not there or no palette, before anything runs."""
        try:
            if file:
                read_palette(find_user_file(file, PALETTE_SUFFIXES, PALETTE_FOLDER))
        except PixelModelError as error:
            return str(error)
        return True

    @classmethod
    def fingerprint_inputs(cls, file: str) -> tuple[str | int, ...]:
        """A file that was changed is read again."""
        return file_state(find_user_file(file, PALETTE_SUFFIXES, PALETTE_FOLDER))

    @classmethod
    def execute(cls, file: str) -> io.NodeOutput:
        """The palette, shown as one square a colour."""
        return palette_output(read_palette(find_user_file(file, PALETTE_SUFFIXES, PALETTE_FOLDER)))


class PaletteFromImageNode(io.ComfyNode):
    """The colours that serve pictures best."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnPaletteFromImage",
            display_name="Palette From Image",
            category="pixel art/palette",
            description=(
                "Chooses the colours that serve a picture best. All pictures of a batch or a list share one palette, "
                "so "
                "that an animation does not flicker. A picture with few enough colours gives exactly those."
            ),
            is_input_list=True,
            inputs=[
                image_or("image", PixelIndexed, tooltip="One picture, a batch, or a list of pictures of any sizes."),
                io.Int.Input(
                    "colors",
                    default=16,
                    min=1,
                    max=256,
                    tooltip="The most colours that the palette has (1 to 256 colours).",
                ),
                io.Combo.Input(
                    "method",
                    options=list(METHODS),
                    default=METHODS[0],
                    tooltip="'k-means' has the least error (in Oklab, as the eye sees), 'mixture' spends fewer "
                    "colours on long ramps and more on things of their own, 'median cut' and 'octree' are the classic "
                    f"ways, '{IN_ORDER}' takes every colour from the upper left on and is for "
                    "pictures of palettes.",
                ),
                io.Float.Input(
                    "error",
                    default=0.0,
                    min=0.0,
                    max=0.2,
                    step=0.005,
                    tooltip="As few colours as this mean Oklab distance allows (0.0 to 0.2; 0.02 is hardly seen); 0 = "
                    "use as many as colors says.",
                ),
                io.Float.Input(
                    "accents",
                    default=0.5,
                    min=0.0,
                    max=1.0,
                    step=0.1,
                    tooltip="How much small areas of another hue, an eye or a flower, are favoured over shades of "
                    "large "
                    "ones (0.0 to 1.0 times; k-means and mixture only).",
                ),
                PixelPalette.Input(
                    "keep",
                    optional=True,
                    tooltip="Colours that the palette must have; the others are chosen around them.",
                ),
                mask_input(),
            ],
            outputs=palette_outputs(),
        )

    @classmethod
    def validate_inputs(cls, method: list[str] | str = METHODS[0]) -> bool | str:
        """Refuse methods that do not exist, before anything runs."""
        return check_choices(method=(method[0] if isinstance(method, list) else method, METHODS))

    @classmethod
    def execute(
        cls,
        image: list[Tensor | IndexedImage],
        colors: list[int],
        method: list[PaletteMethod],
        error: list[float],
        accents: list[float],
        keep: list[Palette] | None = None,
        mask: list[Tensor] | None = None,
    ) -> io.NodeOutput:
        """One palette for all; a mask for each picture, or one for all."""
        masks = (mask or [None]) * (len(image) if len(mask or [None]) == 1 else 1)
        pictures = [to_rgba(picture, mask) for picture, mask in zip(image, masks, strict=True)]
        if method[0] == IN_ORDER:
            return palette_output(distinct_colors(pictures))
        return palette_output(
            choose_palette(
                pictures,
                colors[0],
                method=method[0],
                error=error[0] or None,
                keep=join_palettes(keep) if keep else None,
                accents=accents[0],
            )
        )


class PaletteEditNode(io.ComfyNode):
    """Palettes joined, thinned and sorted."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnPaletteEdit",
            display_name="Palette Edit",
            category="pixel art/palette",
            description=(
                "Joins palettes, merges colours that are nearly the same, reduces to a number of colours, and sorts, "
                "in "
                "this order. Palettes of a list are joined."
            ),
            is_input_list=True,
            inputs=[
                PixelPalette.Input("palette", tooltip="The palette to edit; several palettes of a list are joined."),
                io.Float.Input(
                    "merge_distance",
                    default=0.0,
                    min=0.0,
                    max=0.3,
                    step=0.005,
                    tooltip="Colours nearer than this in Oklab become one (0.0 to 0.3; 0.02 is hardly seen); 0 merges "
                    "no "
                    "colours.",
                ),
                io.Int.Input(
                    "reduce_to",
                    default=0,
                    min=0,
                    max=256,
                    tooltip="Keep so many colours that stand for the others best (0 to 256 colours); 0 keeps all.",
                ),
                io.Combo.Input(
                    "sort_by",
                    options=list(SORTS),
                    default=AS_IT_IS,
                    tooltip="The order of the colours, ascending: lightness from dark to light, hue with greys first.",
                ),
                io.Boolean.Input("reverse", default=False, tooltip="Turn the order around, after sorting."),
                PixelPalette.Input(
                    "more", optional=True, tooltip="Another palette, whose new colours are put at the end."
                ),
            ],
            outputs=palette_outputs(),
        )

    @classmethod
    def validate_inputs(cls, sort_by: list[str] | str = AS_IT_IS) -> bool | str:
        """Refuse orders that do not exist, before anything runs."""
        return check_choices(sort_by=(sort_by[0] if isinstance(sort_by, list) else sort_by, SORTS))

    @classmethod
    def execute(
        cls,
        palette: list[Palette],
        merge_distance: list[float],
        reduce_to: list[int],
        sort_by: list[str],
        reverse: list[bool],
        more: list[Palette] | None = None,
    ) -> io.NodeOutput:
        """The edited palette."""
        return palette_output(
            edit_palette(
                join_palettes([*palette, *(more or [])]),
                merge=merge_distance[0],
                reduce=reduce_to[0],
                sort=next((key for key in SORT_KEYS if key == sort_by[0]), None),
                reverse=reverse[0],
            )
        )


class PaletteRampNode(io.ComfyNode):
    """Shades of one colour."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnPaletteRamp",
            display_name="Palette Ramp",
            category="pixel art/palette",
            description=(
                "Shades of one colour from dark to light, with the hue turning towards blue in the shadows and towards "
                "yellow in the lights, as pixel artists shade."
            ),
            inputs=[
                io.String.Input(
                    "color", default="#b13e53", tooltip="The colour in the middle: a hex code of 3 or 6 digits."
                ),
                io.Int.Input("count", default=5, min=2, max=64, tooltip="How many shades (2 to 64 colours)."),
                io.Float.Input(
                    "hue_shift",
                    default=30.0,
                    min=0.0,
                    max=180.0,
                    step=5.0,
                    tooltip="Degrees by which the darkest and the lightest shade are turned (0.0 to 180.0 degrees); 0 "
                    "keeps "
                    "the hue.",
                ),
            ],
            outputs=palette_outputs(),
        )

    @classmethod
    def validate_inputs(cls, color: str = "#000") -> bool | str:
        """Refuse what is no colour, before anything runs."""
        try:
            make_ramp(color, 3)
        except PaletteError as error:
            return f"color: {error}"
        return True

    @classmethod
    def execute(cls, color: str, count: int, hue_shift: float) -> io.NodeOutput:
        """The shades, dark to light."""
        return palette_output(make_ramp(color, count, hue_shift))
