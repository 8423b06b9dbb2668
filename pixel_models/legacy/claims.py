"""What a foreign file says of its tensors, checked before a byte of them is read: `TensorClaim`, limits, dtypes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import torch

from ..errors import CheckpointError

MEBIBYTE = 2**20

MOST_WEIGHTS = 256 * MEBIBYTE
"""Bytes that the tensors of one state dict may take, as they lie in the file and again as float32. The largest classic
network, pix2pix's U-Net for 256 pixels, takes 208 MiB; both at once, beside torch itself, stay within 1 GiB."""

MOST_DIMENSIONS = 8

TORCH_STORAGES: Mapping[str, torch.dtype] = {
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "DoubleStorage": torch.float64,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
    "ComplexFloatStorage": torch.complex64,
    "ComplexDoubleStorage": torch.complex128,
}
"""The storage classes that a file of torch.save may name."""

SAFETENSORS_DTYPES: Mapping[str, torch.dtype] = {
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F64": torch.float64,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
    "C64": torch.complex64,
}
"""The dtypes that a safetensors header may name and this reader knows."""


@dataclass(frozen=True)
class StorageClaim:
    """A run of numbers that a file says it holds."""

    key: str
    dtype: torch.dtype
    numel: int

    start: int = 0
    """First element, counted in the whole run: old files have views of storages."""

    @property
    def num_bytes(self) -> int:
        """Bytes that the run takes."""
        return self.numel * self.dtype.itemsize


@dataclass(frozen=True)
class TensorClaim:
    """A tensor that a file says it holds: a view of a storage."""

    storage: StorageClaim
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    @property
    def dtype(self) -> torch.dtype:
        """Of the elements."""
        return self.storage.dtype

    @property
    def numel(self) -> int:
        """Elements in all."""
        return prod(self.shape)

    @property
    def is_whole(self) -> bool:
        """Whether it is its storage from first to last, in order."""
        dense, step = [], 1
        for size in reversed(self.shape):
            dense.append(step)
            step *= size
        in_order = all(s == d or n == 1 for s, d, n in zip(self.stride, reversed(dense), self.shape, strict=True))
        return in_order and not self.offset and not self.storage.start and self.numel == self.storage.numel

    def check(self, key: str) -> None:
        """Refuse what does not lie within its storage, or lies upon itself.

        Raises:
            CheckpointError: so many dimensions, such sizes, strides or offset cannot be; names `key`.
        """
        if len(self.shape) > MOST_DIMENSIONS or len(self.stride) != len(self.shape):
            msg = f"{key} claims {len(self.shape)} dimensions with {len(self.stride)} strides; the file is damaged"
            raise CheckpointError(msg)
        if min((*self.shape, *self.stride, self.offset, self.storage.start)) < 0:
            msg = f"{key} claims a negative size, stride or offset; the file is damaged or made to do harm"
            raise CheckpointError(msg)
        if not self.numel:
            return
        end = 1
        for step, size in sorted((s, n) for s, n in zip(self.stride, self.shape, strict=True) if n > 1):
            if step < end:
                msg = (
                    f"{key} claims {self.numel:,} elements of which several are one in the file (shape {self.shape}, "
                    f"strides {self.stride}); such a tensor is made to fill the memory, or was saved after expand()"
                )
                raise CheckpointError(msg)
            end += step * (size - 1)
        if self.storage.start + self.offset + end > self.storage.numel:
            msg = f"{key} claims {self.shape} but its storage has only {self.storage.numel:,} elements; "
            msg += "the file is damaged"
            raise CheckpointError(msg)


def check_amount(claims: Mapping[str, TensorClaim]) -> None:
    """Refuse tensors that are too much together, each of which `TensorClaim.check` has passed.

    Raises:
        CheckpointError: says how much.
    """
    storages = {claim.storage.key: claim.storage for claim in claims.values()}
    raw = sum(storage.num_bytes for storage in storages.values())
    made = sum(claim.numel * max(4, claim.dtype.itemsize) for claim in claims.values())
    if max(raw, made) > MOST_WEIGHTS:
        msg = (
            f"the tensors would take {max(raw, made) / MEBIBYTE:,.0f} MiB, expected at most "
            f"{MOST_WEIGHTS // MEBIBYTE} MiB; the classic networks take 208 MiB or less"
        )
        raise CheckpointError(msg)
