"""What the cascade learns from and how far off it is: sprites at each of its cells, Sobel slopes, loss weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from pixel_models.archs.cascade import (
    CELLS,
    Borders,
    DepixelizationConfig,
    PixelizationConfig,
    Size,
    Upsample,
    enlarge,
    small_size,
)
from pixel_models.ops.tracked import Statistics

from .canvas import CanvasMaker
from .classic_parts import ClassicSetting
from .image_io import Preparation
from .loop import generator_of
from .pictures import PictureSet
from .unaligned import Draw, PictureCrops, are_sprites, to_native

CROP_MULTIPLE = 16
"""Pixels: a crop's quarter, eighth and three sixteenths are then whole."""


@dataclass(frozen=True, kw_only=True)
class CascadeSetting(ClassicSetting):
    """Everything that decides a run but its data and its seed; the defaults are the reference's but for borders."""

    dropout: bool = True
    blocks: int = 9
    convs: int = 8
    borders: Borders = "kept"
    statistics: Statistics = "picture"

    @property
    def config(self) -> PixelizationConfig:
        """Layout of GridNet and PixelNet."""
        return PixelizationConfig(
            channels=self.channels,
            blocks=self.blocks,
            convs=self.convs,
            dropout=self.dropout,
            borders="cut" if self.faithful else self.borders,
            upsample=self._upsample,
            statistics=self.statistics,
        )

    @property
    def back_config(self) -> DepixelizationConfig:
        """Layout of DepixelNet."""
        return DepixelizationConfig(
            channels=self.channels,
            blocks=self.blocks,
            dropout=self.dropout,
            upsample=self._upsample,
            statistics=self.statistics,
        )

    @property
    def _upsample(self) -> Upsample:
        """One of the two ways that these networks know."""
        return "resize" if self.upsample == "resize" else "transpose"

    @property
    def grid_layers(self) -> int:
        """Halvings of the discriminator of small pictures: fewer where the smallest would not outlast them."""
        smallest, layers = min(self.small(cell)[0] for cell in CELLS), self.layers
        while layers > 1 and smallest >> layers < 4:
            layers -= 1
        return layers

    def small(self, cell: int) -> Size:
        """Height and width of the small pictures for `cell`."""
        return small_size((self.crop, self.crop), cell)

    def check_crop(self) -> None:
        """See that crops have small pictures of whole sides, which a discriminator can judge.

        Raises:
            ValueError: they have not.
        """
        if self.crop % CROP_MULTIPLE or self.crop < 4 * CROP_MULTIPLE:
            better = max(4, -(-self.crop // CROP_MULTIPLE)) * CROP_MULTIPLE
            msg = f"crops of {self.crop} pixels have no whole small pictures; give --crop {better}"
            raise ValueError(f"{msg}, or another multiple of {CROP_MULTIPLE} from {4 * CROP_MULTIPLE}")


@dataclass(frozen=True, kw_only=True)
class CascadeWeights:
    """Weight of each loss term beside the adversarial ones; the defaults are the reference's."""

    grid: float = 100.0
    """Small pictures are like A, shrunk."""

    pixel: float = 5.0
    """PixelNet's pictures are like what it got."""

    edges: float = 0.5
    """Sobel slopes of both are."""

    depixel: float = 10.0
    """DepixelNet's pictures of B are like B."""

    mirror: float = 100.0
    """DepixelNet makes A of PixelNet's pictures of A, and by GridNet's features."""

    mirror_back: float = 0.0
    """Share of that term's gradient that PixelNet gets too: 1 in the paper; its program left it out."""


def weights_of(given: Sequence[str]) -> CascadeWeights:
    """Loss weights from options such as ``mirror=50``.

    Raises:
        ValueError: there is no such term, or its value is no number.
    """
    names = [field.name for field in dataclasses.fields(CascadeWeights)]
    pairs = [text.partition("=")[::2] for text in given]
    if wrong := [name for name, _ in pairs if name not in names]:
        msg = f"--weight names {wrong}, expected of {names}"
        raise ValueError(msg)
    return CascadeWeights(**{name: float(value) for name, value in pairs})


@dataclass(frozen=True)
class CellCanvases:
    """Sprites on canvases of as many cells as the small picture for `cell` has, enlarged sharply to the crop."""

    canvases: CanvasMaker
    side: int
    """Of the result, pixels."""

    cell: int

    def __post_init__(self) -> None:
        """Check that there are sprites for such canvases.

        Raises:
            ValueError: there are none.
        """
        try:
            self(generator_of(0, "trial"))
        except ValueError as error:
            count = small_size((self.side, self.side), self.cell)[0]
            msg = f"no sprite fits on a canvas of {count}x{count} cells, which crops of {self.side} have at cell"
            raise ValueError(f"{msg} {self.cell}; give a larger --crop") from error

    def __call__(self, generator: torch.Generator) -> Tensor:
        """Draw one, `3 side side`, float32 in [-1, 1], on white."""
        size = small_size((self.side, self.side), self.cell)
        canvas = self.canvases.draw(size[0], generator)
        rgb = canvas[:3] * canvas[3:] + 1 - canvas[3:]
        return enlarge(2 * rgb[None] - 1, (self.side, self.side))[0]


@dataclass(frozen=True)
class CellBatches:
    """Draws `a` and, for every cell, `b4` and so on: each `batch 3 h w`, float32 in [-1, 1], all independently."""

    a: Draw
    b: Mapping[int, Draw]
    batch: int

    def __call__(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Draw a batch."""
        draws = {"a": self.a, **{f"b{cell}": draw for cell, draw in self.b.items()}}
        return {name: torch.stack([draw(generator) for _ in range(self.batch)]) for name, draw in draws.items()}


def draw_cells(pictures: PictureSet, preparation: Preparation, kind: str) -> tuple[dict[int, Draw], str]:
    """How to draw from a folder of pixel art at each cell, and what it was taken for: `sprites` or `pictures`.

    Args:
        pictures: sprites at native size, or enlarged by whole factors, or ordinary pictures, of which every cell gets
            the same.
        preparation: the crop's side, and how ordinary pictures are prepared.
        kind: `sprites`, `pictures`, or `auto`: sprites where most are of a size that sprites have.
    """
    native = to_native(pictures) if kind != "pictures" else pictures
    if kind == "auto":
        kind = "sprites" if are_sprites(native) else "pictures"
    if kind == "pictures":
        return dict.fromkeys(CELLS, PictureCrops(pictures, preparation)), kind
    canvases = CanvasMaker(native)
    return {cell: CellCanvases(canvases, preparation.crop, cell) for cell in CELLS}, kind


def shrink(picture: Tensor, size: Size, *, faithful: bool = False) -> Tensor:
    """One pixel for each cell of `b c h w`: the middle one; faithfully the upper left one, as the reference has it."""
    return F.interpolate(picture, size=size, mode="nearest" if faithful else "nearest-exact")


def slopes(picture: Tensor) -> Tensor:
    """Sobel's, of the sum of the channels, with zeros around: `b c h w` to `b 2 h w`, across and down."""
    smooth, slope = torch.tensor([1.0, 2.0, 1.0]), torch.tensor([1.0, 0.0, -1.0])
    kernels = torch.stack([torch.outer(smooth, slope), torch.outer(slope, smooth)])[:, None].to(picture.device)
    with torch.autocast(picture.device.type, enabled=False):
        return F.conv2d(picture.float().sum(dim=1, keepdim=True), kernels, padding=1)


def slope_loss(one: Tensor, other: Tensor) -> Tensor:
    """How far the slopes of two pictures `b c h w` are apart: L1 across plus L1 down."""
    return 2 * F.l1_loss(slopes(one), slopes(other))


def partly(made: Tensor, share: float) -> Tensor:
    """The same values, of whose gradient `share` goes on."""
    return made.detach() if share == 0 else made.detach() + share * (made - made.detach())
