"""`read_palette` and `write_palette`: the file name's ending says how."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import torch

from ...errors import PaletteError
from ...image import READ_SUFFIXES, write_bytes
from ..core import Palette
from . import adobe, aseprite, riff, text
from .picture import read_picture, write_picture
from .raw import Colors

_MAX_BYTES = 2**20
# Sprites carry their pictures along.
_MAX_SPRITE_BYTES = 2**26


def read_palette(path: str | os.PathLike[str]) -> Palette:
    """Read a palette; the file name's ending says how.

    `.hex` (a hex colour a line), `.gpl` (GIMP), `.pal` (JASC, as Paint Shop Pro and Aseprite write it, or Microsoft's
    RIFF), `.ase` (Adobe Swatch Exchange, or a sprite), `.aco` (Photoshop swatches), `.act` (Photoshop colour table),
    `.txt` (Paint.NET), `.aseprite` (the palette of a sprite), `.json` (a list of colours, or an object that holds one
    under "colors", as Lospec gives it), or a picture, whose distinct colours are taken in reading order, transparent
    pixels left out.

    Raises:
        PaletteError: missing, of another kind, malformed (the place is named), too large, or without colours.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in PALETTE_SUFFIXES:
        msg = f"{path}: {suffix or 'no ending'!r} is no palette file; expected one of {', '.join(PALETTE_SUFFIXES)}"
        raise PaletteError(msg)
    if suffix in READ_SUFFIXES:
        return read_picture(path)
    data = _read_bytes(path, may_be_sprite=suffix in (".ase", ".aseprite"))
    try:
        colors, name = _READERS[suffix](data)
    except PaletteError as error:
        msg = f"{path}: {error}"
        raise PaletteError(msg) from error
    if not colors:
        msg = f"{path}: holds no colours; expected at least one"
        raise PaletteError(msg)
    return Palette(torch.tensor(colors, dtype=torch.uint8), name or path.stem)


def write_palette(path: str | os.PathLike[str], palette: Palette, *, scale: int = 1, riff_pal: bool = False) -> None:
    """Write a palette; the file name's ending says how. What it writes, `read_palette` reads back.

    Order and repeats are kept, except that a picture's repeats are read back once. The name is kept by `.gpl`, `.txt`,
    `.ase` and `.json`; the others have no place for it. Paint.NET itself takes only the first 96 colours of a `.txt`.

    Args:
        path: the file; its folder must exist. An existing file is replaced, whole or not at all.
        palette: what to write; at most 256 colours for `.act`, 1024 for `.png`, 65535 for `.pal`, `.aco` and sprites.
        scale: for `.png`, pixels along the side of each colour's square; Lospec has 1, 8 and 32.
        riff_pal: for `.pal`, Microsoft's RIFF instead of JASC.

    Raises:
        PaletteError: an ending that is not written, more colours than the format holds, or the file cannot be written.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in PALETTE_WRITE_SUFFIXES:
        known = ", ".join(PALETTE_WRITE_SUFFIXES)
        msg = f"{path}: {suffix or 'no ending'!r} cannot be written as a palette; expected one of {known}"
        raise PaletteError(msg)
    if suffix == ".png":
        write_picture(path, palette, scale)
        return
    writer = riff.write_riff if riff_pal and suffix == ".pal" else _WRITERS[suffix]
    colors = [(red, green, blue) for red, green, blue in palette.colors.tolist()]
    try:
        data = writer(colors, " ".join(palette.name.split()))
    except PaletteError as error:
        msg = f"{path}: {error}"
        raise PaletteError(msg) from error
    write_bytes(path, data, PaletteError)


def _read_bytes(path: Path, *, may_be_sprite: bool) -> bytes:
    most = _MAX_BYTES
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
            if may_be_sprite and aseprite.is_sprite(data):
                most = _MAX_SPRITE_BYTES
                data += file.read(most + 1 - len(data))
    except OSError as error:
        msg = f"{path}: cannot be read ({error.strerror or error})"
        raise PaletteError(msg) from error
    if len(data) > most:
        msg = f"{path}: is larger than a palette file should be (at most {most} bytes)"
        raise PaletteError(msg)
    return data


def _read_pal(data: bytes) -> tuple[Colors, str]:
    return riff.read_riff(data) if data[:4] == b"RIFF" else text.read_jasc(data)


def _read_ase(data: bytes) -> tuple[Colors, str]:
    """Two programs share the ending; their marks tell them apart."""
    return aseprite.read_sprite(data) if aseprite.is_sprite(data) else adobe.read_ase(data)


_READERS: dict[str, Callable[[bytes], tuple[Colors, str]]] = {
    ".hex": text.read_hex,
    ".gpl": text.read_gimp,
    ".pal": _read_pal,
    ".ase": _read_ase,
    ".aco": adobe.read_aco,
    ".act": adobe.read_act,
    ".txt": text.read_paint_net,
    ".aseprite": aseprite.read_sprite,
    ".json": text.read_json,
}

_WRITERS: dict[str, Callable[[Colors, str], bytes]] = {
    ".hex": text.write_hex,
    ".gpl": text.write_gimp,
    ".pal": text.write_jasc,
    ".ase": adobe.write_ase,
    ".aco": adobe.write_aco,
    ".act": adobe.write_act,
    ".txt": text.write_paint_net,
    ".aseprite": aseprite.write_sprite,
    ".json": text.write_json,
}

PALETTE_SUFFIXES = (*_READERS, *READ_SUFFIXES)
"""File name endings that `read_palette` understands."""

PALETTE_WRITE_SUFFIXES = (*_WRITERS, ".png")
"""File name endings that `write_palette` understands."""
