"""Layers over one another: the blend modes that Aseprite has.

Source: W3C, "Compositing and Blending Level 1", 2024; addition, subtraction and division as their names say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[Any]

NORMAL = 0


# Pixels that are mixed at once; floats take sixteen times the room of bytes, and small pieces stay in the cache.
_PIECE = 2**16


def paint(canvas: Bytes, source: Bytes, opacity: int, mode: int) -> int:
    """Lay `h w 4` over `h w 4` of the same size, straight alpha, in place.

    Args:
        canvas: what is below.
        source: what is laid over it.
        opacity: 0 to 255, on top of the alpha of `source`.
        mode: one of `BLEND_MODES`.

    Returns:
        How many pixels had to be mixed, which takes far longer than to copy or to leave them.
    """
    rows = max(1, _PIECE // canvas.shape[1])
    pieces = (slice(top, top + rows) for top in range(0, canvas.shape[0], rows))
    return sum(_paint_piece(canvas[piece], source[piece], opacity, mode) for piece in pieces)


def _paint_piece(canvas: Bytes, source: Bytes, opacity: int, mode: int) -> int:
    alpha = source[..., 3] if opacity == 255 else (source[..., 3].astype(np.uint32) * opacity + 127) // 255
    mixed = alpha > 0
    if mode == NORMAL:
        whole = alpha == 255
        np.copyto(canvas, source, where=whole[..., None])
        mixed &= ~whole
    count = int(mixed.sum())
    if count:
        canvas[mixed] = _mix(canvas[mixed].T, source[mixed].T, alpha[mixed].astype(np.float32) / 255, mode).T
    return count


def _mix(below: Bytes, above: Bytes, alpha: Floats, mode: int) -> Bytes:
    """Pixels `4 n`; `alpha` of those above, `n`."""
    under, back = below[3].astype(np.float32) / 255, np.ascontiguousarray(below[:3], np.float32) / 255
    front = np.ascontiguousarray(above[:3], np.float32) / 255
    blended = np.clip(BLEND_MODES[mode](back, front), 0, 1)
    color = (1 - under) * front + under * blended
    total = alpha + under * (1 - alpha)  # never 0: alpha is not
    color = (alpha * color + (1 - alpha) * under * back) / total
    return (np.concatenate([color, total[None]]) * 255 + 0.5).astype(np.uint8)


def _screen(back: Floats, front: Floats) -> Floats:
    return back + front - back * front


def _hard_light(back: Floats, front: Floats) -> Floats:
    return np.where(front <= 0.5, back * 2 * front, _screen(back, 2 * front - 1))


def _dodge(back: Floats, front: Floats) -> Floats:
    return np.where(back == 0, 0, np.where(front >= 1, 1, back / np.maximum(1 - front, 1e-6)))


def _burn(back: Floats, front: Floats) -> Floats:
    return np.where(back >= 1, 1, np.where(front <= 0, 0, 1 - np.minimum(1, (1 - back) / np.maximum(front, 1e-6))))


def _soft_light(back: Floats, front: Floats) -> Floats:
    bright = np.where(back <= 0.25, ((16 * back - 12) * back + 4) * back, np.sqrt(back))
    dark = back - (1 - 2 * front) * back * (1 - back)
    return np.where(front <= 0.5, dark, back + (2 * front - 1) * (bright - back))


def _divide(back: Floats, front: Floats) -> Floats:
    return np.where(back == 0, 0, np.minimum(1, back / np.maximum(front, 1e-6)))


def _luminosity(color: Floats) -> Floats:
    return 0.3 * color[0] + 0.59 * color[1] + 0.11 * color[2]


def _saturation(color: Floats) -> Floats:
    return color.max(axis=0) - color.min(axis=0)


def _with_luminosity(color: Floats, light: Floats) -> Floats:
    color = color + light - _luminosity(color)
    low, high = color.min(axis=0), color.max(axis=0)
    color = np.where(low < 0, light + (color - light) * light / np.maximum(light - low, 1e-6), color)
    return np.where(high > 1, light + (color - light) * (1 - light) / np.maximum(high - light, 1e-6), color)


def _with_saturation(color: Floats, saturation: Floats) -> Floats:
    return (color - color.min(axis=0)) * saturation / np.maximum(_saturation(color), 1e-6)


def _hue(back: Floats, front: Floats) -> Floats:
    return _with_luminosity(_with_saturation(front, _saturation(back)), _luminosity(back))


def _saturate(back: Floats, front: Floats) -> Floats:
    return _with_luminosity(_with_saturation(back, _saturation(front)), _luminosity(back))


BLEND_MODES: tuple[Callable[[Floats, Floats], Floats], ...] = (
    lambda back, front: front,  # noqa: ARG005
    lambda back, front: back * front,
    _screen,
    lambda back, front: _hard_light(front, back),
    np.minimum,
    np.maximum,
    _dodge,
    _burn,
    _hard_light,
    _soft_light,
    lambda back, front: np.abs(back - front),
    lambda back, front: back + front - 2 * back * front,
    _hue,
    _saturate,
    lambda back, front: _with_luminosity(front, _luminosity(back)),
    lambda back, front: _with_luminosity(back, _luminosity(front)),
    lambda back, front: back + front,
    lambda back, front: back - front,
    _divide,
)
"""Normal, multiply, screen, overlay, darken, lighten, color dodge, color burn, hard light, soft light, difference,
exclusion, hue, saturation, color, luminosity, addition, subtract, divide; each of `3 n` below and above, in [0, 1]."""
