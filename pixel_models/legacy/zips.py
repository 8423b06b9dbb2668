"""The directory of a zip archive as torch.save writes it: plain records, none compressed, none outside the archive.

Written from the format's description (PKWARE, APPNOTE.TXT). Python's zipfile would read the whole of a hostile
directory before one could look at it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from ..errors import CheckpointError

MOST_DIRECTORY = 4 * 2**20
"""Bytes of the directory; one of the classic networks' files takes about 20 KiB."""

_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64 = struct.Struct("<4sLQL")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_IS_WIDE = 0xFFFFFFFF


@dataclass(frozen=True)
class Record:
    """Where one file of the archive lies."""

    offset: int
    num_bytes: int
    crc: int | None
    """CRC-32 of the bytes, where the layout has one."""


def read_directory(file: BinaryIO, size: int) -> dict[str, Record]:
    """The records of the archive by name.

    Args:
        file: the archive, which has `size` bytes.
        size: of the file.

    Raises:
        CheckpointError: the archive is cut off or damaged, or holds what torch.save does not write.
    """
    try:
        start, length = _find_directory(file, size)
        directory = _read(file, start, length)
        records: dict[str, Record] = {}
        position = 0
        while position < length:
            name, record, position = _entry(file, size, directory, position)
            if name in records:
                msg = f"two records of the archive are named {name[:80]!r}; the file is damaged or made to do harm"
                raise CheckpointError(msg)
            records[name] = record
    except (struct.error, UnicodeDecodeError, RuntimeError) as error:
        raise _damaged() from error
    return records


def _damaged() -> CheckpointError:
    return CheckpointError("it is a damaged or cut-off zip archive; fetch it again")


def _read(file: BinaryIO, offset: int, count: int) -> bytes:
    file.seek(offset)
    data = file.read(count)
    if len(data) != count:
        raise _damaged()
    return data


def _find_directory(file: BinaryIO, size: int) -> tuple[int, int]:
    """Offset and length of the directory, from the record at the archive's end."""
    tail_at = max(0, size - _END.size - 0xFFFF)
    tail = _read(file, tail_at, size - tail_at)
    at = tail.rfind(b"PK\5\6")
    if at < 0:
        raise _damaged()
    _, disk, first_disk, _, _, length, start, _ = _END.unpack_from(tail, at)
    locator_at = tail_at + at - _LOCATOR_64.size
    if locator_at >= 0:
        signature, _, end_at, _ = _LOCATOR_64.unpack(_read(file, locator_at, _LOCATOR_64.size))
        if signature == b"PK\6\7":
            if end_at > size - _END_64.size:
                raise _damaged()
            signature, _, _, _, disk, first_disk, _, _, length, start = _END_64.unpack(
                _read(file, end_at, _END_64.size)
            )
            if signature != b"PK\6\6":
                raise _damaged()
    if disk or first_disk or start + length > size or not length:
        raise _damaged()
    if length > MOST_DIRECTORY:
        msg = f"the archive's directory takes {length:,} bytes, expected at most {MOST_DIRECTORY:,}"
        raise CheckpointError(msg)
    return start, length


def _entry(file: BinaryIO, size: int, directory: bytes, position: int) -> tuple[str, Record, int]:
    """Name and place of the record that the directory tells of at `position`, and where its next entry begins."""
    fields = _ENTRY.unpack_from(directory, position)
    signature, flags, method, crc = fields[0], fields[3], fields[4], fields[7]
    name_size, extra_size, comment_size = fields[10:13]
    name_at = position + _ENTRY.size
    extra_at = name_at + name_size
    end = extra_at + extra_size + comment_size
    if signature != b"PK\1\2" or end > len(directory):
        raise _damaged()
    raw = directory[name_at:extra_at]
    wide = _wide_numbers(directory[extra_at : extra_at + extra_size])
    plain, packed, local_at = (next(wide) if fields[i] == _IS_WIDE else fields[i] for i in (9, 8, 16))
    name = raw.decode()
    if name.startswith("/") or "\\" in name or ".." in name.split("/"):
        msg = f"the archive holds a record named {name[:80]!r}, outside of it; the file is made to do harm"
        raise CheckpointError(msg)
    if flags & 1 or method:
        how = "encrypted" if flags & 1 else "compressed"
        msg = f"the archive's record {name[:80]!r} is {how} (to become {plain:,} bytes), which torch.save never does; "
        msg += "the file is made to fill the memory, or was zipped again: zip it without compression"
        raise CheckpointError(msg)
    if packed != plain or local_at + _LOCAL.size > size:
        raise _damaged()
    local = _LOCAL.unpack(_read(file, local_at, _LOCAL.size))
    data_at = local_at + _LOCAL.size + local[9] + local[10]
    if local[0] != b"PK\3\4" or local[9] != name_size or data_at + plain > size or file.read(name_size) != raw:
        raise _damaged()
    return name, Record(data_at, plain, crc), end


def _wide_numbers(extra: bytes) -> Iterator[int]:
    """The 64-bit numbers that an entry's extra field has in place of those that do not fit 32 bits."""
    position = 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, position)
        if kind == 1:
            for (number,) in struct.iter_unpack("<Q", extra[position + 4 : position + 4 + length // 8 * 8]):
                yield number
        position += 4 + length
