"""Loss terms that every recipe may use: of translation between pictures and cells, in Oklab, and of VAEs."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from pixel_models.color import srgb_to_oklab


def oklab_l1(x: Tensor, y: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean absolute difference of `b 3 h w` sRGB in Oklab, weighted by `b 1 h w`."""
    difference = (srgb_to_oklab(x) - srgb_to_oklab(y)).abs().sum(dim=1, keepdim=True)
    if weight is None:
        return difference.mean()
    return (difference * weight).sum() / weight.sum().clamp_min(1)


def over_white(rgba: Tensor) -> Tensor:
    """Composite `b 4 h w` straight alpha on white."""
    return rgba[:, :3] * rgba[:, 3:] + 1 - rgba[:, 3:]


def rgba_loss(x: Tensor, y: Tensor) -> Tensor:
    """Colour where the target is opaque, alpha everywhere."""
    color = 2 * oklab_l1(x[:, :3], y[:, :3], y[:, 3:]) + 0.25 * ((x - y)[:, :3].abs() * y[:, 3:]).mean()
    return color + 0.3 * (x[:, 3] - y[:, 3]).abs().mean()


def leak(x: Tensor, share: float = 0.1) -> Tensor:
    """`x` itself, with a part of its gradient: so that G_A has little reason to hide in soft edges where A's were."""
    return x.detach() + share * (x - x.detach())


def color_loss(x: Tensor, y: Tensor, window: int = 7, slack: float = 0.02) -> Tensor:
    """Oklab L1 of the means over `window` cells, beyond `slack`.

    A small window or no slack would punish every crisp decision at an edge, and gives soft edges back.
    """
    near, far = (F.avg_pool2d(srgb_to_oklab(z), window, 1) for z in (x, y))
    return ((near - far).abs().sum(dim=1) - slack).clamp_min(0).mean()


def cluster_loss(rgb: Tensor, knee: float = 0.03) -> Tensor:
    """Share of neighbouring cells that differ, made smooth: d / (d + knee), an L0-like count of edges."""
    lab = srgb_to_oklab(rgb)
    across = (lab[:, :, :, 1:] - lab[:, :, :, :-1]).abs().sum(dim=1)
    down = (lab[:, :, 1:] - lab[:, :, :-1]).abs().sum(dim=1)
    return (across / (across + knee)).mean() + (down / (down + knee)).mean()


def lone_loss(rgb: Tensor, knee: float = 0.1) -> Tensor:
    """Share of cells that differ from all of their eight neighbours, made smooth as in `cluster_loss`."""
    lab = F.pad(srgb_to_oklab(rgb), (1, 1, 1, 1), value=9.0)
    height, width = rgb.shape[2:]
    around = [lab[:, :, y : y + height, x : x + width] for y in range(3) for x in range(3) if (y, x) != (1, 1)]
    own = lab[:, :, 1:-1, 1:-1]
    nearest = torch.stack([(own - other).abs().sum(dim=1) for other in around]).amin(dim=0)
    return (nearest / (nearest + knee)).mean()


def kl_from_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Divergence of diagonal Gaussians from N(0, 1), nats: `b d` twice to `b` (Kingma and Welling 2014, appendix B)."""
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum(dim=1)
