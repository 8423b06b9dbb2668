"""Adobe's palettes: Swatch Exchange (.ase), Photoshop swatches (.aco) and colour tables (.act); all big-endian.

Sources: Adobe, "Photoshop File Formats Specification" (2019), "Color Swatches" and "Color Table". Swatch Exchange is
not published; its layout, as programs agree: "ASEF", version, blocks of type, length, name, model and floats.
"""

from __future__ import annotations

import colorsys
import struct

from ...errors import PaletteError
from .raw import MAX_COLORS, Colors, Reader, check_count

_GROUP, _GROUP_END, _COLOR = 0xC001, 0xC002, 0x0001
_GLOBAL = 0
_RGB, _HSB = 0, 1
_SPACES = {2: "CMYK", 7: "Lab", 8: "grey", 9: "wide CMYK"}
_ACT_COLORS = 256


def read_ase(data: bytes) -> tuple[Colors, str]:
    """Read the RGB and grey swatches of an Adobe Swatch Exchange file; the inverse of `write_ase`.

    Raises:
        PaletteError: no such file, cut short, or a swatch in a colour space that needs a profile (CMYK, Lab).
    """
    reader = Reader(data, ">")
    if data[:4] != b"ASEF":
        msg = f"is no palette file of Adobe's: byte 0: expected b'ASEF', got {data[:4]!r}"
        raise PaletteError(msg)
    reader.take(4)
    reader.fields("HH")  # version
    colors: Colors = []
    name = ""
    for _ in range(reader.number("I")):
        kind, size = reader.fields("HI")
        block = reader.part(size)
        if kind == _GROUP:
            name = name or _read_string(block)
        elif kind == _COLOR:
            _read_string(block)
            colors.append(_read_swatch(block))
    return colors, name


def _read_string(block: Reader) -> str:
    text = block.take(2 * block.number("H"))
    return text.decode("utf-16-be", errors="replace").split("\0")[0].strip()


def _read_swatch(block: Reader) -> tuple[int, int, int]:
    place = block.place
    model = block.take(4)
    if model not in (b"RGB ", b"Gray"):
        msg = f"byte {place}: a swatch in {model!r}; expected b'RGB ' or b'Gray'; save the swatches as RGB"
        raise PaletteError(msg)
    values = block.fields("fff" if model == b"RGB " else "f")
    if not all(0 <= value <= 1 for value in values):
        msg = f"byte {place + 4}: {values} is no colour; expected values from 0 to 1"
        raise PaletteError(msg)
    levels = [round(value * 255) for value in values]
    red, green, blue = levels if len(levels) == 3 else levels * 3
    return red, green, blue


def write_ase(colors: Colors, name: str) -> bytes:
    """An Adobe Swatch Exchange file, in a group where the palette has a name; the inverse of `read_ase`."""
    blocks = [_block(_COLOR, _string(_code(color)) + _floats(color)) for color in colors]
    if name:
        blocks = [_block(_GROUP, _string(name)), *blocks, _block(_GROUP_END, b"")]
    return struct.pack(">4sHHI", b"ASEF", 1, 0, len(blocks)) + b"".join(blocks)


def _block(kind: int, data: bytes) -> bytes:
    return struct.pack(">HI", kind, len(data)) + data


def _code(color: tuple[int, int, int]) -> str:
    return "#" + bytes(color).hex()


def _string(text: str) -> bytes:
    """UTF-16 with a zero at the end, after its length in 16-bit units."""
    data = text[:1000].encode("utf-16-be", errors="replace") + b"\0\0"
    return struct.pack(">H", len(data) // 2) + data


def _floats(color: tuple[int, int, int]) -> bytes:
    return b"RGB " + struct.pack(">fffH", *(value / 255 for value in color), _GLOBAL)


def read_aco(data: bytes) -> tuple[Colors, str]:
    """Read the RGB and HSB swatches of a Photoshop swatch file, either version; the inverse of `write_aco`.

    Raises:
        PaletteError: no such file, cut short, or a swatch in a colour space that needs a profile (CMYK, Lab, grey).
    """
    reader = Reader(data, ">")
    version, count = reader.fields("HH")
    if version not in (1, 2):
        msg = f"byte 0: is no Photoshop swatch file; expected version 1 or 2, got {version}"
        raise PaletteError(msg)
    colors: Colors = []
    for _ in range(count):
        place = reader.place
        space, first, second, third, _ = reader.fields("5H")
        if version == 2:
            reader.take(2 * reader.number("I"))
        if space not in (_RGB, _HSB):
            kind = _SPACES.get(space, f"colour space {space}")
            msg = f"byte {place}: a swatch in {kind}; expected RGB or HSB; save the swatches as RGB"
            raise PaletteError(msg)
        values = (first / 65535, second / 65535, third / 65535)
        red, green, blue = (round(v * 255) for v in (colorsys.hsv_to_rgb(*values) if space == _HSB else values))
        colors.append((red, green, blue))
    return colors, ""


def write_aco(colors: Colors, name: str) -> bytes:  # noqa: ARG001
    """Photoshop swatches, version 1 and then version 2, as the specification asks; the inverse of `read_aco`.

    Raises:
        PaletteError: more than 65535 colours.
    """
    check_count(len(colors), MAX_COLORS, "an .aco file")
    plain = [struct.pack(">5H", _RGB, *(value * 257 for value in color), 0) for color in colors]
    named = [entry + b"\0\0" + _string(_code(color)) for entry, color in zip(plain, colors, strict=True)]
    first, second = (struct.pack(">HH", version, len(colors)) for version in (1, 2))
    return first + b"".join(plain) + second + b"".join(named)


def read_act(data: bytes) -> tuple[Colors, str]:
    """Read a Photoshop colour table: 256 colours, or as many as its last four bytes say; the inverse of `write_act`.

    Raises:
        PaletteError: the file is neither 768 nor 772 bytes long, or the count is not from 1 to 256.
    """
    if len(data) not in (3 * _ACT_COLORS, 3 * _ACT_COLORS + 4):
        msg = f"is no colour table; expected 768 or 772 bytes, got {len(data)}"
        raise PaletteError(msg)
    count = struct.unpack(">H", data[768:770])[0] if len(data) > 768 else _ACT_COLORS
    if not 1 <= count <= _ACT_COLORS:
        msg = f"byte 768: says {count} colours, expected 1 to {_ACT_COLORS}"
        raise PaletteError(msg)
    return [(data[i], data[i + 1], data[i + 2]) for i in range(0, 3 * count, 3)], ""


def write_act(colors: Colors, name: str) -> bytes:  # noqa: ARG001
    """A Photoshop colour table with its count and no transparent entry; the inverse of `read_act`.

    Raises:
        PaletteError: more than 256 colours.
    """
    check_count(len(colors), _ACT_COLORS, "an .act file")
    table = b"".join(bytes(color) for color in colors).ljust(3 * _ACT_COLORS, b"\0")
    return table + struct.pack(">HH", len(colors), 0xFFFF)
