"""Brings whatever was enlarged, blurred or saved as JPEG to native size, and tells smooth pictures from sprites."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from torch import Tensor

from pixel_models.grid import Grid, Lines, detect_grid, grid_of_size, looks_native, merge_colors, scatter, snap
from pixel_models.grid.exact import exact_lines, has_unit_runs
from pixel_models.grid.lines import even_lines
from pixel_models.grid.strict import NEAR
from pixel_models.image import to_uint8

from .model import Pixels
from .softness import is_rich, is_smooth

WINDOW = 256
"""Damaged pictures are looked at through windows of so many pixels: all of a large sheet would take a minute."""
_WINDOWS = 5
_AGREE = 0.06
"""Cell sizes of two windows that differ by this share at most say the same."""
_BLOCK = 32
_FEW = 16
"""Colours of a block up to which none of them is a blend."""
_BLENDED = 0.3
"""Share of the cells at edges that may lie between their neighbours: in blurred pictures most do."""
_MOSTLY = 0.6
"""Share of a picture's blocks that have to look drawn for the picture to be."""
_SMALL = 64
_COVERED = 0.9
_SHADOW = 0.2
"""Largest channel of a shadow, sRGB 0 to 1."""
_LEAST_LINES = 6
_LEAST_SIDE = 8
"""Smaller art is not made smaller still: that its pixels come in pairs may be chance."""
_WHOLE = 0.04
_OFF = 0.2
"""A pixel this far from its cell's colour is not of it, sRGB 0 to 1."""
_MOST_OFF = 0.25
"""Share of such pixels above which the grid is none of the picture's."""
_LEAST_CELL = 1.2
_SQUARE = 1.25
_LEAST_CELLS = 12
"""Fewer along the longer side are no art that was damaged, but a drawing with straight edges."""
_LEEWAY = 2.0
_LIGHT, _GROUND = 160, 16
"""Mean level of a light ground, and levels by which what is of it may differ."""


@dataclasses.dataclass(frozen=True)
class Native:
    """Frames at native size."""

    frames: list[Pixels]
    cell: float
    """Pixels a cell had, before."""
    how: str
    """In words."""
    lines: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    """Edges of the columns and rows of cells in the picture as it was; None: every pixel is a cell."""


def to_native(frames: list[Pixels], *, lossy: bool = False) -> Native | None:
    """Find the grid that frames of one size share, and make one pixel of each cell.

    Args:
        frames: one or more, of one size.
        lossy: they come from a file that blurs, so their pixels are no cells as they are.

    Returns:
        None: the frames are a smooth drawing or a photo.
    """
    picture = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).float() / 255  # b 4 h w
    exact = exact_cells(picture)
    if exact is not None:
        x, y = exact
        made = [np.ascontiguousarray(frame[middles(y)][:, middles(x)]) for frame in frames]
        if is_rich(made[0]):
            return None
        return Native(made, (x.cell + y.cell) / 2, f"enlarged {x.cell:g} times exactly", (x.edges, y.edges))
    smooth = lossy or is_smooth(frames[0])
    units = not smooth and has_unit_runs(picture)
    if units and _share_drawn(picture, colors=_FEW) >= _MOSTLY and share_blended(picture) <= _BLENDED:
        return Native(frames, 1.0, "native size")
    grid = _window_grid(picture)
    if grid is not None:
        made = _snapped(picture, grid)
        if made is not None:
            return Native(
                made,
                (grid.cell_x + grid.cell_y) / 2,
                f"enlarged about {grid.cell_x:.3g} times{', smoothly' if grid.smooth else ''}, and snapped",
                (grid.x.edges, grid.y.edges),
            )
    if smooth:
        return None
    if looks_native(picture) or _share_drawn(picture) >= _MOSTLY or _is_cut_out(picture):
        return Native(frames, 1.0, "native size")
    return None


