"""Microsoft's RIFF palettes (.pal): a "PAL " form with one "data" chunk that holds a LOGPALETTE.

Source: Microsoft, "Multimedia Programming Interface and Data Specifications 1.0" (1991), "Palette file format".
"""

from __future__ import annotations

import struct

from ...errors import PaletteError
from .raw import MAX_COLORS, Colors, Reader, check_count

_VERSION = 0x0300


def read_riff(data: bytes) -> tuple[Colors, str]:
    """Read the "data" chunk; the inverse of `write_riff`.

    Raises:
        PaletteError: another RIFF file, cut short, or a count that does not fit the chunk.
    """
    reader = Reader(data, "<")
    if reader.take(4) != b"RIFF":
        msg = "byte 0: expected 'RIFF'"
        raise PaletteError(msg)
    reader.number("I")  # the size of the rest; writers disagree on what it counts
    form = reader.take(4)
    if form != b"PAL ":
        msg = f"byte 8: is a RIFF file of the form {form!r}, expected b'PAL '"
        raise PaletteError(msg)
    while reader.left >= 8:
        mark, size = reader.fields("4sI")
        if mark == b"data":
            return _read_entries(reader, size), ""
        reader.take(size + size % 2)
    msg = "holds no 'data' chunk; the RIFF file may be cut short"
    raise PaletteError(msg)


def _read_entries(reader: Reader, size: int) -> Colors:
    version, count = reader.fields("HH")
    if version != _VERSION:
        msg = f"byte {reader.place - 4}: the RIFF palette has version {version:#06x}, expected {_VERSION:#06x}"
        raise PaletteError(msg)
    if 4 + 4 * count > size:
        msg = f"byte {reader.place - 2}: {count} colours do not fit a chunk of {size} bytes"
        raise PaletteError(msg)
    entries = reader.take(4 * count)
    return [(entries[i], entries[i + 1], entries[i + 2]) for i in range(0, 4 * count, 4)]


def write_riff(colors: Colors, name: str) -> bytes:  # noqa: ARG001
    """A RIFF palette; the inverse of `read_riff`. It has no place for the name.

    Raises:
        PaletteError: more than 65535 colours.
    """
    check_count(len(colors), MAX_COLORS, "a RIFF palette")
    entries = b"".join(bytes([*color, 0]) for color in colors)
    chunk = struct.pack("<4sIHH", b"data", 4 + len(entries), _VERSION, len(colors)) + entries
    return struct.pack("<4sI4s", b"RIFF", 4 + len(chunk), b"PAL ") + chunk
