"""Edge-preserving downscaling: each cell takes the one of its two clusters that fits those of its neighbours."""

from __future__ import annotations

import math

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional as F

from ..color import srgb_to_oklab
from .cells import mean, two_clusters
from .contrast import nearest_pixel

_DETAIL = 1.2
"""Exponent of the distance from the local mean: 0 is majority; 1 and above favours details (lambda of Weber et al.)."""
_TOGETHER = 0.5
"""Weight of the agreement with neighbours against a factor of e in the share of the cell."""
_SAME = 0.1
"""Oklab distance at which pixels on both sides of a cell's border are no longer the same thing."""
_FLAT = 0.02
_ROUNDS = 12


def edge(pixels: Tensor, share: Tensor) -> Tensor:
    """One colour for each cell; see `downscale`.

    The pixels of a cell fall into two clusters. What speaks for one is its share of the cell times its distance from
    the smoothed mean of the cells around (Weber et al., "Rapid, Detail-Preserving Image Downscaling", SIGGRAPH Asia
    2016), and how well it goes on, across the cell's border, in the clusters that its neighbours choose: so a line or
    an edge is kept, or not, as a whole. Found by mean-field steps.

    Args:
        pixels: `b h w n 3`, n pixels of each cell row by row, float32 in [0, 1].
        share: `b h w n 1`, how much each counts.

    Returns:
        `b h w 3`, each a colour of one of the cell's pixels.
    """
    b, h, w, n, _ = pixels.shape
    lab = srgb_to_oklab(pixels, dim=4)
    centers, sizes = (x.unflatten(0, (b, h, w)) for x in two_clusters(lab.flatten(0, 2), share.flatten(0, 2)))
    guide = _smooth(mean(lab.flatten(0, 2), share.flatten(0, 2)).unflatten(0, (b, h, w)))
    far = (centers - guide[:, :, :, None]).norm(dim=4)  # b h w 2
    speaks = torch.log(sizes[..., 0] / n + 1e-6) + _DETAIL * torch.log(far + _FLAT)
    member = torch.cdist(lab.flatten(0, 2), centers.flatten(0, 2)).argmin(dim=2)
    member = rearrange(
        F.one_hot(member, 2).float().view(b, h, w, n, 2) * share, "b h w (y x) k -> b h w y x k", y=math.isqrt(n)
    )
    grid = rearrange(lab, "b h w (y x) c -> b h w y x c", y=math.isqrt(n))
    right = _agreement(member[:, :, :-1, :, -1], member[:, :, 1:, :, 0], grid[:, :, :-1, :, -1], grid[:, :, 1:, :, 0])
    down = _agreement(member[:, :-1, :, -1], member[:, 1:, :, 0], grid[:, :-1, :, -1], grid[:, 1:, :, 0])
    belief = speaks.softmax(dim=3)
    for _ in range(_ROUNDS):
        heard = torch.zeros_like(speaks)
        heard[:, :, :-1] += (right @ belief[:, :, 1:, :, None])[..., 0]
        heard[:, :, 1:] += (right.transpose(3, 4) @ belief[:, :, :-1, :, None])[..., 0]
        heard[:, :-1] += (down @ belief[:, 1:, :, :, None])[..., 0]
        heard[:, 1:] += (down.transpose(3, 4) @ belief[:, :-1, :, :, None])[..., 0]
        belief = (belief + (speaks + _TOGETHER * heard).softmax(dim=3)) / 2
    chosen = (belief[..., 1:] > belief[..., :1])[..., None]
    return nearest_pixel(
        pixels, lab, share, torch.where(chosen, centers[..., 1:, :], centers[..., :1, :]).flatten(0, 3)
    )


def _smooth(cells: Tensor) -> Tensor:
    """`b h w c` blurred by 1 2 1 along both axes."""
    x = F.pad(cells.permute(0, 3, 1, 2), (1,) * 4, mode="replicate")
    x = (x[..., :-2] + 2 * x[..., 1:-1] + x[..., 2:]) / 4
    return ((x[..., :-2, :] + 2 * x[..., 1:-1, :] + x[..., 2:, :]) / 4).permute(0, 2, 3, 1)


def _agreement(one: Tensor, other: Tensor, one_lab: Tensor, other_lab: Tensor) -> Tensor:
    """How much of the clusters along a shared border go on in each other.

    Args:
        one: `b h w y k`, which cluster the pixels on this side belong to.
        other: the same of the other side.
        one_lab: `b h w y 3`, their colours.
        other_lab: the same of the other side.

    Returns:
        `b h w k k`, 0 to 1: of the smaller of both clusters' lengths along the border, the part where they meet in
        the same colour.
    """
    alike = torch.exp(-((one_lab - other_lab).norm(dim=4, keepdim=True) / _SAME).square())
    meet = (one * alike).transpose(3, 4) @ other
    least = torch.minimum(one.sum(dim=3)[..., :, None], other.sum(dim=3)[..., None, :])
    return meet / least.clamp_min(1e-6)
