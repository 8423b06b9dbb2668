"""Palettes that go by a name."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import PaletteError
from .core import Palette
from .files import read_palette

NAMED_PALETTES: dict[str, str] = {
    "1-bit": "000000 ffffff",
    "gameboy": "0f380f 306230 8bac0f 9bbc0f",
    "pico-8": (
        "000000 1d2b53 7e2553 008751 ab5236 5f574f c2c3c7 fff1e8 "
        "ff004d ffa300 ffec27 00e436 29adff 83769c ff77a8 ffccaa"
    ),
    "sweetie-16": (
        "1a1c2c 5d275d b13e53 ef7d57 ffcd75 a7f070 38b764 257179 "
        "29366f 3b5dc9 41a6f6 73eff7 f4f4f4 94b0c2 566c86 333c57"
    ),
}
"""Hex colours by name: two inks; the green of a Game Boy; PICO-8's; Sweetie 16 by GrafxKid."""


def find_palette(name_or_path: str | os.PathLike[str]) -> Palette:
    """Take a palette by name, else read it from a file.

    Args:
        name_or_path: a key of `NAMED_PALETTES`, in any case, or the path of a palette file.

    Raises:
        PaletteError: neither a known name nor a palette file.
    """
    name = str(name_or_path).strip().lower()
    if name in NAMED_PALETTES:
        return Palette.from_hex(NAMED_PALETTES[name], name)
    if not Path(name_or_path).exists():
        msg = (
            f"{name_or_path!s}: there is no such palette file, and no palette of this name; "
            f"expected a file or one of {', '.join(NAMED_PALETTES)}"
        )
        raise PaletteError(msg)
    return read_palette(name_or_path)
