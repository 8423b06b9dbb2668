"""Phaser 3's multi-atlas: `load.multiatlas` takes the textures, `anims.fromJSON` the animations beside them."""

from __future__ import annotations

from pathlib import PurePath
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
    """One JSON for both loaders. The animations look for the atlas under the picture's name without its ending.

    A frame's `duration` inside an animation is its whole time in ms, as Phaser has it since 3.60.

    Raises:
        SheetError: a name comes twice.
    """
    check_unique(entries, "Phaser's atlas")
    lines = [dump(_frame(entry)) for entry in entries]
    texture = {"image": image, "format": "RGBA8888", "size": {"w": size[0], "h": size[1]}, "scale": 1}
    key = PurePath(image).stem
    anims = [
        dump({"key": tag, "type": "frame", "repeat": -1, "frames": [_step(entries[index], key) for index in group]})
        for tag, group in group_by_tag(entries).items()
    ]
    return (
        f'{{"textures": [\n{dump(texture)[:-1]}, "frames": [\n{dump_lines(lines, " ")}\n]}}\n],\n'
        f'"anims": [\n{dump_lines(anims, " ")}\n],\n"meta": {dump({"app": APP, "version": "1.0"})}\n}}\n'
    )


def read(root: Object) -> Metadata:
    """An atlas of one texture. A frame of several animations takes the first.

    Raises:
        SheetError: malformed, several textures, or numbers that describe no sheet.
    """
    textures = get_list(root.get("textures"), "textures")
    if len(textures) != 1:
        msg = f"the atlas has {len(textures)} textures, expected 1; pack its frames onto one picture"
        raise SheetError(msg)
    texture = get_object(textures[0], "texture")
    frames = read_frames(texture.get("frames"))
    known = {name for name, _ in frames}
    tags: dict[str, str] = {}
    for index, value in enumerate(get_list(root.get("anims", []), "anims")):
        animation = get_object(value, f"animation {index}")
        tag = get_text(animation.get("key"), f"animation {index}: key")
        for step in get_list(animation.get("frames", []), f"animation {tag[:80]!r}: frames"):
            name = get_text(
                get_object(step, f"animation {tag[:80]!r}: frame").get("frame"), f"animation {tag[:80]!r}: name"
            )
            if name not in known:
                msg = f"the animation {tag[:80]!r} has the frame {name[:80]!r}, which is not on the sheet"
                raise SheetError(msg)
            tags.setdefault(name, tag)
    return Metadata(
        kind="phaser",
        entries=tuple(read_box(name, frame, tags.get(name, "")) for name, frame in frames),
        image=get_text(texture.get("image", ""), "image"),
        size=read_size(texture),
    )


def _frame(entry: Entry) -> dict[str, Any]:
    anchor = {} if entry.pivot is None else {"anchor": write_pivot(entry)}
    return {"filename": entry.name, **write_box(entry), **anchor, "duration": entry.duration}


def _step(entry: Entry, key: str) -> dict[str, Any]:
    return {"key": key, "frame": entry.name, "duration": entry.duration}
