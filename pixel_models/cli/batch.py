"""Works through many files: skips finished ones, reports failures and goes on, shows progress."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from ..errors import ImageError, PixelModelError
from ..image import PixelIndices, count_frames, read_rgba, remove_leftovers, write_png
from ..sampling import StepCallback
from .jobs import NOTE, Job, Plan, is_done

Make = Callable[[Tensor, StepCallback], "Tensor | PixelIndices"]
"""From a picture `1 4 h w` to what is written; the callback hears of each tile."""


@dataclass(frozen=True)
class Manner:
    """How a batch is worked."""

    note: str
    """How the files are made; noted in each. A file with another note is made again."""

    overwrite: bool = False
    """Make finished files again, and replace foreign ones."""

    first_frame: bool = False
    """Take the first frame of animations instead of refusing them."""


@dataclass
class Tally:
    """What became of the files."""

    written: int = 0
    skipped: int = 0
    failed: int = 0

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.written} written, {self.skipped} already done, {self.failed} failed"


def run_batch(plan: Plan, start: Callable[[], Make], manner: Manner) -> Tally:
    """Make every file of a plan that is not done yet; one that fails does not stop the others.

    Args:
        plan: what to make; its problems count as failures.
        start: loads the model; called once, when the first file needs it.
        manner: how.

    Raises:
        PixelModelError: `start` failed.
    """
    tally = Tally()
    make: Make | None = None
    for folder in {job.target.parent for job in plan.jobs}:
        remove_leftovers(folder)
    # A log file gets a line now and then rather than ten a second.
    bar = tqdm(total=len(plan.jobs), unit="file", file=sys.stderr, mininterval=0.1 if sys.stderr.isatty() else 10)
    try:
        for problem in plan.problems:
            _fail(tally, problem)
        for job in plan.jobs:
            try:
                needed = manner.overwrite or not is_done(job, manner.note)
            except (PixelModelError, OSError) as error:
                _fail(tally, _reason(error, job))
                needed = False
            else:
                tally.skipped += not needed
            if needed:
                make = make or start()
                _make_one(job, make, manner, tally, bar)
            bar.update()
    finally:
        bar.close()
        sys.stderr.write(f"pixel-kiln: {tally}\n")
    return tally


def _make_one(job: Job, make: Make, manner: Manner, tally: Tally, bar: tqdm[Any]) -> None:
    def progress(step: int, total: int) -> None:
        bar.set_postfix_str(f"{job.source.name} {step}/{total}" if total > 1 else job.source.name)

    try:
        frames = count_frames(job.source)
        if frames > 1 and not manner.first_frame:
            msg = f"is an animation of {frames} frames, and one picture is made; give --first-frame to use the first"
            raise ImageError(msg)
        picture = make(read_rgba(job.source), progress)
        _make_folder(job)
        write_png(job.target, picture, {NOTE: manner.note})
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one file, the others are still made
        _fail(tally, _reason(error, job))
    else:
        tally.written += 1
        tqdm.write(str(job.target), file=sys.stdout)


def _make_folder(job: Job) -> None:
    folder = job.target.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"the folder {folder} cannot be made ({error.strerror or error}); choose another OUT"
        raise ImageError(msg) from error


def _fail(tally: Tally, reason: str) -> None:
    tally.failed += 1
    tqdm.write(f"pixel-kiln: {reason}", file=sys.stderr)


def _reason(error: Exception, job: Job) -> str:
    """One line that names the file."""
    if isinstance(error, torch.cuda.OutOfMemoryError | MemoryError):
        text = "not enough memory; give a smaller --tile, or --device cpu"
    elif isinstance(error, PixelModelError | OSError):
        text = str(error)
    else:
        text = f"unexpected {type(error).__name__}: {error}; please report this"
    text = " ".join(text.split())
    return text if text.startswith(str(job.source)) else f"{job.source}: {text}"
