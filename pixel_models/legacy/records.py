"""Bytes and numbers of one record, read once into memory of just that size, and its checksum."""

from __future__ import annotations

import zlib
from typing import BinaryIO

import torch
from torch import Tensor

from ..errors import CheckpointError
from .claims import TensorClaim
from .zips import Record

CHUNK = 4 * 2**20


def read_bytes(file: BinaryIO, record: Record, name: str, most: int) -> bytes:
    """All bytes of a small record.

    Raises:
        CheckpointError: there are more than `most`, or they are not those that were written.
    """
    if record.num_bytes > most:
        msg = f"its record {name[:80]!r} has {record.num_bytes:,} bytes, expected at most {most:,}"
        raise CheckpointError(msg)
    data = bytearray(record.num_bytes)
    _fill(file, record, memoryview(data), name)
    return bytes(data)


def read_numbers(file: BinaryIO, record: Record, name: str) -> Tensor:
    """All bytes of a storage, `n`, uint8; the caller has checked how many they are.

    Raises:
        CheckpointError: they are not there, or not those that were written.
    """
    numbers = torch.empty(record.num_bytes, dtype=torch.uint8)
    _fill(file, record, memoryview(numbers.numpy()), name)  # pyright: ignore[reportArgumentType]  an array is a buffer
    return numbers


def view_of(numbers: Tensor, claim: TensorClaim, *, widen: bool) -> Tensor:
    """The claimed tensor out of its storage's bytes, of which it keeps no more than it needs.

    Args:
        numbers: `n`, uint8, of the whole storage.
        claim: checked: it lies within the storage.
        widen: make it float32 if it is floating.
    """
    start = claim.storage.start + claim.offset
    tensor = (
        numbers.view(claim.dtype).as_strided(claim.shape, claim.stride, start)
        if claim.numel
        else (torch.empty(claim.shape, dtype=claim.dtype))
    )
    if widen and tensor.is_floating_point() and tensor.dtype is not torch.float32:
        return tensor.to(torch.float32, memory_format=torch.contiguous_format)
    return tensor if claim.is_whole else tensor.clone(memory_format=torch.contiguous_format)


def _fill(file: BinaryIO, record: Record, into: memoryview, name: str) -> None:
    file.seek(record.offset)
    crc = done = 0
    while done < len(into):
        part = into[done : done + CHUNK]
        count = file.readinto(part)  # pyright: ignore[reportAttributeAccessIssue]
        if not count:
            msg = f"its record {name[:80]!r} breaks off; fetch the file again"
            raise CheckpointError(msg)
        crc = crc if record.crc is None else zlib.crc32(part[:count], crc)
        done += count
    if record.crc not in (None, crc):
        msg = f"its record {name[:80]!r} has the CRC-32 {crc:08x}, expected {record.crc:08x}: bits have changed; "
        raise CheckpointError(msg + "fetch the file again")
