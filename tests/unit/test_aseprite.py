"""Aseprite files: there and back, and files made by hand, byte by byte, after the published format."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pixel_models.errors import ImageError
from pixel_models.image import from_uint8, to_uint8
from pixel_models.palette import IndexedImage, Palette, read_palette
from pixel_models.sheets.core import Frame, SpriteSheet
from pixel_models.spritefiles import read_art, read_text, write_art

# --- a file by hand: nothing here comes from the package ----------------------------------------------------


def text(value: str) -> bytes:
    return struct.pack("<H", len(value.encode())) + value.encode()


def chunk(kind: int, data: bytes) -> bytes:
    return struct.pack("<IH", len(data) + 6, kind) + data


def layer(
    name: str = "L", *, flags: int = 1, kind: int = 0, level: int = 0, blend: int = 0, opacity: int = 255
) -> bytes:
    return chunk(0x2004, struct.pack("<HHHHHHBxxx", flags, kind, level, 0, 0, blend, opacity) + text(name))


def cel(
    pixels: Sequence[Sequence[int]] | bytes,
    size: tuple[int, int],
    *,
    of: int = 0,
    at: tuple[int, int] = (0, 0),
    opacity: int = 255,
    z: int = 0,
    raw: bool = False,
) -> bytes:
    data = pixels if isinstance(pixels, bytes) else b"".join(bytes(pixel) for pixel in pixels)
    head = struct.pack("<HhhBHh5xHH", of, *at, opacity, 0 if raw else 2, z, *size)
    return chunk(0x2005, head + (data if raw else zlib.compress(data)))


def link(frame: int, *, of: int = 0, at: tuple[int, int] = (0, 0), opacity: int = 255) -> bytes:
    return chunk(0x2005, struct.pack("<HhhBHh5xH", of, *at, opacity, 1, 0, frame))


def palette(*colors: tuple[int, int, int, int], first: int = 0, total: int | None = None) -> bytes:
    entries = b"".join(struct.pack("<H4B", 0, *color) for color in colors)
    last = first + len(colors) - 1
    return chunk(0x2019, struct.pack("<III8x", total or last + 1, first, last) + entries)


def sprite(
    *frames: Sequence[bytes],
    size: tuple[int, int] = (2, 1),
    depth: int = 32,
    flags: int = 1,
    clear: int = 0,
    times: Sequence[int] = (),
    speed: int = 100,
) -> bytes:
    bodies: list[bytes] = []
    for index, chunks in enumerate(frames):
        body = b"".join(chunks)
        time = times[index] if times else 100
        bodies.append(struct.pack("<IHHHxxI", len(body) + 16, 0xF1FA, len(chunks), time, len(chunks)) + body)
    rest = b"".join(bodies)
    head = struct.pack("<IHHHHHIH8xB3xH2B4H84x", 128 + len(rest), 0xA5E0, len(frames), *size, depth, flags, speed,
                       clear, 0, 1, 1, 0, 0, 0, 0)  # fmt: skip
    assert len(head) == 128
    return head + rest


def pixels_of(folder: Path, data: bytes) -> list[list[list[int]]]:
    """Every frame's pixels in reading order."""
    (folder / "a.aseprite").write_bytes(data)
    sheet = read_art(folder / "a.aseprite")
    return [to_uint8(frame.rgba).flatten(1).T.tolist() for frame in sheet.frames]


R, G, B = (255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 255, 255)
W, K, NONE = (255, 255, 255, 255), (0, 0, 0, 255), (0, 0, 0, 0)


def as_lists(*pixels: Sequence[int]) -> list[list[int]]:
    return [list(pixel) for pixel in pixels]


# --- reading ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("raw", [False, True])
def test_rgba_pixels_are_read(tmp_path: Path, raw: bool) -> None:
    data = sprite([layer(), cel([R, (1, 2, 3, 4)], (2, 1), raw=raw)])
    assert pixels_of(tmp_path, data) == [as_lists(R, (1, 2, 3, 4))]


def test_grey_pixels_are_read(tmp_path: Path) -> None:
    data = sprite([layer(), cel([(7, 255), (200, 128)], (2, 1))], depth=16)
    assert pixels_of(tmp_path, data) == [as_lists((7, 7, 7, 255), (200, 200, 200, 128))]


