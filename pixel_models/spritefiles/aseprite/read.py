"""Reads an Aseprite file: its header, its chunks, and then its frames as pictures."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from numpy.typing import NDArray

from ...errors import ImageError
from ...image import from_uint8
from ...palette.files.aseprite import (
    CEL,
    LAYER,
    OLD_PALETTE,
    OLDEST_PALETTE,
    PALETTE,
    SPRITE,
    is_sprite,
    read_frame,
    read_packets,
)
from ...palette.files.raw import Reader
from ...sheets.core import DURATION, Frame, SpriteSheet
from ..limits import check_extent
from .notes import read_string, read_user_data
from .parts import (
    COMPRESSED,
    COMPRESSED_TILES,
    FRAMES_PROPERTY,
    HAS_OPACITY,
    LINK,
    RAW,
    TAGS,
    TILEMAP,
    TILESET,
    USER_DATA,
    Cel,
    Layer,
    Pixels,
    Sprite,
    Tag,
    Tileset,
)
from .render import Renderer

_MOST_CHUNKS = 2**18
_MOST_TAGS = 2**12
_MOST_ENTRIES = 2**19
_TILES_INSIDE = 2
_ENTRIES = 256


def read_aseprite(data: bytes, name: str) -> SpriteSheet:
    """Read what shows of every frame: visible layers laid over one another with their opacities and blend modes.

    Indexed, grey and RGBA sprites, groups, linked cels, cels that are moved or reach out of the picture, and layers of
    tiles are read; reference layers are not shown, as in Aseprite. Of tags that overlap, a frame bears the shortest.
    The direction in which a tag plays is not kept: the frames come as they lie in the file.

    Args:
        data: the file.
        name: for the frames' names, where the file has none.

    Raises:
        ImageError, PaletteError: no sprite, damaged, or too large.
    """
    sprite = parse(data, pictures=True)
    count = len(sprite.durations)
    names = sprite.properties.get(FRAMES_PROPERTY)
    if not isinstance(names, list) or len(names) != count or not all(names):
        names = [name] if count == 1 else [f"{name}_{index:0{len(str(count - 1))}}" for index in range(count)]
    tags = [""] * count
    for tag in sorted(sprite.tags, key=lambda one: one.first - one.last):
        tags[tag.first : tag.last + 1] = [tag.name] * len(tags[tag.first : tag.last + 1])
    renderer = Renderer(sprite)
    frames: list[Frame] = []
    for index in range(count):
        rgba = from_uint8(torch.from_numpy(renderer.frame(index)).permute(2, 0, 1).contiguous())
        frames.append(Frame(rgba=rgba, name=names[index], duration=sprite.durations[index], tag=tags[index]))
    return SpriteSheet(frames=tuple(frames))


def read_aseprite_text(data: bytes) -> dict[str, str]:
    """The sprite's note, as "text", and its properties that are texts.

    Raises:
        ImageError, PaletteError: no sprite, or damaged.
    """
    sprite = parse(data, pictures=False)
    found = {"text": sprite.text} if sprite.text else {}
    properties = {key: value for key, value in sprite.properties.items() if key != FRAMES_PROPERTY}
    return found | {key: value if isinstance(value, str) else "".join(value) for key, value in properties.items()}


def parse(data: bytes, *, pictures: bool) -> Sprite:
    """Take a file apart; pixels stay compressed.

    Args:
        data: the file.
        pictures: all frames; otherwise only what the first says beside its pictures.

    Raises:
        ImageError, PaletteError: no sprite, damaged, or too large.
    """
    if not is_sprite(data):
        msg = f"is no Aseprite file; expected the mark {SPRITE:#x} at byte 4, got {data[4:6]!r}"
        raise ImageError(msg)
    reader = Reader(data, "<")
    _, _, frames, width, height, depth, flags, speed, _, _, transparent = reader.fields("IHHHHHIHIIB")
    reader.take(128 - reader.place)
    if depth not in (8, 16, 32):
        msg = f"byte 12: {depth} bits a pixel; expected 8, 16 or 32"
        raise ImageError(msg)
    if pictures:
        check_extent(frames, width, height)
    sprite = Sprite(width=width, height=height, depth=depth, flags=flags, transparent=transparent, speed=speed)
    palette = np.zeros((_ENTRIES, 4), np.uint8)
    parser = _Parser(sprite, palette, pictures=pictures)
    for _ in range(frames if pictures else min(1, frames)):
        parser.frame(reader)
    return sprite


class _Parser:
    """Reads chunks into a sprite; what a chunk of user data belongs to depends on the chunk before."""

    def __init__(self, sprite: Sprite, palette: NDArray[np.uint8], *, pictures: bool) -> None:
        self.sprite = sprite
        self.palette = palette
        self.new_palette = False
        self.pictures = pictures
        self.before_objects = True
        self.chunks = 0
        self.entries = 0

    def frame(self, reader: Reader) -> None:
        """Read the next frame."""
        duration, chunks = read_frame(reader)
        self.sprite.durations.append(duration or self.sprite.speed or DURATION)
        self.sprite.cels.append({})
        for kind, chunk in chunks:
            self.chunks += 1
            if self.chunks > _MOST_CHUNKS:
                msg = f"byte {chunk.place}: more than {_MOST_CHUNKS} chunks; the file may be damaged"
                raise ImageError(msg)
            self._chunk(kind, chunk)
        self.sprite.palettes.append(self.palette)

    def _chunk(self, kind: int, chunk: Reader) -> None:
        sprite = self.sprite
        if kind == USER_DATA:
            if self.before_objects:  # what no layer, tag or cel stands before is the sprite's own
                sprite.text, sprite.properties = read_user_data(chunk)
                self.before_objects = False
        elif kind in (LAYER, TAGS, CEL, TILESET):
            self.before_objects = False
        if kind == PALETTE:
            self._set_palette(chunk)
        elif kind in (OLD_PALETTE, OLDEST_PALETTE) and not self.new_palette:
            colors = read_packets(chunk, kind)
            self.palette = self.palette.copy()
            self.palette[: len(colors)] = [(*color, 255) for color in colors[:_ENTRIES]]
        elif not self.pictures:
            return
        elif kind == LAYER:
            sprite.layers.append(_read_layer(chunk, sprite.flags))
        elif kind == CEL:
            self._add_cel(chunk)
        elif kind == TAGS:
            sprite.tags += _read_tags(chunk)
            if len(sprite.tags) > _MOST_TAGS:
                msg = f"byte {chunk.place}: {len(sprite.tags)} tags; expected at most {_MOST_TAGS}"
                raise ImageError(msg)
        elif kind == TILESET:
            number, tileset = _read_tileset(chunk)
            if tileset is not None:
                sprite.tilesets[number] = tileset

    def _set_palette(self, chunk: Reader) -> None:
        """Change the entries from one to another; those that pixels cannot reach are left out."""
        place = chunk.place
        total, first, last = chunk.fields("III")
        chunk.take(8)
        if not first <= last < total or 6 * (last - first + 1) > chunk.left:
            msg = f"byte {place}: a palette sets entries {first} to {last} of {total}, with {chunk.left} bytes to read"
            raise ImageError(msg)
        self.palette = self.palette.copy()
        self.new_palette = True
        self.entries += max(0, min(last + 1, _ENTRIES) - first)
        if self.entries > _MOST_ENTRIES:
            msg = f"byte {place}: its palettes change more than {_MOST_ENTRIES} entries"
            raise ImageError(msg)
        for index in range(first, min(last + 1, _ENTRIES)):
            named, red, green, blue, alpha = chunk.fields("HBBBB")
            if named & 1:
                read_string(chunk)
            self.palette[index] = red, green, blue, alpha

    def _add_cel(self, chunk: Reader) -> None:
        sprite, place = self.sprite, chunk.place
        layer, x, y, opacity, kind, order = chunk.fields("HhhBHh")
        chunk.take(5)
        if layer >= len(sprite.layers):
            msg = f"byte {place}: a cel of layer {layer}; there are {len(sprite.layers)}"
            raise ImageError(msg)
        if kind == LINK:
            other = chunk.number("H")
            # frames are read in order, so a link can only lead back, and never in a circle
            target = sprite.cels[other].get(layer) if other < len(sprite.cels) else None
            if target is None:
                msg = f"byte {place}: a cel is linked to frame {other}, where layer {layer} has none so far"
                raise ImageError(msg)
            sprite.cels[-1][layer] = dataclasses.replace(target, x=x, y=y, opacity=opacity, order=order)
            return
        if kind not in (RAW, COMPRESSED, COMPRESSED_TILES):
            msg = f"byte {place}: a cel of kind {kind}; expected 0 to {COMPRESSED_TILES}"
            raise ImageError(msg)
        pixels = _read_pixels(chunk, kind)
        if pixels.width and pixels.height:
            sprite.cels[-1][layer] = Cel(x=x, y=y, opacity=opacity, order=order, pixels=pixels)


def _read_pixels(chunk: Reader, kind: int) -> Pixels:
    width, height = chunk.fields("HH")
    masks = (0, 0, 0, 0)
    if kind == COMPRESSED_TILES:
        place = chunk.place
        bits, *masks = chunk.fields("HIIII")
        chunk.take(10)
        if bits != 32:
            msg = f"byte {place}: {bits} bits a tile; expected 32"
            raise ImageError(msg)
    return Pixels(kind, width, height, chunk.take(chunk.left), (masks[0], masks[1], masks[2], masks[3]))


def _read_layer(chunk: Reader, file_flags: int) -> Layer:
    flags, kind, level, _, _, blend, opacity = chunk.fields("HHHHHHB")
    chunk.take(3)
    read_string(chunk)
    if kind > TILEMAP:
        msg = f"byte {chunk.place}: a layer of kind {kind}; expected 0 to {TILEMAP}"
        raise ImageError(msg)
    return Layer(
        flags=flags,
        kind=kind,
        level=level,
        blend=blend,
        opacity=opacity if file_flags & HAS_OPACITY else 255,
        tileset=chunk.number("I") if kind == TILEMAP else None,
    )


def _read_tags(chunk: Reader) -> list[Tag]:
    count = chunk.number("H")
    chunk.take(8)
    tags: list[Tag] = []
    for _ in range(count):
        first, last = chunk.fields("HH")
        chunk.take(13)
        tags.append(Tag(first=first, last=last, name=read_string(chunk)))
    return tags


def _read_tileset(chunk: Reader) -> tuple[int, Tileset | None]:
    """A set of tiles; None where it lies in another file."""
    place = chunk.place
    number, flags, count, width, height = chunk.fields("IIIHH")
    chunk.take(16)
    read_string(chunk)
    if flags & 1:
        chunk.take(8)
    if not flags & _TILES_INSIDE:
        return number, None
    if not count or not width or not height or height * count > _MOST_CHUNKS * 16:
        msg = f"byte {place}: a set of {count} tiles of {width}x{height} pixels"
        raise ImageError(msg)
    data = chunk.take(chunk.number("I"))
    return number, Tileset(count=count, pixels=Pixels(COMPRESSED, width, height * count, data))
