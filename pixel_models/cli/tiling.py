"""The commands behind `pixel-kiln sheet tile` and `autotile`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from einops import rearrange
from torch import Tensor

from ..errors import PixelModelError, SheetError
from ..image import write_png
from ..palette import IndexedImage
from ..sampling import StepCallback
from ..sheets import AUTOTILE_KINDS, AutotileKind, draw_map, example_map, make_seamless, repeat, seam_error
from ..sheets import autotile as lay_out
from .common import attempt, index_if_few, join_alpha, note_of, run_files, split_alpha
from .done import NOTE, claim
from .files import read_still
from .jobs import gather

_GRIDS = ((8, 6), (4, 4), (2, 3), (5, 1), (1, 5), (13, 1), (16, 1), (47, 1))
"""Columns and rows of the sets that are recognised by their shape."""


def tile(arguments: argparse.Namespace) -> int:
    """`pixel-kiln sheet tile`: the exit status."""
    if not (arguments.check or arguments.make or arguments.preview):
        msg = "nothing to do; give --check, --make or --preview"
        raise PixelModelError(msg)
    writes = arguments.make or arguments.preview
    if writes and not arguments.out:
        msg = "--make and --preview write a picture; give -o OUT"
        raise PixelModelError(msg)
    status = _check(arguments) if arguments.check else 0

    def make(rgba: Tensor, callback: StepCallback) -> Tensor | IndexedImage:
        del callback
        rgb, alpha = split_alpha(rgba)
        if arguments.make:
            rgb, alpha = make_seamless(rgb, alpha=alpha)
        if arguments.preview:
            rgb, alpha = repeat(rgb, alpha=alpha)
        return index_if_few(join_alpha(rgb, alpha))

    note = note_of("sheet tile", {"make": arguments.make, "preview": arguments.preview})
    return max(status, run_files(arguments, lambda: make, note)) if writes else status


def _check(arguments: argparse.Namespace) -> int:
    """A line a picture: its file, and how visible its seams are."""

    def seams(source: Path) -> Iterator[str]:
        yield f"{source}\t{seam_error(*split_alpha(read_still(source, first_frame=arguments.first_frame))):.4f}"

    found = gather(arguments.inputs, arguments.out or "")
    return max(attempt(source, lambda source=source: seams(source)) for source, _ in found)


def autotile(arguments: argparse.Namespace) -> int:
    """`pixel-kiln sheet autotile`: the exit status."""
    source = Path(arguments.input)
    targets = [Path(name) for name in (arguments.out, arguments.preview) if name]
    for target in targets:
        if target.suffix.lower() != ".png":
            msg = f"{target}: tiles are written as PNG; expected a name that ends in .png"
            raise SheetError(msg)
    kind: AutotileKind = next(kind for kind in AUTOTILE_KINDS if kind.endswith(arguments.kind))
    note = {NOTE: note_of("sheet autotile", {"kind": kind})}

    def work() -> Iterator[Path]:
        for target in targets:
            claim(target, [source], overwrite=arguments.overwrite)
        tiles = _tiles(read_still(source, first_frame=arguments.first_frame)[0], arguments.size)
        pictures = [lay_out(tiles, kind), draw_map(example_map(), tiles, kind)]
        for target, picture in zip(targets, pictures, strict=False):
            write_png(target, index_if_few(picture[None]), note)
            yield target

    return attempt(source, work)


def _tiles(rgba: Tensor, size: tuple[int, int] | None) -> Tensor:
    """Cut a picture `4 h w` into tiles `n 4 s t`, in reading order, without the empty last of a set of 47.

    Raises:
        SheetError: tiles of this size do not fill the picture, or no arrangement of square tiles does.
    """
    height, width = rgba.shape[1:]
    grids = [grid for grid in _GRIDS if width * grid[1] == height * grid[0] and width % grid[0] == 0]
    if size is not None:
        grids = [(width // size[0], height // size[1])] if width % size[0] == height % size[1] == 0 else []
    if not grids:
        what = f"tiles of {size[0]}x{size[1]} do not fill" if size else "no set of square tiles fills"
        known = ", ".join(f"{columns}x{rows}" for columns, rows in _GRIDS)
        msg = f"{what} a picture of {width}x{height}; expected one of these many tiles: {known}; or give --size"
        raise SheetError(msg)
    columns, rows = grids[0]
    tiles = rearrange(rgba, "c (y s) (x t) -> (y x) c s t", y=rows, x=columns)
    return tiles[:47] if len(tiles) == 48 else tiles