def test_indices_are_read_with_the_transparent_one_and_alpha_of_the_palette(tmp_path: Path) -> None:
    colors = palette(R, G, (9, 8, 7, 6), W)
    data = sprite([colors, layer(), cel(bytes([0, 1, 2, 3]), (4, 1))], size=(4, 1), depth=8, clear=1)
    assert pixels_of(tmp_path, data) == [as_lists(R, NONE, (9, 8, 7, 6), W)]


def test_a_background_has_no_transparent_index_and_an_index_beyond_the_palette_shows_nothing(tmp_path: Path) -> None:
    data = sprite([palette(R, G), layer(flags=1 | 8), cel(bytes([0, 1, 9]), (3, 1))], size=(3, 1), depth=8)
    assert pixels_of(tmp_path, data) == [as_lists(R, G, NONE)]


def test_a_palette_may_change_from_frame_to_frame_and_in_part(tmp_path: Path) -> None:
    change = palette(W, first=2, total=3)
    pixels = cel(bytes([1, 2]), (2, 1))
    data = sprite([palette(K, R, G), layer(), pixels], [change, link(0)], [link(0)], depth=8)
    assert pixels_of(tmp_path, data) == [as_lists(R, G), as_lists(R, W), as_lists(R, W)]


def test_old_palettes_are_read_where_there_is_no_new_one(tmp_path: Path) -> None:
    old = chunk(0x0004, struct.pack("<HBB6B", 1, 1, 2, *R[:3], *G[:3]))
    oldest = chunk(0x0011, struct.pack("<HBB6B", 1, 1, 2, 63, 0, 0, 0, 63, 0))
    rest = [layer(), cel(bytes([1, 2]), (2, 1))]
    for chunks in ([old], [oldest], [palette(K, R, G), chunk(0x0004, struct.pack("<HBB3B", 1, 1, 1, *W[:3]))]):
        assert pixels_of(tmp_path, sprite([*chunks, *rest], depth=8)) == [as_lists(R, G)]


def test_cels_lie_where_they_say_also_beyond_the_edges(tmp_path: Path) -> None:
    whole = [R, G, B, W]  # 2x2
    for at, shown in {
        (-1, -1): [W, NONE, NONE, NONE],
        (1, 1): [NONE, NONE, NONE, R],
        (-1, 0): [G, NONE, W, NONE],
        (0, 1): [NONE, NONE, R, G],
        (2, 0): [NONE] * 4,
        (-32768, 32767): [NONE] * 4,
    }.items():
        data = sprite([layer(), cel(whole, (2, 2), at=at)], size=(2, 2))
        assert pixels_of(tmp_path, data) == [as_lists(*shown)]


def test_linked_cels_show_the_same_picture_elsewhere(tmp_path: Path) -> None:
    data = sprite([layer(), cel([R], (1, 1))], [link(0)], [link(1, at=(1, 0))], [], [link(2, opacity=0)])
    shown = [as_lists(R, NONE), as_lists(R, NONE), as_lists(NONE, R), as_lists(NONE, NONE), as_lists(NONE, NONE)]
    assert pixels_of(tmp_path, data) == shown


def test_hidden_and_reference_layers_and_those_in_hidden_groups_are_not_shown(tmp_path: Path) -> None:
    layers = [
        layer("shown"),
        layer("hidden", flags=0),
        layer("reference", flags=1 | 64),
        layer("group", flags=0, kind=1),
        layer("inner group", kind=1, level=1),
        layer("inside", level=2),
        layer("after", level=0),
    ]
    cels = [cel([color], (1, 1), of=of, at=(place, 0)) for of, color, place in
            ((0, R, 0), (1, G, 0), (2, B, 0), (5, W, 0), (6, G, 1))]  # fmt: skip
    assert pixels_of(tmp_path, sprite([*layers, *cels])) == [as_lists(R, G)]


def test_later_layers_lie_above_unless_their_cels_are_moved(tmp_path: Path) -> None:
    layers = [layer(name) for name in "abc"]
    pixels = {0: [R, R, R], 1: [G, G, NONE], 2: [B, NONE, NONE]}

    def shown(orders: dict[int, int]) -> list[list[int]]:
        cels = [cel(p, (3, 1), of=of, z=orders.get(of, 0)) for of, p in pixels.items()]
        return pixels_of(tmp_path, sprite([*layers, *cels], size=(3, 1)))[0]

    assert shown({}) == as_lists(B, G, R)
    assert shown({0: 1}) == as_lists(B, R, R)  # as high as the second: the moved one is above
    assert shown({0: 2}) == as_lists(R, R, R)
    assert shown({2: -2}) == as_lists(G, G, R)
    assert shown({2: -1}) == as_lists(G, G, R)  # as high as the second: what is moved back is below


