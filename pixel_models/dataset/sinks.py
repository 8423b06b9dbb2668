"""Where sprites go: a folder of PNGs with captions beside them, or shards, which appear whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import secrets
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ..errors import ImageError
from ..image import remove_leftovers, write_bytes
from ..image.write import LEFTOVER_SUFFIX
from .captions import files_beside
from .items import Item, Row, Sample
from .state import State
from .tables import TableWriter, need_pyarrow
from .tars import TarWriter

SHARD_ENDINGS = {"webdataset": "tar", "parquet": "parquet"}
"""By kind of shard, the ending of its files."""


@dataclass
class Tally:
    """What became of the pictures so far."""

    written: int = 0
    skipped: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.written + self.skipped + self.failed

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.written} written, {self.skipped} already done, {self.failed} failed"


class Sink:
    """What is common to both: errors are counted and reported."""

    def __init__(self, state: State) -> None:
        self.state, self.tally = state, Tally()

    def due(self, items: Iterator[Item]) -> Iterator[Item]:
        """The items that are not done yet, in their order."""
        raise NotImplementedError

    def put(self, item: Item, sample: Sample) -> Path | None:
        """Take what was made of the next of the items that were due; a shard's path when it is complete."""
        raise NotImplementedError

    def finish(self) -> None:
        """All items have come."""

    def abort(self) -> None:
        """Leave nothing half-written."""

    def fail(self, item: Item, why: str) -> dict[str, str]:
        """Report that there is nothing to put."""
        error = {"key": item.key, "source": item.source, "error": why}
        self.state.note_error(error)
        self.tally.failed += 1
        return error


class FolderSink(Sink):
    """A PNG for each picture, with its captions beside it, in the folders that the pictures lie in."""

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self._last = Path()

    def due(self, items: Iterator[Item]) -> Iterator[Item]:
        """Items that the journal does not name, or whose sprite is gone."""
        for item in items:
            if not item.problem and self.state.is_done(item) and _is_there(self._target(item)):
                self.tally.skipped += 1
            else:
                yield item

    def put(self, item: Item, sample: Sample) -> Path | None:
        """Write captions, sprite, and the line in the journal, in this order."""
        if sample.error:
            self.fail(item, sample.error)
            return None
        target = self._target(item)
        alone = isinstance(item.picture, Row)  # rows of metadata files stay in metadata files
        files = files_beside(sample.sidecars, sample.row if alone else "", sample.text if alone else "")
        try:
            if target.parent != self._last:
                target.parent.mkdir(parents=True, exist_ok=True)
                remove_leftovers(target.parent)
                self._last = target.parent
            for ending, data in files.items():
                write_bytes(target.with_name(f"{target.stem}.{ending}"), data)
            write_bytes(target, sample.png)
        except OSError as error:
            msg = f"{target}: cannot be written ({error.strerror or error}); make room, then run the same again"
            raise ImageError(msg) from error
        self.state.note_done(item)
        self.tally.written += 1
        return None

    def _target(self, item: Item) -> Path:
        return self.state.out / f"{item.key}.png"


@dataclass
class _Group:
    """The items of one shard."""

    number: int
    digest: str
    count: int


class ShardSink(Sink):
    """Files of so many pictures each; the same pictures are in the same shard however they are made."""

    def __init__(self, state: State, kind: str, per_shard: int) -> None:
        super().__init__(state)
        if kind == "parquet":
            need_pyarrow("writing parquet")
        self._kind, self._per_shard = kind, per_shard
        self._groups: deque[_Group] = deque()
        self._shard: _Shard | None = None
        self._number = 0
        remove_leftovers(state.out)

    def due(self, items: Iterator[Item]) -> Iterator[Item]:
        """The items of all shards that are missing, or hold other items than now."""
        for number in itertools.count():
            group = list(itertools.islice(items, self._per_shard))
            self._number = number
            if not group:
                return
            told = hashlib.blake2b(b"".join(item.id.to_bytes(8, "big") for item in group), digest_size=16).hexdigest()
            before = self.state.shards.get(number)
            if before and before["digest"] == told and _size(self._path(number)) == before["bytes"]:
                for error in before["errors"]:
                    self.state.note_error(error)
                self.tally.failed += len(before["errors"])
                self.tally.skipped += len(group) - len(before["errors"])
                continue
            self._groups.append(_Group(number, told, len(group)))
            yield from group

    def put(self, item: Item, sample: Sample) -> Path | None:
        """Add a sample; after the last of a shard, the shard gets its name."""
        group = self._groups[0]
        if self._shard is None:
            self._shard = _Shard(self._path(group.number), self._kind)
        if sample.error:
            self._shard.errors.append(self.fail(item, sample.error))
        else:
            self._shard.add(item, sample)
            self.tally.written += 1
        group.count -= 1
        if group.count:
            return None
        self._groups.popleft()
        shard, self._shard = self._shard, None
        size = shard.finish()
        line = {"shard": group.number, "file": shard.path.name, "digest": group.digest, "bytes": size}
        self.state.note({**line, "errors": shard.errors})
        return shard.path if size else None

    def finish(self) -> None:
        """Remove shards of an earlier run beyond the last: their pictures are elsewhere now, or gone."""
        for number, line in self.state.shards.items():
            if number >= self._number and line.get("file"):
                (self.state.out / line["file"]).unlink(missing_ok=True)

    def abort(self) -> None:
        """Remove the shard that is not complete."""
        if self._shard is not None:
            self._shard.abort()

    def _path(self, number: int) -> Path:
        return self.state.out / f"{number:05}.{SHARD_ENDINGS[self._kind]}"


class _Shard:
    """A shard while it is written: a hidden file beside its place. One without samples does not come to be."""

    def __init__(self, path: Path, kind: str) -> None:
        self.path, self.errors = path, list[dict[str, str]]()
        self._part = path.with_name(f".{path.stem}.{secrets.token_hex(6)}{LEFTOVER_SUFFIX}")
        self._file: BinaryIO = self._part.open("xb")
        writer = TarWriter(self._file) if kind == "webdataset" else TableWriter(self._file)
        self._close: Callable[[], None] = writer.close
        self._writer = writer
        self._count = 0

    def add(self, item: Item, sample: Sample) -> None:
        """Append one sample."""
        self._count += 1
        if isinstance(self._writer, TableWriter):
            self._writer.add(item, sample)
        else:
            files = files_beside(sample.sidecars, sample.row, sample.text)
            self._writer.add(item.key, {"png": sample.png, **files})

    def finish(self) -> int:
        """Give it its name; its size in bytes, 0 where nothing is in it."""
        self._close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        if not self._count:
            self._part.unlink()
            self.path.unlink(missing_ok=True)
            return 0
        size = self._part.stat().st_size
        self._part.replace(self.path)
        return size

    def abort(self) -> None:
        """Remove it."""
        self._file.close()
        with contextlib.suppress(OSError):
            self._part.unlink(missing_ok=True)


def _is_there(path: Path) -> bool:
    return _size(path) > 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
