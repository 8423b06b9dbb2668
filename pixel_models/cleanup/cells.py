"""Cells and those around them: neighbours, shifts and connected parts of index grids."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

CLEAR, OUTSIDE = -1, -2
"""What stands for a transparent cell, and for one beyond the picture's border, where a grid of indices has them."""

AROUND = tuple((y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0))
"""Where the eight neighbours lie, down and to the right, in the order of `neighbours`."""


def neighbours(indices: Tensor) -> Tensor:
    """The eight neighbours of each cell, `b h w` to `b 8 h w`; -1 outside."""
    padded = F.pad(indices, (1, 1, 1, 1), value=-1)
    height, width = indices.shape[1:]
    return torch.stack([padded[:, 1 + y : 1 + y + height, 1 + x : 1 + x + width] for y, x in AROUND], dim=1)


def shifted(grid: Tensor, down: int, right: int, fill: int = OUTSIDE) -> Tensor:
    """What lies `down` and `right` of each cell: `b h w` to `b h w`, `fill` beyond the border."""
    reach = max(abs(down), abs(right))
    padded = F.pad(grid, (reach,) * 4, value=fill)
    height, width = grid.shape[1:]
    return padded[:, reach + down : reach + down + height, reach + right : reach + right + width]


def in_blocks(grid: Tensor) -> Tensor:
    """Cells of a 2x2 block of one value, which are no line: `b h w` to `b h w`, bool."""
    block = grid.new_zeros(grid.shape, dtype=torch.bool)
    if min(grid.shape[1:]) < 2:
        return block
    first = grid[:, :-1, :-1]
    same = (first == grid[:, 1:, :-1]) & (first == grid[:, :-1, 1:]) & (first == grid[:, 1:, 1:])
    for y in (0, 1):
        for x in (0, 1):
            part = block[:, y : y + same.shape[1], x : x + same.shape[2]]
            part |= same
    return block


def parts(grid: Tensor) -> Tensor:
    """Connected parts of one value, diagonals included: `b h w` to a label for each, `b h w`, int64.

    Every cell takes the least label around it, then that label's own label, until nothing changes.
    """
    labels = torch.arange(grid.numel(), device=grid.device).view(grid.shape)
    same = [(shifted(grid, y, x) == grid, y, x) for y, x in AROUND]
    while True:
        least = labels
        for alike, y, x in same:
            least = torch.where(alike, torch.minimum(least, shifted(labels, y, x, 0)), least)
        least = least.flatten()[least]
        least = least.flatten()[least]
        if torch.equal(least, labels):
            return labels
        labels = least


def part_sizes(grid: Tensor) -> Tensor:
    """Cells of the connected part that each cell belongs to: `b h w` to `b h w`, int64."""
    labels = parts(grid)
    return torch.bincount(labels.flatten(), minlength=grid.numel())[labels]
