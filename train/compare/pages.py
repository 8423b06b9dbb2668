"""Pages of pictures: a row for each picture, a column for each contestant, its title above."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn import functional as F

_GREY = (72, 72, 88)
_GAP = 4
_SIZE = 15
"""Height of letters, pixels."""


def page(columns: Mapping[str, Tensor], side: int, groups: int = 1) -> Image.Image:
    """Draw columns of pictures beside each other.

    Args:
        columns: title to `n 3 h w`, float32 in [0, 1], `n` the same for all. What is smaller than `side` is enlarged by
            a whole factor, sharply; what is larger is brought down smoothly, as the input is.
        side: of every picture on the page, pixels; a multiple of the sprites' sides.
        groups: how many times the columns are repeated side by side, each with its part of the pictures.

    Returns:
        The page.

    Raises:
        ValueError: `side` is no multiple of a smaller picture's sides.
    """
    count = len(next(iter(columns.values())))
    each = -(-count // groups)
    font = ImageFont.load_default(_SIZE)
    titles = {title: _wrapped(title, font, side) for title in columns}
    head = _GAP + (_SIZE + 4) * max(text.count("\n") + 1 for text in titles.values())
    step = side + _GAP
    width = len(columns) * step + 4 * _GAP
    canvas = Image.new("RGB", (groups * width - 3 * _GAP, head + each * step + _GAP), _GREY)
    draw = ImageDraw.Draw(canvas)
    for group in range(groups):
        for place, (title, pictures) in enumerate(columns.items()):
            left = group * width + _GAP + place * step
            draw.multiline_text((left + side // 2, head // 2), titles[title], "white", font, "mm", align="center")
            for row, picture in enumerate(pictures[group * each : (group + 1) * each]):
                canvas.paste(_fitted(picture, side), (left, head + row * step))
    return canvas


def _fitted(picture: Tensor, side: int) -> Image.Image:
    if max(picture.shape[1:]) > side:
        picture = F.interpolate(picture[None], size=(side, side), mode="bicubic", antialias=True)[0]
    if any(side % length for length in picture.shape[1:]):
        msg = f"pictures of {tuple(picture.shape[1:])} are not enlarged to {side} pixels by a whole factor"
        raise ValueError(msg)
    pixels = (picture.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    return Image.fromarray(pixels).resize((side, side), Image.Resampling.NEAREST)


def _wrapped(title: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    """A title in lines, each no wider than its column where its words allow."""
    lines: list[str] = []
    for word in title.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines)
