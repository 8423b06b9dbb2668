"""A sheet's picture and its metadata put in place together: never a new one beside an old one."""

from __future__ import annotations

import contextlib
from pathlib import Path

from ..errors import ImageError, SheetError
from ..image.write import hidden_beside, told_of


def write_pair(picture: Path, png: bytes, beside: Path, metadata: bytes) -> None:
    """Write two files that belong together, and give them their names one right after the other.

    Both are written whole under hidden names first. Then the old metadata gives up its name, the picture takes its
    own, and the metadata follows. Who is killed between these leaves the old pair, a picture alone (the old or the
    new), or the new pair, but never metadata beside a picture that it was not made for. What fails leaves the old pair.

    Args:
        picture: path of the picture; its folder must exist.
        png: all of it.
        beside: path of the metadata, in the same folder.
        metadata: all of it.

    Raises:
        ImageError: the picture cannot be written there.
        SheetError: the metadata cannot.
    """
    new_picture, new_beside, old_beside = (hidden_beside(path) for path in (picture, beside, beside))
    try:
        with told_of(picture, ImageError):
            _refuse_folder(picture)
            _fill(new_picture, png)
        with told_of(beside, SheetError):
            _refuse_folder(beside)
            _fill(new_beside, metadata)
            with contextlib.suppress(FileNotFoundError):
                beside.rename(old_beside)
        try:
            with told_of(picture, ImageError):
                new_picture.replace(picture)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                old_beside.rename(beside)
            raise
        with told_of(beside, SheetError):
            new_beside.rename(beside)
    finally:
        for path in (new_picture, new_beside, old_beside):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def _fill(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)


def _refuse_folder(path: Path) -> None:
    if path.is_dir():  # renaming would take it away, or say nothing of use
        raise IsADirectoryError(path)
