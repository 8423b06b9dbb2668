"""Pictures to cells without a model: the methods, and the pixels that stand for each cell."""

from __future__ import annotations

import math
from typing import Literal, get_args

import torch
from einops import rearrange
from torch import Tensor

from ..errors import ShapeError
from ..image import check_image
from .cells import COLORS
from .contrast import contrast, thin_parts
from .edge import edge

DownscaleMethod = Literal["nearest", "box", "dominant", "median", "k-centroid", "outline", "contrast", "edge"]
DOWNSCALE_METHODS: tuple[DownscaleMethod, ...] = get_args(DownscaleMethod)
"""Every `DownscaleMethod`."""

MOST_SAMPLES = 16
"""Samples along a cell's side at most; larger cells are sampled evenly."""

_CELLS_AT_ONCE = 2**14
_TOGETHER = {"contrast": contrast, "edge": edge}


def native_size(image: Tensor, *, cell: float | None = None, size: tuple[int, int] | None = None) -> tuple[int, int]:
    """Width and height in cells that a picture comes to, for `downscale`.

    Args:
        image: `b c h w`.
        cell: pixels along a cell's side, 1 or more; the nearest whole numbers of cells, at least one.
        size: width and height in cells; one of them may be 0 and then follows the picture's shape.

    Raises:
        ShapeError: not one of both, or out of range.
    """
    height, width = image.shape[-2:]
    if (cell is None) == (size is None):
        msg = f"cell is {cell} and size is {size}, expected one of both"
        raise ShapeError(msg)
    if cell is not None:
        if not 1 <= cell < float("inf"):
            msg = f"cell is {cell} pixels, expected 1 or more"
            raise ShapeError(msg)
        return max(1, round(width / cell)), max(1, round(height / cell))
    assert size is not None
    if min(size) < 0 or max(size) < 1:
        msg = f"size is {size[0]}x{size[1]} cells, expected 1 or more, or one of them 0 to follow the picture's shape"
        raise ShapeError(msg)
    return size[0] or max(1, round(size[1] * width / height)), size[1] or max(1, round(size[0] * height / width))


@torch.no_grad()
def downscale(
    image: Tensor, size: tuple[int, int], method: DownscaleMethod = "k-centroid", *, alpha: Tensor | None = None
) -> tuple[Tensor, Tensor | None]:
    """One colour for each cell of an even grid.

    `nearest`: the pixel at the cell's middle. `box`: the mean, in linear light. `dominant`: the most frequent 8-bit
    colour. `median`: the geometric median in Oklab. `k-centroid`: the centre of the larger of two clusters, in Oklab.
    `outline`: the same, but the darker cluster where it is a line, so that thin outlines survive.

    Two look at the cells around as well, and give each cell a colour that one of its pixels has. `contrast`: thin
    lines that stand out, also thin parts on nothing, are widened to a whole cell, unbroken and no wider. `edge`: of a
    cell's two clusters the one that fits those of its neighbours, with more weight for what is far from the local mean,
    so that edges stay.

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
    if method not in DOWNSCALE_METHODS:
        msg = f"method is {method!r}, expected one of {', '.join(DOWNSCALE_METHODS)}"
        raise ShapeError(msg)
    samples = 1 if method == "nearest" else min(MOST_SAMPLES, math.ceil(max(width / size[0], height / size[1])))
    seen = _samples(image, size, samples)
    if alpha is None:
        share = torch.ones_like(seen[:, :1])
    else:
        check_image(alpha.expand(-1, 3, -1, -1), "alpha")
        share = _samples(alpha, size, samples)
    split = {"y": samples, "x": samples}
    share = rearrange(share, "b c (h y) (w x) -> b h w (y x) c", **split)
    pixels = rearrange(seen, "b c (h y) (w x) -> b h w (y x) c", **split)
    there = share.mean(dim=3) >= 0.5
    if method == "contrast" and alpha is not None:
        there |= thin_parts(share)[..., None]
    hard = there.to(image).permute(0, 3, 1, 2).contiguous()
    share = torch.where(share.sum(dim=3, keepdim=True) > 0, share, 1.0)  # nothing there: any colour will do
    if method in _TOGETHER:
        made = torch.cat([_TOGETHER[method](*one) for one in zip(pixels.split(1), share.split(1), strict=True)])
    else:
        parts = zip(*(x.flatten(0, 2).split(_CELLS_AT_ONCE) for x in (pixels, share)), strict=True)
        made = torch.cat([COLORS[method](*part) for part in parts]).unflatten(0, pixels.shape[:3])
    return made.permute(0, 3, 1, 2).contiguous(), None if alpha is None else hard


def _samples(image: Tensor, size: tuple[int, int], samples: int) -> Tensor:
    """`samples` x `samples` pixels of every cell, evenly spread: `b c h w` to `b c height*samples width*samples`."""
    height, width = image.shape[2:]

    def places(length: int, cells: int) -> Tensor:
        at = (torch.arange(cells * samples, dtype=torch.float64) + 0.5) * (length / cells / samples)
        return at.long().clamp_max(length - 1).to(image.device)

    return image.index_select(2, places(height, size[1])).index_select(3, places(width, size[0]))
