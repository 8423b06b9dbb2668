"""The nodes for the frames of an animation: named and timed, looked at through an onion skin, repeats joined."""

# ComfyUI's base methods take **kwargs, and each node names its own inputs.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

from torch import Tensor

from ..pixel_models.animation import (
    MOST_SKINS,
    dedupe_frames,
    name_frames,
    onion_skin,
    onion_skins,
    parse_durations,
)
from ..pixel_models.image import enlarge
from ..pixel_models.palette import IndexedImage
from ..pixel_models.sheets import SpriteSheet
from ..pixel_models.sheets.join import join_sheets
from ._art import mask_input, to_sprites
from ._comfy import io, nchw_to_image, nchw_to_mask, preview
from ._sprites import sprite_output, sprite_outputs, sprites_input


class FramesToAnimationNode(io.ComfyNode):
    """Pictures as the frames of a named animation."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnFramesToAnimation",
            display_name="Frames to Animation",
            category="pixel art/animation",
            description=(
                "Gives frames a name, a tag, times and a place to stand, so that sheets, Aseprite files and engines "
                "know them as an animation."
            ),
            is_input_list=True,
            is_output_node=True,  # so that the result shows with nothing connected behind, and again when it is cached
            inputs=[
                sprites_input("frames", "A batch, a list of pictures, or sprites."),
                io.String.Input("name", default="hero", tooltip="What the frames are called, with a number behind."),
                io.String.Input("tag", default="walk", tooltip="The animation that they belong to; empty = none."),
                io.String.Input(
                    "durations",
                    default="100",
                    placeholder="100 or 200, 80, 80, 200",
                    tooltip="Of the frames, 1 or more ms (thousandths of a second): one number for all, or one a "
                    "frame; empty keeps those of sprites.",
                ),
                io.Boolean.Input(
                    "ping_pong", default=False, tooltip="Add the frames between in reverse, so that it runs back."
                ),
                io.Boolean.Input("feet", default=True, tooltip="Put the pivot at the middle of the lower edge."),
                mask_input(),
            ],
            outputs=sprite_outputs("The frames"),
        )

    @classmethod
    def execute(
        cls,
        frames: list[Tensor | IndexedImage | SpriteSheet],
        name: list[str],
        tag: list[str],
        durations: list[str],
        ping_pong: list[bool],
        feet: list[bool],
        mask: list[Tensor] | None = None,
    ) -> io.NodeOutput:
        """All as one animation; a mask for each entry of `frames`, or one for all."""
        masks = (mask or [None]) * (len(frames) if len(mask or [None]) == 1 else 1)
        joined = join_sheets([to_sprites(part, mask) for part, mask in zip(frames, masks, strict=True)])
        return sprite_output(
            name_frames(
                joined,
                name=name[0].strip(),
                tag=tag[0].strip(),
                durations=parse_durations(durations[0]),
                ping_pong=ping_pong[0],
                feet=feet[0],
            )
        )


class OnionSkinNode(io.ComfyNode):
    """Frames with their neighbours shining through."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnOnionSkin",
            display_name="Onion Skin",
            category="pixel art/animation",
            description="Shows each frame over those before it in red and those after it in blue, to judge a motion.",
            is_output_node=True,  # so that the result shows with nothing connected behind, and again when it is cached
            inputs=[
                sprites_input("frames", "The frames of an animation, in order."),
                io.Int.Input(
                    "frame", default=-1, min=-1, max=16383, tooltip="Which frame (-1 to 16383 frames); -1 = all."
                ),
                io.Int.Input(
                    "before", default=1, min=0, max=MOST_SKINS, tooltip=f"Frames before it (0 to {MOST_SKINS} times)."
                ),
                io.Int.Input(
                    "after", default=1, min=0, max=MOST_SKINS, tooltip=f"Frames after it (0 to {MOST_SKINS} times)."
                ),
                io.Float.Input(
                    "opacity",
                    default=0.5,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    tooltip="How far the nearest frames cover (0.0 to 1.0); each farther one has half as much.",
                ),
                io.Int.Input("scale", default=1, min=1, max=16, tooltip="Enlarge without smoothing (1 to 16 times)."),
                mask_input(),
            ],
            outputs=[
                io.Image.Output("result", display_name="image", tooltip="The frames with their skins, for looking."),
                io.Mask.Output("result_mask", display_name="mask", tooltip="Its transparency: 1 = transparent."),
            ],
        )

    @classmethod
    def execute(
        cls,
        frames: Tensor | IndexedImage | SpriteSheet,
        frame: int,
        before: int,
        after: int,
        opacity: float,
        scale: int,
        mask: Tensor | None = None,
    ) -> io.NodeOutput:
        """Convert in, one call, convert out."""
        sheet = to_sprites(frames, mask)
        if frame < 0:
            made = onion_skins(sheet, before=before, after=after, opacity=opacity)
        else:
            made = onion_skin(sheet, frame, before=before, after=after, opacity=opacity)[None]
        made = enlarge(made, scale)
        rgb, alpha = made[:, :3], made[:, 3:]
        return io.NodeOutput(nchw_to_image(rgb, alpha), nchw_to_mask(alpha), ui=preview(rgb, alpha))


class DedupeFramesNode(io.ComfyNode):
    """Frames without repeats."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnDedupeFrames",
            display_name="Dedupe Frames",
            category="pixel art/animation",
            description=(
                "Joins frames that follow one another and look alike; the first stays, as long as all of them were. "
                "Tags and names are kept."
            ),
            is_output_node=True,  # so that the result shows with nothing connected behind, and again when it is cached
            inputs=[
                sprites_input("frames", "The frames of an animation, in order."),
                io.Float.Input(
                    "threshold",
                    default=0.0,
                    min=0.0,
                    max=1.0,
                    step=0.005,
                    tooltip="Share of the visible pixels that may differ (0.0 to 1.0 of all); 0 = equal frames alone.",
                ),
                mask_input(),
            ],
            outputs=[
                *sprite_outputs("The frames that stay"),
                io.String.Output("report", display_name="report", tooltip="Which frames were joined, a line each."),
            ],
        )

    @classmethod
    def execute(
        cls, frames: Tensor | IndexedImage | SpriteSheet, threshold: float, mask: Tensor | None = None
    ) -> io.NodeOutput:
        """Convert in, one call, convert out."""
        deduped = dedupe_frames(to_sprites(frames, mask), threshold)
        shown = sprite_output(deduped.sheet)
        return io.NodeOutput(*shown.args, "\n".join(deduped.report()), ui=shown.ui)
