"""What a data set's folder remembers, in a hidden folder inside: settings, a journal of what is done, errors."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import PixelModelError
from ..image import write_bytes
from ..palette import Palette
from .items import Item

STATE = ".pixel-kiln"
"""The hidden folder."""

ERRORS = "errors.jsonl"
"""In it, one line for each picture that could not be made."""

_SETTINGS, _JOURNAL, _PALETTE = "settings.json", "journal.jsonl", "palette.json"


class State:
    """The memory of one output folder. Lines are only ever added to the journal; a torn last one does not count."""

    def __init__(self, out: Path, settings: Mapping[str, Any], *, overwrite: bool = False) -> None:
        """Open the folder, or begin it.

        Args:
            out: the output folder; made where it is missing.
            settings: everything that decides how its files look, JSON values.
            overwrite: forget what is there, and remove the files that the journal names.

        Raises:
            PixelModelError: the folder holds other things, was made with other settings, or cannot be written.
        """
        self.out, self._folder = out, out / STATE
        try:
            if overwrite:
                self._forget()
            elif out.exists() and not (self._folder / _SETTINGS).exists():
                _require_empty(out)
            self._folder.mkdir(parents=True, exist_ok=True)
            self._agree(json.loads(json.dumps(dict(settings))))
            self._journal = (self._folder / _JOURNAL).open("ab")
            self._errors = (self._folder / ERRORS).open("wb")
            if self._journal.tell() and _last_byte(self._folder / _JOURNAL) != b"\n":
                self._journal.write(b"\n")
        except OSError as error:
            msg = f"{out}: cannot be written ({error.strerror or error}); choose another OUT"
            raise PixelModelError(msg) from error
        self.failed = 0
        self._load()

    @property
    def errors_path(self) -> Path:
        """Where the errors are."""
        return self._folder / ERRORS

    def is_done(self, item: Item) -> bool:
        """Whether this very item has been written."""
        known, at = np.uint64(item.id), int(np.searchsorted(self._done, np.uint64(item.id)))
        return at < len(self._done) and self._done[at] == known

    def note_done(self, item: Item) -> None:
        """Remember that an item has been written."""
        self.note({"id": f"{item.id:016x}", "key": item.key})

    def note(self, line: Mapping[str, Any]) -> None:
        """Add a line to the journal."""
        self._journal.write(json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        self._journal.flush()

    def note_error(self, error: Mapping[str, str]) -> None:
        """Add a line to the report of errors."""
        self.failed += 1
        self._errors.write(json.dumps(error, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        self._errors.flush()

    def palette(self) -> Palette | None:
        """The palette that was made for the whole set, where there is one."""
        path = self._folder / _PALETTE
        return Palette.from_hex(" ".join(json.loads(path.read_bytes()))) if path.exists() else None

    def keep_palette(self, palette: Palette) -> None:
        """Keep the palette of the whole set."""
        write_bytes(self._folder / _PALETTE, json.dumps(palette.to_hex()).encode())

    def close(self) -> None:
        """Close the files; an empty report of errors goes."""
        self._journal.close()
        self._errors.close()
        if not self.failed:
            self.errors_path.unlink(missing_ok=True)

    def _agree(self, settings: dict[str, Any]) -> None:
        path = self._folder / _SETTINGS
        if not path.exists():
            write_bytes(path, json.dumps(settings, indent=1, sort_keys=True).encode() + b"\n")
            return
        before = json.loads(path.read_bytes())
        differ = [key for key in sorted({*before, *settings}) if before.get(key) != settings.get(key)]
        if differ:
            told = ", ".join(f"{key} {_short(before.get(key))}, now {_short(settings.get(key))}" for key in differ)
            msg = f"{self.out}: was begun with other settings ({told})"
            raise PixelModelError(f"{msg}; give the same, choose another OUT, or give --overwrite to begin anew")

    def _load(self) -> None:
        """Read the journal; eight bytes an item are kept."""
        done: list[int] = []
        parts: list[np.ndarray[Any, np.dtype[np.uint64]]] = []
        self.shards: dict[int, dict[str, Any]] = {}
        for line in self._lines():
            if "id" in line:
                done.append(int(line["id"], 16))
                if len(done) == 2**16:
                    parts.append(np.array(done, np.uint64))
                    done = []
            elif "shard" in line:
                self.shards[line["shard"]] = line
        parts.append(np.array(done, np.uint64))
        self._done = np.sort(np.concatenate(parts))

    def _lines(self) -> Iterator[dict[str, Any]]:
        path = self._folder / _JOURNAL
        if path.exists():
            with path.open("rb") as file:
                for line in file:
                    with contextlib.suppress(ValueError):
                        yield json.loads(line)

    def _forget(self) -> None:
        for line in self._lines():
            name = line.get("file") or (f"{line['key']}.png" if "key" in line else "")
            if name:
                (self.out / name).unlink(missing_ok=True)
        shutil.rmtree(self._folder, ignore_errors=True)


def _require_empty(out: Path) -> None:
    if not out.is_dir():
        msg = f"{out}: is a file; expected a folder for the data set"
        raise PixelModelError(msg)
    if any(path.name != STATE for path in out.iterdir()):
        msg = f"{out}: is a folder that is not empty, and no data set of this command; choose another OUT"
        raise PixelModelError(f"{msg}, or give --overwrite to write into it")


def _last_byte(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1)


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:50]}…"
