"""How alike two pictures are, by number: SSIM and squared error."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from pixel_models.errors import ShapeError

WINDOW = 11
"""Side of the Gaussian window, pixels; smaller pictures cannot be compared."""

SIGMA = 1.5
C1, C2 = 0.01**2, 0.03**2


def ssim(x: Tensor, y: Tensor) -> Tensor:
    """Structural similarity, 1 for equal pictures.

    Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity", 2004; a Gaussian window of
    11 pixels and sigma 1.5 laid only where it fits, each channel by itself, the mean over channels and places.
    Differentiable in both.

    Args:
        x: `b c h w`, float in [0, 1].
        y: the same shape.

    Returns:
        `b`, in [-1, 1].

    Raises:
        ShapeError: the shapes differ, or a side is shorter than the window.
    """
    return ssim_map(x, y).mean(dim=(1, 2, 3))


def ssim_map(x: Tensor, y: Tensor) -> Tensor:
    """SSIM at every place of the window: `b c h w` twice to `b c h-10 w-10`; see `ssim`.

    Raises:
        ShapeError: the shapes differ, or a side is shorter than the window.
    """
    if x.shape != y.shape or x.ndim != 4 or min(x.shape[2:]) < WINDOW:
        msg = f"expected two pictures `b c h w` of one shape, sides from {WINDOW} pixels; got {tuple(x.shape)}"
        raise ShapeError(f"{msg} and {tuple(y.shape)}. Pad smaller pictures")
    batch = len(x)
    means = _blur(torch.cat([x, y, x * x, y * y, x * y]))
    mean_x, mean_y, square_x, square_y, product = means.split(batch)
    covariance = product - mean_x * mean_y
    variances = square_x - mean_x**2 + square_y - mean_y**2
    structure = (2 * covariance + C2) / (variances + C2)
    return structure * (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)


def _blur(x: Tensor) -> Tensor:
    """The Gaussian's mean around every place where the whole window fits, one axis after the other."""
    channels = x.shape[1]
    offset = torch.arange(WINDOW, device=x.device, dtype=x.dtype) - WINDOW // 2
    weights = torch.exp(-offset.square() / (2 * SIGMA**2))
    weights = (weights / weights.sum()).expand(channels, 1, 1, WINDOW)
    across = F.conv2d(x, weights, groups=channels)
    return F.conv2d(across, weights.transpose(2, 3), groups=channels)


def squared_error(x: Tensor, y: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean squared difference of each picture.

    Args:
        x: `b c h w`, float in [0, 1].
        y: the same shape.
        weight: `b 1 h w`, how much each pixel counts; None counts all alike. A picture without weight has error 0.

    Returns:
        `b`.
    """
    squares = (x - y).square()
    if weight is None:
        return squares.mean(dim=(1, 2, 3))
    total = weight.sum(dim=(1, 2, 3)).clamp_min(torch.finfo(x.dtype).tiny)
    return (squares.mean(dim=1, keepdim=True) * weight).sum(dim=(1, 2, 3)) / total
