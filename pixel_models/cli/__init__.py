"""The `pixel-kiln` command, for files, folders and patterns.

Pictures to pixel art and back (`pixelate`, `depixelate`, `downscale`, `upscale`), enlarged pixel art to its native size
(`inspect`, `snap`), sprites (`clean`, `palette`), moved (`animate`), and what engines take (`sheet`, `save`); as codes
(`vq`), drawn, finished, fused and turned into each other by networks (`sample`, `complete`, `fuse`, `walk`); `models`
for weights.
"""

from __future__ import annotations

import argparse
import importlib
import io
import sys
from collections.abc import Sequence

from .. import __version__
from ..errors import PixelModelError
from .parser import make_parser

_HOMES = {
    "pixelate": "commands",
    "depixelate": "commands",
    "inspect": "inspecting",
    "snap": "snapping",
    "downscale": "downscaling",
    "clean": "cells",
    "upscale": "cells",
    "palette": "palettes",
    "sheet": "sheetfiles",
    "animate": "animating",
    "save": "saving",
    "vq": "codes",
    "sample": "sampling",
    "complete": "completing",
    "walk": "walking",
    "fuse": "fusing",
    "models": "models",
    "video": "video",
    "batch": "dataset",
}
"""The file that holds each command."""

EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: the arguments after the program's name; the shell's, if left out.

    Returns:
        0 when all went well, 1 when a file failed, 2 for arguments that cannot work, 130 when interrupted.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a console that lacks a file name's letters
    parser = make_parser(__version__)
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as end:  # argparse has said why
        return end.code if isinstance(end.code, int) else EXIT_USAGE
    try:
        return _run(arguments)
    except PixelModelError as error:
        sys.stderr.write(f"pixel-kiln: {error}\n")
        return EXIT_USAGE
    except KeyboardInterrupt:
        sys.stderr.write("pixel-kiln: interrupted\n")
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # whoever read along, such as `head`, has enough
        sys.stdout = io.StringIO()  # what is still buffered goes nowhere, instead of failing once more at the end
        return EXIT_OK


def _run(arguments: argparse.Namespace) -> int:
    # Imported here, so that --help and --version are quick: the commands load torch.
    home = importlib.import_module(f".{_HOMES[arguments.command]}", __name__)
    return home.run(arguments)
