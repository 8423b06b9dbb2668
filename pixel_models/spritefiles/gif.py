"""GIF animations: one palette, exact pixels, only what changes from frame to frame; and what a file says beside them.

Source: CompuServe, "Graphics Interchange Format, Version 89a", 1990; the loop count is Netscape's extension.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ..errors import ImageError
from ..palette.files.raw import Reader
from . import lzw
from .boxes import Box, box_of, changed_box
from .film import MOST_ENTRIES, Bytes, Film, refuse_over
from .limits import MAX_PARTS

_KEEP, _TO_BACKGROUND = 1, 2
_CONTROL, _COMMENT, _APPLICATION = 0xF9, 0xFE, 0xFF
_MOST_LOOPS = 65536
_MOST_BLOCKS = 2**19
# More pixels than this are compressed once alone.
_LARGE = 2**16


def gif_times(durations: Sequence[int]) -> list[int]:
    """Milliseconds to GIF's hundredths of a second: rounded so that every frame begins as near as it can to its time.

    What rounding takes from one frame the next gets back, so the whole lasts as long as it should, to 5 ms. No frame
    gets less than one hundredth; mind that browsers show what is shorter than 20 ms for 100 ms.
    """
    times: list[int] = []
    total = shown = 0
    for duration in durations:
        total += duration
        times.append(max(1, (total + 5) // 10 - shown))
        shown += times[-1]
    return times


def write_gif(film: Film, loop: int, text: Mapping[str, str]) -> bytes:
    """A GIF of all frames with one palette.

    Args:
        film: made with `hard`.
        loop: how often it plays; 0: for ever.
        text: notes, kept as one comment that holds a JSON object.

    Raises:
        ImageError: over 65535 pixels along a side or 655350 ms a frame, or played more than 65536 times.
    """
    assert film.colors is not None
    refuse_over(film, 65535, 655350, "GIF")
    if loop > _MOST_LOOPS:
        msg = f"the animation is to play {loop} times; GIF holds at most {_MOST_LOOPS}, or 0 for ever"
        raise ImageError(msg)
    spare = len(film.frames) > 1 and len(film.colors) < MOST_ENTRIES
    nothing = 0 if film.clear else len(film.colors) if spare else None
    bits = max(1, (len(film.colors) + (nothing == len(film.colors)) - 1).bit_length())
    table = film.colors.tobytes().ljust(3 << bits, b"\0")
    screen = struct.pack("<6sHHBBB", b"GIF89a", *film.size, 0xF0 | bits - 1, 0, 0)
    parts = [screen, table]
    if len(film.frames) > 1 and loop != 1:
        # the file counts how often it is played again
        again = max(0, loop - 1)
        parts.append(struct.pack("<BBB11sBBHB", 0x21, _APPLICATION, 11, b"NETSCAPE2.0", 3, 1, again, 0))
    if text:
        parts.append(bytes((0x21, _COMMENT)) + _blocks(json.dumps(dict(text), separators=(",", ":")).encode()))
    parts += _frames(film, nothing, max(2, bits))
    return b"".join((*parts, b";"))


def _frames(film: Film, nothing: int | None, bits: int) -> Iterator[bytes]:
    """Each frame's part that changes. Before pixels vanish, the frame they belong to is told to go."""
    # Before the first frame there is nothing: it is drawn whole.
    shown = np.full(film.frames[0].shape, 0 if film.clear else 255, np.uint8)
    for index, (frame, time) in enumerate(zip(film.frames, gif_times(film.durations), strict=True)):
        box = Box(0, 0, *film.size) if index == 0 else changed_box(shown, frame)
        vanishing = None
        if film.clear and index + 1 < len(film.frames):
            vanishing = box_of((frame != 0) & (film.frames[index + 1] == 0))
        if vanishing is not None:
            box = box.around(vanishing)
        pixels = frame[box.part]
        sparse = index > 0 and nothing is not None
        if sparse and nothing is not None:
            unchanged = np.where((frame == shown)[box.part], nothing, pixels).astype(np.uint8)
            codes, sparse = _shorter(pixels, unchanged, bits)
        else:
            codes = lzw.compress(pixels.tobytes(), bits)
        seen_through = nothing if nothing is not None and (film.clear or sparse) else None
        yield _control(_KEEP if vanishing is None else _TO_BACKGROUND, time, seen_through)
        yield struct.pack("<BHHHHBB", 0x2C, box.left, box.top, box.width, box.height, 0, bits) + _blocks(codes)
        shown = frame
        if vanishing is not None:
            shown = frame.copy()
            shown[box.part] = 0


def _shorter(pixels: Bytes, sparse: Bytes, bits: int) -> tuple[bytes, bool]:
    """The smaller of two, and whether it is the second; of large ones the one with fewer changes along the rows."""
    if pixels.size > _LARGE:
        changes = [int((one[:, 1:] != one[:, :-1]).sum()) for one in (pixels, sparse)]
        second = changes[1] <= changes[0]
        return lzw.compress((sparse if second else pixels).tobytes(), bits), second
    codes = [lzw.compress(one.tobytes(), bits) for one in (pixels, sparse)]
    second = len(codes[1]) < len(codes[0])
    return codes[second], second


def _control(disposal: int, time: int, clear: int | None) -> bytes:
    flags = disposal << 2 | (clear is not None)
    return struct.pack("<BBBBHBB", 0x21, _CONTROL, 4, flags, time, clear or 0, 0)


def _blocks(data: bytes) -> bytes:
    """Blocks of up to 255 bytes, each after its length, and a last one of none."""
    parts = (data[at : at + 255] for at in range(0, len(data), 255))
    return b"".join(bytes((len(part),)) + part for part in parts) + b"\0"


class GifFacts:
    """What a GIF says beside its pixels."""

    def __init__(self) -> None:
        self.count = 0
        """Frames."""
        self.width = self.height = 0
        """Of the screen, grown to what the frames reach."""
        self.comments: list[bytes] = []


def scan_gif(data: bytes) -> GifFacts:
    """Walk over the blocks of a GIF, without its pixels.

    Raises:
        PaletteError: cut short.
        ImageError: more parts than there can be frames.
    """
    reader = Reader(data, "<")
    facts = GifFacts()
    _, facts.width, facts.height, flags, _, _ = reader.fields("6sHHBBB")
    _skip_table(reader, flags)
    marks = blocks = 0
    while reader.left:
        mark = reader.number("B")
        start = reader.place
        marks += 1
        if marks > MAX_PARTS or blocks > _MOST_BLOCKS:
            msg = f"byte {start}: more than {MAX_PARTS} parts or {_MOST_BLOCKS} blocks; the file may be damaged"
            raise ImageError(msg)
        if mark == 0x21:
            kind = reader.number("B")
            block, count = _join(reader)
            blocks += count
            if kind == _COMMENT:
                facts.comments.append(block)
        elif mark == 0x2C:
            left, top, width, height, flags = reader.fields("HHHHB")
            facts.count += 1
            facts.width, facts.height = max(facts.width, left + width), max(facts.height, top + height)
            _skip_table(reader, flags)
            reader.take(1)
            blocks += _join(reader)[1]
        elif mark == 0x3B:
            break
    return facts


def _skip_table(reader: Reader, flags: int) -> None:
    if flags & 0x80:
        reader.take(3 << (flags & 7) + 1)


def _join(reader: Reader) -> tuple[bytes, int]:
    """The contents of blocks up to one of none, and how many there are."""
    parts: list[bytes] = []
    while size := reader.number("B"):
        parts.append(reader.take(size))
        if len(parts) > _MOST_BLOCKS:
            break
    return b"".join(parts), len(parts)
