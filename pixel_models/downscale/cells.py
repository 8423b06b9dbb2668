"""One colour from the pixels of one cell: nearest, box, dominant, median, k-centroid, and one that keeps dark lines."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ..color import linear_to_srgb, oklab_to_srgb, srgb_to_linear, srgb_to_oklab

LINE_CONTRAST, LINE_SHARE = 0.15, 0.2
"""How much darker, in Oklab lightness, and how large a part of its cell, a line must be for `outline` to choose it."""

_STEPS = 6


def mean(points: Tensor, share: Tensor) -> Tensor:
    """Weighted mean of `m n c` by `m n 1`: `m c`."""
    return (points * share).sum(dim=1) / share.sum(dim=1).clamp_min(1e-12)


def _box(rgb: Tensor, share: Tensor) -> Tensor:
    return linear_to_srgb(mean(srgb_to_linear(rgb), share)).clamp(0, 1)


def _nearest(rgb: Tensor, share: Tensor) -> Tensor:
    del share
    return rgb[:, 0]


def _dominant(rgb: Tensor, share: Tensor) -> Tensor:
    """The colour with the largest share; of equal ones the first in the cell."""
    byte = (rgb * 255).round().long()
    key = (byte[..., 0] * 256 + byte[..., 1]) * 256 + byte[..., 2]  # m n
    held = ((key[:, :, None] == key[:, None]) * share[:, None, :, 0]).sum(dim=2)
    best = torch.where(share[..., 0] > 0, held, -1.0).argmax(dim=1)
    return rgb[torch.arange(len(rgb), device=rgb.device), best]


def _median(rgb: Tensor, share: Tensor) -> Tensor:
    lab = srgb_to_oklab(rgb, dim=2)
    centre = mean(lab, share)
    for _ in range(_STEPS):  # Weiszfeld's steps
        pull = share / (lab - centre[:, None]).norm(dim=2, keepdim=True).clamp_min(0.01)
        centre = mean(lab, pull)
    return oklab_to_srgb(centre, dim=1)


def _k_centroid(rgb: Tensor, share: Tensor) -> Tensor:
    centers, sizes = two_clusters(srgb_to_oklab(rgb, dim=2), share)
    larger = sizes[:, 1] > sizes[:, 0]
    return oklab_to_srgb(torch.where(larger, centers[:, 1], centers[:, 0]), dim=1)


def _outline(rgb: Tensor, share: Tensor) -> Tensor:
    centers, sizes = two_clusters(srgb_to_oklab(rgb, dim=2), share)
    second = sizes[:, 1] > sizes[:, 0]
    darker = centers[:, 1, :1] < centers[:, 0, :1]
    apart = (centers[:, 1, :1] - centers[:, 0, :1]).abs() > LINE_CONTRAST
    part = torch.where(darker, sizes[:, 1], sizes[:, 0]) / sizes.sum(dim=1)
    second = torch.where(apart & (part >= LINE_SHARE), darker, second)
    return oklab_to_srgb(torch.where(second, centers[:, 1], centers[:, 0]), dim=1)


def two_clusters(lab: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
    """2-means of `m n 3` weighted by `m n 1`, begun at the darkest and the lightest pixel that count.

    Returns:
        Centres `m 2 3` and their weights `m 2 1`.
    """
    light = lab[..., :1]
    counts = share > 0
    ends = [torch.where(counts, light, 9.0).argmin(dim=1), torch.where(counts, light, -9.0).argmax(dim=1)]
    centers = torch.stack([lab.gather(1, end[:, None].expand(-1, 1, 3))[:, 0] for end in ends], dim=1)
    sizes = share.new_zeros(len(lab), 2, 1)
    for _ in range(_STEPS):
        member = F.one_hot(torch.cdist(lab, centers).argmin(dim=2), 2).to(share) * share  # m n k
        sizes = member.sum(dim=1)[..., None]
        centers = torch.where(sizes > 0, member.transpose(1, 2) @ lab / sizes.clamp_min(1e-12), centers)
    return centers, sizes


COLORS = {
    "nearest": _nearest,
    "box": _box,
    "dominant": _dominant,
    "median": _median,
    "k-centroid": _k_centroid,
    "outline": _outline,
}
