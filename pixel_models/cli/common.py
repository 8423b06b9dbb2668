"""What the commands share: checks of options, notes, palettes, and work on one file or on many."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

from ..errors import PixelModelError
from ..palette import IndexedImage, Palette, find_palette, index_exactly
from .batch import Make, Manner, reason, run_batch
from .jobs import make_plan
from .options import dashed

ENLARGE_RANGE = (1, 64)
"""Least and most that `--scale` enlarges sprites."""

PALETTE_RANGE = (1, 256)

Name = TypeVar("Name", bound=str)

# One entry of an indexed file's 256 is for transparency.
_FEW = 255


def run_files(arguments: argparse.Namespace, start: Callable[[], Make], note: str, *, moving: bool = False) -> int:
    """Make every output of a command with `add_files`; the exit status."""
    plan = make_plan(arguments.inputs, arguments.out, moving=moving)
    manner = Manner(note, overwrite=arguments.overwrite, first_frame=arguments.first_frame, moving=moving)
    return 1 if run_batch(plan, start, manner).failed else 0


def attempt(source: Path, work: Callable[[], Iterable[Path | str]]) -> int:
    """Do the work on one file: what it wrote or found goes to stdout, why it failed to stderr; the exit status."""
    try:
        for path in work():
            tell(str(path))
    except Exception as error:  # noqa: BLE001 - one line rather than a traceback, whatever is wrong
        sys.stderr.write(f"pixel-kiln: {reason(error, source)}\n")
        return 1
    return 0


def tell(*words: str) -> None:
    """One line on stdout, tabs between the words."""
    sys.stdout.write("\t".join(words) + "\n")


def note_of(command: str, settings: dict[str, object]) -> str:
    """How a file was made, as JSON: when anything here changes, it is made again."""
    return json.dumps({"command": command, **settings}, sort_keys=True)


def check_range(option: str, value: float, limits: tuple[float, float]) -> None:
    """Refuse what lies outside.

    Raises:
        PixelModelError: it does.
    """
    if not limits[0] <= value <= limits[1]:
        msg = f"{option} is {value}, expected {limits[0]} to {limits[1]}"
        raise PixelModelError(msg)


def split_alpha(rgba: Tensor) -> tuple[Tensor, Tensor | None]:
    """Take `b 4 h w` apart into colour and alpha; no alpha where everything is opaque."""
    rgb, alpha = rgba[:, :3], rgba[:, 3:]
    return rgb, None if bool((alpha == 1).all()) else alpha


def join_alpha(rgb: Tensor, alpha: Tensor | None) -> Tensor:
    """The inverse of `split_alpha`."""
    return torch.cat([rgb, torch.ones_like(rgb[:, :1]) if alpha is None else alpha], dim=1)


def index_if_few(rgba: Tensor) -> Tensor | IndexedImage:
    """An indexed picture where alpha is hard and the colours are few enough for a file's palette, else the picture.

    Args:
        rgba: `b 4 h w`, float32 in [0, 1].
    """
    rgb, alpha = split_alpha(rgba)
    if alpha is not None and not bool(((alpha == 0) | (alpha == 1)).all()):
        return rgba
    try:
        image = index_exactly(rgb, alpha)
    except PixelModelError:  # far too many colours
        return rgba
    return image if len(image.palette) <= _FEW else rgba


def palette_of(arguments: argparse.Namespace) -> Palette | None:
    """The palette of `--palette`, and `--colors` checked.

    Raises:
        PixelModelError: no such palette, or a number out of its range.
    """
    if getattr(arguments, "colors", None) is not None:
        check_range("--colors", arguments.colors, PALETTE_RANGE)
    return None if arguments.palette is None else find_palette(arguments.palette)


def undashed(name: str, known: Sequence[Name]) -> Name:
    """The library's name of a choice that was typed with dashes."""
    return next(one for one in known if dashed(one) == name)
