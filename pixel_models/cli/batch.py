"""Works through many files: skips finished ones, reports failures and goes on, shows progress."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from ..errors import ImageError, PixelModelError
from ..image import remove_leftovers, write_png
from ..palette import IndexedImage, count_colors
from ..sampling import StepCallback
from ..sheets import SpriteSheet
from ..spritefiles import kept, write_art
from .done import NOTE, is_done, make_folder
from .files import read_file, read_still, stack
from .jobs import Job, Plan

_GIF_COLORS = 256

Make = Callable[[Tensor, StepCallback], "Tensor | IndexedImage"]
"""From a picture `1 4 h w`, or an animation's frames `b 4 h w`, to what is written; the callback hears of each tile."""


@dataclass(frozen=True)
class Manner:
    """How a batch is worked."""

    note: str
    """How the files are made; noted in each. A file with another note is made again."""

    overwrite: bool = False
    """Make finished files again, and replace foreign ones."""

    first_frame: bool = False
    """Take the first frame of animations instead of refusing them."""

    moving: bool = False
    """Make all frames of animations instead of refusing them."""


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
    bar = tqdm(total=len(plan.jobs), unit="file", file=sys.stderr, disable=not sys.stderr.isatty())
    try:
        for note in plan.notes:
            tqdm.write(f"pixel-kiln: {note}", file=sys.stderr)
        for problem in plan.problems:
            _fail(tally, problem)
        for job in plan.jobs:
            try:
                needed = manner.overwrite or not is_done(job, manner.note)
            except (PixelModelError, OSError) as error:
                _fail(tally, reason(error, job.source))
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
        paths = (_make_art if manner.moving else _make_still)(job, make, manner, progress)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one file, the others are still made
        _fail(tally, reason(error, job.source))
    else:
        tally.written += 1
        for path in paths:
            tqdm.write(str(path), file=sys.stdout)


def _make_still(job: Job, make: Make, manner: Manner, progress: StepCallback) -> list[Path]:
    made = make(read_still(job.source, first_frame=manner.first_frame), progress)
    make_folder(job.target.parent)
    write_png(job.target, made, {NOTE: manner.note})
    return [job.target]


def _make_art(job: Job, make: Make, manner: Manner, progress: StepCallback) -> list[Path]:
    """Make all frames in one go, so that they share a palette; names, times and tags stay."""
    art = read_file(job.source)
    frames = art.frames[:1] if manner.first_frame else art.frames
    made = make(stack(SpriteSheet(frames=frames)), progress)
    make_folder(job.target.parent)
    if len(frames) == 1 and job.target.suffix.lower() == ".png":
        write_png(job.target, made, {NOTE: manner.note})
        return [job.target]
    rgba = made.to_rgba() if isinstance(made, IndexedImage) else made
    new = SpriteSheet(
        frames=tuple(dataclasses.replace(frame, rgba=one) for frame, one in zip(frames, rgba, strict=True)),
        loop=art.loop,
    )
    suffix = job.target.suffix.lower()
    if suffix == ".gif":
        _warn_of_gif(made, new)
    palette = made.palette if isinstance(made, IndexedImage) else None
    return write_art(
        job.target, new, format="apng" if suffix == ".png" else None, palette=palette, text={NOTE: manner.note}
    )


def _warn_of_gif(made: Tensor | IndexedImage, frames: SpriteSheet) -> None:
    """Say what a GIF will not hold.

    Raises:
        ImageError: it would take colours from outside the palette.
    """
    if isinstance(made, IndexedImage):
        colors = int((count_colors(made) > 0).sum()) + (made.transparent is not None)
        if colors > _GIF_COLORS:
            msg = f"makes {colors} colours, the transparent one included, and a GIF holds {_GIF_COLORS}"
            raise ImageError(f"{msg}; write a .webp or an animated .png")
    for sentence in kept(frames, "gif"):
        tqdm.write(f"pixel-kiln: {sentence}", file=sys.stderr)


def _fail(tally: Tally, reason: str) -> None:
    tally.failed += 1
    tqdm.write(f"pixel-kiln: {reason}", file=sys.stderr)


def reason(error: Exception, source: Path) -> str:
    """One line that names the file."""
    if isinstance(error, torch.cuda.OutOfMemoryError | MemoryError):
        text = "not enough memory; give a smaller --tile, or --device cpu"
    elif isinstance(error, PixelModelError | OSError):
        text = str(error)
    else:
        text = f"unexpected {type(error).__name__}: {error}; please report this"
    text = " ".join(text.split())
    return text if text.startswith(str(source)) else f"{source}: {text}"
