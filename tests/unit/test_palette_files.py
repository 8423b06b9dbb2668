"""Palette files: every format there and back, read by other programs' readers, and hostile files refused."""

from __future__ import annotations

import json
import random
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import GimpPaletteFile, Image

from pixel_models.errors import PaletteError
from pixel_models.palette import PALETTE_SUFFIXES, PALETTE_WRITE_SUFFIXES, Palette, read_palette, write_palette

MINE = Palette.from_hex("1a1c2c f4f4f4 b13e53 000000 1a1c2d", "Night & day")
KEEP_NAMES = (".gpl", ".txt", ".ase", ".json")
BINARY = (".ase", ".aco", ".act", ".aseprite", ".riff")

some_colors = st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=1, max_size=256)


def written(folder: Path, suffix: str, palette: Palette = MINE) -> Path:
    """A file of this kind; ".riff" stands for a .pal of Microsoft's."""
    path = folder / ("p.pal" if suffix == ".riff" else f"p{suffix}")
    write_palette(path, palette, riff_pal=suffix == ".riff")
    return path


@pytest.mark.parametrize("suffix", [*PALETTE_WRITE_SUFFIXES, ".riff"])
def test_what_is_written_is_read_back(tmp_path: Path, suffix: str) -> None:
    back = read_palette(written(tmp_path, suffix))
    assert back == MINE
    assert back.name == (MINE.name if suffix in KEEP_NAMES else "p")
    assert [file.name for file in tmp_path.iterdir()] == ["p.pal" if suffix == ".riff" else f"p{suffix}"]


@pytest.mark.parametrize("suffix", [*PALETTE_WRITE_SUFFIXES, ".riff"])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(colors=some_colors)
def test_any_colours_come_back_in_order(tmp_path: Path, suffix: str, colors: list[tuple[int, int, int]]) -> None:
    expected = list(dict.fromkeys(colors)) if suffix == ".png" else colors
    palette = Palette(torch.tensor(colors, dtype=torch.uint8))
    assert read_palette(written(tmp_path, suffix, palette)).colors.tolist() == [list(color) for color in expected]


@pytest.mark.parametrize("scale", [1, 8, 32])
def test_a_lospec_picture_is_a_row_of_squares(tmp_path: Path, scale: int) -> None:
    write_palette(tmp_path / "p.png", MINE, scale=scale)
    with Image.open(tmp_path / "p.png") as image:
        pixels = np.asarray(image.convert("RGB"))
    assert pixels.shape == (scale, len(MINE) * scale, 3)
    assert np.array_equal(pixels, np.tile(np.repeat(MINE.colors.numpy(), scale, axis=0), (scale, 1, 1)))
    assert read_palette(tmp_path / "p.png") == MINE


def test_pillow_reads_the_gimp_palette(tmp_path: Path) -> None:
    with written(tmp_path, ".gpl").open("rb") as file:
        data, mode = GimpPaletteFile.GimpPaletteFile(file).getpalette()
    assert mode == "RGB"
    assert data[: 3 * len(MINE)] == MINE.colors.numpy().tobytes()


def test_names_cannot_break_the_lines_of_a_file(tmp_path: Path) -> None:
    sly = Palette.from_hex("ff0000", "one\n0 0 0\r\nName: two\u2028three\udc80")
    for suffix in PALETTE_WRITE_SUFFIXES:
        assert read_palette(written(tmp_path, suffix, sly)) == sly


def test_a_file_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(PaletteError, match=r"expected one of \.hex"):
        write_palette(tmp_path / "p.jpg", MINE)
    for name in ("p.hex", "p.png"):
        with pytest.raises(PaletteError, match="does not exist; make it first"):
            write_palette(tmp_path / "no" / name, MINE)
    many = Palette(torch.zeros(257, 3, dtype=torch.uint8))
    with pytest.raises(PaletteError, match="at most 256 colours, got 257"):
        write_palette(tmp_path / "p.act", many)
    with pytest.raises(PaletteError, match="at most 1024"):
        write_palette(tmp_path / "p.png", Palette(torch.zeros(1025, 3, dtype=torch.uint8)))
    huge = Palette(torch.zeros(65536, 3, dtype=torch.uint8))
    for suffix in (".riff", ".aco", ".aseprite"):
        with pytest.raises(PaletteError, match="at most 65535"):
            written(tmp_path, suffix, huge)
    with pytest.raises(PaletteError, match="scale is 0"):
        write_palette(tmp_path / "p.png", MINE, scale=0)
    assert list(tmp_path.iterdir()) == []


