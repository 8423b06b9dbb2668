"""GIFs written frame by frame: exact pixels, only what changes."""

from __future__ import annotations

import struct

import numpy as np

from ..spritefiles import lzw
from ..spritefiles.boxes import Box, box_of, changed_box
from .animations import AnimationSink, whole_box
from .grid import Bytes
from .sink import Drawn, enlarged

_KEEP, _TO_BACKGROUND = 1, 2


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
        whole = whole_box(entries)
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
