"""The sprite's user data: a note, and properties by name, of which texts and lists of texts are kept."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from ...errors import ImageError, PaletteError
from ...palette.files.raw import Reader
from ..limits import MAX_NOTE_BYTES

_TEXT, _COLOR, _PROPERTIES = 1, 2, 4
_STRING, _VECTOR, _MAP = 0x000D, 0x0011, 0x0012
_SIZES = {
    0x0001: 1,
    0x0002: 1,
    0x0003: 1,
    0x0004: 2,
    0x0005: 2,
    0x0006: 4,
    0x0007: 4,
    0x0008: 8,
    0x0009: 8,
    0x000A: 4,
    0x000B: 4,
    0x000C: 8,
    0x000E: 8,
    0x000F: 8,
    0x0010: 16,
    0x0013: 16,
}
_MOST_BYTES = 65535
_DEEPEST = 128

Value = str | list[str] | None
"""A property that is kept; None: of another kind."""


def write_user_data(properties: Mapping[str, str | list[str]]) -> bytes:
    """A chunk's contents: the properties of one map, longer texts in pieces; the inverse of `read_user_data`.

    Raises:
        ImageError: more than is read back.
    """
    body = b"".join(string(name) + _write_value(value) for name, value in properties.items())
    if len(body) > MAX_NOTE_BYTES - 64:
        msg = f"the notes take {len(body)} bytes; expected at most {MAX_NOTE_BYTES - 64}"
        raise ImageError(msg)
    return struct.pack("<IIIII", _PROPERTIES, 16 + len(body), 1, 0, len(properties)) + body


def string(text: str) -> bytes:
    """UTF-8 after its length, cut at 65535 bytes."""
    data = _pieces(text)[0]
    return struct.pack("<H", len(data)) + data


def _write_value(value: str | list[str]) -> bytes:
    """A text that is too long for the format's one becomes a list of pieces that end in a mark, and one without."""
    if isinstance(value, list):
        return struct.pack("<HIH", _VECTOR, len(value), _STRING) + b"".join(map(string, value))
    pieces = _pieces(value)
    body = b"".join(struct.pack("<H", len(piece)) + piece for piece in pieces)
    if len(pieces) == 1:
        return struct.pack("<H", _STRING) + body
    return struct.pack("<HIH", _VECTOR, len(pieces), _STRING) + body


def _pieces(text: str) -> list[bytes]:
    """UTF-8 in pieces that hold whole letters; at least one."""
    data = text.encode("utf-8", "replace")
    pieces: list[bytes] = []
    while len(data) > _MOST_BYTES:
        end = _MOST_BYTES
        while data[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(data[:end])
        data = data[end:]
    return [*pieces, data]


def read_user_data(chunk: Reader) -> tuple[str, dict[str, str | list[str]]]:
    """The note, and the texts and lists of texts among the properties that belong to no extension.

    Raises:
        PaletteError: cut short, a kind of property that is not known, or maps deeper than 128.
    """
    if chunk.left > MAX_NOTE_BYTES:
        msg = f"byte {chunk.place}: {chunk.left} bytes of notes; expected at most {MAX_NOTE_BYTES}"
        raise PaletteError(msg)
    flags = chunk.number("I")
    note = read_string(chunk) if flags & _TEXT else ""
    if flags & _COLOR:
        chunk.take(4)
    found: dict[str, str | list[str]] = {}
    if flags & _PROPERTIES:
        _, maps = chunk.fields("II")
        for _ in range(maps):
            owner, count = chunk.fields("II")
            values = _read_map(chunk, count, 0)
            found |= values if owner == 0 else {}
    return note, found


def read_string(chunk: Reader) -> str:
    """A text after its length.

    Raises:
        PaletteError: cut short.
    """
    return chunk.take(chunk.number("H")).decode("utf-8", "replace")


def _read_map(chunk: Reader, count: int, depth: int) -> dict[str, str | list[str]]:
    found: dict[str, str | list[str]] = {}
    for _ in range(count):
        name = read_string(chunk)
        value = _read_value(chunk, chunk.number("H"), depth)
        if value is not None:
            found[name] = value
    return found


def _read_value(chunk: Reader, kind: int, depth: int) -> Value:
    if depth > _DEEPEST:
        msg = f"byte {chunk.place}: properties lie deeper than {_DEEPEST} in each other"
        raise PaletteError(msg)
    if kind == _STRING:
        return read_string(chunk)
    if kind == _MAP:
        _read_map(chunk, chunk.number("I"), depth + 1)
    elif kind == _VECTOR:
        return _read_vector(chunk, depth)
    elif kind in _SIZES:
        chunk.take(_SIZES[kind])
    else:
        msg = f"byte {chunk.place}: a property of kind {kind:#x}; expected {min(_SIZES):#x} to {max(_SIZES):#x}"
        raise PaletteError(msg)
    return None


def _read_vector(chunk: Reader, depth: int) -> Value:
    count, kind = chunk.fields("IH")
    if kind in _SIZES:
        chunk.take(count * _SIZES[kind])
        return None
    texts: list[str] = []
    for _ in range(count):
        value = _read_value(chunk, kind or chunk.number("H"), depth + 1)
        if isinstance(value, str):
            texts.append(value)
    return texts if kind == _STRING else None
