"""Brings enlarged pixel art to its native size: one colour for each cell, that the cell really has."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..errors import ShapeError
from ..image import check_image
from .detect import Grid
from .lines import Lines

_MARGIN = 0.3
"""Share of a cell at each side that is not looked at: there neighbours bleed in."""
_MOST_SAMPLES = 7
_POINTS_AT_ONCE = 2**21


@torch.no_grad()
def snap(picture: Tensor, grid: Grid) -> Tensor:
    """One pixel for each cell of a grid.

    The colour is the median, channel by channel, of the middle of the cell, so that no cell is the blur of two; in
    8-bit sRGB rather than Oklab, where noise that was cut off at black would brighten dark cells. Transparent pixels
    have no say in it. Alpha is hard: what covers half of the cell's middle.

    Args:
        picture: `b 3 h w` or `b 4 h w`, floating point in [0, 1], straight alpha last.
        grid: found in this picture or in one of the same size.

    Returns:
        `b 3 y x` or `b 4 y x`, float32 in [0, 1], of the grid's native size; transparent pixels are black.

    Raises:
        ShapeError: the picture's size is not the grid's.
        ShapeError, ImageError: `picture` is not as above.
    """
    check_image(picture, "picture", channels=(3, 4))
    height, width = picture.shape[2:]
    if (width, height) != (grid.width, grid.height):
        msg = f"the grid is that of a picture of {grid.width}x{grid.height}, got one of {width}x{height}"
        raise ShapeError(f"{msg}; find the grid in this picture")
    columns = _samples(grid.x, width).to(picture.device)  # x n
    rows = _samples(grid.y, height).to(picture.device)  # y m
    a_row = max(1, rows.shape[1] * columns.numel() * len(picture))
    parts = rows.split(max(1, _POINTS_AT_ONCE // a_row))
    return torch.cat([_snap_rows(picture.float().clamp(0, 1), part, columns) for part in parts], dim=2)


def _samples(lines: Lines, length: int) -> Tensor:
    """`cells n`: pixels along an axis that stand for each cell."""
    edges = np.array(lines.edges)
    count = min(_MOST_SAMPLES, max(1, round(lines.cell * (1 - 2 * _MARGIN))))
    place = np.array([0.5]) if count == 1 else np.linspace(_MARGIN, 1 - _MARGIN, count)
    low, high = edges[:-1].clip(0, length), edges[1:].clip(0, length)
    inside = low[:, None] + (high - low)[:, None] * place
    return torch.from_numpy(np.floor(inside + 1e-6).clip(0, length - 1).astype(np.int64))


def _snap_rows(picture: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """`b c y x` of the cells that `y m` rows and `x n` columns stand for."""
    taken = picture[:, :, rows.flatten()][:, :, :, columns.flatten()]  # b c (y m) (x n)
    b, c = taken.shape[:2]
    taken = taken.reshape(b, c, *rows.shape, *columns.shape).permute(0, 1, 2, 4, 3, 5).flatten(4)  # b c y x (m n)
    alpha = taken[:, 3:] if c == 4 else torch.ones_like(taken[:, :1])
    share = torch.where(alpha.sum(dim=4, keepdim=True) > 0, alpha, 1.0)
    seen = torch.where(share > 0.5 * share.amax(dim=4, keepdim=True), taken[:, :3], torch.nan)
    rgb = seen.nanmedian(dim=4).values
    if c == 3:
        return rgb
    hard = (alpha.mean(dim=4) >= 0.5).float()
    return torch.cat([rgb * hard, hard], dim=1)
