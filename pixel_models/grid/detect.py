"""Finds the grid of pixel art that was enlarged: cell size, offset and lines of both axes, and how sure that is."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from torch import Tensor

from ..errors import PixelModelError
from ..image import check_image
from .exact import exact_lines, has_few_colors, has_unit_runs, looks_native, pack_colors
from .lines import Lines, even_lines, find_lines, shifted_lines, wandering_lines
from .profile import Floats, candidate_periods, edge_profiles, regularity
from .refit import Fit, refit
from .strict import NEAR, merge_colors
from .unblend import unblend

IS_GRID = 0.5
"""Confidence from which on a picture is said to have a grid."""

_HALFWAY = 0.3
"""Regularity at which the confidence is `IS_GRID`: photos stay below, see benchmarks/grid.py."""
_STEEP = 0.06
_LONGEST = 48.0
"""Largest cell that is looked for, pixels."""
_FEWEST_CELLS = 6
_HARMONIC = 0.8
"""Of periods that are nearly as good, the longest: half and third of the true one fit sharp edges as well."""
_SAME = 0.85
"""Both axes get one cell size when that costs neither more than this share of its own best."""

_DEEP, _DEEPER, _DEEPEST = 0.65, 0.45, 0.3
"""Dips of the misfit, see refit.py, that count where nothing, something, or much speaks against them."""
_SQUARE = 1.6
"""Cells further from square than this are not believed there: each axis would have dipped by chance."""
_NEARLY = 0.08
_FINER = 2.5
"""Cells that are so many times finer are steps of the pixels themselves, in art that was cropped or drifts."""

_ENLARGED_PHOTO = 0.3
"""Confidence at most, in a small photo that was enlarged: its pixels are found, but they are no pixel art."""
_CELLS_SEEN = 2000
_NEAR_LEAST = 0.03
_MOST_DRAWN = 100
"""Colours, of so many cells, after near ones were joined: pixel art mostly has below 70, photos mostly above 100."""

_NATIVE_SURE = 0.9
"""Confidence that a sprite is at native size: its look says so, and nothing repeats to prove it."""
_NATIVE_BELOW = 6
"""Larger cells that are found in a picture of few colours are believed: it was blurred, then reduced to them."""

_LONGER = 25
"""Steps, of 1 per cent each, by which a period is longer and not another reading of the same."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Grid:
    """Cell size and offset of pixel art that was scaled up, all in pixels of the enlarged picture."""

    width: int
    """Of the picture."""
    height: int
    x: Lines
    y: Lines
    confidence: float
    """0 to 1; from `IS_GRID` on there is a grid."""
    smooth: bool = False
    """Whether a smooth filter (bilinear, bicubic, Lanczos) enlarged the native pixels: no cell has sharp borders."""

    @property
    def is_grid(self) -> bool:
        """Whether the picture is believed to be enlarged pixel art."""
        return self.confidence >= IS_GRID

    @property
    def cell_x(self) -> float:
        """Mean cell width."""
        return self.x.cell

    @property
    def cell_y(self) -> float:
        """Mean cell height."""
        return self.y.cell

    @property
    def offset_x(self) -> float:
        """Where the first full column of cells begins."""
        return self.x.offset

    @property
    def offset_y(self) -> float:
        """Where the first full row of cells begins."""
        return self.y.offset

    @property
    def native_width(self) -> int:
        """Columns of cells."""
        return len(self.x.edges) - 1

    @property
    def native_height(self) -> int:
        """Rows of cells."""
        return len(self.y.edges) - 1


def detect_grid(picture: Tensor) -> Grid:
    """Find one grid for a picture, a batch or the frames of a film.

    First by equal pixels, which shows undamaged enlargement by whole numbers; then by edges that keep step. A sprite at
    native size has cells of one pixel.

    Args:
        picture: `b 3 h w` or `b 4 h w`, floating point in [0, 1], straight alpha last; all share the grid.

    Returns:
        The best grid there is; ask `is_grid` before believing it. A picture without edges has cells of one pixel
        and confidence 0.

    Raises:
        ShapeError, ImageError: `picture` is not as above.
    """
    check_image(picture, "picture", channels=(3, 4))
    height, width = picture.shape[2:]
    exact = exact_lines(picture)
    if exact is not None:
        return Grid(width=width, height=height, x=exact[0], y=exact[1], confidence=1.0)
    found = _checked(picture.detach(), _damaged_grid(picture.detach()))
    if found.smooth and not _looks_drawn(picture.detach(), found):
        found = dataclasses.replace(found, confidence=min(found.confidence, _ENLARGED_PHOTO))
    small = max(found.cell_x, found.cell_y) < _NATIVE_BELOW and has_few_colors(picture) and has_unit_runs(picture)
    if small or (not found.is_grid and looks_native(picture)):
        changes = bool((picture != picture[:, :, :1, :1]).any())
        return _grid_of_pixels(width, height, _NATIVE_SURE if changes else 0.0)
    return found


