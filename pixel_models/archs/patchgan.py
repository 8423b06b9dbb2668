"""The discriminators of pix2pix, CycleGAN and CUT: the PatchGAN, and the one that judges single pixels.

Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017,
https://arxiv.org/abs/1611.07004; CUT's anti-aliased stages: Park et al., https://arxiv.org/abs/2007.15651. The keys are
the reference's. pix2pix judges input and output together: `in_channels` is then the sum of both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from torch import Tensor, nn

from ..errors import ShapeError
from ..ops.blur import BlurDownsample
from ..ops.norms import NORMS, Norm, check_choice, check_range, norm_bias, norm_layer
from ..spec import ModelSpec, Purpose

Downsample = Literal["conv", "antialias"]


@dataclass(frozen=True, kw_only=True)
class PatchDiscriminatorConfig:
    """Layout of a PatchGAN; the defaults are the reference's `basic`, which judges squares of 70 pixels."""

    in_channels: int = 3

    channels: int = 64
    """Features of the first layer; twice as many after each further one, up to eight times."""

    layers: int = 3
    """Convolutions of stride 2; the reference calls another number than 3 `n_layers`."""

    norm: Norm = "instance"

    downsample: Downsample = "conv"
    """A convolution of stride 2, or CUT's of stride 1 and a blur that halves."""

    def __post_init__(self) -> None:
        """Check the values."""
        check_range("in_channels", self.in_channels, 1, 64)
        check_range("channels", self.channels, 1, 512)
        check_range("layers", self.layers, 1, 8)
        check_choice("norm", self.norm, NORMS)
        check_choice("downsample", self.downsample, get_args(Downsample))


class PatchDiscriminator(nn.Module):
    """Convolutions that judge overlapping squares: a picture to a map of scores, higher is more real."""

    def __init__(self, config: PatchDiscriminatorConfig) -> None:
        """Build with random weights, PyTorch's own."""
        super().__init__()
        bias, blurred = norm_bias(config.norm), config.downsample == "antialias"
        layers: list[nn.Module] = []
        before = config.in_channels
        for index in range(config.layers + 1):
            width = config.channels * min(2**index, 8)
            halves = index < config.layers
            stride = 2 if halves and not blurred else 1
            layers.append(nn.Conv2d(before, width, 4, stride=stride, padding=1, bias=bias or not index))
            layers += [norm_layer(config.norm, width)] if index else []
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            layers += [BlurDownsample(width)] if halves and blurred else []
            before = width
        layers.append(nn.Conv2d(before, 1, 4, padding=1))
        self.config = config
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Judge pictures.

        Args:
            x: `b in_channels h w`, float in [-1, 1]; 256 x 256 gives 30 x 30 scores with three layers.

        Returns:
            Scores `b 1 h' w'`, float, unbounded.

        Raises:
            ShapeError: another rank or channel count.
        """
        return self.model(_checked(x, self.config.in_channels))


@dataclass(frozen=True, kw_only=True)
class PixelDiscriminatorConfig:
    """Layout of the discriminator of single pixels."""

    in_channels: int = 3

    channels: int = 64
    """Features of the first layer; the second has twice as many."""

    norm: Norm = "instance"

    def __post_init__(self) -> None:
        """Check the values."""
        check_range("in_channels", self.in_channels, 1, 64)
        check_range("channels", self.channels, 1, 512)
        check_choice("norm", self.norm, NORMS)


class PixelDiscriminator(nn.Module):
    """Judges every pixel's colour, by 1x1 convolutions: a picture to scores of its size, higher is more real."""

    def __init__(self, config: PixelDiscriminatorConfig) -> None:
        """Build with random weights, PyTorch's own."""
        super().__init__()
        width, bias = config.channels, norm_bias(config.norm)
        self.config = config
        self.net = nn.Sequential(
            nn.Conv2d(config.in_channels, width, 1),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(width, 2 * width, 1, bias=bias),
            norm_layer(config.norm, 2 * width),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(2 * width, 1, 1, bias=bias),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Judge pixels.

        Args:
            x: `b in_channels h w`, float in [-1, 1].

        Returns:
            Scores `b 1 h w`, float, unbounded.

        Raises:
            ShapeError: another rank or channel count.
        """
        return self.net(_checked(x, self.config.in_channels))


def _checked(x: Tensor, channels: int) -> Tensor:
    if x.ndim != 4 or x.shape[1] != channels:
        msg = f"expected `b {channels} h w`, got {tuple(x.shape)}"
        raise ShapeError(msg)
    return x


SPECS = (
    ModelSpec(
        id="patch_discriminator",
        purpose=Purpose.DISCRIMINATOR,
        config=PatchDiscriminatorConfig,
        module=PatchDiscriminator,
        tiny=PatchDiscriminatorConfig(channels=4, layers=1),
        paper="https://arxiv.org/abs/1611.07004",
    ),
    ModelSpec(
        id="pixel_discriminator",
        purpose=Purpose.DISCRIMINATOR,
        config=PixelDiscriminatorConfig,
        module=PixelDiscriminator,
        tiny=PixelDiscriminatorConfig(channels=4),
        paper="https://arxiv.org/abs/1611.07004",
    ),
)
