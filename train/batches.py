"""Batches for translation between pictures and cells: pairs from sprites, and unpaired pictures."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from pixel_models.pixelate import resize_rgba

from .canvas import CanvasMaker, rand, randint
from .pairs import CELL, draw_picture, smooth
from .pictures import PictureSet


@dataclass(frozen=True)
class TranslationBatches:
    """Draws one canvas size a batch, and as many samples as fit the budget of cells.

    A batch holds, for `n` cells a side:
        `cells` `b 4 n n` true canvases, `picture` `b 4 4n 4n` a smooth picture of each, `clean` the plain one,
        `a` `a 4 4n 4n` unpaired pictures, opaque or with alpha; all float32 in [0, 1], straight alpha.
    """

    a: PictureSet
    canvases: CanvasMaker
    cells_budget: int
    sides: tuple[int, ...]

    def __call__(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Draw a batch."""
        side = self.sides[randint(generator, 0, len(self.sides) - 1)]
        count = max(2, self.cells_budget // side**2)
        cells = [self.canvases.draw(side, generator) for _ in range(count)]
        unpaired = [self.picture(side, generator) for _ in range(max(2, count // 2))]
        return {
            "cells": torch.stack(cells),
            "picture": torch.stack([draw_picture(canvas, generator) for canvas in cells]),
            "clean": torch.stack([smooth(canvas, pixels=CELL * side) for canvas in cells]),
            "a": torch.stack(unpaired),
        }

    def picture(self, side: int, generator: torch.Generator) -> Tensor:
        """A random square part of a random picture of A at `CELL` pixels a cell, `4 4n 4n`."""
        whole = self.a.draw(generator)
        least = min(whole.shape[1:])
        part = least if rand(generator) < 0.5 else randint(generator, min(least, CELL * side), least)
        top, left = (randint(generator, 0, size - part) for size in whole.shape[1:])
        crop = whole[:, top : top + part, left : left + part].float() / 255
        if rand(generator) < 0.5:
            crop = crop.flip(2)
        if rand(generator) < 0.4:
            crop = cut_out(crop)
        return resize_rgba(crop[None], (CELL * side, CELL * side))[0]


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