# --- what other programs write ---------------------------------------------------------------------------


def read_as(folder: Path, name: str, data: bytes) -> list[str]:
    (folder / name).write_bytes(data)
    return read_palette(folder / name).to_hex()


def test_adobe_swatches_in_grey_and_groups_are_read(tmp_path: Path) -> None:
    group = struct.pack(">HIH", 0xC001, 6, 2) + "g\0".encode("utf-16-be")
    grey = struct.pack(">HIHH4sfH", 1, 14, 1, 0, b"Gray", 0.2, 2)
    red = struct.pack(">HIHH4sfffH", 1, 22, 1, 0, b"RGB ", 1, 0, 0, 0)
    data = struct.pack(">4sHHI", b"ASEF", 1, 0, 4) + group + grey + red + struct.pack(">HI", 0xC002, 0)
    assert read_as(tmp_path, "a.ase", data) == ["#333333", "#ff0000"]
    assert read_palette(tmp_path / "a.ase").name == "g"


def test_photoshop_swatches_in_rgb_and_hsb_are_read(tmp_path: Path) -> None:
    plain = struct.pack(">HH5H5H", 1, 2, 0, 65535, 32768, 0, 0, 1, 43690, 65535, 65535, 0)
    assert read_as(tmp_path, "a.aco", plain) == ["#ff8000", "#0000ff"]
    named = struct.pack(">HH5HI", 2, 1, 0, 257, 514, 771, 0, 2) + "x\0".encode("utf-16-be")
    assert read_as(tmp_path, "b.aco", named) == ["#010203"]


def test_a_colour_table_without_a_count_has_256_colours(tmp_path: Path) -> None:
    assert len(read_as(tmp_path, "a.act", bytes(range(256)) * 3)) == 256


def test_riff_palettes_with_other_chunks_are_read(tmp_path: Path) -> None:
    chunks = struct.pack("<4sI4s", b"offl", 3, b"abc\0") + struct.pack("<4sIHH4B", b"data", 8, 0x300, 1, 1, 2, 3, 4)
    data = struct.pack("<4sI4s", b"RIFF", 4 + len(chunks), b"PAL ") + chunks
    assert read_as(tmp_path, "a.pal", data) == ["#010203"]


def sprite(*chunks: bytes, count: int | None = None) -> bytes:
    body = b"".join(chunks)
    number = len(chunks) if count is None else count
    frame = struct.pack("<IHHH2xI", 16 + len(body), 0xF1FA, min(number, 0xFFFF), 100, number) + body
    return struct.pack("<IHH", 128 + len(frame), 0xA5E0, 1).ljust(128, b"\0") + frame


def chunk(kind: int, data: bytes) -> bytes:
    return struct.pack("<IH", 6 + len(data), kind) + data


def test_short_hex_colours_are_read(tmp_path: Path) -> None:
    assert read_as(tmp_path, "a.hex", b"#fff\n1a2\n1a1c2c\n") == ["#ffffff", "#11aa22", "#1a1c2c"]
    assert read_as(tmp_path, "a.json", b'["#fff", "1a1c2c"]') == ["#ffffff", "#1a1c2c"]


def test_transparent_entries_of_paint_net_are_left_out(tmp_path: Path) -> None:
    assert read_as(tmp_path, "a.txt", b"; one\nFF1A1C2C\n00FFFFFF\nb13e53\n") == ["#1a1c2c", "#b13e53"]
    (tmp_path / "b.txt").write_text("FF1A1C2C\n80FFFFFF\n")
    with pytest.raises(PaletteError, match=r"b\.txt: line 2: '80FFFFFF' is half transparent"):
        read_palette(tmp_path / "b.txt")


