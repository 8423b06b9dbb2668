"""Pictures to cells without a model: nearest, box, dominant, median, k-centroid, and one that keeps dark lines."""

from __future__ import annotations

import math
from typing import Literal, get_args

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional as F

from .color import linear_to_srgb, oklab_to_srgb, srgb_to_linear, srgb_to_oklab
from .errors import ShapeError
from .image import check_image

DownscaleMethod = Literal["nearest", "box", "dominant", "median", "k-centroid", "outline"]

MOST_SAMPLES = 16
"""Samples along a cell's side at most; larger cells are sampled evenly."""

LINE_CONTRAST, LINE_SHARE = 0.15, 0.2
"""How much darker, in Oklab lightness, and how large a part of its cell, a line must be for `outline` to choose it."""

_CELLS_AT_ONCE = 2**14
_STEPS = 6


@torch.no_grad()
def downscale(
    image: Tensor, size: tuple[int, int], method: DownscaleMethod = "k-centroid", *, alpha: Tensor | None = None
) -> tuple[Tensor, Tensor | None]:
    """One colour for each cell of an even grid.

    `nearest`: the pixel at the cell's middle. `box`: the mean, in linear light. `dominant`: the most frequent 8-bit
    colour. `median`: the geometric median in Oklab. `k-centroid`: the centre of the larger of two clusters, in Oklab.
    `outline`: the same, but the darker cluster where it is a line, so that thin outlines survive.

    Args:
        image: `b 3 h w`, float32 in [0, 1].
        size: width and height of the result in cells, neither above the picture's.
        method: how a cell's colour is found.
        alpha: `b 1 h w`, float32 in [0, 1], 1 = opaque; transparent pixels have no say in the colour.

    Returns:
        `b 3 height width`, float32 in [0, 1], and the hard alpha `b 1 height width`, 0 or 1, or None.

    Raises:
        ShapeError: `size` is larger than the picture or empty, or `method` is unknown.
        ImageError: the picture is empty, or holds NaN, infinity, or values outside [0, 1].
    """
    check_image(image)
    height, width = image.shape[2:]
    if not (1 <= size[0] <= width and 1 <= size[1] <= height):
        msg = f"size is {size[0]}x{size[1]} cells, expected 1x1 to the picture's {width}x{height}"
        raise ShapeError(msg)
    if method not in get_args(DownscaleMethod):
        msg = f"method is {method!r}, expected one of {', '.join(get_args(DownscaleMethod))}"
        raise ShapeError(msg)
    samples = 1 if method == "nearest" else min(MOST_SAMPLES, math.ceil(max(width / size[0], height / size[1])))
    pixels = _samples(image, size, samples)
    if alpha is None:
        share = torch.ones_like(pixels[..., :1])
    else:
        check_image(alpha.expand(-1, 3, -1, -1), "alpha")
        share = _samples(alpha, size, samples)
    coverage = share.mean(dim=1)  # (b h w) 1
    share = torch.where(share.sum(dim=1, keepdim=True) > 0, share, 1.0)  # nothing there: any colour will do
    parts = zip(pixels.split(_CELLS_AT_ONCE), share.split(_CELLS_AT_ONCE), strict=True)
    colors = torch.cat([_COLORS[method](*part) for part in parts])
    shape = {"b": len(image), "h": size[1]}
    made = rearrange(colors, "(b h w) c -> b c h w", **shape).contiguous()
    hard = rearrange((coverage >= 0.5).to(image), "(b h w) c -> b c h w", **shape)
    return made, None if alpha is None else hard


def _samples(image: Tensor, size: tuple[int, int], samples: int) -> Tensor:
    """`samples` x `samples` pixels of every cell, evenly spread: `b c h w` to `(b h w) n c`."""
    height, width = image.shape[2:]

    def places(length: int, cells: int) -> Tensor:
        at = (torch.arange(cells * samples, dtype=torch.float64) + 0.5) * (length / cells / samples)
        return at.long().clamp_max(length - 1).to(image.device)

    seen = image.index_select(2, places(height, size[1])).index_select(3, places(width, size[0]))
    return rearrange(seen, "b c (h y) (w x) -> (b h w) (y x) c", y=samples, x=samples)


def _mean(points: Tensor, share: Tensor) -> Tensor:
    """Weighted mean of `m n c` by `m n 1`: `m c`."""
    return (points * share).sum(dim=1) / share.sum(dim=1).clamp_min(1e-12)


def _box(rgb: Tensor, share: Tensor) -> Tensor:
    return linear_to_srgb(_mean(srgb_to_linear(rgb), share)).clamp(0, 1)


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
    centre = _mean(lab, share)
    for _ in range(_STEPS):  # Weiszfeld's steps
        pull = share / (lab - centre[:, None]).norm(dim=2, keepdim=True).clamp_min(0.01)
        centre = _mean(lab, pull)
    return oklab_to_srgb(centre, dim=1)


def _k_centroid(rgb: Tensor, share: Tensor) -> Tensor:
    centers, sizes = _two_clusters(srgb_to_oklab(rgb, dim=2), share)
    larger = sizes[:, 1] > sizes[:, 0]
    return oklab_to_srgb(torch.where(larger, centers[:, 1], centers[:, 0]), dim=1)


def _outline(rgb: Tensor, share: Tensor) -> Tensor:
    centers, sizes = _two_clusters(srgb_to_oklab(rgb, dim=2), share)
    second = sizes[:, 1] > sizes[:, 0]
    darker = centers[:, 1, :1] < centers[:, 0, :1]
    apart = (centers[:, 1, :1] - centers[:, 0, :1]).abs() > LINE_CONTRAST
    part = torch.where(darker, sizes[:, 1], sizes[:, 0]) / sizes.sum(dim=1)
    second = torch.where(apart & (part >= LINE_SHARE), darker, second)
    return oklab_to_srgb(torch.where(second, centers[:, 1], centers[:, 0]), dim=1)


def _two_clusters(lab: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
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


_COLORS = {
    "nearest": _nearest,
    "box": _box,
    "dominant": _dominant,
    "median": _median,
    "k-centroid": _k_centroid,
    "outline": _outline,
}
