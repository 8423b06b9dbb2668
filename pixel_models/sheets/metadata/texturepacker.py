"""TexturePacker's JSON (hash): pivots as shares, animations as PixiJS reads them, durations as one more key."""

from __future__ import annotations

from typing import Any

from ...errors import SheetError
from .model import APP, Entry, Metadata, check_unique
from .texts import (
    Object,
    dump,
    dump_lines,
    get_list,
    get_object,
    get_text,
    group_by_tag,
    read_box,
    read_frames,
    read_size,
    write_box,
    write_pivot,
)


def write(entries: tuple[Entry, ...], image: str, size: tuple[int, int]) -> str:
    """JSON with frames by name. TexturePacker itself knows no durations: loaders pass over that key.

    Raises:
        SheetError: a name comes twice.
    """
    check_unique(entries, "a JSON hash")
    lines = [f"{dump(entry.name)}: {dump(_frame(entry))}" for entry in entries]
    animations = {tag: [entries[index].name for index in group] for tag, group in group_by_tag(entries).items()}
    meta = {
        "app": APP,
        "version": "1.0",
        "image": image,
        "format": "RGBA8888",
        "size": {"w": size[0], "h": size[1]},
        "scale": "1",
    }
    return (
        f'{{"frames": {{\n{dump_lines(lines, " ")}\n}},\n"animations": {dump(animations)},\n"meta": {dump(meta)}\n}}\n'
    )


def read(root: Object) -> Metadata:
    """A hash or an array. A frame of several animations takes the first.

    Raises:
        SheetError: malformed, or numbers that describe no sheet.
    """
    meta = get_object(root.get("meta", {}), "meta")
    frames = read_frames(root.get("frames"))
    known = {name for name, _ in frames}
    tags: dict[str, str] = {}
    for tag, names in get_object(root.get("animations", {}), "animations").items():
        for name in get_list(names, f"animation {tag[:80]!r}"):
            if get_text(name, f"animation {tag[:80]!r}: a frame") not in known:
                msg = f"the animation {tag[:80]!r} has the frame {name[:80]!r}, which is not on the sheet"
                raise SheetError(msg)
            tags.setdefault(name, tag)
    return Metadata(
        kind="texturepacker",
        entries=tuple(read_box(name, frame, tags.get(name, "")) for name, frame in frames),
        image=get_text(meta.get("image", ""), "image"),
        size=read_size(meta),
    )


def _frame(entry: Entry) -> dict[str, Any]:
    pivot = {} if entry.pivot is None else {"pivot": write_pivot(entry)}
    return {**write_box(entry), **pivot, "duration": entry.duration}