def test_opacities_of_layer_and_cel_are_multiplied(tmp_path: Path) -> None:
    chunks = [layer(), layer(opacity=128), cel([K], (1, 1)), cel([W], (1, 1), of=1, opacity=128)]
    half = round(255 * 64 / 255)
    assert pixels_of(tmp_path, sprite(chunks, size=(1, 1))) == [as_lists((half, half, half, 255))]
    # without the file's flag the layer's opacity means nothing
    assert pixels_of(tmp_path, sprite(chunks, size=(1, 1), flags=0)) == [as_lists((128, 128, 128, 255))]
    # over nothing, colour stays and only opacity goes
    assert pixels_of(tmp_path, sprite([layer(opacity=51), cel([R], (1, 1))], size=(1, 1))) == [
        as_lists((255, 0, 0, 51))
    ]


# Worked out by hand from the W3C's formulas, for opaque (200, 100, 50) under opaque (100, 150, 250).
BLENDED = {
    0: (100, 150, 250),
    1: (78, 59, 49),
    2: (222, 191, 251),
    3: (188, 118, 98),
    4: (100, 100, 50),
    5: (200, 150, 250),
    6: (255, 243, 255),
    7: (115, 0, 46),
    8: (157, 127, 247),
    9: (191, 111, 111),
    10: (100, 50, 200),
    11: (143, 132, 202),
    16: (255, 250, 255),
    17: (100, 0, 0),
    18: (255, 170, 51),
}


@pytest.mark.parametrize("mode", BLENDED)
def test_colours_blend_as_the_mode_says(tmp_path: Path, mode: int) -> None:
    below, above = (200, 100, 50, 255), (100, 150, 250, 255)
    data = sprite([layer(), layer(blend=mode), cel([below], (1, 1)), cel([above], (1, 1), of=1)], size=(1, 1))
    got = np.array(pixels_of(tmp_path, data)[0][0])
    assert np.abs(got - (*BLENDED[mode], 255)).max() <= 1


@pytest.mark.parametrize(
    ("mode", "same"),
    [(12, "saturation luminosity"), (13, "hue luminosity"), (14, "luminosity"), (15, "hue")],
)
def test_the_modes_of_hue_saturation_and_light_keep_what_they_say(tmp_path: Path, mode: int, same: str) -> None:
    below, above = (150, 110, 90, 255), (90, 120, 130, 255)  # neither runs out of range
    data = sprite([layer(), layer(blend=mode), cel([below], (1, 1)), cel([above], (1, 1), of=1)], size=(1, 1))
    got, base = (np.array(color[:3], float) for color in (pixels_of(tmp_path, data)[0][0], below))
    light = np.array([0.3, 0.59, 0.11])
    if "luminosity" in same:
        assert got @ light == pytest.approx(base @ light, abs=1)
    if "saturation" in same:
        assert np.ptp(got) == pytest.approx(np.ptp(base), abs=2)
    if "hue" in same:  # the middle channel stays at its place between the others
        place = [(np.median(color) - color.min()) / np.ptp(color) for color in (got, base)]
        assert place[0] == pytest.approx(place[1], abs=0.08)
        assert (got.argsort() == base.argsort()).all()


@pytest.mark.parametrize("mode", range(19))
def test_over_nothing_every_mode_shows_the_layer_itself(tmp_path: Path, mode: int) -> None:
    data = sprite([layer(blend=mode), cel([R, (10, 20, 30, 99)], (2, 1))])
    assert pixels_of(tmp_path, data) == [as_lists(R, (10, 20, 30, 99))]


def test_a_group_blends_as_one_where_the_file_says_so(tmp_path: Path) -> None:
    layers = [layer(), layer(kind=1, opacity=128), layer(level=1), layer(level=1)]
    cels = [cel([K], (1, 1)), cel([R], (1, 1), of=2), cel([W], (1, 1), of=3)]
    assert pixels_of(tmp_path, sprite([*layers, *cels], size=(1, 1), flags=3)) == [as_lists((128, 128, 128, 255))]
    assert pixels_of(tmp_path, sprite([*layers, *cels], size=(1, 1), flags=1)) == [as_lists(W)]


