"""Convolutions with few outputs, such as a generator's last one, several times faster on processors.

There a convolution fills a vector with output channels, of which colour has three. So the kernel's columns become
output channels too, or all its places where it is transposed, and what each of them gives is shifted and added: the
same sums in another order.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MOST_OUTPUTS = 8
"""With more channels a convolution fills vectors well enough by itself."""


class NarrowConv2d(nn.Conv2d):
    """`nn.Conv2d` of stride 1 without padding, dilation or groups; its keys and values, to rounding."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int) -> None:
        """As `nn.Conv2d`."""
        super().__init__(in_channels, out_channels, kernel_size)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  the name that PyTorch's has
        """`b c h w` to `b c' h-k+1 w-k+1`."""
        if input.device.type != "cpu" or self.out_channels > MOST_OUTPUTS:
            return super().forward(input)
        out, _, _, kernel = self.weight.shape
        columns = self.weight.permute(3, 0, 1, 2).flatten(0, 1)[..., None]  # k*o c k 1
        bias = None if self.bias is None else torch.cat([self.bias, self.bias.new_zeros((kernel - 1) * out)])
        parts = F.conv2d(input, columns, bias).unflatten(1, (kernel, out))  # b k o h-k+1 w
        width = input.shape[3] - kernel + 1
        made = parts[:, 0, :, :, :width].to(torch.promote_types(parts.dtype, torch.float32))  # bfloat16 would lose bits
        for index in range(1, kernel):
            made = made + parts[:, index, :, :, index : index + width]
        return made.to(parts.dtype)


class NarrowConvTranspose2d(nn.ConvTranspose2d):
    """`nn.ConvTranspose2d` without dilation, groups or output padding; its keys and values, to rounding."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int, padding: int) -> None:
        """As `nn.ConvTranspose2d`."""
        super().__init__(in_channels, out_channels, kernel_size, stride, padding)

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:  # noqa: A002  PyTorch's names
        """`b c h w` to `b c' (h-1)*stride-2*padding+k (w-1)*stride-2*padding+k`."""
        if input.device.type != "cpu" or self.out_channels > MOST_OUTPUTS or output_size is not None:
            return super().forward(input, output_size)
        kernel, stride, padding = self.kernel_size[0], self.stride[0], int(self.padding[0])
        places = self.weight.flatten(1).T[..., None, None]  # o*k*k c 1 1
        parts = F.conv2d(input, places)
        height, width = ((side - 1) * stride - 2 * padding + kernel for side in input.shape[2:])
        whole = parts.flatten(2).to(torch.promote_types(parts.dtype, torch.float32))
        made = F.fold(whole, (height, width), kernel, padding=padding, stride=stride)
        made = made if self.bias is None else made + self.bias[:, None, None]
        return made.to(parts.dtype)
