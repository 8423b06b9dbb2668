"""What `pixel-kiln` takes from a folder, what outputs are called, which are done, and what it says meanwhile."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, features

from pixel_models.cli import main
from pixel_models.cli.files import read_file, stack
from pixel_models.cli.jobs import gather, make_plan
from pixel_models.errors import ImageError
from pixel_models.image import read_rgba
from pixel_models.sheets import Frame, SpriteSheet
from pixel_models.spritefiles import ART_SUFFIXES, read_art, write_art


def sprite(seed: int = 0) -> torch.Tensor:
    """A sprite `4 8 6` of a few colours on nothing."""
    rng = np.random.default_rng(seed)
    pixels = np.array([(0, 0, 0, 0), (200, 40, 40, 255), (60, 60, 220, 255)], np.float32)[rng.integers(0, 3, (8, 6))]
    return torch.from_numpy(pixels / 255).permute(2, 0, 1).contiguous()


def moving(count: int = 3, tag: str = "walk") -> SpriteSheet:
    """An animation with times and a tag."""
    return SpriteSheet(
        frames=tuple(Frame(rgba=sprite(n), name=f"f{n}", duration=50 + 10 * n, tag=tag) for n in range(count))
    )


def picture(path: Path, seed: int = 0) -> Path:
    """Save a small opaque picture as whatever its name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 4, (8, 6, 3)).astype(np.uint8) * 60
    Image.fromarray(pixels).save(path)
    return path


def every_kind(folder: Path) -> list[str]:
    """A folder of every kind of file that is read, and of some that are none."""
    folder.mkdir(parents=True, exist_ok=True)
    own = {".apng", ".aseprite", ".ase"}
    plain = [suffix for suffix in ART_SUFFIXES if suffix not in own and (suffix != ".avif" or features.check("avif"))]
    for suffix in plain:
        picture(folder / f"p{suffix[1:]}{suffix}")
    write_art(folder / "a.apng", moving(), format="apng")
    write_art(folder / "b.aseprite", moving())
    write_art(folder / "c.ase", moving(1))
    (folder / "swatches.ase").write_bytes(b"ASEF\0\1\0\0\0\0\0\0")
    (folder / "notes.txt").write_text("no picture")
    return sorted([*(f"p{suffix[1:]}" for suffix in plain), "a", "b", "c"])


# --- folders ---------------------------------------------------------------------------------------------


def test_a_folder_gives_every_kind_of_file_that_a_name_gives(tmp_path: Path) -> None:
    kinds = every_kind(tmp_path / "in")
    assert sorted(name for _, name in gather([str(tmp_path / "in")], "")) == kinds
    assert sorted(name for _, name in gather([str(tmp_path / "in/*")], "")) == kinds
    plan = make_plan([str(tmp_path / "in")], str(tmp_path / "out"), moving=True)
    assert sorted(job.source.stem for job in plan.jobs) == kinds
    targets = {job.source.name: job.target.name for job in plan.jobs}
    assert (targets["a.apng"], targets["b.aseprite"], targets["c.ase"]) == ("a.apng", "b.aseprite", "c.png")


@pytest.mark.parametrize("command", [["upscale", "--scale", "2"], ["clean"], ["palette", "apply", "--palette", "nes"]])
def test_commands_make_all_of_a_folder_and_find_it_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    kinds = every_kind(tmp_path / "in")
    command = [*command, str(tmp_path / "in"), "-o", str(tmp_path / "out")]
    assert main(command) == 0
    assert sorted(path.stem for path in (tmp_path / "out").iterdir()) == kinds
    made = read_art(tmp_path / "out/b.aseprite")
    assert [(frame.duration, frame.tag) for frame in made.frames] == [(50, "walk"), (60, "walk"), (70, "walk")]
    assert [frame.duration for frame in read_art(tmp_path / "out/a.apng").frames] == [50, 60, 70]
    capsys.readouterr()
    assert main(command) == 0
    assert f"0 written, {len(kinds)} already done" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", [".aseprite", ".webp", ".gif", ".apng"])
def test_an_output_that_was_cut_short_is_made_again(tmp_path: Path, suffix: str) -> None:
    write_art(tmp_path / "in.aseprite", moving())
    out = tmp_path / f"o{suffix}"
    command = ["upscale", str(tmp_path / "in.aseprite"), "-o", str(out), "--scale", "2"]
    assert main(command) == 0
    whole = out.read_bytes()
    out.write_bytes(whole[:-5])
    assert main(command) == 0
    assert out.read_bytes() == whole


