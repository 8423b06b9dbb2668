"""Metadata files of image folders (metadata.jsonl, metadata.csv): a picture's row, found without keeping all."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from ..errors import ImageError
from .captions import caption_in

METADATA_NAMES = ("metadata.jsonl", "metadata.csv")
"""What a folder's metadata file may be called; the first is taken."""

FILE_NAME = "file_name"
"""The column that names the picture, as a path from the metadata file's folder."""


class RowIndex:
    """Where each picture's row begins and ends in a metadata file; 24 bytes a row are kept."""

    def __init__(self, path: Path) -> None:
        """Read the file once.

        Raises:
            ImageError: it cannot be read, or a row is malformed or names no file.
        """
        self.path = path
        keys: list[int] = []
        starts: list[int] = []
        ends: list[int] = []
        self.header: list[str] = []
        for row, start, end in self._rows():
            name = row.get(FILE_NAME)
            if not isinstance(name, str):
                msg = f"{path}: the row at byte {start} has no {FILE_NAME!r}; expected the path of a picture"
                raise ImageError(msg)
            keys.append(_hash(_normal(name)))
            starts.append(start)
            ends.append(end)
        order = np.argsort(np.array(keys, np.uint64), kind="stable")
        self._keys = np.array(keys, np.uint64)[order]
        self._starts = np.array(starts, np.int64)[order]
        self._ends = np.array(ends, np.int64)[order]

    def find(self, name: str, caption: str = "") -> tuple[str, str]:
        """The row of a picture as JSON, without its file name, and its caption; empty where it has none.

        Args:
            name: path from the metadata file's folder, parts joined by "/".
            caption: the caption's column; empty: as `caption_in`.
        """
        at = int(np.searchsorted(self._keys, np.uint64(_hash(name))))
        if at == len(self._keys) or int(self._keys[at]) != _hash(name):
            return "", ""
        with self.path.open("rb") as file:
            file.seek(int(self._starts[at]))
            row = self._parse(file.read(int(self._ends[at] - self._starts[at])))
        if _normal(str(row.pop(FILE_NAME))) != name:
            return "", ""
        return json.dumps(row, ensure_ascii=False), caption_in(row, caption)

    def rewrite(self, rename: Callable[[str], str | None]) -> Iterator[bytes]:
        """The file again with other names, row by row.

        Args:
            rename: a picture's new name; None leaves its row out.

        Yields:
            Lines as they are to be written.
        """
        if self.path.suffix == ".csv":
            yield _csv_line(self.header)
        for row, _, _ in self._rows():
            new = rename(_normal(str(row[FILE_NAME])))
            if new is None:
                continue
            row[FILE_NAME] = new
            if self.path.suffix == ".csv":
                yield _csv_line([str(row.get(key) or "") for key in self.header])
            else:
                yield json.dumps(row, ensure_ascii=False).encode() + b"\n"

    def _rows(self) -> Iterator[tuple[dict[str, Any], int, int]]:
        """Each row with the bytes it stands in."""
        try:
            yield from self._read_csv() if self.path.suffix == ".csv" else self._read_lines()
        except (OSError, ValueError, csv.Error, RecursionError) as error:
            if isinstance(error, ImageError):
                raise
            msg = f"{self.path}: cannot be read ({error}); expected UTF-8, one row for each picture"
            raise ImageError(msg) from error

    def _read_lines(self) -> Iterator[tuple[dict[str, Any], int, int]]:
        at = 0
        with self.path.open("rb") as file:
            for line in file:
                if line.strip():
                    yield self._parse(line), at, at + len(line)
                at += len(line)

    def _read_csv(self) -> Iterator[tuple[dict[str, Any], int, int]]:
        at = 0

        def lines() -> Iterator[str]:
            nonlocal at
            with self.path.open("rb") as file:
                for line in file:
                    at += len(line)
                    yield line.decode("utf-8").removeprefix("\ufeff")

        reader = csv.reader(lines())
        self.header = next(reader, [])
        start = at
        for values in reader:  # a row may be several lines
            if values:
                yield dict(zip(self.header, values, strict=False)), start, at
            start = at

    def _parse(self, data: bytes) -> dict[str, Any]:
        if self.path.suffix == ".csv":
            text = io.StringIO(data.decode("utf-8"), newline="")
            return dict(zip(self.header, next(csv.reader(text)), strict=False))
        row = json.loads(data.decode("utf-8-sig"))
        if not isinstance(row, dict):
            msg = f"expected a JSON object a line, got {data[:40]!r}"
            raise ValueError(msg)
        return row


def _csv_line(values: list[str]) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerow(values)
    return buffer.getvalue().encode()


def _normal(name: str) -> str:
    return PurePosixPath(name.replace("\\", "/")).as_posix()


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big")
