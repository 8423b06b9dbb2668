"""Batches for unpaired translation: crops of pictures, and sprites laid on canvases and enlarged by whole factors."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .canvas import CanvasMaker, randint
from .image_io import Preparation, on_white
from .loop import generator_of
from .pictures import PictureSet

LARGEST_SPRITE = 128
"""Pixels of the longer side at native size; what is larger is taken for an ordinary picture."""

Draw = Callable[[torch.Generator], Tensor]
"""Draws one picture, `3 h w`, float32 in [-1, 1], always of the same size; runs in worker processes, so it pickles."""


@dataclass(frozen=True)
class PictureCrops:
    """Crops of pictures on white, prepared as the reference does."""

    pictures: PictureSet
    preparation: Preparation

    def __call__(self, generator: torch.Generator) -> Tensor:
        """Draw one, `3 crop crop`."""
        picture = on_white(self.pictures.draw(generator))
        return self.preparation.apply(picture, self.preparation.place(picture.size, generator))


@dataclass(frozen=True)
class SpriteCanvases:
    """Sprites at native size on canvases of cells, enlarged sharply: every pixel of the result is part of a cell."""

    canvases: CanvasMaker
    side: int
    """Of the result, pixels."""

    cells: tuple[int, ...]
    """Sizes that a cell may have, pixels; each divides `side`."""

    def __post_init__(self) -> None:
        """Check the cells, and that there are sprites for such canvases."""
        for cell in self.cells:
            check_canvases(self.canvases, self.side, cell)

    def __call__(self, generator: torch.Generator) -> Tensor:
        """Draw one, `3 side side`."""
        cell = self.cells[randint(generator, 0, len(self.cells) - 1)]
        return enlarge(self.canvases.draw(self.side // cell, generator), cell)


@dataclass(frozen=True)
class UnpairedBatches:
    """Draws `a` and `b`, each `batch 3 h w`, float32 in [-1, 1], independently of one another."""

    a: Draw
    b: Draw
    batch: int

    def __call__(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Draw a batch."""
        return {
            name: torch.stack([draw(generator) for _ in range(self.batch)])
            for name, draw in (("a", self.a), ("b", self.b))
        }


def enlarge(canvas: Tensor, cell: int) -> Tensor:
    """A canvas `4 n n` in [0, 1] on white, every cell `cell` pixels wide: `3 n*cell n*cell` in [-1, 1]."""
    rgb = canvas[:3] * canvas[3:] + 1 - canvas[3:]
    return (2 * rgb - 1).repeat_interleave(cell, 1).repeat_interleave(cell, 2)


def cell_size(picture: Tensor) -> int:
    """By which whole factor a sprite was enlarged, if every pixel of it was: the largest one that explains it.

    Args:
        picture: `4 h w`, uint8, straight alpha; colours under full transparency have no say.

    Returns:
        1 for a sprite at native size, and for a picture of one colour.
    """
    seen = torch.where(picture[3:] > 0, picture, 0)
    across = (seen[:, :, 1:] != seen[:, :, :-1]).flatten(0, 1).any(dim=0)
    down = (seen[:, 1:] != seen[:, :-1]).any(dim=2).any(dim=0)
    edges = [int(i) + 1 for line in (across, down) for i in line.nonzero()]
    return math.gcd(*edges, *picture.shape[1:]) if edges else 1


def to_native(sprites: PictureSet) -> PictureSet:
    """Sprites that were enlarged by whole factors, at native size again; the others as they are."""
    steps = [cell_size(picture) for picture in sprites.pictures]
    small = tuple(
        picture[:, ::step, ::step].contiguous() for picture, step in zip(sprites.pictures, steps, strict=True)
    )
    return replace(sprites, pictures=small)


def check_canvases(canvases: CanvasMaker, side: int, cell: int) -> None:
    """See that a picture of `side` pixels has whole cells of `cell` pixels, and that there are sprites to lay on it.

    Raises:
        ValueError: it has not, or there are none.
    """
    if cell < 1 or side % cell:
        msg = f"cells of {cell} pixels do not divide crops of {side}; give --cell one that does"
        raise ValueError(msg)
    try:
        canvases.draw(side // cell, generator_of(0, "trial"))
    except ValueError as error:
        count = side // cell
        msg = f"no sprite fits on a canvas of {count}x{count} cells; give a larger --crop, or another --cell"
        raise ValueError(msg) from error


def are_sprites(pictures: PictureSet) -> bool:
    """Whether at least half of what is drawn is, at native size, no larger than sprites are."""
    fits = torch.tensor([max(picture.shape[1:]) <= LARGEST_SPRITE for picture in pictures.pictures])
    return bool(pictures.weights[fits].sum() >= 0.5)


def draw_b(pictures: PictureSet, preparation: Preparation, kind: str, cells: Sequence[int]) -> tuple[Draw, str]:
    """How to draw from a folder of pixel art, and what its pictures were taken for: `sprites` or `pictures`.

    Args:
        pictures: sprites at native size, or enlarged by whole factors, or ordinary pictures.
        preparation: the crop's side, and how ordinary pictures are prepared.
        kind: `sprites`, `pictures`, or `auto`: sprites where most are of a size that sprites have.
        cells: sizes of a cell, pixels.
    """
    native = to_native(pictures) if kind != "pictures" else pictures
    if kind == "auto":
        kind = "sprites" if are_sprites(native) else "pictures"
    if kind == "sprites":
        return SpriteCanvases(CanvasMaker(native), preparation.crop, tuple(cells)), kind
    return PictureCrops(pictures, preparation), kind


def sample(draw: Draw) -> Tensor:
    """Six pictures for sheets, `6 3 h w`, always the same ones."""
    g = generator_of(0, "sheet")
    return torch.stack([draw(g) for _ in range(6)])
