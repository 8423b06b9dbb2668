"""The nodes that bring pictures to palettes and exchange palettes: apply with dither, swap, cycle, look at."""

# ComfyUI's base methods take **kwargs, and each node names its own inputs.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

from torch import Tensor

from ..pixel_models.checkpoint import LoadedModel
from ..pixel_models.codes import clear_codes, decode, swap_codes
from ..pixel_models.dither import DITHERS, Dither, apply_palette
from ..pixel_models.errors import CodesError, PaletteError
from ..pixel_models.palette import (
    COLOR_BLINDNESSES,
    SWAP_ORDERS,
    IndexedImage,
    Palette,
    index_exactly,
    simulate_color_blindness,
    swap_colors,
    swap_palette,
)
from ..pixel_models.palette.distance import SPACES, Space
from ..pixel_models.palette.edit import cycle_frames
from ..pixel_models.palette.swap import SwapOrder, parse_changes
from ..pixel_models.palette.views import ColorBlindness, least_contrasts
from ._art import art_output, art_outputs, check_choices, is_rgba, mask_input, to_indexed
from ._codes import codes_of
from ._comfy import image_to_nchw, io, nchw_to_image, preview
from ._types import PixelIndexed, PixelModel, PixelPalette, image_or

BY_MAP, BY_CODES = "explicit map", "codes"
SWAPS = (*SWAP_ORDERS, BY_MAP, BY_CODES)
MOST_COLORS = 256


