"""Batches for translation between pictures and cells: pairs from sprites, and unpaired pictures."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

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
        return resize_rgba(crop[None], (CELL * side, CELL * side))[0]
