"""Halving and doubling with a fixed blur, against aliasing.

Zhang, "Making Convolutional Networks Shift-Invariant Again", ICML 2019, https://arxiv.org/abs/1904.11486; in the
sizes that CUT (Park et al., ECCV 2020, https://arxiv.org/abs/2007.15651) uses in its networks.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class BlurDownsample(nn.Module):
    """Half the size: a 3x3 binomial blur, mirrored at the border, of which every second value is kept."""

    filt: Tensor

    def __init__(self, channels: int) -> None:
        """Build the filter; it is part of the state, `channels 1 3 3`, and does not learn."""
        super().__init__()
        self.register_buffer("filt", _depthwise((1.0, 2.0, 1.0), channels))

    def forward(self, x: Tensor) -> Tensor:
        """`b c h w`, sides of 2 or more, to `b c ceil(h/2) ceil(w/2)`."""
        return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), self.filt, stride=2, groups=len(self.filt))


class BlurUpsample(nn.Module):
    """Twice the size: zeros between, then a 4x4 binomial blur of four times the weight; the border is repeated."""

    filt: Tensor

    def __init__(self, channels: int) -> None:
        """Build the filter; it is part of the state, `channels 1 4 4`, and does not learn."""
        super().__init__()
        self.register_buffer("filt", _depthwise((1.0, 3.0, 3.0, 1.0), channels) * 4)

    def forward(self, x: Tensor) -> Tensor:
        """`b c h w` to `b c 2h 2w`."""
        x = F.pad(x, (1, 1, 1, 1), mode="replicate")
        x = F.conv_transpose2d(x, self.filt, stride=2, padding=2, groups=len(self.filt))  # 2h + 2
        return x[:, :, 1:-1, 1:-1]


def _depthwise(taps: tuple[float, ...], channels: int) -> Tensor:
    """The outer product of the taps, of sum 1, once for each channel."""
    line = torch.tensor(taps)
    filt = line[:, None] * line[None, :]
    return (filt / filt.sum()).repeat(channels, 1, 1, 1)
