"""A film's frames on the grid of its cells: upright, with square pixels, in sRGB, a few samples for each cell."""

from __future__ import annotations

import dataclasses
import struct
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from ..errors import FilmError
from ..pixelate import MAX_CELLS
from .hdr import TONE_CURVES, to_sdr
from .options import FilmOptions
from .read import has_alpha

if TYPE_CHECKING:
    from av import VideoFrame

Bytes = NDArray[np.uint8]
"""An array of bytes."""

_BT709, _BT601, _UNSAID = 1, 5, 2
_FULL = 2
# By H.273's number, swscale's: BT.470 and SMPTE 170M are one matrix, and so are both kinds of BT.2020.
_MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
# Above this the matrix of HDTV is meant where a file says nothing; so players have it.
_HD_LINES = 576


@dataclasses.dataclass(frozen=True)
class Grid:
    """How many cells a film has, and how many samples of each are taken."""

    width: int
    """Cells."""
    height: int
    """Cells."""
    samples: int
    """Along a cell's side."""
    film: tuple[int, int]
    """Width and height that the upright film would have with square pixels."""

    @classmethod
    def of(cls, size: tuple[int, int], options: FilmOptions, samples: int) -> Grid:
        """The grid of a film.

        Args:
            size: width and height of the upright film, square pixels.
            options: its cell or its size in cells.
            samples: along a cell's side; 0: as many as the film has, up to 4 (`sharp` looks at the halves of a cell).

        Raises:
            FilmError: more cells than pixels, or more than `MAX_CELLS` a side.
        """
        if options.cell is not None:
            cells = (max(1, round(size[0] / options.cell)), max(1, round(size[1] / options.cell)))
        else:
            assert options.size is not None
            width, height = options.size
            cells = (
                width or max(1, round(height * size[0] / size[1])),
                height or max(1, round(width * size[1] / size[0])),
            )
        if cells[0] > size[0] or cells[1] > size[1]:
            msg = (
                f"{cells[0]}x{cells[1]} cells of a film of {size[0]}x{size[1]} pixels; ask for fewer than it has pixels"
            )
            raise FilmError(msg)
        if max(cells) > MAX_CELLS:
            msg = f"the film would have {cells[0]}x{cells[1]} cells, most are {MAX_CELLS} a side; use larger cells"
            raise FilmError(msg)
        pixels = min(size[0] / cells[0], size[1] / cells[1])
        return cls(*cells, samples or max(1, min(4, round(pixels / 2))), size)


