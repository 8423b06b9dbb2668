"""Godot 4's `SpriteFrames` resource: an `AtlasTexture` a frame, an animation a tag."""

from __future__ import annotations

from collections import Counter

from ...errors import SheetError
from ..core import MAX_FRAMES, Place
from .model import Entry, Metadata
from .texts import group_by_tag, plain
from .tscn import Call, Section, Value, parse_resource, quote

_DEFAULT = "default"
"""The animation that every `SpriteFrames` has; frames without a tag go there."""


def write(entries: tuple[Entry, ...], image: str, size: tuple[int, int]) -> str:
    """A `.tres` that looks for the picture beside it. Names and pivots are `resource_name` and `metadata/pivot`.

    An animation's speed is that of its commonest duration; every frame's duration is relative to it.
    """
    del size  # Godot asks the picture
    lines = [
        f'[gd_resource type="SpriteFrames" load_steps={len(entries) + 2} format=3]\n',
        f'[ext_resource type="Texture2D" path={quote(image)} id="1_sheet"]\n',
    ]
    for index, entry in enumerate(entries):
        place = entry.place
        lines += [
            f'[sub_resource type="AtlasTexture" id="{_id(index)}"]',
            f"resource_name = {quote(entry.name)}",
            'atlas = ExtResource("1_sheet")',
            f"region = Rect2({place.x}, {place.y}, {place.width}, {place.height})",
        ]
        if (place.width, place.height) != (entry.width, entry.height):
            more = (entry.width - place.width, entry.height - place.height)
            lines.append(f"margin = Rect2({place.left}, {place.top}, {more[0]}, {more[1]})")
        if entry.pivot is not None:
            lines.append(f"metadata/pivot = Vector2({plain(entry.pivot[0])}, {plain(entry.pivot[1])})")
        lines.append("")
    groups = group_by_tag(entries)
    loose = [index for index, entry in enumerate(entries) if not entry.tag]
    if loose:
        groups[_DEFAULT] = sorted([*groups.get(_DEFAULT, []), *loose])
    animations = ", ".join(_animation(name, group, entries) for name, group in groups.items())
    return "\n".join([*lines, "[resource]", f"animations = [{animations}]", ""])


def read(text: str) -> Metadata:
    """Regions and margins must be whole pixels of one picture. Frames keep the order of their textures.

    Raises:
        SheetError: damaged, another resource, several pictures, or numbers that describe no sheet.
    """
    sections = parse_resource(text)
    head = sections[0] if sections else None
    if head is None or head.name != "gd_resource" or head.attributes.get("type") != "SpriteFrames":
        msg = 'this is no SpriteFrames resource, expected [gd_resource type="SpriteFrames" …] at its start'
        raise SheetError(msg)
    images = {_key(one.attributes.get("id")): one for one in sections if one.name == "ext_resource"}
    textures = {_key(one.attributes.get("id")): one for one in sections if one.name == "sub_resource"}
    shown = [step for one in sections if one.name == "resource" for step in _steps(one.properties.get("animations"))]
    uses = Counter(key for key, _, _ in shown)
    if all(count == 1 for count in uses.values()):
        order = {key: index for index, key in enumerate(textures)}
        shown.sort(key=lambda step: order.get(step[0], -1))
    used: set[str] = set()
    entries: list[Entry] = []
    counts: Counter[str] = Counter()
    for key, tag, duration in shown:
        if key not in textures:
            msg = f"the animation {tag[:80]!r} has the texture {key[:80]!r}, which is no AtlasTexture of this resource"
            raise SheetError(msg)
        used.add(_reference(textures[key].properties.get("atlas"), "ExtResource"))
        entries.append(_entry(textures[key], tag, duration, f"{tag}_{counts[tag]}"))
        counts[tag] += 1
    if len(used) > 1:
        msg = f"the frames lie on {len(used)} pictures, expected one"
        raise SheetError(msg)
    paths = [images[key].attributes.get("path") for key in used if key in images]
    return Metadata(kind="godot", entries=tuple(entries), image=_image(paths[0]) if paths else "")


def _id(index: int) -> str:
    return f"AtlasTexture_{index}"


def _animation(name: str, group: list[int], entries: tuple[Entry, ...]) -> str:
    base = Counter(entries[index].duration for index in group).most_common(1)[0][0]
    frames = ", ".join(
        f'{{\n"duration": {float(entries[index].duration / base)!r},\n"texture": SubResource("{_id(index)}")\n}}'
        for index in group
    )
    return f'{{\n"frames": [{frames}],\n"loop": true,\n"name": &{quote(name)},\n"speed": {1000 / base!r}\n}}'


