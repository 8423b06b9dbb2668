"""Snaps pictures to their grid in one call: native size, a strict palette, hard alpha."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .errors import GridError, PixelModelError, ShapeError
from .grid import IS_GRID, Grid, detect_grid, grid_of_cell, grid_of_size, looks_native, merge_colors, scatter, snap
from .grid.strict import NEAR
from .image import check_image
from .palette import IndexedImage, Palette, extract_palette, nearest_indices
from .palette.swap import index_exactly

_LEEWAY = 2.0
"""Colours closer than this many times their usual scatter are one."""


@dataclass(frozen=True)
class Snapped:
    """Pictures at native size, and the grid that brought them there."""

    image: IndexedImage
    """All the pictures, of one size and one palette; no colour outside it, no half-transparent cell."""
    grid: Grid
    """In pixels of the input."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in cells."""
        return self.grid.native_width, self.grid.native_height


@torch.no_grad()
def snap_to_grid(
    rgb: Tensor,
    *,
    alpha: Tensor | None = None,
    size: tuple[int, int] | None = None,
    cell: float | None = None,
    colors: int | None = None,
    palette: Palette | None = None,
    force: bool = False,
) -> Snapped:
    """Bring enlarged, resampled or generated pixel art to its native size: one clean colour for each cell.

    The grid is found in all pictures together, or given by `size` or `cell`; its lines then still follow the edges. A
    sprite that is at native size already stays as it is.

    Args:
        rgb: `b 3 h w`, floating point in [0, 1]; frames of one film or variants of one picture.
        alpha: `b 1 h w` in [0, 1], 1 = opaque; what covers less than half of a cell's middle is transparent.
        size: width and height of the result in cells, met exactly: 1024 pixels to 128 is never 129.
        cell: pixels along a cell's side, need not be whole.
        colors: the most colours of the result, chosen by `extract_palette`; None keeps those of the cells, after
            `merge_colors` has taken out what noise and JPEG left.
        palette: these colours and no others; `colors` then does not count.
        force: take the best grid there is, however unsure.

    Returns:
        The indexed pictures and the grid. Without `palette` and `colors` there is no limit to the number of colours.

    Raises:
        GridError: no grid was found, and neither `size`, `cell` nor `force` given.
        PixelModelError: `size` and `cell` together, or out of range.
        PaletteError: `colors` is below 1, or there are more native colours than an own palette can hold.
        ShapeError, ImageError: `rgb` or `alpha` is not as above.
    """
    picture = _joined(rgb, alpha)
    grid = _grid(picture, size, cell, force)
    native = snap(picture, grid)
    native = merge_colors(native, near=min(NEAR, _LEEWAY * scatter(picture, native, grid)))
    native_rgb, native_alpha = native[:, :3], None if alpha is None else native[:, 3:]
    if palette is None and colors is None:
        return Snapped(index_exactly(native_rgb, native_alpha), grid)
    chosen = palette if palette is not None else extract_palette(native_rgb, colors or 0, weight=native_alpha)
    clear = None if native_alpha is None else native_alpha[:, 0] < 0.5
    return Snapped(IndexedImage(nearest_indices(native_rgb, chosen), chosen, clear), grid)


def _joined(rgb: Tensor, alpha: Tensor | None) -> Tensor:
    """`b 3 h w` or `b 4 h w`, float32 in [0, 1]."""
    check_image(rgb, "rgb")
    if alpha is None:
        return rgb.detach().float().clamp(0, 1)
    check_image(alpha, "alpha", (1,))
    if alpha.shape != (len(rgb), 1, *rgb.shape[2:]):
        msg = f"alpha: expected shape {(len(rgb), 1, *rgb.shape[2:])}, as the picture has, got {tuple(alpha.shape)}"
        raise ShapeError(msg)
    return torch.cat([rgb, alpha.to(rgb)], dim=1).detach().float().clamp(0, 1)


def _grid(picture: Tensor, size: tuple[int, int] | None, cell: float | None, force: bool) -> Grid:
    if size is not None and cell is not None:
        msg = f"size is {size[0]}x{size[1]} and cell is {cell}, expected one of them: the other follows from it"
        raise PixelModelError(msg)
    if size is not None:
        return grid_of_size(picture, *size)
    if cell is not None:
        return grid_of_cell(picture, cell)
    grid = detect_grid(picture)
    if grid.is_grid or force or looks_native(picture):
        return grid
    best = f"cells of {grid.cell_x:.2f}x{grid.cell_y:.2f} pixels fit best"
    msg = f"no grid was found (confidence {grid.confidence:.2f}, {IS_GRID} is needed; {best}): give the cell size"
    raise GridError(f"{msg} or the size in cells, force the best guess, or use downscale where it is no pixel art")