def _looks_drawn(picture: Tensor, grid: Grid) -> bool:
    """Whether the native pixels under a smooth enlargement use few colours; an enlarged photo's do not."""
    native, misfit = unblend(picture[:1], (grid.native_width, grid.native_height))
    step = math.ceil(math.sqrt(grid.native_width * grid.native_height / _CELLS_SEEN))
    near = min(max(_NEAR_LEAST, 2 * misfit), NEAR)
    merged = merge_colors(native[:, :3, ::step, ::step], near)
    return len(np.unique(pack_colors(merged))) <= _MOST_DRAWN


def _checked(picture: Tensor, found: Grid) -> Grid:
    """The grid that edges tell, or that from which the picture can be made again where that says more."""
    if found.is_grid:
        size = (found.native_width, found.native_height)
        near = refit(picture, size)
        if near is not None:
            dip, agrees = max(fit.dip for fit in near), tuple(fit.cells for fit in near) == size
            if dip <= (_DEEP if agrees else _DEEPER):
                return _better(found, *near)
    fits = refit(picture)
    return found if fits is None or max(fit.dip for fit in fits) > _DEEP else _better(found, *fits)


def _better(found: Grid, x: Fit, y: Fit) -> Grid:
    """Which of the two readings is believed."""
    cell_x, cell_y = found.width / x.cells, found.height / y.cells
    if not 1 / _SQUARE < cell_x / cell_y < _SQUARE:
        return found
    smooth, dip = x.smooth and y.smooth, math.sqrt(x.dip * y.dip)
    made = Grid(
        width=found.width,
        height=found.height,
        x=even_lines(found.width, x.cells),
        y=even_lines(found.height, y.cells),
        confidence=max(found.confidence, 1 / (1 + math.exp((dip - _DEEP) / 0.03))),
        smooth=smooth,
    )
    if not found.is_grid:
        return made if smooth or dip <= _DEEPER else found
    ratios = x.cells / found.native_width, y.cells / found.native_height
    if ratios == (1, 1):
        return made if smooth and dip <= _DEEPER else found
    if all(abs(ratio - 1) < _NEARLY for ratio in ratios):
        return made if max(x.dip, y.dip) <= _DEEPER else found
    if min(ratios) > _FINER or all(abs(ratio - round(ratio)) < _NEARLY for ratio in ratios):
        return found
    return made if dip <= (_DEEPER if smooth else _DEEPEST) else found


def _grid_of_pixels(width: int, height: int, confidence: float) -> Grid:
    x, y = even_lines(width, width), even_lines(height, height)
    return Grid(width=width, height=height, x=x, y=y, confidence=confidence)


def _damaged_grid(picture: Tensor) -> Grid:
    """The best grid by edges that keep step."""
    height, width = picture.shape[2:]
    profiles = edge_profiles(picture)
    longest = min(_LONGEST, min(width, height) / _FEWEST_CELLS)
    if longest < 3 or any(profile.sum() <= 0 for profile in profiles):
        return _grid_of_pixels(width, height, 0.0)
    periods = candidate_periods(longest)
    x_fit, y_fit = (regularity(profile, periods) for profile in profiles)
    at = _longest_of_the_best(np.sqrt(x_fit * y_fit))
    at_x, at_y = _choose(x_fit, at), _choose(y_fit, at)
    sure = 1 / (1 + math.exp((_HALFWAY - math.sqrt(x_fit[at_x] * y_fit[at_y])) / _STEEP))
    fits = ((float(periods[at_x]), float(x_fit[at_x])), (float(periods[at_y]), float(y_fit[at_y])))
    first = 0 if fits[0][1] >= fits[1][1] else 1
    lines = [find_lines(profiles[first], *fits[first])]
    lines.append(find_lines(profiles[1 - first], *fits[1 - first], lines[0].cell))
    x, y = lines if first == 0 else reversed(lines)
    return Grid(width=width, height=height, x=x, y=y, confidence=sure)


