"""Whether an output is there already, whole, and made in the same way; and that nobody else's file is replaced."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..errors import ImageError
from ..palette.files.aseprite import is_sprite
from ..spritefiles import read_text
from .jobs import Job, same_key

NOTE = "pixel-kiln"
"""Keyword under which a file notes how it was made."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"


def is_done(job: Job, note: str) -> bool:
    """Whether the output is there, complete, newer than its source, and made in the way that `note` tells.

    Raises:
        ImageError: a file stands there that this program did not make.
    """
    if not job.target.is_file():
        return False
    with job.target.open("rb") as file:
        head = file.read(12)
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - len(_END)))
        end = file.read()
    if size == 0 or not _is_whole(head, size, end):
        return False
    found = _read_note(job.target, head)
    if found is None:
        msg = f"{job.target}: is there already and was not made by pixel-kiln; give --overwrite to replace it"
        raise ImageError(msg)
    return found == note and job.target.stat().st_mtime >= job.source.stat().st_mtime


def _is_whole(head: bytes, size: int, end: bytes) -> bool:
    """Whether a PNG, WebP, Aseprite file or GIF was not cut short; others are taken for whole."""
    if head.startswith(_SIGNATURE):
        return end == _END
    if head.startswith(b"RIFF"):
        return size >= 8 + int.from_bytes(head[4:8], "little")
    if is_sprite(head):
        return size >= int.from_bytes(head[:4], "little")
    return not head.startswith(b"GIF8") or end.endswith(b";")


def _read_note(path: Path, head: bytes) -> str | None:
    """What the file says of how it was made; a PNG's is read without its pixels."""
    from PIL import Image

    try:
        if not head.startswith(_SIGNATURE):
            return read_text(path).get(NOTE)
        with Image.open(path) as image:
            note = image.info.get(NOTE)
    except (OSError, SyntaxError, ValueError):
        return None
    return None if note is None else str(note)


def claim(target: Path, sources: Sequence[Path] = (), *, overwrite: bool = False) -> Path:
    """Make sure that a single output may be written, and that its folder is there.

    Args:
        target: the file to write.
        sources: what it is made from; never replaced without `overwrite`.
        overwrite: whether the user allows a file there to be replaced.

    Returns:
        `target`.

    Raises:
        ImageError: it is a folder, an input, or there already; or its folder cannot be made.
    """
    if target.is_dir():
        msg = f"{target}: is a folder; expected the name of a file"
        raise ImageError(msg)
    if not overwrite and same_key(target) in {same_key(source) for source in sources}:
        msg = f"{target}: is an input too; choose another OUT, or give --overwrite"
        raise ImageError(msg)
    if not overwrite and os.path.lexists(target):
        msg = f"{target}: is there already; choose another name, or give --overwrite"
        raise ImageError(msg)
    make_folder(target.parent)
    return target


def make_folder(folder: Path) -> None:
    """Make a folder and those above it.

    Raises:
        ImageError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"the folder {folder} cannot be made ({error.strerror or error}); choose another OUT"
        raise ImageError(msg) from error
