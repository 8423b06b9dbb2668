"""Error diffusion line by line, in plain numbers: what runs to and fro cannot be done for many pixels at once."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..color import LMS_TO_LAB, RGB_TO_LMS, srgb_to_linear
from ..image import from_uint8
from ..palette import Palette, Space
from ..palette.cells import block_candidates
from ..palette.distance import coordinates

Array = NDArray[Any]
BOUNDS = (-1.0, 2.0)
"""Errors beyond this are dropped: they grow without end where the palette does not enclose the picture's colours."""


def diffuse_rows(
    picture: Array,
    shares: Array,
    palette: Palette,
    spread: list[tuple[int, int, float]],
    linear: bool,
    space: Space,
) -> Array:
    """Diffuse to and fro. Only what stays in a line is handed on pixel by pixel, the rest when the line is done.

    Args:
        picture: `h w 3`, float32, in light if `linear`.
        shares: `h w`: how much of its error a pixel hands on.
        palette: k colours.
        spread: steps down and ahead (1 or 2 ahead in the line itself), and the share of each.
        linear: whether errors are differences of light.
        space: "oklab" or "rgb". To half an 8-bit level; ties go to any of the nearest.

    Returns:
        `h w`, int64.
    """
    h, w, _ = picture.shape
    values = np.zeros((h + 2, w + 4, 3))
    values[:h, 2:-2] = picture
    ahead = [sum(weight for dy, dx, weight in spread if (dy, dx) == (0, step)) for step in (1, 2)]
    below = [entry for entry in spread if entry[0]]
    colors = from_uint8(palette.colors)
    targets = (srgb_to_linear(colors) if linear else colors).double().tolist()
    wanted = coordinates(colors.double() if space == "oklab" else colors, space).tolist()
    cells, indices = _cells(palette, space), np.empty((h, w), np.int64)
    for y in range(h):
        way = -1 if y % 2 else 1
        line = values[y, 2:-2][::way].tolist()
        chosen, errors = _line(line, shares[y, ::way].tolist(), ahead, targets, wanted, cells, linear, space)
        indices[y, ::way] = chosen
        for dy, dx, weight in below:
            at = 2 + way * dx
            values[y + dy, at : at + w] += weight * np.array(errors)[::way]
    return indices


@functools.lru_cache(maxsize=4)
def _cells(palette: Palette, space: Space) -> list[tuple[int, ...]]:
    return block_candidates(coordinates(from_uint8(palette.colors), space).numpy(), space)


def _line(
    line: list[list[float]],
    shares: list[float],
    ahead: list[float],
    targets: list[list[float]],
    wanted: list[list[float]],
    cells: list[tuple[int, ...]],
    linear: bool,
    space: Space,
) -> tuple[list[int], list[tuple[float, float, float]]]:
    """Indices and errors of one line, in the order in which it is run through."""
    (low, high), (near, far) = BOUNDS, ahead
    chosen: list[int] = []
    errors: list[tuple[float, float, float]] = []
    r1 = g1 = b1 = r2 = g2 = b2 = 0.0
    for (red, green, blue), share in zip(line, shares, strict=True):
        r = min(max(red + near * r1 + far * r2, low), high)
        g = min(max(green + near * g1 + far * g2, low), high)
        b = min(max(blue + near * b1 + far * b2, low), high)
        u, v, w = min(max(r, 0.0), 1.0), min(max(g, 0.0), 1.0), min(max(b, 0.0), 1.0)
        if linear:
            u, v, w = _encoded(u), _encoded(v), _encoded(w)
        some = cells[int(u * 255 + 0.5) >> 3 | int(v * 255 + 0.5) >> 3 << 5 | int(w * 255 + 0.5) >> 3 << 10]
        best = some[0]
        if len(some) > 1:
            x, y, z = _oklab(u, v, w) if space == "oklab" else (u, v, w)
            least = 9.0
            for index in some:
                p, q, s = wanted[index]
                away = (x - p) * (x - p) + (y - q) * (y - q) + (z - s) * (z - s)
                if away < least:
                    least, best = away, index
        chosen.append(best)
        p, q, s = targets[best]
        r2, g2, b2 = r1, g1, b1
        r1, g1, b1 = (r - p) * share, (g - q) * share, (b - s) * share
        errors.append((r1, g1, b1))
    return chosen, errors


def _encoded(x: float) -> float:
    return 1.055 * x ** (1 / 2.4) - 0.055 if x > 0.0031308 else 12.92 * x


def _decoded(x: float) -> float:
    return ((x + 0.055) / 1.055) ** 2.4 if x > 0.04045 else x / 12.92


def _oklab(red: float, green: float, blue: float) -> tuple[float, float, float]:
    """As `color.srgb_to_oklab`, for one colour: a call of that takes as long as a hundred of these."""
    red, green, blue = _decoded(red), _decoded(green), _decoded(blue)
    first, second, third = [(p * red + q * green + s * blue) ** (1 / 3) for p, q, s in RGB_TO_LMS]
    (a, b, c), (d, e, f), (g, h, i) = LMS_TO_LAB
    return (
        a * first + b * second + c * third,
        d * first + e * second + f * third,
        g * first + h * second + i * third,
    )
