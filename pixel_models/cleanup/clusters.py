"""Clusters: cells take a neighbour's palette colour where that costs little, so that texture becomes areas."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor
from torch.nn import functional as F

from ..color import srgb_to_oklab
from ..palette import Palette
from .cells import AROUND, CLEAR
from .shades import oklab

AGREEMENT = 0.0006
"""Squared Oklab distance that a neighbour of the same colour is worth: about a fortieth of lightness, all eight 0.07.

Chosen by eye on validation pictures: half of it leaves carpets speckled, thrice as much takes freckles.
"""

ROUNDS = 4
"""Passes over the grid at most; it mostly settles in three."""

_DIAGONAL = 0.7
"""What a neighbour at a corner counts beside one at a side."""


def cluster_cells(
    rgb: Tensor,
    indices: Tensor,
    palette: Palette,
    opaque: Tensor,
    *,
    agreement: float = AGREEMENT,
    chroma: float = 1.0,
) -> Tensor:
    """Choose palette colours anew so that neighbours agree where the picture hardly minds.

    Besag, "On the Statistical Analysis of Dirty Pictures", 1986: iterated conditional modes of a Potts model. Each
    cell takes the colour of least cost, its squared distance from the cell's own less `agreement` for each neighbour
    that has it. A line or an eye is far from what is around it and stays; noise is near and goes. A colour that no
    neighbour has can't be better than the nearest, so these are all that is asked.

    Args:
        rgb: `b 3 h w`, float32 in [0, 1], the cells' own colours.
        indices: `b h w`, int64, the nearest entry of each.
        palette: what they mean.
        opaque: `b h w`, bool; other cells neither change nor count.
        agreement: squared Oklab distance, 0 or more; 0 changes nothing.
        chroma: how much more hue and saturation count than lightness, as when the nearest were found.

    Returns:
        `b h w`, int64.
    """
    weight = torch.tensor([1.0, chroma, chroma], device=rgb.device)
    lab = srgb_to_oklab(rgb).permute(0, 2, 3, 1) * weight
    table = oklab(palette, rgb.device) * weight
    height, width = indices.shape[1:]
    nearest = own = indices.masked_fill(~opaque, CLEAR)
    for _ in range(ROUNDS):
        before = own
        for top, left in itertools.product((0, 1), (0, 1)):  # no two of these cells touch, so none trade places
            part = (slice(None), slice(top, None, 2), slice(left, None, 2))
            if own[part].numel() == 0:
                continue
            padded = F.pad(own, (1, 1, 1, 1), value=CLEAR)
            around = [padded[:, top + 1 + y : height + 1 + y : 2, left + 1 + x : width + 1 + x : 2] for y, x in AROUND]
            least = torch.full_like(lab[part][..., 0], torch.inf)
            chosen = own[part]
            for color in (nearest[part], *around):
                cost = (lab[part] - table[color.clamp_min(0)]).square().sum(dim=3)
                for (y, x), other in zip(AROUND, around, strict=True):
                    cost = cost - agreement * (_DIAGONAL if y and x else 1.0) * (other == color)
                better = (cost < least) & (color >= 0)
                least, chosen = torch.where(better, cost, least), torch.where(better, color, chosen)
            own = own.clone()
            own[part] = torch.where(opaque[part], chosen, own[part])
        if torch.equal(own, before):
            break
    return torch.where(opaque, own, indices)