class PaletteApplyNode(io.ComfyNode):
    """Pictures in the colours of a palette."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnPaletteApply",
            display_name="Palette Apply",
            category="pixel art/palette",
            description=(
                "Gives every pixel the palette's nearest colour, or mixes colours by dithering. No colour outside the "
                "palette is left, and no half transparency."
            ),
            is_output_node=True,  # so that the result shows with nothing connected behind, and again when it is cached
            inputs=[
                io.Image.Input("image", tooltip="Pictures to recolour; RGB, or RGBA with transparency."),
                PixelPalette.Input("palette", tooltip="The colours that the result may have."),
                io.Combo.Input(
                    "dither",
                    options=list(DITHERS),
                    default=DITHERS[0],
                    tooltip="'none' takes the nearest colour. Ordered dithers (bayer, blue_noise, clustered_dot, "
                    "knoll) stay "
                    "put from frame to frame; error diffusion (floyd_steinberg to sierra) keeps more detail and "
                    "crawls.",
                ),
                io.Float.Input(
                    "strength",
                    default=1.0,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    tooltip="How much is dithered (0.0 to 1.0 times the full dither).",
                ),
                io.Combo.Input(
                    "space",
                    options=list(SPACES),
                    default=SPACES[0],
                    tooltip="What 'nearest' means: oklab and ciede2000 are near to what the eye sees, rgb is what old "
                    "programs did; ciede2000 is slow.",
                ),
                io.Boolean.Input(
                    "serpentine",
                    default=False,
                    tooltip="Error diffusion runs every second line from right to left: fewer worms, slower.",
                ),
                io.Boolean.Input(
                    "linear_light",
                    default=False,
                    tooltip="Error diffusion mixes light instead of numbers: truer brightness, rougher shadows.",
                ),
                mask_input(),
                io.Mask.Input(
                    "pattern",
                    optional=True,
                    tooltip="A dither of your own: a small drawing in greys, repeated over the picture, in place of an "
                    "ordered dither's matrix. Only the order of its greys counts.",
                ),
            ],
            outputs=art_outputs("The pictures in the palette's colours and no others"),
        )

    @classmethod
    def validate_inputs(cls, dither: str = DITHERS[0], space: str = SPACES[0]) -> bool | str:
        """Refuse choices that do not exist, before anything runs."""
        return check_choices(dither=(dither, DITHERS), space=(space, SPACES))

    @classmethod
    def execute(
        cls,
        image: Tensor,
        palette: Palette,
        dither: Dither,
        strength: float,
        space: Space,
        serpentine: bool,
        linear_light: bool,
        mask: Tensor | None = None,
        pattern: Tensor | None = None,
    ) -> io.NodeOutput:
        """Convert in, one call, convert out."""
        rgb, alpha = image_to_nchw(image, mask)
        art = apply_palette(
            rgb,
            palette,
            alpha=alpha,
            dither=dither,
            strength=strength,
            serpentine=serpentine,
            linear=linear_light,
            space=space,
            pattern=None if pattern is None else pattern[0],
        )
        return art_output(art, rgba=is_rgba(image))


class PaletteSwapNode(io.ComfyNode):
    """One palette for another."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnPaletteSwap",
            display_name="Palette Swap",
            category="pixel art/palette",
            description=(
                "Exchanges the colours of pixel art: every old colour becomes one new colour wherever it stands, so "
                "that "
                "the drawing stays. For strict pixel art; bring other pictures to few colours first."
            ),
            is_output_node=True,  # so that the result shows with nothing connected behind, and again when it is cached
            inputs=[
                image_or("image", PixelIndexed, tooltip="Pixel art with few colours; a batch shares the exchange."),
                io.Combo.Input(
                    "by",
                    options=list(SWAPS),
                    default=SWAPS[1],
                    tooltip="'lightness': dark becomes dark, light becomes light. 'frequency': the commonest colour "
                    "becomes "
                    f"the palette's first. 'hue': the nearest hue. '{BY_MAP}': as changes says, without a palette. "
                    f"'{BY_CODES}': with the other picture, through a Pixel VQ-VAE.",
                ),
                io.String.Input(
                    "changes",
                    default="",
                    multiline=True,
                    placeholder="#1a1c2c=#0f380f",
                    tooltip=f"Pairs old=new of hex codes for '{BY_MAP}', one a line; with another choice they come "
                    "first "
                    "and the palette takes what is left.",
                ),
                PixelPalette.Input(
                    "palette", optional=True, tooltip=f"The new colours; not needed for '{BY_MAP}' and '{BY_CODES}'."
                ),
                mask_input(),
                image_or(
                    "other",
                    PixelIndexed,
                    optional=True,
                    tooltip=f"For '{BY_CODES}': the picture whose codes are taken, the commonest for the commonest.",
                ),
                io.Mask.Input(
                    "other_mask", optional=True, tooltip="The other picture's transparency (1 = transparent)."
                ),
                PixelModel.Input(
                    "model", optional=True, tooltip=f"For '{BY_CODES}': a VQ-VAE; with kiln-vq-hires codes are colours."
                ),
                io.Boolean.Input(
                    "one_by_one",
                    optional=True,
                    default=False,
                    tooltip=f"For '{BY_CODES}': code after code, as the paper's own program does; new codes may be "
                    "replaced again. Off: all at once.",
                ),
            ],
            outputs=art_outputs("The same drawing in other colours"),
        )

    @classmethod
    def validate_inputs(cls, by: str = SWAPS[0], changes: str = "") -> bool | str:
        """Refuse orders that do not exist and changes that are none, before anything runs."""
        try:
            parse_changes(changes)
        except PaletteError as error:
            return f"changes: {error}"
        return check_choices(by=(by, SWAPS))

    @classmethod
    def execute(
        cls,
        image: Tensor | IndexedImage,
        by: str,
        changes: str,
        palette: Palette | None = None,
        mask: Tensor | None = None,
        other: Tensor | IndexedImage | None = None,
        other_mask: Tensor | None = None,
        model: LoadedModel | None = None,
        one_by_one: bool = False,
    ) -> io.NodeOutput:
        """Convert in, one call, convert out."""
        if by == BY_CODES:
            if other is None or model is None:
                missing = "other" if other is None else "model"
                msg = f"{missing} is not connected, which by={by!r} needs; connect it, or choose another way"
                raise CodesError(msg)
            mine, theirs = codes_of(model, image, mask), codes_of(model, other, other_mask)
            made, _ = swap_codes(mine, theirs, simultaneous=not one_by_one, clear=clear_codes(model))
            return art_output(index_exactly(*decode(model, made)), rgba=is_rgba(image))
        art = to_indexed(image, mask)
        order: SwapOrder | None = next((order for order in SWAP_ORDERS if order == by), None)
        if order is None:
            made = swap_colors(art, parse_changes(changes))
        elif palette is None:
            msg = f"palette is not connected, which by={by!r} needs; connect one, or choose {BY_MAP!r}"
            raise PaletteError(msg)
        else:
            made = swap_palette(art, palette, order, first=parse_changes(changes))
        return art_output(made, rgba=is_rgba(image))


