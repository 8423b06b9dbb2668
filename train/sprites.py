"""Sprites as a network of codes sees them: RGB times alpha and alpha, never resampled, cut into patches."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from .canvas import rand, randint
from .pictures import PictureSet
from .weighted import distinct

BACKGROUNDS: tuple[str, ...] = ("mean", "white", "black")
"""What a picture without alpha has where the sprite is transparent; `mean`: the patch's mean visible colour."""

LARGEST = 64
"""Of larger sprites a part is drawn, pixels a side."""

_TO_YIQ = torch.tensor([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
_TO_RGB = torch.linalg.inv(_TO_YIQ)


def hard(sprite: Tensor) -> Tensor:
    """Alpha of 0 or 255, black where nothing is: `4 h w` uint8 to the same."""
    opaque = sprite[3:] >= 128
    return torch.cat([sprite[:3] * opaque, opaque * torch.tensor(255, dtype=torch.uint8)])


def laid(sprite: Tensor, patch: int, top: int = 0, left: int = 0) -> Tensor:
    """Transparent margins, so that the sides are multiples of `patch`: `c h w` to `c H W`."""
    height, width = sprite.shape[1:]
    return F.pad(sprite, (left, -(width + left) % patch, top, -(height + top) % patch))


def cut(picture: Tensor, patch: int) -> Tensor:
    """`c h*p w*p` to `h*w c p p`, row by row."""
    c, height, width = picture.shape
    grid = picture.view(c, height // patch, patch, width // patch, patch)
    return grid.permute(1, 3, 0, 2, 4).reshape(-1, c, patch, patch)


def join(patches: Tensor, width: int) -> Tensor:
    """The reverse of `cut`: `h*w c p p` and how many stand side by side, to `c h*p w*p`."""
    n, c, patch, _ = patches.shape
    grid = patches.view(n // width, width, c, patch, patch)
    return grid.permute(2, 0, 3, 1, 4).reshape(c, n // width * patch, width * patch)


def without_alpha(patches: Tensor, background: str) -> Tensor:
    """Opaque patches on a background, one of `BACKGROUNDS`: `n 4 p p` uint8 as of `hard`, to `n 3 p p` uint8."""
    rgb, opaque = patches[:, :3].float(), patches[:, 3:] > 0
    seen = opaque.sum((2, 3), keepdim=True)
    behind = torch.full_like(rgb[:, :, :1, :1], 0.0 if background == "black" else 255.0)
    if background == "mean":
        behind = torch.where(seen > 0, rgb.sum((2, 3), keepdim=True) / seen.clamp_min(1), behind)
    return torch.where(opaque, rgb, behind.round()).to(torch.uint8)


def jitter(sprite: Tensor, generator: torch.Generator) -> Tensor:
    """The same drawing in a slightly other palette, in whole 8-bit values: `4 h w` uint8 as of `hard`, to the same."""
    turn = rand(generator, -0.35, 0.35)
    strong, light = rand(generator, 0.8, 1.2), rand(generator, 0.9, 1.1)
    turned = torch.tensor([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]]) * strong
    change = torch.eye(3)
    change[1:, 1:] = turned
    rgb = torch.einsum("ij,jhw->ihw", _TO_RGB @ change @ _TO_YIQ * light, sprite[:3].float())
    if rand(generator) < 0.15:
        rgb = rgb[torch.randperm(3, generator=generator)]
    return torch.cat([rgb.round().clamp(0, 255).to(torch.uint8) * (sprite[3:] > 0), sprite[3:]])


def rotated(sprite: Tensor, degrees: float) -> Tensor:
    """Turned counter-clockwise about the centre, nearest pixel, corners transparent: `4 h w` uint8 to the same."""
    picture = Image.fromarray(sprite.permute(1, 2, 0).contiguous().numpy()).rotate(degrees)
    data = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
    return data.view(*sprite.shape[1:], 4).permute(2, 0, 1).contiguous()


@dataclass(frozen=True)
class SpriteDraw:
    """How sprites are drawn and varied."""

    sprites: PictureSet
    jitter: float = 0.3
    """Share of the sprites that get another palette."""

    flips: bool = True
    rotations: bool = False
    """Turn half of the sprites by 15 or 30 degrees, either way."""

    def __call__(self, generator: torch.Generator) -> Tensor:
        """One sprite, `4 h w` uint8 as of `hard`, at most `LARGEST` pixels a side."""
        g = generator
        sprite = self.sprites.draw(g)
        height, width = (min(LARGEST, side) for side in sprite.shape[1:])
        top, left = randint(g, 0, sprite.shape[1] - height), randint(g, 0, sprite.shape[2] - width)
        sprite = hard(sprite[:, top : top + height, left : left + width])
        if self.flips and rand(g) < 0.5:
            sprite = sprite.flip(2)
        if self.rotations and rand(g) < 0.5:
            sprite = hard(rotated(sprite, (-30, -15, 15, 30)[randint(g, 0, 3)]))
        return jitter(sprite, g) if rand(g) < self.jitter else sprite


@dataclass(frozen=True)
class PatchBatches:
    """Batches of the distinct patches of some sprites.

    A batch holds `patches` `n c p p`, float32 in [0, 1], and `weights` `n`, float32: how often each is there.
    """

    draw: SpriteDraw
    patch: int
    channels: int
    """4: RGB times alpha, and alpha. 3: RGB on one of `backgrounds`."""

    sprites: int = 64
    shifts: bool = True
    """Lay the grid of patches at any pixel, not only at the sprite's corner."""

    backgrounds: tuple[str, ...] = BACKGROUNDS

    def __call__(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Draw a batch."""
        patches, weights = distinct(torch.cat([self._patches(generator) for _ in range(self.sprites)]))
        return {"patches": patches.float() / 255, "weights": weights}

    def _patches(self, g: torch.Generator) -> Tensor:
        sprite = self.draw(g)
        top, left = (randint(g, 0, self.patch - 1) if self.shifts else 0 for _ in range(2))
        patches = cut(laid(sprite, self.patch, top, left), self.patch)
        if self.channels == 4:
            return patches
        return without_alpha(patches, self.backgrounds[randint(g, 0, len(self.backgrounds) - 1)])


@dataclass(frozen=True)
class CanvasBatches:
    """Batches of whole sprites, each centred on a square canvas: `pictures` `b c s s`, float32 in [0, 1]."""

    draw: SpriteDraw
    side: int
    channels: int
    count: int = 64
    shifts: bool = True
    """Move a sprite by up to two pixels."""

    backgrounds: tuple[str, ...] = BACKGROUNDS[1:]

    def __call__(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Draw a batch."""
        return {"pictures": torch.stack([self._picture(generator) for _ in range(self.count)])}

    def _picture(self, g: torch.Generator) -> Tensor:
        sprite = self.draw(g)
        height, width = sprite.shape[1:]
        top, left = ((self.side - size) // 2 + (randint(g, -2, 2) if self.shifts else 0) for size in (height, width))
        canvas = F.pad(sprite, (left, self.side - width - left, top, self.side - height - top))
        if self.channels == 3:
            background = self.backgrounds[randint(g, 0, len(self.backgrounds) - 1)]
            canvas = without_alpha(canvas[None], background)[0]
        return canvas.float() / 255
