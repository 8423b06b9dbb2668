"""Writes Aseprite files: one layer or several, indexed where one palette holds them all, with tags, times and notes."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from itertools import groupby

import numpy as np

from ...palette.files.aseprite import CEL, FRAME, LAYER, PALETTE, SPRITE, write_chunk
from ..boxes import box_of
from ..film import Film, refuse_over
from .notes import string, write_user_data
from .parts import COLOR_PROFILE, COMPRESSED, EDITABLE, FRAMES_PROPERTY, HAS_OPACITY, TAGS, USER_DATA, VISIBLE

_LONGEST = 65535
_SRGB = 1
_FORWARD, _FOR_EVER = 0, 0


def write_aseprite(layers: Mapping[str, Film], text: Mapping[str, str]) -> bytes:
    """An Aseprite file; what is written, `read_aseprite` reads back.

    Args:
        layers: by name, from the back; all with as many frames of one size, and all with the same colours, or all
            without. Entry 0 of their palette is the transparent one. Times, names and tags are the first one's.
        text: notes, kept as properties of the sprite.

    Raises:
        ImageError: over 65535 pixels along a side or 65535 ms a frame.
    """
    films = list(layers.values())
    first = films[0]
    refuse_over(first, 65535, _LONGEST, "Aseprite's format")
    chunks = [write_chunk(COLOR_PROFILE, struct.pack("<HHI8x", _SRGB, 0, 0))]
    if first.colors is not None:
        alpha = [0, *[255] * (len(first.colors) - 1)]
        entries = [struct.pack("<HBBBB", 0, *color, a) for color, a in zip(first.colors.tolist(), alpha, strict=True)]
        head = struct.pack("<III8x", len(entries), 0, len(entries) - 1)
        chunks.append(write_chunk(PALETTE, head + b"".join(entries)))
    properties: dict[str, str | list[str]] = {FRAMES_PROPERTY: first.names}
    chunks.append(write_chunk(USER_DATA, write_user_data(properties | dict(text))))
    for name in layers:
        fields = struct.pack("<HHHHHHB3x", VISIBLE | EDITABLE, 0, 0, 0, 0, 0, 255)
        chunks.append(write_chunk(LAYER, fields + string(name)))
    if any(first.tags):
        chunks.append(write_chunk(TAGS, _tags(first.tags)))
    frames: list[bytes] = []
    for index, duration in enumerate(first.durations):
        chunks += [cel for layer, film in enumerate(films) if (cel := _cel(film, layer, index))]
        body = b"".join(chunks)
        count = len(chunks)
        frames.append(struct.pack("<IHHH2xI", 16 + len(body), FRAME, min(count, 0xFFFF), duration, count) + body)
        chunks = []
    return _header(first, sum(map(len, frames))) + b"".join(frames)


def _header(film: Film, size: int) -> bytes:
    """File size, mark, frames, sides, bits a pixel, flags, speed; the transparent index; colours; square pixels."""
    depth = 32 if film.colors is None else 8
    colors = 0 if film.colors is None else len(film.colors)
    sides = (128 + size, SPRITE, len(film.frames), *film.size, depth, HAS_OPACITY, film.durations[0])
    return struct.pack("<IHHHHHIHIIB3xHBBhhHH84x", *sides, 0, 0, 0, colors, 1, 1, 0, 0, 0, 0)


def _tags(tags: Sequence[str]) -> bytes:
    """Every run of frames that bear the same tag."""
    entries: list[bytes] = []
    place = 0
    for name, run in groupby(tags):
        count = len(list(run))
        if name:
            fields = struct.pack("<HHBH6x3sx", place, place + count - 1, _FORWARD, _FOR_EVER, b"\0\0\0")
            entries.append(fields + string(name))
        place += count
    return struct.pack("<H8x", len(entries)) + b"".join(entries)


def _cel(film: Film, layer: int, index: int) -> bytes:
    """A frame's pixels as far as it has any; nothing where it is empty."""
    frame = film.frames[index]
    box = box_of(frame != 0 if frame.ndim == 2 else frame[..., 3] > 0)
    if box is None:
        return b""
    data = zlib.compress(np.ascontiguousarray(frame[box.part]).tobytes(), 9)
    head = struct.pack("<HhhBHh5xHH", layer, box.left, box.top, 255, COMPRESSED, 0, box.width, box.height)
    return write_chunk(CEL, head + data)
