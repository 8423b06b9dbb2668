"""Pictures inside a page: sprites side by side in one PNG, as `<img>` with the data in it."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from .model import Pixels

_WIDTH = 420
"""Pixels that sprites stand side by side in, before they are enlarged."""
_GAP = 3
_SHOWN = 128
"""Larger pieces are shown smaller."""
_CROSS = np.array((220, 30, 40, 255), np.uint8)


def strip(sprites: Sequence[Pixels], crossed: Sequence[bool] = ()) -> str:
    """Sprites in rows, enlarged sharply by the page; empty for none.

    Args:
        sprites: at native size.
        crossed: which are crossed out; none where it is empty.
    """
    if not sprites:
        return ""
    shown = [_small(sprite) for sprite in sprites]
    shown = [_cross(one) if cross else one for one, cross in zip(shown, crossed or [False] * len(shown), strict=True)]
    places: list[tuple[int, int]] = []
    x = y = tall = wide = 0
    for one in shown:
        height, width = one.shape[:2]
        if x and x + width > _WIDTH:
            x, y, tall = 0, y + tall + _GAP, 0
        places.append((x, y))
        x, tall, wide = x + width + _GAP, max(tall, height), max(wide, x + width)
    canvas = np.zeros((y + tall, wide, 4), np.uint8)
    for one, (left, top) in zip(shown, places, strict=True):
        canvas[top : top + one.shape[0], left : left + one.shape[1]] = one
    largest = max(max(one.shape[:2]) for one in shown)
    times = 1 if wide > 300 else 3 if largest <= 24 and wide * 3 <= 840 else 2
    return _img(_png(canvas), wide * times)


def picture(png: bytes) -> str:
    """A PNG as it is; empty for none."""
    return _img(png, None) if png else ""


def _small(sprite: Pixels) -> Pixels:
    if max(sprite.shape[:2]) <= _SHOWN:
        return sprite
    made = Image.fromarray(sprite)
    made.thumbnail((_SHOWN, _SHOWN), Image.Resampling.BOX)
    return np.asarray(made)


def _cross(sprite: Pixels) -> Pixels:
    made = sprite.copy()
    made[..., 3] = made[..., 3] // 2
    height, width = made.shape[:2]
    steps = np.arange(max(height, width))
    y, x = steps * height // len(steps), steps * width // len(steps)
    made[y, x] = _CROSS
    made[y, width - 1 - x] = _CROSS
    return made


def _png(pixels: Pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _img(png: bytes, width: int | None) -> str:
    size = "" if width is None else f" width={width}"
    return f"<img alt=''{size} src='data:image/png;base64,{base64.b64encode(png).decode()}'>"
