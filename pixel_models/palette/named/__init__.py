"""Palettes that go by a name, each with its source: hardware, systems, and what artists published."""

from __future__ import annotations

import difflib
import os
import re
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

_SUGGESTED = 4
_ALIKE = 0.5
"""How like a name must be to be suggested, as `difflib` measures it."""


def find_palette(name_or_path: str | os.PathLike[str]) -> Palette:
    """Take a palette by name, else read it from a file, else from the text itself.

    Args:
        name_or_path: a key of `NAMED_PALETTES`, in any case and with any dashes and blanks; the path of a palette file;
            or hex colours such as "000 #ffffff" with commas or blanks between them. A name goes before a colour
            ("c64"), a file before both where the name is not exactly so; "#" makes sure of a colour.

    Raises:
        PaletteError: none of these, or a file that cannot be read.
    """
    text = str(name_or_path).strip()
    name = text.lower()
    if name in NAMED_PALETTES:
        return Palette.from_hex(NAMED_PALETTES[name], name)
    if _exists(Path(name_or_path)):
        return read_palette(name_or_path)
    words = re.split(r"[\s,;]+", text.strip(",; "))
    spelled = [key for key in NAMED_PALETTES if _letters(key) == _letters(name)]
    if len(spelled) == 1 and "#" not in text:
        return Palette.from_hex(NAMED_PALETTES[spelled[0]], spelled[0])
    if all(re.fullmatch(r"#?[0-9a-fA-F]+", word) for word in words):
        sure = "#" in text or len(words) > 1
        if sure or re.fullmatch(r"[0-9a-fA-F]{3}|[0-9a-fA-F]{6}", words[0]):
            return Palette.from_hex(words)
    near = _near(name)
    hint = f". Did you mean {' or '.join(near)}?" if near else ""
    msg = (
        f"{name_or_path!s}: there is no such palette file, and no palette of this name; expected a file, hex colours, "
        f"or one of the {len(NAMED_PALETTES)} names that `pixel-kiln palette list` tells{hint}"
    )
    raise PaletteError(msg)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a long text of colours is no file name
        return False


def _letters(name: str) -> str:
    """A name as it may be remembered: small letters and digits alone."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _near(name: str) -> list[str]:
    """The few names that are most like this one, those that contain it first."""
    letters = _letters(Path(name).stem)
    by_letters = {_letters(key): key for key in NAMED_PALETTES}
    holding = [key for key in by_letters if len(letters) > 1 and letters in key]
    alike = difflib.get_close_matches(letters, by_letters, _SUGGESTED, _ALIKE)
    return [by_letters[key] for key in dict.fromkeys([*holding, *alike])][:_SUGGESTED]
