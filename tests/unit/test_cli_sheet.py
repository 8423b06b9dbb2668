"""`pixel-kiln sheet` and `save`: sprites to sheets and animations and back, metadata, tiles; nothing is replaced."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from pixel_models.cli import main, parse_sheet
from pixel_models.cli.jobs import gather
from pixel_models.errors import ImageError
from pixel_models.image import read_rgba
from pixel_models.sheets import LAYOUTS, METADATA_FORMATS, SLICE_HOWS, metadata_suffix
from pixel_models.spritefiles import SAVE_FORMATS, SAVE_SUFFIXES, read_art


def blob(seed: int, width: int = 10, height: int = 12) -> np.ndarray:
    """A sprite `h w 4` in a few colours, its corners transparent."""
    rng = np.random.default_rng(seed)
    colors = np.array([(0, 0, 0, 255), (200, 40, 40, 255), (60, 60, 220, 255), (250, 240, 200, 255)], np.uint8)
    pixels = colors[rng.integers(0, 4, (height, width))]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    pixels[x**2 + y**2 > 1] = 0
    return pixels


def tight(sprite: np.ndarray) -> np.ndarray:
    """A sprite without its transparent borders."""
    rows, columns = sprite[..., 3].any(1).nonzero()[0], sprite[..., 3].any(0).nonzero()[0]
    return sprite[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def save(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def sheet(path: Path, *, columns: int = 3, rows: int = 2, cell: int = 16) -> list[np.ndarray]:
    """Save sprites in a grid with empty pixels between them, and return them as cells `cell cell 4`."""
    cells = []
    for index in range(columns * rows):
        one = np.zeros((cell, cell, 4), np.uint8)
        one[2:14, 3:13] = blob(index)
        cells.append(one)
    lines = [np.concatenate(cells[row * columns : (row + 1) * columns], 1) for row in range(rows)]
    save(path, np.concatenate(lines, 0))
    return cells


def gif(path: Path, times: tuple[int, ...] = (40, 80, 120)) -> list[np.ndarray]:
    """Save an animation, and return its frames."""
    frames = [blob(seed) for seed in range(len(times))]
    pictures = [Image.fromarray(frame) for frame in frames]
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=list(times), loop=0, disposal=2)
    return frames


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image.convert("RGBA"))


def same(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two pictures look the same; what is under transparent pixels does not count."""
    return np.array_equal(np.where(one[..., 3:] > 0, one, 0), np.where(other[..., 3:] > 0, other, 0))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# --- slice -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [["--size", "16x16"], ["--count", "3x2"], ["--how", "count", "--count", "3x2"]])
def test_slice_by_grid_gives_every_cell_in_reading_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    cells = sheet(tmp_path / "hero.png")
    assert main(["sheet", "slice", str(tmp_path / "hero.png"), "-o", str(tmp_path / "out"), *options]) == 0
    assert names(tmp_path / "out") == [f"hero_{index}.png" for index in range(6)]
    assert all(same(pixels(tmp_path / f"out/hero_{index}.png"), cell) for index, cell in enumerate(cells))
    assert capsys.readouterr().out.split() == [str(tmp_path / f"out/hero_{index}.png") for index in range(6)]


def test_slice_by_itself_finds_the_sprites_and_takes_a_name(tmp_path: Path) -> None:
    sheet(tmp_path / "hero.png")
    command = ["sheet", "slice", str(tmp_path / "hero.png"), "-o", str(tmp_path / "out"), "--name", "run"]
    assert main(command) == 0
    assert names(tmp_path / "out") == [f"run_{index}.png" for index in range(6)]
    assert same(pixels(tmp_path / "out/run_0.png"), tight(blob(0)))
    with Image.open(tmp_path / "out/run_0.png") as image:
        assert image.mode == "P"


def test_slice_takes_a_colour_for_nothing(tmp_path: Path) -> None:
    sheet(tmp_path / "a.png")
    keyed = pixels(tmp_path / "a.png")
    keyed[keyed[..., 3] == 0] = (255, 0, 255, 255)
    save(tmp_path / "b.png", keyed)
    command = ["sheet", "slice", str(tmp_path / "b.png"), "-o", str(tmp_path / "out"), "--background", "ff00ff"]
    assert main(command) == 0
    assert same(pixels(tmp_path / "out/b_0.png"), tight(blob(0)))