def _longest_of_the_best(fit: Floats) -> int:
    """Index of the longest period whose peak is nearly as high as the highest."""
    before, after = np.r_[-1.0, fit[:-1]], np.r_[fit[1:], -1.0]
    peaks = np.flatnonzero((fit >= before) & (fit > after) & (fit >= _HARMONIC * fit.max()))
    return int(peaks[-1]) if len(peaks) else int(fit.argmax())


def _choose(fit: Floats, shared: int) -> int:
    """The peak next to the shared period where that is good enough for this axis, else the axis's own.

    Two unequal axes have shared periods that are fractions of both: an own one that is longer goes first.
    """
    near = slice(max(0, shared - 3), shared + 4)
    best = near.start + int(fit[near].argmax())
    own = _longest_of_the_best(fit)
    return best if own < best + _LONGER and fit[best] >= _SAME * fit[own] else own


def grid_of_size(picture: Tensor, native_width: int, native_height: int) -> Grid:
    """The grid of a picture whose native size is known; lines follow the edges. 1024 pixels to 128 is never 129.

    Args:
        picture: as `detect_grid` takes it.
        native_width: columns of cells, 1 to the picture's width.
        native_height: rows of cells, 1 to the picture's height.

    Raises:
        ShapeError, ImageError: `picture` is not as above.
        PixelModelError: a native size is below 1 or above the picture's.
    """
    check_image(picture, "picture", channels=(3, 4))
    height, width = picture.shape[2:]
    if not (1 <= native_width <= width and 1 <= native_height <= height):
        msg = f"native size is {native_width}x{native_height}, expected 1x1 to the picture's {width}x{height}"
        raise PixelModelError(f"{msg}; pixel art is made smaller here, never larger")
    fits = refit(picture.detach(), (native_width, native_height))
    agrees = fits is not None and (fits[0].cells, fits[1].cells) == (native_width, native_height)
    if fits is not None and agrees and all(fit.smooth and fit.dip <= _DEEPER for fit in fits):
        x, y = even_lines(width, native_width), even_lines(height, native_height)
        return Grid(width=width, height=height, x=x, y=y, confidence=1.0, smooth=True)
    profiles = edge_profiles(picture.detach())
    x, y = (_fill(profile, cells) for profile, cells in zip(profiles, (native_width, native_height), strict=True))
    return Grid(width=width, height=height, x=x, y=y, confidence=1.0)


def _fill(profile: Floats, cells: int) -> Lines:
    even = even_lines(len(profile) + 1, cells)
    if even.cell < 2 or profile.sum() <= 0:
        return even
    fit = float(regularity(profile, np.array([even.cell]))[0])
    found = find_lines(profile, even.cell, fit)
    return found if found == even else wandering_lines(profile, cells)


def grid_of_cell(picture: Tensor, cell: float) -> Grid:
    """The grid of a picture whose cell size is known; offset and number of cells follow the edges.

    Args:
        picture: as `detect_grid` takes it.
        cell: pixels along a cell's side, 1 to the picture's shorter side; need not be whole.

    Raises:
        ShapeError, ImageError: `picture` is not as above.
        PixelModelError: `cell` is out of range.
    """
    check_image(picture, "picture", channels=(3, 4))
    height, width = picture.shape[2:]
    if not 1 <= cell <= min(width, height):
        msg = f"cell is {cell}, expected 1 to the picture's shorter side, {min(width, height)} pixels"
        raise PixelModelError(msg)
    lines = (_place(profile, cell) for profile in edge_profiles(picture.detach()))
    return Grid(width=width, height=height, x=next(lines), y=next(lines), confidence=1.0)


def _place(profile: Floats, cell: float) -> Lines:
    length = len(profile) + 1
    if cell < 2 or profile.sum() <= 0:
        return shifted_lines(length, cell, 0.0)
    place = np.arange(1, length)
    turn = float(np.angle(profile @ np.exp(2j * np.pi * place / cell))) / (2 * np.pi)
    return shifted_lines(length, cell, 0.0 if abs(turn) * cell < 0.5 else turn * cell)
