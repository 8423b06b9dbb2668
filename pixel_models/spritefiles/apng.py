"""Animated PNG: exact frame times, and one palette for all frames where the pixels fit one.

Source: W3C, "Portable Network Graphics (PNG) Specification (Third Edition)", 2025, animation chunks.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping

import numpy as np

from ..errors import ImageError
from ..image.png import (
    END,
    INDEXED,
    SIGNATURE,
    TRUE_COLOR_ALPHA,
    bits_for,
    chunk,
    compress_colors,
    compress_indices,
    header_chunk,
    pack_indices,
    palette_chunks,
    text_chunks,
)
from .boxes import Box, changed_box
from .film import Bytes, Film, refuse_over
from .limits import MAX_PARTS

_MOST = 2**16 - 1
_MOST_LOOPS = 2**31 - 1


def write_apng(film: Film, loop: int, text: Mapping[str, str]) -> bytes:
    """An animated PNG: indexed where the film has colours, else RGBA. Each frame replaces what changes.

    Args:
        film: what to write.
        loop: how often it plays; 0: for ever.
        text: notes by keyword.

    Raises:
        ImageError: a duration that is no fraction of two 16-bit numbers (all up to 65.5 s are), or a bad note.
    """
    refuse_over(film, 2**31 - 1, 1000 * _MOST, "APNG")
    if loop > _MOST_LOOPS:
        msg = f"the animation is to play {loop} times; APNG holds at most {_MOST_LOOPS}, or 0 for ever"
        raise ImageError(msg)
    bits = 8 if film.colors is None else bits_for(len(film.colors))
    parts = [SIGNATURE, header_chunk(*film.size, bits, TRUE_COLOR_ALPHA if film.colors is None else INDEXED)]
    parts.append(text_chunks(text))
    if film.colors is not None:
        parts.append(palette_chunks(film.colors, clear=film.clear))
    parts.append(chunk(b"acTL", struct.pack(">II", len(film.frames), loop)))
    number = 0
    shown: Bytes | None = None
    for frame, duration in zip(film.frames, film.durations, strict=True):
        box = Box(0, 0, *film.size) if shown is None else changed_box(shown, frame)
        pixels = np.ascontiguousarray(frame[box.part])
        data = compress_colors(pixels) if film.colors is None else compress_indices(pack_indices(pixels, bits))
        # stays until the next, which overwrites
        place = (box.width, box.height, box.left, box.top, *_fraction(duration), 0, 0)
        parts.append(chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, *place)))
        if shown is None:
            parts.append(chunk(b"IDAT", data))
        else:
            number += 1
            parts.append(chunk(b"fdAT", struct.pack(">I", number) + data))
        number += 1
        shown = frame
    return b"".join((*parts, END))


def _fraction(milliseconds: int) -> tuple[int, int]:
    """Seconds as numerator and denominator; thousandths where that goes, as other programs write it."""
    if milliseconds <= _MOST:
        return milliseconds, 1000
    common = math.gcd(milliseconds, 1000)
    if milliseconds // common > _MOST:
        msg = f"a frame of {milliseconds} ms; APNG holds all up to {_MOST}, and longer ones that are rounder"
        raise ImageError(msg)
    return milliseconds // common, 1000 // common


def check_chunks(data: bytes) -> None:
    """Walk over the chunks of a PNG, without what they hold.

    Raises:
        ImageError: more chunks than any picture has.
    """
    place = len(SIGNATURE)
    for _ in range(MAX_PARTS):
        if place + 12 > len(data):
            return
        place += 12 + int.from_bytes(data[place : place + 4], "big")
    msg = f"byte {place}: more than {MAX_PARTS} chunks; the file may be damaged"
    raise ImageError(msg)
