"""DCGAN: sprites from noise, and the judge that it learns from; optionally RGBA with hard alpha, and with labels.

Radford, Metz and Chintala, "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
Networks", ICLR 2016, https://arxiv.org/abs/1511.06434, in the layout that Saravanan and Guzdial, "Pixel VQ-VAEs for
Improved Pixel Art Representation", EXAG 2022, https://arxiv.org/abs/2203.12130, compare with; state-dict keys are
their reference's. Beyond it: sides of 16 and 32 pixels, alpha, labels, and a judge without batch norm.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..errors import ShapeError
from ..ops.norms import Norm, check_choice, check_range, norm_layer
from ..spec import ModelSpec, Purpose

SIZES: tuple[int, ...] = (16, 32, 64)
"""Sides that a generator may draw, pixels."""

RANGES: tuple[str, ...] = ("unit", "clamp")
"""How tanh becomes [0, 1]. `unit`: (tanh + 1) / 2. `clamp`: what is below 0 is 0, as the reference's samples, whose
network was trained against pictures in [0, 1]."""

_JUDGE_NORMS: tuple[str, ...] = ("batch", "none")
_MOST_LABELS = 4096


def _check_shape(size: int, channels: int, filters: int, labels: tuple[str, ...]) -> None:
    """Refuse values that no such network can have.

    Raises:
        ValueError: says which.
    """
    check_range("filters", filters, 1, 512)
    check_range("channels", channels, 3, 4)
    check_range("number of labels", len(labels), 0, _MOST_LABELS)
    if size not in SIZES:
        msg = f"size is {size!r}, expected one of {', '.join(map(str, SIZES))}"
        raise ValueError(msg)
    if len(set(labels)) != len(labels) or not all(isinstance(name, str) and name for name in labels):
        msg = f"labels are {labels}, expected names, each once"
        raise ValueError(msg)


def _widths(size: int, filters: int) -> tuple[int, ...]:
    """Features at 4x4, at 8x8 and so on, up to half of the side: `filters` there, twice as many at each step inward."""
    steps = size.bit_length() - 3
    return tuple(filters << step for step in reversed(range(steps)))


@dataclass(frozen=True, kw_only=True)
class DCGANConfig:
    """Layout of one generator; the defaults are those of the reference's scripts. The paper's has 128 filters."""

    latent: int = 100
    """Numbers that a sprite is drawn from, of N(0, 1)."""

    filters: int = 64
    """Features of the last but one layer."""

    size: int = 64
    """Side of the sprites, pixels: one of `SIZES`."""

    channels: int = 3
    """3: RGB in [0, 1]. 4: RGB times alpha, and alpha, which is 0 or 1."""

    labels: tuple[str, ...] = ()
    """Names of what can be asked for, in the order of the vector of labels; ``group=value``."""

    range: str = "unit"
    """One of `RANGES`."""

    def __post_init__(self) -> None:
        """Check the values."""
        check_range("latent", self.latent, 1, 4096)
        check_choice("range", self.range, RANGES)
        _check_shape(self.size, self.channels, self.filters, self.labels)


class DCGANGenerator(nn.Module):
    """Numbers from N(0, 1), and what is asked for, to sprites in [0, 1]."""

    def __init__(self, config: DCGANConfig) -> None:
        """Build with random weights, PyTorch's own."""
        super().__init__()
        self.config = config
        widths = _widths(config.size, config.filters)
        layers: list[nn.Module] = []
        for place, width in enumerate(widths):
            source = widths[place - 1] if place else config.latent + len(config.labels)
            step, pad = (2, 1) if place else (1, 0)
            layers += [nn.ConvTranspose2d(source, width, 4, step, pad, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
        last = nn.ConvTranspose2d(widths[-1], config.channels, 4, 2, 1, bias=False)
        self.main = nn.Sequential(*layers, last, nn.Tanh())

    def raw(self, latent: Tensor, labels: Tensor | None = None) -> Tensor:
        """What the layers give, in [-1, 1]: `b latent` and `b labels` (None: nothing is asked for) to `b c size size`.

        Raises:
            ShapeError: numbers or labels are not as many as the config says.
        """
        config = self.config
        if latent.ndim != 2 or latent.shape[1] != config.latent:
            msg = f"latent is {tuple(latent.shape)}, expected `b {config.latent}`"
            raise ShapeError(msg)
        if labels is not None and tuple(labels.shape) != (len(latent), len(config.labels)):
            msg = f"labels are {tuple(labels.shape)}, expected {(len(latent), len(config.labels))}"
            raise ShapeError(msg)
        if config.labels:
            asked = latent.new_zeros(len(latent), len(config.labels)) if labels is None else labels.to(latent.dtype)
            latent = torch.cat([latent, asked], 1)
        return self.main(latent[:, :, None, None])

    def forward(self, latent: Tensor, labels: Tensor | None = None) -> Tensor:
        """Sprites.

        Args:
            latent: `b latent`, float32, drawn from N(0, 1) by the caller's generator.
            labels: `b labels`, 1 for what is asked for; None: whatever comes.

        Returns:
            `b c size size` in [0, 1]; of 4 channels RGB times alpha, and alpha, 0 or 1. Its gradient is that of the
            soft alpha before it was decided (straight-through).

        Raises:
            ShapeError: numbers or labels are not as many as the config says.
        """
        made = self.raw(latent, labels)
        made = made.clamp(0, 1) if self.config.range == "clamp" else (made + 1) / 2
        if self.config.channels == 3:
            return made
        soft = made[:, 3:]
        alpha = (soft >= 0.5).to(soft.dtype) + (soft - soft.detach())
        return torch.cat([made[:, :3] * alpha, alpha], 1)


@dataclass(frozen=True, kw_only=True)
class JudgeConfig:
    """Layout of one discriminator; the defaults are the reference's."""

    filters: int = 64
    """Features of the first layer."""

    size: int = 64
    """Side of the sprites, pixels: one of `SIZES`."""

    channels: int = 3
    """As the generator's."""

    labels: tuple[str, ...] = ()
    """As the generator's."""

    norm: Norm = "batch"
    """`none` where something else holds the judge back, such as spectral norm."""

    def __post_init__(self) -> None:
        """Check the values."""
        check_choice("norm", self.norm, _JUDGE_NORMS)
        _check_shape(self.size, self.channels, self.filters, self.labels)


class DCGANDiscriminator(nn.Module):
    """Tells sprites from made ones.

    Labels are projected (Miyato and Koyama, "cGANs with Projection Discriminator", ICLR 2018,
    https://arxiv.org/abs/1802.05637) rather than joined as planes: several labels at once add up, one that is rare
    costs the others nothing, and without labels the network is the plain one, key by key.
    """

    def __init__(self, config: JudgeConfig) -> None:
        """Build with random weights, PyTorch's own."""
        super().__init__()
        self.config = config
        widths = tuple(reversed(_widths(config.size, config.filters)))
        layers: list[nn.Module] = [nn.Conv2d(config.channels, widths[0], 4, 2, 1, bias=False), nn.LeakyReLU(0.2)]
        for source, width in itertools.pairwise(widths):
            conv = nn.Conv2d(source, width, 4, 2, 1, bias=False)
            layers += [conv, norm_layer(config.norm, width), nn.LeakyReLU(0.2)]
        self.main = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 4, bias=False))
        self.project = nn.Linear(len(config.labels), widths[-1], bias=False) if config.labels else None

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """How real sprites look: logits `b`; the sigmoid, which the reference has inside, is the loss's.

        Args:
            x: `b c size size`, as the generator's.
            labels: `b labels`, what was asked for; None: nothing.

        Raises:
            ShapeError: another shape.
        """
        config = self.config
        wanted = (config.channels, config.size, config.size)
        if x.ndim != 4 or tuple(x.shape[1:]) != wanted:
            msg = f"expected `b {' '.join(map(str, wanted))}`, got {tuple(x.shape)}"
            raise ShapeError(msg)
        features = self.main[:-1](x)
        logits = self.main[-1](features).flatten()
        if self.project is None or labels is None:
            return logits
        return logits + (self.project(labels.to(features.dtype)) * features.mean((2, 3))).sum(1)


SPECS = (
    ModelSpec(
        id="dcgan",
        purpose=Purpose.GENERATE,
        config=DCGANConfig,
        module=DCGANGenerator,
        tiny=DCGANConfig(latent=6, filters=4, size=16, channels=4, labels=("kind=orc", "kind=elf")),
        paper="https://arxiv.org/abs/1511.06434",
    ),
    ModelSpec(
        id="dcgan_discriminator",
        purpose=Purpose.DISCRIMINATOR,
        config=JudgeConfig,
        module=DCGANDiscriminator,
        tiny=JudgeConfig(filters=4, size=16),
        paper="https://arxiv.org/abs/1511.06434",
    ),
)
