"""`pixel-kiln vq`: pictures to codes and back, palettes swapped and chosen, with the shipped models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pixel_models
from pixel_models.cli import main, parse_vq
from pixel_models.codes import NEAREST_BYS, code_palette, encode, load_codes, nearest_codes
from pixel_models.image import read_rgba, to_uint8
from pixel_models.palette import Palette

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
DRAGON, ORC = str(SAMPLES / "sprite_dragon.png"), str(SAMPLES / "sprite_orc.png")


def colors(path: Path) -> set[tuple[int, ...]]:
    """Visible colours."""
    pixels = np.asarray(Image.open(path).convert("RGBA")).reshape(-1, 4)
    return {tuple(color[:3]) for color in pixels.tolist() if color[3]}


def clear(path: str | Path) -> list[bool]:
    """Which pixels are transparent."""
    return (to_uint8(read_rgba(path))[0, 3] == 0).flatten().tolist()


def test_codes_there_and_back_give_the_sprite_with_its_transparency(tmp_path: Path) -> None:
    codes, back = tmp_path / "d.npz", tmp_path / "d.png"
    extra = ["--map", str(tmp_path / "map.png"), "--codebook", str(tmp_path / "book.png")]
    assert main(["vq", "encode", DRAGON, "-o", str(codes), *extra]) == 0
    assert main(["vq", "decode", str(codes), "-o", str(back)]) == 0
    assert clear(back) == clear(DRAGON)
    before, after = (to_uint8(read_rgba(path))[0, :3].int() for path in (DRAGON, back))
    visible = ~np.array(clear(DRAGON)).reshape(32, 32)
    assert float((before - after).abs().amax(0).numpy()[visible].mean()) < 12
    grid = load_codes(codes)
    assert tuple(grid.indices.shape) == (1, 32, 32)
    assert len(colors(tmp_path / "map.png")) == len(grid.indices.unique())
    assert Image.open(tmp_path / "book.png").size[0] > 64


def test_several_pictures_of_one_size_become_one_grid_and_an_animation(tmp_path: Path) -> None:
    assert main(["vq", "encode", DRAGON, ORC, "-o", str(tmp_path / "two.png")]) == 0
    assert len(load_codes(tmp_path / "two.png")) == 2
    assert main(["vq", "decode", str(tmp_path / "two.png"), "-o", str(tmp_path / "two.gif"), "--scale", "2"]) == 0
    with Image.open(tmp_path / "two.gif") as film:
        assert (getattr(film, "n_frames", 1), film.size) == (2, (64, 64))


def test_a_swap_takes_the_other_sprites_colours_and_keeps_the_drawing(tmp_path: Path) -> None:
    made = tmp_path / "s.png"
    assert main(["vq", "swap", DRAGON, "-o", str(made), "--other", ORC]) == 0
    model = pixel_models.load("kiln-vq-hires.safetensors")
    mine, theirs = (encode(model, x[:, :3], x[:, 3:], nearest="picture") for x in map(read_rgba, (DRAGON, ORC)))
    assert clear(made) == clear(DRAGON)
    swapped = read_rgba(made)
    found = encode(model, swapped[:, :3], swapped[:, 3:], nearest="picture")
    assert code_palette(found)[0] == code_palette(theirs)[0] != code_palette(mine)[0]
    assert main(["vq", "swap", DRAGON, "-o", str(made), "--other", ORC]) == 0, "done already"
    changed = main(["vq", "swap", DRAGON, "-o", str(tmp_path / "o.png"), "--other", ORC, "--one-by-one"])
    assert changed == 0


def test_recoloured_sprites_get_the_models_nearest_colours(tmp_path: Path) -> None:
    made = tmp_path / "r.png"
    assert main(["vq", "recolor", DRAGON, "-o", str(made), "--palette", "ff0000 00ff00"]) == 0
    model, sprite = pixel_models.load("kiln-vq-hires.safetensors"), read_rgba(made)
    found = code_palette(encode(model, sprite[:, :3], sprite[:, 3:], nearest="picture"))
    assert found[:2] == nearest_codes(model, Palette.from_hex("ff0000 00ff00"))
    assert len(found) > 5


def test_codes_of_another_model_are_refused_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["vq", "encode", DRAGON, "-o", str(tmp_path / "d.npz")]) == 0
    out = tmp_path / "x.png"
    model = ["--model", "kiln-vq-medres.safetensors"]
    assert main(["vq", "decode", str(tmp_path / "d.npz"), "-o", str(out), *model]) == 1
    assert "another model" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["encode", DRAGON, "-o", "{}/codes.txt"], ".npz"),
        (["encode", DRAGON, str(SAMPLES / "drawing_house.png"), "-o", "{}/two.npz"], "several sizes"),
        (["decode", "{}/none.npz", "-o", "{}/a.bmp"], ".png"),
        (["swap", DRAGON, "-o", "{}/a.png", "--other", ORC, "--model", "kiln-pixelate.safetensors"], "to encode"),
        (["recolor", DRAGON, "-o", "{}/a.png", "--palette", "no-such-palette"], "palette"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(
    arguments: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["vq", *(argument.replace("{}", str(tmp_path)) for argument in arguments)]) in (1, 2)
    assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_parser_knows_the_librarys_choices() -> None:
    assert set(parse_vq.NEAREST) == set(NEAREST_BYS)
