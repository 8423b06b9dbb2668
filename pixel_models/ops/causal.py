"""Convolutions that see only what comes before a place in reading order: rows above, or columns to the left.

van den Oord et al., "Conditional Image Generation with PixelCNN Decoders", NeurIPS 2016,
https://arxiv.org/abs/1606.05328. State-dict keys are those of the Pixel VQ-VAE paper's reference, which keeps whole
kernels and zeroes the part behind the mask at every forward. Here that part is never read, so it costs nothing, gets
no gradient, and what a file holds there does not matter.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Axis = Literal["vertical", "horizontal"]


class CausalConv(nn.Module):
    """`b i h w` to `b o h w`; vertical: this row and those above it, horizontal: this column and those to the left."""

    mask: Tensor

    def __init__(self, inputs: int, outputs: int, kernel: int, axis: Axis, *, dilation: int = 1, first: bool) -> None:
        """Build with random weights, PyTorch's own for the whole kernel.

        Args:
            inputs: channels in.
            outputs: channels out.
            kernel: odd; side of the whole kernel.
            axis: which way "before" is.
            dilation: step between taps.
            first: leave out the row (or the place) itself, as the layer has to that sees the codes.
        """
        super().__init__()
        self.axis: Axis = axis
        self.dilation = dilation
        shape = (kernel, kernel) if axis == "vertical" else (1, kernel)
        self.conv = nn.Conv2d(inputs, outputs, shape)
        self.taps = kernel // 2 + (not first)
        """Rows (or columns) of the kernel that are read: the first ones."""
        mask = torch.zeros(1, 1, *shape)
        mask.narrow(2 if axis == "vertical" else 3, 0, self.taps).fill_(1)
        self.register_buffer("mask", mask)

    def live(self) -> Tensor:
        """The part of the kernel that is read: `o i rows k` or `o i 1 columns`."""
        weight = self.conv.weight
        return weight[:, :, : self.taps] if self.axis == "vertical" else weight[..., : self.taps]

    @torch.no_grad()
    def clear(self) -> None:
        """Zero what is behind the mask, so that files hold nothing that means nothing."""
        self.conv.weight.mul_(self.mask)

    @property
    def reach(self) -> int:
        """How far up (or to the left) the farthest tap lies."""
        return self.conv.kernel_size[1] // 2 * self.dilation

    def forward(self, x: Tensor) -> Tensor:
        """Outside the picture is 0."""
        reach, beyond = self.reach, max(0, self.reach - (self.taps - 1) * self.dilation)
        # With the place itself left out, the last tap lies `beyond` before it: what lies nearer is cut off.
        if self.axis == "vertical":
            x = F.pad(x[:, :, : x.shape[2] - beyond], (reach, reach, reach, 0))
        else:
            x = F.pad(x[..., : x.shape[3] - beyond], (reach, 0))
        return F.conv2d(x, self.live(), self.conv.bias, dilation=self.dilation)
