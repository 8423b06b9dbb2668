"""A name that stays in its folder: one file name out of any text, good on every system."""

from __future__ import annotations

import re
import unicodedata

_LONGEST = 100
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
# What Windows refuses, and what separates folders anywhere; look-alikes that some systems fold into a slash go too.
_REFUSED = re.compile(r'[<>:"/\\|?*⁄∕⧵⧸／＼：]')


def safe_name(text: str, default: str = "sprite") -> str:
    """Turn any text into one file name without an ending, which can only lie in the folder it is put in.

    Separators, drive letters' colons, control and invisible characters and what Windows refuses become "_"; dots and
    blanks at either end go; device names such as CON get a "_" before them; at most 100 characters and 200 bytes of
    UTF-8 are kept, which leaves room for a number and an ending.

    Args:
        text: what somebody typed, a path or anything else.
        default: the name where nothing is left.
    """
    name = unicodedata.normalize("NFC", text)
    name = "".join("_" if unicodedata.category(letter)[0] in "CZ" and letter != " " else letter for letter in name)
    name = _REFUSED.sub("_", name)[:_LONGEST]
    name = name.encode("utf-8")[: 2 * _LONGEST].decode("utf-8", "ignore").strip(". ")
    if not name.strip("_. "):
        return default
    return f"_{name}" if _RESERVED.fullmatch(name) else name
