"""Plain CSV: a line a frame, with everything that a sheet knows."""

from __future__ import annotations

import csv
import io
import math

from ...errors import SheetError
from ..core import DURATION, MAX_FRAMES, Place
from .model import Entry, Metadata
from .texts import plain

_NEEDED = ("name", "x", "y", "width", "height")
COLUMNS = (*_NEEDED, "left", "top", "frame_width", "frame_height", "duration", "pivot_x", "pivot_y", "tag", "image")
"""In this order; those after the first five may be missing when read. Pixels and milliseconds."""

_FORMULA = tuple("=+-@'")


def write(entries: tuple[Entry, ...], image: str, size: tuple[int, int]) -> str:
    """CSV with a header. Texts that a spreadsheet would take for a formula get an apostrophe in front."""
    del size
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for entry in entries:
        place = entry.place
        pivot = ("", "") if entry.pivot is None else (plain(entry.pivot[0]), plain(entry.pivot[1]))
        box = (place.x, place.y, place.width, place.height, place.left, place.top, entry.width, entry.height)
        writer.writerow([_guard(entry.name), *box, entry.duration, *pivot, _guard(entry.tag), _guard(image)])
    return buffer.getvalue()


def is_header(line: str) -> bool:
    """Whether a text's first line names the columns that are needed."""
    return set(_NEEDED) <= {part.strip().strip('"').lower() for part in line[:4096].split(",")}


def read(text: str) -> Metadata:
    """The inverse of `write`; columns may stand in any order, and there may be others.

    Raises:
        SheetError: no header, missing or impossible values, or several pictures.
    """
    entries: list[Entry] = []
    images: set[str] = set()
    try:
        rows = csv.reader(io.StringIO(text), strict=True)
        header = [part.strip().lower() for part in next(rows, [])]
        missing = [column for column in _NEEDED if column not in header]
        if missing:
            msg = f"the CSV has no column {missing[0]!r}, expected at least {', '.join(_NEEDED)}"
            raise SheetError(msg)
        for number, row in enumerate(rows, 2):
            if not row:
                continue
            if len(row) != len(header):
                msg = f"line {number} of the CSV has {len(row)} values, expected {len(header)}; it may be cut short"
                raise SheetError(msg)
            values = dict(zip(header, row, strict=True))
            entries.append(_entry(values, number))
            images.add(_unguard(values.get("image", "")))
            if len(entries) > MAX_FRAMES:
                msg = f"the CSV has over {MAX_FRAMES} lines"
                raise SheetError(msg)
    except csv.Error as error:
        msg = f"the CSV cannot be read, it may be damaged or cut short ({error})"
        raise SheetError(msg) from error
    images.discard("")
    if len(images) > 1:
        msg = f"the CSV names {len(images)} pictures, expected one"
        raise SheetError(msg)
    return Metadata(kind="csv", entries=tuple(entries), image=images.pop() if images else "")


def _entry(values: dict[str, str], line: int) -> Entry:
    x, y, width, height = (_whole(values, column, line) for column in _NEEDED[1:])
    pivot_x, pivot_y = (_number(values, column, line) for column in ("pivot_x", "pivot_y"))
    return Entry(
        name=_unguard(values["name"]),
        place=Place(
            x=x,
            y=y,
            width=width,
            height=height,
            left=_whole(values, "left", line, 0),
            top=_whole(values, "top", line, 0),
        ),
        width=_whole(values, "frame_width", line, width),
        height=_whole(values, "frame_height", line, height),
        duration=_whole(values, "duration", line, DURATION),
        pivot=None if pivot_x is None or pivot_y is None else (pivot_x, pivot_y),
        tag=_unguard(values.get("tag", "")),
    )


def _guard(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _unguard(text: str) -> str:
    return text.removeprefix("'")


def _number(values: dict[str, str], column: str, line: int) -> float | None:
    text = values.get(column, "").strip()
    if not text:
        return None
    try:
        number = float(text[:64])
    except ValueError:
        number = math.nan
    if not abs(number) < 2**53:
        msg = f"line {line} of the CSV: {column} is {text[:40]!r}, expected a number"
        raise SheetError(msg)
    return number


def _whole(values: dict[str, str], column: str, line: int, default: int | None = None) -> int:
    number = _number(values, column, line)
    if number is None and default is not None:
        return default
    if number is None or number != int(number):
        msg = f"line {line} of the CSV: {column} is {values.get(column, '')[:40]!r}, expected a whole number"
        raise SheetError(msg)
    return int(number)