def exact_cells(picture: Tensor) -> tuple[Lines, Lines] | None:
    """Lines of a picture `b 4 h w` that was enlarged by a whole number, where that is no chance."""
    lines = exact_lines(picture)
    if lines is None or min(line.cell for line in lines) < 2:
        return None
    x, y = lines
    changes = sum(int((picture.diff(dim=d).abs().amax(dim=(0, 1, 5 - d)) > 0).sum()) for d in (2, 3))
    large = max(len(x.edges), len(y.edges)) - 1 >= _LEAST_SIDE
    return lines if changes >= _LEAST_LINES and large else None


def middles(lines: Lines) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """A pixel of each cell along an axis."""
    edges = np.array(lines.edges)
    return np.floor((edges[:-1] + edges[1:]) / 2).astype(np.int64).clip(0, int(edges[-1]) - 1)


def _share_drawn(picture: Tensor, colors: int | None = None) -> float:
    """Of the blocks of a picture that hold anything, how many have few colours, used again and again."""
    height, width = picture.shape[2:]
    corners = [(y, x) for y in range(0, height, _BLOCK) for x in range(0, width, _BLOCK)]
    step = max(1, len(corners) // 256)
    drawn = seen = 0
    for y, x in corners[::step]:
        block = picture[:1, :, y : y + _BLOCK, x : x + _BLOCK]
        count = _count_colors(block)
        if count > 2:
            seen += 1
            drawn += count <= colors if colors is not None else looks_native(block)
    return drawn / seen if seen else 1.0


def _is_cut_out(picture: Tensor) -> bool:
    """Whether it is small, with hard edges on nothing: richly shaded, but nobody cuts photos out at such a size.

    Shadows may be soft.
    """
    alpha = picture[:, 3]
    shadow = picture[:, :3].amax(dim=1) <= _SHADOW
    hard = bool(((alpha == 0) | (alpha == 1) | shadow).all())
    return max(picture.shape[2:]) <= _SMALL and hard and float(alpha.mean()) < _COVERED


def share_blended(picture: Tensor) -> float:
    """Of the pixels of `b 4 h w` beside an edge, how many are a blend of their two neighbours, along rows."""
    flat = picture[0, :3] * picture[0, 3:]
    steps = flat.diff(dim=2)  # 3 h w-1
    moved = steps.abs().amax(dim=0) > 0
    both = moved[:, 1:] & moved[:, :-1]
    onward = (steps[:, :, 1:] * steps[:, :, :-1]).amin(dim=0) >= 0
    at_edge = moved[:, 1:] | moved[:, :-1]
    return float((both & onward).sum()) / max(1, int(at_edge.sum()))


def _count_colors(block: Tensor) -> int:
    pixels = (block[0] * 255).round().long()
    codes = (pixels[0] << 16 | pixels[1] << 8 | pixels[2]) * (pixels[3] > 0) + (pixels[3] << 24)
    return int(codes.unique().numel())


def _window_grid(picture: Tensor) -> Grid | None:
    """The grid of a damaged picture: what most of its busiest windows say."""
    height, width = picture.shape[2:]
    if max(height, width) <= WINDOW:
        grid = detect_grid(picture[:4])
        return grid if grid.is_grid and max(grid.cell_x, grid.cell_y) >= _LEAST_CELL else None
    windows = _busiest(picture)
    found = [grid for window in windows if (grid := detect_grid(window)).is_grid]
    cells = [((g.cell_x + g.cell_y) / 2, g.smooth) for g in found if max(g.cell_x, g.cell_y) >= _LEAST_CELL]
    if not cells:
        return None
    votes = [sum(abs(one / other - 1) <= _AGREE for other, _ in cells) for one, _ in cells]
    best = max(votes)
    agreed = [pair for pair, count in zip(cells, votes, strict=True) if count == best]
    if 2 * best <= len(found) or 3 * best < len(windows):
        return None
    cell = float(np.median([size for size, _ in agreed]))
    smooth = 2 * sum(flag for _, flag in agreed) > len(agreed)
    return _whole_grid(picture, cell, smooth=smooth)


def _whole_grid(picture: Tensor, cell: float, *, smooth: bool) -> Grid:
    height, width = picture.shape[2:]
    whole = round(cell)
    if abs(cell / whole - 1) <= _WHOLE and width % whole == 0 == height % whole:
        cell = float(whole)
    columns, rows = (max(1, round(side / cell)) for side in (width, height))
    if smooth or (width % columns == 0 == height % rows):
        x, y = even_lines(width, columns), even_lines(height, rows)
        return Grid(width=width, height=height, x=x, y=y, confidence=1.0, smooth=smooth)
    return grid_of_size(picture[:1], columns, rows)


def _busiest(picture: Tensor) -> list[Tensor]:
    """Windows with the most edges, none over another, in a fixed order."""
    height, width = picture.shape[2:]
    flat = picture[0, :3] * picture[0, 3:]
    edges = torch.zeros(height, width)
    edges[:, 1:] += flat.diff(dim=2).abs().amax(dim=0)
    edges[1:] += flat.diff(dim=1).abs().amax(dim=0)
    tall, wide = min(WINDOW, height), min(WINDOW, width)
    places = [(y, x) for y in _starts(height, tall) for x in _starts(width, wide)]
    order = sorted(places, key=lambda p: -float(edges[p[0] : p[0] + tall, p[1] : p[1] + wide].sum()))
    return [picture[:1, :, y : y + tall, x : x + wide] for y, x in order[:_WINDOWS]]


def _starts(length: int, size: int) -> list[int]:
    return list(range(0, length - size + 1, size))


def _snapped(picture: Tensor, grid: Grid) -> list[Pixels] | None:
    """Frames of one colour a cell; None where the cells are not the picture's own."""
    small, large = sorted((grid.cell_x, grid.cell_y))
    if max(len(grid.x.edges), len(grid.y.edges)) - 1 < _LEAST_CELLS or large > _SQUARE * small:
        return None
    native = snap(picture, grid)
    native = merge_colors(native, near=min(NEAR, _LEEWAY * scatter(picture, native, grid)))
    if not grid.smooth and _share_off(picture, native, grid) > _MOST_OFF:
        return None
    return [_even_ground(frame) for frame in np.ascontiguousarray(to_uint8(native).permute(0, 2, 3, 1).numpy())]


def _even_ground(pixels: Pixels) -> Pixels:
    """With one light ground: blur and JPEG leave a ring around sprites that is nearly of its colour."""
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    colors, counts = np.unique(border, axis=0, return_counts=True)
    color = colors[int(counts.argmax())].astype(int)
    if 2 * counts.max() <= len(border) or color[3] < 255 or color[:3].mean() < _LIGHT:
        return pixels
    near = np.abs(pixels.astype(int) - color).max(axis=2, keepdims=True) <= _GROUND
    return np.where(near, color.astype(np.uint8), pixels)


def _share_off(picture: Tensor, native: Tensor, grid: Grid) -> float:
    """Pixels that differ much from their cell's colour, of those in cells that differ from a neighbour."""
    rows, columns = (_cell_of(lines, side) for lines, side in ((grid.y, grid.height), (grid.x, grid.width)))
    shown = native[:, :, rows][:, :, :, columns]
    off = ((shown * shown[:, 3:] - picture * picture[:, 3:])[:, :3].abs().amax(dim=1) > _OFF).float()
    return float(off.mean()) / max(0.05, float((native[:, 3] > 0).float().mean()))


def _cell_of(lines: Lines, length: int) -> Tensor:
    edges = np.array(lines.edges)
    place = np.searchsorted(edges, np.arange(length) + 0.5, side="right") - 1
    return torch.from_numpy(place.clip(0, len(edges) - 2))
