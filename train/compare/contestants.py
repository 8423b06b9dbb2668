"""Who is compared: trained networks, downscalers without one, and Pillow as a person would use it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from PIL import Image
from torch import Tensor

from pixel_models.archs.native_cyclegan import CELL
from pixel_models.checkpoint import LoadedModel
from pixel_models.drawers import drawer_of
from pixel_models.image import from_uint8, to_uint8
from pixel_models.palette import IndexedImage, index_exactly
from pixel_models.pixelate import pixelate, resize_rgba
from pixel_models.regrid import cell_colors, run_whole
from pixel_models.spec import Purpose

from ..evaluate.pixelators import Classical, without_weights

COLORS = 16
"""Of every sprite."""


@dataclass(frozen=True, eq=False)
class Made:
    """What a contestant makes of pictures."""

    cells: Tensor
    """`n 3 s s`, float32 in [0, 1], before there is a palette."""

    frames: tuple[IndexedImage, ...]
    """Finished sprites, `1 s s` each."""

    uncleaned: tuple[IndexedImage, ...]
    """The same without the clean-up at the end, where there is one."""

    off_grid: float | None = None
    """See `off_grid_share`; None: cells are all that the contestant makes."""

    def rgb(self) -> Tensor:
        """The finished sprites, `n 3 s s`."""
        return torch.cat([frame.to_rgb() for frame in self.frames])


class Contestant(Protocol):
    """Makes sprites of pictures."""

    @property
    def parameters(self) -> int | None:
        """Of the network; None without one."""
        ...

    def make(self, pictures: Tensor, side: int) -> Made:
        """Sprites of `side` x `side` cells of `n 3 h w`, float32 in [0, 1]."""
        ...

    def once(self, picture: Tensor, side: int) -> object:
        """Nothing but the sprite of one picture, as a user gets it: what is timed."""
        ...


class _First(Classical):
    """Cells that were enlarged, as they were: brings finished cells through the rest of `pixelate`."""

    def forward(self, picture: Tensor) -> Tensor:
        """`b 4 4h 4w` to `b 4 h w`."""
        return picture[:, :, ::CELL, ::CELL]


@dataclass(frozen=True, eq=False)
class ByModel:
    """A network, or a downscaler in its place, in `pixelate`."""

    model: LoadedModel

    @property
    def parameters(self) -> int | None:
        """Of the generator alone."""
        module = self.model.module
        return None if isinstance(module, Classical) else sum(p.numel() for p in module.parameters())

    def once(self, picture: Tensor, side: int) -> object:
        """As the node and the shell do."""
        return pixelate(self.model, picture, size=(side, side), colors=COLORS)

    @torch.no_grad()
    def make(self, pictures: Tensor, side: int) -> Made:
        """The same for every picture, with what comes on the way; the network runs once a picture."""
        natural = math.sqrt(pictures.shape[2] * pictures.shape[3]) / side
        drawer = drawer_of(self.model, (side, side), natural, None)
        pixels = side * drawer.scale
        cells: list[Tensor] = []
        off_grid: list[float] = []
        for picture in pictures.split(1):
            rgba = resize_rgba(torch.cat([picture, torch.ones_like(picture[:, :1])], dim=1), (pixels, pixels))
            if self.model.purpose is Purpose.TRANSLATE:
                whole = run_whole(self.model.module, rgba[:, :3], drawer.scale)
                off_grid.append(off_grid_share(whole, drawer.scale))
                cells.append(cell_colors(whole, drawer.scale))
            else:
                cells.append(drawer.draw(rgba, lambda: None)[:, :3])
        made = torch.cat(cells)
        large = made.clamp(0, 1).repeat_interleave(CELL, 2).repeat_interleave(CELL, 3)
        given = without_weights(_First(), "given")
        frames, uncleaned = (
            pixelate(given, large, size=(side, side), colors=COLORS, palette_per="image", clean=clean).frames
            for clean in (True, False)
        )
        return Made(made, frames, uncleaned, sum(off_grid) / len(off_grid) if off_grid else None)


class Pillow:
    """What a person does with Pillow: `resize` with `BOX`, then `quantize` with `MEDIANCUT`."""

    @property
    def parameters(self) -> None:
        """It has none."""
        return

    def once(self, picture: Tensor, side: int) -> object:
        """`1 3 h w` to an image with a palette; from the image that a file would give."""
        return self._sprite(self._small(picture[0], side))

    def make(self, pictures: Tensor, side: int) -> Made:
        """The same for every picture; nothing is cleaned up."""
        small = [self._small(picture, side) for picture in pictures]
        frames = tuple(index_exactly(_tensor(self._sprite(image))[None]) for image in small)
        return Made(torch.stack([_tensor(image) for image in small]), frames, frames)

    @staticmethod
    def _small(picture: Tensor, side: int) -> Image.Image:
        pixels = to_uint8(picture[None])[0].permute(1, 2, 0).numpy()
        return Image.fromarray(pixels).resize((side, side), Image.Resampling.BOX)

    @staticmethod
    def _sprite(small: Image.Image) -> Image.Image:
        return small.quantize(COLORS, method=Image.Quantize.MEDIANCUT)


def _tensor(image: Image.Image) -> Tensor:
    """A picture, `3 h w`, float32 in [0, 1]."""
    pixels = torch.frombuffer(bytearray(image.convert("RGB").tobytes()), dtype=torch.uint8)
    return from_uint8(pixels.view(image.height, image.width, 3)).permute(2, 0, 1).contiguous()


def off_grid_share(picture: Tensor, cell: int) -> float:
    """How much of what changes from pixel to pixel changes inside of cells, by squared difference.

    Args:
        picture: `b c h*cell w*cell`, of any range.
        cell: pixels along a cell's side; the grid begins at the top left.

    Returns:
        0: nothing but at the borders of cells. A picture that knows no grid has `(cell - 1) / cell`.
    """
    inside, everywhere = 0.0, 0.0
    for dim in (2, 3):
        change = picture.double().diff(dim=dim).square().transpose(dim, 3)
        border = torch.arange(1, picture.shape[dim]) % cell == 0
        inside += float(change[..., ~border].sum())
        everywhere += float(change.sum())
    return inside / everywhere if everywhere else 0.0
