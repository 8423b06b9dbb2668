"""Palettes: extraction, matching, indexed pictures, palette files."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from pixel_models.color import srgb_to_oklab
from pixel_models.errors import ImageError, PaletteError, ShapeError
from pixel_models.image import from_uint8, read_rgba, to_uint8
from pixel_models.palette import (
    NAMED_PALETTES,
    IndexedImage,
    Palette,
    extract_palette,
    find_palette,
    nearest_indices,
    read_palette,
)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def gradient(size: int = 64) -> Tensor:
    y, x = torch.meshgrid(torch.linspace(0, 1, size), torch.linspace(0, 1, size), indexing="ij")
    return torch.stack([0.2 + 0.6 * x, 0.5 + 0.3 * y, 0.9 - 0.5 * x * y])[None]


def mean_error(rgb: Tensor, palette: Palette) -> float:
    """Mean Oklab distance x100 of a picture to its nearest palette colours."""
    matched = IndexedImage(nearest_indices(rgb, palette), palette).to_rgb()
    return float((srgb_to_oklab(rgb) - srgb_to_oklab(matched)).norm(dim=1).mean() * 100)


# --- Palette ---------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=1, max_size=300))
@settings(max_examples=50, deadline=None)
def test_hex_there_and_back_keeps_every_colour(colors: list[tuple[int, int, int]]) -> None:
    palette = Palette(torch.tensor(colors, dtype=torch.uint8))
    assert Palette.from_hex(palette.to_hex()) == palette
    assert Palette.from_hex(", ".join(palette.to_hex())) == palette
    assert len(palette) == len(colors)


def test_short_and_bare_hex_is_read() -> None:
    assert Palette.from_hex("#f00 0f0\n0000FF").to_hex() == ["#ff0000", "#00ff00", "#0000ff"]


@pytest.mark.parametrize("text", ["", "   ", "#12", "red", "#12345g", "#1234567", "ff00ff00", "+1+1+1"])
def test_what_is_no_hex_colour_is_refused(text: str) -> None:
    with pytest.raises(PaletteError, match=r"expected"):
        Palette.from_hex(text)


@pytest.mark.parametrize(
    "colors", [torch.zeros(0, 3, dtype=torch.uint8), torch.zeros(2, 3), torch.zeros(3, dtype=torch.uint8)]
)
def test_a_palette_checks_its_colours(colors: Tensor) -> None:
    with pytest.raises(PaletteError, match="palette"):
        Palette(colors)


def test_a_palette_does_not_change_with_the_tensor_it_was_made_of() -> None:
    colors = torch.zeros(2, 3, dtype=torch.uint8)
    palette = Palette(colors)
    colors[0] = 255
    assert palette.to_hex() == ["#000000", "#000000"]


def test_equal_palettes_have_equal_hashes() -> None:
    assert {Palette.from_hex("fff 000", "a"), Palette.from_hex("fff 000", "b")} == {Palette.from_hex("fff 000")}
    assert Palette.from_hex("fff 000") != Palette.from_hex("000 fff")


# --- extraction ------------------------------------------------------------------------------------------


@given(st.integers(1, 40), st.integers(1, 12), st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_a_picture_of_few_colours_gives_exactly_those(count: int, extra: int, seed: int) -> None:
    colors = torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (count, 3), dtype=np.uint8)).unique(dim=0)
    rgb = from_uint8(colors).T[None, :, None].repeat(2, 1, 3, 1)  # 2 3 3 n
    palette = extract_palette(rgb, len(colors) + extra - 1, seed=seed)
    assert torch.equal(palette.colors.unique(dim=0), colors)
    assert len(palette) == len(colors)


def test_few_colours_closer_than_the_histogram_bins_are_exact_too() -> None:
    rgb = from_uint8(torch.tensor([[[[0, 1, 2, 3]]]], dtype=torch.uint8)).expand(1, 3, 1, 4)
    assert extract_palette(rgb, 4).to_hex() == ["#000000", "#010101", "#020202", "#030303"]
    assert len(extract_palette(rgb, 2)) == 2


@given(st.integers(1, 64), st.integers(1, 20), st.integers(1, 20), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_a_palette_never_lists_a_colour_twice_nor_more_than_asked(k: int, h: int, w: int, seed: int) -> None:
    palette = extract_palette(noise(1, 3, h, w, seed=seed), k, seed=seed)
    assert 1 <= len(palette) <= min(k, h * w)
    assert len(palette.colors.unique(dim=0)) == len(palette)


def test_as_many_colours_as_asked_are_found_when_the_picture_has_them() -> None:
    for count in (2, 3, 16, 64, 256):
        assert len(extract_palette(noise(1, 3, 64, 64), count)) == count


def test_the_order_is_dark_to_light() -> None:
    palette = extract_palette(noise(1, 3, 32, 32), 16)
    lightness = srgb_to_oklab(from_uint8(palette.colors), dim=1)[:, 0]
    assert torch.equal(lightness, lightness.sort().values)


def test_the_same_seed_gives_the_same_palette_and_global_randomness_is_left_alone() -> None:
    rgb = noise(1, 3, 48, 48)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    assert extract_palette(rgb, 12, seed=3) == extract_palette(rgb, 12, seed=3)
    assert torch.equal(torch.get_rng_state(), before)


def test_pixels_of_weight_zero_do_not_count() -> None:
    rgb = torch.zeros(1, 3, 4, 4)
    rgb[:, :, :2] = torch.tensor([1.0, 0, 0])[None, :, None, None]
    weight = torch.zeros(1, 1, 4, 4)
    weight[:, :, :2] = 1
    assert extract_palette(rgb, 8, weight=weight).to_hex() == ["#ff0000"]
    assert extract_palette(rgb, 1, weight=weight).to_hex() == ["#ff0000"]


def test_a_picture_that_is_left_out_whole_gives_black() -> None:
    assert extract_palette(noise(1, 3, 4, 4), 8, weight=torch.zeros(1, 1, 4, 4)).to_hex() == ["#000000"]


def test_weights_move_the_palette() -> None:
    rgb = gradient()
    left = torch.zeros(1, 1, 64, 64)
    left[..., :8] = 1
    weighted = extract_palette(rgb, 4, weight=left + 1e-6)
    assert mean_error(rgb[..., :8], weighted) < mean_error(rgb[..., :8], extract_palette(rgb, 4))


def test_a_batch_shares_one_palette() -> None:
    rgb = torch.stack([torch.zeros(3, 2, 2), torch.ones(3, 2, 2)])
    assert extract_palette(rgb, 8).to_hex() == ["#000000", "#ffffff"]


def test_a_small_patch_of_a_colour_that_stands_alone_survives() -> None:
    rgb = (gradient() + (noise(1, 3, 64, 64) - 0.5) * 0.1).clamp(0, 1)
    red = torch.tensor([0.85, 0.05, 0.1])
    rgb[:, :, 10:12, 10:12] = red[None, :, None, None]
    nearest = (extract_palette(rgb, 16).colors / 255 - red).norm(dim=1).min()
    assert nearest < 0.02


def test_accents_keep_a_small_area_of_another_hue() -> None:
    ramp = torch.linspace(0.25, 0.75, 64 * 64).view(1, 1, 64, 64)
    rgb = torch.cat([ramp, ramp * 0.85, ramp * 0.7], dim=1)  # browns, more shades than entries
    green = torch.tensor([0.45, 0.5, 0.25])
    rgb[:, :, 30:34, 30:36] = green[None, :, None, None]

    def distance(accents: float) -> float:
        palette = extract_palette(rgb, 6, accents=accents)
        lab = srgb_to_oklab(palette.colors / 255, dim=1)
        return float((lab - srgb_to_oklab(green, dim=0)).norm(dim=1).min())

    assert distance(0.7) < 0.02 < distance(0)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_extraction_beats_median_cut_by_far(seed: int) -> None:
    rgb = to_uint8((gradient() * 0.7 + 0.3 * noise(1, 3, 64, 64, seed=seed)).clamp(0, 1))
    picture = Image.fromarray(rgb[0].permute(1, 2, 0).numpy())
    entries = picture.quantize(16, Image.Quantize.MEDIANCUT).getpalette()
    assert entries is not None
    theirs = Palette(torch.tensor(entries[:48], dtype=torch.uint8).view(16, 3))
    assert mean_error(from_uint8(rgb), extract_palette(from_uint8(rgb), 16)) < 0.9 * mean_error(from_uint8(rgb), theirs)


def test_extraction_refuses_bad_input() -> None:
    with pytest.raises(PaletteError, match="at least one colour, got 0"):
        extract_palette(noise(1, 3, 4, 4), 0)
    with pytest.raises(PaletteError, match="accents is 2"):
        extract_palette(noise(1, 3, 4, 4), 4, accents=2)
    with pytest.raises(ShapeError, match="weight"):
        extract_palette(noise(1, 3, 4, 4), 4, weight=torch.ones(1, 1, 4, 5))
    with pytest.raises(ImageError, match="weight"):
        extract_palette(noise(1, 3, 4, 4), 4, weight=torch.full((1, 1, 4, 4), float("nan")))
    with pytest.raises(ImageError, match="NaN"):
        extract_palette(torch.full((1, 3, 4, 4), float("nan")), 4)


# --- matching --------------------------------------------------------------------------------------------


@given(st.integers(1, 300), st.integers(0, 9))
@settings(max_examples=30, deadline=None)
def test_matching_is_exact(k: int, seed: int) -> None:
    rgb = noise(2, 3, 5, 7, seed=seed)
    palette = Palette(to_uint8(noise(k, 3, seed=seed + 1)))
    lab = srgb_to_oklab(rgb.double()).permute(0, 2, 3, 1).reshape(-1, 3)
    wanted = srgb_to_oklab(palette.colors.double() / 255, dim=1)
    distance = torch.cdist(lab, wanted)
    chosen = distance.gather(1, nearest_indices(rgb, palette).view(-1, 1))
    assert (chosen[:, 0] - distance.min(dim=1).values).max() < 1e-6


def test_palette_colours_match_themselves() -> None:
    colors = torch.cartesian_prod(*[torch.arange(0, 256, 15, dtype=torch.uint8)] * 3)  # 5832 3
    rgb = from_uint8(colors).T.reshape(1, 3, 1, -1)
    assert torch.equal(nearest_indices(rgb, Palette(colors))[0, 0], torch.arange(len(colors)))


def test_a_long_palette_is_matched_in_chunks_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    rgb, palette = noise(2, 3, 9, 9), Palette(to_uint8(noise(50, 3)))
    whole = nearest_indices(rgb, palette)
    monkeypatch.setattr("pixel_models.palette.indexed._CHUNK", 120)
    assert torch.equal(nearest_indices(rgb, palette), whole)


# --- IndexedImage ----------------------------------------------------------------------------------------


def checker(b: int = 2) -> IndexedImage:
    indices = torch.arange(12).view(1, 3, 4).remainder(3).repeat(b, 1, 1)
    return IndexedImage(indices, Palette.from_hex("102030 405060 708090"), indices == 1)


def test_an_indexed_picture_shows_its_colours_and_hard_alpha() -> None:
    image = checker()
    assert len(image) == 2
    assert image.to_rgba().shape == (2, 4, 3, 4)
    assert set(image.alpha().flatten().tolist()) == {0.0, 1.0}
    assert to_uint8(image.to_rgb())[0, :, 0, 0].tolist() == [0x10, 0x20, 0x30]
    assert to_uint8(image.to_rgba())[0, :, 0, 1].tolist() == [0, 0, 0, 0]


def test_frames_and_enlargement_keep_indices() -> None:
    image = checker()
    assert torch.equal(image.frame(-1).indices, image.indices[1:])
    large = image.frame(0).enlarge(3)
    assert torch.equal(large.indices[:, ::3, ::3], image.indices[:1])
    assert large.transparent is not None
    assert large.transparent.shape == (1, 9, 12)
    with pytest.raises(ShapeError, match="no frame 2"):
        image.frame(2)


@pytest.mark.parametrize("indices", [torch.tensor([[[3]]]), torch.tensor([[[-1]]])])
def test_an_index_outside_the_palette_is_refused(indices: Tensor) -> None:
    with pytest.raises(PaletteError, match="0 to 2"):
        IndexedImage(indices, Palette.from_hex("000 111 222"))


def test_an_indexed_picture_checks_its_shapes() -> None:
    palette = Palette.from_hex("000")
    with pytest.raises(ShapeError, match="b h w"):
        IndexedImage(torch.zeros(2, 2, dtype=torch.int64), palette)
    with pytest.raises(ShapeError, match="b h w"):
        IndexedImage(torch.zeros(1, 2, 2), palette)
    with pytest.raises(ShapeError, match="transparent"):
        IndexedImage(torch.zeros(1, 2, 2, dtype=torch.int64), palette, torch.zeros(1, 2, 2))


# --- files and names -------------------------------------------------------------------------------------

COLORS = ["#1a1c2c", "#f4f4f4", "#b13e53"]


def save_picture(path: Path) -> None:
    pixels = np.array([[[0x1A, 0x1C, 0x2C], [0xF4, 0xF4, 0xF4]], [[0x1A, 0x1C, 0x2C], [0xB1, 0x3E, 0x53]]], np.uint8)
    Image.fromarray(pixels).save(path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.hex", "1a1c2c\nF4F4F4\r\n\nb13e53\n"),
        ("a.gpl", "GIMP Palette\nName: mine\nColumns: 3\n#\n26 28 44 Night\n244 244\t244\n177  62  83 Red rose\n"),
        ("a.pal", "JASC-PAL\r\n0100\r\n3\r\n26 28 44\r\n244 244 244\r\n177 62 83\r\n"),
        ("a.txt", ";paint.net Palette File\n;Palette Name: mine\nFF1a1c2c\nfff4f4f4 ; light\nb13e53\n"),
    ],
)
def test_every_text_palette_is_read(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_bytes(text.encode())
    palette = read_palette(tmp_path / name)
    assert palette.to_hex() == COLORS
    assert palette.name == ("mine" if "mine" in text else "a")


@pytest.mark.parametrize("suffix", [".png", ".gif", ".bmp"])
def test_a_small_picture_is_read_in_reading_order(tmp_path: Path, suffix: str) -> None:
    save_picture(tmp_path / f"p{suffix}")
    assert read_palette(tmp_path / f"p{suffix}").to_hex() == COLORS


def test_transparent_pixels_of_a_palette_picture_do_not_count(tmp_path: Path) -> None:
    Image.fromarray(np.array([[[255, 0, 0, 255], [0, 255, 0, 0]]], np.uint8)).save(tmp_path / "p.png")
    assert read_palette(tmp_path / "p.png").to_hex() == ["#ff0000"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.hex", "1a1c2c\nxyz\n", "line 2"),
        ("a.hex", "\n", "no colours"),
        ("a.gpl", "26 28 44\n", "GIMP Palette"),
        ("a.gpl", "GIMP Palette\n26 28 444\n", "line 2"),
        ("a.gpl", "", "GIMP Palette"),
        ("a.pal", "JASC-PAL\n0100\n3\n26 28 44\n", "cut short"),
        ("a.pal", "RIFF0000PAL data", "RIFF"),
        ("a.pal", "26 28 44\n", "JASC-PAL"),
        ("a.txt", "ff1a1c2c\n801a1c2c\n", "line 2.*half transparent"),
        ("a.txt", "001a1c2c\n", "no colours"),
        ("a.txt", "fff\n", "line 1"),
        ("a.ase", "", "no palette file"),
        ("a", "", "no palette file"),
    ],
)
def test_a_malformed_palette_says_where(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(PaletteError, match=message):
        read_palette(tmp_path / name)


def test_a_binary_or_missing_palette_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.hex").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(PaletteError, match="no text"):
        read_palette(tmp_path / "a.hex")
    with pytest.raises(PaletteError, match="cannot be read"):
        read_palette(tmp_path / "b.hex")
    with pytest.raises(PaletteError, match="no such file"):
        read_palette(tmp_path / "b.png")


def test_a_photo_is_no_palette(tmp_path: Path) -> None:
    Image.fromarray(to_uint8(noise(64, 64, 3)).numpy()).save(tmp_path / "photo.png")
    with pytest.raises(PaletteError, match="not a palette"):
        read_palette(tmp_path / "photo.png")


@pytest.mark.parametrize(("name", "count"), [("1-bit", 2), ("gameboy", 4), ("pico-8", 16), ("sweetie-16", 16)])
def test_named_palettes_have_their_colours_once(name: str, count: int) -> None:
    palette = find_palette(name.upper())
    assert len(palette) == count
    assert len(palette.colors.unique(dim=0)) == count
    assert palette.name == name
    assert name in NAMED_PALETTES


@pytest.mark.parametrize(
    ("given", "name"),
    [("Game-Boy", "gameboy"), ("GAME BOY", "gameboy"), ("pico8", "pico-8"), ("DB 32", "db32"), ("1bit", "1-bit")],
)
def test_a_name_is_found_however_it_is_spelled(given: str, name: str) -> None:
    assert find_palette(given).name == name


@pytest.mark.parametrize(
    ("given", "colors"),
    [
        ("000000 ffffff", ["#000000", "#ffffff"]),
        ("#000,#fff", ["#000000", "#ffffff"]),
        ("1a1c2c; F4F4F4", ["#1a1c2c", "#f4f4f4"]),
        ("#c64", ["#cc6644"]),
        ("fff", ["#ffffff"]),
        (" ".join(["abcdef"] * 100), ["#abcdef"] * 100),
    ],
)
def test_hex_colours_are_a_palette_themselves(given: str, colors: list[str]) -> None:
    assert find_palette(given).to_hex() == colors


def test_names_and_files_go_before_colours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_palette("c64") == find_palette("C-64")
    assert len(find_palette("c64")) == 16
    (tmp_path / "game-boy.hex").write_text("123456\n")
    assert find_palette("game-boy.hex").to_hex() == ["#123456"]
    with pytest.raises(PaletteError, match="'fffff' is no colour"):
        find_palette("000000 fffff")


def test_an_unknown_palette_names_a_few_that_are_like_it_and_where_all_are(tmp_path: Path) -> None:
    with pytest.raises(PaletteError, match=r"`pixel-kiln palette list`.*mean .*sweetie-16") as caught:
        find_palette("sweety16")
    assert len(str(caught.value)) < 300
    with pytest.raises(PaletteError, match=r"mean gameboy or gameboy-dmg or"):
        find_palette("gamebo")
    with pytest.raises(PaletteError, match=r"mean pico-8"):
        find_palette(tmp_path / "pico8.hex")
    with pytest.raises(PaletteError, match=r"palette list` tells$"):
        find_palette("qqqqqqqq")
    (tmp_path / "mine.hex").write_text("000000\n")
    assert find_palette(tmp_path / "mine.hex").to_hex() == ["#000000"]


def test_a_picture_of_a_palette_can_be_read_back_as_that_palette(tmp_path: Path) -> None:
    from pixel_models.image import write_png

    palette = find_palette("pico-8")
    write_png(tmp_path / "p.png", IndexedImage(torch.arange(16).view(1, 1, 16), palette))
    assert read_palette(tmp_path / "p.png") == palette
    assert read_rgba(tmp_path / "p.png").shape == (1, 4, 1, 16)


def test_chroma_makes_hue_count_more_than_lightness() -> None:
    skin = torch.tensor([0.85, 0.72, 0.64]).reshape(1, 3, 1, 1)
    palette = Palette.from_hex(["b9b9b9", "c09a84"])  # a grey of its lightness, a darker skin
    assert nearest_indices(skin, palette).item() == 0
    assert nearest_indices(skin, palette, chroma=3.0).item() == 1


@pytest.mark.parametrize("count", [3, 4, 6, 8])
@pytest.mark.parametrize("colors", [1, 2, 3])
def test_few_entries_serve_flat_colours_that_are_far_apart(count: int, colors: int) -> None:
    """As well, nearly, as the best of the picture's own colours would; steps that overshoot end at black or magenta."""
    own = torch.randint(0, 256, (count, 3), generator=torch.Generator().manual_seed(count)).float() / 255
    own = torch.cat([own[:-1], torch.tensor([[1.0, 0.9, 0.2]])])
    lab = srgb_to_oklab(own, dim=1)

    def distance(entries: Tensor) -> float:
        return float(torch.cdist(lab, entries).amin(1).mean())

    best = min(distance(lab[list(some)]) for some in itertools.combinations(range(count), min(colors, count)))
    for accents, limit in ((0.0, 1.2), (0.7, 2.0)):
        made = extract_palette(own.T.reshape(1, 3, 1, -1), colors, accents=accents)
        assert distance(srgb_to_oklab(made.colors.float() / 255, dim=1)) <= limit * best + 1e-3
