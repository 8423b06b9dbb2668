"""The command behind `pixel-kiln downscale`."""

from __future__ import annotations

import argparse

from torch import Tensor

from ..dither import DITHERS, Dither, apply_palette
from ..downscale import DOWNSCALE_METHODS, downscale, native_size
from ..errors import PixelModelError
from ..image import enlarge, pad_to_multiple
from ..palette import IndexedImage, Palette, choose_palette
from ..sampling import StepCallback
from .common import (
    ENLARGE_RANGE,
    check_range,
    index_if_few,
    join_alpha,
    note_of,
    palette_of,
    run_files,
    split_alpha,
    undashed,
)
from .fit import centre_cells, crop_to_shape, inner_size


def run(arguments: argparse.Namespace) -> int:
    """`pixel-kiln downscale`: the exit status."""
    palette = palette_of(arguments)
    check_range("--scale", arguments.scale, ENLARGE_RANGE)
    check_range("--strength", arguments.strength, (0, 1))
    if arguments.cell is not None:
        check_range("--cell", arguments.cell, (1, 1024))
    method, dither = undashed(arguments.method, DOWNSCALE_METHODS), undashed(arguments.dither, DITHERS)
    if dither != "none" and palette is None and arguments.colors is None:
        msg = f"--dither {arguments.dither} needs colours to dither to; give --palette or --colors"
        raise PixelModelError(msg)
    settings = {
        "size": arguments.size,
        "fit": arguments.fit if arguments.size else None,
        "cell": arguments.cell,
        "method": method,
        "colors": arguments.colors,
        "palette": palette.to_hex() if palette else None,
        "dither": dither,
        "strength": arguments.strength,
        "scale": arguments.scale,
    }

    def make(rgba: Tensor, callback: StepCallback) -> Tensor | IndexedImage:
        del callback
        made = cells_of(rgba, arguments, palette)
        return made.enlarge(arguments.scale) if isinstance(made, IndexedImage) else enlarge(made, arguments.scale)

    return run_files(arguments, lambda: make, note_of("downscale", settings), moving=True)


def cells_of(rgba: Tensor, arguments: argparse.Namespace, palette: Palette | None) -> Tensor | IndexedImage:
    """Bring pictures `b 4 h w` of one size to cells as the arguments say."""
    method, dither = undashed(arguments.method, DOWNSCALE_METHODS), undashed(arguments.dither, DITHERS)
    rgba, size = _fitted(rgba, arguments)
    rgb, alpha = split_alpha(rgba)
    cells = join_alpha(*downscale(rgb, size, method, alpha=alpha))
    if arguments.size and all(arguments.size):
        cells = centre_cells(cells, arguments.size)
    return _in_colors(cells, palette, arguments.colors, dither, arguments.strength)


def _fitted(rgba: Tensor, arguments: argparse.Namespace) -> tuple[Tensor, tuple[int, int]]:
    """What of the picture is made smaller, and to how many cells."""
    if arguments.size:
        size: tuple[int, int] = arguments.size
        if not all(size):
            return rgba, native_size(rgba, size=size)
        if arguments.fit == "crop":
            return crop_to_shape(rgba, size), size
        return rgba, inner_size((rgba.shape[3], rgba.shape[2]), size) if arguments.fit == "pad" else size
    cell: int = arguments.cell
    padded, _ = pad_to_multiple(rgba, cell)
    return padded, (padded.shape[3] // cell, padded.shape[2] // cell)


def _in_colors(
    rgba: Tensor, palette: Palette | None, colors: int | None, dither: Dither, strength: float
) -> Tensor | IndexedImage:
    """Cells `b 4 h w` in a palette, in one of their own, or as they are."""
    if palette is None and colors is None:
        return index_if_few(rgba)
    rgb, alpha = split_alpha(rgba)
    chosen = palette if palette is not None else choose_palette([rgba], colors or 1)
    return apply_palette(rgb, chosen, alpha=alpha, dither=dither, strength=strength)