def _key(value: Value | None) -> str:
    """An id: a text in Godot 4, a number in Godot 3."""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, str):
        return value
    msg = "the Godot resource has a part without an id"
    raise SheetError(msg)


def _reference(value: Value | None, kind: str) -> str:
    if not isinstance(value, Call) or value.name != kind or len(value.arguments) != 1:
        msg = f"the Godot resource has a frame without {kind}; only frames on one picture (AtlasTexture) are read"
        raise SheetError(msg)
    return _key(value.arguments[0])


def _steps(animations: Value | None) -> list[tuple[str, str, int]]:
    """Texture, animation and milliseconds of every frame of every animation."""
    steps: list[tuple[str, str, int]] = []
    for animation in _list(animations, "animations"):
        if not isinstance(animation, dict):
            msg = "the Godot resource has an animation that is no dictionary"
            raise SheetError(msg)
        tag = animation.get("name")
        speed = animation.get("speed", 5.0)
        if not isinstance(tag, str) or not isinstance(speed, float) or not 1e-7 <= speed <= 1e6:
            msg = f"the Godot resource has an animation {str(tag)[:80]!r} with speed {str(speed)[:40]}"
            raise SheetError(msg)
        for frame in _list(animation.get("frames"), "frames"):
            texture, duration = (
                (frame, 1.0) if not isinstance(frame, dict) else (frame.get("texture"), frame.get("duration", 1.0))
            )
            if not isinstance(duration, float) or not 0 < duration <= 1e9:
                msg = f"the animation {tag[:80]!r} has a frame with the duration {str(duration)[:40]}"
                raise SheetError(msg)
            steps.append((_reference(texture, "SubResource"), tag, max(1, round(1000 * duration / speed))))
            if len(steps) > MAX_FRAMES:
                msg = f"the Godot resource has over {MAX_FRAMES} frames"
                raise SheetError(msg)
    return steps


def _list(value: Value | None, where: str) -> list[Value]:
    if not isinstance(value, list):
        msg = f"the Godot resource has no list of {where}"
        raise SheetError(msg)
    return value


def _numbers(value: Value | None, name: str, count: int) -> list[float]:
    if isinstance(value, Call) and value.name in (name, f"{name}i") and len(value.arguments) == count:
        numbers = [argument for argument in value.arguments if isinstance(argument, float)]
        if len(numbers) == count and all(abs(number) < 2**31 for number in numbers):
            return numbers
    msg = f"the Godot resource has a frame whose {name} is not made of {count} numbers"
    raise SheetError(msg)


def _wholes(value: Value | None) -> list[int]:
    numbers = _numbers(value, "Rect2", 4)
    if any(number != int(number) for number in numbers):
        msg = f"the Godot resource has a frame at {numbers}, expected whole pixels"
        raise SheetError(msg)
    return [int(number) for number in numbers]


def _entry(texture: Section, tag: str, duration: int, fallback: str) -> Entry:
    properties = texture.properties
    name = properties.get("resource_name")
    x, y, width, height = _wholes(properties.get("region"))
    left, top, more_width, more_height = _wholes(properties["margin"]) if "margin" in properties else (0, 0, 0, 0)
    pivot = _numbers(properties["metadata/pivot"], "Vector2", 2) if "metadata/pivot" in properties else None
    return Entry(
        name=name if isinstance(name, str) and name else fallback,
        place=Place(x=x, y=y, width=width, height=height, left=left, top=top),
        width=width + more_width,
        height=height + more_height,
        duration=duration,
        pivot=None if pivot is None else (pivot[0], pivot[1]),
        tag="" if tag == _DEFAULT else tag,
    )


def _image(path: Value | None) -> str:
    """The file's own name: in a project the picture stands under `res://`, in whatever folder."""
    if not isinstance(path, str):
        msg = "the Godot resource has a picture without a path"
        raise SheetError(msg)
    inside = path.removeprefix("res://")
    parts = inside.split("/")
    if ".." in parts or (inside == path and len(parts) > 1):
        msg = f"the picture is {path[:200]!r}, expected a path under res:// or a plain file name"
        raise SheetError(msg)
    return parts[-1]
