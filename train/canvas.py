"""Sprites laid on canvases of cells: the true pixel art that pairs and real samples are made from."""

from __future__ import annotations

import torch
from torch import Tensor

from .pictures import PictureSet

MAX_COLORS = 40
"""A canvas keeps this many colours at most; rarer ones become the nearest kept one."""


def rand(generator: torch.Generator, low: float = 0.0, high: float = 1.0) -> float:
    """One uniform number."""
    return low + (high - low) * float(torch.rand((), generator=generator))


def randint(generator: torch.Generator, low: int, high: int) -> int:
    """One whole number of `low` to `high`, both included."""
    return int(torch.randint(low, high + 1, (), generator=generator))


class CanvasMaker:
    """Draws canvases of one side length: a sprite, or several, on nothing, a flat colour, or tiled terrain."""

    def __init__(self, sprites: PictureSet) -> None:
        """Sort the sprites by the size they need; terrain tiles are opaque squares."""
        self._fits: dict[int, PictureSet] = {}
        self._sprites = sprites
        opaque = [bool((p[3] == 255).all()) and p.shape[1] == p.shape[2] <= 32 for p in sprites.pictures]
        self._tiles = sprites.where(opaque) if any(opaque) else None

    def _fitting(self, cells: int) -> PictureSet:
        if cells not in self._fits:
            least = 13 if cells >= 32 else 6
            keep = [least <= max(p.shape[1:]) <= cells and bool(p[3].any()) for p in self._sprites.pictures]
            self._fits[cells] = self._sprites.where(keep)
        return self._fits[cells]

    def draw(self, cells: int, generator: torch.Generator) -> Tensor:
        """A canvas `4 cells cells`, float32 in [0, 1], alpha 0 or 1, at most `MAX_COLORS` colours."""
        g = generator
        canvas = torch.zeros(4, cells, cells)
        kind = rand(g)
        if kind < 0.30:
            pass  # transparent
        elif kind < 0.55:
            canvas[:] = 1
        elif kind < 0.70 or self._tiles is None:
            canvas[:3] = torch.rand(3, 1, 1, generator=g)
            canvas[3] = 1
        else:
            tile = self._tiles.draw(g).float() / 255
            times = -(-cells // tile.shape[1])
            canvas = tile.repeat(1, times, times)[:, :cells, :cells].clone()
        fitting = self._fitting(cells)
        count = 1 if cells <= 24 else randint(g, 1, max(1, (cells // 24) ** 2 + 1))
        for index in range(count):
            sprite = _binary(fitting.draw(g))
            if rand(g) < 0.5:
                sprite = sprite.flip(2)
            _, height, width = sprite.shape
            centred = index == 0 and rand(g) < 0.7
            top = (cells - height) // 2 if centred else randint(g, 0, cells - height)
            left = (cells - width) // 2 if centred else randint(g, 0, cells - width)
            part = canvas[:, top : top + height, left : left + width]
            part.copy_(torch.where(sprite[3:] > 0, sprite, part))
        if rand(g) < 0.6:
            canvas[:3] = _recolor(canvas[:3], g)
        return _few_colors(canvas)


def _binary(sprite: Tensor) -> Tensor:
    """`4 h w` uint8 to float32 with alpha 0 or 1 and black where nothing is."""
    sprite = sprite.float() / 255
    opaque = (sprite[3:] >= 0.5).float()
    return torch.cat([sprite[:3] * opaque, opaque])


def _recolor(rgb: Tensor, g: torch.Generator) -> Tensor:
    """Turn the hue, change saturation and gain a little: the same drawing in another palette."""
    gray = torch.tensor([0.299, 0.587, 0.114])
    luma = torch.einsum("chw,c->hw", rgb, gray)
    chroma = rgb - luma
    if rand(g) < 0.3:
        chroma = chroma[torch.randperm(3, generator=g)]
    chroma = chroma * rand(g, 0.5, 1.4)
    return (luma ** rand(g, 0.8, 1.25) * rand(g, 0.85, 1.1) + chroma).clamp(0, 1)


def _few_colors(canvas: Tensor) -> Tensor:
    """Round to 8 bit, and keep the `MAX_COLORS` most frequent colours."""
    pixels = (canvas * 255).round().to(torch.int64).flatten(1)
    keys = ((pixels[3] * 256 + pixels[0]) * 256 + pixels[1]) * 256 + pixels[2]
    colors, inverse, counts = keys.unique(return_inverse=True, return_counts=True)
    values = torch.stack([colors >> 16 & 255, colors >> 8 & 255, colors & 255, colors >> 24], dim=1).float() / 255
    if len(colors) > MAX_COLORS:
        kept = counts.argsort(descending=True)[:MAX_COLORS]
        near = torch.cdist(values, values[kept]).argmin(dim=1)
        values = values[kept][near]
    return values[inverse].T.reshape(canvas.shape).contiguous()
