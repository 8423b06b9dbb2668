"""The U-Net generator of pix2pix: picture to picture at full size, with the reference's state-dict keys.

Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017,
https://arxiv.org/abs/1611.07004; after Ronneberger et al., https://arxiv.org/abs/1505.04597.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..errors import ShapeError
from ..ops.narrow import NarrowConvTranspose2d
from ..ops.norms import NORMS, Norm, check_choice, check_range, norm_bias, norm_layer
from ..spec import ModelSpec, Purpose


@dataclass(frozen=True, kw_only=True)
class UnetGeneratorConfig:
    """Layout of one U-Net generator; the defaults are the reference's `unet_256`."""

    in_channels: int = 3
    out_channels: int = 3

    channels: int = 64
    """Features at half size; twice as many at each further halving, up to eight times."""

    downs: int = 8
    """Halvings, 5 or more: 7 is the reference's `unet_128`, 8 its `unet_256`."""

    norm: Norm = "batch"

    dropout: bool = False
    """Dropout of one half on the way up, in the levels between the innermost and the fourth."""

    def __post_init__(self) -> None:
        """Check the values."""
        check_range("in_channels", self.in_channels, 1, 64)
        check_range("out_channels", self.out_channels, 1, 64)
        check_range("channels", self.channels, 1, 512)
        check_range("downs", self.downs, 5, 12)
        check_choice("norm", self.norm, NORMS)

    @property
    def multiple(self) -> int:
        """What both sides must be multiples of."""
        return 2**self.downs

    @property
    def smallest(self) -> int:
        """Shortest side that the network takes."""
        return self.multiple


class Innermost(nn.Module):
    """The bottom of the U: down and up again; gives what it got beside what it made."""

    def __init__(self, outer: int, inner: int, norm: Norm) -> None:
        """`outer` features come in, `inner` are at the bottom."""
        super().__init__()
        bias = norm_bias(norm)
        self.model = nn.Sequential(
            nn.LeakyReLU(0.2),
            nn.Conv2d(outer, inner, 4, stride=2, padding=1, bias=bias),  # no norm: the map may be a single value
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(inner, outer, 4, stride=2, padding=1, bias=bias),
            norm_layer(norm, outer),
        )

    def forward(self, x: Tensor) -> Tensor:
        """`b outer h w` to `b 2*outer h w`."""
        return torch.cat([x, self.model(x)], dim=1)


class Level(nn.Module):
    """One level of the U around the next; gives what it got beside what it made."""

    def __init__(self, outer: int, inner: int, norm: Norm, *, below: nn.Module, dropout: bool) -> None:
        """`outer` features come in, `inner` go to the level `below`, twice as many come back."""
        super().__init__()
        bias = norm_bias(norm)
        layers: list[nn.Module] = [
            nn.LeakyReLU(0.2),
            nn.Conv2d(outer, inner, 4, stride=2, padding=1, bias=bias),
            norm_layer(norm, inner),
            below,
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(2 * inner, outer, 4, stride=2, padding=1, bias=bias),
            norm_layer(norm, outer),
        ]
        self.model = nn.Sequential(*layers, *([nn.Dropout(0.5)] if dropout else []))

    def forward(self, x: Tensor) -> Tensor:
        """`b outer h w` to `b 2*outer h w`.

        The reference's first LeakyReLU works in place and so passes on what it made; the ReLU that follows on the
        way up makes the two ways equal.
        """
        return torch.cat([x, self.model(x)], dim=1)


class Outermost(nn.Module):
    """The top of the U: a convolution before, tanh after, and no skip around it."""

    def __init__(self, config: UnetGeneratorConfig, below: nn.Module) -> None:
        """Build around the level `below`."""
        super().__init__()
        width = config.channels
        self.model = nn.Sequential(
            nn.Conv2d(config.in_channels, width, 4, stride=2, padding=1, bias=norm_bias(config.norm)),
            below,
            nn.ReLU(inplace=True),
            NarrowConvTranspose2d(2 * width, config.out_channels, 4, stride=2, padding=1),
            nn.Tanh(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """`b in_channels h w` to `b out_channels h w`."""
        return self.model(x)


class UnetGenerator(nn.Module):
    """Halvings down to a few pixels and back, each level joined across: [-1, 1] to [-1, 1]."""

    def __init__(self, config: UnetGeneratorConfig) -> None:
        """Build with random weights, PyTorch's own."""
        super().__init__()
        norm, width = config.norm, 8 * config.channels
        level: nn.Module = Innermost(width, width, norm)
        for _ in range(config.downs - 5):
            level = Level(width, width, norm, below=level, dropout=config.dropout)
        for outer in (width // 2, width // 4, width // 8):
            level = Level(outer, 2 * outer, norm, below=level, dropout=False)
        self.config = config
        self.model = Outermost(config, level)

    def forward(self, x: Tensor) -> Tensor:
        """Translate pictures.

        Args:
            x: `b in_channels h w`, float in [-1, 1]; sides that are multiples of `config.multiple`.

        Returns:
            `b out_channels h w`, float in [-1, 1].

        Raises:
            ShapeError: another rank or channel count, or sides that are no such multiples.
        """
        channels, multiple = self.config.in_channels, self.config.multiple
        fits = x.ndim == 4 and x.shape[1] == channels and min(x.shape[2:]) >= multiple
        if not fits or x.shape[2] % multiple or x.shape[3] % multiple:
            msg = f"expected `b {channels} h w` with sides that are multiples of {multiple}, got {tuple(x.shape)}"
            raise ShapeError(msg)
        return self.model(x)


SPECS = (
    ModelSpec(
        id="unet_generator",
        purpose=Purpose.TRANSLATE,
        config=UnetGeneratorConfig,
        module=UnetGenerator,
        tiny=UnetGeneratorConfig(channels=2, downs=5),
        paper="https://arxiv.org/abs/1611.07004",
    ),
)
