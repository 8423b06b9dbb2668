"""Layers run on distinct inputs that count several times each: the same as running them on all of the inputs.

Where nothing mixes patches, a batch of pictures is a batch of patches, and most patches of pixel art are equal. Only
batch norm and the loss look at more than one patch, and both are means, which weights give exactly.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def distinct(patches: Tensor) -> tuple[Tensor, Tensor]:
    """Each patch once, and how many times it is there.

    Args:
        patches: `n c p p`, uint8.

    Returns:
        `m c p p`, uint8; `m`, float32.
    """
    flat = patches.flatten(1)
    if flat.shape[1] != 4:
        rows, counts = flat.unique(dim=0, return_counts=True)
        return rows.view(-1, *patches.shape[1:]), counts.float()
    numbers, counts = flat.contiguous().view(torch.int32).unique(return_counts=True)  # the same, ten times as fast
    return numbers[:, None].view(torch.uint8).view(-1, *patches.shape[1:]), counts.float()


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """Mean over everything of `n ...`, each of the n counted as often as `weights` (`n`) says; a scalar."""
    return (values.flatten(1).mean(1) * weights).sum() / weights.sum()


def weighted_forward(net: nn.Sequential, x: Tensor, weights: Tensor, *, frozen: bool = False) -> Tensor:
    """`net(x)` in training mode, as if every input were there as often as its weight says.

    Batch norm's running means follow as they would; every other layer looks at one input at a time.

    Args:
        net: layers; those with batch norm have it as `nn.BatchNorm2d`.
        x: `n c h w`.
        weights: `n`, float32, above 0.
        frozen: normalise by the running means, and leave them as they are.

    Returns:
        What the network makes of each, `n ...`.
    """
    for layer in net:
        if not isinstance(layer, nn.BatchNorm2d):
            x = layer(x)
        elif frozen:
            x = F.batch_norm(x, layer.running_mean, layer.running_var, layer.weight, layer.bias, False, 0.0, layer.eps)
        else:
            with torch.autocast(x.device.type, enabled=False):
                x = _batch_norm(layer, x, weights)
    return x


def _batch_norm(layer: nn.BatchNorm2d, x: Tensor, weights: Tensor) -> Tensor:
    n, c, height, width = x.shape
    size = weights.sum() * height * width
    share, wide = weights / size, x.float()

    def mean_of(values: Tensor) -> Tensor:
        return (share @ values.reshape(n, -1)).view(c, -1).sum(1)

    mean = mean_of(wide)
    centred = wide - mean.view(1, -1, 1, 1)
    variance = mean_of(centred.square())
    with torch.no_grad():
        assert layer.running_mean is not None
        assert layer.running_var is not None
        assert layer.num_batches_tracked is not None
        assert layer.momentum is not None
        layer.running_mean.lerp_(mean, layer.momentum)
        layer.running_var.lerp_(variance * size / (size - 1).clamp_min(1), layer.momentum)
        layer.num_batches_tracked += 1
    scale = layer.weight * torch.rsqrt(variance + layer.eps)
    return torch.addcmul(layer.bias.view(1, -1, 1, 1), centred, scale.view(1, -1, 1, 1)).to(x.dtype)
