"""Takes a plain background also out of what sprites enclose: between arm and body, but not out of eyes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pixel_models.sheets.parts import Mask, find_boxes

from .model import Pixels

_TINTED = 24
"""Levels between a colour's channels from which on it is no grey: as a background, it is one inside sprites too."""
_LIGHT = 160
"""Mean of a grey's channels from which on outlines differ from it: black between arm and body may be a shadow."""
_OUTLINED = 0.95
"""Share of what is around a hole that must have a colour of the sprite's outline."""


def without_holes(pixels: Pixels, mask: Mask) -> Mask:
    """The mask of sprites on a plain background, without the background that they enclose.

    A colour that is no grey goes wherever it is. White goes where the colours around it are those of the sprite's
    outline: of what 2 500 sprites on white enclose, nine tenths of the holes are so, and a seventh of the white.

    Args:
        pixels: `h w 4`.
        mask: `h w`, True where a sprite is, or something that one encloses.
    """
    gone = pixels[~mask]
    if not len(gone) or (gone != gone[0]).any() or gone[0, 3] < 255:
        return mask
    color = gone[0]
    same = mask & (pixels == color).all(axis=2)
    if np.ptp(color[:3].astype(int)) >= _TINTED:
        return mask & ~same
    if color[:3].mean() < _LIGHT or not same.any():
        return mask
    codes = np.ascontiguousarray(pixels).view(np.uint32)[..., 0]
    rim = mask & ~same & _beside(~mask)
    islands = find_boxes(mask)
    holes = np.zeros_like(mask)
    for box in find_boxes(same):
        part = _around(box, mask.shape)
        around = _beside(same[part]) & ~same[part]
        outline = codes[_of_island(box, islands)][rim[_of_island(box, islands)]]
        if np.isin(codes[part][around], outline).mean() >= _OUTLINED:
            holes[part] |= same[part]
    return mask & ~holes


def _around(box: NDArray[np.int64], shape: tuple[int, ...]) -> tuple[slice, slice]:
    """A box and one pixel more on each side."""
    left, top, right, bottom = box.tolist()
    return slice(max(0, top - 1), min(shape[0], bottom + 1)), slice(max(0, left - 1), min(shape[1], right + 1))


def _of_island(box: NDArray[np.int64], islands: NDArray[np.int64]) -> tuple[slice, slice]:
    """The smallest of the islands that hold a box."""
    holds = (islands[:, :2] <= box[:2]).all(axis=1) & (islands[:, 2:] >= box[2:]).all(axis=1)
    around = islands[holds]
    area = (around[:, 2] - around[:, 0]) * (around[:, 3] - around[:, 1])
    left, top, right, bottom = around[int(area.argmin())].tolist()
    return slice(top, bottom), slice(left, right)


def _beside(mask: Mask) -> Mask:
    """The four neighbours of what is set, and it."""
    made = mask.copy()
    made[1:] |= mask[:-1]
    made[:-1] |= mask[1:]
    made[:, 1:] |= mask[:, :-1]
    made[:, :-1] |= mask[:, 1:]
    return made
