"""The nodes that make pictures move: animate a sprite, cycle colours."""

# ComfyUI's base methods take **kwargs, and each node names its own inputs.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from ..pixel_models.animation import (
    EASINGS,
    MOTIONS,
    PART_COLORS,
    VIEWS,
    Easing,
    Motion,
    View,
    animate,
    cycle_colors,
    index_in_order,
    parse_cycles,
    parts_from_colors,
)
from ..pixel_models.errors import PaletteError, ShapeError
from ..pixel_models.palette import IndexedImage, Palette
from ..pixel_models.sheets import Frame, SpriteSheet
from ..pixel_models.sheets.join import join_sheets
from ._art import check_choices, mask_input, to_indexed, to_rgba, to_sprites
from ._comfy import io
from ._sprites import sprite_output, sprite_outputs, sprites_input
from ._types import PixelIndexed, PixelPalette, image_or

ITS_OWN = "the motion's own"
"""Choice of an easing that leaves it to the motion."""

EASING_CHOICES = (ITS_OWN, *EASINGS)


class AnimateSpriteNode(io.ComfyNode):
    """A motion of one sprite, or of each of several."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        colors = ", ".join(f"{color} {part}" for part, color in PART_COLORS.items())
        return io.Schema(
            node_id="PixelKilnAnimateSprite",
            display_name="Animate Sprite",
            category="pixel art/animation",
            description=(
                "Makes a sprite breathe, squash, blink, walk, hop, float, sway, shake, flash, spin, dissolve or "
                "appear: on whole pixels, in its own colours, in a loop that closes."
            ),
            is_output_node=True,  # so that the result shows with nothing connected behind, and again when it is cached
            inputs=[
                sprites_input(
                    "sprite", "A sprite at its own size, one pixel a cell; each of a batch moves for itself."
                ),
                io.Combo.Input(
                    "motion",
                    options=list(MOTIONS),
                    default=MOTIONS[0],
                    tooltip="'bob' breathes on its feet, 'squash' is jelly, 'hit' flashes, 'spin' turns like a coin; "
                    "'blink' and 'walk' look for eyes and legs where none are connected.",
                ),
                io.Int.Input(
                    "amplitude",
                    default=-1,
                    min=-1,
                    max=256,
                    tooltip="How far it goes (-1 to 256 pixels); -1 = what suits the sprite's height.",
                ),
                io.Int.Input(
                    "frames", default=0, min=0, max=64, tooltip="Of the loop (0 to 64 frames); 0 = the motion's own."
                ),
                io.Int.Input(
                    "duration",
                    default=0,
                    min=0,
                    max=60000,
                    tooltip="Of a frame (0 to 60000 ms, thousandths of seconds; at least 10); 0 = the motion's own.",
                ),
                io.Combo.Input(
                    "easing",
                    options=list(EASING_CHOICES),
                    default=ITS_OWN,
                    tooltip="How the motion runs: 'smooth' is slow at its ends, 'linear' even, 'step' jumps.",
                ),
                io.Combo.Input(
                    "view",
                    options=list(VIEWS),
                    default=VIEWS[0],
                    tooltip="For 'walk': 'front' lifts the feet in turn, 'side' swings the legs of one who looks to "
                    "the right, 'side-left' to the left.",
                ),
                io.Image.Input(
                    "parts", optional=True, tooltip=f"For 'walk', roughly drawn, as large as the sprite: {colors}."
                ),
                io.Mask.Input(
                    "eyes", optional=True, tooltip="For 'blink': 1 where the eyes are. Other motions leave them whole."
                ),
                mask_input(),
            ],
            outputs=sprite_outputs("The frames"),
        )

    @classmethod
    def validate_inputs(cls, motion: str = MOTIONS[0], easing: str = ITS_OWN, view: str = VIEWS[0]) -> bool | str:
        """Refuse choices that do not exist, before anything runs."""
        return check_choices(motion=(motion, MOTIONS), easing=(easing, EASING_CHOICES), view=(view, VIEWS))

    @classmethod
    def execute(
        cls,
        sprite: Tensor | IndexedImage | SpriteSheet,
        motion: Motion,
        amplitude: int,
        frames: int,
        duration: int,
        easing: str,
        view: View,
        parts: Tensor | None = None,
        eyes: Tensor | None = None,
        mask: Tensor | None = None,
    ) -> io.NodeOutput:
        """One animation a sprite, one after the other; each with a tag of its own where there are several."""
        sprites = to_sprites(sprite, mask).frames
        way: Easing | None = next((one for one in EASINGS if one == easing), None)
        marks = None if parts is None else to_rgba(parts)
        sheets = [
            animate(
                one.rgba,
                motion,
                amplitude=None if amplitude < 0 else amplitude,
                frames=frames or None,
                duration=duration or None,
                easing=way,
                eyes=_own(eyes, index, len(sprites), one),
                parts=None
                if marks is None
                else parts_from_colors(marks[min(index, len(marks) - 1)], (one.height, one.width)),
                view=view,
                pivot=one.pivot,
                name=one.name,
                tag=motion if len(sprites) == 1 else f"{one.name}_{motion}",
            )
            for index, one in enumerate(sprites)
        ]
        return sprite_output(join_sheets(sheets))


def _own(masks: Tensor | None, index: int, count: int, sprite: Frame) -> Tensor | None:
    """A sprite's own mask of a MASK `b h w` or `h w`, at its size: `h w`, bool; None where there is none."""
    if masks is None or not bool(masks.any()):
        return None
    masks = masks[None] if masks.ndim == 2 else masks
    if masks.ndim != 3 or len(masks) not in (1, count):
        msg = f"eyes is {tuple(masks.shape)}, expected `b h w` with b = 1 or {count}, one mask a sprite"
        raise ShapeError(msg)
    own = masks[min(index, len(masks) - 1)].float()
    return F.adaptive_avg_pool2d(own[None, None], (sprite.height, sprite.width))[0, 0].cpu() >= 0.5


