"""Looks into the Hugging Face cache on this machine, without a network and without importing huggingface_hub.

The layout is huggingface_hub's documented one: `models--ORG--NAME/` with `refs/REVISION`, which holds a commit,
`snapshots/COMMIT/FILE`, and `blobs/`. Only huggingface_hub writes there.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from .sources import SUFFIXES, HubSource, choose_file

_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def cache_folder() -> Path:
    """The folder that huggingface_hub keeps downloads in, by the variables that it reads."""
    home = os.getenv("HF_HOME", os.path.join(os.getenv("XDG_CACHE_HOME", "~/.cache"), "huggingface"))  # noqa: PTH118
    hub = os.getenv("HUGGINGFACE_HUB_CACHE", os.path.join(home, "hub"))  # noqa: PTH118
    return Path(os.path.expandvars(os.getenv("HF_HUB_CACHE", hub))).expanduser()


def find_cached(source: HubSource) -> tuple[Path, HubSource] | None:
    """The cached file of `source`, if there is one, and `source` with its name.

    Raises:
        HubError: the cache holds several files of the repository and `source` names none.
    """
    commit = cached_commit(source)
    if not commit:
        return None
    snapshot = _folder(source) / "snapshots" / commit
    file = source.file
    if not file:
        held = [path.relative_to(snapshot).as_posix() for path in snapshot.rglob("*") if path.is_file()]
        if not any(name.endswith(SUFFIXES) for name in held):
            return None
        file = choose_file(source, held)
    path = snapshot / file
    return (path, HubSource(source.repository, source.revision, file)) if path.is_file() else None


def cached_commit(source: HubSource) -> str:
    """The commit that the cache knows for the source's revision; empty where it knows none."""
    if _COMMIT.fullmatch(source.revision):
        return source.revision
    try:
        commit = (_folder(source) / "refs" / source.revision).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return commit if _COMMIT.fullmatch(commit) else ""


def blob_sha256(path: Path) -> str:
    """The SHA-256 that the hub gave for a cached file; empty where the cache does not tell.

    The cache names a large file's blob by it. Where the machine has no symbolic links, it keeps no blobs.
    """
    name = path.resolve().name
    return name if _SHA256.fullmatch(name) else ""


def forget(path: Path) -> None:
    """Remove a file from the cache, its blob too, so that it can be fetched again."""
    blob = path.resolve()
    path.unlink(missing_ok=True)
    blob.unlink(missing_ok=True)


def _folder(source: HubSource) -> Path:
    return cache_folder() / f"models--{source.repository.replace('/', '--')}"
