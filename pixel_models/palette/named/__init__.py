"""Palettes that go by a name, each with its source: hardware, systems, and what artists published."""

from __future__ import annotations

import os
from pathlib import Path

from ...errors import PaletteError
from ..core import Palette
from ..files import read_palette
from .artists import ARTISTS
from .classics import CLASSICS
from .computers import COMPUTERS
from .consoles import CONSOLES
from .formulas import FORMULAS

_ALL = {**CLASSICS, **ARTISTS, **CONSOLES, **COMPUTERS, **FORMULAS}

NAMED_PALETTES: dict[str, str] = {name: colors for name, (colors, _) in _ALL.items()}
"""Hex colours by name, no colour twice in a palette."""

PALETTE_SOURCES: dict[str, str] = {name: source for name, (_, source) in _ALL.items()}
"""Where each palette of `NAMED_PALETTES` comes from: the hardware and who measured it, or the palette's maker."""


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
