"""The StyleGAN2-like networks of SinCUT, which learns from one picture each: generator and discriminator of patches.

Park et al., "Contrastive Learning for Unpaired Image-to-Image Translation", ECCV 2020, https://arxiv.org/abs/2007.15651,
section 4.4 and appendix C.2; layers of Karras et al., https://arxiv.org/abs/1912.04958. The keys are the reference's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..errors import ShapeError
from ..ops.norms import check_range
from ..ops.stylegan2 import EqualLinear, ResBlock, StyledUp, conv_layer
from ..spec import ModelSpec, Purpose

SIZES: tuple[int, ...] = (4, 8, 16, 32, 64, 128, 256, 512, 1024)
"""Sides that a patch may have, pixels."""

_GENERATOR_BASES = (4096, 2048, 1024, 512, 256, 128, 64, 32, 16)
_MOST_GENERATOR_CHANNELS = 512
_MOST_JUDGE_CHANNELS = 384


def generator_widths(channels: int) -> dict[int, int]:
    """Features of the generator at each of `SIZES`; `channels` is the reference's `ngf`, of which 32 is StyleGAN2's."""
    widths = (max(1, round(base * channels / 32)) for base in _GENERATOR_BASES)
    return {size: min(_MOST_GENERATOR_CHANNELS, width) for size, width in zip(SIZES, widths, strict=True)}


def judge_widths(channels: int) -> dict[int, int]:
    """Features of the discriminator at each of `SIZES`; `channels` is the reference's `ndf`, of which 64 is full."""
    widths = (max(1, base * channels // 64) for base in _GENERATOR_BASES)
    return {size: min(_MOST_JUDGE_CHANNELS, width) for size, width in zip(SIZES, widths, strict=True)}


def _check_size(size: int, least: int) -> None:
    if isinstance(size, bool) or size not in SIZES or size < least:
        msg = f"size is {size!r}, expected one of {', '.join(str(side) for side in SIZES if side >= least)}"
        raise ValueError(msg)


@dataclass(frozen=True, kw_only=True)
class StyleGAN2GeneratorConfig:
    """Layout of one generator; the defaults are SinCUT's."""

    in_channels: int = 3
    out_channels: int = 3

    channels: int = 10
    """The reference's `ngf`: with 10 and patches of 64, 80 features at full size and 160 at half."""

    size: int = 64
    """Side of the patches that it learns from, pixels: decides how many features each level has, nothing else."""

    downsamplings: int = 1
    """Halvings before the blocks, doublings after them."""

    blocks: int = 6
    """Residual blocks at the smallest size; half of them belong to the encoder."""

    def __post_init__(self) -> None:
        """Check the values."""
        check_range("in_channels", self.in_channels, 1, 64)
        check_range("out_channels", self.out_channels, 1, 64)
        check_range("channels", self.channels, 1, 512)
        check_range("downsamplings", self.downsamplings, 0, 6)
        check_range("blocks", self.blocks, 0, 64)
        if self.blocks % 2:
            msg = f"blocks is {self.blocks}, expected an even number: half of them come before the middle"
            raise ValueError(msg)
        _check_size(self.size, SIZES[0] * self.multiple)

    @property
    def multiple(self) -> int:
        """What both sides must be multiples of."""
        return 2**self.downsamplings

    @property
    def smallest(self) -> int:
        """Shortest side of a picture of the right multiple that the network takes."""
        return self.multiple


class _Encoder(nn.Module):
    """A 1x1 convolution, halvings, and half of the blocks, in a list after an identity: the reference's numbers."""

    def __init__(self, config: StyleGAN2GeneratorConfig) -> None:
        super().__init__()
        widths, size = generator_widths(config.channels), config.size
        layers: list[nn.Module] = [nn.Identity(), conv_layer(config.in_channels, widths[size], 1)]
        for _ in range(config.downsamplings):
            layers.append(ResBlock(widths[size], widths[size // 2], halves=True))
            size //= 2
        layers += [ResBlock(widths[size], widths[size]) for _ in range(config.blocks // 2)]
        self.convs = nn.ModuleList(layers)


class _Decoder(nn.Module):
    """The other blocks, doublings, and a 1x1 convolution."""

    def __init__(self, config: StyleGAN2GeneratorConfig) -> None:
        super().__init__()
        widths, size = generator_widths(config.channels), config.size // config.multiple
        layers: list[nn.Module] = [ResBlock(widths[size], widths[size]) for _ in range(config.blocks // 2)]
        for _ in range(config.downsamplings):
            layers.append(StyledUp(widths[size], widths[2 * size]))
            size *= 2
        layers.append(conv_layer(widths[size], config.out_channels, 1))
        self.convs = nn.ModuleList(layers)

    def forward(self, x: Tensor, noise: Sequence[Tensor]) -> Tensor:
        """`noise`: one for each doubling, or none at all."""
        given = iter(noise)
        for layer in self.convs:
            x = layer(x, next(given, None)) if isinstance(layer, StyledUp) else layer(x)
        return x


class StyleGAN2Generator(nn.Module):
    """Blocks at half the size between one halving and one doubling: `b c h w` in [-1, 1] to about [-1, 1].

    There is no tanh: the output is not bounded, and whoever uses it clamps it.
    """

    def __init__(self, config: StyleGAN2GeneratorConfig) -> None:
        """Build with random weights, PyTorch's own."""
        super().__init__()
        self.config = config
        self.encoder = _Encoder(config)
        self.decoder = _Decoder(config)

    @property
    def layers(self) -> tuple[str, ...]:
        """The encoder's layers in order: `input`, `stem`, `down1` ..., `block1` ...; the reference's 0, 1, 2 ..."""
        config = self.config
        downs = [f"down{number}" for number in range(1, config.downsamplings + 1)]
        return ("input", "stem", *downs, *(f"block{number}" for number in range(1, config.blocks // 2 + 1)))

    def forward(self, x: Tensor, noise: Sequence[Tensor] = ()) -> Tensor:
        """Translate pictures.

        Args:
            x: `b in_channels h w`, float in [-1, 1]; sides that are multiples of `config.multiple`.
            noise: for each doubling one, `b 1 h' w'`, of variance 1. None given: drawn in training, else none added.

        Returns:
            `b out_channels h w`, float, about [-1, 1] but not bounded.

        Raises:
            ShapeError: another rank or channel count, or sides that are no such multiples.
        """
        return self.decoder(self._encoded(x, self.layers[-1:])[0], noise)

    def features(self, x: Tensor, names: Sequence[str]) -> list[Tensor]:
        """What the encoder's layers give for pictures, with no more computed than it takes.

        Args:
            x: as `forward` takes it.
            names: of `layers`, in any order.

        Returns:
            `b c h' w'` for each name.

        Raises:
            ShapeError: as `forward`, or there is no such layer.
        """
        return self._encoded(x, names)

    def translate(self, x: Tensor, names: Sequence[str], noise: Sequence[Tensor] = ()) -> tuple[Tensor, list[Tensor]]:
        """`forward` and `features` of the same pictures, for the price of `forward`."""
        *maps, last = self._encoded(x, [*names, self.layers[-1]])
        return self.decoder(last, noise), maps

    def _encoded(self, x: Tensor, names: Sequence[str]) -> list[Tensor]:
        channels, multiple = self.config.in_channels, self.config.multiple
        if x.ndim != 4 or x.shape[1] != channels or any(side % multiple or not side for side in x.shape[2:]):
            msg = f"expected `b {channels} h w` with sides that are multiples of {multiple}, got {tuple(x.shape)}"
            raise ShapeError(msg)
        if unknown := [name for name in names if name not in self.layers]:
            msg = f"there is no layer {' '.join(unknown)}; expected of {' '.join(self.layers)}"
            raise ShapeError(msg)
        found: dict[str, Tensor] = {}
        for name, layer in zip(self.layers, self.encoder.convs, strict=True):
            x = layer(x)
            found |= {name: x} if name in names else {}
            if len(found) == len(set(names)):
                break
        return [found[name] for name in names]


@dataclass(frozen=True, kw_only=True)
class StyleGAN2DiscriminatorConfig:
    """Layout of one discriminator; the defaults are SinCUT's."""

    in_channels: int = 3

    channels: int = 8
    """The reference's `ndf`: with 8 and patches of 64, 32 features at full size and 384 at the smallest."""

    size: int = 64
    """Side of the patches that it judges, pixels."""

    def __post_init__(self) -> None:
        """Check the values."""
        check_range("in_channels", self.in_channels, 1, 64)
        check_range("channels", self.channels, 1, 512)
        _check_size(self.size, SIZES[0])


class StyleGAN2Discriminator(nn.Module):
    """Residual blocks that halve down to 4 x 4, then two linear layers: a patch to one score, higher is more real."""

    def __init__(self, config: StyleGAN2DiscriminatorConfig) -> None:
        """Build with random weights, PyTorch's own."""
        super().__init__()
        widths, size = judge_widths(config.channels), config.size
        layers: list[nn.Module] = [conv_layer(config.in_channels, widths[size], 1)]
        while size > SIZES[0]:
            layers.append(ResBlock(widths[size], widths[size // 2], halves=True))
            size //= 2
        width = widths[size]
        self.config = config
        self.convs = nn.Sequential(*layers)
        self.final_conv = conv_layer(width, width, 3)
        self.final_linear = nn.Sequential(EqualLinear(width * size**2, width, active=True), EqualLinear(width, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Judge patches.

        Args:
            x: `b in_channels size size`, float in [-1, 1].

        Returns:
            Scores `b 1`, float, unbounded.

        Raises:
            ShapeError: another shape.
        """
        expected = (self.config.in_channels, self.config.size, self.config.size)
        if x.ndim != 4 or tuple(x.shape[1:]) != expected:
            msg = f"expected `b {expected[0]} {expected[1]} {expected[2]}`, got {tuple(x.shape)}"
            raise ShapeError(msg)
        return self.final_linear(torch.flatten(self.final_conv(self.convs(x)), 1))


SPECS = (
    ModelSpec(
        id="stylegan2_generator",
        purpose=Purpose.TRANSLATE,
        config=StyleGAN2GeneratorConfig,
        module=StyleGAN2Generator,
        tiny=StyleGAN2GeneratorConfig(channels=1, size=64, blocks=2),
        paper="https://arxiv.org/abs/2007.15651",
    ),
    ModelSpec(
        id="stylegan2_discriminator",
        purpose=Purpose.DISCRIMINATOR,
        config=StyleGAN2DiscriminatorConfig,
        module=StyleGAN2Discriminator,
        tiny=StyleGAN2DiscriminatorConfig(channels=1, size=32),
        paper="https://arxiv.org/abs/2007.15651",
    ),
)
