"""Lossless WebP animations with exact frame times: Pillow makes each frame's pixels, the container is written here.

Source: Google, "WebP Container Specification"; notes are EXIF strings "key:value", where ComfyUI seeks them.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping

import numpy as np

from ..errors import ImageError
from ..palette.files.raw import Reader
from .boxes import Box, changed_box
from .film import Bytes, Film, refuse_over
from .limits import MAX_NOTE_BYTES, MAX_PARTS

_LONGEST = 2**24 - 1
_MOST_LOOPS = 65535
_ANIMATED, _EXIF, _ALPHA = 2, 8, 16
_OVERWRITE = 2
_MODEL, _MAKE, _ASCII = 0x0110, 0x010F, 2


def write_webp(film: Film, loop: int, text: Mapping[str, str]) -> bytes:
    """A lossless WebP: an animation whose frames replace what changes, or a still picture where there is one frame.

    Args:
        film: what to write.
        loop: how often it plays; 0: for ever.
        text: notes; "prompt" goes into EXIF's Model, the others into Make and the tags below it, as ComfyUI has it.

    Raises:
        ImageError: over 16383 pixels along a side, 4.6 hours a frame, 65535 times, or Pillow is built without WebP.
    """
    refuse_over(film, 16383, _LONGEST, "WebP")
    if loop > _MOST_LOOPS:
        msg = f"the animation is to play {loop} times; WebP holds at most {_MOST_LOOPS}, or 0 for ever"
        raise ImageError(msg)
    moves = len(film.frames) > 1
    whole = Box(0, 0, *film.size)
    see_through = film.clear if film.colors is not None else any(bool((f[..., 3] < 255).any()) for f in film.frames)
    flags = moves * _ANIMATED | bool(text) * _EXIF | see_through * _ALPHA
    parts = [_chunk(b"VP8X", struct.pack("<I", flags) + _short(film.size[0] - 1) + _short(film.size[1] - 1))]
    if moves:
        parts.append(_chunk(b"ANIM", struct.pack("<IH", 0, loop)))
    shown: Bytes | None = None
    for frame, duration in zip(film.frames, film.durations, strict=True):
        box = whole if shown is None else _even(changed_box(shown, frame))
        data = _pixels(_colors(frame[box.part], film))
        if moves:
            numbers = (box.left // 2, box.top // 2, box.width - 1, box.height - 1, duration)
            data = _chunk(b"ANMF", b"".join(map(_short, numbers)) + bytes((_OVERWRITE,)) + data)
        parts.append(data)
        shown = frame
    if text:
        parts.append(_chunk(b"EXIF", write_exif(text)))
    body = b"WEBP" + b"".join(parts)
    return struct.pack("<4sI", b"RIFF", len(body)) + body


def _colors(frame: Bytes, film: Film) -> Bytes:
    if film.colors is None:
        return frame
    alpha = np.full((len(film.colors), 1), 255, np.uint8)
    alpha[0] = 0 if film.clear else 255
    return np.concatenate([film.colors, alpha], axis=1)[frame]  # h w 4


def _even(box: Box) -> Box:
    """Boxes begin at even places."""
    return Box(box.left & ~1, box.top & ~1, box.right, box.bottom)


def _short(value: int) -> bytes:
    """A number of 24 bits."""
    return struct.pack("<I", value)[:3]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack("<4sI", kind, len(data)) + data + b"\0" * (len(data) & 1)


def _pixels(pixels: Bytes) -> bytes:
    """The chunk of lossless pixels that Pillow writes for `h w 4`."""
    from PIL import Image, features

    if not features.check("webp"):
        msg = "this Pillow is built without WebP; install Pillow from its wheels, or choose another format"
        raise ImageError(msg)
    if bool((pixels[..., 3] == 255).all()):
        pixels = pixels[..., :3]
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "WEBP", lossless=True, exact=True, quality=100, method=4)
    for kind, data in chunks(buffer.getvalue()):
        if kind == b"VP8L":
            return _chunk(kind, data)
    msg = "Pillow has written no lossless WebP; install Pillow from its wheels, or choose another format"
    raise ImageError(msg)


def chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Name and contents of a WebP file's chunks.

    Raises:
        PaletteError: cut short.
        ImageError: more chunks than there can be frames.
    """
    reader = Reader(data, "<")
    mark, _, kind = reader.fields("4sI4s")
    if mark != b"RIFF" or kind != b"WEBP":
        return []
    found: list[tuple[bytes, bytes]] = []
    while reader.left >= 8:
        if len(found) == MAX_PARTS:
            msg = f"byte {reader.place}: more than {MAX_PARTS} chunks; the file may be damaged"
            raise ImageError(msg)
        name, size = reader.fields("4sI")
        found.append((name, reader.take(size)))
        reader.take(min(size & 1, reader.left))
    return found


def write_exif(text: Mapping[str, str]) -> bytes:
    """Notes as the strings of a TIFF header; the inverse of `read_exif`."""
    tags = {key: _MODEL if key == "prompt" else 0 for key in text}
    free = iter(range(_MAKE, 0, -1))
    entries = sorted((tags[key] or next(free), f"{key}:{value}") for key, value in text.items())
    start = 8 + 2 + 12 * len(entries) + 4
    directory, strings = struct.pack("<H", len(entries)), b""
    for tag, entry in entries:
        data = entry.encode("utf-8", "replace") + b"\0"
        place = data.ljust(4, b"\0") if len(data) <= 4 else struct.pack("<I", start + len(strings))
        directory += struct.pack("<HHI", tag, _ASCII, len(data)) + place
        strings += data + b"\0" * (len(data) & 1) if len(data) > 4 else b""
    return b"II*\0\x08\0\0\0" + directory + b"\0\0\0\0" + strings


def read_exif(data: bytes) -> dict[str, str]:
    """The "key:value" strings of a TIFF header's first directory; the inverse of `write_exif`.

    Raises:
        PaletteError: cut short.
    """
    data = data.removeprefix(b"Exif\0\0")
    order = ">" if data[:2] == b"MM" else "<"
    reader = Reader(data, order)
    reader.take(4)
    reader.take(max(0, reader.number("I") - 8))
    found: dict[str, str] = {}
    left = MAX_NOTE_BYTES
    for _ in range(reader.number("H")):
        _, kind, count = reader.fields("HHI")
        place = Reader(data, order, reader.place)
        reader.take(4)
        if kind != _ASCII or count > left:
            continue
        left -= count
        if count > 4:
            start = place.number("I")
            place = Reader(data, order, min(start, len(data)))
        key, colon, value = place.take(count).split(b"\0")[0].decode("utf-8", "replace").partition(":")
        if colon:
            found[key] = value
    return found
