"""GIF, APNG and WebP written frame by frame: exact pixels, only what changes, repeats as longer times."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..errors import FilmError
from ..image.png import (
    END,
    INDEXED,
    SIGNATURE,
    TRUE_COLOR_ALPHA,
    bits_for,
    chunk,
    header_chunk,
    pack_indices,
    palette_chunks,
)
from ..spritefiles import lzw
from ..spritefiles.boxes import Box, box_of, changed_box
from .grid import Bytes
from .sink import Drawn, Part, Sink, enlarged

_KEEP, _TO_BACKGROUND = 1, 2


class AnimationSink(Sink):
    """What the three kinds have in common: a file, a scale, and frames that are merged where they repeat."""

    name = ""
    side = 0
    """Longest side, pixels."""
    ticks = 1000
    """Times are whole numbers of so many a second."""

    def __init__(self, target: Path, cells: tuple[int, int], *, scale: int, one_palette: bool) -> None:
        """Open the file.

        Args:
            target: where it will be.
            cells: width and height.
            scale: every cell so many pixels.
            one_palette: whether all frames have the same palette.

        Raises:
            FilmError: too large, or not to be written.
        """
        self.notes = []
        self._size = cells[0] * scale, cells[1] * scale
        self._scale, self._one = scale, one_palette
        if max(self._size) > self.side:
            msg = f"{target}: {self._size[0]}x{self._size[1]} pixels; {self.name} holds {self.side} a side"
            raise FilmError(msg)
        self._part = Part(target)
        self._file: BinaryIO = self._part.path.open("r+b")
        self._held: Drawn | None = None
        self._began = self._count = 0

    def add(self, drawn: Drawn) -> None:
        """Take the next frame; it is written when the one after it is another."""
        held = self._held
        if held is not None and held.same_picture(drawn):
            # Drawn frames are few ticks long; what is held keeps its beginning, and ends later.
            self._held = Drawn(
                held.entries, held.clear, held.palette, held.time, drawn.time + drawn.duration - held.time
            )
            return
        if held is not None:
            starts = round(drawn.time * self.ticks)
            if starts <= self._began:
                self._held = Drawn(
                    drawn.entries, drawn.clear, drawn.palette, held.time, drawn.time + drawn.duration - held.time
                )
                return
            self._write(held, drawn, starts - self._began)
            self._began = starts
        self._held = drawn

    def finish(self) -> list[Path]:
        """Write the last frame and the end, and give the file its name."""
        try:
            if self._held is not None:
                ends = round((self._held.time + self._held.duration) * self.ticks)
                self._write(self._held, None, max(1, ends - self._began))
            with self._wrong():
                self._close()
                self._file.close()
        except BaseException:
            self.drop()
            raise
        return [self._part.rename()]

    def drop(self) -> None:
        """Remove the unfinished file."""
        with contextlib.suppress(OSError):
            self._file.close()
        self._part.remove()

    def _write(self, drawn: Drawn, following: Drawn | None, time: int) -> None:
        with self._wrong():
            self._frame(drawn, following, time)
        self._count += 1

    @contextlib.contextmanager
    def _wrong(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            msg = (
                f"{self._part.target}: cannot be written ({error.strerror or error}); choose another place or make room"
            )
            raise FilmError(msg) from error

    def _frame(self, drawn: Drawn, following: Drawn | None, time: int) -> None:
        raise NotImplementedError

    def _close(self) -> None:
        raise NotImplementedError


class GifSink(AnimationSink):
    """A GIF; each frame bears its palette where they differ. CompuServe, "Graphics Interchange Format 89a", 1990."""

    name, side, ticks = "GIF", 65535, 100
    _shown: Bytes | None = None
    _wiped: Box | None = None
    _colors: Bytes | None = None

    def _frame(self, drawn: Drawn, following: Drawn | None, time: int) -> None:
        entries, colors = drawn.entries_after_clear()
        bits = max(1, (len(colors) - 1).bit_length())
        if self._shown is None:
            screen = struct.pack("<6sHHBBB", b"GIF89a", *self._size, 0xF0 | bits - 1, 0, 0)
            again = struct.pack("<BBB11sBBHB", 0x21, 0xFF, 11, b"NETSCAPE2.0", 3, 1, 0, 0)
            self._file.write(screen + _table(colors, bits) + again)
            self._first = colors
        whole = Box(0, 0, drawn.entries.shape[1], drawn.entries.shape[0])
        same = self._colors is not None and np.array_equal(self._colors, colors)
        shown, self._shown, self._colors = self._shown, entries, colors
        if shown is not None and self._wiped is not None:
            shown = shown.copy()
            shown[self._wiped.part] = 0
        box = changed_box(shown, entries) if same and shown is not None else whole
        vanishing = None
        if following is not None and following.clear is not None and drawn.clear is not None:
            vanishing = box_of(following.clear & ~drawn.clear)
        # A whole frame with another palette covers all but what is transparent in it.
        if following is not None and drawn.clear is not None and following.palette != drawn.palette:
            vanishing = whole
        box = box if vanishing is None else box.around(vanishing)
        self._wiped = vanishing and box
        control = (_TO_BACKGROUND if vanishing else _KEEP) << 2 | (drawn.clear is not None)
        pixels = enlarged(entries[box.part], self._scale)
        local = b"" if np.array_equal(colors, self._first) else _table(colors, bits)
        place = [value * self._scale for value in (box.left, box.top, box.width, box.height)]
        self._file.write(struct.pack("<BBBBHBB", 0x21, 0xF9, 4, control, min(time, 65535), 0, 0))
        self._file.write(struct.pack("<BHHHHB", 0x2C, *place, 0x80 | bits - 1 if local else 0) + local)
        least = max(2, bits)
        self._file.write(bytes((least,)) + _blocks(lzw.compress(pixels.tobytes(), least)))

    def _close(self) -> None:
        self._file.write(b";")


def _table(colors: Bytes, bits: int) -> bytes:
    return colors.tobytes().ljust(3 << bits, b"\0")


def _blocks(data: bytes) -> bytes:
    parts = (data[at : at + 255] for at in range(0, len(data), 255))
    return b"".join(bytes((len(part),)) + part for part in parts) + b"\0"


class ApngSink(AnimationSink):
    """An animated PNG, indexed where there is one palette, else RGBA. W3C, "PNG (Third Edition)", 2025."""

    name, side = "APNG", 2**31 - 1
    _shown: Bytes | None = None
    _number = 0

    def _frame(self, drawn: Drawn, following: Drawn | None, time: int) -> None:
        del following
        pixels, colors = drawn.entries_after_clear() if self._one else (drawn.rgba(), None)
        bits = 8 if colors is None else bits_for(len(colors))
        if self._shown is None:
            kind = TRUE_COLOR_ALPHA if colors is None else INDEXED
            self._file.write(SIGNATURE + header_chunk(*self._size, bits, kind))
            self._count_at = self._file.tell()
            self._file.write(chunk(b"acTL", struct.pack(">II", 0, 0)))
            if colors is not None:
                self._file.write(palette_chunks(colors, clear=drawn.clear is not None))
        box = (
            changed_box(self._shown, pixels) if self._shown is not None else Box(0, 0, pixels.shape[1], pixels.shape[0])
        )
        large = enlarged(pixels[box.part], self._scale)
        rows = pack_indices(large, bits) if colors is not None else large.reshape(len(large), -1)
        data = zlib.compress(np.pad(rows, ((0, 0), (1, 0))).tobytes(), 6)  # each row after a 0: no filter
        place = [value * self._scale for value in (box.width, box.height, box.left, box.top)]
        delay = Fraction(time, 1000).limit_denominator(1000)
        above = max(delay.numerator, delay.denominator) > 65535
        delay = Fraction(65535) if above else delay
        head = struct.pack(">IIIIIHHBB", self._number, *place, delay.numerator, delay.denominator, 0, 0)
        self._file.write(chunk(b"fcTL", head))
        self._number += 1
        if self._shown is None:
            self._file.write(chunk(b"IDAT", data))
        else:
            self._file.write(chunk(b"fdAT", struct.pack(">I", self._number) + data))
            self._number += 1
        self._shown = pixels

    def _close(self) -> None:
        self._file.write(END)
        self._file.seek(self._count_at)
        self._file.write(chunk(b"acTL", struct.pack(">II", self._count, 0)))


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
        box = (
            changed_box(self._shown, pixels) if self._shown is not None else Box(0, 0, pixels.shape[1], pixels.shape[0])
        )
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