class ColorCyclingNode(io.ComfyNode):
    """Several ranges of a palette that turn at speeds of their own."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnColorCycling",
            display_name="Color Cycling",
            category="pixel art/animation",
            description=(
                "Water, fire and lights as old games made them: ranges of the palette turn, each at its own speed, "
                "until all are back where they began; the times of the frames are exact."
            ),
            is_output_node=True,  # so that the result shows with nothing connected behind, and again when it is cached
            inputs=[
                image_or(
                    "image",
                    PixelIndexed,
                    tooltip="Pixel art. An IMAGE's own colours are numbered from dark to light, or as in palette.",
                ),
                io.String.Input(
                    "cycles",
                    default="0-3@120",
                    multiline=True,
                    placeholder="4-7@120\n12-9@90",
                    tooltip="One cycle a line, with the time of a step (10 or more ms): 4-7@120, 7-4 goes backwards, "
                    "4-7-4 there and back; or the colours themselves: #a00000 #ff8000 #ffff00@90.",
                ),
                PixelPalette.Input(
                    "palette", optional=True, tooltip="The colours in the order by which the ranges count."
                ),
                mask_input(),
            ],
            outputs=sprite_outputs("The frames of one loop"),
        )

    @classmethod
    def validate_inputs(cls, cycles: str = "0-3@120") -> bool | str:
        """Refuse ranges that are none, before anything runs."""
        try:
            parse_cycles(cycles)
        except PaletteError as error:
            return f"cycles: {error}"
        return True

    @classmethod
    def execute(
        cls, image: Tensor | IndexedImage, cycles: str, palette: Palette | None = None, mask: Tensor | None = None
    ) -> io.NodeOutput:
        """One loop a picture."""
        ranges = parse_cycles(cycles)
        if palette is None:
            art = to_indexed(image, mask)
            pictures = [art.frame(index) for index in range(len(art))]
        else:
            pictures = [index_in_order(rgba, palette) for rgba in to_rgba(image, mask).split(1)]
        loops = [
            cycle_colors(picture, ranges, tag="cycle" if len(pictures) == 1 else f"cycle_{index}")
            for index, picture in enumerate(pictures)
        ]
        return sprite_output(join_sheets(loops))
