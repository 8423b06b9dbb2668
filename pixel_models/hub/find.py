"""Finds the file of a model: on this machine, and on the hub where the user asked for a download."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import CheckpointError, HubError
from ..registry import SHIPPED
from ..sampling import StepCallback
from ..weightfile import sha256_of
from .cache import blob_sha256, find_cached, forget
from .sources import SUFFIXES, HubSource, published_source

WEIGHTS = Path(__file__).parents[1] / "weights"
"""The folder of the shipped weights."""


@dataclass(frozen=True)
class Found:
    """A model's file on this machine."""

    path: Path

    sha256: str = ""
    """What its SHA-256 must be; empty for a file of the user's own, and where nobody said."""

    hub: HubSource | None = None
    """Where on the hub it is from, if it lies in the hub's cache."""


def model_names(folders: Iterable[Path | str] = ()) -> list[str]:
    """Names that are found on this machine: the shipped weights, then the weight files in `folders`, sorted."""
    shipped = [entry.name for entry in SHIPPED if (WEIGHTS / entry.name).is_file()]
    found = {
        path.relative_to(folder).as_posix()
        for folder in map(Path, folders)
        if folder.is_dir()
        for path in folder.rglob("*")
        if path.suffix in SUFFIXES and path.is_file()
    }
    return shipped + sorted(found.difference(shipped))


def find_weights(source: str | Path, folders: Iterable[Path | str] = (), *, download: bool = False) -> Path:
    """The local file of a model: `locate` without what is known of it."""
    return locate(source, folders, download=download).path


def locate(
    source: str | Path | HubSource,
    folders: Iterable[Path | str] = (),
    *,
    download: bool = False,
    callback: StepCallback | None = None,
) -> Found:
    """The local file of a model. The network is used only with `download`, and only where nothing here serves.

    Args:
        source: a path; a file name, with or without its suffix, in one of `folders` or among the shipped weights; or
            `org/repo[@revision][/file]` on the hub. A `HubSource` is looked for in the cache and on the hub alone.
        folders: looked through in order, before the shipped weights.
        download: fetch what is in none of these places, nor in the Hugging Face cache, from the hub.
        callback: hears `(bytes, bytes in all)` of a download.

    Raises:
        HubError: there is no such file; says in a sentence what is missing, where it goes, and where it comes from.
        CheckpointError: the hub sent another file than it should.
    """
    folders = [Path(folder) for folder in folders]
    if isinstance(source, HubSource):
        wanted = source
    elif path := _on_disk(source, folders):
        return Found(path, _shipped_sha256(path))
    else:
        wanted = published_source(str(source)) or HubSource.parse(str(source))
    if wanted is None:
        raise HubError(_missing(str(source), wanted, folders))
    if cached := find_cached(wanted):
        path, wanted = cached
        found = Found(path, wanted.sha256 or blob_sha256(path), wanted)
        if not (download and found.sha256 and sha256_of(path) != found.sha256):
            return found
        forget(path)
    if not download:
        raise HubError(_missing(str(source), wanted, folders))
    from .download import fetch

    return Found(*fetch(wanted, place_for(folders), callback))


def check_published(found: Found, fingerprint: str) -> None:
    """Refuse a file that is not the one that was shipped or published.

    Args:
        found: from `locate`; a file of the user's own passes, whatever its name.
        fingerprint: first 16 hex digits of its SHA-256.

    Raises:
        CheckpointError: its hash is another than it must be.
    """
    if found.sha256 and not found.sha256.startswith(fingerprint):
        what = f"{found.path.name} is not the file that was {'published' if found.hub else 'shipped'}"
        remedy = f"delete {found.path}, or download it again" if found.hub else "install the pack again"
        msg = f"{what} (SHA-256 {fingerprint}..., expected {found.sha256[:16]}...); {remedy}"
        raise CheckpointError(msg)


def place_for(folders: Sequence[Path]) -> Path:
    """Where the user is told to put a file by hand."""
    return folders[0] if folders else WEIGHTS


def _on_disk(source: str | Path, folders: Sequence[Path]) -> Path | None:
    given = Path(source)
    names = [given] if given.suffix in SUFFIXES else [given, *(Path(f"{source}{suffix}") for suffix in SUFFIXES)]
    for name in names:
        for candidate in (name, *(folder / name for folder in folders), WEIGHTS / name):
            with suppress(OSError):  # a text that no file can be called
                if candidate.is_file():
                    return candidate
    return None


def _shipped_sha256(path: Path) -> str:
    """What the hash of a shipped file must be; files elsewhere are the user's own, whatever their name."""
    if path.parent.resolve() != WEIGHTS.resolve():
        return ""
    return {entry.name: entry.sha256 for entry in SHIPPED}.get(path.name, "")


def _missing(source: str, wanted: HubSource | None, folders: Sequence[Path]) -> str:
    """The sentence for a model that is not here."""
    place = place_for(folders)
    if wanted is None:
        known = ", ".join(model_names(folders)) or "none"
        return f"no model {source!r} on this machine (here are: {known}); put the file into {place}"
    msg = f"no model {source!r} on this machine: put the file into {place}, from {wanted.address}, or have it "
    msg += f"downloaded (the switch `download`, or `pixel-kiln models download {source}`)"
    return msg + (", or install the pack again: it ships this file" if wanted.sha256 else "")
