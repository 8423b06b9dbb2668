"""The named palettes: how many, their sources, and that rules give the hardware's known colours."""

from __future__ import annotations

import pytest

from pixel_models.palette import NAMED_PALETTES, PALETTE_SOURCES, find_palette


def test_there_are_many_and_the_first_four_stay_first() -> None:
    assert len(NAMED_PALETTES) >= 60
    assert list(NAMED_PALETTES)[:4] == ["1-bit", "gameboy", "pico-8", "sweetie-16"]


@pytest.mark.parametrize("name", NAMED_PALETTES)
def test_each_has_a_source_and_every_colour_once(name: str) -> None:
    palette = find_palette(name)
    assert name == name.lower().strip()
    assert len(palette) >= 2
    assert len(palette.colors.unique(dim=0)) == len(palette)
    assert len(PALETTE_SOURCES[name]) > 12


def test_no_two_are_the_same_list() -> None:
    assert len(set(NAMED_PALETTES.values())) == len(NAMED_PALETTES)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        *(
            ("gbc-grey", 4),
            ("cga", 16),
            ("c64", 16),
            ("c64-pepto", 16),
            ("zx-spectrum", 15),
            ("db16", 16),
            ("db32", 32),
        ),
        *(("endesga-32", 32), ("pico-8-extended", 32), ("atari-2600-ntsc", 128), ("msx", 16)),
        *(("amstrad-cpc", 27), ("ega-64", 64), ("sam-coupe", 128), ("web-safe", 216), ("xterm-240", 240)),
        *(("master-system", 64), ("mega-drive", 512), ("msx2-256", 256), ("rgb-3-bit", 8), ("tango", 27)),
    ],
)
def test_hardware_shows_so_many_colours(name: str, count: int) -> None:
    assert len(find_palette(name)) == count


@pytest.mark.parametrize(
    ("name", "index", "color"),
    [
        ("ega-64", 20, "#aa5500"),  # brown, as the BIOS sets it
        ("ega-64", 56, "#555555"),
        ("amstrad-cpc", 1, "#000080"),
        ("amstrad-cpc", 6, "#ff0000"),
        ("amstrad-cpc", 24, "#ffff00"),
        ("master-system", 3, "#ff0000"),
        ("mega-drive", 448, "#0000ff"),
        ("xterm-240", 196 - 16, "#ff0000"),
        ("xterm-240", 255 - 16, "#eeeeee"),
        ("msx2-256", 0xE0, "#00ff00"),
        ("vga-256", 6, "#aa5500"),
    ],
)
def test_a_rule_gives_the_colours_at_their_numbers(name: str, index: int, color: str) -> None:
    assert find_palette(name).to_hex()[index] == color


def test_the_vga_palette_holds_the_text_colours_and_known_hues() -> None:
    vga = find_palette("vga-256").to_hex()
    assert vga[:16] == find_palette("cga").to_hex()
    # a dark grey, a bright violet, a pale one, and the last entry before the black ones
    assert {"#141414", "#4100ff", "#9e7dff", "#2c3041"} <= set(vga)
    assert vga[-1] == "#2c3041"


def test_the_extended_palette_begins_with_the_plain_one() -> None:
    assert find_palette("pico-8-extended").to_hex()[:16] == find_palette("pico-8").to_hex()
