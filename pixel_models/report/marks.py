"""The picture of a report: cells enlarged, with grid lines and a mark of its own colour for each thing found."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..errors import ShapeError
from ..grid import Lines
from ..image import check_image, enlarge
from .inspect import Report

MARKS = {
    "impure": (255, 40, 40),
    "orphan": (255, 220, 0),
    "band": (0, 220, 255),
    "blend": (60, 90, 255),
    "soft": (255, 0, 220),
}
"""What each colour means: a frame, a dot in the middle, a bar below, a bar above; soft pixels are filled."""

_CELL = 12
"""Pixels along a cell's side at least, where the picture does not get too large."""
_LARGEST = 4096
_LINE = (128, 128, 128)
_BOARD = (0.8, 0.65)
"""Greys of the chessboard behind what is transparent."""


@torch.no_grad()
def marked(rgba: Tensor, report: Report) -> Tensor:
    """Show where a report found what.

    Args:
        rgba: `b 4 h w`, floating point in [0, 1], the picture of the report.
        report: `inspect_picture(rgba)`.

    Returns:
        `b 3 H W`, float32 in [0, 1]: the picture enlarged by a whole factor until cells are about 12 pixels wide, with
        lines between them and the marks of `MARKS`. Without a grid only soft pixels are marked, at the picture's size.

    Raises:
        ShapeError: the report is of a picture of another size.
        ShapeError, ImageError: `rgba` is no picture.
    """
    check_image(rgba, "rgba", channels=(4,))
    if (rgba.shape[0], *rgba.shape[2:]) != tuple(report.places.soft.shape):
        size, asked = tuple(report.places.soft.shape), (rgba.shape[0], *rgba.shape[2:])
        msg = f"the report is of pictures `b h w` {size}, got {asked}; inspect this picture first"
        raise ShapeError(msg)
    cell = min(report.cell_x, report.cell_y) if report.is_grid else float(_CELL)
    scale = max(1, min(math.ceil(_CELL / cell), _LARGEST // max(report.width, report.height)))
    color, alpha = enlarge(rgba.float().clamp(0, 1), scale).split((3, 1), dim=1)
    made = color * alpha + _board(alpha) * (1 - alpha)
    made = _painted(made, enlarge(report.places.soft, scale), MARKS["soft"])
    if not report.is_grid:
        return made
    (column, x), (row, y) = (
        _places(lines, scale, n) for lines, n in zip((report.grid.x, report.grid.y), made.shape[:1:-1], strict=True)
    )
    wide, high = x[None], y[:, None]
    away = torch.maximum((wide - 0.5).abs(), (high - 0.5).abs())
    shapes = {
        "impure": (away > 0.32),
        "orphan": (away < 0.2),
        "band": (high > 0.68) & (high < 0.85) & (wide > 0.15) & (wide < 0.85),
        "blend": (high > 0.15) & (high < 0.32) & (wide > 0.15) & (wide < 0.85),
    }
    for name, shape in shapes.items():
        cells = getattr(report.places, name).to(made.device).index_select(1, row).index_select(2, column)
        made = _painted(made, cells & shape, MARKS[name])
    lines = _begins(row)[:, None] | _begins(column)[None]
    return _painted(made, lines.expand(len(made), -1, -1), _LINE)


def _places(lines: Lines, scale: int, length: int) -> tuple[Tensor, Tensor]:
    """Which cell each pixel of an enlarged axis is in, and where in it, 0 to 1."""
    edges = torch.tensor(lines.edges, dtype=torch.float64) * scale
    middle = torch.arange(length, dtype=torch.float64) + 0.5
    cell = (torch.searchsorted(edges, middle, right=True) - 1).clamp(0, len(edges) - 2)
    return cell, (middle - edges[cell]) / (edges[cell + 1] - edges[cell])


def _begins(cell: Tensor) -> Tensor:
    """Pixels of an axis at which another cell begins."""
    begins = torch.zeros_like(cell, dtype=torch.bool)
    begins[1:] = cell[1:] != cell[:-1]
    return begins


def _painted(picture: Tensor, where: Tensor, color: tuple[int, int, int]) -> Tensor:
    """`b 3 h w` with a colour at the pixels of `b h w`."""
    paint = torch.tensor(color, dtype=picture.dtype, device=picture.device)[:, None, None] / 255
    return torch.where(where[:, None], paint, picture)


def _board(like: Tensor) -> Tensor:
    """A chessboard of squares of 8 pixels, `1 1 h w`."""
    y, x = (torch.arange(n, device=like.device) // 8 for n in like.shape[2:])
    return torch.where((y[:, None] + x[None]) % 2 == 0, *_BOARD)[None, None]
