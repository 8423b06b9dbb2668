"""From a full-resolution network's picture to exact cells: how large it works, and one true colour for each cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional as F

from .color import oklab_to_srgb, srgb_to_oklab
from .errors import ModelKindError, PixelModelError, ShapeError, is_out_of_memory

WORKING_CELLS = (4, 8)
"""Fewest and most pixels a cell that such a network is run at."""

MOST_PIXELS = 2**24
"""Largest picture that such a network is shown; one of 64 features needs about 1 kB of memory a pixel."""

_GREY = (0.299, 0.587, 0.114)
"""Rec. 601 luma, as the programs that train one-channel networks make grey."""

_PIXELS_AT_ONCE = 2**20
_CLUSTER_STEPS = 4
_MEDIAN_STEPS = 4
_NEAR = 0.01
"""Oklab distance below which pixels pull alike on the median."""


@runtime_checkable
class CellTranslator(Protocol):
    """A full-resolution network that has to be told which cells to draw; its `config.cells` says which it can."""

    def translate_at(self, x: Tensor, cell: int) -> Tensor:
        """`b c h w` in [-1, 1] to the same size, drawn in cells of so many pixels from the upper left."""
        ...


def working_cell(cell: float, trained: Sequence[int] = ()) -> int:
    """Pixels along a cell's side at which a full-resolution network is run.

    Such networks learned on crops of 256 pixels whose "pixels" were about 4 to 8 pixels wide. So a picture whose cells
    are that wide is shown to the network as it is; finer cells are enlarged to 4 pixels, coarser ones brought down to
    8: the network draws at a scale it knows, and the number of cells stays the caller's.

    Args:
        cell: input pixels along a cell's side.
        trained: what the network's maker says it learned on, if anything; then the nearest of these.
    """
    least, most = WORKING_CELLS
    return min(trained, key=lambda size: abs(size - cell)) if trained else min(max(round(cell), least), most)


@torch.no_grad()
def draw_cells(network: nn.Module, picture: Tensor, cell: int) -> Tensor:
    """Run a full-resolution network over one picture and bring what it makes to cells.

    Args:
        network: a picture-to-picture network, as `run_whole` takes it.
        picture: `1 4 h*cell w*cell`, float32 in [0, 1], straight alpha last; the network sees it on white.
        cell: pixels along a cell's side.

    Returns:
        `1 4 h w`, float32 in [0, 1]: one colour a cell, and how much of the cell is opaque. Transparent pixels
        have no say in the colour.

    Raises:
        ModelKindError, ShapeError, PixelModelError: as `run_whole` and `cell_colors` do.
    """
    rgb, alpha = picture.clamp(0, 1).split((3, 1), dim=1)
    made = run_whole(network, rgb * alpha + 1 - alpha, cell)
    return torch.cat([cell_colors(made, cell, alpha), F.avg_pool2d(alpha, cell)], dim=1)


@torch.no_grad()
def run_whole(network: nn.Module, picture: Tensor, cell: int | None = None) -> Tensor:
    """Run a picture-to-picture network over one whole picture, where its weights are.

    No tiles: instance norm measures the whole picture, so that a tile would come out in other colours.

    Args:
        network: `1 c h w` in [-1, 1] to the same size; its `config` says how many channels it takes and gives (1 is
            grey, 3 colour), what its sides must be multiples of and how long they must be: the picture is mirrored
            to reach that.
        picture: `1 3 h w`, float32 in [0, 1].
        cell: pixels along a cell's side, for a network that asks (`CellTranslator`).

    Returns:
        `1 3 h w`, float32 in [0, 1], where `picture` is.

    Raises:
        ModelKindError: the network takes or gives neither grey nor colour.
        ShapeError: the picture has more than `MOST_PIXELS`.
        PixelModelError: memory ran out.
    """
    config: Any = network.config
    height, width = picture.shape[2:]
    sides = sides_seen(network, (height, width))
    x = mirror_to(picture, sides) * 2 - 1
    if config.in_channels == 1:
        x = torch.einsum("bchw,c->bhw", x, x.new_tensor(_GREY))[:, None]
    weight = next(network.parameters())
    try:
        x = x.to(weight.device, weight.dtype)
        drawn = network.translate_at(x, cell) if cell and isinstance(network, CellTranslator) else network(x)
        made = drawn[:, :, :height, :width].to(picture)
        return ((made.expand(-1, 3, -1, -1) + 1) / 2).clamp(0, 1)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
    # Outside the except block: inside, the traceback still holds the tensors of the failed try.
    msg = f"out of memory: this network sees whole pictures, here {sides[1]}x{sides[0]} pixels, never tiles"
    raise PixelModelError(f"{msg}; use larger cells or a smaller picture")


def sides_seen(network: nn.Module, size: tuple[int, int]) -> tuple[int, int]:
    """Height and width, in pixels, of what `run_whole` shows the network of a picture of that size.

    Raises:
        ModelKindError, ShapeError: as `run_whole` does, before anything is made.
    """
    config: Any = network.config
    if not {config.in_channels, config.out_channels} <= {1, 3}:
        msg = f"this network goes from {config.in_channels} to {config.out_channels} channels, expected 1 or 3 each"
        raise ModelKindError(f"{msg}: it does not turn one picture into another")
    height, width = (max(config.smallest, -(-side // config.multiple) * config.multiple) for side in size)
    if height * width > MOST_PIXELS:
        msg = f"this network sees whole pictures, here {width}x{height} pixels, and most are {MOST_PIXELS:,} pixels"
        raise ShapeError(f"{msg}; use larger cells or a smaller picture")
    return height, width


def mirror_to(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """Enlarge the canvas of `b c h w` to `size`, at the right and bottom, by mirroring as often as it takes."""
    for dim, wanted in zip((2, 3), size, strict=True):
        side = picture.shape[dim]
        place = torch.arange(wanted, device=picture.device) % (2 * side)
        picture = picture.index_select(dim, torch.minimum(place, 2 * side - 1 - place))
    return picture


def cell_colors(rgb: Tensor, cell: int, weight: Tensor | None = None) -> Tensor:
    """One colour for each cell that the cell really has: never the blur of two.

    The pixels of a cell are split into two clusters in Oklab; the result is the median of the larger one. Pixels at
    the cell's rim count less, since a network's "pixels" wander across it.

    Args:
        rgb: `b 3 h*cell w*cell`, float32 in [0, 1].
        cell: pixels along a cell's side.
        weight: `b 1 h*cell w*cell`, 0 or more, how much a pixel counts; where a whole cell has none, all count.

    Returns:
        `b 3 h w`, float32 in [0, 1].

    Raises:
        ShapeError: the sides are no multiples of `cell`.
    """
    _, channels, height, width = rgb.shape
    if channels != 3 or height % cell or width % cell or not height or not width:
        msg = f"expected `b 3 h w` with sides that are multiples of {cell}, got {tuple(rgb.shape)}"
        raise ShapeError(msg)
    rows = max(1, _PIXELS_AT_ONCE // (cell * width)) * cell
    weights = (torch.ones_like(rgb[:, :1]) if weight is None else weight).split(rows, dim=2)
    made = [_cells(*part, cell) for part in zip(rgb.split(rows, dim=2), weights, strict=True)]
    return torch.cat(made, dim=2)


def _cells(rgb: Tensor, weight: Tensor, cell: int) -> Tensor:
    """`cell_colors` of a few rows of cells."""
    shape = {"y": cell, "x": cell}
    lab = rearrange(srgb_to_oklab(rgb), "b c (h y) (w x) -> b h w (y x) c", **shape)
    place = 1 - ((torch.arange(cell, device=rgb.device) + 0.5) / cell * 2 - 1).abs()  # a hat, above 0 everywhere
    share = rearrange(weight, "b 1 (h y) (w x) -> b h w (y x) 1", **shape)
    share = torch.where(share.sum(dim=3, keepdim=True) > 0, share, 1.0) * torch.outer(place, place).reshape(-1, 1)
    centre, share = _larger_cluster(lab, share)
    for _ in range(_MEDIAN_STEPS):  # Weiszfeld's steps towards the geometric median
        pull = share / (lab - centre).norm(dim=4, keepdim=True).clamp_min(_NEAR)
        centre = _mean(lab, pull)
    return rearrange(oklab_to_srgb(centre, dim=4), "b h w 1 c -> b c h w")


def _larger_cluster(lab: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
    """2-means of `... n 3` weighted by `... n 1`: the heavier cluster's centre `... 1 3` and weights `... n 1`."""
    one = _farthest(lab, _mean(lab, share), share)
    two = _farthest(lab, one, share)
    mine, others = share, torch.zeros_like(share)
    for _ in range(_CLUSTER_STEPS):
        near = (lab - one).square().sum(dim=4, keepdim=True) <= (lab - two).square().sum(dim=4, keepdim=True)
        mine, others = share * near, share * ~near
        one, two = _mean(lab, mine), torch.where(others.sum(dim=3, keepdim=True) > 0, _mean(lab, others), two)
    first = mine.sum(dim=3, keepdim=True) >= others.sum(dim=3, keepdim=True)
    return torch.where(first, one, two), torch.where(first, mine, others)


def _mean(lab: Tensor, share: Tensor) -> Tensor:
    """Weighted mean of `... n 3` by `... n 1`: `... 1 3`."""
    return (lab * share).sum(dim=3, keepdim=True) / share.sum(dim=3, keepdim=True).clamp_min(1e-12)


def _farthest(lab: Tensor, centre: Tensor, share: Tensor) -> Tensor:
    """The pixel of `... n 3` that is farthest from `... 1 3`, where it counts at all: `... 1 3`."""
    away = (lab - centre).norm(dim=4, keepdim=True) * share.sqrt()
    return torch.take_along_dim(lab, away.argmax(dim=3, keepdim=True), dim=3)