class PaletteCycleNode(io.ComfyNode):
    """Animation by turning a part of the palette."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnPaletteCycle",
            display_name="Palette Cycle",
            category="pixel art/palette",
            description=(
                "Animates pixel art by moving some of its colours round and round, as old games did with water and "
                "fire: "
                "one frame a step, until the colours are back where they began."
            ),
            is_output_node=True,  # so that the result shows with nothing connected behind, and again when it is cached
            inputs=[
                image_or(
                    "image",
                    PixelIndexed,
                    tooltip="Pixel art. An IMAGE's own colours are numbered from dark to light; an indexed picture "
                    "keeps "
                    "its palette's order.",
                ),
                io.Int.Input(
                    "first", default=0, min=0, max=255, tooltip="Number of the first colour of the cycle (0 to 255)."
                ),
                io.Int.Input(
                    "last", default=3, min=0, max=255, tooltip="Number of the last colour of the cycle (0 to 255)."
                ),
                io.Boolean.Input("backwards", default=False, tooltip="Move the colours towards the first one."),
                mask_input(),
            ],
            outputs=art_outputs("One frame for each colour of the cycle"),
        )

    @classmethod
    def execute(
        cls, image: Tensor | IndexedImage, first: int, last: int, backwards: bool, mask: Tensor | None = None
    ) -> io.NodeOutput:
        """Convert in, one call, convert out."""
        return art_output(cycle_frames(to_indexed(image, mask), first, last, backwards=backwards), rgba=is_rgba(image))


class ColorViewNode(io.ComfyNode):
    """Pictures as colour-blind players see them."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnColorView",
            display_name="Color View",
            category="pixel art/palette",
            description=(
                "Shows a picture as colour-blind eyes see it, and lists the colours of a palette that are hard to tell "
                "apart."
            ),
            is_output_node=True,  # so that the result shows with nothing connected behind, and again when it is cached
            inputs=[
                io.Image.Input("image", tooltip="Pictures to look at; transparency stays as it is."),
                io.Combo.Input(
                    "kind",
                    options=list(COLOR_BLINDNESSES),
                    default=COLOR_BLINDNESSES[0],
                    tooltip="Which receptors are missing: those for red, for green (the commonest) or for blue light.",
                ),
                PixelPalette.Input("palette", optional=True, tooltip="Colours whose contrasts are listed."),
            ],
            outputs=[
                io.Image.Output("seen", display_name="image", tooltip="The pictures as they are seen."),
                io.String.Output(
                    "contrast",
                    display_name="contrast",
                    tooltip="The ten worst pairs of the palette with their contrast ratio (1 to 21); empty without "
                    "one.",
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, kind: str = COLOR_BLINDNESSES[0]) -> bool | str:
        """Refuse kinds that do not exist, before anything runs."""
        return check_choices(kind=(kind, COLOR_BLINDNESSES))

    @classmethod
    def execute(cls, image: Tensor, kind: ColorBlindness, palette: Palette | None = None) -> io.NodeOutput:
        """Convert in, one call, convert out; an IMAGE with a fourth channel keeps it."""
        rgb, alpha = image_to_nchw(image)
        seen = simulate_color_blindness(rgb, kind)
        pairs = least_contrasts(palette) if palette else []
        text = "\n".join(f"{one} {other} {ratio:.2f}" for one, other, ratio in pairs)
        return io.NodeOutput(nchw_to_image(seen, alpha), text, ui=preview(seen, alpha))
