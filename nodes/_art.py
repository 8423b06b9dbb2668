"""What the strict nodes share: pictures of every kind in, pictures, masks and indices out, and their checks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from einops import rearrange
from torch import Tensor

from ..pixel_models.image import from_uint8
from ..pixel_models.palette import IndexedImage, Palette, index_exactly
from ..pixel_models.sheets import SpriteSheet
from ..pixel_models.sheets.join import stand_on_one_line
from ._comfy import image_to_nchw, io, nchw_to_image, nchw_to_mask, preview, ui
from ._types import PixelIndexed, PixelPalette

MASK_TOOLTIP = (
    "Which parts are transparent (1 = transparent), as Load Image gives it. A mask of another size is fitted to the "
    "picture; one without any transparent pixel changes nothing."
)

MOST_IN_A_ROW = 64
"""Colours in a line of a swatch."""


def mask_input() -> io.Mask.Input:
    """The optional mask of a picture's transparency, as `to_rgba` and `to_sprites` take it."""
    return io.Mask.Input("mask", optional=True, tooltip=MASK_TOOLTIP)


def check_choices(**chosen: tuple[str, Sequence[str]]) -> bool | str:
    """What is wrong with combos' values, or True; ComfyUI up to 0.3.75 does not check V3 combos itself.

    Args:
        chosen: the value and the options of each combo, by its name.
    """
    wrong = [
        f"{name} is {value!r}, expected one of {', '.join(map(repr, options))}"
        for name, (value, options) in chosen.items()
        if value not in options
    ]
    return "; ".join(wrong) or True


def to_indexed(picture: Tensor | IndexedImage, mask: Tensor | None = None) -> IndexedImage:
    """An IMAGE with its own colours as its palette, dark to light; a PIXEL_INDEXED as it is, `mask` cut out of both.

    Raises:
        ShapeError, ImageError: no picture.
        PaletteError: more colours than `index_exactly` takes.
    """
    if isinstance(picture, IndexedImage):
        if mask is None or not mask.any():
            return picture
        _, opaque = image_to_nchw(rearrange(picture.to_rgb(), "b c h w -> b h w c"), mask)
        assert opaque is not None
        clear = opaque[:, 0] < 0.5
        return IndexedImage(picture.indices, picture.palette, clear | (picture.alpha()[:, 0] == 0))
    return index_exactly(*image_to_nchw(picture, mask))


def to_rgba(picture: Tensor | IndexedImage, mask: Tensor | None = None) -> Tensor:
    """Any kind of picture as `b 4 h w`."""
    if isinstance(picture, IndexedImage):
        return to_indexed(picture, mask).to_rgba()
    rgb, alpha = image_to_nchw(picture, mask)
    return torch.cat([rgb, torch.ones_like(rgb[:, :1]) if alpha is None else alpha], dim=1)


def to_art(picture: Tensor | IndexedImage, mask: Tensor | None = None) -> Tensor | IndexedImage:
    """A PIXEL_INDEXED with its palette, an IMAGE as `b 4 h w`; `mask` cut out of both."""
    return to_indexed(picture, mask) if isinstance(picture, IndexedImage) else to_rgba(picture, mask)


def to_sprites(picture: Tensor | IndexedImage | SpriteSheet, mask: Tensor | None = None) -> SpriteSheet:
    """Any kind of picture as frames; `mask` is that of an IMAGE or PIXEL_INDEXED."""
    return picture if isinstance(picture, SpriteSheet) else SpriteSheet.of_batch(to_rgba(picture, mask))


def sprite_preview(sprites: SpriteSheet) -> ui.PreviewImage:
    """Frames of any sizes, shown one beside the other on one line."""
    batch = stand_on_one_line(sprites).batch()
    return preview(batch[:, :3], batch[:, 3:])


def is_rgba(picture: object) -> bool:
    """Whether a picture is an IMAGE that carries its transparency itself; then the result does so, too."""
    return isinstance(picture, Tensor) and picture.shape[-1] == 4


def art_outputs(what: str) -> list[io.Output]:
    """The outputs that `art_output` fills; `what` says of what kind the picture is."""
    return [
        io.Image.Output("result", display_name="image", tooltip=f"{what}."),
        io.Mask.Output(
            "result_mask", display_name="mask", tooltip="Its transparency: 1 = transparent, nothing between."
        ),
        PixelIndexed.Output(
            "indexed",
            tooltip="The same as indices and palette, for nodes that keep the palette's order.",
            display_name="indexed",
        ),
    ]


def art_output(art: IndexedImage, *more: object, rgba: bool = False) -> io.NodeOutput:
    """Image, mask, indices and what else the node gives, with a sharp preview."""
    rgb, alpha = art.to_rgb(), art.alpha()
    return io.NodeOutput(
        nchw_to_image(rgb, alpha if rgba else None),
        nchw_to_mask(alpha),
        art,
        *more,
        ui=preview(rgb, None if art.transparent is None else alpha),
    )


def palette_outputs() -> list[io.Output]:
    """The outputs that `palette_output` fills."""
    return [
        PixelPalette.Output("made", display_name="palette", tooltip="The colours, in this order."),
        io.String.Output("hex", display_name="hex", tooltip="The colours as text, one #rrggbb a line."),
        io.String.Output(
            "list", display_name="list", tooltip="The colours as a list of texts #rrggbb.", is_output_list=True
        ),
        io.Image.Output("swatch", display_name="swatch", tooltip="The colours as a picture, one pixel each."),
    ]


def palette_output(palette: Palette) -> io.NodeOutput:
    """A palette in all the shapes that others take, shown as squares."""
    colors = palette.to_hex()
    swatch = rearrange(from_uint8(palette.colors), "k c -> 1 c 1 k")
    return io.NodeOutput(palette, "\n".join(colors), colors, nchw_to_image(swatch), ui=preview(palette_strip(palette)))


def palette_strip(palette: Palette) -> Tensor:
    """The colours one pixel each, `1 3 h w`, in lines of `MOST_IN_A_ROW`, the last one repeated to the end."""
    strip = rearrange(from_uint8(palette.colors), "k c -> 1 c 1 k")
    count = strip.shape[-1]
    if count <= MOST_IN_A_ROW:
        return strip
    filled = torch.cat([strip, strip[..., -1:].expand(-1, -1, -1, -count % MOST_IN_A_ROW)], dim=-1)
    return rearrange(filled, "b c 1 (h w) -> b c h w", w=MOST_IN_A_ROW)
