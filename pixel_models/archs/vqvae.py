"""VQ-VAE and Pixel VQ-VAE: a picture as a grid of codes, each of which stands for a small patch.

Saravanan and Guzdial, "Pixel VQ-VAEs for Improved Pixel Art Representation", EXAG 2022,
https://arxiv.org/abs/2203.12130. State-dict keys are the reference's.

Every convolution's stride is its side, so nothing mixes patches: the code of a patch of `2**layers` pixels a side
depends on that patch alone, and a code decodes to one fixed patch. `pixel_models.codes` makes use of both.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..errors import ShapeError
from ..ops.norms import check_range
from ..ops.pixelsight import adapter, pixel_sight, pixel_sight_out
from ..ops.quantizer import VectorQuantizer
from ..spec import ModelSpec, Purpose


@dataclass(frozen=True, kw_only=True)
class VQVAEConfig:
    """Layout of one VQ-VAE; the defaults are the paper's Pixel VQ-VAE HiRes."""

    layers: int = 0
    """Halvings: 2 is LowRes, 1 MedRes, 0 HiRes."""

    codes: int = 256
    """Entries of the codebook."""

    embedding: int = 32
    """Length of a code's vector; the paper has 64 for LowRes."""

    filters: int = 512
    """Features of the widest layer, where there is an adapter; else `embedding`."""

    pixelsight: bool = True
    """A layer that looks at every pixel by itself, first and last."""

    adapter: bool = True
    """Layers between the network's width and the codebook's."""

    channels: int = 3
    """3: RGB in [0, 1]. 4: RGB times alpha, and alpha."""

    def __post_init__(self) -> None:
        """Check the values."""
        check_range("layers", self.layers, 0, 4)
        check_range("codes", self.codes, 2, 16384)
        check_range("embedding", self.embedding, 1, 1024)
        check_range("filters", self.filters, 1, 2048)
        check_range("channels", self.channels, 3, 4)
        if self.layers == 0 and not self.pixelsight:
            msg = "layers is 0 and pixelsight off, which leaves no network; expected one of them"
            raise ValueError(msg)
        if self.widths[0] < 1:
            msg = f"{self.filters if self.adapter else self.embedding} features cannot be halved {self.layers} times"
            raise ValueError(msg)

    @property
    def patch(self) -> int:
        """Side of the patch that a code stands for, pixels."""
        return 2**self.layers

    @property
    def widths(self) -> tuple[int, ...]:
        """Features of the encoder's blocks, first to last."""
        blocks = self.layers + self.pixelsight
        top = self.filters if self.adapter else self.embedding
        return tuple(top // 2 ** (blocks - 1 - block) for block in range(blocks))


class Reconstruction(NamedTuple):
    """A picture that went through codes."""

    picture: Tensor
    """`b c h w`, in [0, 1]."""

    indices: Tensor
    """`b h/p w/p`, int64."""

    commitment: Tensor
    """Scalar: how far the encoder's features lie from their codes, mean squared."""


class VQVAE(nn.Module):
    """Encoder, codebook, decoder; pictures are `b c h w` in [0, 1], sides multiples of the patch."""

    def __init__(self, config: VQVAEConfig) -> None:
        """Build with random weights, PyTorch's own, and the reference's random codebook."""
        super().__init__()
        self.config = config
        widths, channels = config.widths, config.channels
        encoder = pixel_sight(channels, widths[0]) if config.pixelsight else []
        halvings = list(itertools.pairwise(widths if config.pixelsight else (channels, *widths)))
        for source, width in halvings:
            encoder += [nn.Conv2d(source, width, 2, stride=2, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
        decoder: list[nn.Module] = []
        if config.adapter:
            encoder.append(adapter(config.filters, config.embedding))
            decoder.append(adapter(config.embedding, config.filters))
        for target, width in reversed(halvings):
            decoder += [nn.ConvTranspose2d(width, target, 2, stride=2, bias=False), nn.BatchNorm2d(target), nn.ReLU()]
        if config.pixelsight:
            decoder += [*pixel_sight_out(widths[0], channels), nn.Sigmoid()]
        else:
            decoder[-1] = nn.Sigmoid()
        self.encoder = nn.Sequential(*encoder)
        self.vq_vae = VectorQuantizer(config.codes, config.embedding)
        self.decoder = nn.Sequential(*decoder)

    def encode(self, x: Tensor) -> Tensor:
        """Codes of a picture.

        Args:
            x: `b c h w`, float in [0, 1], sides multiples of `config.patch`.

        Returns:
            `b h/p w/p`, int64.

        Raises:
            ShapeError: another rank, channel count or side.
        """
        return self.vq_vae.encode(self.encoder(self._checked(x)))

    def decode(self, indices: Tensor) -> Tensor:
        """The picture of codes: `b h w`, int64 below `config.codes`, to `b c h*p w*p` in [0, 1]."""
        return self.decoder(self.vq_vae.lookup(indices))

    def forward(self, x: Tensor) -> Reconstruction:
        """A picture through its codes; see `encode`."""
        quantized = self.vq_vae(self.encoder(self._checked(x)))
        return Reconstruction(self.decoder(quantized.values), quantized.indices, quantized.distance)

    @torch.no_grad()
    def table(self) -> Tensor:
        """Every code's patch, `codes c p p`: decoding is a look-up in it (in eval mode)."""
        return self.decode(torch.arange(self.config.codes, device=self.vq_vae.codebook.device).view(-1, 1, 1))

    def _checked(self, x: Tensor) -> Tensor:
        patch, channels = self.config.patch, self.config.channels
        if x.ndim != 4 or x.shape[1] != channels or x.shape[2] % patch or x.shape[3] % patch:
            msg = f"expected `b {channels} h w` with sides that are multiples of {patch}, got {tuple(x.shape)}"
            raise ShapeError(msg)
        return x


SPECS = (
    ModelSpec(
        id="vqvae",
        purpose=Purpose.ENCODE,
        config=VQVAEConfig,
        module=VQVAE,
        tiny=VQVAEConfig(layers=1, codes=16, embedding=8, filters=16),
        paper="https://arxiv.org/abs/2203.12130",
    ),
)
