"""The commands behind `pixel-kiln clean` and `upscale`."""

from __future__ import annotations

import argparse
from typing import Any

from torch import Tensor

from ..cleanup import LIGHTS, clean_up
from ..errors import PixelModelError
from ..palette import IndexedImage, index_exactly
from ..sampling import StepCallback
from ..upscale import EPX_SCALES, MOST_SCALE
from ..upscale import upscale as enlarge
from .common import check_range, index_if_few, join_alpha, note_of, run_files, split_alpha, undashed


def run(arguments: argparse.Namespace) -> int:
    """`pixel-kiln clean` or `upscale`: the exit status."""
    return clean(arguments) if arguments.command == "clean" else upscale(arguments)


def clean(arguments: argparse.Namespace) -> int:
    """`pixel-kiln clean`: the exit status."""
    _check_outline(arguments)
    settings: dict[str, Any] = {
        "orphans": arguments.orphans,
        "jaggies": arguments.jaggies,
        "antialias": arguments.antialias,
        "outline": arguments.outline,
        "outline_color": arguments.outline_color,
        "padding": arguments.padding,
        "light": undashed(arguments.light, LIGHTS) if arguments.light else None,
        "background": arguments.background,
    }

    def make(rgba: Tensor, callback: StepCallback) -> IndexedImage:
        del callback
        return clean_up(index_exactly(*split_alpha(rgba)), **settings)

    return run_files(arguments, lambda: make, note_of("clean", settings), moving=True)


def _check_outline(arguments: argparse.Namespace) -> None:
    """Refuse what belongs to another kind of outline than the one that is asked for."""
    fitting = {
        "--outline-color": (arguments.outline_color, ("outside", "inside")),
        "--padding": (arguments.padding, ("outside",)),
        "--light": (arguments.light, ("selective",)),
    }
    for option, (given, kinds) in fitting.items():
        if given and arguments.outline not in kinds:
            msg = f"{option} needs --outline {' or '.join(kinds)}"
            raise PixelModelError(msg)


def upscale(arguments: argparse.Namespace) -> int:
    """`pixel-kiln upscale`: the exit status."""
    check_range("--scale", arguments.scale, (1, MOST_SCALE))
    if arguments.method == "epx" and arguments.scale not in EPX_SCALES:
        msg = f"--scale is {arguments.scale}, expected one of {', '.join(map(str, EPX_SCALES))} for epx"
        raise PixelModelError(msg)

    def make(rgba: Tensor, callback: StepCallback) -> Tensor | IndexedImage:
        del callback
        rgb, alpha = split_alpha(rgba)
        return index_if_few(join_alpha(*enlarge(rgb, arguments.scale, arguments.method, alpha=alpha)))

    settings = {"scale": arguments.scale, "method": arguments.method}
    return run_files(arguments, lambda: make, note_of("upscale", settings), moving=True)