def test_a_second_slice_does_nothing_and_a_foreign_file_stops_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet(tmp_path / "a.png")
    command = ["sheet", "slice", str(tmp_path / "a.png"), "-o", str(tmp_path / "out"), "--size", "16x16"]
    assert main(command) == 0
    capsys.readouterr()
    assert main(command) == 0
    assert capsys.readouterr().out == ""
    mine = save(tmp_path / "new/a_3.png", blob(9)).read_bytes()
    assert main([*command[:4], str(tmp_path / "new"), *command[5:]]) == 1
    assert "not made by pixel-kiln" in capsys.readouterr().err
    assert names(tmp_path / "new") == ["a_3.png"]
    assert main([*command[:4], str(tmp_path / "new"), *command[5:], "--overwrite"]) == 0
    assert (tmp_path / "new/a_3.png").read_bytes() != mine


def test_slice_never_writes_over_the_sheet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet(tmp_path / "a_0.png")
    command = ["sheet", "slice", str(tmp_path / "a_0.png"), "-o", str(tmp_path), "--name", "a", "--overwrite"]
    assert main(command) == 1
    assert "another folder" in capsys.readouterr().err
    assert names(tmp_path) == ["a_0.png"]


def test_slice_of_an_animation_needs_to_be_told_which_frame(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frames = gif(tmp_path / "a.gif")
    command = ["sheet", "slice", str(tmp_path / "a.gif"), "-o", str(tmp_path / "out"), "--count", "1x1"]
    assert main(command) == 1
    assert "a.gif: is an animation of 3 frames" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert main([*command, "--first-frame"]) == 0
    assert same(pixels(tmp_path / "out/a_0.png"), frames[0])


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--size", "16x16", "--how", "rows"], 2, "do not go together"),
        (["--size", "16x16", "--count", "3x2"], 2, "not allowed with"),
        (["--size", "wide"], 2, "WIDTHxHEIGHT"),
        (["--background", "pink"], 2, "hex colour"),
        (["--size", "99x99"], 1, "does not fit"),
        (["--count", "5x2"], 1, "do not divide"),
    ],
)
def test_a_slice_that_does_not_fit_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], status: int, message: str
) -> None:
    sheet(tmp_path / "a.png")
    assert main(["sheet", "slice", str(tmp_path / "a.png"), "-o", str(tmp_path / "out"), *options]) == status
    assert message in capsys.readouterr().err
    assert names(tmp_path) == ["a.png"]


# --- pack, read, convert ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", parse_sheet.METADATA_FORMATS)
@pytest.mark.parametrize("options", [[], ["--layout", "grid", "--columns", "2", "--extrude", "1"], ["--trim"]])
def test_what_was_packed_is_read_back_pixel_for_pixel(tmp_path: Path, kind: str, options: list[str]) -> None:
    sprites = {f"s{index}": blob(index, 6 + 3 * index, 9) for index in range(5)}
    for name, one in sprites.items():
        save(tmp_path / f"in/{name}.png", one)
    out = tmp_path / "packed/atlas.png"
    assert main(["sheet", "pack", str(tmp_path / "in"), "-o", str(out), "--format", kind, *options]) == 0
    metadata = out.with_suffix(metadata_suffix(kind))  # type: ignore[arg-type]
    assert metadata.is_file()
    assert main(["sheet", "read", str(metadata), "-o", str(tmp_path / "back")]) == 0
    found = {path.stem: pixels(path) for path in (tmp_path / "back").iterdir()}
    if kind == "css" and "--trim" in options:
        assert len(found) == len(sprites)
        return
    assert sorted(found) == sorted(sprites)
    assert all(same(found[name], one) for name, one in sprites.items())


def test_an_animation_is_packed_with_times_and_tag(tmp_path: Path) -> None:
    gif(tmp_path / "walk.gif")
    save(tmp_path / "idle.png", blob(7))
    out = tmp_path / "o.png"
    assert main(["sheet", "pack", str(tmp_path / "walk.gif"), str(tmp_path / "idle.png"), "-o", str(out)]) == 0
    told = json.loads((tmp_path / "o.json").read_text())
    assert [frame["duration"] for frame in told["frames"].values()] == [40, 80, 120, 100]
    assert [(tag["name"], tag["from"], tag["to"]) for tag in told["meta"]["frameTags"]] == [("walk", 0, 2)]
    assert told["meta"]["image"] == "o.png"
    assert main(["sheet", "pack", str(tmp_path / "walk.gif"), "-o", str(tmp_path / "p.png"), "--duration", "33"]) == 0
    told = json.loads((tmp_path / "p.json").read_text())
    assert {frame["duration"] for frame in told["frames"].values()} == {33}


