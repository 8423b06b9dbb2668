"""Brings enlarged pixel art to its native size: one colour for each cell, that the cell really has."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from ..errors import ShapeError
from ..image import check_image
from .detect import Grid
from .lines import Lines
from .unblend import unblend

_MARGIN = 0.3
"""Share of a cell at each side that is not looked at: there neighbours bleed in."""
_MOST_SAMPLES = 7
_WIDE = 5.0
"""Cells from this width on have a middle that is not blurred; of narrower ones all pixels are looked at."""
_TYPICAL = 0.75
_ROUNDING = 2 / 255
"""What 8 bits alone do to pixels that are computed from them."""
_POINTS_AT_ONCE = 2**21


@torch.no_grad()
def snap(picture: Tensor, grid: Grid) -> Tensor:
    """One pixel for each cell of a grid.

    The colour is the median, channel by channel, of the middle of the cell, so that no cell is the blur of two; in
    8-bit sRGB rather than Oklab, where noise that was cut off at black would brighten dark cells. Transparent pixels
    have no say in it. Where a smooth filter enlarged the picture, it is undone instead: `unblend`. Alpha is hard: what
    covers half of the cell's middle.

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
    if grid.smooth:
        native, _ = unblend(picture, (grid.native_width, grid.native_height))
        hard = (native[:, 3:] >= 0.5).float()
        return torch.cat([native[:, :3] * hard, hard], dim=1) if native.shape[1] == 4 else native
    return torch.cat([_cell_colors(taken) for taken in _cells(picture, grid, _MARGIN)], dim=2)


@torch.no_grad()
def scatter(picture: Tensor, native: Tensor, grid: Grid) -> float:
    """How far a cell's pixels are from its colour, as noise, JPEG and blur leave them: 0 in an undamaged picture.

    Args:
        picture: `b 3 h w` or `b 4 h w`, floating point in [0, 1].
        native: `b 3 y x` or `b 4 y x`, what `snap` made of it.
        grid: found in the picture.

    Returns:
        What three of four pixels stay below, in cells that have another colour beside them: the largest difference of
        the channels, in sRGB, 0 to 1.
    """
    if grid.smooth:
        return max(_ROUNDING, unblend(picture, (grid.native_width, grid.native_height))[1])
    margin = _MARGIN if min(grid.cell_x, grid.cell_y) >= _WIDE else 0.0
    away, begin = [], 0
    for taken in _cells(picture, grid, margin):
        colors = native[:, :3, begin : begin + taken.shape[2]]
        begin += taken.shape[2]
        far = (taken[:, :3] - colors[..., None]).abs().amax(dim=1)  # b y x n
        counts = _beside_another(native)[:, begin - taken.shape[2] : begin, :, None].expand_as(far)
        if taken.shape[1] == 4:
            counts = counts & (taken[:, 3] > 0.5)
        away.append(far[counts])
    every = torch.cat(away)
    return float(every.kthvalue(max(1, round(_TYPICAL * len(every)))).values) if len(every) else 0.0


def _beside_another(native: Tensor) -> Tensor:
    """`b y x`: whether a neighbour differs."""
    across = (native[..., 1:] - native[..., :-1]).abs().amax(dim=1) > 0
    down = (native[:, :, 1:] - native[:, :, :-1]).abs().amax(dim=1) > 0
    found = torch.zeros(native[:, 0].shape, dtype=torch.bool, device=native.device)
    found[..., 1:] |= across
    found[..., :-1] |= across
    found[:, 1:] |= down
    found[:, :-1] |= down
    return found


def _cells(picture: Tensor, grid: Grid, margin: float) -> Iterator[Tensor]:
    """Pixels that stand for the cells, `b c y x n`, some rows of cells at a time."""
    columns = _samples(grid.x, grid.width, margin).to(picture.device)  # x n
    rows = _samples(grid.y, grid.height, margin).to(picture.device)  # y m
    a_row = max(1, rows.shape[1] * columns.numel() * len(picture))
    for part in rows.split(max(1, _POINTS_AT_ONCE // a_row)):
        taken = picture[:, :, part.flatten()][:, :, :, columns.flatten()].float().clamp(0, 1)  # b c (y m) (x n)
        taken = taken.reshape(*taken.shape[:2], *part.shape, *columns.shape)
        yield taken.permute(0, 1, 2, 4, 3, 5).flatten(4)


def _samples(lines: Lines, length: int, margin: float) -> Tensor:
    """`cells n`: pixels along an axis that stand for each cell."""
    edges = np.array(lines.edges)
    count = min(_MOST_SAMPLES, max(1, round(lines.cell * (1 - 2 * margin))))
    place = (np.arange(count) + 0.5) / count if margin == 0 else np.linspace(margin, 1 - margin, count)
    place = np.array([0.5]) if count == 1 else place
    low, high = edges[:-1].clip(0, length), edges[1:].clip(0, length)
    inside = low[:, None] + (high - low)[:, None] * place
    return torch.from_numpy(np.floor(inside + 1e-6).clip(0, length - 1).astype(np.int64))


def _cell_colors(taken: Tensor) -> Tensor:
    """`b c y x` of `b c y x n`."""
    alpha = taken[:, 3:] if taken.shape[1] == 4 else torch.ones_like(taken[:, :1])
    share = torch.where(alpha.sum(dim=4, keepdim=True) > 0, alpha, 1.0)
    seen = torch.where(share > 0.5 * share.amax(dim=4, keepdim=True), taken[:, :3], torch.nan)
    rgb = seen.nanmedian(dim=4).values
    if taken.shape[1] == 3:
        return rgb
    hard = (alpha.mean(dim=4) >= 0.5).float()
    return torch.cat([rgb * hard, hard], dim=1)