def test_times_tags_and_names_are_read(tmp_path: Path) -> None:
    entries = [(0, 3, "all"), (1, 2, "inner"), (4, 4, "last")]
    tags = struct.pack("<H8x", 3)
    tags += b"".join(struct.pack("<HHBH6x4x", first, last, 0, 0) + text(name) for first, last, name in entries)
    frames = [[chunk(0x2018, tags), layer(), cel([R], (1, 1))], [], [], [], []]
    (tmp_path / "hero.ase").write_bytes(sprite(*frames, times=[10, 0, 30, 65535, 1], speed=77))
    sheet = read_art(tmp_path / "hero.ase")
    assert [frame.duration for frame in sheet.frames] == [10, 77, 30, 65535, 1]
    assert [frame.tag for frame in sheet.frames] == ["all", "inner", "inner", "all", "last"]
    assert [frame.name for frame in sheet.frames] == ["hero_0", "hero_1", "hero_2", "hero_3", "hero_4"]


def tileset(pixels: bytes, count: int, size: tuple[int, int], flags: int = 2 | 4) -> bytes:
    data = zlib.compress(pixels)
    head = struct.pack("<IIIHHh14x", 0, flags, count, *size, 1) + text("tiles")
    return chunk(0x2023, head + (struct.pack("<I", len(data)) + data if flags & 2 else b""))


def test_layers_of_tiles_are_read_turned_as_they_say(tmp_path: Path) -> None:
    tiles = bytes([0] * 4 + [1, 2, 3, 4])  # an empty one, and one of four colours
    colors = palette(K, R, G, B, W)
    head = layer(kind=2)[6:] + struct.pack("<I", 0)
    x, y, swap = 0x20000000, 0x40000000, 0x80000000
    values = [1, 0, 1 | x, 1 | y, 1 | swap, 1 | x | y]
    body = struct.pack("<HhhBHh5xHHHIIII10x", 0, 1, 0, 255, 3, 0, 6, 1, 32, 0x1FFFFFFF, x, y, swap)
    tilemap = chunk(0x2005, body + zlib.compress(struct.pack("<6I", *values)))
    data = sprite([colors, tileset(tiles, 2, (2, 2)), chunk(0x2004, head), tilemap], size=(13, 2), depth=8)
    shown = np.array(pixels_of(tmp_path, data)[0]).reshape(2, 13, 4)
    rows = ["_RG__GRBWRBWB", "_BW__WBRGGWGR"]
    names = dict(zip("_RGBW", (NONE, R, G, B, W), strict=True))
    assert shown.tolist() == [as_lists(*(names[letter] for letter in row)) for row in rows]


def test_properties_of_every_kind_are_passed_over(tmp_path: Path) -> None:
    def entry(name: str, kind: int, data: bytes) -> bytes:
        return text(name) + struct.pack("<H", kind) + data

    inner = entry("deep", 13, text("not kept"))
    entries = [
        entry("flag", 1, b"\1"),
        entry("whole", 7, bytes(4)),
        entry("double", 12, bytes(8)),
        entry("rectangle", 16, bytes(16)),
        entry("id", 19, bytes(16)),
        entry("map", 18, struct.pack("<I", 1) + inner),
        entry("mixed", 17, struct.pack("<IHHBH", 2, 0, 1, 1, 13) + text("x")),
        entry("prompt", 13, text("größe")),
        entry("pieces", 17, struct.pack("<IH", 2, 13) + text("one ") + text("two")),
    ]
    body = struct.pack("<I", 1 | 2 | 4) + text("a note") + bytes(4)
    body += struct.pack("<IIII", 0, 2, 5, 1) + entry("of an extension", 13, text("no"))
    body += struct.pack("<II", 0, len(entries)) + b"".join(entries)
    of_layer = chunk(0x2020, struct.pack("<I", 1) + text("the layer's"))
    data = sprite([palette(K), chunk(0x2020, body), layer(), of_layer, cel([R], (1, 1))])
    (tmp_path / "a.aseprite").write_bytes(data)
    assert read_text(tmp_path / "a.aseprite") == {"text": "a note", "prompt": "größe", "pieces": "one two"}
    (tmp_path / "a.aseprite").write_bytes(sprite([palette(K), layer(), of_layer]))
    assert read_text(tmp_path / "a.aseprite") == {}


