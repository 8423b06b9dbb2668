"""`pixel-kiln palette`: named palettes, files there and back, one palette for many pictures, and recolouring."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pixel_models.cli import main, options, parse_palette
from pixel_models.image import read_rgba, to_uint8
from pixel_models.palette import (
    COLOR_BLINDNESSES,
    NAMED_PALETTES,
    PALETTE_METHODS,
    PALETTE_SOURCES,
    PALETTE_WRITE_SUFFIXES,
    SORT_KEYS,
    SWAP_ORDERS,
    find_palette,
    make_ramp,
    read_palette,
)

ROOT = Path(__file__).resolve().parents[2]


def photo(path: Path, seed: int = 0, *, alpha: bool = False) -> Path:
    """Smooth colours with some noise; with alpha, its left half is transparent red."""
    y, x = np.mgrid[0:1:24j, 0:1:32j]
    noise = np.random.default_rng(seed).normal(0, 8, (24, 32, 3))
    pixels = (np.stack([x * 255, y * 255, (1 - x) * 200], -1) + noise).clip(0, 255).astype(np.uint8)
    if alpha:
        pixels = np.concatenate([pixels, np.full((24, 32, 1), 255, np.uint8)], -1)
        pixels[:, :16] = (255, 0, 0, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def sprite(path: Path, *rows: str) -> Path:
    """A PNG of letters: r, g, b, k are colours, a dot is nothing."""
    colors = {"r": (200, 0, 0, 255), "g": (0, 180, 0, 255), "b": (0, 0, 120, 255), "k": (0, 0, 0, 255), ".": (0,) * 4}
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.array([[colors[letter] for letter in row] for row in rows], np.uint8)).save(path)
    return path


def colors_of(path: Path) -> set[tuple[int, ...]]:
    """The colours of all opaque pixels of all frames."""
    found: set[tuple[int, ...]] = set()
    with Image.open(path) as image:
        for index in range(getattr(image, "n_frames", 1)):
            image.seek(index)
            pixels = np.array(image.convert("RGBA")).reshape(-1, 4)
            assert set(pixels[:, 3].tolist()) <= {0, 255}
            found |= {tuple(pixel[:3]) for pixel in pixels[pixels[:, 3] > 0].tolist()}
    return found


def gif(path: Path, frames: int = 3) -> Path:
    """An animation of noisy frames, 70 ms each."""
    pictures = []
    for index in range(frames):
        photo(path.with_suffix(".tmp.png"), index)
        with Image.open(path.with_suffix(".tmp.png")) as image:
            pictures.append(image.convert("RGB"))
    path.with_suffix(".tmp.png").unlink()
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=70, loop=0)
    return path


# --- palettes by themselves ------------------------------------------------------------------------------


def test_list_names_every_palette_with_its_number_of_colours(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["palette", "list"]) == 0
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert {name: int(count) for name, count in lines} == {name: len(find_palette(name)) for name in NAMED_PALETTES}
    assert main(["palette", "list", "--source"]) == 0
    told = {line.split("\t")[0]: line.split("\t")[2] for line in capsys.readouterr().out.splitlines()}
    assert told == PALETTE_SOURCES


def test_show_prints_nothing_but_hex_where_no_terminal_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["palette", "show", "PICO-8"]) == 0
    assert capsys.readouterr().out.split() == find_palette("pico-8").to_hex()


def test_show_draws_squares_in_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["palette", "show", "gameboy"]) == 0
    red, green, blue = find_palette("gameboy").colors[0].tolist()
    assert capsys.readouterr().out.startswith(f"\x1b[48;2;{red};{green};{blue}m")


def test_show_tells_the_least_contrast_and_what_colour_blind_eyes_see(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["palette", "show", "1-bit", "--contrast"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split("\t")[1] == "21.00"
    assert main(["palette", "show", "pico-8", "--seen-with", "protanopia"]) == 0
    seen = capsys.readouterr().out.split()
    assert len(seen) == 16
    assert seen != find_palette("pico-8").to_hex()


@pytest.mark.parametrize("suffix", PALETTE_WRITE_SUFFIXES)
def test_convert_goes_through_every_format_and_back(tmp_path: Path, suffix: str) -> None:
    there, back = tmp_path / f"new/p{suffix}", tmp_path / "back.hex"
    assert main(["palette", "convert", "sweetie-16", "-o", str(there)]) == 0
    assert main(["palette", "convert", str(there), "-o", str(back)]) == 0
    assert read_palette(back) == find_palette("sweetie-16")


def test_convert_writes_riff_and_large_squares_where_asked(tmp_path: Path) -> None:
    assert main(["palette", "convert", "pico-8", "-o", str(tmp_path / "p.pal"), "--riff"]) == 0
    assert (tmp_path / "p.pal").read_bytes()[:4] == b"RIFF"
    assert main(["palette", "convert", "pico-8", "-o", str(tmp_path / "p.png"), "--scale", "8"]) == 0
    with Image.open(tmp_path / "p.png") as image:
        assert image.height == 8
    assert read_palette(tmp_path / "p.png") == find_palette("pico-8")


def test_edit_merges_reduces_and_sorts(tmp_path: Path) -> None:
    (tmp_path / "in.hex").write_text("ffffff\nfefefe\n000000\nff0000\n00ff00\n")
    command = ["palette", "edit", str(tmp_path / "in.hex"), "-o", str(tmp_path / "o.gpl"), "--overwrite"]
    assert main([*command, "--merge", "0.02", "--sort", "lightness"]) == 0
    assert read_palette(tmp_path / "o.gpl").to_hex() == ["#000000", "#ff0000", "#00ff00", "#ffffff"]
    assert main([*command, "--reduce", "2"]) == 0
    assert len(read_palette(tmp_path / "o.gpl")) == 2


def test_ramp_writes_the_shades_that_the_library_makes(tmp_path: Path) -> None:
    command = ["palette", "ramp", "#b13e53", "-o", str(tmp_path / "r.hex"), "--count", "7", "--hue-shift", "10"]
    assert main(command) == 0
    assert read_palette(tmp_path / "r.hex") == make_ramp("#b13e53", 7, 10)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "no-such"], "no such palette file"),
        (["convert", "pico-8", "-o", "x.doc"], ".hex, .gpl"),
        (["convert", "mega-drive", "-o", "x.act"], "256"),
        (["edit", "pico-8", "-o", "x.hex", "--reduce", "0"], "at least one colour"),
        (["ramp", "red", "-o", "x.hex"], "hex colour"),
        (["ramp", "f00", "-o", "x.hex", "--count", "1"], "2 to 256"),
        (["apply", "a.png", "-o", "x.png", "--palette", "pico-8", "--dither", "bayer3"], "bayer4"),
        (["apply", "a.png", "-o", "x.png", "--palette", "pico-8", "--strength", "2"], "--strength is 2.0"),
        (["apply", "a.png", "-o", "x.png", "--palette", "no-such"], "no such palette file"),
        (["swap", "a.png", "-o", "x.png"], "required"),
        (["swap", "a.png", "-o", "x.png", "--map", "f00"], "OLD=NEW"),
        (["extract", "a.png", "-o", "x.hex", "--colors", "0"], "--colors is 0"),
        (["extract", "a.png", "-o", "x.docx"], "palettes are not written as"),
    ],
)
def test_arguments_that_cannot_work_write_nothing(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    photo(tmp_path / "a.png")
    assert main(["palette", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_a_palette_file_that_is_there_is_kept_unless_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "p.hex").write_text("ff0000\n")
    command = ["palette", "convert", "pico-8", "-o", str(tmp_path / "p.hex")]
    assert main(command) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert (tmp_path / "p.hex").read_text() == "ff0000\n"
    assert main([*command, "--overwrite"]) == 0
    assert read_palette(tmp_path / "p.hex") == find_palette("pico-8")


# --- extract ---------------------------------------------------------------------------------------------


def test_extract_takes_exactly_the_colours_of_all_sprites_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sprite(tmp_path / "in/a.png", "rr.", ".g.")
    sprite(tmp_path / "in/sub/b.png", "bb", "..")
    assert main(["palette", "extract", str(tmp_path / "in"), "-o", str(tmp_path / "p.hex")]) == 0
    assert set(read_palette(tmp_path / "p.hex").to_hex()) == {"#c80000", "#00b400", "#000078"}
    assert capsys.readouterr().out.split() == [str(tmp_path / "p.hex")]


@pytest.mark.parametrize("method", parse_palette.METHODS)
def test_extract_keeps_to_the_number_and_to_the_colours_it_is_told(tmp_path: Path, method: str) -> None:
    source = photo(tmp_path / "a.png")
    command = ["palette", "extract", str(source), "-o", str(tmp_path / "p.hex"), "--method", method]
    assert main([*command, "--colors", "6", "--keep", "ff00ff", "010203"]) == 0
    made = read_palette(tmp_path / "p.hex").to_hex()
    assert len(made) <= 6
    assert {"#ff00ff", "#010203"} <= set(made)


def test_extract_by_error_takes_fewer_colours_for_a_larger_error(tmp_path: Path) -> None:
    source, counts = photo(tmp_path / "a.png"), []
    for error in ("0.03", "0.1"):
        out = tmp_path / f"{error}.hex"
        assert main(["palette", "extract", str(source), "-o", str(out), "--error", error, "--colors", "64"]) == 0
        counts.append(len(read_palette(out)))
    assert counts[0] > counts[1]


def test_extract_of_nothing_but_transparent_pixels_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("RGBA", (4, 4)).save(tmp_path / "a.png")
    assert main(["palette", "extract", str(tmp_path / "a.png"), "-o", str(tmp_path / "p.hex")]) == 1
    assert "every pixel is transparent" in capsys.readouterr().err
    assert not (tmp_path / "p.hex").exists()


def test_extract_makes_no_palette_when_a_picture_is_missing_from_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo(tmp_path / "in/a.png")
    (tmp_path / "in/b.png").write_text("no picture")
    assert main(["palette", "extract", str(tmp_path / "in"), "-o", str(tmp_path / "p.hex")]) == 1
    assert "b.png" in capsys.readouterr().err
    assert not (tmp_path / "p.hex").exists()


# --- apply and swap --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dither", options.DITHERS)
def test_apply_leaves_no_colour_outside_the_palette(tmp_path: Path, dither: str) -> None:
    source, out = photo(tmp_path / "a.png", alpha=True), tmp_path / "o.png"
    assert main(["palette", "apply", str(source), "-o", str(out), "--palette", "pico-8", "--dither", dither]) == 0
    assert colors_of(out) <= {tuple(color) for color in find_palette("pico-8").colors.tolist()}
    assert len(colors_of(out)) > 2
    with Image.open(out) as image:
        assert image.mode == "P"
    assert set(read_rgba(out)[0, 3, :, :16].flatten().tolist()) == {0.0}


def test_apply_takes_folders_and_goes_on_where_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo(tmp_path / "in/a.png")
    photo(tmp_path / "in/sub/b.png")
    (tmp_path / "in/c.png").write_text("no picture")
    command = ["palette", "apply", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--palette", "gameboy"]
    assert main(command) == 1
    assert "2 written, 0 already done, 1 failed" in capsys.readouterr().err
    assert main(command) == 1
    assert "0 written, 2 already done, 1 failed" in capsys.readouterr().err
    assert main([*command, "--dither", "bayer2"]) == 1
    assert "2 written, 0 already done" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_apply_keeps_an_animation_with_its_times_and_goes_on_where_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    source, out = gif(tmp_path / "in.gif"), tmp_path / f"o{suffix}"
    command = ["palette", "apply", str(source), "-o", str(out), "--palette", "gameboy", "--dither", "bayer4"]
    assert main(command) == 0
    with Image.open(out) as image:
        assert getattr(image, "n_frames", 1) == 3
        image.seek(1)
        image.load()
        assert image.info["duration"] == 70
    assert colors_of(out) <= {tuple(color) for color in find_palette("gameboy").colors.tolist()}
    before = out.read_bytes()
    assert main(command) == 0
    assert "1 already done" in capsys.readouterr().err
    assert out.read_bytes() == before


def test_in_a_folder_animations_keep_their_kind_and_stills_become_png(tmp_path: Path) -> None:
    photo(tmp_path / "in/a.jpg")
    gif(tmp_path / "in/b.gif")
    gif(tmp_path / "in/c.gif", frames=1)
    command = ["palette", "apply", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--palette", "gameboy"]
    assert main(command) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "b.gif", "c.png"]
    assert main([*command[:-3], str(tmp_path / "still"), *command[-2:], "--first-frame"]) == 0
    with Image.open(tmp_path / "still/b.gif") as image:
        assert getattr(image, "n_frames", 1) == 1


def test_a_foreign_animation_is_not_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, mine = gif(tmp_path / "in.gif"), gif(tmp_path / "mine.gif", frames=2)
    before = mine.read_bytes()
    command = ["palette", "apply", str(source), "-o", str(mine), "--palette", "gameboy"]
    assert main(command) == 1
    assert "not made by pixel-kiln" in capsys.readouterr().err
    assert mine.read_bytes() == before
    assert main([*command, "--overwrite"]) == 0
    assert mine.read_bytes() != before


def test_a_gif_that_cannot_hold_the_palette_is_refused_rather_than_given_other_colours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    command = ["palette", "apply", str(tmp_path / "a.png"), "--palette", "mega-drive", "-o"]
    assert main([*command, str(tmp_path / "o.gif")]) == 1
    assert "a GIF holds 256" in capsys.readouterr().err
    assert not (tmp_path / "o.gif").exists()
    assert main([*command, str(tmp_path / "o.webp")]) == 0
    assert colors_of(tmp_path / "o.webp") <= {tuple(color) for color in find_palette("mega-drive").colors.tolist()}


@pytest.mark.parametrize("given", ["000000 ffffff", "#000,#fff", "#000"])
def test_hex_colours_are_a_palette_wherever_one_is_named(tmp_path: Path, given: str) -> None:
    photo(tmp_path / "a.png")
    wanted = {(0, 0, 0), (255, 255, 255)} if "f" in given else {(0, 0, 0)}
    for command in (["palette", "apply"], ["palette", "swap"], ["downscale", "--cell", "8"]):
        if command[-1] == "swap":
            sprite(tmp_path / "s.png", "kg")
        source = tmp_path / ("s.png" if command[-1] == "swap" else "a.png")
        out = tmp_path / f"{command[-1]}.png"
        assert main([*command, str(source), "-o", str(out), "--palette", given]) == 0
        assert colors_of(out) <= wanted


def test_swap_by_lightness_sends_dark_to_dark_and_light_to_light(tmp_path: Path) -> None:
    source, out = sprite(tmp_path / "a.png", "kk.", "grg"), tmp_path / "o.png"
    assert main(["palette", "swap", str(source), "-o", str(out), "--palette", "gameboy"]) == 0
    made = to_uint8(read_rgba(out))[0]
    colors = find_palette("gameboy").colors
    light = colors.float().sum(dim=1)
    assert torch.equal(made[:3, 0, 0], colors[light.argmin()])
    assert torch.equal(made[:3, 1, 0], colors[light.argmax()])
    assert made[3].tolist() == [[255, 255, 0], [255, 255, 255]]


def test_swap_by_map_there_and_back_is_the_picture(tmp_path: Path) -> None:
    source = sprite(tmp_path / "a.png", "rgb", ".rk")
    for start, end in ((source, "b.png"), (tmp_path / "b.png", "c.png")):
        command = ["palette", "swap", str(start), "-o", str(tmp_path / end), "--map", "c80000=00b400", "00b400=c80000"]
        assert main(command) == 0
    first, there, back = (read_rgba(tmp_path / name) for name in ("a.png", "b.png", "c.png"))
    assert torch.equal(first, back)
    assert to_uint8(there)[0, :3, 0].T.tolist() == [[0, 180, 0], [200, 0, 0], [0, 0, 120]]


def test_swap_by_map_fails_for_a_sprite_with_none_of_the_colours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sprite(tmp_path / "in/a.png", "rg")
    sprite(tmp_path / "in/b.png", "kk")
    command = ["palette", "swap", str(tmp_path / "in"), "-o", str(tmp_path / "out")]
    assert main([*command, "--map", "c80000=ffffff", "000078=ffffff"]) == 1
    assert "b.png: has none of the colours" in capsys.readouterr().err
    assert colors_of(tmp_path / "out/a.png") == {(255, 255, 255), (0, 180, 0)}


# --- help ------------------------------------------------------------------------------------------------


def test_the_help_offers_exactly_what_the_library_has() -> None:
    from pixel_models.dither import DITHERS
    from pixel_models.palette.distance import SPACES

    assert tuple(map(options.dashed, DITHERS)) == options.DITHERS
    assert tuple(map(options.dashed, PALETTE_METHODS)) == parse_palette.METHODS
    assert SPACES == parse_palette.SPACES
    assert SWAP_ORDERS == parse_palette.SWAP_ORDERS
    assert SORT_KEYS == parse_palette.SORT_KEYS
    assert COLOR_BLINDNESSES == parse_palette.EYES


@pytest.mark.parametrize("arguments", [["palette", "--help"], ["palette", "apply", "--help"], ["snap", "--help"]])
def test_help_does_not_load_torch(arguments: list[str]) -> None:
    code = "import sys; from pixel_models.cli import main; main(sys.argv[1:]); print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "False"
