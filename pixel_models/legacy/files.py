"""Opens foreign weight files of any kind: first what they claim, then, when that is believed, their numbers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from torch import Tensor

from ..errors import CheckpointError
from ..weightfile import looks_like_safetensors, naming, read_header
from .choose import label_names, state_dict_of
from .claims import MEBIBYTE, MOST_DIMENSIONS, SAFETENSORS_DTYPES, StorageClaim, TensorClaim, check_amount
from .pickles import Machine
from .records import read_bytes, read_numbers, view_of
from .zips import Record, read_directory

MOST_PICKLE = 16 * MEBIBYTE

_STREAM_MAGIC = 0x1950A86A20F9469CFC6C
_STREAM_VERSION = 1001

_OTHER_KINDS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG", "a PNG picture"),
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"\x1f\x8b", "a gzip archive: unpack it first"),
    (0, b"7z\xbc\xaf", "a 7z archive: unpack it first"),
    (0, b"Rar!", "a RAR archive: unpack it first"),
    (257, b"ustar", "a tar archive: unpack it first (torch before 0.2 wrote such files: save it again)"),
    (0, b"\x89HDF", "an HDF5 file, which Keras writes"),
    (0, b"version https://git-lfs", "a pointer of Git LFS: fetch the file itself"),
)
"""Where, by which bytes, and as what other kinds of files are known."""


@dataclass(frozen=True)
class ForeignFile:
    """What a file claims to hold; `read` gets the numbers."""

    path: Path

    layout: str
    """How it was written, for people."""

    claims: Mapping[str, TensorClaim]
    """The tensors of its state dict, by key."""

    records: Mapping[str, Record]
    """Where each storage's bytes lie."""

    names: tuple[str, ...] = ()
    """What it calls its network's labels, in their order; empty where it says nothing."""

    def read(self, keys: Collection[str] | None = None, *, widen: bool = False) -> dict[str, Tensor]:
        """The tensors of `keys`, or all, on the CPU.

        Args:
            keys: of `claims`.
            widen: make floating tensors float32.

        Raises:
            CheckpointError: the file is cut off or damaged, or this is more than it may take of the memory.
        """
        with naming(self.path), self.path.open("rb") as file:
            wanted = {key: self.claims[key] for key in (self.claims if keys is None else keys)}
            check_amount(wanted)
            members: dict[str, list[str]] = {}
            for key, claim in wanted.items():
                members.setdefault(claim.storage.key, []).append(key)
            made: dict[str, Tensor] = {}
            for storage, its_keys in members.items():
                numbers = read_numbers(file, self.records[storage], storage)
                made |= {key: view_of(numbers, wanted[key], widen=widen) for key in its_keys}
            return {key: made[key] for key in wanted}


def open_foreign(path: Path) -> ForeignFile:
    """Read what a weight file claims to hold, without its numbers.

    Raises:
        CheckpointError: it is missing, cut off, damaged, no weight file, or made to do harm; says which.
    """
    with naming(path), path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(0)
        head = file.read(512)
        if head.startswith(b"PK"):
            found = _open_zip(path, file, size)
        elif looks_like_safetensors(head):
            found = _open_safetensors(path, file, size)
        else:
            _refuse_other_kinds(head)
            found = _open_stream(path, file, size)
        for key, claim in found.claims.items():
            claim.check(key)
        return found


def _refuse_other_kinds(head: bytes) -> None:
    kind = next((kind for at, magic, kind in _OTHER_KINDS if head[at:].startswith(magic)), "")
    text = head.strip().lower()
    if not head:
        kind = "empty: fetch it again"
    elif text.startswith((b"<!doctype", b"<html", b"<?xml")):
        kind = "a web page, perhaps one that asks for a login: fetch the file itself"
    elif not kind and head[:1] != b"\x80":
        printable = all(32 <= byte < 127 or byte in b"\t\r\n" for byte in head)
        kind = "a text" if printable else "nothing that this version knows"
    if kind:
        msg = f"it is {kind}; expected a .safetensors file or one that torch.save wrote (.pth, .pt)"
        raise CheckpointError(msg)


def _open_zip(path: Path, file: BinaryIO, size: int) -> ForeignFile:
    """The layout since torch 1.6: a zip archive with a pickle and a record for each storage."""
    records = read_directory(file, size)
    pickles = [name for name in records if name == "data.pkl" or name.endswith("/data.pkl")]
    if len(pickles) != 1:
        msg = f"it is a zip archive with {len(pickles)} records data.pkl, expected one, as torch.save writes it"
        raise CheckpointError(msg)
    folder = pickles[0].removesuffix("data.pkl")
    order = records.get(f"{folder}byteorder")
    if order is not None and read_bytes(file, order, "byteorder", 16) != b"little":
        msg = "its numbers are not little-endian; save it again on an ordinary computer"
        raise CheckpointError(msg)
    machine = Machine(read_bytes(file, records[pickles[0]], "data.pkl", MOST_PICKLE))
    value = machine.read()
    claims = state_dict_of(value)
    found: dict[str, Record] = {}
    for key, storage in machine.storages.items():
        record = records.get(f"{folder}data/{key}")
        if record is None or record.num_bytes != storage.num_bytes:
            there = "missing" if record is None else f"{record.num_bytes:,} bytes"
            msg = f"its storage {key[:40]!r} is {there}, expected {storage.num_bytes:,} bytes; the file is damaged"
            raise CheckpointError(msg)
        found[key] = record
    return ForeignFile(path, "zip archive of torch.save", claims, found, label_names(value))