def test_pack_keeps_frames_in_the_order_of_their_numbers_and_names_apart(tmp_path: Path) -> None:
    for name in ("walk_10", "walk_2", "sub/walk_2"):
        save(tmp_path / f"in/{name}.png", blob(len(name)))
    command = ["sheet", "pack", str(tmp_path / "in"), "-o", str(tmp_path / "o.png"), "--format", "aseprite-array"]
    assert main(command) == 0
    told = json.loads((tmp_path / "o.json").read_text())
    assert [frame["filename"] for frame in told["frames"]] == ["sub/walk_2", "walk_2", "walk_10"]


def test_a_power_of_two_is_one(tmp_path: Path) -> None:
    for index in range(5):
        save(tmp_path / f"in/{index}.png", blob(index))
    assert main(["sheet", "pack", str(tmp_path / "in"), "-o", str(tmp_path / "o.png"), "--power-of-two"]) == 0
    assert all(side & (side - 1) == 0 for side in pixels(tmp_path / "o.png").shape[:2])


def test_pack_replaces_neither_picture_nor_metadata_unasked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(tmp_path / "in/a.png", blob(1))
    (tmp_path / "o.json").write_text("mine")
    command = ["sheet", "pack", str(tmp_path / "in"), "-o", str(tmp_path / "o.png")]
    assert main(command) == 1
    assert "o.json: is there already" in capsys.readouterr().err
    assert names(tmp_path) == ["in", "o.json"]
    assert main([*command, "--overwrite"]) == 0
    assert json.loads((tmp_path / "o.json").read_text())["meta"]["image"] == "o.png"


def test_pack_fails_whole_when_one_input_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(tmp_path / "in/a.png", blob(1))
    (tmp_path / "in/b.png").write_text("no picture")
    assert main(["sheet", "pack", str(tmp_path / "in"), "-o", str(tmp_path / "o.png")]) == 1
    assert "b.png" in capsys.readouterr().err
    assert names(tmp_path) == ["in"]


def test_read_makes_an_animation_with_its_times(tmp_path: Path) -> None:
    frames = gif(tmp_path / "walk.gif")
    assert main(["sheet", "pack", str(tmp_path / "walk.gif"), "-o", str(tmp_path / "o.png")]) == 0
    assert main(["sheet", "read", str(tmp_path / "o.json"), "-o", str(tmp_path / "back.gif")]) == 0
    back = read_art(tmp_path / "back.gif")
    assert [frame.duration for frame in back.frames] == [40, 80, 120]
    for frame, one in zip(back.frames, frames, strict=True):
        assert same((frame.rgba * 255).round().byte().permute(1, 2, 0).numpy(), one)


@pytest.mark.parametrize("name", ["../../evil", "/evil", "C:\\evil", "con"])
def test_names_of_a_foreign_sheet_never_leave_the_folder(tmp_path: Path, name: str) -> None:
    save(tmp_path / "in/a.png", blob(1))
    assert main(["sheet", "pack", str(tmp_path / "in"), "-o", str(tmp_path / "deep/er/o.png")]) == 0
    path = tmp_path / "deep/er/o.json"
    path.write_text(path.read_text().replace('"a"', json.dumps(name)))
    before = {file for file in tmp_path.rglob("*") if file.is_file()}
    main(["sheet", "read", str(path), "-o", str(tmp_path / "deep/er/out")])
    new = {file for file in tmp_path.rglob("*") if file.is_file()} - before
    assert all(file.parent == tmp_path / "deep/er/out" for file in new)


