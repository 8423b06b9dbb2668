"""PixelSight and Adapter, the two blocks of the Pixel VQ-VAE paper, for any convolutional network.

Saravanan and Guzdial, "Pixel VQ-VAEs for Improved Pixel Art Representation", EXAG 2022,
https://arxiv.org/abs/2203.12130. Both are convolutions of one pixel by one: PixelSight looks at every pixel by itself
before (and after) neighbours are mixed, the Adapter lets the width of a codebook differ from that of the network.
"""

from __future__ import annotations

from torch import nn


def pixel_sight(channels: int, width: int) -> list[nn.Module]:
    """The first layers of an encoder: `b channels h w` to `b width h w`."""
    return [nn.Conv2d(channels, width, 1), nn.BatchNorm2d(width), nn.ReLU()]


def pixel_sight_out(width: int, channels: int) -> list[nn.Module]:
    """The last layers of a decoder, `b width h w` to `b channels h w`; what bounds the picture follows."""
    return [nn.ConvTranspose2d(width, channels, 1), nn.BatchNorm2d(channels)]


def adapter(width: int, other: int) -> nn.Module:
    """From one width to another, linearly: `b width h w` to `b other h w`."""
    return nn.Conv2d(width, other, 1)
