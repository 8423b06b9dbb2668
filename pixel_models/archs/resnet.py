"""The ResNet generator of CycleGAN, pix2pix and CUT: picture to picture at full size, with their state-dict keys.

Zhu et al., "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks", ICCV 2017,
https://arxiv.org/abs/1703.10593, after Johnson et al., https://arxiv.org/abs/1603.08155. The anti-aliased stages are
those of Park et al., "Contrastive Learning for Unpaired Image-to-Image Translation", ECCV 2020,
https://arxiv.org/abs/2007.15651. The `resize` stages are against checkerboards: Odena et al., "Deconvolution and
Checkerboard Artifacts", 2016, https://distill.pub/2016/deconv-checkerboard/.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from torch import Tensor, nn

from ..errors import ShapeError
from ..ops.blur import BlurDownsample, BlurUpsample
from ..ops.mirror import ReflectionPad2d
from ..ops.narrow import NarrowConv2d
from ..ops.norms import NORMS, Norm, check_choice, check_range, norm_bias, norm_layer
from ..spec import ModelSpec, Purpose

Padding = Literal["reflect", "replicate", "zero"]
Downsample = Literal["conv", "antialias"]
Upsample = Literal["transpose", "antialias", "resize"]

SMALLEST_SIDE = 5
"""Pixels: below this a quarter of the side is one pixel, which has nothing to mirror."""


@dataclass(frozen=True, kw_only=True)
class ResnetGeneratorConfig:
    """Layout of one ResNet generator; the defaults are the reference's `resnet_9blocks`."""

    in_channels: int = 3
    out_channels: int = 3

    channels: int = 64
    """Features at full size; twice as many at half, four times at a quarter."""

    blocks: int = 9
    """Residual blocks at a quarter of the size."""

    norm: Norm = "instance"

    dropout: bool = False
    """Dropout of one half inside the residual blocks; it shifts the keys of what follows it."""

    padding: Padding = "reflect"
    """What the residual blocks see beyond the border; with `zero` there is no pad layer, which shifts keys."""

    downsample: Downsample = "conv"
    """A convolution of stride 2, or CUT's of stride 1 and a blur that halves."""

    upsample: Upsample = "transpose"
    """A transposed convolution, CUT's blur that doubles and a convolution, or every pixel twice and a convolution."""

    def __post_init__(self) -> None:
        """Check the values."""
        check_range("in_channels", self.in_channels, 1, 64)
        check_range("out_channels", self.out_channels, 1, 64)
        check_range("channels", self.channels, 1, 512)
        check_range("blocks", self.blocks, 0, 64)
        check_choice("norm", self.norm, NORMS)
        check_choice("padding", self.padding, get_args(Padding))
        check_choice("downsample", self.downsample, get_args(Downsample))
        check_choice("upsample", self.upsample, get_args(Upsample))

    @property
    def multiple(self) -> int:
        """What both sides must be multiples of for the output to have the input's size."""
        return 4

    @property
    def smallest(self) -> int:
        """Shortest side of a picture of the right multiple that the network takes."""
        return 8


class ConvBlock(nn.Module):
    """A residual block as the reference has it: pad, conv, norm, ReLU, (dropout,) pad, conv, norm; added, no ReLU."""

    def __init__(self, channels: int, config: ResnetGeneratorConfig) -> None:
        """Build the block with random weights."""
        super().__init__()
        layers: list[nn.Module] = []
        for last in (False, True):
            if config.padding != "zero":
                layers.append(ReflectionPad2d(1) if config.padding == "reflect" else nn.ReplicationPad2d(1))
            around = 1 if config.padding == "zero" else 0
            layers.append(nn.Conv2d(channels, channels, 3, padding=around, bias=norm_bias(config.norm)))
            layers.append(norm_layer(config.norm, channels))
            if not last:
                layers.append(nn.ReLU(inplace=True))
                layers += [nn.Dropout(0.5)] if config.dropout else []
        self.conv_block = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """`b c h w` to `b c h w`."""
        return x + self.conv_block(x)


