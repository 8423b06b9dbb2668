"""What was found: pieces of a file, the file they come from, and what became of each."""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""`h w 4`, straight alpha."""
Box = tuple[int, int, int, int]
"""Left, top, right, bottom; the last two are one past the end."""

Kind = Literal["sprite", "animation", "sheet", "picture", "refused"]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Piece:
    """One sprite of a file, at native size."""

    pixels: Pixels
    name: str = ""
    """Of the frame, where the file or its metadata says one."""
    box: Box = (0, 0, 0, 0)
    """Where it was in the file at native size; zeros for frames of an animation."""
    tag: str = ""
    """The animation it belongs to, where that is said."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Found:
    """What is in one file."""

    file: str
    """The source's name and the path inside it."""
    kind: Kind
    what: str = ""
    """In words: sizes, cells, how it was cut; of a refused file the reason."""
    size: tuple[int, int] = (0, 0)
    """Width and height of the file's picture, pixels."""
    cell: float = 1.0
    """Pixels a cell, as it was enlarged."""
    pieces: tuple[Piece, ...] = ()
    left_out: tuple[str, ...] = ()
    """Pieces that are none: empty, specks, too large; a sentence each."""
    thumb: bytes = b""
    """PNG of the file's picture for the report, small."""


@dataclasses.dataclass(kw_only=True, eq=False)
class Record:
    """A piece on its way into the set."""

    piece: Piece
    file: str
    number: int
    """In its file."""
    label: str = ""
    category: str = ""
    author: str = ""
    licence: str = ""
    source: str = ""
    sha256: str = ""
    """Of size and pixels, as in the manifest of every set."""
    double_of: int = -1
    """Index of the record that stays in its place; -1: none."""
    double_kind: str = ""
    dropped: bool = False
    group: str = ""
    split: str = ""
    path: str = ""
    """Inside the set."""