# --- writing ------------------------------------------------------------------------------------------------


def parts(data: bytes) -> list[tuple[int, list[tuple[int, bytes]]]]:
    """Time and chunks of each frame, by the book."""
    size, mark, frames = struct.unpack("<IHH", data[:8])
    assert (size, mark) == (len(data), 0xA5E0)
    at, found = 128, []
    for _ in range(frames):
        length, mark, old, time, new = struct.unpack("<IHHHxxI", data[at : at + 16])
        assert mark == 0xF1FA
        assert old == new
        place, chunks = at + 16, []
        for _ in range(new):
            size, kind = struct.unpack("<IH", data[place : place + 6])
            chunks.append((kind, data[place + 6 : place + size]))
            place += size
        assert place == at + length
        at = place
        found.append((time, chunks))
    assert at == len(data)
    return found


def hero() -> SpriteSheet:
    """A red pixel that walks, in front of nothing; one frame is empty."""
    frames: list[Frame] = []
    for index, (tag, time) in enumerate([("walk", 50), ("walk", 70), ("", 100), ("walk", 65535)]):
        rgba = torch.zeros(4, 3, 5)
        if tag:
            rgba[:, 1, index] = torch.tensor([1, 0, 0, 1])
            rgba[:, 2, index + 1] = torch.tensor([0, 0, 1, 1])
        frames.append(Frame(rgba=rgba, name=f"hero {index} größe", duration=time, tag=tag))
    return SpriteSheet(frames=tuple(frames))


def test_a_file_is_what_the_format_says(tmp_path: Path) -> None:
    assert write_art(tmp_path / "a.aseprite", hero()) == [tmp_path / "a.aseprite"]
    data = (tmp_path / "a.aseprite").read_bytes()
    assert struct.unpack("<HHHHI", data[6:18]) == (4, 5, 3, 8, 1)
    assert data[28] == 0  # the transparent index
    assert struct.unpack("<H", data[32:34]) == (3,)
    assert data[34:36] == b"\1\1"  # square pixels
    frames = parts(data)
    assert [time for time, _ in frames] == [50, 70, 100, 65535]
    assert [[kind for kind, _ in chunks] for _, chunks in frames] == [
        [0x2007, 0x2019, 0x2020, 0x2004, 0x2018, 0x2005],
        [0x2005],
        [],
        [0x2005],
    ]
    first = dict(frames[0][1])
    entries = [(0, 0, 0, 0), (255, 0, 0, 255), (0, 0, 255, 255)]
    assert first[0x2019] == struct.pack("<III8x", 3, 0, 2) + b"".join(struct.pack("<H4B", 0, *e) for e in entries)
    assert first[0x2004] == struct.pack("<HHHHHHBxxx", 3, 0, 0, 0, 0, 0, 255) + text("Layer")
    runs = [struct.pack("<HHBH6x4x", a, b, 0, 0) + text("walk") for a, b in ((0, 1), (3, 3))]
    assert first[0x2018] == struct.pack("<H8x", 2) + b"".join(runs)
    assert first[0x2005][:20] == struct.pack("<HhhBHh5xHH", 0, 0, 1, 255, 2, 0, 2, 2)  # only what is drawn
    assert zlib.decompress(first[0x2005][20:]) == bytes([1, 0, 0, 2])


def test_times_tags_names_and_pixels_come_back(tmp_path: Path) -> None:
    write_art(tmp_path / "a.ase", hero())
    back = read_art(tmp_path / "a.ase")
    for got, frame in zip(back.frames, hero().frames, strict=True):
        assert (got.name, got.duration, got.tag) == (frame.name, frame.duration, frame.tag)
        assert torch.equal(to_uint8(got.rgba), to_uint8(frame.rgba))
    assert read_text(tmp_path / "a.ase") == {}


