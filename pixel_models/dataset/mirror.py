"""Metadata files of image folders again, beside the sprites, with the sprites' names."""

from __future__ import annotations

import filecmp
import os
import secrets
from functools import lru_cache
from pathlib import Path, PurePosixPath

from ..image.write import LEFTOVER_SUFFIX
from .names import told_apart
from .rows import RowIndex
from .source import Source


def mirror_metadata(source: Source) -> list[Path]:
    """Write each metadata file of the input into the same folder of the output; rows without a sprite are left out.

    Args:
        source: the input, whose `out` holds the sprites by now.

    Returns:
        The files that were written; those that would not change are not.

    Raises:
        ImageError: a metadata file cannot be read.
        OSError: one cannot be written.
    """

    @lru_cache(maxsize=16)
    def names_of(folder: Path) -> dict[str, str]:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if not entry.is_dir(follow_symlinks=False))
        return told_apart([name for name in names if not name.startswith(".") and source.is_picture(folder / name)])

    written: list[Path] = []
    for path in source.metadata_files():
        target = source.out / path.relative_to(source.path)

        def rename(name: str, path: Path = path, target: Path = target) -> str | None:
            inner = PurePosixPath(name)
            try:
                key = names_of((path.parent / inner).parent).get(inner.name)
            except OSError:
                return None
            if key is None or ".." in inner.parts:
                return None
            new = inner.with_name(f"{key}.png")
            return new.as_posix() if (target.parent / new).is_file() else None

        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.stem}.{secrets.token_hex(6)}{LEFTOVER_SUFFIX}")
        try:
            with part.open("xb") as file:
                file.writelines(RowIndex(path).rewrite(rename))
            if not target.exists() or not filecmp.cmp(part, target, shallow=False):
                part.replace(target)
                written.append(target)
        finally:
            part.unlink(missing_ok=True)
    return written
