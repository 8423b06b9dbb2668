"""Codes in files: `.npz`, or a PNG that shows them; nothing in such a file is run, nor believed before it is checked.

Both hold the same. In the PNG the pictures stand one below the other, one pixel a code: with up to 256 codes as colours
(those of `code_colors`), so that the file can go through a picture editor, with more as 16-bit greys; the rest is in a
text chunk.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import io
import json
import math
import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import CodesError, PixelModelError
from ..image import open_picture, png, write_bytes
from ..legacy.records import read_bytes
from ..legacy.zips import Record, read_directory
from .core import CodeGrid
from .picture import code_colors

CODES_SUFFIXES = (".npz", ".png")
"""Endings of the files that codes are kept in."""

MAX_FILE = 2**26
"""Bytes of the largest file that is read."""

MAX_PLACES = 2**23
"""The most codes in a file."""

MAX_PIXELS = 2**26
"""The most pixels that the pictures of a file have."""

_FORMAT = "pixel-kiln-codes-1"
_KEYWORD = "pixel-kiln-codes"
_FACTS = ("codebook_size", "patch", "height", "width")
_MAX_FACTS = 4096
_MAX_TEXT = 2**25
_GREY = 0
_NPY = re.compile(
    rb"\x93NUMPY\x01\0..\{'descr': '([|<]u[12])', 'fortran_order': False, 'shape': \(([\d, ]{1,40})\), \} *\n",
    re.DOTALL,
)


def save_codes(path: str | os.PathLike[str], codes: CodeGrid) -> None:
    """Write codes: into a hidden file beside it, then renamed. The inverse of `load_codes`.

    Args:
        path: a file that ends in `.npz` or `.png`; its folder must exist.
        codes: of any number of pictures.

    Raises:
        CodesError: another ending, more than is read again, or the file cannot be written there.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in CODES_SUFFIXES:
        msg = f"{path.name}: codes are kept in files that end in {' or '.join(CODES_SUFFIXES)}, got {path.suffix!r}"
        raise CodesError(msg)
    with _naming(path):
        _check_amount(codes.indices.numel(), len(codes) * codes.height * codes.width)
        write_bytes(path, _npz(codes) if kind == ".npz" else _png(codes))


def load_codes(path: str | os.PathLike[str]) -> CodeGrid:
    """Read codes, by what the file holds and not by its name. The inverse of `save_codes`.

    Raises:
        CodesError: it is missing, damaged, too large, made to do harm, or holds no codes; says which.
    """
    path = Path(path)
    with _naming(path), path.open("rb") as file:
        size = file.seek(0, 2)
        if size > MAX_FILE:
            msg = f"it has {size:,} bytes, expected at most {MAX_FILE:,}; files of codes are small"
            raise CodesError(msg)
        file.seek(0)
        head = file.read(8)
        if head.startswith(b"PK"):
            return _read_npz(file, size)
        if head == png.SIGNATURE:
            return _read_png(path)
        msg = f"it holds no codes; expected a file that save_codes wrote ({' or '.join(CODES_SUFFIXES)})"
        raise CodesError(msg)


def _facts_of(codes: CodeGrid) -> dict[str, Any]:
    return {"format": _FORMAT, "fingerprint": codes.fingerprint} | {name: getattr(codes, name) for name in _FACTS}


def _npz(codes: CodeGrid) -> bytes:
    facts = json.dumps(_facts_of(codes)).encode()
    arrays: dict[str, NDArray[Any]] = {
        "indices": codes.indices.numpy().astype("<u2" if codes.codebook_size > 256 else "u1"),
        "facts": np.frombuffer(facts, np.uint8),
    }
    if codes.transparent is not None:
        arrays["transparent"] = np.packbits(codes.transparent.numpy())
    into = io.BytesIO()
    np.savez(into, **arrays)  # pyright: ignore[reportArgumentType]  its stub takes the names for options
    return into.getvalue()


