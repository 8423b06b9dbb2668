"""GridNet, PixelNet and DepixelNet: pictures to pixel art at three cell sizes, and back, with their state-dict keys.

Han et al., "Deep Unsupervised Pixelization", ACM Transactions on Graphics 37 (SIGGRAPH Asia), 2018,
https://doi.org/10.1145/3272127.3275082. GridNet paints a small picture with one pixel a cell; PixelNet redraws its
sharp enlargement; DepixelNet makes a smooth picture of that, which is what lets the other two learn without pairs.

Sizes. A picture of side S becomes small ones of S/4, 3S/16 and S/8. The published layers get there by convolutions
without padding, eight for each step down, so that their small pictures have sides of S/4, S/4 - 16 and S/4 - 32: the
wanted ones at S = 256 alone, and none at all at 128. Here the features are resized before each eight, to what must go
in for the wanted size to come out; at 256 they have that size already, and the numbers are the published ones
(`borders="cut"`). But convolutions that eat their border begin with the middle of the picture, and have to move all
that they draw outwards, by up to 8 of 64 pixels, and by others at other sizes. With `borders="kept"` the features are
resized to the wanted size itself and every convolution mirrors at its border: a cell then stands over the pixels that
it is made of, at any size, and a network that learned on crops of 128 draws the same way on a whole picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..errors import ShapeError
from ..ops.mirror import ReflectionPad2d
from ..ops.norms import check_choice, check_range
from ..ops.tracked import Statistics, TrackedBlock, TrackedInstanceNorm, color_head, conv_layers, resize
from ..spec import ModelSpec, Purpose

Borders = Literal["cut", "kept"]
Upsample = Literal["transpose", "resize"]
Size = tuple[int, int]

CELLS = (4, 6, 8)
"""GridNet's three cells by the names they go by; the middle one is truly 16/3 pixels wide."""

SIXTEENTHS: Mapping[int, int] = {4: 4, 6: 3, 8: 2}
"""Sixteenths of a picture's side that a small picture has, by cell."""

SMALLEST_SIDE = 32
"""Pixels: below this the smallest picture has less than four pixels, and the last layer nothing to mirror."""


@dataclass(frozen=True, kw_only=True)
class DepixelizationConfig:
    """Layout of DepixelNet; the defaults are the reference's, without its dropout."""

    channels: int = 64
    """Features at full size; twice as many at half, four times at a quarter and below."""

    blocks: int = 9
    """Residual blocks at a quarter of the size."""

    dropout: bool = False
    """Dropout of one half inside the residual blocks; it shifts the keys of what follows it."""

    upsample: Upsample = "transpose"
    """A transposed convolution, or, against its checkerboards, every pixel twice and a convolution."""

    statistics: Statistics = "picture"

    def __post_init__(self) -> None:
        """Check the values."""
        check_range("channels", self.channels, 1, 512)
        check_range("blocks", self.blocks, 0, 64)
        check_choice("upsample", self.upsample, get_args(Upsample))
        check_choice("statistics", self.statistics, get_args(Statistics))

    @property
    def in_channels(self) -> int:
        """Colour."""
        return 3

    @property
    def out_channels(self) -> int:
        """Colour."""
        return 3

    @property
    def multiple(self) -> int:
        """What both sides must be multiples of for no border to be added."""
        return 4

    @property
    def smallest(self) -> int:
        """Shortest side of a picture that the network takes."""
        return 8


@dataclass(frozen=True, kw_only=True)
class PixelizationConfig(DepixelizationConfig):
    """Layout of GridNet and PixelNet, the latter of which is built as DepixelNet is."""

    convs: int = 8
    """GridNet's convolutions before each of the two smaller pictures."""

    borders: Borders = "cut"
    """Whether those convolutions eat their border, as published, or mirror there; see above."""

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        check_range("convs", self.convs, 1, 64)
        check_choice("borders", self.borders, get_args(Borders))

    @property
    def smallest(self) -> int:
        """Shortest side of a picture that the network takes."""
        return SMALLEST_SIDE

    @property
    def cells(self) -> tuple[int, ...]:
        """Cells that `Pixelization.translate_at` can be asked for, pixels a side."""
        return CELLS


@dataclass(frozen=True)
class Gridded:
    """What GridNet makes of a picture."""

    small: Mapping[int, Tensor]
    """By cell: `b 3 h w`, float in [-1, 1]."""

    features: tuple[Tensor, Tensor, Tensor]
    """At full, half and quarter size: `b c h w`, `b 2c h/2 w/2`, `b 4c h/4 w/4`."""


