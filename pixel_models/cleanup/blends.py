"""Anti-aliasing on index grids: thin cells of a colour between two areas become the nearer of the two."""

from __future__ import annotations

import torch
from torch import Tensor

from ..palette import Palette
from .cells import CLEAR, in_blocks, neighbours, part_sizes
from .orphans import BLEND
from .shades import oklab

ROUNDS = 8
"""Passes over the grid: two blended cells side by side go one after the other, from the larger area on."""

EDGE = 0.2
"""Oklab distance from which on two colours side by side are an edge that may be blended; below it they are shading."""

LEAST_AREA = 4
"""Cells of the smallest connected part that counts as an area, unless it holds a 2x2 block."""

_RING = (0, 1, 2, 4, 7, 6, 5, 3)
"""The order of the eight neighbours, as `neighbours` gives them, on the way around."""


def _across() -> Tensor:
    """`8 8`, bool: which two neighbours see each other through the cell, at an angle of 135 degrees or more."""
    place = torch.tensor([_RING.index(k) for k in range(8)])
    turn = (place[:, None] - place[None]).abs()
    return torch.minimum(turn, 8 - turn) >= 3


def blends(indices: Tensor, palette: Palette, opaque: Tensor) -> tuple[Tensor, Tensor]:
    """Find the cells that are the anti-aliasing of an edge, and what they would be without.

    Such a cell is thin (in no 2x2 block of its colour) and lies between two cells on opposite sides, whose colours it
    mixes: going from one to the other by way of it is at most `BLEND` times longer, in Oklab, than going straight.
    Both must belong to areas (a 2x2 block of their colour, or a connected part larger than the cell's own) and differ
    enough to be an edge. So lines that are darker or lighter than both sides stay, as do eyes, glints, soft shading,
    and details inside one area.

    Args:
        indices: `b h w`, int64.
        palette: what they mean.
        opaque: `b h w`, bool; other cells are neither changed nor asked.

    Returns:
        `b h w`, bool, and `b h w`, int64: the nearer of the two colours, or what the cell was.
    """
    own = indices.masked_fill(~opaque, CLEAR)
    lab = oklab(palette, indices.device)
    distance = torch.cdist(lab, lab)
    block, sizes = in_blocks(own), part_sizes(own)
    at = (opaque & ~block).nonzero(as_tuple=True)
    around = neighbours(own).permute(0, 2, 3, 1)[at]  # n 8
    larger = neighbours(sizes).permute(0, 2, 3, 1)[at] > sizes[at][:, None].clamp_min(LEAST_AREA - 1)
    area = neighbours(block.long()).permute(0, 2, 3, 1)[at] > 0
    color = indices[at]
    fit = (around >= 0) & (around != color[:, None]) & (larger | area)
    apart = distance[color[:, None], around.clamp_min(0)].masked_fill(~fit, torch.inf)  # n 8
    straight = distance[around.clamp_min(0)[:, :, None], around.clamp_min(0)[:, None]]  # n 8 8
    between = (apart[:, :, None] + apart[:, None] < BLEND * straight) & (straight > EDGE)
    between &= _across().to(indices.device)
    nearest, which = apart.masked_fill(~between.any(dim=2), torch.inf).min(dim=1)
    mixed = torch.zeros_like(opaque)
    mixed[at] = nearest.isfinite()
    taken = indices.clone()
    taken[at] = torch.where(nearest.isfinite(), around.gather(1, which[:, None])[:, 0], color)
    return mixed, taken


def merge_blends(indices: Tensor, palette: Palette, opaque: Tensor) -> Tensor:
    """Take the anti-aliasing out: see `blends` for what it is and for the arguments.

    Returns:
        `b h w`, int64.
    """
    for _ in range(ROUNDS):
        mixed, indices = blends(indices, palette, opaque)
        if not bool(mixed.any()):
            break
    return indices
