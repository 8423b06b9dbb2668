"""`pixel-kiln clean` and `upscale`: stray pixels, outlines, and sprites made larger."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pixel_models.cli import main, parse_grid
from pixel_models.cli.options import dashed
from pixel_models.image import read_rgba, to_uint8

COLORS = {"r": (200, 0, 0, 255), "d": (190, 10, 5, 255), "w": (250, 250, 250, 255), "k": (0, 0, 0, 255), ".": (0,) * 4}


def sprite(path: Path, *rows: str) -> Path:
    """A PNG of letters: d is hardly another red than r, a dot is nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.array([[COLORS[letter] for letter in row] for row in rows], np.uint8)).save(path)
    return path


def letters(path: Path) -> list[str]:
    """What `sprite` would have been given."""
    names = {color: letter for letter, color in COLORS.items()}
    made = to_uint8(read_rgba(path))[0].permute(1, 2, 0).tolist()
    return ["".join(names.get(tuple(pixel), "?") for pixel in row) for row in made]


def test_clean_takes_out_a_stray_pixel_and_keeps_an_eye(tmp_path: Path) -> None:
    rows = ("rrrrrrr", "rrdrrrr", "rrrrrrr", "rrrrkrr", "rrrrrrr")
    source = sprite(tmp_path / "a.png", *rows)
    assert main(["clean", str(source), "-o", str(tmp_path / "o.png")]) == 0
    assert letters(tmp_path / "o.png") == ["rrrrrrr", "rrrrrrr", "rrrrrrr", "rrrrkrr", "rrrrrrr"]
    assert main(["clean", str(source), "-o", str(tmp_path / "p.png"), "--no-orphans"]) == 0
    assert letters(tmp_path / "p.png") == list(rows)


def test_clean_draws_an_outline_in_the_colour_that_is_asked_for(tmp_path: Path) -> None:
    source = sprite(tmp_path / "a.png", ".....", "..r..", ".rrr.", "..r..", ".....")
    command = ["clean", str(source), "-o", str(tmp_path / "o.png"), "--no-orphans", "--outline", "outside"]
    assert main([*command, "--outline-color", "fafafa"]) == 0
    made = letters(tmp_path / "o.png")
    assert sum(row.count("r") for row in made) == 5
    assert made[len(made) // 2].strip(".") == "wrrrw"


@pytest.mark.parametrize("outline", parse_grid.OUTLINES)
def test_every_outline_leaves_alpha_hard_and_files_indexed(tmp_path: Path, outline: str) -> None:
    source = sprite(tmp_path / "a.png", *["." * 9] * 2, *["..rrrww.."] * 5, *["." * 9] * 2)
    assert main(["clean", str(source), "-o", str(tmp_path / "o.png"), "--outline", outline]) == 0
    with Image.open(tmp_path / "o.png") as image:
        assert image.mode == "P"
    assert set(read_rgba(tmp_path / "o.png")[0, 3].flatten().tolist()) == {0.0, 1.0}


def test_clean_takes_folders_and_goes_on_where_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.png", "sub/b.png"):
        sprite(tmp_path / "in" / name, "rrr", "rkr", "rrr")
    command = ["clean", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--jaggies", "--antialias"]
    assert main(command) == 0
    assert "2 written" in capsys.readouterr().err
    assert main(command) == 0
    assert "0 written, 2 already done" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        ["--outline-color", "fff"],
        ["--outline", "selective", "--outline-color", "fff"],
        ["--outline", "inside", "--padding", "1"],
        ["--outline", "outside", "--light", "top-left"],
    ],
)
def test_an_option_of_another_outline_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    source = sprite(tmp_path / "a.png", "rr", "rr")
    assert main(["clean", str(source), "-o", str(tmp_path / "o.png"), *options]) == 2
    assert f"{options[-2]} needs --outline" in capsys.readouterr().err
    assert not (tmp_path / "o.png").exists()


def test_padding_makes_room_for_an_outline(tmp_path: Path) -> None:
    source = sprite(tmp_path / "a.png", "rr", "rr")
    command = ["clean", str(source), "-o", str(tmp_path / "o.png"), "--outline", "outside", "--outline-color", "000000"]
    assert main([*command, "--padding", "1"]) == 0
    assert letters(tmp_path / "o.png")[1:3] == ["krrk", "krrk"]


@pytest.mark.parametrize("method", parse_grid.UPSCALE_METHODS)
@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_upscale_gives_the_size_that_is_asked_for(tmp_path: Path, method: str, scale: int) -> None:
    source, out = sprite(tmp_path / "a.png", "kkr.", "krr.", "rrw."), tmp_path / "o.png"
    assert main(["upscale", str(source), "-o", str(out), "--scale", str(scale), "--method", method]) == 0
    made = read_rgba(out)
    assert made.shape == (1, 4, 3 * scale, 4 * scale)
    if method == "nearest":
        assert torch.equal(made[..., ::scale, ::scale], read_rgba(source))
    if method != "smooth":
        own = {tuple(color) for color in to_uint8(read_rgba(source))[0].flatten(1).T.tolist()}
        assert {tuple(color) for color in to_uint8(made)[0].flatten(1).T.tolist()} <= own


def test_upscale_keeps_an_animation(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.full((4, 4, 3), value, np.uint8)) for value in (0, 100, 250)]
    frames[0].save(tmp_path / "in.gif", save_all=True, append_images=frames[1:], duration=50, loop=0)
    assert main(["upscale", str(tmp_path / "in.gif"), "-o", str(tmp_path / "o.webp"), "--scale", "3"]) == 0
    with Image.open(tmp_path / "o.webp") as image:
        assert image.size == (12, 12)
        assert getattr(image, "n_frames", 1) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--scale", "0"], "--scale is 0, expected 1 to 16"),
        (["--scale", "5", "--method", "epx"], "expected one of 1, 2, 3, 4, 6"),
    ],
)
def test_a_scale_out_of_range_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    source = sprite(tmp_path / "a.png", "rr", "rr")
    assert main(["upscale", str(source), "-o", str(tmp_path / "o.png"), *options]) == 2
    assert message in capsys.readouterr().err


def test_the_help_offers_exactly_what_the_library_has() -> None:
    from pixel_models.cleanup import LIGHTS, OUTLINES
    from pixel_models.upscale import UPSCALE_METHODS

    assert OUTLINES == parse_grid.OUTLINES
    assert tuple(map(dashed, LIGHTS)) == parse_grid.LIGHTS
    assert UPSCALE_METHODS == parse_grid.UPSCALE_METHODS


def test_a_plain_background_becomes_transparent(tmp_path: Path) -> None:
    source = sprite(tmp_path / "a.png", "wwwww", "wrrrw", "wrwrw", "wrrrw", "wwwww")
    assert main(["clean", str(source), "-o", str(tmp_path / "b.png"), "--no-orphans", "--background", "auto"]) == 0
    assert letters(tmp_path / "b.png") == [".....", ".rrr.", ".rwr.", ".rrr.", "....."]
    assert main(["clean", str(source), "-o", str(tmp_path / "c.png"), "--no-orphans", "--background", "c80000"]) == 0
    assert letters(tmp_path / "c.png") == letters(source)
