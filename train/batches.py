"""Batches for translation between pictures and cells: pairs from sprites, and unpaired pictures."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from pixel_models.pixelate import resize_rgba

from .canvas import CanvasMaker, rand, randint
from .pairs import CELL, draw_picture, laid_over, smooth
from .pictures import PictureSet
from .strokes import draw_strokes


@dataclass(frozen=True)
class TranslationBatches:
    """Draws one canvas size a batch, one size of a cell, and as many samples as fit the budget of cells.

    A batch holds, for `n` cells a side of `c` pixels:
        `cells` `b 4 n n` true canvases, of which the last `strokes_of(b)` are drawn with strokes and the others of
        sprites, `picture` `b 4 c*n c*n` a smooth picture of each, `clean` `b 4 4n 4n` the plain one,
        `a` `a 4 c*n c*n` unpaired pictures, opaque or with alpha; all float32 in [0, 1], straight alpha;
        `cell`, `c` itself.
    """

    a: PictureSet
    canvases: CanvasMaker
    cells_budget: int
    sides: tuple[int, ...]
    cell_sizes: tuple[int, ...] = (CELL,)
    """Sizes that a cell may have in pictures, pixels; one that stands here twice is drawn twice as often."""

    strokes: float = 0.0
    """Share of the canvases that `draw_strokes` makes."""

    grain: float = 0.0
    """Share of the pictures that get the texture of a picture of A, which their canvas knows nothing of."""

    def __call__(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Draw a batch."""
        side, cell = (sizes[randint(generator, 0, len(sizes) - 1)] for sizes in (self.sides, self.cell_sizes))
        count = max(2, self.cells_budget // side**2)
        cells, pictures = [], []
        for index in range(count):
            over = None
            if index >= count - self.strokes_of(count):
                art, over = draw_strokes(side, cell * side, generator)
                canvas = self._ground(side, generator)
                cells.append(laid_over(art, canvas))
            else:
                canvas = self.canvases.draw(side, generator)
                cells.append(canvas)
            grain = self._grain(side * cell, generator) if self.grain and rand(generator) < self.grain else None
            pictures.append(draw_picture(canvas, generator, cell=cell, over=over, grain=grain))
        unpaired = [self.picture(side, generator, cell) for _ in range(max(2, count // 2))]
        return {
            "cells": torch.stack(cells),
            "picture": torch.stack(pictures),
            "clean": torch.stack([smooth(canvas, pixels=CELL * side) for canvas in cells]),
            "a": torch.stack(unpaired),
            "cell": torch.tensor(cell),
        }

    def strokes_of(self, count: int) -> int:
        """How many of `count` canvases are drawn with strokes."""
        return min(count - 1, round(self.strokes * count))

    def _ground(self, side: int, generator: torch.Generator) -> Tensor:
        """What is drawn on: paper, nothing, a flat colour, or sprites."""
        kind = rand(generator)
        if kind < 0.1:
            return self.canvases.draw(side, generator)
        ground = torch.ones(4, side, side)
        if kind < 0.2:
            return ground * 0
        if kind < 0.5:
            ground[:3] = torch.rand(3, 1, 1, generator=generator)
        return ground

    def _grain(self, pixels: int, generator: torch.Generator) -> Tensor:
        """The fine part of a picture's lightness, `1 pixels pixels`."""
        whole = self.a.draw(generator)
        part = min(pixels, *whole.shape[1:])
        top, left = (randint(generator, 0, size - part) for size in whole.shape[1:])
        grey = whole[:3, top : top + part, left : left + part].float().mean(dim=0, keepdim=True)[None] / 255
        fine = (grey - F.avg_pool2d(grey, 9, 1, 4, count_include_pad=False)).clamp(-0.15, 0.15)
        fine = F.interpolate(fine, (pixels, pixels), mode="bilinear", align_corners=False)
        return fine[0] * rand(generator, 0.2, 1.0)

    def picture(self, side: int, generator: torch.Generator, cell: int = CELL) -> Tensor:
        """A random square part of a random picture of A at `cell` pixels a cell, `4 c*n c*n`."""
        whole = self.a.draw(generator)
        least = min(whole.shape[1:])
        part = least if rand(generator) < 0.5 else randint(generator, min(least, CELL * side), least)
        top, left = (randint(generator, 0, size - part) for size in whole.shape[1:])
        crop = whole[:, top : top + part, left : left + part].float() / 255
        if rand(generator) < 0.5:
            crop = crop.flip(2)
        if rand(generator) < 0.4:
            crop = cut_out(crop)
        return resize_rgba(crop[None], (cell * side, cell * side))[0]


def cut_out(picture: Tensor) -> Tensor:
    """Make the white around a drawing transparent, its anti-aliased rim too; composited on white it is as before.

    Args:
        picture: `4 h w`, float32 in [0, 1]; one that is not opaque, or not on white, comes back unchanged.
    """
    rgb = picture[:3]
    white = (rgb.amin(dim=0) > 0.97)[None, None].float()
    rim = torch.cat([white[0, 0, 0], white[0, 0, -1], white[0, 0, :, 0], white[0, 0, :, -1]])
    if bool((picture[3] < 1).any()) or rim.mean() < 0.6:
        return picture
    outside = torch.zeros_like(white)
    outside[..., (0, -1), :] = white[..., (0, -1), :]
    outside[..., (0, -1)] = white[..., (0, -1)]
    while True:  # grow the white inwards from the rim
        grown = outside
        for _ in range(8):
            grown = F.max_pool2d(grown, 3, 1, 1) * white
        if bool((grown == outside).all()):
            break
        outside = grown
    fringe = F.max_pool2d(outside, 5, 1, 2)[0]
    alpha = torch.where(outside[0] > 0, 0.0, torch.where(fringe > 0, 1 - rgb.amin(dim=0, keepdim=True), 1.0))
    unmixed = ((rgb - 1 + alpha) / alpha.clamp_min(1e-3)).clamp(0, 1) * (alpha > 0)
    return torch.cat([unmixed, alpha])
