"""`Metadata`: what a file says about the frames on a sheet's picture; every claim is checked before it is believed."""

from __future__ import annotations

import dataclasses
import math
import re
from typing import Literal, get_args

from ...errors import SheetError
from ..core import DURATION, MAX_FRAMES, Place, SpriteSheet

MetadataFormat = Literal["aseprite", "aseprite-array", "texturepacker", "phaser", "godot", "css", "csv"]

METADATA_FORMATS: tuple[MetadataFormat, ...] = get_args(MetadataFormat)

MAX_CHARACTERS = 2**23
"""Longest metadata that is read."""

MAX_SIDE = 2**16
"""Longest side, and farthest place, in pixels, that metadata may claim."""

APP = "https://github.com/pixel-kiln/pixel-kiln"

_MAX_DURATION = 2**31 - 1
_LONGEST_NAME = 512
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Entry:
    """What is said about one frame."""

    name: str
    place: Place
    width: int
    """Of the whole frame, what was trimmed away included; pixels."""
    height: int
    duration: int = DURATION
    """Milliseconds."""
    pivot: tuple[float, float] | None = None
    """Pixels from the whole frame's upper left corner."""
    tag: str = ""

    def __post_init__(self) -> None:
        """Check every part.

        Raises:
            SheetError: a name that could be a way out of a folder, or numbers that describe no frame.
        """
        check_name(self.name, "frame")
        if self.tag:
            check_name(self.tag, "animation")
        place = self.place
        numbers = (place.x, place.y, place.width, place.height, place.left, place.top, self.width, self.height)
        if not all(0 <= number <= MAX_SIDE for number in numbers):
            self._refuse(f"it lies at {place} of {self.width}x{self.height}, expected numbers from 0 to {MAX_SIDE}")
        if self.width < 1 or self.height < 1:
            self._refuse(f"it has {self.width}x{self.height} pixels, expected at least one")
        if place.left + place.width > self.width or place.top + place.height > self.height:
            self._refuse(f"its part at {place} is outside its {self.width}x{self.height} pixels")
        if not 1 <= self.duration <= _MAX_DURATION:
            self._refuse(f"it is shown for {self.duration} ms, expected 1 to {_MAX_DURATION}")
        if self.pivot is not None and not all(math.isfinite(part) and abs(part) < 1e6 for part in self.pivot):
            self._refuse(f"its pivot is {self.pivot}, expected two numbers in pixels")

    def _refuse(self, why: str) -> None:
        msg = f"frame {self.name!r}: {why}"
        raise SheetError(msg)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Metadata:
    """Everything that a file says about a sheet."""

    kind: MetadataFormat
    entries: tuple[Entry, ...]
    image: str = ""
    """The picture's plain file name, which is only ever looked for beside the metadata; empty: not said."""
    size: tuple[int, int] | None = None
    """Width and height of the picture; None: not said."""

    def __post_init__(self) -> None:
        """Check the parts.

        Raises:
            SheetError: no frames or too many, an image that is no plain file name, or a frame outside the picture.
        """
        if not 1 <= len(self.entries) <= MAX_FRAMES:
            msg = f"the metadata names {len(self.entries)} frames, expected 1 to {MAX_FRAMES}"
            raise SheetError(msg)
        if self.image:
            check_image_name(self.image)
        if self.size is None:
            return
        width, height = self.size
        if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
            msg = f"the picture is said to have {width}x{height} pixels, expected sides of 1 to {MAX_SIDE}"
            raise SheetError(msg)
        for entry in self.entries:
            check_inside(entry, self.size)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the frames."""
        return tuple(entry.name for entry in self.entries)

    @property
    def places(self) -> tuple[Place, ...]:
        """Where the frames lie."""
        return tuple(entry.place for entry in self.entries)

    @property
    def durations(self) -> tuple[int, ...]:
        """Milliseconds."""
        return tuple(entry.duration for entry in self.entries)

    @property
    def tags(self) -> tuple[str, ...]:
        """The animation that each frame belongs to, or an empty string."""
        return tuple(entry.tag for entry in self.entries)

    @property
    def pivots(self) -> tuple[tuple[float, float] | None, ...]:
        """Pixels from each whole frame's upper left corner."""
        return tuple(entry.pivot for entry in self.entries)


def entries_of(sheet: SpriteSheet) -> tuple[Entry, ...]:
    """What is to be said about a packed sheet.

    Raises:
        SheetError: it has no picture, too many frames, or a name that would be refused when read.
    """
    if sheet.picture is None:
        msg = "the frames do not lie on a picture yet; pack the sheet first"
        raise SheetError(msg)
    if len(sheet) > MAX_FRAMES:
        msg = f"the sheet has {len(sheet)} frames, over the limit of {MAX_FRAMES}; make several sheets"
        raise SheetError(msg)
    return tuple(
        Entry(
            name=frame.name,
            place=place,
            width=frame.width,
            height=frame.height,
            duration=frame.duration,
            pivot=None if frame.pivot is None else (float(frame.pivot[0]), float(frame.pivot[1])),
            tag=frame.tag,
        )
        for frame, place in zip(sheet.frames, sheet.places, strict=True)
    )


def check_inside(entry: Entry, size: tuple[int, int]) -> None:
    """Refuse a frame that lies outside a picture of `size`.

    Raises:
        SheetError: it does.
    """
    place = entry.place
    if place.x + place.width > size[0] or place.y + place.height > size[1]:
        msg = (
            f"frame {entry.name!r} of {place.width}x{place.height} pixels at {place.x},{place.y} is outside the "
            f"picture of {size[0]}x{size[1]}"
        )
        raise SheetError(msg)


def check_unique(entries: tuple[Entry, ...], kind: str) -> None:
    """Refuse names that come twice, where a format finds frames by name.

    Raises:
        SheetError: one does.
    """
    seen: set[str] = set()
    for entry in entries:
        if entry.name in seen:
            msg = f"two frames are called {entry.name!r}, which {kind} cannot hold; rename one, or take csv"
            raise SheetError(msg)
        seen.add(entry.name)


def check_name(name: str, what: str) -> None:
    """Refuse names that are no names, or that could lead out of a folder where somebody makes files of them.

    Raises:
        SheetError: empty, too long, control characters, absolute, with a drive letter, or with `..` as a part.
    """
    if not name or len(name) > _LONGEST_NAME:
        msg = f"a name of a {what} has {len(name)} characters, expected 1 to {_LONGEST_NAME}"
        raise SheetError(msg)
    parts = name.replace("\\", "/").split("/")
    if _CONTROL.search(name) or _DRIVE.match(name) or parts[0] == "" or ".." in parts:
        msg = (
            f"{name!r} is no safe name of a {what}: expected no control characters, no / or \\ at its start, no drive "
            "letter and no '..'"
        )
        raise SheetError(msg)


def check_image_name(name: str) -> None:
    """Refuse an image that is not a plain file name.

    Raises:
        SheetError: empty, too long, with a folder, a drive, control characters, or a name for a folder.
    """
    if not name or len(name) > 255 or name in (".", "..") or _CONTROL.search(name) or re.search(r'[/\\:*?"<>|]', name):
        msg = f"the image is {name!r}, expected the plain name of a file that lies beside the metadata, without folders"
        raise SheetError(msg)
