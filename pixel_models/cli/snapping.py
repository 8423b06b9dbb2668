"""The command behind `pixel-kiln snap`."""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Callable

import torch
from torch import Tensor

from ..errors import GridError, ImageError, PixelModelError
from ..palette import IndexedImage
from ..sampling import StepCallback
from ..snapping import snap_to_grid
from .batch import Make
from .common import ENLARGE_RANGE, check_range, note_of, palette_of, run_files, split_alpha
from .files import read_file
from .jobs import make_plan


def run(arguments: argparse.Namespace) -> int:
    """`pixel-kiln snap`: the exit status."""
    palette = palette_of(arguments)
    check_range("--scale", arguments.scale, ENLARGE_RANGE)
    if arguments.cell is not None:
        check_range("--cell", arguments.cell, (1, 1024))
    settings: dict[str, object] = {
        "size": arguments.size,
        "cell": arguments.cell,
        "colors": arguments.colors,
        "palette": palette.to_hex() if palette else None,
        "force": arguments.force,
        "scale": arguments.scale,
    }

    def native(rgba: Tensor) -> IndexedImage:
        rgb, alpha = split_alpha(rgba)
        return snap_to_grid(
            rgb,
            alpha=alpha,
            size=arguments.size,
            cell=arguments.cell,
            colors=arguments.colors,
            palette=palette,
            force=arguments.force,
        ).image

    def make(rgba: Tensor, callback: StepCallback) -> IndexedImage:
        del callback
        return native(rgba).enlarge(arguments.scale)

    if not arguments.one_grid:
        return run_files(arguments, lambda: make, note_of("snap", settings), moving=True)
    settings["together"] = _digest(arguments)
    try:
        return run_files(arguments, lambda: _together(arguments, native), note_of("snap", settings), moving=True)
    except GridError as error:  # the pictures' fault rather than the arguments'
        sys.stderr.write(f"pixel-kiln: {error}\n")
        return 1


def _together(arguments: argparse.Namespace, native: Callable[[Tensor], IndexedImage]) -> Make:
    """Snap all inputs in one go, and then hand out each one's part.

    Raises:
        ImageError: they differ in size, or none can be read.
    """
    pictures: list[Tensor] = []
    for job in make_plan(arguments.inputs, arguments.out, moving=True).jobs:
        try:
            art = read_file(job.source)
        except PixelModelError:  # is reported when its turn comes
            continue
        pictures.append(
            torch.stack([frame.rgba for frame in (art.frames[:1] if arguments.first_frame else art.frames)])
        )
    sizes = {f"{picture.shape[3]}x{picture.shape[2]}" for picture in pictures}
    if len(sizes) != 1:
        msg = f"--one-grid needs pictures of one size, got {', '.join(sorted(sizes)) or 'none that can be read'}"
        raise ImageError(msg)
    made = native(torch.cat(pictures))
    starts = [0]
    for picture in pictures:
        starts.append(starts[-1] + len(picture))

    def make(rgba: Tensor, callback: StepCallback) -> IndexedImage:
        del callback
        at = next(index for index, picture in enumerate(pictures) if torch.equal(picture, rgba))
        part = slice(starts[at], starts[at + 1])
        clear = None if made.transparent is None else made.transparent[part]
        return IndexedImage(made.indices[part], made.palette, clear).enlarge(arguments.scale)

    return make


def _digest(arguments: argparse.Namespace) -> str:
    """Tells one set of inputs from another: with `--one-grid`, each has a say in all results."""
    digest = hashlib.sha256()
    for job in make_plan(arguments.inputs, arguments.out, moving=True).jobs:
        if job.source.is_file():
            digest.update(hashlib.sha256(job.source.read_bytes()).digest())
    return digest.hexdigest()[:16]
