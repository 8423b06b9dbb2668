"""Shapes drawn twice: as an artist sets them cell by cell, and smooth with soft edges as a drawing program does."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Points = NDArray[np.float64]
"""`n 2`, x and y in cells, near one another along the line."""

Color = tuple[int, int, int]

_FINE = 3
"""Drawn so many times larger than needed, then averaged: the soft edge."""

_SUB = 8
"""Parts of a cell's side by which the share that a shape covers is counted."""

THIN = 1.5
"""Lines below this width, in cells, are one cell wide in pixel art, however thin."""


def line_cells(points: Points) -> list[tuple[int, int]]:
    """The cells of a line one cell wide without corners: what artists call pixel-perfect.

    Args:
        points: at most half a cell from one another.

    Returns:
        x and y of each cell in order; each touches the next at a side or a corner, and a cell that is only the bend
        between two that touch at their corners is left out.
    """
    found: list[tuple[int, int]] = []
    for x, y in np.floor(points).astype(int).tolist():
        if not found or found[-1] != (x, y):
            found.append((x, y))
    kept: list[tuple[int, int]] = []
    for index, cell in enumerate(found):
        after = found[index + 1] if index + 1 < len(found) else None
        if kept and after is not None:
            (x0, y0), (x1, y1) = kept[-1], after
            if abs(x1 - x0) == 1 and abs(y1 - y0) == 1:
                continue  # the corner of an L
        kept.append(cell)
    return kept


class Drawing:
    """A square drawing in both forms, each shape laid over those before it."""

    def __init__(self, cells: int, pixels: int) -> None:
        """Begin with nothing: `cells` a side as pixel art, `pixels` a side as a smooth picture."""
        self.cells, self.pixels = cells, pixels
        self._scale = _FINE * pixels / cells
        self._art = np.zeros((cells, cells, 4), np.uint8)
        self._fine = Image.new("RGBA", (_FINE * pixels, _FINE * pixels))
        self._pen = ImageDraw.Draw(self._fine)

    def fill(self, points: Points, color: Color) -> None:
        """A closed shape without an outline."""
        self._pen.polygon(self._placed(points), fill=(*color, 255))
        self._art[self._covered(lambda pen: pen.polygon(self._placed(points, _SUB), fill=255))] = (*color, 255)

    def line(self, points: Points, width: float, color: Color) -> None:
        """A line `width` cells wide in the smooth picture; one cell in the pixel art where that is thin."""
        drawn = max(1, round(width * self._scale))
        points = points[:: max(1, int(2 * width))] if width > 1 else points  # a wide pen takes no tiny turns
        self._pen.line(self._placed(points), fill=(*color, 255), width=drawn, joint="curve")
        if width < THIN:
            inside = [(x, y) for x, y in line_cells(points) if 0 <= x < self.cells and 0 <= y < self.cells]
            for x, y in inside:
                self._art[y, x] = (*color, 255)
        else:
            wide = max(1, round(width * _SUB))
            placed = self._placed(points, _SUB)
            self._art[self._covered(lambda pen: pen.line(placed, fill=255, width=wide, joint="curve"))] = (*color, 255)

    def dot(self, x: float, y: float, size: tuple[float, float], color: Color) -> None:
        """An ellipse `size` (width and height, cells) about a point; never less than one cell in the pixel art."""
        half = size[0] / 2, size[1] / 2
        around = np.array([[x - half[0], y - half[1]], [x + half[0], y + half[1]]])
        self._pen.ellipse(self._placed(around), fill=(*color, 255))
        sides = [(at, round(length)) for at, length in ((x, size[0]), (y, size[1]))]
        if max(size) < 2.5:
            (left, right), (top, bottom) = (_span(at, max(1, length), self.cells) for at, length in sides)
            self._art[top:bottom, left:right] = (*color, 255)
        else:
            placed = self._placed(around, _SUB)
            self._art[self._covered(lambda pen: pen.ellipse(placed, fill=255))] = (*color, 255)

    def art(self) -> NDArray[np.uint8]:
        """`cells cells 4`, straight alpha of 0 or 255."""
        return self._art

    def picture(self) -> NDArray[np.uint8]:
        """`pixels pixels 4`, straight alpha, edges soft by a pixel."""
        return np.asarray(self._fine.convert("RGBa").reduce(_FINE).convert("RGBA"))

    def _placed(self, points: Points, scale: float = 0) -> list[tuple[float, float]]:
        return [(x, y) for x, y in (points * (scale or self._scale)).tolist()]

    def _covered(self, draw: Callable[[ImageDraw.ImageDraw], None]) -> NDArray[np.bool_]:
        mask = Image.new("L", (_SUB * self.cells, _SUB * self.cells))
        draw(ImageDraw.Draw(mask))
        return np.asarray(mask.reduce(_SUB)) > 127


def _span(at: float, length: int, cells: int) -> tuple[int, int]:
    """The `length` cells whose middle is nearest to `at`, cut off at the border."""
    first = round(at - length / 2)
    return max(0, first), min(cells, first + length)


def dense(corners: Sequence[tuple[float, float]], closed: bool = False) -> Points:
    """Points along straight lines between corners, no two further apart than a quarter of a cell."""
    ends = [*corners, corners[0]] if closed else list(corners)
    parts = [np.array(ends[:1], float)]
    for start, end in itertools.pairwise(ends):
        count = max(1, int(np.ceil(4 * np.hypot(end[0] - start[0], end[1] - start[1]))))
        share = (np.arange(1, count + 1) / count)[:, None]
        parts.append(np.array(start)[None] * (1 - share) + np.array(end)[None] * share)
    return np.concatenate(parts)
