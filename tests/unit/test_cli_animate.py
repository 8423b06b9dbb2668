"""`pixel-kiln animate`: files of every kind, folders, sheets with metadata, repeats, onion skins, cycles."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pixel_models.animation import animate
from pixel_models.cli import main
from pixel_models.image import read_rgba, write_png
from pixel_models.sheets import SpriteSheet, read_sheet
from pixel_models.spritefiles import read_art, write_art

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
ORC = SAMPLES / "sprite_orc.png"


@pytest.mark.parametrize("ending", ["gif", "webp", "apng", "aseprite"])
def test_a_motion_is_written_as_the_library_makes_it(tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"orc.{ending}"
    assert main(["animate", str(ORC), "-o", str(out), "--motion", "hop", "--amplitude", "5"]) == 0
    want, got = animate(read_rgba(ORC), "hop", amplitude=5), read_art(out)
    for one, two in zip(want.frames, got.frames, strict=True):
        seen = one.rgba[3:] > 0
        assert torch.equal(one.rgba[3] > 0, two.rgba[3] > 0)
        assert torch.allclose(one.rgba * seen, two.rgba * seen, atol=1e-6)
        assert two.duration == one.duration
    if ending == "aseprite":
        assert {frame.tag for frame in got.frames} == {"hop"}


def test_a_png_is_a_sheet_whose_metadata_reads_back_with_tags_and_pivots(tmp_path: Path) -> None:
    out = tmp_path / "orc.png"
    assert (
        main(["animate", str(ORC), "-o", str(out), "--motion", "bob", "--format", "texturepacker", "--scale", "2"]) == 0
    )
    sheet = read_sheet(tmp_path / "orc.json")
    want = animate(read_rgba(ORC), "bob")
    assert [frame.duration for frame in sheet.frames] == [frame.duration for frame in want.frames]
    assert {frame.tag for frame in sheet.frames} == {"bob"}
    assert sheet.frames[0].width == 2 * want.frames[0].width
    pivot = want.frames[0].pivot
    assert pivot is not None
    assert sheet.frames[0].pivot == pytest.approx((2 * pivot[0], 2 * pivot[1]), abs=0.01)


def test_metadata_of_somebody_else_is_left_alone_and_ones_own_made_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, beside = tmp_path / "orc.png", tmp_path / "orc.json"
    command = ["animate", str(ORC), "-o", str(out), "--motion", "bob", "--format", "texturepacker"]
    beside.write_text("my own notes")
    assert main(command) == 1
    assert "orc.json: is there already" in capsys.readouterr().err
    assert beside.read_text() == "my own notes"
    assert not out.exists()
    beside.unlink()
    assert main(command) == 0
    first = beside.read_bytes()
    assert main([*command, "--frames", "4"]) == 0  # another setting: both are made again
    assert beside.read_bytes() != first
    beside.write_text("my own notes")
    assert main([*command, "--frames", "6"]) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert beside.read_text() == "my own notes"
    assert main([*command, "--frames", "6", "--overwrite"]) == 0
    assert len(read_sheet(beside).frames) == 6


def test_a_folder_goes_on_where_it_stopped_and_leaves_foreign_files_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    for name in ("a.png", "deep/b.png"):
        write_png(tmp_path / "in" / name, read_rgba(ORC))
    command = ["animate", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--motion", "float", "--kind", "webp"]
    assert main(command) == 0
    assert sorted(path.name for path in (tmp_path / "out").rglob("*.webp")) == ["a.webp", "b.webp"]
    assert main(command) == 0
    assert "0 written, 2 already done" in capsys.readouterr().err
    assert main([*command, "--frames", "6"]) == 0
    assert "2 written" in capsys.readouterr().err
    foreign = tmp_path / "out" / "a.webp"
    write_art(foreign, read_rgba(ORC))
    before = foreign.read_bytes()
    assert main(command) == 1
    assert foreign.read_bytes() == before
    assert "--overwrite" in capsys.readouterr().err
    assert main([*command, "--overwrite"]) == 0


def test_an_animation_is_joined_looked_at_and_timed_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = torch.zeros(4, 4, 6, 6)
    frames[:, :, 2:4, 2:4] = 1
    frames[2, :, 1] = 1
    write_art(tmp_path / "in.gif", SpriteSheet.of_batch(frames, duration=50))
    out = tmp_path / "out.gif"
    command = ["animate", str(tmp_path / "in.gif"), "-o", str(out), "--dedupe", "--onion"]
    assert main(command) == 0
    assert [frame.duration for frame in read_art(out).frames] == [100, 50, 50]
    said = capsys.readouterr()
    assert "stands for in_1 too: 100 ms in all" in said.err
    assert said.out.split() == [str(out), str(tmp_path / "out_onion.png")]
    assert read_rgba(tmp_path / "out_onion.png").shape == (1, 4, 6, 3 * 6 + 2)
    assert main([*command, "--motion", "hop"]) == 1
    assert "--first-frame" in capsys.readouterr().err


def test_colours_cycle_in_the_order_of_a_palette(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    colors = torch.tensor([[1.0, 0, 0, 1], [0, 1.0, 0, 1], [0, 0, 1.0, 1]]).T[:, None]  # 4 1 3
    write_png(tmp_path / "in.png", colors[None])
    out = tmp_path / "out.apng"
    command = ["animate", str(tmp_path / "in.png"), "-o", str(out), "--cycle", "0-1@70"]
    assert main([*command, "--palette", "ff0000 00ff00 0000ff"]) == 0
    art = read_art(out)
    assert [frame.duration for frame in art.frames] == [70, 70]
    assert torch.equal(art.frames[1].rgba, colors[:, :, [1, 0, 2]])
    assert main([*command, "--palette", "ff0000", "--overwrite"]) == 1
    assert "palette apply" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--motion", "bob", "--frames", "1"], "--frames is 1"),
        (["--frames", "4"], "--frames goes with --motion"),
        (["--motion", "bob", "--parts", "x.png"], "--parts goes with --motion walk"),
        (["--cycle", "1..2"], "no cycle"),
        (["--motion", "bob", "--palette", "pico-8"], "--palette goes with --cycle"),
        (["--dedupe", "2"], "--dedupe is 2.0"),
    ],
)
def test_options_that_cannot_work_are_refused_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    assert main(["animate", str(ORC), "-o", str(tmp_path / "out.gif"), *options]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out.gif").exists()


def test_eyes_and_parts_are_taken_from_pictures_or_a_box(tmp_path: Path) -> None:
    rgba = read_rgba(ORC)
    mask = torch.zeros_like(rgba)
    mask[:, :, 6, 14:18] = 1
    write_png(tmp_path / "eyes.png", mask)
    parts = torch.zeros_like(rgba)
    parts[:, 3] = 1
    parts[:, 0, 23:29, :17] = parts[:, 2, 23:29, 17:] = 1
    write_png(tmp_path / "parts.png", parts)
    for name, options in (
        ("mask", ["--motion", "blink", "--eyes", str(tmp_path / "eyes.png")]),
        ("box", ["--motion", "blink", "--eyes", "13,4,6,4"]),
        ("walk", ["--motion", "walk", "--parts", str(tmp_path / "parts.png"), "--frames", "8"]),
    ):
        out = tmp_path / f"{name}.gif"
        assert main(["animate", str(ORC), "-o", str(out), *options]) == 0
        assert len(read_art(out)) > 1
