"""JSON of sheets: parsed with limits, values taken with their type checked, and the boxes that many formats share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import SheetError
from ..core import DURATION, MAX_FRAMES, Place
from .model import Entry

Object = Mapping[str, Any]


def load_json(text: str) -> Object:
    """Parse a JSON object.

    Raises:
        SheetError: cut short, malformed, nested too deeply, with a key twice, or no object.
    """
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_no_number)
    except RecursionError as error:
        msg = "the JSON is nested too deeply for a sprite sheet"
        raise SheetError(msg) from error
    except SheetError:
        raise
    except ValueError as error:
        msg = f"the JSON cannot be read, it may be damaged or cut short ({error})"
        raise SheetError(msg) from error
    if not isinstance(value, dict):
        msg = f"the JSON holds {_kind(value)}, expected an object with frames"
        raise SheetError(msg)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        msg = f"the JSON has {twice[:80]!r} twice in one object; one of the two would be lost"
        raise SheetError(msg)
    return found


def _no_number(text: str) -> float:
    msg = f"the JSON holds {text}, which is no number of JSON"
    raise SheetError(msg)


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "nothing"}
    return names.get(type(value), "a number")


def _refuse(value: object, where: str, expected: str) -> SheetError:
    return SheetError(f"{where} is {_kind(value)}, expected {expected}")


def get_object(value: object, where: str) -> Object:
    """The value, if it is an object.

    Raises:
        SheetError: it is not.
    """
    if not isinstance(value, dict):
        raise _refuse(value, where, "an object")
    return value


def get_list(value: object, where: str) -> Sequence[Any]:
    """The value, if it is a list of not more than `MAX_FRAMES`.

    Raises:
        SheetError: it is not.
    """
    if not isinstance(value, list):
        raise _refuse(value, where, "a list")
    if len(value) > MAX_FRAMES:
        msg = f"{where} has {len(value)} entries, over the limit of {MAX_FRAMES}"
        raise SheetError(msg)
    return value


def get_text(value: object, where: str) -> str:
    """The value, if it is a text.

    Raises:
        SheetError: it is not.
    """
    if not isinstance(value, str):
        raise _refuse(value, where, "a text")
    return value


def get_number(value: object, where: str) -> float:
    """The value, if it is a finite number.

    Raises:
        SheetError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _refuse(value, where, "a number")
    if not abs(value) <= 2**53:  # NaN too; a whole number can be too large for a float
        msg = f"{where} is a number out of range"
        raise SheetError(msg)
    return value


def get_whole(value: object, where: str) -> int:
    """The value, if it is a whole number.

    Raises:
        SheetError: it is not.
    """
    number = get_number(value, where)
    if number != int(number):
        msg = f"{where} is {number}, expected a whole number"
        raise SheetError(msg)
    return int(number)


def plain(number: float) -> float:
    """A number as it looks best in a file: whole ones without a point."""
    return int(number) if number == int(number) else number


def write_box(entry: Entry) -> dict[str, Any]:
    """Where a frame lies and what was trimmed away, as TexturePacker and all who follow it say it."""
    place = entry.place
    return {
        "frame": {"x": place.x, "y": place.y, "w": place.width, "h": place.height},
        "rotated": False,
        "trimmed": (place.width, place.height) != (entry.width, entry.height),
        "spriteSourceSize": {"x": place.left, "y": place.top, "w": place.width, "h": place.height},
        "sourceSize": {"w": entry.width, "h": entry.height},
    }


def write_pivot(entry: Entry) -> dict[str, float]:
    """The pivot as a share of the whole frame's width and height."""
    assert entry.pivot is not None
    return {"x": plain(entry.pivot[0] / entry.width), "y": plain(entry.pivot[1] / entry.height)}


def read_box(name: str, frame: Object, tag: str = "") -> Entry:
    """The inverse of `write_box`, with `duration` and `pivot` (or Phaser's `anchor`) where they stand beside it.

    Raises:
        SheetError: missing or impossible parts; a frame that lies turned on the picture.
    """
    where = f"frame {name[:80]!r}"
    box = [
        get_whole(get_object(frame.get("frame"), f"{where}: frame").get(side), f"{where}: {side}") for side in "xywh"
    ]
    if frame.get("rotated"):
        msg = f"{where} lies turned on the picture, which is not read; pack it without rotation"
        raise SheetError(msg)
    left, top, width, height = 0, 0, box[2], box[3]
    if "sourceSize" in frame:
        whole = get_object(frame["sourceSize"], f"{where}: sourceSize")
        width, height = (get_whole(whole.get(side), f"{where}: sourceSize {side}") for side in "wh")
    if "spriteSourceSize" in frame:
        part = get_object(frame["spriteSourceSize"], f"{where}: spriteSourceSize")
        inner = [get_whole(part.get(side), f"{where}: spriteSourceSize {side}") for side in "xywh"]
        left, top = inner[:2]
        if inner[2:] != box[2:]:
            msg = (
                f"{where} has {box[2]}x{box[3]} pixels on the picture and {inner[2]}x{inner[3]} in its sprite; export "
                "it without scale and inner padding"
            )
            raise SheetError(msg)
    pivot = None
    if "pivot" in frame or "anchor" in frame:
        point = get_object(frame.get("anchor", frame.get("pivot")), f"{where}: pivot")
        x, y = (get_number(point.get(side), f"{where}: pivot {side}") for side in "xy")
        pivot = (round(x * width, 9), round(y * height, 9))
    return Entry(
        name=name,
        place=Place(x=box[0], y=box[1], width=box[2], height=box[3], left=left, top=top),
        width=width,
        height=height,
        duration=get_whole(frame.get("duration", DURATION), f"{where}: duration"),
        pivot=pivot,
        tag=tag,
    )


def read_frames(frames: object) -> list[tuple[str, Object]]:
    """Names and frames, of a hash or of an array whose entries have a `filename`.

    Raises:
        SheetError: neither, or too many.
    """
    if isinstance(frames, dict):
        if len(frames) > MAX_FRAMES:
            msg = f"the metadata names {len(frames)} frames, over the limit of {MAX_FRAMES}"
            raise SheetError(msg)
        return [(name, get_object(frame, f"frame {name[:80]!r}")) for name, frame in frames.items()]
    found: list[tuple[str, Object]] = []
    for index, value in enumerate(get_list(frames, "frames")):
        frame = get_object(value, f"frame {index}")
        found.append((get_text(frame.get("filename"), f"frame {index}: filename"), frame))
    return found


def read_size(meta: Object) -> tuple[int, int] | None:
    """The picture's width and height, where they are said.

    Raises:
        SheetError: they are no whole numbers.
    """
    if "size" not in meta:
        return None
    size = get_object(meta["size"], "size")
    return get_whole(size.get("w"), "size w"), get_whole(size.get("h"), "size h")


def dump(value: object) -> str:
    """One line of JSON; every character but the quoted ones as it is."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def dump_lines(values: Sequence[str], indent: str) -> str:
    """Things one a line, with commas."""
    return ",\n".join(indent + value for value in values)


def group_by_tag(entries: Sequence[Entry]) -> dict[str, list[int]]:
    """Indices of the frames of every animation, in order of their first frames; without those of no animation."""
    groups: dict[str, list[int]] = {}
    for index, entry in enumerate(entries):
        if entry.tag:
            groups.setdefault(entry.tag, []).append(index)
    return groups