def _open_stream(path: Path, file: BinaryIO, size: int) -> ForeignFile:
    """The layout before torch 1.6: five pickles, then each storage as its length and its numbers."""
    file.seek(0)
    machine = Machine(file.read(min(size, MOST_PICKLE)))
    first = machine.read()
    if first != _STREAM_MAGIC:
        msg = f"it is a pickle of a {type(first).__name__} that torch.save did not write; "
        msg += "ask its maker for a state_dict saved with torch.save, or a .safetensors file"
        raise CheckpointError(msg)
    version, system = machine.read(), machine.read()
    if version != _STREAM_VERSION or not isinstance(system, dict) or system.get("little_endian") is not True:
        msg = f"it says of itself that it is not a little-endian stream of version {_STREAM_VERSION}; save it again"
        raise CheckpointError(msg)
    value = machine.read()
    claims = state_dict_of(value)
    order = machine.read()
    if not isinstance(order, list) or not all(isinstance(key, str) for key in order):
        msg = "its list of storages is damaged; fetch the file again"
        raise CheckpointError(msg)
    if set(order) != machine.storages.keys():
        msg = "its list of storages is not the one that its tensors use; the file is damaged"
        raise CheckpointError(msg)
    found: dict[str, Record] = {}
    position = machine.position
    for key in order:
        storage = machine.storages[key]
        file.seek(position)
        length = int.from_bytes(file.read(8), "little")
        end = position + 8 + storage.num_bytes
        if end > size:
            msg = f"it breaks off: it has {size:,} bytes, expected {end:,} or more; fetch it again"
            raise CheckpointError(msg)
        if length != storage.numel:
            msg = f"its storage {key[:40]!r} has {length:,} elements, expected {storage.numel:,}; the file is damaged"
            raise CheckpointError(msg)
        found[key] = Record(position + 8, storage.num_bytes, None)
        position = end
    return ForeignFile(path, "stream of torch.save, as before torch 1.6", claims, found, label_names(value))


def _open_safetensors(path: Path, file: BinaryIO, size: int) -> ForeignFile:
    """A safetensors file: a header of JSON, then the numbers."""
    header, start = read_header(file, size)
    claims: dict[str, TensorClaim] = {}
    records: dict[str, Record] = {}
    for key, entry in header.items():
        if key != "__metadata__":
            claims[key], (begin, end) = _entry(key, entry)
            expected = claims[key].storage.num_bytes
            if not 0 <= begin <= end <= size - start or end - begin != expected:
                msg = f"{key[:80]!r} lies at bytes {begin} to {end} of {size - start}, expected {expected} bytes "
                raise CheckpointError(msg + "within the file; fetch it again")
            records[key] = Record(start + begin, expected, None)
    return ForeignFile(path, "safetensors file", state_dict_of(claims), records)


def _entry(key: str, entry: object) -> tuple[TensorClaim, tuple[int, int]]:
    """What a safetensors header says of one tensor, and where it says its bytes are."""
    told: dict[str, object] = entry if isinstance(entry, dict) else {}
    dtype, shape, place = told.get("dtype"), _whole_numbers(told.get("shape")), _whole_numbers(told.get("data_offsets"))
    if shape is None or place is None or len(place) != 2 or len(shape) > MOST_DIMENSIONS or min([*shape, 0]) < 0:
        msg = f"its header tells no shape and place of {key[:80]!r}; the file is damaged"
        raise CheckpointError(msg)
    if not isinstance(dtype, str) or dtype not in SAFETENSORS_DTYPES:
        msg = f"{key[:80]!r} has the dtype {str(dtype)[:20]!r}, expected one of {', '.join(SAFETENSORS_DTYPES)}"
        raise CheckpointError(msg)
    strides: list[int] = []
    step = 1
    for length in reversed(shape):
        strides.insert(0, step)
        step *= length
    storage = StorageClaim(key, SAFETENSORS_DTYPES[dtype], step)
    return TensorClaim(storage, 0, tuple(shape), tuple(strides)), (place[0], place[1])


def _whole_numbers(value: object) -> list[int] | None:
    if isinstance(value, list) and all(type(number) is int for number in value):
        return list(value)
    return None