class ResnetGenerator(nn.Module):
    """Two halvings, residual blocks, two doublings: `b c h w` in [-1, 1] to `b c' h w` in [-1, 1]."""

    def __init__(self, config: ResnetGeneratorConfig) -> None:
        """Build with random weights, PyTorch's own."""
        super().__init__()
        width, bias = config.channels, norm_bias(config.norm)
        layers: list[nn.Module] = [
            ReflectionPad2d(3),
            nn.Conv2d(config.in_channels, width, 7, bias=bias),
            norm_layer(config.norm, width),
            nn.ReLU(inplace=True),
        ]
        for _ in range(2):
            layers += _down(width, config)
            width *= 2
        layers += [ConvBlock(width, config) for _ in range(config.blocks)]
        for _ in range(2):
            layers += _up(width, config)
            width //= 2
        layers += [ReflectionPad2d(3), NarrowConv2d(width, config.out_channels, 7), nn.Tanh()]
        self.config = config
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Translate pictures.

        Args:
            x: `b in_channels h w`, float in [-1, 1]; sides of `SMALLEST_SIDE` or more.

        Returns:
            `b out_channels h w`, float in [-1, 1], where `h` and `w` are multiples of 4; else each side comes out
            as the next multiple of 4.

        Raises:
            ShapeError: another rank or channel count, or a side that is too short.
        """
        _check_picture(x, self.config.in_channels)
        return self.model(x)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers that `features` gives, in the order of computation.

        `input` is the padded picture, `stem`, `down1` and `down2` are convolutions before their norm, then the blocks.
        """
        return tuple(self._places())

    def features(self, x: Tensor, names: Sequence[str]) -> list[Tensor]:
        """Activations after some layers; what comes after the last of them is not computed.

        Args:
            x: as `forward` takes it.
            names: of `layers`, in any order.

        Returns:
            One `b c h w` for each name, in the order of `names`.

        Raises:
            ShapeError: as `forward`, or there is no such layer.
        """
        return self.translate(x, names, whole=False)[1]

    def translate(self, x: Tensor, names: Sequence[str], *, whole: bool = True) -> tuple[Tensor, list[Tensor]]:
        """What `forward` and `features` give, in one pass; unless `whole`, the first is where the pass ended."""
        _check_picture(x, self.config.in_channels)
        places = self._places()
        if unknown := [name for name in names if name not in places]:
            msg = f"there is no layer {' '.join(unknown)}; expected of {' '.join(places)}"
            raise ShapeError(msg)
        wanted = {places[name] for name in names}
        last = len(self.model) - 1 if whole else max(wanted, default=-1)
        found: dict[int, Tensor] = {}
        for index, layer in enumerate(list(self.model)[: last + 1]):
            x = layer(x)
            if index in wanted:
                found[index] = x
                if index < last and self.config.norm == "none":  # a ReLU in place would come straight after
                    x = x.clone()
        return x, [found[places[name]] for name in names]

    def _places(self) -> dict[str, int]:
        """Where in `model` each named layer is."""
        blocks = [index for index, layer in enumerate(self.model) if isinstance(layer, ConvBlock)]
        convs = [index for index, layer in enumerate(self.model) if isinstance(layer, nn.Conv2d)][:3]
        names = {"input": 0, **dict(zip(("stem", "down1", "down2"), convs, strict=True))}
        return names | {f"block{number}": index for number, index in enumerate(blocks, 1)}


def _check_picture(x: Tensor, channels: int) -> None:
    if x.ndim != 4 or x.shape[1] != channels or min(x.shape[2:]) < SMALLEST_SIDE:
        msg = f"expected `b {channels} h w` with sides of at least {SMALLEST_SIDE}, got {tuple(x.shape)}"
        raise ShapeError(msg)


def _down(width: int, config: ResnetGeneratorConfig) -> list[nn.Module]:
    """Layers from `width` features to twice as many at half the size."""
    stride = 2 if config.downsample == "conv" else 1
    conv = nn.Conv2d(width, 2 * width, 3, stride=stride, padding=1, bias=norm_bias(config.norm))
    layers = [conv, norm_layer(config.norm, 2 * width), nn.ReLU(inplace=True)]
    return layers if stride == 2 else [*layers, BlurDownsample(2 * width)]


def _up(width: int, config: ResnetGeneratorConfig) -> list[nn.Module]:
    """Layers from `width` features to half as many at twice the size."""
    bias, half = norm_bias(config.norm), width // 2
    after = [norm_layer(config.norm, half), nn.ReLU(inplace=True)]
    if config.upsample == "transpose":
        conv = nn.ConvTranspose2d(width, half, 3, stride=2, padding=1, output_padding=1, bias=bias)
        return [conv, *after]
    if config.upsample == "antialias":
        return [BlurUpsample(width), nn.Conv2d(width, half, 3, padding=1, bias=bias), *after]
    conv = nn.Conv2d(width, half, 3, padding=1, padding_mode="reflect", bias=bias)  # ours, so no rim of zeros
    return [nn.Upsample(scale_factor=2, mode="nearest"), conv, *after]


SPECS = (
    ModelSpec(
        id="resnet_generator",
        purpose=Purpose.TRANSLATE,
        config=ResnetGeneratorConfig,
        module=ResnetGenerator,
        tiny=ResnetGeneratorConfig(channels=4, blocks=1),
        paper="https://arxiv.org/abs/1703.10593",
    ),
)
