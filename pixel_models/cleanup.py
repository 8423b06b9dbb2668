"""Clean-up of index grids: single cells that hardly differ from a neighbour become that neighbour."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .color import srgb_to_oklab
from .palette import Palette

ORPHAN_DISTANCE = 0.12
"""Oklab distance up to which a lone cell is noise; eyes and glints differ more and stay."""


def neighbours(indices: Tensor) -> Tensor:
    """The eight neighbours of each cell, `b h w` to `b 8 h w`; -1 outside."""
    padded = F.pad(indices, (1, 1, 1, 1), value=-1)
    height, width = indices.shape[1:]
    around = [(y, x) for y in range(3) for x in range(3) if (y, x) != (1, 1)]
    return torch.stack([padded[:, y : y + height, x : x + width] for y, x in around], dim=1)


def orphans(indices: Tensor, opaque: Tensor) -> Tensor:
    """Opaque cells that share their colour with none of their eight neighbours.

    Args:
        indices: `b h w`, int64.
        opaque: `b h w`, bool.

    Returns:
        `b h w`, bool.
    """
    own = indices.masked_fill(~opaque, -1)
    return opaque & ~(neighbours(own) == own[:, None]).any(dim=1)


def merge_orphans(indices: Tensor, palette: Palette, opaque: Tensor, limit: float = ORPHAN_DISTANCE) -> Tensor:
    """Give orphans the colour of their most similar neighbour, where that is nearer than `limit` in Oklab.

    Args:
        indices: `b h w`, int64.
        palette: what they mean.
        opaque: `b h w`, bool; other cells neither change nor lend their colour.
        limit: Oklab distance.

    Returns:
        `b h w`, int64.
    """
    lab = srgb_to_oklab(palette.colors.to(indices.device).float().T[None] / 255)[0].T  # k 3
    distance = torch.cdist(lab, lab)
    own = indices.masked_fill(~opaque, -1)
    around = neighbours(own)
    apart = distance[own.clamp_min(0)[:, None].expand_as(around), around.clamp_min(0)]
    apart = apart.masked_fill(around < 0, torch.inf)
    nearest, which = apart.min(dim=1)
    replace = orphans(indices, opaque) & (nearest < limit)
    return torch.where(replace, around.gather(1, which[:, None])[:, 0], indices)
