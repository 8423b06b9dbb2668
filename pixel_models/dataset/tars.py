"""Webdataset shards: tar files in which the files of one name, whatever follows its first dot, belong together."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import ImageError
from ..image import READ_SUFFIXES
from ..spritefiles import safe_name
from .items import Item, Part
from .names import free_name, inner_key

_KEY = re.compile(r"((?:.*/)?[^./][^./]*)\.([^/]+)")
_PICTURES = tuple(suffix[1:] for suffix in (*READ_SUFFIXES, ".avif"))


def tar_items(path: Path, inside: str, source: str, stamp: str, caption: str) -> Iterator[Item]:
    """Find the pictures of a shard; only the headers are read.

    Args:
        path: the .tar file.
        inside: what the pictures' keys begin with.
        source: what their sources begin with.
        stamp: theirs.
        caption: unused: captions are members.

    Raises:
        ImageError: it is no tar file, or ends early; the pictures before that have been found.
    """
    del caption
    taken: set[str] = set()
    name = ""
    group: dict[str, tuple[str, Part]] = {}
    try:
        archive: Any
        with tarfile.open(path, "r:") as archive:
            while (member := archive.next()) is not None:
                archive.members = []  # else they are all kept
                match = _KEY.fullmatch(member.name.removeprefix("./"))
                if not member.isreg() or member.issparse() or match is None:
                    continue
                if match[1] != name:
                    yield from _item(name, group, path, (inside, source, stamp), taken)
                    name, group = match[1], {}
                part = Part(path=str(path), start=member.offset_data, length=member.size)
                group[safe_name(match[2].lower())] = (member.name, part)
    except (tarfile.TarError, OSError) as error:
        msg = f"{path}: is no whole tar file ({error}); compressed shards have to be unpacked"
        raise ImageError(msg) from error
    yield from _item(name, group, path, (inside, source, stamp), taken)


def _item(
    name: str, group: Mapping[str, tuple[str, Part]], path: Path, told: tuple[str, str, str], taken: set[str]
) -> Iterator[Item]:
    inside, source, stamp = told
    endings = [ending for ending in group if ending.rpartition(".")[2] in _PICTURES]
    if not group:
        return
    key = inside + free_name(inner_key(name), taken)
    if not endings:
        yield Item(key=key, source=f"{source}/{name}", problem="is a sample without a picture")
        return
    chosen = min(endings, key=lambda ending: "." in ending)  # `seg.png` and the like are beside the picture
    inner, picture = group[chosen]
    total = path.stat().st_size
    if picture.start + picture.length > total:
        yield Item(key=key, source=f"{source}/{inner}", problem=f"{path} is cut short")
        return
    sidecars = tuple((ending, part) for ending, (_, part) in group.items() if ending not in (chosen, "png"))
    yield Item(
        key=key,
        source=f"{source}/{inner}",
        picture=picture,
        sidecars=sidecars,
        stamp=f"{stamp} {picture.start}",
    )


class TarWriter:
    """Writes samples into a shard; the same samples make the same bytes."""

    def __init__(self, file: BinaryIO) -> None:
        self._archive: Any = tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115 - `close`
        self._taken: set[str] = set()

    def add(self, key: str, files: Mapping[str, bytes]) -> None:
        """Append one sample.

        Args:
            key: with folders; dots in its last part would end it there, and become "_".
            files: by ending, the picture first.
        """
        folder, slash, last = key.rpartition("/")
        name = free_name(folder + slash + last.replace(".", "_"), self._taken)
        for ending, data in files.items():
            member = tarfile.TarInfo(f"{name}.{ending}")
            member.size = len(data)
            member.mode = 0o644
            self._archive.addfile(member, io.BytesIO(data))
        self._archive.members = []  # else they are all kept

    def close(self) -> None:
        """Write the end of the shard."""
        self._archive.close()
