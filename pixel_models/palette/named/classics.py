"""The four palettes that come first."""

from __future__ import annotations

CLASSICS: dict[str, tuple[str, str]] = {
    "1-bit": (
        "000000 ffffff",
        "two inks: black and white",
    ),
    "gameboy": (
        "0f380f 306230 8bac0f 9bbc0f",
        "Nintendo Game Boy (DMG), the customary four greens",
    ),
    "pico-8": (
        (
            "000000 1d2b53 7e2553 008751 ab5236 5f574f c2c3c7 fff1e8 ff004d ffa300 ffec27 00e436 29adff 83769c "
            "ff77a8 ffccaa"
        ),
        "PICO-8 fantasy console by Lexaloffle, lexaloffle.com/pico-8.php",
    ),
    "sweetie-16": (
        (
            "1a1c2c 5d275d b13e53 ef7d57 ffcd75 a7f070 38b764 257179 29366f 3b5dc9 41a6f6 73eff7 f4f4f4 94b0c2 "
            "566c86 333c57"
        ),
        "Sweetie 16 by GrafxKid, lospec.com/palette-list/sweetie-16; TIC-80's default",
    ),
}
"""Hex colours and where they come from, by name."""
