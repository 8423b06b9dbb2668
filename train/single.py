"""Patches of one picture: zoomed a little for each batch where it is ordinary, on the cell grid where it is pixel art.

As in Park et al., "Contrastive Learning for Unpaired Image-to-Image Translation", https://arxiv.org/abs/2007.15651,
section 4.4, and the program that goes with it. There a batch's zoom comes from a list drawn at the start, and its
patches from a shuffled list of places; here both are drawn from the batch's generator. Patches of one colour, of which
drawings and sheets have many, are alike as negatives and teach next to nothing: others are preferred to them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .canvas import rand, randint
from .losses import over_white
from .pictures import read_picture_set
from .unaligned import LARGEST_SPRITE, cell_size

Kind = Literal["auto", "sprites", "pictures"]

MOST_COLORS = 256
"""Distinct colours up to which a picture counts as pixel art, whatever its size."""

FLAT = 2 / 255
"""Most by which the colours of a patch differ that counts as flat."""

LEAST_ZOOM = 1 / 3
"""Of a side, the smallest that an ordinary picture is brought to."""

Patches = Callable[[torch.Generator, int], Tensor]
"""Draws so many patches of one size, `n 4 h w`, float32 in [0, 1], straight alpha; runs in workers, so it pickles."""


@dataclass(frozen=True)
class ZoomedPatches:
    """Patches of an ordinary picture, all of a batch from one zoom of it, which changes its shape too."""

    picture: Tensor
    """`4 h w`, uint8, straight alpha."""

    side: int
    """Of a patch, pixels."""

    least: float = LEAST_ZOOM

    def __call__(self, generator: torch.Generator, count: int) -> Tensor:
        """Draw `count`, `count 4 side side`."""
        across, down = rand(generator, self.least, 1.0), rand(generator, self.least, 1.0)
        whole = Image.fromarray(self.picture.permute(1, 2, 0).contiguous().numpy())
        size = (max(self.side, round(whole.width * across)), max(self.side, round(whole.height * down)))
        zoomed = np.array(whole.resize(size, Image.Resampling.BILINEAR))
        return lively_patches(torch.from_numpy(zoomed).permute(2, 0, 1).float() / 255, self.side, count, generator)


@dataclass(frozen=True)
class CellPatches:
    """Patches of pixel art that begin where a cell begins and hold whole cells; its size is never changed otherwise."""

    picture: Tensor
    """`4 h w`, uint8, straight alpha, at native size."""

    cells: int
    """Along a patch's side."""

    cell: int
    """Pixels along a cell's side; 1: patches are left at native size."""

    def __call__(self, generator: torch.Generator, count: int) -> Tensor:
        """Draw `count`, `count 4 side side`, where `side` is `cells` times `cell`."""
        patches = lively_patches(_with_room(self.picture.float() / 255, self.cells), self.cells, count, generator)
        return patches.repeat_interleave(self.cell, 2).repeat_interleave(self.cell, 3)


