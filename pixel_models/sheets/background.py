"""What on a sheet's picture is background: its transparency, a colour key, or the colour that surrounds everything."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
from torch import Tensor

from ..errors import SheetError
from ..image import to_uint8
from .parts import Mask, reached_from_border

NO_BACKGROUND = "none"
"""As `background`: no colour is, only what is transparent."""

_HEX = re.compile(r"#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})")


def find_foreground(rgba: Tensor, background: str | None, share: float) -> Mask | None:
    """Which pixels belong to sprites.

    Where a picture has transparent pixels, the others do. Else the background is the commonest colour of its border;
    where it touches the border, or everywhere if it is one that nobody paints with (pure magenta, green, cyan, blue,
    yellow or red), so that white eyes on a white sheet stay and magenta between arm and body goes.

    Args:
        rgba: `4 h w`, float32 in [0, 1].
        background: None to find it, a hex colour, which is then background everywhere, or `NO_BACKGROUND`.
        share: how much of the border the commonest colour must hold to be believed.

    Returns:
        `h w`, True = sprite; None: the picture has no background that could be found.

    Raises:
        SheetError: `background` is no colour.
    """
    pixels = to_uint8(rgba.detach()).cpu().numpy()  # 4 h w
    seen: Mask = pixels[3] > 0
    if background == NO_BACKGROUND:
        return seen
    if background is not None:
        return seen & ~_is(pixels, _parse_hex(background))
    if not seen.all():
        return seen
    color, found = _border_color(pixels)
    if found < share:
        return None
    same = _is(pixels, color)
    pure = set(color) <= {0, 255} and len(set(color)) == 2
    return ~(same if pure else reached_from_border(same))


def _parse_hex(text: str) -> tuple[int, int, int]:
    match = _HEX.fullmatch(text.strip())
    if match is None:
        msg = f"the background is {text!r}, expected a hex colour like ff00ff, {NO_BACKGROUND!r}, or nothing to find it"
        raise SheetError(msg)
    digits = match.group(1)
    digits = digits if len(digits) == 6 else "".join(digit * 2 for digit in digits)
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def _border_color(pixels: npt.NDArray[np.uint8]) -> tuple[tuple[int, int, int], float]:
    rgb = pixels[:3].astype(np.int64)
    code = rgb[0] << 16 | rgb[1] << 8 | rgb[2]
    border = np.concatenate([code[0], code[-1], code[1:-1, 0], code[1:-1, -1]])
    values, counts = np.unique(border, return_counts=True)
    best = int(values[counts.argmax()])
    return (best >> 16, best >> 8 & 255, best & 255), float(counts.max() / len(border))


def _is(pixels: npt.NDArray[np.uint8], color: tuple[int, int, int]) -> Mask:
    return (pixels[0] == color[0]) & (pixels[1] == color[1]) & (pixels[2] == color[2])
