"""Reads palette files: hex lists, GIMP, JASC, Paint.NET, and small pictures."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import torch

from ..errors import ImageError, PaletteError
from ..image import READ_SUFFIXES, read_rgba, to_uint8
from .core import Palette

MAX_PICTURE_COLORS = 1024
"""A picture with more colours than this is taken for a picture, not for a palette."""

_MAX_BYTES = 2**20


def read_palette(path: str | os.PathLike[str]) -> Palette:
    """Read a palette; the file name's ending says how.

    `.hex` (a hex colour a line), `.gpl` (GIMP), `.pal` (JASC, as Paint Shop Pro and Aseprite write it), `.txt`
    (Paint.NET), or a picture, whose distinct colours are taken in reading order, transparent pixels left out.

    Raises:
        PaletteError: missing, of another kind, malformed (the line is named), or without colours.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in PALETTE_SUFFIXES:
        msg = f"{path}: {suffix or 'no ending'!r} is no palette file; expected one of {', '.join(PALETTE_SUFFIXES)}"
        raise PaletteError(msg)
    if suffix in READ_SUFFIXES:
        return _from_picture(path)
    lines = _read_lines(path)
    try:
        colors, name = _PARSERS[suffix](lines)
    except PaletteError as error:
        msg = f"{path}: {error}"
        raise PaletteError(msg) from error
    if not colors:
        msg = f"{path}: holds no colours; expected at least one"
        raise PaletteError(msg)
    return Palette(torch.tensor(colors, dtype=torch.uint8), name or path.stem)


_Colors = list[tuple[int, ...]]


def _read_lines(path: Path) -> list[str]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            msg = f"{path}: is larger than a palette file should be ({path.stat().st_size} bytes)"
            raise PaletteError(msg)
        data = path.read_bytes()
    except OSError as error:
        msg = f"{path}: cannot be read ({error.strerror or error})"
        raise PaletteError(msg) from error
    if data[:4] == b"RIFF":
        msg = f"{path}: is a Microsoft RIFF palette, which is not read; save it as JASC .pal, .gpl or .hex"
        raise PaletteError(msg)
    try:
        return data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        msg = f"{path}: is no text; expected a text file of colours"
        raise PaletteError(msg) from error


def _parse_hex_lines(lines: list[str]) -> tuple[_Colors, str]:
    colors: _Colors = []
    for number, line in enumerate(lines, 1):
        word = line.strip()
        if word and not word.startswith((";", "//")):
            colors.append(_hex(word.removeprefix("#"), number))
    return colors, ""


def _parse_paint_net(lines: list[str]) -> tuple[_Colors, str]:
    """Lines of AARRGGBB, comments after ";" (https://www.getpaint.net/doc/latest/WorkingWithPalettes.html)."""
    colors: _Colors = []
    name = ""
    for number, line in enumerate(lines, 1):
        word, _, comment = (part.strip() for part in line.partition(";"))
        if comment.lower().startswith("palette name:"):
            name = comment.partition(":")[2].strip()
        if not word:
            continue
        if len(word) == 8 and word[:2].lower() != "ff":
            msg = f"line {number}: {word!r} is not opaque; expected FF before the six digits of the colour"
            raise PaletteError(msg)
        colors.append(_hex(word[2:] if len(word) == 8 else word, number))
    return colors, name


def _parse_gimp(lines: list[str]) -> tuple[_Colors, str]:
    """The header, optional Name and Columns, then "r g b name" lines; "#" begins a comment."""
    if not lines or lines[0].strip() != "GIMP Palette":
        msg = f"line 1: expected 'GIMP Palette', got {lines[0].strip()[:40] if lines else ''!r}"
        raise PaletteError(msg)
    colors: _Colors = []
    name = ""
    for number, line in enumerate(lines[1:], 2):
        word = line.strip()
        key, _, value = word.partition(":")
        if key.lower() == "name":
            name = value.strip()
        elif word and not word.startswith("#") and key.lower() not in ("columns", "channels"):
            colors.append(_decimals(word.split()[:3], number))
    return colors, name


def _parse_jasc(lines: list[str]) -> tuple[_Colors, str]:
    """Lines: JASC-PAL, 0100, the number of colours, then "r g b" or "r g b a" for each."""
    words = [(number, line.split()) for number, line in enumerate(lines, 1) if line.strip()]
    head = [" ".join(word) for _, word in words[:3]]
    if len(head) < 3 or head[0] != "JASC-PAL" or not head[2].isdecimal():
        msg = f"line 1: expected 'JASC-PAL', '0100' and the number of colours, got {head}"
        raise PaletteError(msg)
    colors = [_decimals(word[:3], number) for number, word in words[3:]]
    if len(colors) != int(head[2]):
        msg = f"line 3 says {head[2]} colours, but {len(colors)} follow; the file may be cut short"
        raise PaletteError(msg)
    return colors, ""


def _hex(word: str, number: int) -> tuple[int, ...]:
    try:
        value = bytes.fromhex(word) if len(word) == 6 else b""
    except ValueError:
        value = b""
    if len(value) != 3:
        msg = f"line {number}: {word[:40]!r} is no colour; expected six hex digits such as 1a1c2c"
        raise PaletteError(msg)
    return tuple(value)


def _decimals(words: list[str], number: int) -> tuple[int, ...]:
    values = [int(word) if word.isdecimal() else -1 for word in words]
    if len(values) != 3 or not all(0 <= value <= 255 for value in values):
        msg = f"line {number}: {' '.join(words)[:40]!r} is no colour; expected red, green and blue from 0 to 255"
        raise PaletteError(msg)
    return tuple(values)


def _from_picture(path: Path) -> Palette:
    try:
        pixels = to_uint8(read_rgba(path))[0].flatten(1).T  # n 4
    except ImageError as error:
        raise PaletteError(str(error)) from error
    colors = pixels[pixels[:, 3] > 127, :3]
    if len(colors) == 0:
        msg = f"{path}: every pixel is transparent; expected a picture that shows the palette's colours"
        raise PaletteError(msg)
    distinct, inverse = colors.unique(dim=0, return_inverse=True)
    if len(distinct) > MAX_PICTURE_COLORS:
        msg = (
            f"{path}: {len(distinct)} colours make a picture, not a palette (at most {MAX_PICTURE_COLORS}); "
            "give a number of colours instead, or a picture of the palette alone"
        )
        raise PaletteError(msg)
    first = torch.full((len(distinct),), len(colors)).scatter_reduce(0, inverse, torch.arange(len(colors)), "amin")
    return Palette(distinct[first.argsort()], path.stem)


_PARSERS: dict[str, Callable[[list[str]], tuple[_Colors, str]]] = {
    ".hex": _parse_hex_lines,
    ".gpl": _parse_gimp,
    ".pal": _parse_jasc,
    ".txt": _parse_paint_net,
}

PALETTE_SUFFIXES = (*_PARSERS, *READ_SUFFIXES)
"""File name endings that `read_palette` understands."""
