"""Sprites as single files and files as sprites: names, order, and nothing of others replaced."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from ..errors import ImageError
from ..image import write_png
from ..sheets import Frame, SpriteSheet
from ..sheets.join import common_loop
from ..spritefiles import ART_SUFFIXES, kept, safe_name
from .common import index_if_few
from .done import NOTE, is_done, make_folder
from .files import read_file
from .jobs import Job, same_key


def read_all(
    found: Sequence[tuple[Path, str]],
    *,
    duration: int | None = None,
    loop: int | None = None,
    tagged: bool = False,
) -> SpriteSheet:
    """Read files of every kind into one sheet.

    Args:
        found: files and what their sprites' names begin with, as `gather` gives them.
        duration: milliseconds of every frame; None keeps what the files say.
        loop: how often the whole plays, 0 for ever; None keeps what the files say where they agree.
        tagged: whether an animation without tags gets its name as one.

    Returns:
        Their frames in order. Frames are called as their file is, with a number where it has several; an Aseprite
        file's keep their own names. No name comes twice.
    """
    frames: list[Frame] = []
    taken: set[str] = set()
    arts: list[SpriteSheet] = []
    for source, name in found:
        art = read_file(source)
        arts.append(art)
        for frame in art.frames:
            own = frame.name
            wanted = name + own.removeprefix(source.stem) if own.startswith(source.stem) else own
            tag = frame.tag or (name if tagged and len(art) > 1 else "")
            time = frame.duration if duration is None else duration
            frames.append(dataclasses.replace(frame, name=_free(wanted, taken), tag=tag, duration=time))
    return SpriteSheet(frames=tuple(frames), loop=common_loop(arts) if loop is None else loop)


def write_frames(
    folder: Path, sheet: SpriteSheet, source: Path, note: str, *, overwrite: bool = False
) -> Iterator[Path]:
    """Write each frame as a PNG, indexed where it can be, under its own name; those that are done are left out.

    Args:
        folder: made where it is missing.
        sheet: the frames; their names may come from a foreign file.
        source: what they come from.
        note: how they are made.
        overwrite: write all again, also over foreign files.

    Yields:
        The files that were written.

    Raises:
        ImageError: `folder` is a file, or a foreign file stands where a frame is to go.
    """
    if folder.exists() and not folder.is_dir():
        msg = f"{folder}: is a file; expected a folder for the sprites"
        raise ImageError(msg)
    taken: set[str] = set()
    jobs = [Job(source, folder / f"{_free(safe_name(_bare(frame.name)), taken)}.png") for frame in sheet.frames]
    if same_key(source) in {same_key(job.target) for job in jobs}:
        msg = f"{source}: one of its sprites would be written over it; choose another folder"
        raise ImageError(msg)
    due = [overwrite or not is_done(job, note) for job in jobs]
    make_folder(folder)
    for job, frame, needed in zip(jobs, sheet.frames, due, strict=True):
        if needed:
            write_png(job.target, index_if_few(frame.rgba[None]), {NOTE: note})
            yield job.target


def tell_losses(sheet: SpriteSheet, kind: str) -> None:
    """Say on stderr what a format will not hold, a sentence a line."""
    for sentence in kept(sheet, kind):
        sys.stderr.write(f"pixel-kiln: {sentence}\n")


def _bare(name: str) -> str:
    """A frame's name without the ending of a picture, which many programs' metadata give it."""
    path = PurePosixPath(name)
    return name.removesuffix(path.suffix) if path.suffix.lower() in ART_SUFFIXES else name


def _free(name: str, taken: set[str]) -> str:
    """The name, or the first `name_2`, `name_3` … that is not taken, small and capital letters being one."""
    free, number = name, 1
    while free.casefold() in taken:
        number += 1
        free = f"{name}_{number}"
    taken.add(free.casefold())
    return free
