"""The command behind `pixel-kiln video`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tqdm import tqdm

from .. import load
from ..checkpoint import LoadedModel
from ..drawers import require_pixelator
from ..errors import PixelModelError
from ..palette import find_palette
from ..video import FILM_DITHERS, FILM_METHODS, FilmOptions, check_target, pixelate_film
from .commands import choose_device
from .common import attempt, undashed
from .done import claim, make_folder
from .jobs import same_key
from .parse_video import DEFAULT_CELL


def run(arguments: argparse.Namespace) -> int:
    """`pixel-kiln video`: the exit status."""
    source, target = Path(arguments.input), Path(arguments.out)
    check_target(target)
    options = FilmOptions(
        cell=None if arguments.size else DEFAULT_CELL if arguments.cell is None else arguments.cell,
        size=arguments.size,
        palette=None if arguments.palette is None else find_palette(arguments.palette),
        colors=arguments.colors,
        palette_per=arguments.palette_per,
        method=undashed(arguments.method, FILM_METHODS),
        dither=undashed(arguments.dither, FILM_DITHERS),
        strength=arguments.strength,
        clean=arguments.clean,
        steady=arguments.steady,
        fps=arguments.fps,
        start=arguments.start,
        end=arguments.end,
    )
    _claim(target, source, overwrite=arguments.overwrite)
    model = _load(arguments)

    def work() -> Iterator[Path]:
        bar: tqdm[Any] = tqdm(unit="frame", file=sys.stderr, disable=not sys.stderr.isatty())

        def progress(step: int, total: int) -> None:
            bar.total = total
            bar.update(step - bar.n)

        with bar:
            report = pixelate_film(
                source,
                target,
                options,
                model=model,
                scale=arguments.scale,
                quality=arguments.quality,
                sound=arguments.sound,
                callback=progress,
            )
        for note in report.notes:
            sys.stderr.write(f"pixel-kiln: {note}\n")
        cells = f"{report.cells[0]}x{report.cells[1]} cells, {report.colors} colours, {report.cuts} cuts"
        sys.stderr.write(f"pixel-kiln: {report.frames} frames of {cells}\n")
        yield from report.paths

    return attempt(source, work)


def _claim(target: Path, source: Path, *, overwrite: bool) -> None:
    """See that OUT may be written. The source is never replaced: it is read while OUT is made.

    Raises:
        PixelModelError: it may not.
    """
    if target.exists() and same_key(target) == same_key(source):
        msg = f"{target}: is the input; choose another OUT"
        raise PixelModelError(msg)
    if target.suffix:
        claim(target, [source], overwrite=overwrite)
        beside = target.with_suffix(".json")
        if target.suffix.lower() == ".png" and beside.exists() and not overwrite:
            msg = f"{beside}: is there already; choose another name, or give --overwrite"
            raise PixelModelError(msg)
        return
    if target.is_dir() and any(target.iterdir()) and not overwrite:
        msg = f"{target}: is a folder that is not empty; choose another name, or give --overwrite"
        raise PixelModelError(msg)
    make_folder(target.parent)


def _load(arguments: argparse.Namespace) -> LoadedModel | None:
    if arguments.model is None:
        return None
    model = require_pixelator(load(arguments.model))
    model.module.to(choose_device(arguments.device))
    return model
