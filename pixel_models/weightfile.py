"""What readers of weight files share: a name for every complaint, the safetensors header, hashes, finite numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from .errors import CheckpointError, ModelKindError, is_out_of_memory

MOST_HEADER = 4 * 2**20
"""Bytes of a safetensors header, which is read whole; ours take less than 20 KiB."""


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Put the file's name before what is wrong with it."""
    try:
        yield
    except FileNotFoundError as error:
        msg = f"{path} is not there; expected a weight file"
        raise CheckpointError(msg) from error
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror or error}"
        raise CheckpointError(msg) from error
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not is_out_of_memory(error):
            raise
        msg = f"{path.name}: there is too little memory to load it; close other programs"
        raise CheckpointError(msg) from error
    except (CheckpointError, ModelKindError) as error:
        msg = f"{path.name}: {error}"
        raise type(error)(msg) from error


def looks_like_safetensors(head: bytes) -> bool:
    """Whether a file that begins with `head` is meant to be safetensors: a length of 8 bytes, then JSON."""
    return head[8:9] == b"{" and not all(32 <= byte < 127 or byte in b"\t\r\n" for byte in head[:8])


def read_header(file: BinaryIO, size: int) -> tuple[dict[str, Any], int]:
    """The header of a safetensors file of `size` bytes, and where the numbers begin.

    Raises:
        CheckpointError: it is cut off, too large, or no JSON object; the caller adds the file's name.
    """
    file.seek(0)
    head = file.read(9)
    length = int.from_bytes(head[:8], "little")
    if not looks_like_safetensors(head) or length > size - 8:
        msg = "it is no whole safetensors file; fetch it again"
        raise CheckpointError(msg)
    if length > MOST_HEADER:
        msg = f"its header has {length:,} bytes, expected at most {MOST_HEADER:,}"
        raise CheckpointError(msg)
    file.seek(8)
    try:
        header = json.loads(file.read(length), parse_int=_short_int)
    except (ValueError, RecursionError) as error:
        msg = "its header is no JSON; fetch it again"
        raise CheckpointError(msg) from error
    if not isinstance(header, dict):
        msg = f"its header is a {type(header).__name__}, expected a JSON object; fetch it again"
        raise CheckpointError(msg)
    return header, 8 + length


def _short_int(digits: str) -> int:
    """An integer of 64 bits at most: reading millions of digits would take minutes."""
    if len(digits) > 20:
        raise ValueError
    return int(digits)


def check_finite(name: str, value: Tensor) -> None:
    """Refuse numbers that are none, without a copy of them.

    Raises:
        CheckpointError: `value`, any shape and dtype, holds NaN or infinity.
    """
    if value.is_floating_point() and value.numel():
        least, most = torch.aminmax(value)
        if not (torch.isfinite(least) and torch.isfinite(most)):
            msg = f"{name} holds NaN or infinity; the training run it comes from failed"
            raise CheckpointError(msg)


def sha256_of(path: Path) -> str:
    """The file's SHA-256 in hexadecimal digits, read piece by piece."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(2**20):
            digest.update(part)
    return digest.hexdigest()