@given(
    *(
        st.integers(1, 255),
        st.booleans(),
        st.integers(1, 4),
        st.integers(1, 12),
        st.integers(1, 12),
        st.integers(0, 99),
    ),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_indexed_frames_come_back(
    tmp_path: Path, k: int, clear: bool, frames: int, height: int, width: int, seed: int
) -> None:
    dice = torch.Generator().manual_seed(seed)
    colors = Palette(torch.randint(0, 256, (k, 3), generator=dice, dtype=torch.uint8))
    shape = (frames, height, width)
    mask = torch.rand(shape, generator=dice) < 0.4 if clear else None
    image = IndexedImage(torch.randint(0, k, shape, generator=dice), colors, mask)
    write_art(tmp_path / "a.aseprite", image)
    assert torch.equal(to_uint8(read_art(tmp_path / "a.aseprite").batch()), to_uint8(image.to_rgba()))
    assert (tmp_path / "a.aseprite").read_bytes()[12] == 8
    assert read_palette(tmp_path / "a.aseprite") == colors


def test_more_colours_than_indices_are_kept_as_rgba(tmp_path: Path) -> None:
    rgba = torch.randint(0, 256, (2, 4, 20, 20), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    rgba = rgba * (rgba[:, 3:] > 0)
    write_art(tmp_path / "a.aseprite", from_uint8(rgba))
    assert (tmp_path / "a.aseprite").read_bytes()[12] == 32
    assert torch.equal(to_uint8(read_art(tmp_path / "a.aseprite").batch()), rgba)


def test_layers_are_kept_apart_and_shown_together(tmp_path: Path) -> None:
    ground = torch.zeros(4, 4, 3, 5)
    ground[:, 1] = ground[:, 3] = 1
    write_art(tmp_path / "a.aseprite", hero(), layers={"ground": ground, "größe": hero()}, scale=2)
    frames = parts((tmp_path / "a.aseprite").read_bytes())
    names = [data[16:] for kind, data in frames[0][1] if kind == 0x2004]
    assert names == [text("ground"), text("größe")]
    assert [sum(kind == 0x2005 for kind, _ in chunks) for _, chunks in frames] == [2, 2, 1, 2]
    back = read_art(tmp_path / "a.aseprite")
    above = hero().batch()
    shown = torch.where(above[:, 3:] > 0, above, ground).repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert torch.equal(to_uint8(back.batch()), to_uint8(shown))
    assert [frame.tag for frame in back.frames] == ["walk", "walk", "", "walk"]


@pytest.mark.parametrize("letter", ["x", "ö", "木", "😀"])
def test_long_notes_come_back_whole(tmp_path: Path, letter: str) -> None:
    notes = {"workflow": "a" + letter * 150_000, "prompt": letter * 65_535, "empty": "", "größe": "ü"}
    write_art(tmp_path / "a.aseprite", torch.zeros(1, 3, 2, 2), text=notes)
    assert read_text(tmp_path / "a.aseprite") == notes


def test_a_frame_that_is_shown_for_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="65535 ms"):
        write_art(tmp_path / "a.aseprite", torch.zeros(1, 3, 2, 2), duration=65536)


BROKEN: dict[str, tuple[Callable[[], bytes], str]] = {
    "no layer": (lambda: sprite([cel([R], (1, 1))]), "a cel of layer 0"),
    "link to itself": (lambda: sprite([layer(), link(0)]), "linked to frame 0"),
    "links in a circle": (lambda: sprite([layer(), link(1)], [link(0)]), "linked to frame 1"),
    "link to nowhere": (lambda: sprite([layer(), link(9)]), "linked to frame 9"),
    "blend mode": (lambda: sprite([layer(blend=19)]), "blend mode 19; expected 0 to 18"),
    "depth": (lambda: sprite([layer()], depth=24), "24 bits a pixel"),
    "too deep": (lambda: sprite([layer(level=1)]), "1 groups deep"),
    "no size": (lambda: sprite([layer()], size=(0, 1)), "at least one"),
    "short cel": (lambda: sprite([layer(), cel([R], (2, 1))]), "expected 8 bytes, got 4"),
    "short raw cel": (lambda: sprite([layer(), cel([R], (2, 1), raw=True)]), "expected 8 bytes, got 4"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_makes_no_sense_is_refused_with_its_reason(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.aseprite").write_bytes(BROKEN[name][0]())
    with pytest.raises(ImageError, match=BROKEN[name][1]) as caught:
        read_art(tmp_path / "a.aseprite")
    assert "a.aseprite" in str(caught.value)
