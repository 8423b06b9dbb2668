"""Palettes as text: hex lists, GIMP, JASC, Paint.NET and JSON, each with its reader and its writer."""

from __future__ import annotations

import json
from typing import Any

from ...errors import PaletteError
from .raw import Colors

_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")


def read_hex(data: bytes) -> tuple[Colors, str]:
    """Lines of six hex digits, or three, with or without "#"; the inverse of `write_hex`."""
    words = [(number, line.strip()) for number, line in enumerate(_lines(data), 1)]
    found = [(number, word) for number, word in words if word and not word.startswith((";", "//"))]
    return [_hex(word.removeprefix("#"), f"line {number}") for number, word in found], ""


def write_hex(colors: Colors, name: str) -> bytes:  # noqa: ARG001
    """A line of six hex digits for each colour, as Lospec writes it."""
    return "".join(f"{bytes(color).hex()}\n" for color in colors).encode()


def read_paint_net(data: bytes) -> tuple[Colors, str]:
    """Lines of AARRGGBB, comments after ";" (https://www.getpaint.net/doc/latest/WorkingWithPalettes.html).

    Entries that are wholly transparent are no colours, and left out.

    Raises:
        PaletteError: a line that is half transparent, or no colour.
    """
    colors: Colors = []
    name = ""
    for number, line in enumerate(_lines(data), 1):
        word, _, comment = (part.strip() for part in line.partition(";"))
        if comment.lower().startswith("palette name:"):
            name = comment.partition(":")[2].strip()
        if not word:
            continue
        alpha, digits = (word[:2].lower(), word[2:]) if len(word) == 8 else ("ff", word)
        color = _hex(digits, f"line {number}", short=False)
        if alpha not in ("00", "ff"):
            msg = (
                f"line {number}: {word!r} is half transparent, and a palette's colours are opaque; expected FF before "
                "the six digits of the colour, or 00 for an entry that is left out"
            )
            raise PaletteError(msg)
        if alpha == "ff":
            colors.append(color)
    return colors, name


def write_paint_net(colors: Colors, name: str) -> bytes:
    """A Paint.NET palette; the inverse of `read_paint_net`."""
    head = [";paint.net Palette File", *([f";Palette Name: {name}"] if name else []), f";Colors: {len(colors)}"]
    return _encode([*head, *(f"FF{bytes(color).hex().upper()}" for color in colors)])


def read_gimp(data: bytes) -> tuple[Colors, str]:
    """The header, optional Name and Columns, then "r g b name" lines; "#" begins a comment."""
    lines = _lines(data)
    if not lines or lines[0].strip() != "GIMP Palette":
        msg = f"line 1: expected 'GIMP Palette', got {lines[0].strip()[:40] if lines else ''!r}"
        raise PaletteError(msg)
    colors: Colors = []
    name = ""
    for number, line in enumerate(lines[1:], 2):
        word = line.strip()
        key, _, value = word.partition(":")
        if key.lower() == "name":
            name = value.strip()
        elif word and not word.startswith("#") and key.lower() not in ("columns", "channels"):
            colors.append(_decimals(word.split()[:3], number))
    return colors, name


def write_gimp(colors: Colors, name: str) -> bytes:
    """A GIMP palette; the inverse of `read_gimp`."""
    head = ["GIMP Palette", *([f"Name: {name}"] if name else []), "Columns: 16", "#"]
    return _encode([*head, *("{:3d} {:3d} {:3d}\t{}".format(*color, bytes(color).hex()) for color in colors)])


def read_jasc(data: bytes) -> tuple[Colors, str]:
    """Lines: JASC-PAL, 0100, the number of colours, then "r g b" or "r g b a" for each."""
    words = [(number, line.split()) for number, line in enumerate(_lines(data), 1) if line.strip()]
    head = [" ".join(word)[:40] for _, word in words[:3]]
    if len(head) < 3 or head[0] != "JASC-PAL" or not head[2].isdecimal():
        msg = f"line 1: expected 'JASC-PAL', '0100' and the number of colours, got {head}"
        raise PaletteError(msg)
    colors = [_decimals(word[:3], number) for number, word in words[3:]]
    if len(colors) != int(head[2]):
        msg = f"line 3 says {head[2]} colours, but {len(colors)} follow; the file may be cut short"
        raise PaletteError(msg)
    return colors, ""


def write_jasc(colors: Colors, name: str) -> bytes:  # noqa: ARG001
    """A JASC palette, with the line ends that Paint Shop Pro writes; the inverse of `read_jasc`."""
    lines = ["JASC-PAL", "0100", str(len(colors)), *(" ".join(map(str, color)) for color in colors)]
    return "".join(f"{line}\r\n" for line in lines).encode()


def read_json(data: bytes) -> tuple[Colors, str]:
    """A list of colours, or an object with "colors" and maybe "name"; a colour is a hex text or `[r, g, b]`."""
    text = "\n".join(_lines(data))
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = f"is no JSON ({str(error)[:100]}); expected a list of colours"
        raise PaletteError(msg) from error
    entries: Any = value.get("colors") if isinstance(value, dict) else value
    if not isinstance(entries, list):
        msg = f'expected a list of colours, or an object with one under "colors", got {str(value)[:40]!r}'
        raise PaletteError(msg)
    name = value.get("name") if isinstance(value, dict) else ""
    colors = [_json_color(entry, f"colour {number}") for number, entry in enumerate(entries, 1)]
    return colors, name.strip() if isinstance(name, str) else ""


def write_json(colors: Colors, name: str) -> bytes:
    """An object with "name" and "colors"; the inverse of `read_json`."""
    value = {"name": name, "colors": ["#" + bytes(color).hex() for color in colors]}
    return _encode([json.dumps(value, ensure_ascii=False, indent=2)])


def _json_color(entry: object, place: str) -> tuple[int, int, int]:
    if isinstance(entry, str):
        return _hex(entry.strip().removeprefix("#"), place)
    if isinstance(entry, list) and len(entry) == 3 and all(type(v) is int and 0 <= v <= 255 for v in entry):
        return entry[0], entry[1], entry[2]
    msg = f"{place}: {str(entry)[:40]!r} is no colour; expected 3 or 6 hex digits, or [red, green, blue] from 0 to 255"
    raise PaletteError(msg)


def _lines(data: bytes) -> list[str]:
    try:
        return data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        msg = "is no text; expected a text file of colours"
        raise PaletteError(msg) from error


def _encode(lines: list[str]) -> bytes:
    """UTF-8; what is no character (a lone surrogate, as broken file names have) becomes a question mark."""
    return "".join(f"{line}\n" for line in lines).encode(errors="replace")


def _hex(word: str, place: str, *, short: bool = True) -> tuple[int, int, int]:
    """A colour of six hex digits, or where they may be `short` of three, each of which stands for two."""
    if len(word) not in ((3, 6) if short else (6,)) or not set(word) <= _HEX_DIGITS:
        msg = f"{place}: {word[:40]!r} is no colour; expected {'3 or ' * short}6 hex digits such as 1a1c2c"
        raise PaletteError(msg)
    red, green, blue = bytes.fromhex(word if len(word) == 6 else "".join(digit * 2 for digit in word))
    return red, green, blue


def _decimals(words: list[str], number: int) -> tuple[int, int, int]:
    values = [int(word) if word.isdecimal() and len(word) <= 3 else -1 for word in words]
    if len(values) != 3 or not all(0 <= value <= 255 for value in values):
        msg = f"line {number}: {' '.join(words)[:40]!r} is no colour; expected red, green and blue from 0 to 255"
        raise PaletteError(msg)
    return values[0], values[1], values[2]
