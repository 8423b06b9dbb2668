"""Palettes that follow from a rule: so many bits or levels a channel, in the order of the hardware's own numbers."""

from __future__ import annotations

import colorsys
import itertools
from collections.abc import Iterable

_Color = tuple[int, int, int]

# IBM's VGA BIOS: six-bit levels of brightness by how strong a hue is, for three intensities times three saturations.
_VGA_RAMPS = (
    ((0, 16, 31, 47, 63), (31, 39, 47, 55, 63), (45, 49, 54, 58, 63)),
    ((0, 7, 14, 21, 28), (14, 17, 21, 24, 28), (20, 22, 24, 26, 28)),
    ((0, 4, 8, 12, 16), (8, 10, 12, 14, 16), (11, 12, 13, 15, 16)),
)
_VGA_GREYS = (0, 5, 8, 11, 14, 17, 20, 24, 28, 32, 36, 40, 45, 50, 56, 63)


def _hex(colors: Iterable[tuple[int, ...]]) -> str:
    return " ".join(bytes(color).hex() for color in dict.fromkeys(colors))


def _level(value: int, most: int) -> int:
    return round(255 * value / most)


def _greys(count: int) -> str:
    return _hex((_level(i, count - 1),) * 3 for i in range(count))


def _cube(levels: Iterable[int]) -> str:
    """Every mixture; red is the slowest, blue the fastest."""
    return _hex((red, green, blue) for red, green, blue in itertools.product(tuple(levels), repeat=3))


def _low_bits_first(bits: int) -> str:
    """Numbers whose lowest bits are red, then green, then blue, as Sega's consoles store them."""
    levels = [_level(value, 2**bits - 1) for value in range(2**bits)]
    return _hex((red, green, blue) for blue, green, red in itertools.product(levels, repeat=3))


def _ega() -> list[_Color]:
    """Six bits rgbRGB: capitals add two thirds, small letters one third."""
    return [
        (
            0xAA * (n >> 2 & 1) + 0x55 * (n >> 5 & 1),
            0xAA * (n >> 1 & 1) + 0x55 * (n >> 4 & 1),
            0xAA * (n & 1) + 0x55 * (n >> 3 & 1),
        )
        for n in range(64)
    ]


def _vga() -> list[_Color]:
    """16 of EGA, 16 greys, then for each ramp 24 hues from blue over red and green; six bits a channel."""
    text = [tuple(round(v * 63 / 255) for v in color) for color in _rgbi()]
    hues = [colorsys.hsv_to_rgb((2 / 3 + step / 24) % 1, 1, 1) for step in range(24)]
    turned = [
        tuple(ramp[round(4 * channel)] for channel in hue) for level in _VGA_RAMPS for ramp in level for hue in hues
    ]
    six = [*text, *((grey,) * 3 for grey in _VGA_GREYS), *turned]
    return [(r << 2 | r >> 4, g << 2 | g >> 4, b << 2 | b >> 4) for r, g, b in six]


def _rgbi() -> list[_Color]:
    """IBM's 16 colours: a bit each for intensity, red, green and blue; dark yellow is brown."""
    colors = [
        (0xAA * (n >> 2 & 1) + 0x55 * (n >> 3), 0xAA * (n >> 1 & 1) + 0x55 * (n >> 3), 0xAA * (n & 1) + 0x55 * (n >> 3))
        for n in range(16)
    ]
    colors[6] = (0xAA, 0x55, 0)
    return colors


def _sam() -> list[_Color]:
    """Two bits a channel, and half a step more for all three together."""
    levels = itertools.product(range(4), repeat=3)
    return [
        (_level(2 * g1 + bright, 7), _level(2 * r1 + bright, 7), _level(2 * b1 + bright, 7))
        for r1, g1, b1 in levels
        for bright in (0, 1)
    ]


def _cpc() -> list[_Color]:
    """Three levels a channel; Locomotive BASIC counts blue as 1, red as 3 and green as 9."""
    levels = (0, 128, 255)
    return [(red, green, blue) for green, red, blue in itertools.product(levels, repeat=3)]


def _msx2_fixed() -> list[_Color]:
    """Screen 8: three bits of green, three of red, two of blue."""
    return [(_level(n >> 2 & 7, 7), _level(n >> 5, 7), _level(n & 3, 3)) for n in range(256)]


def _xterm() -> str:
    cube = _cube((0, 95, 135, 175, 215, 255))
    greys = _hex((8 + 10 * i,) * 3 for i in range(24))
    return f"{cube} {greys}"


FORMULAS: dict[str, tuple[str, str]] = {
    "grey-4": (_greys(4), "four even steps of grey, 2 bits"),
    "grey-8": (_greys(8), "eight even steps of grey, 3 bits"),
    "grey-16": (_greys(16), "sixteen even steps of grey, 4 bits"),
    "rgb-3-bit": (_cube((0, 255)), "one bit a channel: Teletext, BBC Micro, Oric, NEC PC-8801, Sinclair QL"),
    "amstrad-cpc": (_hex(_cpc()), "Amstrad CPC: 27 colours, three levels a channel, in BASIC's order"),
    "ega-64": (_hex(_ega()), "IBM Enhanced Graphics Adapter: all 64 colours, by number"),
    "master-system": (_low_bits_first(2), "Sega Master System: 64 colours, 2 bits a channel"),
    "sam-coupe": (_hex(_sam()), "SAM Coupé: 128 colours, 2 bits a channel and a common half step"),
    "web-safe": (_cube(range(0, 256, 51)), "Netscape's 216 colours, steps of 51"),
    "xterm-240": (_xterm(), "xterm colours 16 to 255 (256colres.pl): a cube of 216 and 24 greys"),
    "msx2-256": (_hex(_msx2_fixed()), "MSX2 (V9938), screen 8: 256 fixed colours, 3 bits of green and red, 2 of blue"),
    "vga-256": (_hex(_vga()), "IBM VGA BIOS, mode 13h: the start-up palette, repeats left out"),
    "mega-drive": (_low_bits_first(3), "Sega Mega Drive: 512 colours, 3 bits a channel; also the Atari ST's"),
}
"""Hex colours and where they come from, by name."""
