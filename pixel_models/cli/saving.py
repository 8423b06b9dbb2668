"""The command behind `pixel-kiln save`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from ..errors import ImageError
from ..spritefiles import SAVE_FORMATS, SAVE_SUFFIXES, write_art
from .common import ENLARGE_RANGE, attempt, check_range
from .done import claim
from .frames import read_all, tell_losses
from .jobs import gather

LOOP_RANGE = (0, 65535)
"""Least and most of `--loop`; the most that GIF, APNG and WebP all hold."""


def run(arguments: argparse.Namespace) -> int:
    """`pixel-kiln save`: the exit status."""
    check_range("--scale", arguments.scale, ENLARGE_RANGE)
    if arguments.duration is not None:
        check_range("--duration", arguments.duration, (1, 2**31 - 1))
    if arguments.loop is not None:
        check_range("--loop", arguments.loop, LOOP_RANGE)
    target = Path(arguments.out)
    kind = target.suffix.lower().removeprefix(".")
    if kind not in SAVE_FORMATS:
        msg = f"{target}: expected a file that ends in {', '.join(SAVE_SUFFIXES)}"
        raise ImageError(msg)
    found = gather(arguments.inputs, arguments.out)

    def work() -> Iterator[Path]:
        sources = [source for source, _ in found]
        tagged = kind == "aseprite" and len(found) > 1
        sheet = read_all(found, duration=arguments.duration, loop=arguments.loop, tagged=tagged)
        names = [target]
        if kind == "png" and len(sheet) > 1:
            names = [target.with_name(f"{target.stem}_{index:04}{target.suffix}") for index in range(len(sheet))]
        for name in names:
            claim(name, sources, overwrite=arguments.overwrite)
        tell_losses(sheet, kind)
        yield from write_art(target, sheet, scale=arguments.scale)

    return attempt(found[0][0], work)
