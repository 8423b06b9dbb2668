"""What the fuzzer does to a weight file: blindly anywhere, or inside its pickle or header with the rest kept right."""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
from collections.abc import Callable

LARGE = (0, 1, 0x7F, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**40, 2**60, 2**63 - 1, 2**64 - 1)
OPCODES = b"(.0123FIJKLMNPQRSTUVX]abcdeghijlopqrstu}\x80\x81\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x90\x93\x94\x95"
PIECES = (
    b"cposix\nsystem\n",
    b"c__builtin__\nexec\n",
    b"ctorch._utils\n_rebuild_tensor_v2\n",
    b"ccollections\nOrderedDict\n",
    b"\x8a\xff" + b"\x7f" * 255,
    b"r\xff\xff\xff\x7f",
    b"X\xff\xff\xff\x7f",
    b"B\xff\xff\xff\xff",
    b"]" * 40,
    b"(" * 40,
    b"}" * 40,
)
VALUES = (None, True, -1, 0, 2**63, 10**30, 1.5, "x", [], {}, [[[]]], "A" * 300, [10**9], [-1, 5], [0, 2**62])


def change(data: bytes, rng: random.Random) -> bytes:
    """One to four changes of one kind to a good file."""
    inside = _inside_zip if data[:2] == b"PK" else _inside_header if data[8:9] == b"{" else _near_start
    way = rng.choice((_anywhere, _near_end, _near_start, inside, inside, inside))
    return way(data, rng)


def _blind(data: bytes, rng: random.Random, place: Callable[[int], int]) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = min(place(len(changed)), max(0, len(changed) - 1))
        kind = rng.randrange(7)
        if not changed:
            break
        if kind == 0:
            changed[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            changed[at] = rng.randrange(256)
        elif kind == 2:
            size = rng.choice((1, 2, 4, 8))
            changed[at : at + size] = (rng.choice(LARGE) & (2 ** (8 * size) - 1)).to_bytes(size, rng.choice(_ORDERS))
        elif kind == 3:
            del changed[at : at + rng.randint(1, 64)]
        elif kind == 4:
            changed[at:at] = bytes(rng.randrange(256) for _ in range(rng.randint(1, 32)))
        elif kind == 5:
            start = rng.randrange(len(changed))
            changed[at:at] = changed[start : start + rng.randint(1, 400)]
        else:
            del changed[at:]
    return bytes(changed)


_ORDERS = ("little", "big")


def _anywhere(data: bytes, rng: random.Random) -> bytes:
    return _blind(data, rng, lambda size: rng.randrange(max(1, size)))


def _near_start(data: bytes, rng: random.Random) -> bytes:
    return _pickle(data, rng, 4096) if rng.random() < 0.5 else _blind(data, rng, lambda _: rng.randrange(4096))


def _near_end(data: bytes, rng: random.Random) -> bytes:
    return _blind(data, rng, lambda size: max(0, size - 1 - rng.randrange(3000)))


def _pickle(data: bytes, rng: random.Random, reach: int) -> bytes:
    """Change instructions."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(max(1, min(reach, len(changed))))
        kind = rng.randrange(3)
        if kind == 0:
            changed[at : at + 1] = bytes([rng.choice(OPCODES)])
        elif kind == 1:
            changed[at:at] = rng.choice(PIECES)
        else:
            changed[at:at] = bytes(rng.choice(OPCODES) for _ in range(rng.randint(1, 200)))
    return bytes(changed)


def _inside_zip(data: bytes, rng: random.Random) -> bytes:
    """Change the pickle or a record, and write an archive around it whose checksums are right."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as good, zipfile.ZipFile(made, "w") as bad:
        names = good.namelist()
        target = rng.choice([name for name in names if name.endswith("data.pkl")] * 8 + names)
        for name in names:
            content = good.read(name)
            if name == target:
                content = _pickle(content, rng, len(content)) if rng.random() < 0.6 else _anywhere(content, rng)
            how = zipfile.ZIP_DEFLATED if rng.random() < 0.005 else zipfile.ZIP_STORED
            bad.writestr(zipfile.ZipInfo(name), content, how)
    return made.getvalue()


def _inside_header(data: bytes, rng: random.Random) -> bytes:
    """Change what a safetensors header says; its length stays right."""
    (length,) = struct.unpack_from("<Q", data)
    header, numbers = json.loads(data[8 : 8 + length]), data[8 + length :]
    for _ in range(rng.randint(1, 3)):
        entry = header.get(rng.choice(list(header))) if header else None
        if isinstance(entry, dict) and entry and rng.random() < 0.8:
            field = rng.choice(list(entry))
            entry[field] = _other(entry[field], rng)
        elif header:
            header[rng.choice([*header, "more"])] = rng.choice(VALUES)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + numbers


def _other(value: object, rng: random.Random) -> object:
    if isinstance(value, list) and value and rng.random() < 0.7:
        changed = list(value)
        changed[rng.randrange(len(changed))] = rng.choice(VALUES)
        return changed
    if isinstance(value, str) and value.startswith("{") and rng.random() < 0.8:  # our config
        config = json.loads(value)
        config[rng.choice(list(config))] = rng.choice(VALUES)
        return json.dumps(config)
    return rng.choice((*VALUES, "F64", "BOOL", "I64", "F8_E4M3", "native_pixelate", "patch_discriminator"))
