"""Self-made drawings of strokes and shapes, with the pixel art that they should become: what sprites cannot teach.

A sprite made smooth never has a line thinner than about half a cell, a face drawn with a pen, or a flat shape without
any outline. Here lines are drawn from a fifth of a cell to two cells wide; in the pixel art each is whole and one
cell wide, or as wide as drawn. What has no outline gets none.
"""

from __future__ import annotations

import colorsys
import math

import numpy as np
import torch
from torch import Tensor

from .canvas import rand, randint
from .raster import Color, Drawing, Points, dense

_BLACK = (0, 0, 0)
PALE = 0.18
"""Share of fills and of line drawings that are hardly darker than the paper: white hair, a bandage, a cloud."""


def draw_strokes(cells: int, pixels: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A drawing on nothing, in both forms.

    Args:
        cells: side of the pixel art.
        pixels: side of the smooth picture.
        generator: decides everything.

    Returns:
        `4 cells cells` with alpha 0 or 1, and `4 pixels pixels`, both float32 in [0, 1], straight alpha.
    """
    drawing = Drawing(cells, pixels)
    scenes = (_face, _face, _doodle, _doodle, _line_art, _blocks)
    scenes[randint(generator, 0, len(scenes) - 1)](drawing, generator)
    art, picture = (
        torch.from_numpy(x.copy()).permute(2, 0, 1).float() / 255 for x in (drawing.art(), drawing.picture())
    )
    return art.contiguous(), picture.contiguous()


def _color(g: torch.Generator, light: tuple[float, float] = (0.25, 1.0)) -> Color:
    hue, saturation, value = rand(g), rand(g) ** 0.7, rand(g, *light)
    if light[1] >= 1 and rand(g) < PALE:
        saturation, value = rand(g, 0, 0.15), rand(g, 0.75, 0.95)
    return _bytes(colorsys.hsv_to_rgb(hue, saturation, value))


def _skin(g: torch.Generator) -> Color:
    return _bytes(colorsys.hsv_to_rgb(rand(g, 0.03, 0.11), rand(g, 0.15, 0.7), rand(g, 0.35, 1.0)))


def _bytes(rgb: tuple[float, float, float]) -> Color:
    red, green, blue = (round(255 * value) for value in rgb)
    return red, green, blue


def _darker(color: Color, g: torch.Generator, shares: tuple[float, float] = (0.25, 0.6)) -> Color:
    share = rand(g, *shares)
    red, green, blue = (round(value * share) for value in color)
    return red, green, blue


def _ink(fill: Color, g: torch.Generator) -> Color:
    """The colour of lines on or around a fill."""
    kind = rand(g)
    if min(fill) > 180 and rand(g) < 2 * PALE:
        return _darker(fill, g, (0.75, 0.92))
    if kind < 0.6:
        return _BLACK if kind < 0.4 else _bytes((rand(g, 0, 0.2), rand(g, 0, 0.2), rand(g, 0, 0.25)))
    if kind < 0.85:
        return _darker(fill, g)
    return (255, 255, 255) if sum(fill) < 300 else _color(g, (0.1, 0.5))


def _width(g: torch.Generator) -> float:
    """Of lines, cells: mostly thinner than one."""
    return rand(g, 0.2, 0.9) if rand(g) < 0.65 else rand(g, 0.9, 2.2)


def _ring(x: float, y: float, width: float, height: float, wobble: float, g: torch.Generator) -> Points:
    """A closed line about a point: an ellipse, the more uneven the more wobble."""
    count = max(16, int(4 * math.pi * max(width, height)))
    angle = np.linspace(0, 2 * math.pi, count)
    radius = np.ones(count)
    for order in range(2, 6):
        radius += wobble / order * rand(g, -1, 1) * np.cos(order * angle + rand(g, 0, 2 * math.pi))
    return np.stack([x + width / 2 * radius * np.cos(angle), y + height / 2 * radius * np.sin(angle)], axis=1)


def _arc(x: float, y: float, width: float, bend: float, tilt: float = 0.0) -> Points:
    """An open line about a point, bent down at the ends (`bend` cells, below 0: up) and tilted by `tilt` radians."""
    count = max(8, int(6 * (width + abs(bend))))
    along = np.linspace(-1, 1, count)
    dx, dy = along * width / 2, bend * (along**2 - 0.5)
    return np.stack([x + dx * math.cos(tilt) - dy * math.sin(tilt), y + dx * math.sin(tilt) + dy * math.cos(tilt)], 1)


def _curve(cells: float, g: torch.Generator) -> Points:
    """A cubic somewhere."""
    ends = np.array([[rand(g, 0.05, 0.95) * cells, rand(g, 0.05, 0.95) * cells] for _ in range(4)])
    ends[1:] = ends[0] + (ends[1:] - ends[0]) * rand(g, 0.2, 1.0)
    t = np.linspace(0, 1, 8 * int(cells) + 8)[:, None]
    a, b, c, d = ends
    return (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d


def _outlined(d: Drawing, ring: Points, fill: Color | None, line: tuple[float, Color] | None) -> None:
    if fill is not None:
        d.fill(ring, fill)
    if line is not None:
        d.line(ring, *line)


def _doodle(d: Drawing, g: torch.Generator) -> None:
    """Flat shapes, most with an outline, with lines and dots on them."""
    n, width, lined = d.cells, _width(g), rand(g) < 0.7
    for _ in range(randint(g, 1, 5)):
        fill = _color(g)
        ink = _ink(fill, g)
        x, y = rand(g, 0.2, 0.8) * n, rand(g, 0.2, 0.8) * n
        wide, high = rand(g, 0.15, 0.7) * n, rand(g, 0.15, 0.7) * n
        _outlined(d, _ring(x, y, wide, high, rand(g, 0, 0.5), g), fill, (width, ink) if lined else None)
        for _ in range(randint(g, 0, 3)):
            at = x + rand(g, -0.3, 0.3) * wide, y + rand(g, -0.3, 0.3) * high
            if rand(g) < 0.6:
                d.line(_arc(*at, rand(g, 0.1, 0.5) * wide, rand(g, -0.2, 0.2) * high, rand(g, 0, 3.2)), width, ink)
            else:
                size = rand(g, 0.6, max(0.7, 0.12 * n))
                d.dot(*at, (size, size * rand(g, 0.7, 1.4)), _color(g, (0, 1)) if rand(g) < 0.5 else ink)


def _line_art(d: Drawing, g: torch.Generator) -> None:
    """Lines alone: rings, arcs, curves, straight ones."""
    n, width = d.cells, _width(g)
    if rand(g) < 0.5:  # paper
        d.fill(dense([(-1, -1), (n + 1, -1), (n + 1, n + 1), (-1, n + 1)], True), (255, 255, 255))
    ink = _BLACK if rand(g) < 0.6 else _color(g, (0.1, 0.7))
    if rand(g) < PALE:
        ink = _darker((255, 255, 255), g, (0.6, 0.94))
    for _ in range(randint(g, 2, 3 + n // 6)):
        kind = rand(g)
        x, y = rand(g, 0.1, 0.9) * n, rand(g, 0.1, 0.9) * n
        if kind < 0.3:
            line = _ring(x, y, rand(g, 0.1, 0.8) * n, rand(g, 0.1, 0.8) * n, rand(g, 0, 0.3), g)
        elif kind < 0.6:
            line = _arc(x, y, rand(g, 0.1, 0.7) * n, rand(g, -0.2, 0.2) * n, rand(g, 0, 3.2))
        elif kind < 0.8:
            line = _curve(n, g)
        else:
            line = dense([(x, y), (rand(g, 0.05, 0.95) * n, rand(g, 0.05, 0.95) * n)])
        d.line(line, width, ink)


def _blocks(d: Drawing, g: torch.Generator) -> None:
    """Rectangles and triangles with straight lines and rows of windows, as buildings and boxes have."""
    n, width, lined = d.cells, _width(g), rand(g) < 0.6
    for _ in range(randint(g, 1, 5)):
        fill = _color(g)
        ink = _ink(fill, g)
        left, top = rand(g, 0, 0.7) * n, rand(g, 0, 0.7) * n
        right, bottom = left + rand(g, 0.15, 0.6) * n, top + rand(g, 0.15, 0.6) * n
        lean = rand(g, -0.3, 0.3) * (right - left) if rand(g) < 0.4 else 0.0
        corners = [(left + lean, top), (right + lean, top), (right, bottom), (left, bottom)]
        if rand(g) < 0.2:
            corners = corners[1:]
        _outlined(d, dense(corners, True), fill, (width, ink) if lined else None)
        if rand(g) < 0.5 and lean == 0:
            step, size, pane = rand(g, 3, 7), rand(g, 1.0, 2.6), _color(g, (0, 1))
            for y in np.arange(top + step, bottom - 2, step):
                for x in np.arange(left + step, right - 2, step):
                    d.fill(dense([(x, y), (x + size, y), (x + size, y + size), (x, y + size)], True), pane)
        elif rand(g) < 0.5:
            for y in np.arange(top + rand(g, 2, 6), bottom - 1, rand(g, 2.5, 6)):
                d.line(dense([(left, y), (right, y)]), min(width, 1.2), ink)


def _face(d: Drawing, g: torch.Generator) -> None:
    """A head as an avatar's, with whatever faces have, drawn with fills or with a pen alone."""
    n = d.cells
    filled, width = rand(g) < 0.75, min(_width(g), 1.6)
    skin = _skin(g) if filled else (255, 255, 255)
    lined = not filled or rand(g) < 0.5
    ink = _ink(skin, g) if filled else (_BLACK if rand(g) < 0.7 else _color(g, (0.1, 0.6)))
    line = (width, ink)
    high = rand(g, 0.5, 0.95) * n
    wide = high * rand(g, 0.65, 1.05)
    x, y = n * rand(g, 0.42, 0.58), n * rand(g, 0.45, 0.6)
    hair, outline = _color(g, (0.05, 0.9)), line if lined else None
    if rand(g) < 0.6:  # behind the head
        back = _ring(x, y - 0.1 * high, wide * rand(g, 1.1, 1.4), high * rand(g, 1.0, 1.3), 0.15, g)
        _outlined(d, back, hair if filled else None, outline)
    if rand(g) < 0.6:
        for side in (-1, 1):
            ear = _ring(x + side * wide / 2, y, wide * 0.2, high * 0.22, 0, g)
            _outlined(d, ear, skin, outline)
    _outlined(d, _ring(x, y, wide, high, rand(g, 0, 0.12), g), skin, outline)
    if rand(g) < 0.6:  # a fringe
        top = y - high * rand(g, 0.28, 0.4)
        _outlined(d, _ring(x, top, wide * rand(g, 0.8, 1.05), high * 0.3, 0.3, g), hair if filled else None, outline)
    _features(d, (x, y, wide, high), line, g)


def _features(
    d: Drawing, head: tuple[float, float, float, float], line: tuple[float, Color], g: torch.Generator
) -> None:
    """Eyes, brows, nose, mouth, cheeks, glasses of a head at x and y, so wide and high."""
    x, y, wide, high = head
    ink = line[1] if sum(line[1]) < 380 else _BLACK
    apart, level = wide * rand(g, 0.17, 0.28), y - high * rand(g, -0.05, 0.12)
    kind, size = rand(g), wide * rand(g, 0.03, 0.16)
    looks, brow, bend = rand(g, -0.2, 0.2), rand(g) < 0.6, rand(g, -0.05, 0.05) * wide
    cheeks, glasses, tilt = rand(g) < 0.3, rand(g) < 0.25, rand(g, -0.3, 0.3)
    rosy = _bytes((rand(g, 0.8, 1.0), rand(g, 0.4, 0.7), rand(g, 0.4, 0.7)))
    for side in (-1, 1):
        at = x + side * apart
        if kind < 0.35:
            d.dot(at, level, (size, size * 1.2), ink)
        elif kind < 0.75:
            white = (max(1.8 * size, 1.6), max(1.6 * size, 1.4))
            d.dot(at, level, white, (255, 255, 255))
            d.dot(at + looks * white[0], level, (max(0.8, 0.45 * white[0]), max(0.8, 0.55 * white[1])), ink)
        else:
            d.line(_arc(at, level, max(1.5, 2 * size), bend * 2), line[0], ink)
        if brow:
            d.line(_arc(at, level - 1.6 * size - 1.5, max(2.0, 2.2 * size), bend, side * tilt), line[0], ink)
        if cheeks:
            d.dot(x + side * apart * 1.3, level + 0.2 * high, (0.14 * wide, 0.12 * high), rosy)
        if glasses:
            d.line(_ring(at, level, max(3.5, 0.3 * wide), max(3.2, 0.26 * wide), 0, g), line[0], ink)
    if glasses:
        gap = max(0.0, 2 * apart - max(3.5, 0.3 * wide))
        d.line(dense([(x - gap / 2, level), (x + gap / 2, level)]), line[0], ink)
    if rand(g) < 0.6:
        low = level + high * rand(g, 0.12, 0.2)
        d.line(
            _arc(x, low, max(1.0, wide * rand(g, 0.05, 0.14)), rand(g, -0.06, 0.06) * high, rand(g, -1.6, 1.6)),
            line[0],
            ink,
        )
    _mouth(d, (x, level + high * rand(g, 0.26, 0.36)), wide, line[0], ink, g)


def _mouth(d: Drawing, at: tuple[float, float], wide: float, width: float, ink: Color, g: torch.Generator) -> None:
    across = wide * rand(g, 0.1, 0.4)
    if rand(g) < 0.65:
        d.line(_arc(*at, max(2.0, across), rand(g, -0.3, 0.3) * across), width, ink)
        return
    lips = _bytes((rand(g, 0.5, 0.9), rand(g, 0.1, 0.4), rand(g, 0.2, 0.4)))
    d.dot(*at, (max(1.5, across), max(1.2, across * rand(g, 0.4, 0.9))), lips if rand(g) < 0.6 else ink)
    if across > 4 and rand(g) < 0.5:  # teeth
        d.fill(
            dense(
                [
                    (at[0] - across * 0.3, at[1] - across * 0.15),
                    (at[0] + across * 0.3, at[1] - across * 0.15),
                    (at[0] + across * 0.3, at[1] + 0.5),
                    (at[0] - across * 0.3, at[1] + 0.5),
                ],
                True,
            ),
            (255, 255, 255),
        )
