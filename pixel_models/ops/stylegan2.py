"""The layers of StyleGAN2 that SinCUT's networks use, in plain PyTorch: equal learning rates, blurs, residual blocks.

Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", CVPR 2020, https://arxiv.org/abs/1912.04958;
equal learning rates: Karras et al., https://arxiv.org/abs/1710.10196, section 4.1. State-dict keys are those of CUT's
program: Park et al., "Contrastive Learning for Unpaired Image-to-Image Translation", https://arxiv.org/abs/2007.15651.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SLOPE = 0.2
"""Of the leaky ReLU below zero."""


def activate(x: Tensor, bias: Tensor) -> Tensor:
    """Leaky ReLU of `x + bias`, times the root of 2, which keeps the variance."""
    return F.leaky_relu(x + bias, SLOPE) * math.sqrt(2)


class EqualConv(nn.Module):
    """A convolution without bias whose weights are N(0, 1) and scaled when used: all layers learn alike fast."""

    def __init__(self, before: int, after: int, kernel: int, *, stride: int = 1, padding: int = 0) -> None:
        """Build with random weights."""
        super().__init__()
        self.weight = nn.Parameter(torch.empty(after, before, kernel, kernel))
        self.scale, self.stride, self.padding = 1 / math.sqrt(before * kernel**2), stride, padding
        nn.init.normal_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        """`b before h w` to `b after h' w'`."""
        return F.conv2d(x, self.weight * self.scale, stride=self.stride, padding=self.padding)


class EqualLinear(nn.Module):
    """A linear layer whose weights are N(0, 1) and scaled when used; `active`: followed by `activate`."""

    def __init__(self, before: int, after: int, *, active: bool = False) -> None:
        """Build with random weights, the bias 0."""
        super().__init__()
        self.weight = nn.Parameter(torch.empty(after, before))
        self.bias = nn.Parameter(torch.empty(after))
        self.scale, self.active = 1 / math.sqrt(before), active
        nn.init.normal_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """`b before` to `b after`."""
        weight = self.weight * self.scale
        return activate(F.linear(x, weight), self.bias) if self.active else F.linear(x, weight, self.bias)


class BiasedLeakyReLU(nn.Module):
    """`activate` with a bias for each channel."""

    def __init__(self, channels: int) -> None:
        """Build with a bias of 0."""
        super().__init__()
        self.bias = nn.Parameter(torch.empty(1, channels, 1, 1))
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """`b c h w` to `b c h w`."""
        return activate(x, self.bias)


class Blur(nn.Module):
    """A 4x4 binomial blur over zeros beyond the border; with `stride` 2 every second value of it is made."""

    kernel: Tensor

    def __init__(self, pad: tuple[int, int], *, gain: float = 1.0, stride: int = 1) -> None:
        """Build the kernel, which does not learn.

        Args:
            pad: zeros before and after, along both axes.
            gain: sum of the kernel; 4 after zeros were put between, which quarters the mean.
            stride: 1 or 2.
        """
        super().__init__()
        line = torch.tensor((1.0, 3.0, 3.0, 1.0))
        self.register_buffer("kernel", line[:, None] * line[None, :] / 64 * gain)
        self.around, self.stride = (*pad, *pad), stride

    def forward(self, x: Tensor) -> Tensor:
        """`b c h w` to `b c h' w'`."""
        channels = x.shape[1]
        kernel = self.kernel.to(x.dtype).expand(channels, 1, -1, -1)
        return F.conv2d(F.pad(x, self.around), kernel, stride=self.stride, groups=channels)


def conv_layer(before: int, after: int, kernel: int, *, halves: bool = False, active: bool = True) -> nn.Sequential:
    """A convolution that keeps the size, or blurs and halves it; then `activate` with a bias, or neither."""
    layers: list[nn.Module] = []
    if halves:
        room = 2 + (kernel - 1)
        pad = ((room + 1) // 2, room // 2)
        # Of a 1x1 convolution of stride 2 the blur need make only what is used.
        layers += [Blur(pad, stride=2), EqualConv(before, after, 1)] if kernel == 1 else []
        layers += [Blur(pad), EqualConv(before, after, kernel, stride=2)] if kernel > 1 else []
    else:
        layers.append(EqualConv(before, after, kernel, padding=kernel // 2))
    return nn.Sequential(*layers, *([BiasedLeakyReLU(after)] if active else []))


class ResBlock(nn.Module):
    """Two 3x3 convolutions beside a skip, summed and divided by the root of 2; the second, and the skip, may halve."""

    def __init__(self, before: int, after: int, *, halves: bool = False) -> None:
        """Build with random weights."""
        super().__init__()
        self.conv1 = conv_layer(before, before, 3)
        self.conv2 = conv_layer(before, after, 3, halves=halves)
        same = before == after and not halves
        self.skip = nn.Identity() if same else conv_layer(before, after, 1, halves=halves, active=False)

    def forward(self, x: Tensor) -> Tensor:
        """`b before h w` to `b after h w`, or half the size."""
        return (self.conv2(self.conv1(x)) + self.skip(x)) / math.sqrt(2)


class DemodulatedUp(nn.Module):
    """A 3x3 convolution that doubles: transposed, each output channel's weights brought to norm 1, then a blur.

    This is StyleGAN2's modulated convolution (equations 1 and 3) for a style of ones. In a state dict its weight has an
    axis of 1 before the others, where the reference multiplies each picture's style; here it has not, since PyTorch
    brings a network to channels-last only if no weight has five axes.
    """

    def __init__(self, before: int, after: int) -> None:
        """Build with random weights."""
        super().__init__()
        self.weight = nn.Parameter(torch.empty(after, before, 3, 3))
        self.blur = Blur((1, 1), gain=4.0)
        self.scale = 1 / math.sqrt(before * 9)
        nn.init.normal_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        """`b before h w` to `b after 2h 2w`."""
        weight = self.weight * self.scale
        weight = weight * torch.rsqrt(weight.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8)
        return self.blur(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2))  # 2h + 1 before the blur

    def _save_to_state_dict(self, destination: dict[str, Tensor], prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        destination[f"{prefix}weight"] = destination[f"{prefix}weight"][None]

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Tensor],
        prefix: str,
        *more: Any,  # noqa: ANN401  PyTorch's, passed on
        **named: Any,  # noqa: ANN401
    ) -> None:
        key = f"{prefix}weight"
        if key in state_dict and state_dict[key].shape[:1] == (1,):
            state_dict[key] = state_dict[key][0]
        super()._load_from_state_dict(state_dict, prefix, *more, **named)


class Noise(nn.Module):
    """Adds noise of a learned strength, the same to all channels; none where it is not training."""

    def __init__(self) -> None:
        """Build with a strength of 0."""
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        """`b c h w` to the same.

        Args:
            x: any features.
            noise: `b 1 h w`, of variance 1. None: in training drawn from PyTorch's own generator, as dropout draws;
                else none is added (its mean), so that a picture always comes out the same.
        """
        if noise is None:
            if not self.training:
                return x
            noise = torch.randn_like(x[:, :1])
        return x + self.weight * noise


class StyledUp(nn.Module):
    """StyleGAN2's styled convolution that doubles, without a style: convolution, noise, `activate`."""

    def __init__(self, before: int, after: int) -> None:
        """Build with random weights."""
        super().__init__()
        self.conv = DemodulatedUp(before, after)
        self.noise = Noise()
        self.activate = BiasedLeakyReLU(after)

    def forward(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        """`b before h w` to `b after 2h 2w`; `noise`: `b 1 2h 2w`, or as `Noise` has it."""
        return self.activate(self.noise(self.conv(x), noise))
