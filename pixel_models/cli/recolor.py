"""The commands behind `pixel-kiln palette apply` and `swap`."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

from torch import Tensor

from ..dither import DITHERS, apply_palette
from ..errors import PaletteError
from ..palette import IndexedImage, find_palette, index_exactly, swap_colors, swap_palette
from ..sampling import StepCallback
from .common import check_range, note_of, run_files, split_alpha, undashed
from .files import read_still


def apply(arguments: argparse.Namespace) -> int:
    """`pixel-kiln palette apply`: the exit status."""
    palette = find_palette(arguments.palette)
    check_range("--strength", arguments.strength, (0, 1))
    dither = undashed(arguments.dither, DITHERS)
    pattern = read_still(Path(arguments.pattern))[0, :3].mean(dim=0) if arguments.pattern else None
    settings = {
        "palette": palette.to_hex(),
        "pattern": None if pattern is None else hashlib.sha256(pattern.numpy().tobytes()).hexdigest()[:16],
        "dither": dither,
        "strength": arguments.strength,
        "serpentine": arguments.serpentine,
        "linear": arguments.linear,
        "space": arguments.space,
    }

    def make(rgba: Tensor, callback: StepCallback) -> IndexedImage:
        del callback
        rgb, alpha = split_alpha(rgba)
        return apply_palette(
            rgb,
            palette,
            alpha=alpha,
            dither=dither,
            strength=arguments.strength,
            serpentine=arguments.serpentine,
            linear=arguments.linear,
            space=arguments.space,
            pattern=pattern,
        )

    return run_files(arguments, lambda: make, note_of("palette apply", settings), moving=True)


def swap(arguments: argparse.Namespace) -> int:
    """`pixel-kiln palette swap`: the exit status."""
    palette = find_palette(arguments.palette) if arguments.palette else None
    changes: dict[str, str] = dict(arguments.map or ())
    settings = {
        "palette": palette.to_hex() if palette else None,
        "by": arguments.by if palette else None,
        "map": changes or None,
    }

    def make(rgba: Tensor, callback: StepCallback) -> IndexedImage:
        del callback
        sprite = index_exactly(*split_alpha(rgba))
        return (
            swap_palette(sprite, palette, arguments.by) if palette else swap_colors(sprite, _present(sprite, changes))
        )

    return run_files(arguments, lambda: make, note_of("palette swap", settings), moving=True)


def _present(sprite: IndexedImage, changes: dict[str, str]) -> dict[str, str]:
    """The changes of colours that the sprite has: one call may serve a folder of different sprites.

    Raises:
        PaletteError: it has none of them.
    """
    own = set(sprite.palette.to_hex())
    present = {old: new for old, new in changes.items() if old in own}
    if not present:
        msg = f"has none of the colours {', '.join(changes)}; its own are {sprite.palette}"
        raise PaletteError(msg)
    return present