@dataclass(frozen=True)
class SingleBatches:
    """Draws `a` and `b`, patches of one picture each, `batch 3 h w` in [-1, 1] on white, independently."""

    a: Patches
    b: Patches
    batch: int

    def __call__(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Draw a batch."""
        drawn = {name: draw(generator, self.batch) for name, draw in (("a", self.a), ("b", self.b))}
        return {name: over_white(patches) * 2 - 1 for name, patches in drawn.items()}


def lively_patches(picture: Tensor, side: int, count: int, generator: torch.Generator) -> Tensor:
    """`grid_patches`, twice as many, of which flat ones are left out first."""
    patches = grid_patches(picture, side, 2 * count, generator)
    spread = patches.flatten(2).amax(dim=2) - patches.flatten(2).amin(dim=2)
    return patches[(spread.amax(dim=1) <= FLAT).int().argsort(stable=True)[:count]]


def grid_patches(picture: Tensor, side: int, count: int, generator: torch.Generator) -> Tensor:
    """Cut patches at places of a grid that is shifted anew for each, no place twice before all had their turn.

    So the patches of a batch hardly ever show the same, which as negatives of one another they must not.

    Args:
        picture: `c h w`, both sides at least `side`.
        side: of a patch, and of the grid.
        count: how many.
        generator: chooses places, shifts, and which patches are mirrored.

    Returns:
        `count c side side`.
    """
    _, height, width = picture.shape
    rows, columns = height // side, width // side
    turns = -(-count // (rows * columns))
    places = torch.cat([torch.randperm(rows * columns, generator=generator) for _ in range(turns)])[:count]
    patches: list[Tensor] = []
    for place in places.tolist():
        top = place // columns * side + randint(generator, 0, height % side)
        left = place % columns * side + randint(generator, 0, width % side)
        patch = picture[:, top : top + side, left : left + side]
        patches.append(patch.flip(2) if rand(generator) < 0.5 else patch)
    return torch.stack(patches)


def _with_room(picture: Tensor, side: int) -> Tensor:
    """`4 h w` in the middle of a transparent canvas, where a side is shorter than `side`."""
    _, height, width = picture.shape
    if min(height, width) >= side:
        return picture
    canvas = picture.new_zeros(4, max(side, height), max(side, width))
    top, left = ((have - need) // 2 for have, need in zip(canvas.shape[1:], (height, width), strict=True))
    canvas[:, top : top + height, left : left + width] = picture
    return canvas


def read_single(path: Path) -> Tensor:
    """Read the one picture that a path names, or the only one of a folder: `4 h w`, uint8, straight alpha.

    Raises:
        FileNotFoundError: there is no such picture.
        ValueError: the folder holds several.
    """
    if path.is_dir():
        first, *others = read_picture_set(path).pictures
        if others:
            msg = f"{path} holds {1 + len(others)} pictures, expected one: name the file, or use `python -m train.cut`"
            raise ValueError(msg)
        return first
    try:
        with Image.open(path) as picture:
            pixels = np.array(picture.convert("RGBA"))
    except (OSError, ValueError) as error:
        msg = f"{path} cannot be read as a picture ({error}); expected a PNG, JPEG, WebP, GIF, BMP or TIFF file"
        raise FileNotFoundError(msg) from error
    return torch.from_numpy(pixels).permute(2, 0, 1).contiguous()


def is_pixel_art(picture: Tensor) -> bool:
    """Whether `4 h w`, uint8, looks like a sprite or a sheet: enlarged cells, a sprite's size, or few colours."""
    if cell_size(picture) > 1 or max(picture.shape[1:]) <= LARGEST_SPRITE:
        return True
    seen = torch.where(picture[3:] > 0, picture, 0).flatten(1).unique(dim=1)
    return seen.shape[1] <= MOST_COLORS


def at_native_size(picture: Tensor) -> Tensor:
    """Pixel art `4 h w`, uint8, that was enlarged by a whole factor, or was not, with one pixel a cell."""
    step = cell_size(picture)
    return picture[:, ::step, ::step].contiguous()


def patches_of_b(picture: Tensor, kind: Kind, side: int, cell: int) -> tuple[Patches, Kind]:
    """How to draw from B, and what it was taken for: `sprites` or `pictures`.

    Args:
        picture: `4 h w`, uint8; pixel art at native size or enlarged by a whole factor, or an ordinary picture.
        kind: `auto` looks.
        side: of a patch, pixels.
        cell: pixels along a cell's side.

    Raises:
        ValueError: cells of that size do not divide a patch.
    """
    if kind == "auto":
        kind = "sprites" if is_pixel_art(picture) else "pictures"
    if kind == "pictures":
        return ZoomedPatches(picture, side), kind
    if cell < 1 or side % cell:
        msg = f"cells of {cell} pixels do not divide patches of {side}; give --cell one that does"
        raise ValueError(msg)
    return CellPatches(at_native_size(picture), side // cell, cell), kind
