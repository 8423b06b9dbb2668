"""Orphans: single cells that hardly differ from a neighbour become that neighbour."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

from ..palette import Palette
from .cells import neighbours
from .shades import oklab

ORPHAN_DISTANCE = 0.16
"""Oklab distance up to which a lone cell is noise; eyes and glints differ more and stay."""

BLEND = 1.1
"""A colour is a blend of two others where going through it is at most this much longer than going straight."""

ROUNDS = 4
"""Passes over the grid: a merged cell may leave another alone."""


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
    """Give orphans the colour of their most similar neighbour, where they are noise or a blend.

    Noise is nearer than `limit` to a neighbour; a blend lies between two of its neighbours, as the anti-aliasing of
    an edge does. An eye or a glint is neither, and stays.

    Args:
        indices: `b h w`, int64.
        palette: what they mean.
        opaque: `b h w`, bool; other cells neither change nor lend their colour.
        limit: Oklab distance.

    Returns:
        `b h w`, int64.
    """
    lab = oklab(palette, indices.device)  # k 3
    distance = torch.cdist(lab, lab)
    for _ in range(ROUNDS):
        before = indices
        for top, left in itertools.product((0, 1), (0, 1)):  # no two of these cells touch, so none trade places
            part = torch.zeros_like(opaque)
            part[:, top::2, left::2] = True
            indices = _merge(indices, distance, opaque, part, limit)
        if bool((indices == before).all()):
            break
    return indices


def _merge(indices: Tensor, distance: Tensor, opaque: Tensor, part: Tensor, limit: float) -> Tensor:
    """One pass over the orphans among the cells of `part`."""
    own = indices.masked_fill(~opaque, -1)
    at = (part & orphans(indices, opaque)).nonzero(as_tuple=True)
    around = neighbours(own).permute(0, 2, 3, 1)[at]  # n 8
    nobody = around < 0
    color = indices[at]
    apart = distance[color[:, None], around.clamp_min(0)].masked_fill(nobody, torch.inf)
    between = distance[around.clamp_min(0)[:, :, None], around.clamp_min(0)[:, None]]  # n 8 8
    blend = (apart[:, :, None] + apart[:, None] < BLEND * between).flatten(1).any(dim=1)
    nearest, which = apart.min(dim=1)
    taken = around.gather(1, which[:, None])[:, 0]
    merged = indices.clone()
    merged[at] = torch.where(nearest.isfinite() & (blend | (nearest < limit)), taken, color)
    return merged
