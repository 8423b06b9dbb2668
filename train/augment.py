"""Differentiable augmentation of sprites: what a judge sees of real and made ones alike, so that few sprites last.

Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training", NeurIPS 2020,
https://arxiv.org/abs/2006.10738: colour, translation, cutout. For pixel art: sprites move by whole pixels, equal
colours stay equal, and what is transparent stays black.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

_LUMA = torch.tensor([0.299, 0.587, 0.114])


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How strongly a batch is changed; 0 leaves a part out."""

    color: float = 1.0
    """Of light, saturation and contrast; 1 is the paper's."""

    shift: float = 0.125
    """Share of the side by which sprites move at most, whole pixels."""

    cutout: float = 0.5
    """Side of the square that is cut out, as a share of the sprite's."""

    def __call__(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Change every sprite of `b c h w` in its own way, with gradients; the same shape.

        Args:
            x: RGB in [0, 1], or RGB times alpha, and alpha; what comes back may lie outside.
            generator: draws the changes, on the CPU.
        """
        if self.color:
            x = recolored(x, self.color, generator)
        if self.shift:
            x = shifted(x, round(self.shift * x.shape[2]), generator)
        return cut_out(x, round(self.cutout * x.shape[2]), generator) if self.cutout else x


NO_AUGMENTATION = Augmentation(color=0, shift=0, cutout=0)


def recolored(x: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """One affine change of all of a sprite's colours, the paper's ranges at strength 1: `b c h w` to the same."""
    draws = torch.rand(3, len(x), 1, 1, 1, generator=generator).to(x.device)
    light, saturation, contrast = strength * (draws[0] - 0.5), 1 + strength * (2 * draws[1] - 1), draws[2] - 0.5
    rgb = x[:, :3]
    seen = x[:, 3:] if x.shape[1] == 4 else torch.ones_like(x[:, :1])
    rgb = rgb + light * seen
    grey = torch.einsum("bchw,c->bhw", rgb, _LUMA.to(x))[:, None]
    rgb = grey + (rgb - grey) * saturation
    mean = rgb.sum((2, 3), keepdim=True) / seen.sum((2, 3), keepdim=True).clamp_min(1)
    mean = mean.mean(1, keepdim=True) * seen
    rgb = mean + (rgb - mean) * (1 + strength * contrast)
    return torch.cat([rgb, x[:, 3:]], 1)


def shifted(x: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Every sprite moved by up to `most` pixels along both axes, nothing where nothing was: `b c h w` to the same."""
    if most < 1:
        return x
    b, c, height, width = x.shape
    moves = torch.randint(0, 2 * most + 1, (2, b, 1), generator=generator).to(x.device)
    padded = F.pad(x, (most, most, most, most))  # b c h+2m w+2m
    rows = (torch.arange(height, device=x.device) + moves[0])[:, None, :, None]
    columns = (torch.arange(width, device=x.device) + moves[1])[:, None, None, :]
    padded = padded.gather(2, rows.expand(b, c, height, padded.shape[3]))
    return padded.gather(3, columns.expand(b, c, height, width))


def cut_out(x: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """A square of every sprite made nothing, as far as it lies on the picture: `b c h w` to the same."""
    height, width = x.shape[2:]
    centres = torch.rand(2, len(x), 1, generator=generator).to(x.device)
    inside = [
        (torch.arange(size, device=x.device) - (size * centre).floor() + side // 2).div(side).floor() == 0
        for size, centre in ((height, centres[0]), (width, centres[1]))
    ]
    return x * ~(inside[0][:, None, :, None] & inside[1][:, None, None, :])
