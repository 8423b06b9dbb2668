"""What the nodes for frames share: sprites of every kind in; frames as a value, as lists and as a batch out."""

from __future__ import annotations

from ..pixel_models.sheets import SpriteSheet
from ..pixel_models.sheets.join import stand_on_one_line
from ._art import sprite_preview
from ._comfy import io, nchw_to_image, nchw_to_mask
from ._types import PixelIndexed, PixelSprites, image_or


def sprites_input(name: str, tooltip: str, *, optional: bool = False) -> io.MultiType.Input:
    """An input for pictures, indexed pictures or sprites, as `to_sprites` takes them."""
    return image_or(name, PixelIndexed, PixelSprites, tooltip=tooltip, optional=optional)


def sprite_outputs(what: str) -> list[io.Output]:
    """The outputs that `sprite_output` fills."""
    return [
        PixelSprites.Output("sprites", display_name="sprites", tooltip=f"{what}, with names, times and tags."),
        io.Image.Output(
            "images", display_name="images", tooltip="The same as a list of RGBA pictures.", is_output_list=True
        ),
        io.Mask.Output(
            "masks", display_name="masks", tooltip="Their transparency, a list: 1 = transparent.", is_output_list=True
        ),
        io.Image.Output(
            "batch",
            display_name="batch",
            tooltip="The frames as one RGBA batch, at the largest one's size, standing on one line.",
        ),
    ]


def sprite_output(sprites: SpriteSheet) -> io.NodeOutput:
    """Frames as a value, as lists and as a batch, shown one beside the other."""
    frames = [frame.rgba[None] for frame in sprites.frames]
    batch = stand_on_one_line(sprites).batch()
    return io.NodeOutput(
        sprites,
        [nchw_to_image(frame[:, :3], frame[:, 3:]) for frame in frames],
        [nchw_to_mask(frame[:, 3:]) for frame in frames],
        nchw_to_image(batch[:, :3], batch[:, 3:]),
        ui=sprite_preview(sprites),
    )
