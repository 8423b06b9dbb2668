"""From a model's name to its file on this machine: an explicit path, the given folders, the shipped weights."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .errors import CheckpointError, HubError
from .registry import SHIPPED

WEIGHTS = Path(__file__).parent / "weights"
"""The folder of the shipped weights."""

HUB = "https://huggingface.co/pixel-kiln/pixel-kiln"
"""Where weights are published; the one place that names it. Nothing is there yet: the shipped weights serve."""

SUFFIXES = (".safetensors",)
"""Weight files that this version reads."""


def model_names(folders: Iterable[Path | str] = ()) -> list[str]:
    """Names that `find_weights` would find: the shipped weights, then the files in `folders`, sorted."""
    shipped = [entry.name for entry in SHIPPED if (WEIGHTS / entry.name).is_file()]
    found = {
        path.relative_to(folder).as_posix()
        for folder in map(Path, folders)
        if folder.is_dir()
        for path in folder.rglob("*")
        if path.suffix in SUFFIXES and path.is_file()
    }
    return shipped + sorted(found.difference(shipped))


def address(name: str) -> str:
    """The address that a published weight file has on the hub."""
    return f"{HUB}/resolve/main/{name}"


def find_weights(source: str | Path, folders: Iterable[Path | str] = ()) -> Path:
    """The local file of a model.

    Args:
        source: a path, or a file name, with or without its suffix, in one of `folders` or among the shipped weights.
        folders: looked through in order, before the shipped weights.

    Raises:
        HubError: there is no such file; says what is missing, where it goes, and where it comes from.
    """
    folders = [Path(folder) for folder in folders]
    given = Path(source)
    names = [given] if given.suffix in SUFFIXES else [given, *(Path(f"{source}{suffix}") for suffix in SUFFIXES)]
    for name in names:
        for candidate in (name, *(folder / name for folder in folders), WEIGHTS / name):
            if candidate.is_file():
                return candidate
    place = folders[0] if folders else WEIGHTS
    known = ", ".join(model_names(folders)) or "none"
    msg = f"no model {str(source)!r} on this machine (here are: {known}); put the file into {place}"
    if given.name in {entry.name for entry in SHIPPED}:
        msg += f", from {address(given.name)}, or install the pack again: it ships this file"
    raise HubError(msg)


def check_shipped(path: Path, fingerprint: str) -> None:
    """Refuse a file among the shipped weights that is not the one that was shipped.

    Args:
        path: where the file is; files elsewhere are the user's own, whatever their name.
        fingerprint: first 16 hex digits of its SHA-256.

    Raises:
        CheckpointError: its hash is not the registry's.
    """
    expected = {entry.name: entry.sha256 for entry in SHIPPED}.get(path.name, fingerprint)
    if path.parent == WEIGHTS and not expected.startswith(fingerprint):
        msg = f"{path.name} is not the file that was shipped (SHA-256 {fingerprint}..., expected {expected[:16]}...)"
        raise CheckpointError(f"{msg}; install the pack again")