def test_the_palette_of_a_sprite_is_read_old_and_new(tmp_path: Path) -> None:
    old = chunk(0x0004, struct.pack("<HBB6B", 1, 0, 2, 1, 2, 3, 4, 5, 6))
    oldest = chunk(0x0011, struct.pack("<HBB3B", 1, 1, 1, 63, 0, 63))
    named = struct.pack("<HBBBBH3s", 1, 9, 8, 7, 255, 3, b"abc") + struct.pack("<HBBBB", 0, 1, 1, 1, 0)
    new = chunk(0x2019, struct.pack("<III8x", 2, 0, 1) + named)
    other = chunk(0x2018, b"tags")
    assert read_as(tmp_path, "a.aseprite", sprite(other, old)) == ["#010203", "#040506"]
    assert read_as(tmp_path, "b.aseprite", sprite(oldest)) == ["#000000", "#ff00ff"]
    assert read_as(tmp_path, "c.ase", sprite(old, new)) == ["#090807"]


@pytest.mark.parametrize(
    "value",
    [["#010203", "ff0000"], {"name": " n ", "author": "x", "colors": ["010203", "FF0000"]}, [[1, 2, 3], [255, 0, 0]]],
)
def test_json_is_read_as_a_list_and_as_lospec_gives_it(tmp_path: Path, value: object) -> None:
    assert read_as(tmp_path, "a.json", json.dumps(value).encode()) == ["#010203", "#ff0000"]
    assert read_palette(tmp_path / "a.json").name == ("n" if isinstance(value, dict) else "a")


# --- hostile files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", BINARY)
def test_a_binary_file_cut_anywhere_is_refused(tmp_path: Path, suffix: str) -> None:
    path = written(tmp_path, suffix)
    data = path.read_bytes()
    # Photoshop reads version 1 alone; after a sprite's palette come pixels, and an .act without its count is whole.
    needed = {".aco": 4 + 10 * len(MINE), ".aseprite": 128, ".act": 768}.get(suffix, len(data))
    for length in range(needed):
        path.write_bytes(data[:length])
        with pytest.raises(PaletteError, match=r"expected|cut short"):
            read_palette(path)


