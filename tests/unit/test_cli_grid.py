"""`pixel-kiln inspect`, `snap` and `downscale`: native size found and met, reports, and pictures that have no grid."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pixel_models.cli import main, parse_grid
from pixel_models.cli.options import dashed
from pixel_models.image import read_rgba, to_uint8
from pixel_models.palette import find_palette

INSPECT_KEYS = {
    *("file", "width", "height", "cell_x", "cell_y", "offset_x", "offset_y", "confidence", "is_grid"),
    *("native_width", "native_height", "colors"),
}


def art(width: int = 24, height: int = 20, seed: int = 0) -> np.ndarray:
    """A sprite `h w 3` of blobs in six colours, with an outline."""
    rng = np.random.default_rng(seed)
    colors = np.array([(20, 20, 40), (200, 60, 60), (60, 160, 80), (240, 220, 120), (70, 90, 200), (250, 250, 250)])
    y, x = np.mgrid[:height, :width]
    picture = np.zeros((height, width), np.int64)
    for index in range(1, 6):
        for _ in range(3):
            cy, cx, radius = rng.uniform(0, height), rng.uniform(0, width), rng.uniform(2, 6)
            picture[(y - cy) ** 2 + (x - cx) ** 2 < radius**2] = index
    return colors[picture].astype(np.uint8)


def enlarged(path: Path, factor: int = 8, seed: int = 0) -> np.ndarray:
    """Save the sprite `factor` times enlarged, and return it at native size."""
    native = art(seed=seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(native.repeat(factor, 0).repeat(factor, 1)).save(path)
    return native


def smooth(path: Path) -> Path:
    """A picture without any grid."""
    y, x = np.mgrid[0:1:160j, 0:1:200j]
    waves = np.stack([np.sin(9 * x + 5 * y), np.cos(7 * y * x), np.sin(4 * x - 8 * y)], -1)
    noise = np.random.default_rng(0).normal(0, 3, (160, 200, 3))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((waves * 90 + 128 + noise).clip(0, 255).astype(np.uint8)).save(path)
    return path


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image.convert("RGB"))


# --- inspect ---------------------------------------------------------------------------------------------


def test_inspect_prints_one_json_object_that_tells_the_grid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    enlarged(tmp_path / "a.png", 8)
    assert main(["inspect", str(tmp_path / "a.png"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told.keys() >= INSPECT_KEYS
    assert (told["width"], told["height"]) == (192, 160)
    assert (told["native_width"], told["native_height"]) == (24, 20)
    assert told["cell_x"] == pytest.approx(8, abs=0.01)
    assert told["cell_y"] == pytest.approx(8, abs=0.01)
    assert told["is_grid"] is True
    assert 0.5 <= told["confidence"] <= 1
    assert told["file"] == str(tmp_path / "a.png")


def test_inspect_says_no_grid_for_a_smooth_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(smooth(tmp_path / "a.png")), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["is_grid"] is False
    assert told["confidence"] < 0.5


def test_inspect_prints_a_list_for_several_files_and_names_those_that_fail(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    enlarged(tmp_path / "in/a.png", 8)
    enlarged(tmp_path / "in/b.png", 5)
    (tmp_path / "in/c.png").write_text("no picture")
    assert main(["inspect", str(tmp_path / "in"), "--json"]) == 1
    out = capsys.readouterr()
    assert [Path(told["file"]).name for told in json.loads(out.out)] == ["a.png", "b.png"]
    assert "c.png" in out.err


def test_inspect_of_a_missing_file_prints_no_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(tmp_path / "none.png"), "--json"]) == 1
    out = capsys.readouterr()
    assert out.out == ""
    assert "none.png" in out.err
    assert len(out.err.splitlines()) == 1


def test_inspect_is_readable_and_draws_a_picture_that_shows_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    enlarged(tmp_path / "a.png", 8)
    shown = tmp_path / "new/shown.png"
    assert main(["inspect", str(tmp_path / "a.png"), "--picture", str(shown)]) == 0
    out = capsys.readouterr().out
    assert "a.png" in out
    assert "24x20" in out
    assert str(shown) in out
    assert read_rgba(shown).shape[1] == 4


@pytest.mark.parametrize("alpha", [0, 255])
def test_inspect_of_a_blank_or_tiny_picture_guesses_no_grid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], alpha: int
) -> None:
    Image.new("RGBA", (40, 30), (10, 200, 30, alpha)).save(tmp_path / "a.png")
    Image.new("RGBA", (1, 1), (10, 200, 30, alpha)).save(tmp_path / "b.png")
    for name in ("a.png", "b.png"):
        assert main(["inspect", str(tmp_path / name)]) == 0
        told = capsys.readouterr().out
        assert "best guess" not in told
        assert ("1 colour:" if alpha else "0 colours:") in told
    assert main(["inspect", str(tmp_path / "a.png"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out).keys() >= INSPECT_KEYS


def test_inspect_draws_over_nobody_elses_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    enlarged(tmp_path / "a.png", 8)
    mine = smooth(tmp_path / "mine.png").read_bytes()
    command = ["inspect", str(tmp_path / "a.png"), "--picture", str(tmp_path / "mine.png")]
    assert main(command) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert (tmp_path / "mine.png").read_bytes() == mine
    assert main([*command, "--overwrite"]) == 0
    assert main(["inspect", str(tmp_path / "a.png"), "--picture", str(tmp_path / "a.png"), "--overwrite"]) == 2


# --- snap ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [[], ["--cell", "8"], ["--size", "24x20"]])
def test_snap_gives_back_exactly_the_sprite_that_was_enlarged(tmp_path: Path, options: list[str]) -> None:
    native = enlarged(tmp_path / "a.png", 8)
    assert main(["snap", str(tmp_path / "a.png"), "-o", str(tmp_path / "o.png"), *options]) == 0
    assert np.array_equal(pixels(tmp_path / "o.png"), native)
    with Image.open(tmp_path / "o.png") as image:
        assert image.mode == "P"


def test_snap_meets_a_size_exactly(tmp_path: Path) -> None:
    smooth(tmp_path / "a.png")
    assert main(["snap", str(tmp_path / "a.png"), "-o", str(tmp_path / "o.png"), "--size", "23x17"]) == 0
    assert read_rgba(tmp_path / "o.png").shape == (1, 4, 17, 23)


def test_snap_refuses_a_picture_without_a_grid_and_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    smooth(tmp_path / "in/a.png")
    enlarged(tmp_path / "in/b.png", 6)
    command = ["snap", str(tmp_path / "in"), "-o", str(tmp_path / "out")]
    assert main(command) == 1
    err = capsys.readouterr().err
    assert "a.png: no grid was found" in err
    assert "1 written, 0 already done, 1 failed" in err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.png"]
    assert main([*command, "--force"]) == 0


def test_snap_keeps_to_colors_palette_and_scale(tmp_path: Path) -> None:
    enlarged(tmp_path / "a.png", 8)
    command = ["snap", str(tmp_path / "a.png"), "-o", str(tmp_path / "o.png"), "--overwrite"]
    assert main([*command, "--colors", "3"]) == 0
    assert len(np.unique(pixels(tmp_path / "o.png").reshape(-1, 3), axis=0)) == 3
    assert main([*command, "--palette", "gameboy", "--scale", "4"]) == 0
    made = to_uint8(read_rgba(tmp_path / "o.png"))[0, :3]
    assert made.shape[1:] == (80, 96)
    allowed = {tuple(color) for color in find_palette("gameboy").colors.tolist()}
    assert {tuple(color) for color in made.flatten(1).T.tolist()} <= allowed


def test_snap_brings_a_film_to_one_size_and_one_palette(tmp_path: Path) -> None:
    frames = [Image.fromarray(art(seed=seed).repeat(6, 0).repeat(6, 1)) for seed in range(3)]
    frames[0].save(tmp_path / "in.gif", save_all=True, append_images=frames[1:], duration=[40, 80, 120], loop=0)
    assert main(["snap", str(tmp_path / "in.gif"), "-o", str(tmp_path / "o.gif"), "--colors", "4"]) == 0
    with Image.open(tmp_path / "o.gif") as image:
        assert image.size == (24, 20)
        found, times = set(), []
        for index in range(3):
            image.seek(index)
            found |= set(map(tuple, np.array(image.convert("RGB")).reshape(-1, 3).tolist()))
            times.append(image.info["duration"])
    assert times == [40, 80, 120]
    assert len(found) <= 4


def test_one_grid_gives_all_pictures_one_palette(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in range(3):
        enlarged(tmp_path / f"in/{seed}.png", 6, seed)
    command = ["snap", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--one-grid", "--colors", "5"]
    assert main(command) == 0
    made = [pixels(tmp_path / f"out/{seed}.png") for seed in range(3)]
    assert len({tuple(color) for picture in made for color in picture.reshape(-1, 3).tolist()}) <= 5
    for seed, picture in enumerate(made):  # each file got its own picture
        apart = [np.abs(art(seed=other).astype(int) - picture).sum() for other in range(3)]
        assert int(np.argmin(apart)) == seed
    capsys.readouterr()
    assert main(command) == 0
    assert "3 already done" in capsys.readouterr().err


def test_one_grid_needs_pictures_of_one_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    enlarged(tmp_path / "in/a.png", 6)
    enlarged(tmp_path / "in/b.png", 7)
    assert main(["snap", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--one-grid"]) == 2
    assert "144x120, 168x140" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_one_grid_that_is_not_found_fails_with_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    smooth(tmp_path / "in/a.png")
    smooth(tmp_path / "in/b.png")
    assert main(["snap", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--one-grid"]) == 1
    assert "no grid was found" in capsys.readouterr().err


# --- downscale -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", parse_grid.DOWNSCALE_METHODS)
def test_every_method_gives_one_colour_a_cell(tmp_path: Path, method: str) -> None:
    native = enlarged(tmp_path / "a.png", 8)
    command = ["downscale", str(tmp_path / "a.png"), "-o", str(tmp_path / "o.png"), "--cell", "8", "--method", method]
    assert main(command) == 0
    made = pixels(tmp_path / "o.png")
    assert made.shape == native.shape
    if method in ("nearest", "dominant"):
        assert np.array_equal(made, native)


@pytest.mark.parametrize(
    ("options", "size", "clear_rows"),
    [
        (["--size", "20x20"], (20, 20), [0, 1, 18, 19]),
        (["--size", "20x20", "--fit", "pad"], (20, 20), [0, 1, 18, 19]),
        (["--size", "20x20", "--fit", "crop"], (20, 20), []),
        (["--size", "20x20", "--fit", "stretch"], (20, 20), []),
        (["--size", "20"], (20, 16), []),
        (["--size", "20x"], (20, 16), []),
        (["--size", "x16"], (20, 16), []),
        (["--size", "20x16"], (20, 16), []),
    ],
)
def test_downscale_to_a_size_keeps_the_shape_unless_told(
    tmp_path: Path, options: list[str], size: tuple[int, int], clear_rows: list[int]
) -> None:
    smooth(tmp_path / "a.png")  # 200x160
    assert main(["downscale", str(tmp_path / "a.png"), "-o", str(tmp_path / "o.png"), "--method", "box", *options]) == 0
    made = read_rgba(tmp_path / "o.png")
    assert made.shape[:1:-1] == size
    assert [row for row in range(size[1]) if made[0, 3, row].max() == 0] == clear_rows


def test_downscale_crops_or_stretches_as_it_is_told(tmp_path: Path) -> None:
    native = art(20, 10)
    Image.fromarray(native.repeat(4, 0).repeat(4, 1)).save(tmp_path / "a.png")
    command = ["downscale", str(tmp_path / "a.png"), "--method", "nearest", "-o", str(tmp_path / "o.png")]
    for fit, wanted in (("crop", native[:, 5:15]), ("stretch", native[:, 1::2]), ("pad", None)):
        assert main([*command, "--size", "10x10", "--fit", fit, "--overwrite"]) == 0
        if wanted is not None:
            assert np.array_equal(pixels(tmp_path / "o.png"), wanted)
    alpha = read_rgba(tmp_path / "o.png")[0, 3]
    assert (alpha.sum(dim=1) > 0).nonzero().flatten().tolist() == [2, 3, 4, 5, 6]


def test_downscale_counts_cells_that_are_cut_by_the_border(tmp_path: Path) -> None:
    smooth(tmp_path / "a.png")
    command = ["downscale", str(tmp_path / "a.png"), "-o", str(tmp_path / "o.png"), "--overwrite"]
    assert main([*command, "--cell", "7"]) == 0
    assert pixels(tmp_path / "o.png").shape == (23, 29, 3)
    assert main([*command, "--size", "30x11", "--scale", "2"]) == 0
    assert pixels(tmp_path / "o.png").shape == (22, 60, 3)


def test_downscale_keeps_to_colors_and_to_a_dithered_palette(tmp_path: Path) -> None:
    source, out = str(smooth(tmp_path / "a.png")), tmp_path / "o.png"
    command = ["downscale", source, "-o", str(out), "--cell", "4", "--overwrite"]
    assert main([*command, "--colors", "7"]) == 0
    assert len(np.unique(pixels(out).reshape(-1, 3), axis=0)) == 7
    assert main([*command, "--palette", "1-bit", "--dither", "bayer4"]) == 0
    assert {tuple(color) for color in pixels(out).reshape(-1, 3).tolist()} == {(0, 0, 0), (255, 255, 255)}


def test_downscale_keeps_alpha_hard(tmp_path: Path) -> None:
    soft = torch.linspace(0, 255, 64).repeat(64, 1).to(torch.uint8).numpy()
    Image.fromarray(np.dstack([np.full((64, 64, 3), 90, np.uint8), soft])).save(tmp_path / "a.png")
    assert main(["downscale", str(tmp_path / "a.png"), "-o", str(tmp_path / "o.png"), "--cell", "8"]) == 0
    assert read_rgba(tmp_path / "o.png")[0, 3].tolist() == [[0.0] * 4 + [1.0] * 4] * 8


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["snap", "--size", "4x4", "--cell", "8"], "not allowed with"),
        (["snap", "--cell", "0.5"], "--cell is 0.5"),
        (["snap", "--scale", "65"], "--scale is 65"),
        (["snap", "--colors", "3", "--palette", "gameboy"], "not allowed with"),
        (["downscale"], "required"),
        (["downscale", "--cell", "0"], "--cell is 0"),
        (["downscale", "--cell", "4", "--dither", "bayer4"], "--palette or --colors"),
        (["downscale", "--cell", "4", "--method", "magic"], "k-centroid"),
    ],
)
def test_arguments_that_cannot_work_write_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    enlarged(tmp_path / "a.png")
    command = [arguments[0], str(tmp_path / "a.png"), "-o", str(tmp_path / "o.png"), *arguments[1:]]
    assert main(command) == 2
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_the_help_offers_exactly_what_the_library_has() -> None:
    from pixel_models.downscale import DOWNSCALE_METHODS

    assert sorted(map(dashed, DOWNSCALE_METHODS)) == sorted(parse_grid.DOWNSCALE_METHODS)
