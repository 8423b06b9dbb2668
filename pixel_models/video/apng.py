"""Animated PNGs written frame by frame: exact pixels, only what changes."""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction

import numpy as np

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
from .animations import AnimationSink, box_to_draw
from .grid import Bytes
from .sink import Drawn, enlarged


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
        box = box_to_draw(self._shown, pixels)
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
