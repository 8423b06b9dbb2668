"""WebP animations written frame by frame: lossless, only what changes."""

from __future__ import annotations

import io
import struct

import numpy as np

from ..errors import FilmError
from ..spritefiles.boxes import Box
from .animations import AnimationSink, box_to_draw
from .grid import Bytes
from .sink import Drawn, enlarged


class WebpSink(AnimationSink):
    """A lossless WebP animation. Google, "WebP Container Specification"."""

    name, side = "WebP", 16383
    _shown: Bytes | None = None

    def _frame(self, drawn: Drawn, following: Drawn | None, time: int) -> None:
        del following
        pixels = drawn.rgba()
        if self._shown is None:
            flags = 2 | 16 * (drawn.clear is not None)
            head = struct.pack("<I", flags) + _short(self._size[0] - 1) + _short(self._size[1] - 1)
            self._file.write(struct.pack("<4sI4s", b"RIFF", 0, b"WEBP") + _chunk(b"VP8X", head))
            self._file.write(_chunk(b"ANIM", struct.pack("<IH", 0, 0)))
        box = box_to_draw(self._shown, pixels)
        box = box if self._scale % 2 == 0 else Box(box.left & ~1, box.top & ~1, box.right, box.bottom)
        left, top, width, height = (value * self._scale for value in (box.left, box.top, box.width, box.height))
        data = _lossless(enlarged(pixels[box.part], self._scale))
        numbers = (left // 2, top // 2, width - 1, height - 1, min(time, 2**24 - 1))
        # Pixels replace those below them, and stay.
        self._file.write(_chunk(b"ANMF", b"".join(map(_short, numbers)) + bytes((2,)) + data))
        if self._file.tell() > 2**32 - 2**16:
            msg = (
                f"{self._part.target}: over 4 GB, which WebP does not hold; write an .mp4 or .webm, or lower the scale"
            )
            raise FilmError(msg)
        self._shown = pixels

    def _close(self) -> None:
        size = self._file.tell() - 8
        self._file.seek(4)
        self._file.write(struct.pack("<I", size))


def _short(value: int) -> bytes:
    return struct.pack("<I", value)[:3]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack("<4sI", kind, len(data)) + data + b"\0" * (len(data) & 1)


def _lossless(pixels: Bytes) -> bytes:
    """The chunk of lossless pixels that Pillow writes for `h w 4`."""
    from PIL import Image, features

    if not features.check("webp"):
        msg = "this Pillow is built without WebP; install Pillow from its wheels, or choose .apng or .gif"
        raise FilmError(msg)
    if bool((pixels[..., 3] == 255).all()):
        pixels = pixels[..., :3]
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "WEBP", lossless=True, exact=True, quality=20, method=1)
    data = buffer.getvalue()
    at = 12
    while at + 8 <= len(data):
        kind, size = struct.unpack("<4sI", data[at : at + 8])
        if kind == b"VP8L":
            return _chunk(kind, data[at + 8 : at + 8 + size])
        at += 8 + size + (size & 1)
    msg = "Pillow has written no lossless WebP; install Pillow from its wheels, or choose .apng or .gif"
    raise FilmError(msg)