class GridNet(nn.Module):
    """A picture to three small ones, with one pixel for each cell."""

    def __init__(self, config: PixelizationConfig) -> None:
        """Build with random weights, PyTorch's own."""
        super().__init__()
        width, kind = config.channels, config.statistics
        wide = 4 * width
        self.config = config
        self.model_0 = nn.Sequential(ReflectionPad2d(3), *conv_layers(3, width, kind, kernel=7))
        self.model_1 = nn.Sequential(*conv_layers(width, 2 * width, kind, stride=2, padding=1))
        self.model_2 = nn.Sequential(*conv_layers(2 * width, wide, kind, stride=2, padding=1))
        self.model_3 = nn.Sequential(*(TrackedBlock(wide, config.dropout, kind) for _ in range(config.blocks)))
        self.model_4, self.model_5 = _step_down(wide, config), _step_down(wide, config)
        self.model_output_64, self.model_output_48, self.model_output_32 = (color_head(wide) for _ in CELLS)

    def forward(self, x: Tensor, sizes: Mapping[int, Size] | None = None) -> Gridded:
        """Paint the small pictures.

        Args:
            x: `b 3 h w`, float in [-1, 1], sides of `SMALLEST_SIDE` or more.
            sizes: height and width of those that are wanted, by cell, each four pixels or more; all three at
                their share of the sides (`small_size`) where left out.

        Raises:
            ShapeError: another rank or channel count, or a side that is too short.
        """
        _check(x, SMALLEST_SIDE)
        wanted = {cell: small_size(x.shape[2:], cell) for cell in CELLS} | dict(sizes or {})
        chosen, margin = sizes or wanted, 2 * self.config.convs if self.config.borders == "cut" else 0
        full = self.model_0(x)
        half = self.model_1(full)
        quarter = self.model_2(half)
        trunk, small = self.model_3(quarter), {}
        if 4 in chosen:
            small[4] = self.model_output_64(resize(trunk, wanted[4]))
        if 6 in chosen or 8 in chosen:
            trunk = self.model_4(resize(trunk, wanted[6], margin))  # to 3/16 of the sides
        if 6 in chosen:
            small[6] = self.model_output_48(trunk)
        if 8 in chosen:
            small[8] = self.model_output_32(self.model_5(resize(trunk, wanted[8], margin)))  # to 1/8
        return Gridded(small, (full, half, quarter))


@dataclass(frozen=True)
class Painted:
    """What PixelNet or DepixelNet makes of a picture."""

    picture: Tensor
    """`b 3 h w`, float in [-1, 1]."""

    features: tuple[Tensor, Tensor, Tensor]
    """At full, half and quarter size, on the way up."""


class PaintNet(nn.Module):
    """PixelNet and DepixelNet: CycleGAN's ResNet generator in four parts, which also gives its features."""

    def __init__(self, config: DepixelizationConfig) -> None:
        """Build with random weights, PyTorch's own."""
        super().__init__()
        width, kind = config.channels, config.statistics
        self.config = config
        self.model_0 = nn.Sequential(
            ReflectionPad2d(3),
            *conv_layers(3, width, kind, kernel=7),
            *conv_layers(width, 2 * width, kind, stride=2, padding=1),
            *conv_layers(2 * width, 4 * width, kind, stride=2, padding=1),
            *(TrackedBlock(4 * width, config.dropout, kind) for _ in range(config.blocks)),
        )
        self.model_1 = nn.Sequential(*_double(4 * width, config))
        self.model_2 = nn.Sequential(*_double(2 * width, config))
        self.model_3 = color_head(width)

    def forward(self, x: Tensor) -> Tensor:
        """Redraw a picture: `b 3 h w` in [-1, 1] to `b 3 h w` in [-1, 1]; see `paint`."""
        return self.paint(x).picture

    def paint(self, x: Tensor) -> Painted:
        """Redraw a picture, and say by which features.

        Args:
            x: `b 3 h w`, float in [-1, 1], sides of 8 or more; to reach multiples of 4 the last row and column are
                repeated, and what comes of that is cut off the picture (not off the features).

        Raises:
            ShapeError: another rank or channel count, or a side that is too short.
        """
        _check(x, 8)
        height, width = x.shape[2:]
        if height % 4 or width % 4:
            x = F.pad(x, (0, -width % 4, 0, -height % 4), mode="replicate")
        quarter = self.model_0(x)
        half = self.model_1(quarter)
        full = self.model_2(half)
        return Painted(self.model_3(full)[:, :, :height, :width], (full, half, quarter))


