"""The paper's pictures: sprites on white, black and noise, turned, mirrored, resized to 64 pixels.

Saravanan and Guzdial, "Pixel VQ-VAEs for Improved Pixel Art Representation", EXAG 2022,
https://arxiv.org/abs/2203.12130. The reference's script differs from what the paper describes; here, every sprite gets
the same backgrounds, noise is for training alone, sprites are turned both ways, and nothing overwrites anything.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from .canvas import randint
from .pictures import PictureSet
from .sprites import rotated

SIDE = 64
"""The shorter side of the paper's pictures, pixels."""

PLAIN: tuple[str, ...] = ("white", "black")
"""Backgrounds of every split."""

NOISE: tuple[str, ...] = ("noise1", "noise2")
"""Backgrounds of the training split."""

TURNS: tuple[int, ...] = (0, 15, 30, -15, -30)
"""Degrees counter-clockwise; a sprite that is mirrored is not turned."""

VARIANTS = (len(TURNS) + 1) * (len(PLAIN) + len(NOISE))
"""Training pictures that a sprite gives."""


def noise(normal: NDArray[np.float64]) -> Tensor:
    """The reference's noise: the bytes of normal numbers taken for RGBA pixels, alpha dropped.

    Args:
        normal: `h w 3`, drawn from N(0, 1).

    Returns:
        `3 h w`, uint8; the blue of odd columns is bright, for it holds the numbers' exponents.
    """
    height, width, _ = normal.shape
    data = np.ascontiguousarray(normal, "<f8").tobytes()[: height * width * 4]
    rgba = np.frombuffer(bytearray(data), np.uint8).reshape(height, width, 4)
    return torch.from_numpy(rgba[..., :3].copy()).permute(2, 0, 1).contiguous()


def on_background(sprite: Tensor, background: Tensor) -> Tensor:
    """Composite `4 h w` on `3 h w`, both uint8, rounded as Pillow does: `3 h w`, uint8."""
    alpha = sprite[3:].int()
    mixed = sprite[:3].int() * alpha + background.int() * (255 - alpha) + 128
    return ((mixed + (mixed >> 8)) >> 8).to(torch.uint8)


def resized(rgb: Tensor, side: int = SIDE) -> Tensor:
    """Bring the shorter side to `side` by bicubic interpolation without antialias, as torchvision 0.11 did.

    Args:
        rgb: `3 h w`, float32 in [0, 1].
        side: pixels.

    Returns:
        `3 h w`; hard edges overshoot to about -0.13 and 1.14.
    """
    height, width = rgb.shape[1:]
    size = (side, side * width // height) if height <= width else (side * height // width, side)
    return F.interpolate(rgb[None], size, mode="bicubic", align_corners=False, antialias=False)[0]


@dataclass(frozen=True)
class PaperBatches:
    """Batches of the paper's training pictures: `pictures` `b 3 64 64`, float32, about 1 in 24 of each variant.

    Pictures that are not square lose what is beyond 64 pixels, evenly on both sides.
    """

    sprites: PictureSet
    count: int = 64
    backgrounds: tuple[str, ...] = (*PLAIN, *NOISE)

    def __call__(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Draw a batch."""
        return {"pictures": torch.stack([self._picture(generator) for _ in range(self.count)])}

    def _picture(self, g: torch.Generator) -> Tensor:
        sprite = self.sprites.pictures[randint(g, 0, len(self.sprites) - 1)]
        background = self.backgrounds[randint(g, 0, len(self.backgrounds) - 1)]
        variant = randint(g, 0, len(TURNS))
        turned = sprite.flip(2) if variant == len(TURNS) else rotated(sprite, TURNS[variant])
        return square(resized(on_background(turned, behind(background, sprite.shape[1:], g)).float() / 255))


def behind(name: str, size: torch.Size, generator: torch.Generator) -> Tensor:
    """A background of `PLAIN` or `NOISE`, `3 h w` uint8."""
    if name in PLAIN:
        return torch.full((3, *size), 255 if name == "white" else 0, dtype=torch.uint8)
    return noise(np.random.default_rng(randint(generator, 0, 2**53)).normal(size=(*size, 3)))


def square(picture: Tensor, side: int = SIDE) -> Tensor:
    """The middle `side` pixels of both axes: `c h w` to `c side side`."""
    top, left = ((size - side) // 2 for size in picture.shape[1:])
    return picture[:, top : top + side, left : left + side]
