"""Pairs of pictures for pix2pix: files side by side, folders of equal names, or made from sprites."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from .canvas import CanvasMaker, rand, randint
from .image_io import Preparation, from_picture, on_white
from .pairs import CELL, draw_picture
from .pictures import PictureSet
from .unaligned import cell_size, enlarge

PairDraw = Callable[[torch.Generator], tuple[Tensor, Tensor]]
"""Draws a pair, each `3 h w`, float32 in [-1, 1], always of the same size; runs in worker processes, so it pickles."""


@dataclass(frozen=True)
class PairSet:
    """Pictures of A and B that belong together, `4 h w` uint8 each; the two may differ in size."""

    a: tuple[Tensor, ...]
    b: tuple[Tensor, ...]

    def draw(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """One pair."""
        index = randint(generator, 0, len(self.a) - 1)
        return self.a[index], self.b[index]


def side_by_side(pictures: PictureSet) -> PairSet:
    """Pairs from files that hold A on the left and B on the right, halves of equal width.

    Raises:
        ValueError: a picture has only one column.
    """
    halves = []
    for picture in pictures.pictures:
        half = picture.shape[2] // 2
        if not half:
            msg = f"a picture of {picture.shape[2]}x{picture.shape[1]} pixels has no two halves"
            raise ValueError(msg)
        halves.append((picture[:, :, :half], picture[:, :, half:]))
    return PairSet(tuple(a.contiguous() for a, _ in halves), tuple(b.contiguous() for _, b in halves))


def matching(a: PictureSet, b: PictureSet) -> PairSet:
    """Pairs from two folders, by the files' paths without suffix.

    Raises:
        ValueError: a picture has no partner, or several.
    """
    left, right = (dict(zip(s.names, s.pictures, strict=True)) for s in (a, b))
    if len(left) < len(a) or len(right) < len(b):
        msg = "two pictures of one folder have the same name, with different suffixes; keep one of them"
        raise ValueError(msg)
    if alone := sorted(left.keys() ^ right.keys()):
        more = f" and {len(alone) - 3} more" if len(alone) > 3 else ""
        msg = f"{', '.join(alone[:3])}{more}: no picture of this name in the other folder; every one needs its partner"
        raise ValueError(msg)
    names = sorted(left)
    return PairSet(tuple(left[n] for n in names), tuple(right[n] for n in names))


@dataclass(frozen=True)
class PairCrops:
    """The same crop and flip of both pictures, prepared as the reference does."""

    pairs: PairSet
    preparation: Preparation

    def __call__(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw a pair, `3 crop crop` each; B takes A's size first where it has another."""
        a, b = (on_white(picture) for picture in self.pairs.draw(generator))
        if b.size != a.size:
            b = b.resize(a.size, Image.Resampling.BICUBIC)
        placement = self.preparation.place(a.size, generator)
        return self.preparation.apply(a, placement), self.preparation.apply(b, placement)


@dataclass(frozen=True)
class PairsOnGrid:
    """Pictures with their sprites: B at native size is enlarged to whole cells, A resized to match, both cut alike.

    The cut begins at a cell's edge; what is smaller than the crop lies on white.
    """

    pairs: PairSet
    side: int
    """Of the crop, pixels."""

    cell: int
    """Pixels a cell; divides `side`."""

    def __call__(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw a pair, `3 side side` each."""
        a, b = self.pairs.draw(generator)
        b = b[:, :: (step := cell_size(b)), ::step]
        height, width = b.shape[1:]
        resized = on_white(a).resize((width * self.cell, height * self.cell), Image.Resampling.BICUBIC)
        smooth, sharp = from_picture(resized), enlarge(b.float() / 255, self.cell)
        count = self.side // self.cell
        pads: list[int] = []
        for cells in (width, height):  # F.pad wants the last axis first; a negative pad cuts
            spare = count - cells
            before = randint(generator, min(0, spare), max(0, spare))
            pads += [before * self.cell, (spare - before) * self.cell]
        pair = F.pad(torch.stack([smooth, sharp]), pads, value=1.0)
        pair = pair.flip(3) if rand(generator) < 0.5 else pair
        return pair[0], pair[1]


@dataclass(frozen=True)
class PairsFromSprites:
    """Canvases of sprites, and the smooth pictures that they might have been made from."""

    canvases: CanvasMaker
    side: int
    """Of the pictures, pixels."""

    cell: int
    """Pixels a cell; divides `side`."""

    def __call__(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw a pair, `3 side side` each."""
        canvas = self.canvases.draw(self.side // self.cell, generator)
        smooth = enlarge(draw_picture(canvas, generator), 1)
        if self.cell != CELL:
            size = (self.side, self.side)
            smooth = F.interpolate(smooth[None], size=size, mode="bicubic", antialias=True, align_corners=False)[0]
        return smooth.clamp(-1, 1), enlarge(canvas, self.cell)


@dataclass(frozen=True)
class PairedBatches:
    """Draws `a` and `b`, each `batch 3 h w`, float32 in [-1, 1], that belong together."""

    draw: PairDraw
    batch: int
    swap: bool = False
    """Learn from B to A."""

    def __call__(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Draw a batch."""
        a, b = (torch.stack(side) for side in zip(*(self.draw(generator) for _ in range(self.batch)), strict=True))
        return {"a": b, "b": a} if self.swap else {"a": a, "b": b}