def test_sprites_whose_names_end_like_files_get_one_ending(tmp_path: Path) -> None:
    cells = sheet(tmp_path / "s.png", columns=4, rows=1)
    keys = ["walk/0.png", "walk/1.PNG", "v1.5", "walk/0"]
    boxes = {key: {"frame": {"x": 16 * at, "y": 0, "w": 16, "h": 16}} for at, key in enumerate(keys)}
    (tmp_path / "s.json").write_text(json.dumps({"frames": boxes, "meta": {"app": "texturepacker", "image": "s.png"}}))
    assert main(["sheet", "read", str(tmp_path / "s.json"), "-o", str(tmp_path / "out")]) == 0
    assert names(tmp_path / "out") == ["v1.5.png", "walk_0.png", "walk_0_2.png", "walk_1.png"]
    assert same(pixels(tmp_path / "out/walk_0.png"), cells[0])


def test_read_of_something_else_fails_with_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.json").write_text("[1, 2")
    assert main(["sheet", "read", str(tmp_path / "a.json"), "-o", str(tmp_path / "out")]) == 1
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    assert "a.json" in err


@pytest.mark.parametrize("kind", ["godot", "phaser", "texturepacker", "csv", "aseprite-array"])
def test_convert_writes_metadata_beside_the_picture_or_takes_it_along(tmp_path: Path, kind: str) -> None:
    cells = {f"s{index}": blob(index) for index in range(3)}
    for name, one in cells.items():
        save(tmp_path / f"in/{name}.png", one)
    assert main(["sheet", "pack", str(tmp_path / "in"), "-o", str(tmp_path / "o.png")]) == 0
    suffix = metadata_suffix(kind)  # type: ignore[arg-type]
    for out in (tmp_path / f"o2{suffix}", tmp_path / f"elsewhere/new{suffix}"):
        assert main(["sheet", "convert", str(tmp_path / "o.json"), "-o", str(out), "--format", kind]) == 0
    assert names(tmp_path / "elsewhere") == sorted(["new.png", f"new{suffix}"])
    assert main(["sheet", "read", str(tmp_path / f"elsewhere/new{suffix}"), "-o", str(tmp_path / "back")]) == 0
    assert all(same(pixels(tmp_path / f"back/{name}.png"), one) for name, one in cells.items())


def test_convert_names_the_ending_that_a_format_has(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["sheet", "convert", str(tmp_path / "o.json"), "-o", str(tmp_path / "o.json"), "--format", "godot"]
    assert main(command) == 2
    assert ".tres" in capsys.readouterr().err


# --- tiles -----------------------------------------------------------------------------------------------


def tile_with_a_seam(path: Path) -> Path:
    """Left and right, top and bottom do not meet."""
    y, x = np.mgrid[0:32, 0:32]
    return save(path, np.stack([x * 8, y * 8, 255 - x * 4], -1).astype(np.uint8))


def test_check_tells_a_seam_from_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tile_with_a_seam(tmp_path / "a.png")
    save(tmp_path / "b.png", np.full((16, 16, 3), 77, np.uint8))
    assert main(["sheet", "tile", str(tmp_path / "a.png"), str(tmp_path / "b.png"), "--check"]) == 0
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [Path(line[0]).name for line in lines] == ["a.png", "b.png"]
    assert float(lines[0][1]) > 0.1
    assert float(lines[1][1]) == 0


def test_make_lowers_the_seam_and_preview_is_three_by_three(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, made = tile_with_a_seam(tmp_path / "a.png"), tmp_path / "b.png"
    assert main(["sheet", "tile", str(source), "-o", str(made), "--make"]) == 0
    capsys.readouterr()
    assert main(["sheet", "tile", str(source), str(made), "--check"]) == 0
    before, after = (float(line.split("\t")[1]) for line in capsys.readouterr().out.splitlines())
    assert after < before / 2
    assert main(["sheet", "tile", str(made), "-o", str(tmp_path / "c.png"), "--preview"]) == 0
    one = read_rgba(made)
    assert torch.equal(read_rgba(tmp_path / "c.png"), one.repeat(1, 1, 3, 3))


@pytest.mark.parametrize(("options", "message"), [([], "nothing to do"), (["--make"], "give -o OUT")])
def test_a_tile_without_anything_to_do_or_a_place_for_it_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    assert main(["sheet", "tile", str(tile_with_a_seam(tmp_path / "a.png")), *options]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(("columns", "rows"), [(5, 1), (1, 5), (4, 4), (2, 3), (13, 1)])
@pytest.mark.parametrize(("kind", "shape"), [("47", (48, 64)), ("16", (32, 32))])
def test_autotile_makes_a_whole_set_of_a_few_tiles(
    tmp_path: Path, columns: int, rows: int, kind: str, shape: tuple[int, int]
) -> None:
    tiles = np.random.default_rng(0).integers(0, 4, (rows * 8, columns * 8, 3)).astype(np.uint8) * 80
    source, out, look = save(tmp_path / "a.png", tiles), tmp_path / "o.png", tmp_path / "look.png"
    assert main(["sheet", "autotile", str(source), "-o", str(out), "--kind", kind, "--preview", str(look)]) == 0
    made = pixels(out)
    assert made.shape[:2] == shape
    assert {tuple(color) for color in made[made[..., 3] > 0][:, :3].tolist()} <= {
        tuple(color) for color in tiles.reshape(-1, 3).tolist()
    }
    assert pixels(look).shape[0] % 8 == 0


def test_autotile_of_a_whole_set_is_the_set(tmp_path: Path) -> None:
    source = save(tmp_path / "a.png", np.random.default_rng(0).integers(0, 2, (48, 64, 3)).astype(np.uint8) * 255)
    assert main(["sheet", "autotile", str(source), "-o", str(tmp_path / "b.png")]) == 0
    assert np.array_equal(pixels(tmp_path / "b.png")[:40], pixels(source)[:40])


def test_autotile_of_a_picture_of_another_shape_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = save(tmp_path / "a.png", np.zeros((16, 112, 3), np.uint8))
    assert main(["sheet", "autotile", str(source), "-o", str(tmp_path / "b.png")]) == 1
    assert "no set of square tiles fills" in capsys.readouterr().err
    assert main(["sheet", "autotile", str(source), "-o", str(tmp_path / "b.png"), "--size", "16x16"]) == 1
    assert "got 7 tiles" in capsys.readouterr().err
    assert names(tmp_path) == ["a.png"]


# --- save ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".apng", ".aseprite"])
def test_save_makes_one_animation_of_pictures_and_save_takes_it_apart(tmp_path: Path, suffix: str) -> None:
    frames = [blob(seed) for seed in range(11)]
    for index, frame in enumerate(frames):
        save(tmp_path / f"in/f{index}.png", frame)
    out = tmp_path / f"o{suffix}"
    assert main(["save", str(tmp_path / "in"), "-o", str(out), "--duration", "60"]) == 0
    assert {frame.duration for frame in read_art(out).frames} == {60}
    assert main(["save", str(out), "-o", str(tmp_path / "back/b.png")]) == 0
    assert names(tmp_path / "back") == [f"b_{index:04}.png" for index in range(11)]
    assert all(same(pixels(tmp_path / f"back/b_{index:04}.png"), frame) for index, frame in enumerate(frames))


def test_save_keeps_the_times_of_an_animation_and_enlarges_it(tmp_path: Path) -> None:
    frames = gif(tmp_path / "in.gif")
    assert main(["save", str(tmp_path / "in.gif"), "-o", str(tmp_path / "o.webp"), "--scale", "3"]) == 0
    made = read_art(tmp_path / "o.webp")
    assert [frame.duration for frame in made.frames] == [40, 80, 120]
    assert (made.frames[0].width, made.frames[0].height) == (30, 36)
    large = (made.frames[1].rgba * 255).round().byte().permute(1, 2, 0).numpy()
    assert same(large[::3, 1::3], frames[1])


def looping(path: Path, loop: int | None) -> Path:
    """Save an animation as another program does, to be played `loop` times (of a GIF: again); None: nothing is said."""
    pictures = [Image.fromarray(blob(seed)) for seed in range(3)]
    told: dict[str, Any] = {} if loop is None else {"loop": loop}
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=50, disposal=2, **told)
    return path


def told_loop(path: Path) -> int | None:
    with Image.open(path) as image:
        return image.info.get("loop")


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png"])
@pytest.mark.parametrize("loop", [0, 3])
def test_an_animation_plays_as_often_as_before(tmp_path: Path, name: str, loop: int) -> None:
    source, out = looping(tmp_path / name, loop), tmp_path / "out" / name
    assert main(["upscale", str(source), "-o", str(out), "--scale", "2"]) == 0
    assert told_loop(out) == loop
    assert read_art(out).loop == read_art(source).loop == (loop + 1 if loop and name == "a.gif" else loop)
    assert main(["save", str(source), "-o", str(tmp_path / "b.apng")]) == 0
    assert told_loop(tmp_path / "b.apng") == read_art(source).loop


def test_a_gif_that_plays_once_still_does(tmp_path: Path) -> None:
    assert main(["save", str(looping(tmp_path / "a.gif", None)), "-o", str(tmp_path / "b.webp")]) == 0
    assert told_loop(tmp_path / "b.webp") == 1
    assert main(["save", str(tmp_path / "b.webp"), "-o", str(tmp_path / "c.gif")]) == 0
    assert told_loop(tmp_path / "c.gif") is None


def test_save_plays_as_often_as_it_is_told_and_animations_that_disagree_for_ever(tmp_path: Path) -> None:
    one, other = looping(tmp_path / "a.webp", 3), looping(tmp_path / "b.webp", 5)
    out = tmp_path / "o.webp"
    for options, loop in ((["--loop", "7"], 7), (["--loop", "0"], 0), ([], 3)):
        assert main(["save", str(one), "-o", str(out), "--overwrite", *options]) == 0
        assert told_loop(out) == loop
    assert main(["save", str(one), str(other), "-o", str(out), "--overwrite"]) == 0
    assert told_loop(out) == 0
    still = save(tmp_path / "c.png", blob(0))
    assert main(["save", str(still), str(other), "-o", str(out), "--overwrite"]) == 0
    assert told_loop(out) == 5


def test_save_as_a_sprite_file_says_that_it_forgets_how_often_to_play(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["save", str(looping(tmp_path / "a.webp", 3)), "-o", str(tmp_path / "o.aseprite")]) == 0
    assert "it was 3" in capsys.readouterr().err


def test_save_says_what_a_format_cannot_hold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for index in range(2):
        save(tmp_path / f"in/{index}.png", blob(index))
    assert main(["save", str(tmp_path / "in"), "-o", str(tmp_path / "o.gif"), "--duration", "33"]) == 0
    assert "hundredths" in capsys.readouterr().err


def test_save_replaces_nothing_unasked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gif(tmp_path / "in.gif")
    mine = save(tmp_path / "o_0001.png", blob(5)).read_bytes()
    command = ["save", str(tmp_path / "in.gif"), "-o", str(tmp_path / "o.png")]
    assert main(command) == 1
    assert "o_0001.png: is there already" in capsys.readouterr().err
    assert names(tmp_path) == ["in.gif", "o_0001.png"]
    assert main([*command, "--overwrite"]) == 0
    assert (tmp_path / "o_0001.png").read_bytes() != mine
    assert main(["save", str(tmp_path / "in.gif"), "-o", str(tmp_path / "in.gif")]) == 1
    assert "is an input too" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "x.mp4"], ".gif"),
        (["-o", "x"], ".gif"),
        (["-o", "x.gif", "--scale", "0"], "--scale is 0"),
        (["-o", "x.gif", "--duration", "0"], "--duration is 0"),
        (["-o", "x.gif", "--loop", "-1"], "--loop is -1"),
        (["-o", "x.gif", "--loop", "65536"], "--loop is 65536"),
    ],
)
def test_a_save_that_cannot_work_is_refused(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "a.png", blob(0))
    assert main(["save", "a.png", *options]) == 2
    assert message in capsys.readouterr().err
    assert names(tmp_path) == ["a.png"]


# --- planning and help -----------------------------------------------------------------------------------


def test_gather_keeps_the_order_that_was_given_and_takes_each_file_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("b.png", "in/f10.png", "in/f9.png", "out.png"):
        save(tmp_path / name, blob(0))
    found = gather(["b.png", "in", "in/f9.png", "*.png"], "out.png")
    assert [(path.as_posix(), name) for path, name in found] == [
        ("b.png", "b"),
        ("in/f9.png", "f9"),
        ("in/f10.png", "f10"),
    ]
    with pytest.raises(ImageError, match="no picture matches"):
        gather(["*.tif"], "out.png")


def test_the_help_offers_exactly_what_the_library_has() -> None:
    assert SLICE_HOWS == parse_sheet.SLICE_HOWS
    assert LAYOUTS == parse_sheet.LAYOUTS
    assert METADATA_FORMATS == parse_sheet.METADATA_FORMATS
    assert [f".{kind}" for kind in SAVE_FORMATS] == list(SAVE_SUFFIXES)
