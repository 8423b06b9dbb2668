"""Pieces of a page: sprites side by side in one PNG, as `<img>` with the data in it, and words for numbers."""

from __future__ import annotations

import base64
import html
import io
from collections import Counter
from collections.abc import Sequence

import numpy as np
from PIL import Image

from .model import Pixels

_WIDTH = 420
"""Pixels that sprites stand side by side in, before they are enlarged."""
_GAP = 3
_SHOWN, _CROWDED = 128, 64
"""Larger pieces are shown smaller, and smaller still among more than a few."""
_FEW = 6
_TINY = 96
_GREY = (200, 200, 204, 255)
_CROSS = np.array((220, 30, 40, 255), np.uint8)


def strip(sprites: Sequence[Pixels], crossed: Sequence[bool] = ()) -> str:
    """Sprites in rows, enlarged sharply by the page; empty for none.

    Args:
        sprites: at native size.
        crossed: which are crossed out; none where it is empty.
    """
    if not sprites:
        return ""
    most = _SHOWN if len(sprites) <= _FEW else _CROWDED
    shown = [_small(_cropped(sprite), most) for sprite in sprites]
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


def small_picture(png: bytes) -> str:
    """A PNG as a small JPEG, on grey where it is transparent: of photos there may be very many; empty for none."""
    if not png:
        return ""
    with Image.open(io.BytesIO(png)) as file:
        made = file.convert("RGBA")
    made.thumbnail((_TINY, _TINY))
    ground = Image.new("RGBA", made.size, _GREY)
    buffer = io.BytesIO()
    Image.alpha_composite(ground, made).convert("RGB").save(buffer, "JPEG", quality=80)
    return f"<img alt='' src='data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}'>"


def counted(counts: Counter[str], most: int = 20) -> str:
    """Names and how often each comes, the commonest first."""
    shown = [f"{html.escape(name)} {count:,d}" for name, count in counts.most_common(most)]
    more = len(counts) - most
    return ", ".join([*shown, f"and {more} more"] if more > 0 else shown)


def one_in(step: int, what: str = "") -> str:
    """That not all are shown, where it is so."""
    return f", one {what + ' ' if what else ''}in {step} shown" if step > 1 else ""


def many(count: int, what: str) -> str:
    """A number and its word, in the plural where it has to be."""
    return f"{count:,d} {what}{'' if count == 1 else 's'}"


def _cropped(sprite: Pixels) -> Pixels:
    """Without wide empty margins, which say nothing on the page."""
    rows, columns = ((sprite[..., 3] > 0).any(axis=axis).nonzero()[0] for axis in (1, 0))
    if not len(rows):
        return sprite
    return np.ascontiguousarray(sprite[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def _small(sprite: Pixels, most: int) -> Pixels:
    if max(sprite.shape[:2]) <= most:
        return sprite
    made = Image.fromarray(sprite)
    made.thumbnail((most, most), Image.Resampling.BOX)
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
