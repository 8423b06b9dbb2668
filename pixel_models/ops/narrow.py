"""A convolution with a wide kernel and few outputs, such as a generator's last one, several times faster on processors.

There a convolution fills a vector with output channels, of which colour has three. So the kernel's columns become
output channels too, and what each of them gives is shifted and added: the same sums in another order.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class NarrowConv2d(nn.Conv2d):
    """`nn.Conv2d` of stride 1 without padding, dilation or groups; its keys and values, to rounding."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int) -> None:
        """As `nn.Conv2d`."""
        super().__init__(in_channels, out_channels, kernel_size)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  the name that PyTorch's has
        """`b c h w` to `b c' h-k+1 w-k+1`."""
        if input.device.type != "cpu":
            return super().forward(input)
        out, _, _, kernel = self.weight.shape
        columns = self.weight.permute(3, 0, 1, 2).flatten(0, 1)[..., None]  # k*o c k 1
        bias = None if self.bias is None else torch.cat([self.bias, self.bias.new_zeros((kernel - 1) * out)])
        parts = F.conv2d(input, columns, bias).unflatten(1, (kernel, out))  # b k o h-k+1 w
        width = input.shape[3] - kernel + 1
        made = parts[:, 0, :, :, :width]
        for index in range(1, kernel):
            made = made + parts[:, index, :, :, index : index + width]
        return made
