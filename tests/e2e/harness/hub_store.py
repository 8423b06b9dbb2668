"""What the loopback hub holds: repositories with commits, branches, tags and large files, all in memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

READER, WRITER = "hf_reader", "hf_writer"
"""Tokens of somebody who is known to the hub, and of somebody who may write too."""


@dataclass(frozen=True)
class Blob:
    """A file's content."""

    data: bytes
    large: bool
    """Whether it went through large-file storage."""

    @property
    def sha256(self) -> str:
        """In hexadecimal digits."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def etag(self) -> str:
        """As the hub gives it: SHA-256 of a large file, git's blob id of another."""
        if self.large:
            return self.sha256
        head = f"blob {len(self.data)}\0".encode()
        return hashlib.sha1(head + self.data, usedforsecurity=False).hexdigest()


Tree = dict[str, Blob]
"""The files of a commit, by path."""


@dataclass
class Repository:
    """One model repository."""

    name: str
    private: bool = False
    gated: bool = False
    """Readable only with a token that was granted access."""

    commits: dict[str, Tree] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """A new repository has a first commit, as the hub makes it."""
        if not self.commits:
            self.commit({".gitattributes": Blob(b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n", large=False)})

    def commit(self, changes: Tree, deleted: tuple[str, ...] = ()) -> str:
        """Add a commit to main; returns its id."""
        tree = {**self.commits.get(self.branches.get("main", ""), {}), **changes}
        for path in deleted:
            del tree[path]
        facts = "\n".join([self.name, str(len(self.commits)), *(f"{path} {tree[path].etag}" for path in sorted(tree))])
        oid = hashlib.sha1(facts.encode(), usedforsecurity=False).hexdigest()
        self.commits[oid] = tree
        self.branches["main"] = oid
        return oid

    def resolve(self, revision: str) -> str | None:
        """The commit that a branch, a tag or a commit's own id means."""
        known = {**{oid: oid for oid in self.commits}, **self.tags, **self.branches}
        return known.get(revision)


@dataclass
class Store:
    """Everything on the hub."""

    address: str = ""
    """The hub's own."""

    repositories: dict[str, Repository] = field(default_factory=dict)
    uploads: dict[str, bytes] = field(default_factory=dict)
    """Large files by SHA-256."""

    tokens: dict[str, set[str]] = field(default_factory=lambda: {WRITER: set(), READER: set()})
    """Known tokens, and the gated repositories that each may read."""

    def add(self, name: str, files: dict[str, bytes], *, private: bool = False, gated: bool = False) -> Repository:
        """Put a repository there, as if somebody had published it; weight files count as large."""
        repository = self.repositories.setdefault(name, Repository(name, private=private, gated=gated))
        suffixes = (".safetensors", ".pth", ".pt")
        repository.commit({path: Blob(data, large=path.endswith(suffixes)) for path, data in files.items()})
        return repository
