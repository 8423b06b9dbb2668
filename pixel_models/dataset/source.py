"""Finds the pictures of a folder, a webdataset shard or a parquet file one by one, always in the same order."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..errors import ImageError, PixelModelError
from .items import SIDECARS, Item, Part
from .names import told_apart
from .rows import METADATA_NAMES, RowIndex
from .tables import table_items
from .tars import tar_items


@dataclass(frozen=True)
class Source:
    """Where the pictures are."""

    path: Path
    """A folder, with all folders inside; or a .tar or .parquet file."""

    out: Path
    """Left out where it lies inside `path`."""

    is_picture: Callable[[Path], bool]
    """Whether a file of a folder is one."""

    caption: str = ""
    """The caption's column or field; empty: the usual ones."""

    def items(self) -> Iterator[Item]:
        """Every picture; what cannot be listed comes as an item with a problem.

        Raises:
            ImageError: there is nothing at `path`, or it is a file of another kind.
        """
        if self.path.is_dir():
            yield from self._walk(self.path, "", ())
        elif not self.path.exists():
            msg = f"{self.path}: there is no such file or folder"
            raise ImageError(msg)
        elif self.path.suffix.lower() in (".tar", ".parquet"):
            yield from self._container(self.path, "", self.path.name)
        else:
            msg = f"{self.path}: expected a folder, a .tar or a .parquet file; for single pictures use `pixelate`"
            raise ImageError(msg)

    def metadata_files(self) -> Iterator[Path]:
        """The metadata files of the folders."""
        if self.path.is_dir():
            for here, folders, names in os.walk(self.path):
                folders[:] = sorted(name for name in folders if self._wanted(Path(here) / name))
                found = [name for name in METADATA_NAMES if name in names]
                if found:
                    yield Path(here) / found[0]

    def _wanted(self, folder: Path) -> bool:
        return not folder.name.startswith(".") and folder.resolve() != self.out.resolve()

    def _walk(self, folder: Path, inside: str, indices: tuple[tuple[str, RowIndex], ...]) -> Iterator[Item]:
        """Files first, then folders; `indices` are the metadata of this folder's parents, the nearest last."""
        try:
            with os.scandir(folder) as entries:
                found = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
        except OSError as error:
            yield _problem(inside or ".", f"the folder cannot be listed ({error.strerror or error})")
            return
        names = [name for name, is_folder in found if not is_folder and not name.startswith(".")]
        folders = [name for name, is_folder in found if is_folder and self._wanted(folder / name)]
        here = next((name for name in METADATA_NAMES if name in names), None)
        if here is not None:
            try:
                indices = (*indices, (inside, RowIndex(folder / here)))
            except PixelModelError as error:
                yield _problem(f"{inside}{here}", str(error))
        present = set(names)
        pictures = [name for name in names if self.is_picture(Path(name)) or _may_be_sprite(folder / name, self)]
        keys = told_apart(pictures)
        for name in pictures:
            yield self._picture(folder, inside, name, keys[name], present, indices)
        for name in names:
            path = folder / name
            suffix = path.suffix.lower()
            if suffix == ".tar" or (suffix == ".parquet" and path.with_suffix(".tar").name not in present):
                stem = path.stem if path.stem not in folders else name.replace(".", "_")
                yield from self._container(path, f"{inside}{stem}/", inside + name)
        for name in folders:
            yield from self._walk(folder / name, f"{inside}{name}/", indices)

    def _picture(
        self,
        folder: Path,
        inside: str,
        name: str,
        key: str,
        present: set[str],
        indices: tuple[tuple[str, RowIndex], ...],
    ) -> Item:
        source = inside + name
        stem = PurePosixPath(name).stem
        beside = [ending for ending in SIDECARS if stem + ending in present]
        row, text = "", ""
        for root, index in reversed(indices):
            row, text = index.find(source.removeprefix(root), self.caption)
            if row:
                break
        try:
            stamp = " ".join(_stamp(folder / one) for one in (name, *(stem + ending for ending in beside)))
        except OSError as error:
            return _problem(source, f"cannot be read ({error.strerror or error})", inside + key)
        return Item(
            key=inside + key,
            source=source,
            picture=Part(path=str(folder / name)),
            sidecars=tuple((ending[1:], Part(path=str(folder / (stem + ending)))) for ending in beside),
            row=row,
            text=text,
            stamp=stamp,
        )

    def _container(self, path: Path, inside: str, source: str) -> Iterator[Item]:
        """The pictures of a tar or parquet file; where reading ends early, a problem."""
        try:
            stamp = _stamp(path)
            find = tar_items if path.suffix.lower() == ".tar" else table_items
            yield from find(path, inside, source, stamp, self.caption)
        except (OSError, PixelModelError) as error:
            yield _problem(source, str(error).removeprefix(f"{path}: "))


def _may_be_sprite(path: Path, source: Source) -> bool:
    """Endings that need a look into the file: `.ase` is also a kind of palette."""
    return path.suffix.lower() == ".ase" and source.is_picture(path)


def _problem(source: str, why: str, key: str = "") -> Item:
    return Item(key=key or f"{source}#problem", source=source, problem=why)


def _stamp(path: Path) -> str:
    told = path.stat()
    return f"{told.st_size}:{told.st_mtime_ns}"
