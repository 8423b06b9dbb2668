"""A small classifier of sprites, whose features say how alike two sets of sprites are.

What Inception v3 is to the Fréchet Inception distance (Heusel et al., 2017, https://arxiv.org/abs/1706.08500), a
network of sprites' own is to sprites: Inception has learned from photos of 299 pixels and is fed sprites blown up.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..color import srgb_to_oklab
from ..errors import ShapeError
from ..ops.norms import check_range
from ..spec import ModelSpec, Purpose

LEAST_SIDE = 8
"""Pixels of the smallest picture: less is nothing after the halvings."""


@dataclass(frozen=True, kw_only=True)
class SpriteFeaturesConfig:
    """Layout of the classifier."""

    widths: tuple[int, ...] = (24, 48, 96, 128)
    """Features after each convolution; between two of them the side is halved."""

    features: int = 128
    """Numbers that a picture becomes."""

    labels: tuple[str, ...] = ("sprite", "other")
    """Names of the classes, in the order of the scores."""

    def __post_init__(self) -> None:
        """Check the values."""
        for width in self.widths:
            check_range("widths", width, 1, 1024)
        check_range("len(widths)", len(self.widths), 1, 4)
        check_range("features", self.features, 1, 4096)
        check_range("len(labels)", len(self.labels), 2, 4096)


class SpriteFeatures(nn.Module):
    """3x3 convolutions on Oklab, mean and largest response over the picture, two linear layers."""

    def __init__(self, config: SpriteFeaturesConfig) -> None:
        """Build with random weights, PyTorch's own."""
        super().__init__()
        self.config = config
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(source, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
            for source, width in itertools.pairwise((3, *config.widths))
        )
        self.embed = nn.Linear(2 * config.widths[-1], config.features)
        self.classify = nn.Linear(config.features, len(config.labels))

    def features(self, rgb: Tensor) -> Tensor:
        """What is in a picture.

        Args:
            rgb: `b 3 h w`, float in [0, 1], sides from 8; of sprites that are transparent, on white.

        Returns:
            `b config.features`, non-negative.

        Raises:
            ShapeError: another rank, channel count, or too small a side.
        """
        if rgb.ndim != 4 or rgb.shape[1] != 3 or min(rgb.shape[2:]) < LEAST_SIDE:
            msg = f"expected `b 3 h w` with sides from {LEAST_SIDE}, got {tuple(rgb.shape)}"
            raise ShapeError(msg)
        x = srgb_to_oklab(rgb)
        x = torch.cat([2 * x[:, :1] - 1, 4 * x[:, 1:]], dim=1)  # all three about as wide
        for index, block in enumerate(self.blocks):
            x = block(F.avg_pool2d(x, 2) if index else x)
        pooled = torch.cat([x.mean(dim=(2, 3)), x.amax(dim=(2, 3))], dim=1)
        return F.relu(self.embed(pooled))

    def forward(self, rgb: Tensor) -> Tensor:
        """Unscaled log-chances of `config.labels`: `b 3 h w` to `b labels`; see `features`."""
        return self.classify(self.features(rgb))


SPECS = (
    ModelSpec(
        id="sprite_features",
        purpose=Purpose.DESCRIBE,
        config=SpriteFeaturesConfig,
        module=SpriteFeatures,
        tiny=SpriteFeaturesConfig(widths=(8, 8), features=8, labels=("a", "b", "c")),
    ),
)
