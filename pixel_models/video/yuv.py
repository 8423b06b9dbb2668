"""Palettes in the colours of video: limited-range Y'CbCr of each entry, and planes that keep cells apart.

Source: ITU-R BT.601 and BT.709, the numbers of H.273.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .grid import Bytes
from .sink import Drawn, enlarged

_HD_LINES = 576


@dataclasses.dataclass(frozen=True)
class Matrix:
    """A matrix by its weights of red and blue, and its numbers in files."""

    red: float
    blue: float
    number: int
    primaries: int
    curve: int


_BT601 = Matrix(0.299, 0.114, 6, 6, 6)
_BT709 = Matrix(0.2126, 0.0722, 1, 1, 1)


def matrix_for(height: int) -> Matrix:
    """BT.709 for high definition, else BT.601: what players that read no tags take."""
    return _BT709 if height > _HD_LINES else _BT601


def to_yuv(colors: Bytes, matrix: Matrix) -> Bytes:
    """Colours `k 3` as Y', Cb, Cr `k 3`, 8 bits, limited range.

    Of the 27 triples around the exact one, that which comes back nearest to the colour.
    """
    rgb = colors.astype(np.float64)
    green = 1 - matrix.red - matrix.blue
    luma = rgb @ [matrix.red, green, matrix.blue]
    exact = np.stack(
        [
            16 + luma * 219 / 255,
            128 + (rgb[:, 2] - luma) / (2 * (1 - matrix.blue)) * 224 / 255,
            128 + (rgb[:, 0] - luma) / (2 * (1 - matrix.red)) * 224 / 255,
        ],
        axis=1,
    )
    steps = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    tries = np.round(exact)[:, None] + steps  # k 27 3
    y, u, v = (tries[..., 0] - 16) * 255 / 219, (tries[..., 1] - 128) * 255 / 224, (tries[..., 2] - 128) * 255 / 224
    red, blue = y + 2 * (1 - matrix.red) * v, y + 2 * (1 - matrix.blue) * u
    back = np.stack([red, (y - matrix.red * red - matrix.blue * blue) / green, blue], axis=-1)
    best = (np.square(np.clip(np.round(back), 0, 255) - rgb[:, None])).sum(axis=2).argmin(axis=1)
    return np.clip(tries[np.arange(len(colors)), best], 0, 255).astype(np.uint8)


def planes_of(drawn: Drawn, table: Bytes, scale: int, size: tuple[int, int], *, alpha: bool) -> list[NDArray[Any]]:
    """A frame as full Y' and halved Cb and Cr, and alpha where it is wanted.

    With an even scale no chroma sample lies in two cells, so that halving loses nothing.

    Args:
        drawn: the frame.
        table: `to_yuv` of its palette.
        scale: pixels along a cell's side.
        size: width and height of the film, even; the last column and row are repeated to fill it.
        alpha: whether there is a plane of it.
    """
    cells = table[drawn.entries]  # h w 3
    planes: list[NDArray[Any]] = [_filled(enlarged(cells[..., 0], scale), size)]
    half = size[0] // 2, size[1] // 2
    for part in (1, 2):
        if scale % 2 == 0:
            planes.append(_filled(enlarged(cells[..., part], scale // 2), half))
        else:
            wide = _filled(enlarged(cells[..., part], scale), size).astype(np.uint16)
            total = wide[::2, ::2] + wide[1::2, ::2] + wide[::2, 1::2] + wide[1::2, 1::2]
            planes.append(((total + 2) // 4).astype(np.uint8))
    if alpha:
        shown = np.full(drawn.entries.shape, 255, np.uint8)
        if drawn.clear is not None:
            shown[drawn.clear] = 0
        planes.append(_filled(enlarged(shown, scale), size))
    return planes


def _filled(plane: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    height, width = plane.shape
    if (width, height) == size:
        return plane
    return np.pad(plane, ((0, size[1] - height), (0, size[0] - width)), mode="edge")
