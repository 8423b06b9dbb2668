"""Pixel art that nothing has damaged: enlarged by whole numbers, found by equal pixels; or at native size already."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..image import to_uint8
from .lines import Lines, even_lines, shifted_lines

_SURE = 6
"""Lines with a change that one axis alone must have, to be read by itself: for unequal cells and cropped pictures."""
_DENSE = 0.5
"""And the share of its possible lines that they must be."""
_FEW = 16
"""A picture of so few colours has none that anti-aliasing or a lens made."""
_MOST = 128
"""A picture of more colours is not taken for a sprite by its look."""
_FIRST_LOOK = 2**18
"""Pixels that tell most photos: so many have more colours already."""
_REUSED = 0.2
"""Colours beside an edge, for each pixel beside one: sprites stay below (99 of 100 of 607 below 0.13), photos and
smooth drawings of their size do not (half of 256 pixels: above 0.14 with far too many colours; smaller: above 0.2)."""


def exact_lines(picture: Tensor) -> tuple[Lines, Lines] | None:
    """Lines of both axes of a picture whose pixels are repeated exactly, at least 2 times along one axis.

    The cell is the greatest common divisor of the places at which anything changes. Both axes share it unless each has
    many such places. Where there are many, the first may be anywhere: the picture was cropped.

    Args:
        picture: `b 3 h w` or `b 4 h w`, floating point in [0, 1]; compared in 8 bits.

    Returns:
        None where pixels do not repeat, or nothing changes at all.
    """
    codes = pack_colors(picture)
    changes = [np.flatnonzero((codes[..., 1:] != codes[..., :-1]).any(axis=(0, 1))) + 1]
    changes.append(np.flatnonzero((codes[:, 1:] != codes[:, :-1]).any(axis=(0, 2))) + 1)
    if not any(len(places) for places in changes):
        return None
    lengths = codes.shape[:0:-1]  # width, height
    own = [_steps(places) for places in changes]
    alone = [_is_sure(p, cell, length) for p, cell, length in zip(changes, own, lengths, strict=True)]
    whole = [math.gcd(length, *places.tolist()) for places, length in zip(changes, lengths, strict=True)]
    shared = math.gcd(*(o if sure else w for o, w, sure in zip(own, whole, alone, strict=True)))
    cells = own if all(alone) else [shared, shared]
    if max(cells) < 2:
        return None
    x, y = (_place(p, cell, length) for p, cell, length in zip(changes, cells, lengths, strict=True))
    return x, y


def _steps(places: NDArray[np.intp]) -> int:
    return math.gcd(*np.diff(places).tolist()) if len(places) > 1 else 1


def _is_sure(places: NDArray[np.intp], cell: int, length: int) -> bool:
    return len(places) >= _SURE and len(places) >= _DENSE * (length / max(cell, 1) - 1)


def _place(places: NDArray[np.intp], cell: int, length: int) -> Lines:
    offset = int(places[0]) % cell if len(places) else 0
    return even_lines(length, length // cell) if offset == 0 == length % cell else shifted_lines(length, cell, offset)


def looks_native(picture: Tensor) -> bool:
    """Whether a picture looks like pixel art of one pixel a cell: few colours, and those used again and again.

    Args:
        picture: `b 3 h w` or `b 4 h w`, floating point in [0, 1]; soft alpha makes colours more.
    """
    codes = pack_colors(picture)
    if len(np.unique(codes.reshape(-1)[:_FIRST_LOOK])) > _MOST:
        return False
    colors = len(np.unique(codes))
    if colors <= _FEW:
        return True
    if colors > _MOST:
        return False
    beside = np.zeros(codes.shape, bool)
    across, down = codes[..., 1:] != codes[..., :-1], codes[:, 1:] != codes[:, :-1]
    for part, change in (
        (np.s_[..., 1:], across),
        (np.s_[..., :-1], across),
        (np.s_[:, 1:], down),
        (np.s_[:, :-1], down),
    ):
        beside[part] |= change
    return len(np.unique(codes[beside])) <= max(_FEW, _REUSED * int(beside.sum()))


def has_few_colors(picture: Tensor) -> bool:
    """Whether there are so few that none is a blend."""
    return len(np.unique(pack_colors(picture))) <= _FEW


def has_unit_runs(picture: Tensor) -> bool:
    """Whether, along both axes, there are neighbouring lines that both change: no cell is wider than a pixel."""
    codes = pack_colors(picture)
    across = (codes[..., 1:] != codes[..., :-1]).any(axis=(0, 1))
    down = (codes[:, 1:] != codes[:, :-1]).any(axis=(0, 2))
    return bool((across[1:] & across[:-1]).any() and (down[1:] & down[:-1]).any())


def pack_colors(picture: Tensor) -> NDArray[np.integer[Any]]:
    """`b h w`: one whole number for each colour and opacity, in 8 bits; all that is transparent is one."""
    pixels = to_uint8(picture.detach()).cpu().numpy().astype(np.uint32)
    codes = pixels[:, 0] << 16 | pixels[:, 1] << 8 | pixels[:, 2]
    if pixels.shape[1] == 3:
        return codes
    return np.where(pixels[:, 3] > 0, codes | pixels[:, 3] << 24, 0)
