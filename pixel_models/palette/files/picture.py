"""Palettes as pictures: a row of squares, as Lospec gives them; any small picture is read."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch

from ...errors import ImageError, PaletteError, PixelModelError
from ...image import read_rgba, to_uint8, write_png
from ..core import Palette
from ..indexed import IndexedImage

MAX_PICTURE_COLORS = 1024
"""A picture with more colours than this is taken for a picture, not for a palette."""

_MAX_SCALE = 64
# A palette of the largest squares that are written fits, and reading stays within a quarter of a GiB or so.
_MAX_PIXELS = 2**22


def read_picture(path: Path) -> Palette:
    """The distinct colours of a picture in reading order, transparent pixels left out.

    Raises:
        PaletteError: no picture, nothing opaque in it, more than `MAX_PICTURE_COLORS` colours or 4 million pixels.
    """
    _check_size(path)
    try:
        pixels = to_uint8(read_rgba(path))[0].flatten(1).T  # n 4
    except ImageError as error:
        raise PaletteError(str(error)) from error
    colors = pixels[pixels[:, 3] > 127, :3]
    if len(colors) == 0:
        msg = f"{path}: every pixel is transparent; expected a picture that shows the palette's colours"
        raise PaletteError(msg)
    codes = colors.long() @ torch.tensor([1 << 16, 1 << 8, 1])  # n; unique rows would take ten times as long
    distinct, inverse = codes.unique(return_inverse=True)
    if len(distinct) > MAX_PICTURE_COLORS:
        msg = (
            f"{path}: {len(distinct)} colours make a picture, not a palette (at most {MAX_PICTURE_COLORS}); "
            "give a number of colours instead, or a picture of the palette alone"
        )
        raise PaletteError(msg)
    first = torch.full((len(distinct),), len(colors)).scatter_reduce(0, inverse, torch.arange(len(colors)), "amin")
    return Palette(colors[first.sort().values], path.stem)


def _check_size(path: Path) -> None:
    """Refuse large pictures by their header; what has none that can be read is left to `read_rgba`'s complaint."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                width, height = image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return
    if width * height > _MAX_PIXELS:
        msg = (
            f"{path}: {width}×{height} pixels make a picture, not a palette (at most {_MAX_PIXELS} pixels); "
            "give a number of colours instead, or a picture of the palette alone"
        )
        raise PaletteError(msg)


def write_picture(path: Path, palette: Palette, scale: int) -> None:
    """A PNG with one row of squares, `scale` pixels along the side.

    Raises:
        PaletteError: too many colours for a row, a `scale` that is not 1 to 64, or the file cannot be written.
    """
    if len(palette) > MAX_PICTURE_COLORS:
        msg = f"{path}: {len(palette)} colours, a palette's picture has at most {MAX_PICTURE_COLORS}"
        raise PaletteError(msg)
    if not 1 <= scale <= _MAX_SCALE:
        msg = f"{path}: scale is {scale}, expected 1 to {_MAX_SCALE}"
        raise PaletteError(msg)
    row = IndexedImage(torch.arange(len(palette)).view(1, 1, -1), palette)
    try:
        write_png(path, row.enlarge(scale))
    except PixelModelError as error:
        raise PaletteError(str(error)) from error
