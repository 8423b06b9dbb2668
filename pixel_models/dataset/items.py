"""What a data set is made of: pictures where they lie, with what belongs to them, and the sprites made of them."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

SIDECARS = (".txt", ".json", ".caption")
"""Endings of the files beside a picture that belong to it."""

_ID_BYTES = 8


@dataclass(frozen=True, kw_only=True)
class Part:
    """Some bytes of a file."""

    path: str
    start: int = 0
    length: int = -1
    """-1: to the end."""

    def read(self) -> bytes:
        """The bytes.

        Raises:
            OSError: the file cannot be read, or ends before they do.
        """
        with open(self.path, "rb") as file:  # noqa: PTH123 - a path's text, many times
            file.seek(self.start)
            data = file.read(self.length)
        if 0 <= self.length != len(data):
            msg = f"{self.path} is cut short: {len(data)} of {self.length} bytes at {self.start}"
            raise OSError(msg)
        return data


@dataclass(frozen=True, kw_only=True)
class Row:
    """A picture in a table of a parquet file."""

    path: str
    group: int
    """Which row group."""

    row: int
    """Which row of that group."""

    image: str
    """The column of the picture."""

    text: str
    """The column of the caption; empty where there is none."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """One picture to make, told by where it lies: light enough to keep thousands of them."""

    key: str
    """Its name in the output, with folders, without an ending; no two are alike."""

    source: str
    """Where it comes from, for people: a path inside the input."""

    picture: Part | Row | None = None
    """None where `problem` says what is wrong."""

    sidecars: tuple[tuple[str, Part], ...] = ()
    """What lies beside it, by ending without the dot."""

    row: str = ""
    """Its row of a metadata file, as a JSON object."""

    text: str = ""
    """The caption in that row."""

    stamp: str = ""
    """Changes when the files change."""

    problem: str = ""
    """Why there is no picture."""

    @property
    def id(self) -> int:
        """64 bits of everything that decides what is made of it."""
        told = f"{self.key}\0{self.source}\0{self.stamp}\0{self.row}\0{self.text}\0{self.problem}"
        return int.from_bytes(hashlib.blake2b(told.encode("utf-8", "replace"), digest_size=_ID_BYTES).digest(), "big")

    def to_json(self) -> str:
        """As text, for another machine; `from_json` is the inverse."""
        return json.dumps(dataclasses.asdict(self))

    @staticmethod
    def from_json(text: str) -> Item:
        """The inverse of `to_json`."""
        values: dict[str, Any] = json.loads(text)
        picture = values["picture"]
        if picture is not None:
            picture = Row(**picture) if "image" in picture else Part(**picture)
        sidecars = tuple((ending, Part(**part)) for ending, part in values["sidecars"])
        return Item(**{**values, "picture": picture, "sidecars": sidecars})


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What was made of one `Item`: a sprite and its captions, or why not."""

    png: bytes = b""
    cells: tuple[int, int] = (0, 0)
    """Width and height of the sprite, before it was enlarged."""

    palette: tuple[str, ...] = ()
    """Its colours as "#rrggbb"."""

    sidecars: dict[str, bytes] = field(default_factory=dict[str, bytes])
    """Files beside it, unchanged, by ending without the dot."""

    row: str = ""
    """Its row of a metadata file or table, as a JSON object."""

    text: str = ""
    """Its caption, wherever it stood; empty where there is none."""

    error: str = ""
    """Why there is no sprite."""

    fatal: bool = False
    """Whether the error is not this picture's alone: the model cannot be loaded."""

    def to_json(self) -> str:
        """As text, for another machine; `from_json` is the inverse."""
        values = dataclasses.asdict(self)
        values["png"] = base64.b64encode(self.png).decode("ascii")
        values["sidecars"] = {key: base64.b64encode(data).decode("ascii") for key, data in self.sidecars.items()}
        return json.dumps(values)

    @staticmethod
    def from_json(text: str) -> Sample:
        """The inverse of `to_json`."""
        values: dict[str, Any] = json.loads(text)
        sidecars = {key: base64.b64decode(data) for key, data in values["sidecars"].items()}
        width, height = values["cells"]
        changed = {
            "png": base64.b64decode(values["png"]),
            "sidecars": sidecars,
            "cells": (width, height),
            "palette": tuple(values["palette"]),
        }
        return Sample(**{**values, **changed})
