"""How weights on the Hugging Face hub are called: `org/repo[@revision][/file]`, and our own published names."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from ..errors import HubError
from ..registry import SHIPPED

REPOSITORY = "pixel-kiln/pixel-kiln"
"""Our repository on the hub; the one place that names it. Nothing is there yet: the shipped weights serve."""

REVISION = "v1"
"""The tag that our weights are taken from. A tag can be moved; the SHA-256 in the registry says what must be there."""

SUFFIXES = (".safetensors", ".pth", ".pt")
"""Weight files that this version reads, the best first."""

GRAMMAR = "org/repo, org/repo/file or org/repo@revision/file"
"""What a name on the hub looks like, for messages."""

_SOURCE = re.compile(r"([A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95})(?:@([A-Za-z0-9][\w.-]{0,127}))?(?:/(.+))?")


@dataclass(frozen=True)
class HubSource:
    """A weight file on the hub."""

    repository: str
    """`org/name`."""

    revision: str = "main"
    """A commit, a tag or a branch."""

    file: str = ""
    """Path inside the repository; empty stands for the only weight file there."""

    def __str__(self) -> str:
        """As the user writes it."""
        revision = "" if self.revision == "main" else f"@{self.revision}"
        return f"{self.repository}{revision}" + (f"/{self.file}" if self.file else "")

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        if self.file:
            return f"{endpoint()}/{self.repository}/resolve/{self.revision}/{self.file}"
        return f"{endpoint()}/{self.repository}/tree/{self.revision}"

    @property
    def sha256(self) -> str:
        """What the file's SHA-256 must be; empty where this version does not know it."""
        if (self.repository, self.revision) != (REPOSITORY, REVISION):
            return ""
        return {entry.name: entry.sha256 for entry in SHIPPED}.get(self.file, "")

    def pinned(self, commit: str) -> HubSource:
        """The same file at a commit, where that is known."""
        return HubSource(self.repository, commit or self.revision, self.file)

    @classmethod
    def parse(cls, text: str) -> HubSource | None:
        """Read `org/repo[@revision][/file]`; None where the text is something else, such as a path."""
        match = _SOURCE.fullmatch(text.strip())
        if match is None:
            return None
        repository, revision, file = match[1], match[2] or "", match[3] or ""
        parts = PurePosixPath(file).parts
        if ".." in parts or "\\" in file or "//" in file or file.startswith("/") or "--" in text or ".." in repository:
            return None
        if (file and not file.endswith(SUFFIXES)) or (not file and not revision and repository.endswith(SUFFIXES)):
            return None
        return cls(repository, revision or "main", file)


def endpoint() -> str:
    """The hub's own address, or that of the mirror which the user set up for huggingface_hub."""
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or "https://huggingface.co"


def published_source(name: str) -> HubSource | None:
    """Where a model of ours, named with or without its suffix, is published; None for any other name."""
    for entry in SHIPPED:
        if name in (entry.name, PurePosixPath(entry.name).stem):
            return HubSource(REPOSITORY, REVISION, entry.name)
    return None


def address(name: str) -> str:
    """The address that a published weight file has on the hub."""
    return HubSource(REPOSITORY, REVISION, name).address


def choose_file(source: HubSource, files: Sequence[str]) -> str:
    """The weight file that `source` means.

    Args:
        source: one without a file.
        files: paths inside the repository, of any kind.

    Raises:
        HubError: the repository holds none, or several that are as good.
    """
    weights = sorted(file for file in files if file.endswith(SUFFIXES))
    best = [file for file in weights if file.endswith(SUFFIXES[0])] or weights
    if len(best) == 1:
        return best[0]
    if not best:
        msg = f"{source} holds no weight file ({', '.join(SUFFIXES)})"
        raise HubError(msg)
    known = ", ".join(str(HubSource(source.repository, source.revision, file)) for file in best[:10])
    msg = f"{source} holds {len(best)} weight files; say which: {known}{', …' if len(best) > 10 else ''}"
    raise HubError(msg)
