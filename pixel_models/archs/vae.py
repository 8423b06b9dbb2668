"""The convolutional VAE that the Pixel VQ-VAE paper compares with, and its Pixel VAE, which has PixelSight.

Saravanan and Guzdial, "Pixel VQ-VAEs for Improved Pixel Art Representation", EXAG 2022,
https://arxiv.org/abs/2203.12130; Kingma and Welling, "Auto-Encoding Variational Bayes", ICLR 2014,
https://arxiv.org/abs/1312.6114. State-dict keys are the reference's.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..errors import ShapeError
from ..ops.norms import check_range
from ..ops.pixelsight import pixel_sight, pixel_sight_out
from ..spec import ModelSpec, Purpose


@dataclass(frozen=True, kw_only=True)
class VAEConfig:
    """Layout of one VAE; the defaults are the paper's."""

    layers: int = 4
    """Halvings of the side."""

    filters: int = 512
    """Features of the deepest block."""

    latent: int = 256
    """Numbers that a picture becomes."""

    size: int = 64
    """Side of the square pictures, pixels; a multiple of `2**layers`."""

    pixelsight: bool = False
    """A layer that looks at every pixel by itself, first and last."""

    channels: int = 3
    """3: RGB in [0, 1]. 4: RGB times alpha, and alpha."""

    def __post_init__(self) -> None:
        """Check the values."""
        check_range("layers", self.layers, 1, 8)
        check_range("filters", self.filters, 1, 2048)
        check_range("latent", self.latent, 1, 4096)
        check_range("size", self.size, 2, 512)
        check_range("channels", self.channels, 3, 4)
        if self.size % 2**self.layers:
            msg = f"size is {self.size}, expected a multiple of {2**self.layers}"
            raise ValueError(msg)
        if self.widths[0] < 1:
            msg = f"{self.filters} features cannot be halved {len(self.widths) - 1} times"
            raise ValueError(msg)

    @property
    def widths(self) -> tuple[int, ...]:
        """Features of the encoder's blocks, first to last."""
        blocks = self.layers + self.pixelsight
        return tuple(self.filters // 2 ** (blocks - 1 - block) for block in range(blocks))

    @property
    def inner(self) -> int:
        """Side of the deepest features."""
        return self.size // 2**self.layers


class VAEOutput(NamedTuple):
    """A picture that went through the latent."""

    picture: Tensor
    """`b c h w`, in [0, 1]."""

    mean: Tensor
    """`b latent`."""

    log_variance: Tensor
    """`b latent`."""


class VAE(nn.Module):
    """Encoder to a mean and a variance for each latent number, decoder from the latent; pictures in [0, 1]."""

    def __init__(self, config: VAEConfig) -> None:
        """Build with random weights, PyTorch's own."""
        super().__init__()
        self.config = config
        widths, channels = config.widths, config.channels
        halvings = list(itertools.pairwise(widths if config.pixelsight else (channels, *widths)))
        encoder = pixel_sight(channels, widths[0]) if config.pixelsight else []
        for source, width in halvings:
            encoder += [nn.Conv2d(source, width, 2, stride=2, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
        flat = config.filters * config.inner**2
        self.encoder = nn.Sequential(*encoder, nn.Flatten())
        self.fc_mu = nn.Linear(flat, config.latent)
        self.fc_log_var = nn.Linear(flat, config.latent)
        decoder: list[nn.Module] = [
            nn.Linear(config.latent, flat),
            nn.Unflatten(1, (config.filters, config.inner, config.inner)),
        ]
        for target, width in reversed(halvings):
            decoder += [nn.ConvTranspose2d(width, target, 2, stride=2, bias=False), nn.BatchNorm2d(target), nn.ReLU()]
        if config.pixelsight:
            decoder += [*pixel_sight_out(widths[0], channels), nn.Sigmoid()]
        else:
            decoder[-1] = nn.Sigmoid()
        self.decoder = nn.Sequential(*decoder)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance, `b latent` each, of pictures `b c size size` in [0, 1].

        Raises:
            ShapeError: another shape.
        """
        wanted = (self.config.channels, self.config.size, self.config.size)
        if x.ndim != 4 or tuple(x.shape[1:]) != wanted:
            msg = f"expected `b {' '.join(map(str, wanted))}`, got {tuple(x.shape)}"
            raise ShapeError(msg)
        features = self.encoder(x)
        return self.fc_mu(features), self.fc_log_var(features)

    def decode(self, latent: Tensor) -> Tensor:
        """Pictures `b c size size` in [0, 1] of `b latent`, numbers drawn from N(0, 1)."""
        return self.decoder(latent)

    def decode_logits(self, latent: Tensor) -> Tensor:
        """What `decode` takes the sigmoid of, for losses whose gradients must not die where it is 0 or 1."""
        return self.decoder[:-1](latent)

    def forward(self, x: Tensor, noise: Tensor | None = None) -> VAEOutput:
        """A picture through the latent.

        Args:
            x: as for `encode`.
            noise: `b latent`, drawn from N(0, 1) by the caller's generator; None takes the mean.
        """
        mean, log_variance = self.encode(x)
        latent = mean if noise is None else mean + torch.exp(0.5 * log_variance) * noise
        return VAEOutput(self.decode(latent), mean, log_variance)


SPECS = (
    ModelSpec(
        id="vae",
        purpose=Purpose.GENERATE,
        config=VAEConfig,
        module=VAE,
        tiny=VAEConfig(layers=2, filters=16, latent=8, size=16, pixelsight=True),
        paper="https://arxiv.org/abs/2203.12130",
    ),
)