class Pixelization(nn.Module):
    """GridNet and PixelNet behind one another: a picture to one drawn in cells, of its size."""

    def __init__(self, config: PixelizationConfig) -> None:
        """Build with random weights, PyTorch's own."""
        super().__init__()
        self.config = config
        self.gridnet = GridNet(config)
        self.pixelnet = PaintNet(config)

    def forward(self, x: Tensor) -> Tensor:
        """Draw a picture at every cell: `b 3 h w` in [-1, 1] to `b cell 3 h w` in [-1, 1], in the order of `CELLS`.

        Raises:
            ShapeError: as `GridNet` does.
        """
        small = self.gridnet(x).small
        size = (x.shape[2], x.shape[3])
        return torch.stack([self.pixelnet(enlarge(small[cell], size)) for cell in CELLS], dim=1)

    def translate_at(self, x: Tensor, cell: int) -> Tensor:
        """Draw a picture at one cell, whose grid begins at the upper left.

        Args:
            x: `b 3 h w`, float in [-1, 1], sides of `SMALLEST_SIDE` or more; a part of a cell counts as one.
            cell: pixels along a cell's side, one of `CELLS`.

        Returns:
            `b 3 h w`, float in [-1, 1].

        Raises:
            ShapeError: as `GridNet` does, or there is no such cell.
        """
        if cell not in CELLS:
            msg = f"cells are {cell} pixels wide, expected one of {CELLS}; resize the picture to such cells"
            raise ShapeError(msg)
        _check(x, SMALLEST_SIDE)
        height, width = x.shape[2:]
        cells = (-(-height // cell), -(-width // cell))
        whole = F.pad(x, (0, cells[1] * cell - width, 0, cells[0] * cell - height), mode="replicate")
        small = self.gridnet(whole, {cell: cells}).small[cell]
        return self.pixelnet(enlarge(small, (whole.shape[2], whole.shape[3])))[:, :, :height, :width]


def small_size(size: torch.Size | Size, cell: int) -> Size:
    """Height and width of the small picture for `cell` of a picture of `size`: its share of them, whole pixels."""
    height, width = ((side * SIXTEENTHS[cell] + 8) // 16 for side in size)
    return height, width


def enlarge(small: Tensor, size: Size) -> Tensor:
    """A small picture `b c h w` sharply to `size`; where that is no multiple, cells differ by a pixel."""
    return F.interpolate(small, size=size, mode="nearest")


def _step_down(width: int, config: PixelizationConfig) -> nn.Sequential:
    """The convolutions before one of the smaller pictures."""
    padding = 1 if config.borders == "kept" else 0
    convs = [conv_layers(width, width, config.statistics, padding=padding, mirror=True) for _ in range(config.convs)]
    return nn.Sequential(*(layer for conv in convs for layer in conv))


def _double(width: int, config: DepixelizationConfig) -> list[nn.Module]:
    """From `width` features to half as many at twice the size."""
    if config.upsample == "resize":
        twice = nn.Upsample(scale_factor=2, mode="nearest")
        return [twice, *conv_layers(width, width // 2, config.statistics, padding=1, mirror=True)]
    conv = nn.ConvTranspose2d(width, width // 2, 3, stride=2, padding=1, output_padding=1)
    return [conv, TrackedInstanceNorm(width // 2, config.statistics), nn.ReLU(inplace=True)]


def _check(x: Tensor, smallest: int) -> None:
    if x.ndim != 4 or x.shape[1] != 3 or min(x.shape[2:]) < smallest:
        msg = f"expected `b 3 h w` with sides of at least {smallest}, got {tuple(x.shape)}"
        raise ShapeError(msg)


SPECS = (
    ModelSpec(
        id="pixelization",
        purpose=Purpose.TRANSLATE,
        config=PixelizationConfig,
        module=Pixelization,
        tiny=PixelizationConfig(channels=2, blocks=1, convs=2, borders="kept"),
        paper="https://doi.org/10.1145/3272127.3275082",
    ),
    ModelSpec(
        id="depixelization",
        purpose=Purpose.TRANSLATE,
        config=DepixelizationConfig,
        module=PaintNet,
        tiny=DepixelizationConfig(channels=4, blocks=1),
        paper="https://doi.org/10.1145/3272127.3275082",
    ),
)
