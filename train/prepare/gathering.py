"""Files of folders and zips as jobs: names in order, archives unpacked within limits, metadata beside each picture."""

from __future__ import annotations

import dataclasses
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from pixel_models.spritefiles import ART_SUFFIXES
from pixel_models.spritefiles.limits import MAX_ART_BYTES

from .looking import METADATA
from .model import Found
from .sidecars import MAX_BYTES, Sidecars, is_sidecar, read_sidecars

MAX_MEMBERS = 2**18
MAX_UNPACKED = 2**34
"""Bytes that the pictures of all archives together may take, 16 GiB."""

_FOREIGN = {
    ".zip": "an archive inside the source; unpack it first",
    ".rar": "an archive of a kind that is not read; unpack it first",
    ".7z": "an archive of a kind that is not read; unpack it first",
    ".psd": "a Photoshop file; export PNG",
    ".xcf": "a GIMP file; export PNG",
    ".kra": "a Krita file; export PNG",
    ".svg": "a vector drawing; export PNG",
    ".mp4": "a film; pixel-kiln video reads such",
    ".webm": "a film; pixel-kiln video reads such",
}
"""What people keep beside their sprites and may miss in the set."""


@dataclasses.dataclass(frozen=True)
class Gathered:
    """What lies in one source."""

    name: str
    files: tuple[tuple[str, str, tuple[str, ...]], ...]
    """Path inside the source, where it lies on the disk, and the files that may be its metadata."""
    sidecars: Sidecars
    refused: tuple[Found, ...]


def gather(source: Path, unpacked: Path) -> Gathered:
    """List a folder or a zip.

    Args:
        source: either.
        unpacked: where a zip's pictures are put, under numbers instead of their names.

    Raises:
        FileNotFoundError: there is neither.
    """
    if source.is_dir():
        lying = {name: source / name for name in sorted(_names(source))}
        refused: list[Found] = []
    elif zipfile.is_zipfile(source):
        lying, refused = _unpack(source, unpacked)
    else:
        msg = f"{source}: expected a folder or a zip of pictures, found neither"
        raise FileNotFoundError(msg)
    title = source.resolve().stem if source.is_file() else source.resolve().name
    said = {name: _head(path) for name, path in lying.items() if is_sidecar(name)}
    files: list[tuple[str, str, tuple[str, ...]]] = []
    for name, path in lying.items():
        suffix = PurePosixPath(name).suffix.lower()
        if suffix in ART_SUFFIXES:
            files.append((name, str(path), tuple(_beside(name, lying))))
        elif suffix in _FOREIGN:
            refused.append(Found(file=f"{title}/{name}", kind="refused", what=_FOREIGN[suffix]))
    return Gathered(title, tuple(files), read_sidecars(said), tuple(refused))


def _names(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        if path.is_file() and not _is_hidden(name.parts):
            yield name.as_posix()


def _is_hidden(parts: tuple[str, ...]) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES)
    except OSError:
        return b""


def _beside(name: str, lying: dict[str, Path]) -> Iterator[str]:
    """`hero.json` and `hero.png.json` for `hero.png`."""
    path = PurePosixPath(name)
    for ending in METADATA:
        for other in (path.with_suffix(ending), path.with_name(path.name + ending)):
            if str(other) in lying:
                yield str(lying[str(other)])


def _unpack(source: Path, folder: Path) -> tuple[dict[str, Path], list[Found]]:
    """Pictures and sidecars of a zip, each read to a limit whatever it claims; under numbers, so no name leads out."""
    lying: dict[str, Path] = {}
    refused: list[Found] = []
    spent = 0
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(source) as archive:
        members = sorted((m for m in archive.infolist() if not m.is_dir()), key=lambda m: m.filename)
        for number, member in enumerate(members[:MAX_MEMBERS]):
            name = "/".join(
                part for part in member.filename.replace("\\", "/").split("/") if part not in ("", ".", "..")
            )
            suffix = PurePosixPath(name).suffix.lower()
            if _is_hidden(PurePosixPath(name).parts) or not (
                suffix in ART_SUFFIXES or suffix in METADATA or suffix in _FOREIGN or is_sidecar(name)
            ):
                continue
            path = folder / f"{number}{suffix}"
            if suffix in _FOREIGN:
                lying.setdefault(name, path)
                continue
            data, why = _member(archive, member)
            spent += len(data)
            if spent > MAX_UNPACKED:
                why = f"the archives' pictures take more than {MAX_UNPACKED} bytes"
            if why:
                refused.append(Found(file=f"{source.stem}/{name}", kind="refused", what=why))
            elif name not in lying:
                path.write_bytes(data)
                lying[name] = path
    if len(members) > MAX_MEMBERS:
        why = f"{len(members)} files, of which the first {MAX_MEMBERS} were looked at"
        refused.append(Found(file=source.name, kind="refused", what=why))
    return lying, refused


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> tuple[bytes, str]:
    """Its bytes, and what is wrong with it or nothing."""
    try:
        with archive.open(member) as file:
            data = file.read(MAX_ART_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, OSError, EOFError) as error:
        return b"", f"cannot be unpacked ({error})"
    if len(data) > MAX_ART_BYTES:
        return b"", f"unpacks to more than {MAX_ART_BYTES} bytes"
    return data, ""
