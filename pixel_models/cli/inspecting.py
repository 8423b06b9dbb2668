"""The command behind `pixel-kiln inspect`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import ImageError
from ..image import write_png
from ..report import inspect_picture, marked
from .batch import reason
from .common import note_of, tell
from .done import NOTE, is_done, make_folder
from .files import read_file, stack
from .jobs import Job, gather, make_plan

Facts = dict[str, Any]


def run(arguments: argparse.Namespace) -> int:
    """`pixel-kiln inspect`: the exit status."""
    found = [source for source, _ in gather(arguments.inputs, arguments.picture or "")]
    targets: dict[Path, Path] = {}
    if arguments.picture:
        plan = make_plan(arguments.inputs, arguments.picture)
        if plan.problems:
            raise ImageError(plan.problems[0])
        for note in plan.notes:
            sys.stderr.write(f"pixel-kiln: {note}\n")
        targets = {job.source: job.target for job in plan.jobs}
    reports = [_try(source, targets.get(source), arguments) for source in found]
    whole = [facts for facts in reports if facts is not None]
    if arguments.json and (len(found) > 1 or whole):
        tell(json.dumps(whole if len(found) > 1 else whole[0], indent=2, allow_nan=False))
    return 0 if len(whole) == len(found) else 1


def _try(source: Path, target: Path | None, arguments: argparse.Namespace) -> Facts | None:
    """What is found in a file; None where it fails, which is said on stderr."""
    try:
        return _inspect(source, target, arguments)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one file, the others are still looked at
        sys.stderr.write(f"pixel-kiln: {reason(error, source)}\n")
        return None


def _inspect(source: Path, target: Path | None, arguments: argparse.Namespace) -> Facts:
    rgba = stack(read_file(source))
    report = inspect_picture(rgba)
    facts: Facts = {"file": str(source), **report.to_dict()}
    if target is not None:
        note = note_of("inspect", {})
        if not arguments.overwrite:
            is_done(Job(source, target), note)  # raises where a foreign file stands
        make_folder(target.parent)
        write_png(target, marked(rgba, report)[:1], {NOTE: note})
    if not arguments.json:
        for line in _readable(facts):
            tell(line)
        if target is not None:
            tell(f"  drawn in: {target}")
    return facts


def _readable(facts: Facts) -> Iterator[str]:
    """A short report for people."""
    rest = dict(facts)

    def take(*keys: str) -> tuple[Any, ...]:
        return tuple(rest.pop(key) for key in keys)

    verdict = "pixel art" if rest.pop("is_pixel_art") else "no pixel art"
    file, width, height, colors = take("file", "width", "height", "colors")
    yield f"{file}: {width}x{height} pixels, {colors} {'colour' if colors == 1 else 'colours'}: {verdict}"
    for sentence in rest.pop("reasons"):
        yield f"  {sentence}"
    is_grid, confidence = take("is_grid", "confidence")
    cells = take("cell_x", "cell_y", "offset_x", "offset_y", "native_width", "native_height")
    if not is_grid and confidence == 0:
        return  # nothing was there to guess from
    lead = "  " if is_grid else "  best guess: "
    yield lead + "cells of {:.2f}x{:.2f} from {:.2f},{:.2f}; native size {}x{}".format(*cells)
    if not is_grid:
        return
    for key, value in rest.items():
        shown = f"{100 * value:.1f} %" if isinstance(value, float) else value
        yield f"  {key.replace('_', ' ')}: {shown}"
