"""The palette of an Aseprite sprite (.aseprite, .ase), there and back.

Source: "Aseprite File Format (.ase/.aseprite) Specifications", docs/ase-file-specs.md in aseprite/aseprite.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from ...errors import PaletteError
from .raw import MAX_COLORS, Colors, Reader, check_count

SPRITE, FRAME = 0xA5E0, 0xF1FA
"""The marks of a file and of each of its frames."""
OLD_PALETTE, OLDEST_PALETTE, LAYER, CEL, PALETTE = 0x0004, 0x0011, 0x2004, 0x2005, 0x2019
"""Kinds of chunks."""
_HAS_NAME = 1
# Layers, tags and pictures of one frame; more than any sprite has.
_MAX_CHUNKS = 2**18
_COLUMNS = 16


def is_sprite(data: bytes) -> bool:
    """Whether the file bears Aseprite's mark."""
    return data[4:6] == struct.pack("<H", SPRITE)


def read_sprite(data: bytes) -> tuple[Colors, str]:
    """Read the palette of the first frame, entries that are more transparent than not left out.

    Raises:
        PaletteError: no sprite, cut short, a count that does not fit, or a first frame without a palette.
    """
    reader = Reader(data, "<")
    if not is_sprite(data):
        msg = f"is no Aseprite file; expected the mark {SPRITE:#x} at byte 4, got {data[4:6]!r}"
        raise PaletteError(msg)
    reader.take(128)
    oldest: Colors = []
    for kind, chunk in read_frame(reader)[1]:
        if kind == PALETTE:  # the old kinds beside it are for old programs
            return _read_entries(chunk), ""
        if kind in (OLD_PALETTE, OLDEST_PALETTE):
            oldest = read_packets(chunk, kind)
    if not oldest:
        msg = "its first frame has no palette; expected a sprite with one"
        raise PaletteError(msg)
    return oldest, ""


def read_frame(reader: Reader) -> tuple[int, Iterator[tuple[int, Reader]]]:
    """The next frame: its duration in milliseconds (0: the file's), and kind and contents of each of its chunks.

    Raises:
        PaletteError: no frame, cut short, or chunks that do not fit into it.
    """
    place = reader.place
    size, mark, old_count, duration, _, count = reader.fields("IHHHHI")
    if mark != FRAME or size < 16:
        msg = f"byte {place}: expected a frame with the mark {FRAME:#x}, got {mark:#x} and {size} bytes"
        raise PaletteError(msg)
    frame = reader.part(size - 16)
    count = count or old_count
    if count > _MAX_CHUNKS:
        msg = f"byte {place + 12}: {count} chunks in a frame; expected at most {_MAX_CHUNKS}"
        raise PaletteError(msg)
    return duration, _chunks(frame, count)


def _chunks(frame: Reader, count: int) -> Iterator[tuple[int, Reader]]:
    for _ in range(count):
        length, kind = frame.fields("IH")
        yield kind, frame.part(length - 6)


def _read_entries(chunk: Reader) -> Colors:
    place = chunk.place
    total, first, last = chunk.fields("III")
    chunk.take(8)
    if first != 0 or last + 1 != total:
        msg = f"byte {place}: the palette sets entries {first} to {last} of {total}; expected all of them"
        raise PaletteError(msg)
    check_count(total, MAX_COLORS, f"byte {place}: an Aseprite palette")
    if 6 * total > chunk.left:
        msg = f"byte {place}: {total} colours do not fit the {chunk.left} bytes that follow; the file may be cut short"
        raise PaletteError(msg)
    colors: Colors = []
    for _ in range(total):
        flags, red, green, blue, alpha = chunk.fields("HBBBB")
        if flags & _HAS_NAME:
            chunk.take(chunk.number("H"))
        if alpha > 127:
            colors.append((red, green, blue))
    return colors


def read_packets(chunk: Reader, kind: int) -> Colors:
    """An old palette: runs of colours, how many to skip, how many follow (0 means 256); skipped ones are black.

    Raises:
        PaletteError: cut short, or values and counts beyond what there is.
    """
    full = 255 if kind == OLD_PALETTE else 63
    colors: Colors = []
    for _ in range(chunk.number("H")):
        skip, count = chunk.fields("BB")
        colors += [(0, 0, 0)] * skip
        values = chunk.take(3 * (count or 256))
        if max(values) > full or len(colors) > 256:
            msg = f"byte {chunk.place}: a value of {max(values)}; expected 0 to {full}, and at most 256 colours"
            raise PaletteError(msg)
        levels = [round(value * 255 / full) for value in values]
        colors += [(levels[i], levels[i + 1], levels[i + 2]) for i in range(0, len(levels), 3)]
    return colors


def write_sprite(colors: Colors, name: str) -> bytes:  # noqa: ARG001
    """An RGBA sprite of one frame and one layer: the palette, and a pixel for each of its colours.

    Raises:
        PaletteError: more than 65535 colours.
    """
    check_count(len(colors), MAX_COLORS, "an Aseprite file")
    columns = min(len(colors), _COLUMNS)
    rows = -(-len(colors) // columns)
    pixels = b"".join(bytes([*color, 255]) for color in colors).ljust(4 * columns * rows, b"\0")
    entries = b"".join(struct.pack("<HBBBB", 0, *color, 255) for color in colors)
    title = b"Palette"
    chunks = [
        # visible and editable, an image layer, child level 0, two sizes that are not used, normal blend, opaque
        write_chunk(LAYER, struct.pack("<HHHHHHB3xH", 3, 0, 0, 0, 0, 0, 255, len(title)) + title),
        write_chunk(PALETTE, struct.pack("<III8x", len(colors), 0, len(colors) - 1) + entries),
        # layer 0 at 0, 0, opaque, raw pixels
        write_chunk(CEL, struct.pack("<HhhBHh5xHH", 0, 0, 0, 255, 0, 0, columns, rows) + pixels),
    ]
    body = b"".join(chunks)
    frame = struct.pack("<IHHH2xI", 16 + len(body), FRAME, len(chunks), 100, len(chunks)) + body
    # 32 bits a pixel, layers have opacity, 100 ms, no transparent index, square pixels, no grid
    head = struct.pack(
        "<IHHHHHIHIIB3xHBBhhHH84x",
        *(128 + len(frame), SPRITE, 1, columns, rows, 32, 1, 100, 0, 0, 0, min(len(colors), 256) % 256, 1, 1),
        *(0, 0, 0, 0),
    )
    return head + frame


def write_chunk(kind: int, data: bytes) -> bytes:
    """One chunk: length, kind, data."""
    return struct.pack("<IH", 6 + len(data), kind) + data
