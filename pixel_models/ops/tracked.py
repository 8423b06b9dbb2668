"""Layers with instance norms that follow running statistics, as GridNet, PixelNet and DepixelNet are built of."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .mirror import ReflectionPad2d
from .narrow import NarrowConv2d

Statistics = Literal["picture", "running"]
"""What an instance norm measures outside training: the picture itself, or what training saw on average."""


class TrackedInstanceNorm(nn.InstanceNorm2d):
    """Instance norm that follows its running statistics in training and then uses either kind.

    PyTorch's own uses the running ones as soon as a network is in eval mode. The reference never leaves train mode: its
    pictures are normed by themselves. On a processor group norm's routine does both: see `InstanceNorm`.
    """

    def __init__(self, channels: int, statistics: Statistics) -> None:
        """Without weights; `statistics` says what eval mode uses."""
        super().__init__(channels, track_running_stats=True)
        self.statistics: Statistics = statistics

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  the name that PyTorch's has
        """`b c h w` to `b c h w`; in training two pixels or more."""
        if not self.training and self.statistics == "running":
            return super().forward(input)
        pixels = input.shape[2] * input.shape[3] if input.ndim == 4 else 0
        if input.device.type != "cpu" or pixels < 2 or torch.is_autocast_enabled("cpu"):  # where it takes other types
            return super().forward(input) if self.training else F.instance_norm(input, eps=self.eps)
        shape = len(input), self.num_features, pixels
        made, mean, slope = torch.native_group_norm(input.contiguous(), None, None, *shape, self.num_features, self.eps)
        if self.training:
            self._follow(mean.detach(), slope.detach(), pixels)
        return made

    @torch.no_grad()
    def _follow(self, mean: Tensor, slope: Tensor, pixels: int) -> None:
        """Move the running statistics as PyTorch does: by the pictures' mean, and by their unbiased variance."""
        assert self.running_mean is not None
        assert self.running_var is not None
        variance = (slope.square().reciprocal() - self.eps).clamp(min=0) * (pixels / (pixels - 1))
        self.running_mean.lerp_(mean.mean(0), self.momentum or 0.0)
        self.running_var.lerp_(variance.mean(0), self.momentum or 0.0)


class TrackedBlock(nn.Module):
    """Mirror, conv, norm, ReLU, (dropout,) mirror, conv, norm; added, no ReLU: CycleGAN's, with tracked norms."""

    def __init__(self, channels: int, dropout: bool, statistics: Statistics) -> None:
        """Build the block with random weights."""
        super().__init__()
        self.conv_block = nn.Sequential(
            ReflectionPad2d(1),
            *conv_layers(channels, channels, statistics),
            *([nn.Dropout(0.5)] if dropout else []),
            ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            TrackedInstanceNorm(channels, statistics),
        )

    def forward(self, x: Tensor) -> Tensor:
        """`b c h w` to `b c h w`."""
        return x + self.conv_block(x)


def conv_layers(
    before: int,
    after: int,
    statistics: Statistics,
    *,
    kernel: int = 3,
    stride: int = 1,
    padding: int = 0,
    mirror: bool = False,
) -> list[nn.Module]:
    """Convolution, norm, ReLU."""
    conv = nn.Conv2d(before, after, kernel, stride, padding, padding_mode="reflect" if mirror else "zeros")
    return [conv, TrackedInstanceNorm(after, statistics), nn.ReLU(inplace=True)]


def color_head(width: int) -> nn.Sequential:
    """Features to colours in [-1, 1]."""
    return nn.Sequential(ReflectionPad2d(3), NarrowConv2d(width, 3, 7), nn.Tanh())


def resize(features: Tensor, size: tuple[int, int], margin: int = 0) -> Tensor:
    """Features `b c h w` to `size` and `margin` more; the same tensor where they have it. Averages, so none is lost."""
    wanted = (size[0] + margin, size[1] + margin)
    if tuple(features.shape[2:]) == wanted:
        return features
    resized = F.interpolate(features.float(), wanted, mode="bilinear", antialias=True, align_corners=False)
    return resized.to(features.dtype)