def test_one_picture_is_made_of_a_still_sprite_file_and_of_an_animation_where_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    write_art(tmp_path / "in/still.aseprite", moving(1))
    write_art(tmp_path / "in/walk.aseprite", moving())
    command = ["sheet", "tile", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--preview"]
    assert main(command) == 1
    assert "walk.aseprite: is an animation of 3 frames" in capsys.readouterr().err
    assert torch.equal(read_rgba(tmp_path / "out/still.png")[0, 3, :8, :6], sprite()[3])
    assert main([*command, "--first-frame"]) == 0
    assert (tmp_path / "out/walk.png").exists()


@pytest.mark.parametrize("out", ["o.tga", "o.avif", "o.aseprite"])
def test_an_out_of_a_kind_that_is_not_written_is_no_folder(tmp_path: Path, out: str) -> None:
    with pytest.raises(ImageError, match=r"expected a name that ends in \.png"):
        make_plan([str(picture(tmp_path / "a.png"))], str(tmp_path / out))


def test_a_single_picture_is_read_without_a_second_copy(tmp_path: Path) -> None:
    art = read_file(picture(tmp_path / "a.png"))
    assert stack(art).data_ptr() == art.frames[0].rgba.data_ptr()
    assert torch.equal(stack(moving()), moving().batch())


# --- names that collide ----------------------------------------------------------------------------------


def test_only_inputs_that_differ_in_their_ending_alone_get_it_into_their_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("dragon.bmp", "dragon.tif", "bat.bmp", "deep/dragon.png"):
        picture(tmp_path / "in" / name)
    assert main(["upscale", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--scale", "2"]) == 0
    made = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png"))
    assert made == ["bat.png", "deep/dragon.png", "dragon_bmp.png", "dragon_tif.png"]
    told = capsys.readouterr().err.splitlines()
    assert "dragon.bmp" in told[0]
    assert "dragon.tif" in told[0]
    assert told[0].endswith("they become dragon_bmp.png, dragon_tif.png")


def test_names_that_still_collide_are_a_problem(tmp_path: Path) -> None:
    same = [str(picture(tmp_path / folder / "a.png")) for folder in ("x", "y")]
    plan = make_plan(same, str(tmp_path / "out"))
    assert [job.target.name for job in plan.jobs] == ["a.png"]
    assert "rename one of the two" in plan.problems[0]
    for name in ("b.bmp", "b.tif", "b_bmp.png"):
        picture(tmp_path / "in" / name)
    plan = make_plan([str(tmp_path / "in")], str(tmp_path / "out"))
    assert sorted(job.target.name for job in plan.jobs) == ["b_bmp.png", "b_tif.png"]
    assert len(plan.problems) == 1


def test_inspect_draws_a_picture_of_each_of_two_that_differ_in_their_ending_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture(tmp_path / "in/a.bmp")
    picture(tmp_path / "in/a.tif")
    assert main(["inspect", str(tmp_path / "in"), "--picture", str(tmp_path / "out")]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a_bmp.png", "a_tif.png"]
    assert "they become a_bmp.png, a_tif.png" in capsys.readouterr().err


# --- progress --------------------------------------------------------------------------------------------


class Screen(io.StringIO):
    """A terminal that keeps what it is shown."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def test_a_log_gets_whole_lines_and_no_bar(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture(tmp_path / "in/a.png")
    (tmp_path / "in/b.png").write_text("no picture")
    assert main(["upscale", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--scale", "2"]) == 1
    told = capsys.readouterr().err
    assert "\r" not in told
    first, last = told.splitlines()
    assert first.startswith(f"pixel-kiln: {tmp_path / 'in/b.png'}: is no picture")
    assert last == "pixel-kiln: 1 written, 0 already done, 1 failed"


def test_a_terminal_gets_a_bar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    picture(tmp_path / "a.png")
    assert main(["upscale", str(tmp_path / "a.png"), "-o", str(tmp_path / "o.png"), "--scale", "2"]) == 0
    assert "1/1" in screen.getvalue()
    assert screen.getvalue().splitlines()[-1] == "pixel-kiln: 1 written, 0 already done, 0 failed"
