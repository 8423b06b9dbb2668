"""Aseprite's JSON (hash and array): durations, `frameTags`, and pivots as a slice."""

from __future__ import annotations

import dataclasses
from typing import Any

from ...errors import SheetError
from ..core import MAX_FRAMES
from .model import APP, Entry, Metadata, check_unique
from .texts import (
    Object,
    dump,
    dump_lines,
    get_list,
    get_number,
    get_object,
    get_text,
    get_whole,
    plain,
    read_box,
    read_frames,
    read_size,
    write_box,
)

_PIVOT = "pivot"


def write_hash(entries: tuple[Entry, ...], image: str, size: tuple[int, int]) -> str:
    """JSON with frames by name.

    Raises:
        SheetError: a name comes twice.
    """
    check_unique(entries, "a JSON hash")
    lines = [f"{dump(entry.name)}: {dump(_frame(entry))}" for entry in entries]
    return f'{{"frames": {{\n{dump_lines(lines, " ")}\n}},\n"meta": {_meta(entries, image, size)}\n}}\n'


def write_array(entries: tuple[Entry, ...], image: str, size: tuple[int, int]) -> str:
    """JSON with frames in a list; names may come twice."""
    lines = [dump({"filename": entry.name, **_frame(entry)}) for entry in entries]
    return f'{{"frames": [\n{dump_lines(lines, " ")}\n],\n"meta": {_meta(entries, image, size)}\n}}\n'


def read(root: Object) -> Metadata:
    """Both kinds. A tag's direction is not kept; where tags overlap, a frame takes the shortest.

    Raises:
        SheetError: malformed, or numbers that describe no sheet.
    """
    meta = get_object(root.get("meta", {}), "meta")
    entries = [read_box(name, frame) for name, frame in read_frames(root.get("frames"))]
    tags = _read_tags(meta, len(entries))
    pivots = _read_pivots(meta, len(entries))
    return Metadata(
        kind="aseprite-array" if isinstance(root.get("frames"), list) else "aseprite",
        entries=tuple(
            dataclasses.replace(entry, tag=tag, pivot=entry.pivot if pivot is None else pivot)
            for entry, tag, pivot in zip(entries, tags, pivots, strict=True)
        ),
        image=get_text(meta.get("image", ""), "image"),
        size=read_size(meta),
    )


def _frame(entry: Entry) -> dict[str, Any]:
    return {**write_box(entry), "duration": entry.duration}


def _meta(entries: tuple[Entry, ...], image: str, size: tuple[int, int]) -> str:
    meta = {
        "app": APP,
        "version": "1.0",
        "image": image,
        "format": "RGBA8888",
        "size": {"w": size[0], "h": size[1]},
        "scale": "1",
        "frameTags": _tags(entries),
        "layers": [],
        "slices": _slices(entries),
    }
    return dump(meta)


def _tags(entries: tuple[Entry, ...]) -> list[dict[str, Any]]:
    """One for every run of frames with one tag."""
    tags: list[dict[str, Any]] = []
    for index, entry in enumerate(entries):
        if tags and tags[-1]["to"] == index - 1 and tags[-1]["name"] == entry.tag:
            tags[-1]["to"] = index
        elif entry.tag:
            tags.append({"name": entry.tag, "from": index, "to": index, "direction": "forward"})
    return tags


def _slices(entries: tuple[Entry, ...]) -> list[dict[str, Any]]:
    """A slice as large as the frame, with a key wherever size or pivot change."""
    if all(entry.pivot is None for entry in entries):
        return []
    keys: list[dict[str, Any]] = []
    for index, entry in enumerate(entries):
        key: dict[str, Any] = {"bounds": {"x": 0, "y": 0, "w": entry.width, "h": entry.height}}
        if entry.pivot is not None:
            key["pivot"] = {"x": plain(entry.pivot[0]), "y": plain(entry.pivot[1])}
        if not keys or {**key, "frame": 0} != {**keys[-1], "frame": 0}:
            keys.append({"frame": index, **key})
    return [{"name": _PIVOT, "color": "#0000ffff", "keys": keys}]


def _read_tags(meta: Object, count: int) -> list[str]:
    tags = [""] * count
    spans: list[tuple[int, int, str]] = []
    for index, value in enumerate(get_list(meta.get("frameTags", []), "frameTags")):
        tag = get_object(value, f"tag {index}")
        name = get_text(tag.get("name"), f"tag {index}: name")
        first, last = (get_whole(tag.get(end), f"tag {index}: {end}") for end in ("from", "to"))
        if not 0 <= first <= last < count:
            msg = f"the tag {name[:80]!r} goes from frame {first} to {last}, expected frames from 0 to {count - 1}"
            raise SheetError(msg)
        spans.append((first, last, name))
    spans.reverse()  # of two that are as long the first is to win, so it comes last
    for first, last, name in sorted(spans, key=lambda span: span[0] - span[1]):
        tags[first : last + 1] = [name] * (last + 1 - first)
    return tags


def _read_pivots(meta: Object, count: int) -> list[tuple[float, float] | None]:
    """From the first slice that has a pivot; a key holds until the slice's next one."""
    pivots: list[tuple[float, float] | None] = [None] * count
    for value in get_list(meta.get("slices", []), "slices"):
        keys = [get_object(key, "slice: key") for key in get_list(get_object(value, "slice").get("keys", []), "keys")]
        if not any("pivot" in key for key in keys):
            continue
        starts = [get_whole(key.get("frame"), "slice: frame") for key in keys]
        ordered = sorted(zip(starts, range(len(keys)), strict=True))
        for (start, index), (stop, _) in zip(ordered, [*ordered[1:], (MAX_FRAMES, 0)], strict=True):
            if not 0 <= start < count:
                msg = f"a slice has a key at frame {start}, expected 0 to {count - 1}"
                raise SheetError(msg)
            stop = min(stop, count)
            pivots[start:stop] = [_point(keys[index])] * (stop - start)
        return pivots
    return pivots


def _point(key: Object) -> tuple[float, float] | None:
    if "pivot" not in key:
        return None
    bounds, pivot = get_object(key.get("bounds"), "slice: bounds"), get_object(key["pivot"], "slice: pivot")
    x, y = (
        get_number(bounds.get(axis), "slice: bounds") + get_number(pivot.get(axis), "slice: pivot") for axis in "xy"
    )
    return float(x), float(y)