class FrameScaler:
    """Turns decoded frames into samples of the grid's cells."""

    def __init__(self, grid: Grid, *, alpha: bool, colors: tuple[int, int, int], pixel_shape: Fraction) -> None:
        """Prepare.

        Args:
            grid: the cells.
            alpha: whether transparency is kept.
            colors: matrix, range and curve that the stream claims, for frames that say nothing.
            pixel_shape: width of a pixel for its height.
        """
        from av.video.reformatter import VideoReformatter

        self._grid, self._alpha, self._colors, self._shape = grid, alpha, colors, pixel_shape
        self._reformatter = VideoReformatter()
        self.resized = False
        """Whether a frame had another shape than the film."""

    def picture(self, frame: VideoFrame) -> Bytes:
        """Samples `h*s w*s 3` or, where transparency is kept, `h*s w*s 4`, straight alpha.

        A frame of another shape than the film stands in its middle, black around it.
        """
        grid = self._grid
        width, height = grid.width * grid.samples, grid.height * grid.samples
        turned = turn_of(frame)
        across, down = upright_size(frame, self._shape)
        inner = (width, height)
        if across * grid.film[1] != down * grid.film[0]:
            scale = min(grid.film[0] / across, grid.film[1] / down)
            fitted = across * scale / grid.film[0] * width, down * scale / grid.film[1] * height
            if width - fitted[0] > grid.samples / 2 or height - fitted[1] > grid.samples / 2:
                self.resized = True
                inner = max(1, round(fitted[0])), max(1, round(fitted[1]))
        pixels = apply_turn(self._scaled(frame, (inner[1], inner[0]) if turned.swapped else inner), turned)
        if inner == (width, height):
            return np.ascontiguousarray(pixels)
        whole = np.zeros((height, width, pixels.shape[2]), np.uint8)
        whole[..., 3:] = 255
        top, left = (height - inner[1]) // 2, (width - inner[0]) // 2
        whole[top : top + inner[1], left : left + inner[0]] = pixels
        return whole

    def _scaled(self, frame: VideoFrame, size: tuple[int, int]) -> Bytes:
        from av.video.reformatter import Interpolation

        matrix, spread, curve = (
            _said(frame.colorspace) or self._colors[0],
            int(frame.color_range or 0) or self._colors[1],
            _said(getattr(frame, "color_trc", 0)) or self._colors[2],
        )
        form = frame.format.name
        colors: dict[str, Any] = {}
        if not form.startswith(("rgb", "bgr", "gbr", "argb", "abgr", "0", "pal", "gray", "mono", "ya")):
            guessed = _BT709 if frame.height > _HD_LINES else _BT601
            colors["src_colorspace"] = _MATRICES.get(matrix, guessed)
            colors["src_color_range"] = 2 if spread == _FULL or form.startswith("yuvj") else 1
        wide = self._alpha and has_alpha(frame.format)
        if wide and "threads" in (self._reformatter.reformat.__doc__ or ""):  # older PyAV has one thread only
            colors["threads"] = 1  # with several, a row of alpha comes out wrong in one frame of a hundred
        made = self._reformatter.reformat(
            frame, size[0], size[1], "rgba" if wide else "rgb24", interpolation=Interpolation.AREA, **colors
        )
        pixels: Bytes = np.asarray(made.to_ndarray(), np.uint8)
        if curve in TONE_CURVES:
            pixels = to_sdr(pixels, curve)
        if self._alpha and not wide:
            pixels = np.concatenate([pixels, np.full((*pixels.shape[:2], 1), 255, np.uint8)], axis=2)
        return pixels


def _said(value: object) -> int:
    number = int(value or 0)  # type: ignore[call-overload]
    return 0 if number == _UNSAID else number


@dataclasses.dataclass(frozen=True)
class Turn:
    """How a frame is brought upright: rows and columns swapped or not, then mirrored or not."""

    swapped: bool = False
    across: bool = False
    down: bool = False


def turn_of(frame: VideoFrame) -> Turn:
    """What a frame's display matrix asks for, in whole quarter turns."""
    matrix = _display_matrix(frame)
    if matrix is None:
        return Turn()
    a, b, c, d = matrix
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Turn(False, a < 0, d < 0)
    return Turn(True, c < 0, b < 0)


def _display_matrix(frame: VideoFrame) -> tuple[int, int, int, int] | None:
    """Where a pixel goes: `x' = a x + c y`, `y' = b x + d y`."""
    if not frame.rotation and not len(frame.side_data):
        return None
    from av.sidedata.sidedata import Type

    try:
        data = bytes(cast(Any, frame.side_data)[Type.DISPLAYMATRIX])
    except KeyError:
        return None
    numbers = struct.unpack("=9i", data[:36])
    a, b, c, d = numbers[0], numbers[1], numbers[3], numbers[4]
    return (a, b, c, d) if any((a, b, c, d)) else None


def apply_turn(pixels: Bytes, turn: Turn) -> Bytes:
    """Pixels `h w c`, turned and mirrored."""
    pixels = pixels.swapaxes(0, 1) if turn.swapped else pixels
    pixels = pixels[:, ::-1] if turn.across else pixels
    return pixels[::-1] if turn.down else pixels


def upright_size(frame: VideoFrame, pixel_shape: Fraction) -> tuple[int, int]:
    """Width and height of a frame as it is shown, with square pixels."""
    width, height = max(1, round(frame.width * pixel_shape)), frame.height
    return (height, width) if turn_of(frame).swapped else (width, height)


__all__ = ["Bytes", "FrameScaler", "Grid", "Turn", "apply_turn", "turn_of", "upright_size"]