def _read_npz(file: BinaryIO, size: int) -> CodeGrid:
    records = read_directory(file, size)
    if not {"indices.npy", "facts.npy"} <= records.keys():
        msg = f"it is an archive of {', '.join(sorted(records)[:3]) or 'nothing'}; expected indices.npy and facts.npy"
        raise CodesError(msg)
    facts = _checked_facts(_array(file, records, "facts", _MAX_FACTS).tobytes())
    indices = _array(file, records, "indices", 2 * MAX_PLACES)
    clear = _array(file, records, "transparent", MAX_PIXELS // 8).tobytes() if "transparent.npy" in records else None
    if indices.ndim != 3:
        msg = f"its codes have the shape {indices.shape}, expected three axes: pictures, rows, columns"
        raise CodesError(msg)
    return _grid(indices, facts, clear)


def _array(file: BinaryIO, records: dict[str, Record], name: str, most: int) -> NDArray[Any]:
    """One array of whole numbers, of at most so many bytes."""
    data = read_bytes(file, records[f"{name}.npy"], f"{name}.npy", most + _MAX_FACTS)
    told = _NPY.match(data)
    shape = tuple(int(part) for part in told[2].decode().replace(",", " ").split()) if told else ()
    dtype = np.dtype(told[1].decode()) if told else np.dtype("u1")
    if told is None or not shape or math.prod(shape) * dtype.itemsize != len(data) - told.end() > 0:
        msg = f"its array {name} is no array of 8 or 16-bit numbers that fills its place; the file is damaged"
        raise CodesError(msg)
    return np.frombuffer(data, dtype, offset=told.end()).reshape(shape)


def _png(codes: CodeGrid) -> bytes:
    facts = _facts_of(codes) | {"pictures": len(codes)}
    if codes.transparent is not None:
        packed = zlib.compress(np.packbits(codes.transparent.numpy()).tobytes(), 9)
        facts["transparent"] = base64.b64encode(packed).decode()
    text = {_KEYWORD: json.dumps(facts)}
    rows = codes.indices.flatten(0, 1).numpy()  # b*h w
    if codes.codebook_size <= 256:
        colors = code_colors(codes.codebook_size).colors.numpy()
        return png.indexed_png(rows.astype(np.uint8), colors, clear=False, text=text)
    lines = np.zeros((len(rows), 1 + 2 * rows.shape[1]), np.uint8)  # each begins with its filter: none
    lines[:, 1:] = rows.astype(">u2").view(np.uint8)
    header = png.header_chunk(rows.shape[1], len(rows), 16, _GREY)
    data = png.chunk(b"IDAT", zlib.compress(lines.tobytes(), 9))
    return b"".join([png.SIGNATURE, header, png.text_chunks(text), data, png.END])


def _read_png(path: Path) -> CodeGrid:
    with open_picture(path, MAX_PLACES) as image:
        text, mode = image.info.get(_KEYWORD), image.mode
        pixels = np.asarray(image if mode.startswith("I") else image.convert("RGB"))
    if not isinstance(text, str):
        msg = f"it is a picture without the note {_KEYWORD!r}, so nothing says what its codes mean: "
        raise CodesError(msg + "some editors leave such notes out; encode the picture again")
    facts = _checked_facts(text.encode())
    if mode.startswith("I") != (facts["codebook_size"] > 256):
        msg = (
            f"its pixels are of the kind {mode}, not as for {facts['codebook_size']} codes; an editor has changed them"
        )
        raise CodesError(msg)
    rows = pixels.astype(np.int64) if pixels.ndim == 2 else _by_color(pixels, facts["codebook_size"])
    count = facts.get("pictures")
    if type(count) is not int or not 0 < count <= len(rows) or len(rows) % count:
        msg = f"its {len(rows)} rows are said to be {str(count)[:20]} pictures; the file is damaged"
        raise CodesError(msg)
    packed, clear = facts.get("transparent"), None
    if packed is not None:
        needed = -(-count * facts["height"] * facts["width"] // 8)
        clear = zlib.decompressobj().decompress(base64.b64decode(str(packed), validate=True), needed + 1)
    return _grid(rows.reshape(count, -1, rows.shape[1]), facts, clear)


def _by_color(pixels: NDArray[np.uint8], count: int) -> NDArray[np.int64]:
    """Codes `h w` that colours `h w 3` stand for."""
    colors = code_colors(count).colors.numpy()
    known, wanted = (part.astype(np.int64) @ [65536, 256, 1] for part in (colors, pixels))
    order = np.argsort(known)
    places = np.searchsorted(known, wanted, sorter=order).clip(max=count - 1)
    if (known[order[places]] != wanted).any():
        color = pixels[known[order[places]] != wanted][0]
        msg = (
            f"it has the colour #{bytes(color).hex()}, which stands for none of its {count} codes; an editor has mixed "
        )
        raise CodesError(msg + "colours or changed them: paint with the colours that are there, without smoothing")
    return order[places]


def _checked_facts(text: bytes) -> dict[str, Any]:
    """What a file says of its codes."""
    if len(text) > _MAX_TEXT:
        msg = f"its note has {len(text):,} bytes, expected at most {_MAX_TEXT:,}"
        raise CodesError(msg)
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = "its facts are no JSON; the file is damaged"
        raise CodesError(msg) from error
    if not isinstance(facts, dict) or facts.get("format") != _FORMAT:
        told = facts.get("format") if isinstance(facts, dict) else None
        msg = f"its format is {str(told)[:40]!r}, expected {_FORMAT!r}. Update the pack?"
        raise CodesError(msg)
    name = facts.get("fingerprint")
    wrong = [fact for fact in _FACTS if type(facts.get(fact)) is not int or not 0 < facts[fact] <= MAX_PIXELS]
    if wrong or not isinstance(name, str) or len(name) > 64:
        msg = f"its {', '.join(wrong) or 'fingerprint'} is not what it can be; the file is damaged"
        raise CodesError(msg)
    return facts


def _grid(indices: NDArray[Any], facts: dict[str, Any], clear: bytes | None) -> CodeGrid:
    pixels = len(indices) * facts["height"] * facts["width"]
    _check_amount(indices.size, pixels)
    mask = None
    if clear is not None:
        if len(clear) != -(-pixels // 8):
            msg = f"its transparency is not that of {pixels:,} pixels; the file is damaged"
            raise CodesError(msg)
        bits = np.unpackbits(np.frombuffer(clear, np.uint8), count=pixels).astype(bool)
        mask = torch.from_numpy(bits).view(len(indices), facts["height"], facts["width"])
    values = {name: facts[name] for name in _FACTS}
    made = torch.from_numpy(indices.astype(np.int64))
    return CodeGrid(indices=made, fingerprint=facts["fingerprint"], transparent=mask, **values)


def _check_amount(places: int, pixels: int) -> None:
    if places > MAX_PLACES or pixels > MAX_PIXELS:
        msg = (
            f"there are {places:,} codes for {pixels:,} pixels, expected at most {MAX_PLACES:,} for {MAX_PIXELS:,}; "
            "keep fewer pictures in a file"
        )
        raise CodesError(msg)


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Put the file's name before what is wrong with it, and make it a `CodesError`."""
    try:
        yield
    except FileNotFoundError as error:
        msg = f"{path}: there is no such file; expected codes"
        raise CodesError(msg) from error
    except OSError as error:
        msg = f"{path}: cannot be read ({error.strerror or error})"
        raise CodesError(msg) from error
    except MemoryError as error:
        msg = f"{path.name}: there is too little memory for it; close other programs"
        raise CodesError(msg) from error
    except (binascii.Error, zlib.error) as error:
        msg = f"{path.name}: its transparency cannot be unpacked ({error}); the file is damaged"
        raise CodesError(msg) from error
    except PixelModelError as error:
        told = str(error)
        raise CodesError(told if path.name in told else f"{path.name}: {told}") from error