HUGE = 0xFFFFFFFF
HOSTILE = {
    "count.ase": struct.pack(">4sHHI", b"ASEF", 1, 0, HUGE),
    "block.ase": struct.pack(">4sHHIHI", b"ASEF", 1, 0, 1, 1, HUGE),
    "name.ase": struct.pack(">4sHHIHIH", b"ASEF", 1, 0, 1, 1, 2, 0xFFFF),
    "cmyk.ase": struct.pack(">4sHHIHIHH4s4f", b"ASEF", 1, 0, 1, 1, 24, 1, 0, b"CMYK", 0, 0, 0, 0),
    "nan.ase": struct.pack(">4sHHIHIHH4s3fH", b"ASEF", 1, 0, 1, 1, 22, 1, 0, b"RGB ", float("nan"), 0, 0, 0),
    "none.ase": struct.pack(">4sHHI", b"ASEF", 1, 0, 0),
    "count.aco": struct.pack(">HH", 1, 0xFFFF),
    "name.aco": struct.pack(">HH5HI", 2, 1, 0, 0, 0, 0, 0, HUGE),
    "cmyk.aco": struct.pack(">HH5H", 1, 1, 2, 0, 0, 0, 0),
    "version.aco": struct.pack(">HH", 7, 1),
    "count.act": bytes(768) + struct.pack(">HH", 257, 0),
    "zero.act": bytes(772),
    "long.act": bytes(773),
    "count.pal": struct.pack("<4sI4s4sIHH", b"RIFF", HUGE, b"PAL ", b"data", 4, 0x300, 0xFFFF),
    "beyond.pal": struct.pack("<4sI4s4sIHH12x", b"RIFF", 28, b"PAL ", b"data", 4, 0x300, 3),
    "chunk.pal": struct.pack("<4sI4s4sI", b"RIFF", HUGE, b"PAL ", b"junk", HUGE),
    "wave.pal": struct.pack("<4sI4s", b"RIFF", 4, b"WAVE"),
    "digits.pal": b"JASC-PAL\n0100\n" + b"9" * 6000 + b"\n1 2 3\n",
    "digits.gpl": b"GIMP Palette\n" + b"1" * 6000 + b" 0 0\n",
    "chunk.aseprite": sprite(struct.pack("<IH", HUGE, 0x2019)),
    "short.aseprite": sprite(struct.pack("<IH", 0, 0x2019)),
    "chunks.aseprite": sprite(count=HUGE),
    "count.aseprite": sprite(chunk(0x2019, struct.pack("<III8x", HUGE, 0, HUGE - 1))),
    "range.aseprite": sprite(chunk(0x2019, struct.pack("<III8x", 1, 5, 0xFFFFFFF0) + bytes(6))),
    "packets.aseprite": sprite(chunk(0x0004, struct.pack("<H", 0xFFFF))),
    "skips.aseprite": sprite(chunk(0x0004, struct.pack("<H", 9) + struct.pack("<BB3x", 255, 1) * 9)),
    "many.aseprite": sprite(chunk(0x2019, struct.pack("<III8x", 70_000, 0, 69_999) + bytes(6 * 70_000))),
    "large.ase": struct.pack(">4sHHI", b"ASEF", 1, 0, 200_000) + struct.pack(">HI", 3, 0) * 200_000,
    "none.aseprite": sprite(),
    "deep.json": b"[" * 100_000,
    "digits.json": b"[" + b"9" * 6000 + b"]",
    "bool.json": b"[[true, 1, 2]]",
    "float.json": b"[[1.5, NaN, 2]]",
    "text.json": b'"ffffff"',
    "object.json": b'{"colors": {"a": 1}}',
    "empty.json": b"[]",
    "big.hex": b"ffffff\n" * 200_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_and_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(HOSTILE[name])
    with pytest.raises(PaletteError, match=name):
        read_palette(tmp_path / name)


def test_a_large_picture_is_refused_before_it_is_read(tmp_path: Path) -> None:
    Image.new("1", (2049, 2048)).save(tmp_path / "p.png")
    with pytest.raises(PaletteError, match=r"p\.png: 2049×2048 pixels"):
        read_palette(tmp_path / "p.png")
    Image.new("1", (2048, 2048)).save(tmp_path / "q.png")
    assert read_palette(tmp_path / "q.png").to_hex() == ["#000000"]


def test_a_large_sprite_is_read_for_its_palette(tmp_path: Path) -> None:
    new = chunk(0x2019, struct.pack("<III8xHBBBB", 1, 0, 0, 0, 1, 2, 3, 255))
    assert read_as(tmp_path, "a.ase", sprite(chunk(0x2005, bytes(3_000_000)), new)) == ["#010203"]


@pytest.mark.parametrize("suffix", [*(s for s in PALETTE_WRITE_SUFFIXES if s != ".png"), ".riff"])
def test_a_damaged_file_is_read_or_refused_but_never_breaks(tmp_path: Path, suffix: str) -> None:
    path = written(tmp_path, suffix)
    data = path.read_bytes()
    dice = random.Random(suffix)  # noqa: S311
    outcomes = []
    for _ in range(200):
        broken = bytearray(data)
        for _ in range(dice.randrange(1, 5)):
            broken[dice.randrange(len(broken))] = dice.choice((0, 1, 127, 128, 255))
        path.write_bytes(broken)
        try:
            outcomes.append(1 <= len(read_palette(path)) < 70_000)
        except PaletteError:
            outcomes.append(True)
    assert all(outcomes)
    assert len(outcomes) == 200


def test_every_ending_that_is_written_is_read() -> None:
    assert set(PALETTE_WRITE_SUFFIXES) < set(PALETTE_SUFFIXES)
    assert {".hex", ".gpl", ".pal", ".ase", ".aco", ".act", ".png", ".txt", ".aseprite", ".json"} == set(
        PALETTE_WRITE_SUFFIXES
    )
