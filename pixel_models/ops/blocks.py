"""Residual blocks without normalisation, and the two-level trunk built from them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from einops.layers.torch import Rearrange
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """`x + conv(relu(conv(x)))`, 3x3, dilated, no norm: a norm would wash out absolute colour."""

    def __init__(self, channels: int, dilation: int = 1) -> None:
        """Build the block; the last convolution starts at zero, so that the block starts as the identity."""
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)
        assert self.conv2.bias is not None
        nn.init.zeros_(self.conv2.bias)

    def forward(self, x: Tensor) -> Tensor:
        """`b c h w` to `b c h w`."""
        return x + self.conv2(torch.relu(self.conv1(torch.relu(x))))


class TwoLevelTrunk(nn.Module):
    """Residual blocks at full size around wider ones at half size, joined by a skip.

    A block of twice the channels at half the size costs the same arithmetic and sees twice as far,
    which is what telling an outline from a texture needs.
    """

    def __init__(self, channels: int, outer_blocks: int, inner_dilations: Sequence[int]) -> None:
        """`outer_blocks` before and again after the half-size level, which has one block a dilation."""
        super().__init__()
        wide = 2 * channels
        self.before = nn.Sequential(*(ResidualBlock(channels) for _ in range(outer_blocks)))
        self.down = nn.Conv2d(channels, wide, 2, stride=2)
        self.inner = nn.Sequential(*(ResidualBlock(wide, dilation) for dilation in inner_dilations))
        self.up = nn.Sequential(
            nn.Conv2d(wide, 4 * channels, 1), Rearrange("b (c y x) h w -> b c (h y) (w x)", y=2, x=2)
        )
        self.after = nn.Sequential(*(ResidualBlock(channels) for _ in range(outer_blocks)))

    def forward(self, x: Tensor) -> Tensor:
        """`b c h w` to `b c h w`; `h` and `w` are even."""
        x = self.before(x)
        x = x + self.up(self.inner(self.down(x)))  # half size inside
        return torch.relu(self.after(x))
