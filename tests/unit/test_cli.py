"""The `pixel-kiln` command: arguments, many files, resuming, sizes, errors."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pixel_models.cli import main
from pixel_models.cli.fit import centre_on, crop_to_shape, inner_size
from pixel_models.cli.jobs import make_plan
from pixel_models.cli.parser import make_parser
from pixel_models.errors import ImageError
from pixel_models.image import read_rgba, to_uint8
from pixel_models.palette import IndexedImage, Palette, find_palette

ROOT = Path(__file__).resolve().parents[2]


def save(path: Path, width: int = 32, height: int = 24, *, alpha: bool = False, seed: int = 0) -> Path:
    """A smooth picture with some noise; with alpha, a disc on nothing."""
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    noise = np.random.default_rng(seed).normal(0, 8, (height, width, 3))
    rgb = (np.stack([x * 255, y * 255, (1 - x) * 200], -1) + noise).clip(0, 255).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    if alpha:
        disc = (((x - 0.5) ** 2 + (y - 0.5) ** 2) < 0.16).astype(np.uint8)[..., None] * 255
        rgb = np.concatenate([rgb, disc], -1)
    Image.fromarray(rgb).save(path)
    return path


def tree(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


# --- the whole command, with the shipped weights ---------------------------------------------------------


def test_one_file_becomes_an_indexed_png_at_native_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target = save(tmp_path / "in.png", 33, 24), tmp_path / "made" / "out.png"
    assert main(["pixelate", str(source), "-o", str(target), "--cell", "8", "--colors", "6"]) == 0
    with Image.open(target) as image:
        assert image.mode == "P"
        assert image.size == (5, 3)
        assert len(image.convert("RGB").getcolors() or []) <= 6
    out = capsys.readouterr()
    assert out.out.split() == [str(target)]
    assert out.err == "pixel-kiln: 1 written, 0 already done, 0 failed\n"


def test_scale_enlarges_without_new_colours(tmp_path: Path) -> None:
    source = save(tmp_path / "in.png")
    main(["pixelate", str(source), "-o", str(tmp_path / "a.png")])
    main(["pixelate", str(source), "-o", str(tmp_path / "b.png"), "--scale", "5"])
    small, large = read_rgba(tmp_path / "a.png"), read_rgba(tmp_path / "b.png")
    assert large.shape[-2:] == (15, 20)
    assert torch.equal(large[..., ::5, 4::5], small)


@pytest.mark.parametrize("palette", ["pico-8", "file"])
def test_a_given_palette_is_strict(tmp_path: Path, palette: str) -> None:
    (tmp_path / "p.hex").write_text("\n".join(code[1:] for code in find_palette("pico-8").to_hex()))
    name = palette if palette != "file" else str(tmp_path / "p.hex")
    assert main(["pixelate", str(save(tmp_path / "in.png")), "-o", str(tmp_path / "o.png"), "--palette", name]) == 0
    used = to_uint8(read_rgba(tmp_path / "o.png"))[0, :3].flatten(1).T.unique(dim=0)
    assert {tuple(color) for color in used.tolist()} <= {tuple(c) for c in find_palette("pico-8").colors.tolist()}


def test_alpha_is_kept_and_hard(tmp_path: Path) -> None:
    source = save(tmp_path / "in.png", 64, 64, alpha=True)
    assert main(["pixelate", str(source), "-o", str(tmp_path / "o.png"), "--cell", "4"]) == 0
    alpha = read_rgba(tmp_path / "o.png")[0, 3]
    assert set(alpha.flatten().tolist()) == {0.0, 1.0}
    assert alpha[0, 0] == 0
    assert alpha[8, 8] == 1
    with Image.open(tmp_path / "o.png") as image:
        assert image.mode == "P"


@pytest.mark.parametrize(("fit", "clear_rows"), [("pad", [0, 1, 2, 3, 12, 13, 14, 15]), ("crop", []), ("stretch", [])])
def test_size_gives_exactly_that_many_cells(tmp_path: Path, fit: str, clear_rows: list[int]) -> None:
    source = save(tmp_path / "in.png", 64, 32)
    assert main(["pixelate", str(source), "-o", str(tmp_path / "o.png"), "--size", "16x16", "--fit", fit]) == 0
    made = read_rgba(tmp_path / "o.png")
    assert made.shape == (1, 4, 16, 16)
    assert [row for row in range(16) if made[0, 3, row].max() == 0] == clear_rows


def test_depixelate_enlarges_a_sprite_smoothly(tmp_path: Path) -> None:
    source = save(tmp_path / "in.png", 20, 16, alpha=True)
    assert main(["depixelate", str(source), "-o", str(tmp_path / "o.png"), "--scale", "3"]) == 0
    with Image.open(tmp_path / "o.png") as image:
        assert image.size == (60, 48)
        assert image.mode == "RGBA"


def test_a_folder_keeps_its_structure_and_a_second_run_does_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.png", "sub/b.JPG", "sub/deep/c.webp", "sub/.hidden.png"):
        save(tmp_path / "in" / name)
    (tmp_path / "in" / "notes.txt").write_text("no picture")
    command = ["pixelate", str(tmp_path / "in"), "-o", str(tmp_path / "out")]
    assert main(command) == 0
    assert tree(tmp_path / "out") == ["a.png", "sub/b.png", "sub/deep/c.png"]
    before = {name: (tmp_path / "out" / name).stat().st_mtime_ns for name in tree(tmp_path / "out")}
    capsys.readouterr()
    assert main(command) == 0
    out = capsys.readouterr()
    assert out.out == ""
    assert "0 written, 3 already done" in out.err
    assert {name: (tmp_path / "out" / name).stat().st_mtime_ns for name in before} == before


def test_what_is_old_cut_short_or_made_otherwise_is_made_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("old", "cut", "empty", "fine"):
        save(tmp_path / "in" / f"{name}.png")
    command = ["pixelate", str(tmp_path / "in"), "-o", str(tmp_path / "out")]
    assert main(command) == 0
    whole = (tmp_path / "out/cut.png").read_bytes()
    (tmp_path / "out/cut.png").write_bytes(whole[:-20])
    (tmp_path / "out/empty.png").write_bytes(b"")
    later = time.time() + 100
    os.utime(tmp_path / "in/old.png", (later, later))
    capsys.readouterr()
    assert main(command) == 0
    written = capsys.readouterr().out.split()
    assert sorted(Path(path).stem for path in written) == ["cut", "empty", "old"]
    assert (tmp_path / "out/cut.png").read_bytes() == whole
    assert main([*command, "--colors", "4"]) == 0
    assert len(capsys.readouterr().out.split()) == 4


def test_a_foreign_file_is_not_overwritten_unless_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, mine = save(tmp_path / "in.png"), save(tmp_path / "out.png", 3, 3)
    before = mine.read_bytes()
    assert main(["pixelate", str(source), "-o", str(mine)]) == 1
    assert "not made by pixel-kiln" in capsys.readouterr().err
    assert mine.read_bytes() == before
    assert main(["pixelate", str(source), "-o", str(mine), "--overwrite"]) == 0
    assert mine.read_bytes() != before


def test_one_bad_file_does_not_stop_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(tmp_path / "in/a.png")
    (tmp_path / "in/b.png").write_bytes(b"")
    (tmp_path / "in/c.png").write_text("no picture")
    save(tmp_path / "in/d.png")
    assert main(["pixelate", str(tmp_path / "in"), "-o", str(tmp_path / "out")]) == 1
    err = capsys.readouterr().err
    assert "b.png: the file is empty" in err
    assert "c.png: is no picture" in err
    assert "2 written, 0 already done, 2 failed" in err
    assert tree(tmp_path / "out") == ["a.png", "d.png"]


def test_patterns_are_expanded_by_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("in/a.png", "in/b.png", "in/sub/c.png", "in/d.txt", "in/[x].png"):
        save(tmp_path / name) if name.endswith("png") else (tmp_path / name).write_text("")
    monkeypatch.chdir(tmp_path)
    assert main(["pixelate", "in/*.png", "-o", "flat"]) == 0
    assert tree(tmp_path / "flat") == ["[x].png", "a.png", "b.png"]
    assert main(["pixelate", "in/**/*.png", "-o", "deep"]) == 0
    assert tree(tmp_path / "deep") == ["[x].png", "a.png", "b.png", "sub/c.png"]
    assert main(["pixelate", "in/[x].png", "-o", "literal"]) == 0
    assert tree(tmp_path / "literal") == ["[x].png"]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_a_run_that_is_killed_leaves_only_whole_files_and_can_go_on(tmp_path: Path) -> None:
    for index in range(60):
        save(tmp_path / "in" / f"{index:02}.png", 160, 160, seed=index)
    command = [sys.executable, "-m", "pixel_models", "pixelate", str(tmp_path / "in"), "-o", str(tmp_path / "out")]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    for _ in range(5):
        assert process.stdout.readline().endswith(".png\n")
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    done = [name for name in tree(tmp_path / "out") if not name.startswith(".")]
    assert 5 <= len(done) < 60
    for name in done:
        assert read_rgba(tmp_path / "out" / name).shape == (1, 4, 20, 20)
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert len(again.stdout.split()) == 60 - len(done)
    assert f"{len(done)} already done" in again.stderr
    assert [name for name in tree(tmp_path / "out") if name[0] != "."] == [f"{index:02}.png" for index in range(60)]


def test_the_note_in_the_file_tells_how_it_was_made(tmp_path: Path) -> None:
    main(["pixelate", str(save(tmp_path / "in.png")), "-o", str(tmp_path / "o.png"), "--cell", "4"])
    with Image.open(tmp_path / "o.png") as image:
        note = json.loads(image.info["pixel-kiln"])
    assert note["command"] == "pixelate"
    assert note["cell"] == 4
    assert str(tmp_path) not in json.dumps(note)


def test_models_list_names_the_shipped_models(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list"]) == 0
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [line[:3] for line in lines][:4] == [
        ["kiln-pixelate.safetensors", "pixelate", "here"],
        ["kiln-cut.safetensors", "pixelate", "here"],
        ["kiln-depixelate.safetensors", "depixelate", "here"],
        ["kiln-vq-hires.safetensors", "encode", "here"],
    ]


# --- arguments -------------------------------------------------------------------------------------------


def all_helps() -> list[list[str]]:
    """`--help` of every command and action."""

    def below(parser: argparse.ArgumentParser, path: list[str]) -> Iterator[list[str]]:
        yield [*path, "--help"]
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for name, child in action.choices.items():
                    yield from below(child, [*path, name])

    return list(below(make_parser("0"), []))


def test_every_command_and_action_has_help_that_fits_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    helps = all_helps()
    assert len(helps) > 25
    for arguments in helps:
        assert main(arguments) == 0
        assert capsys.readouterr().out.startswith(f"usage: {' '.join(['pixel-kiln', *arguments[:-1]])} ")


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["pixelate", "--help"]])
def test_help_and_version_do_not_load_torch(arguments: list[str]) -> None:
    code = "import sys; from pixel_models.cli import main; status = main(sys.argv[1:]); print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "False"
    assert run.stdout.startswith("pixel-kiln 0." if arguments == ["--version"] else "usage: pixel-kiln")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cell", "1"], "--cell is 1, expected 2 to 32"),
        (["--cell", "0"], "--cell is 0, expected 2 to 32"),
        (["--colors", "257"], "--colors is 257, expected 2 to 256"),
        (["--scale", "0"], "--scale is 0"),
        (["--size", "64"], "WIDTHxHEIGHT"),
        (["--size", "0x4"], "WIDTHxHEIGHT"),
        (["--size", "4x4", "--cell", "8"], "not allowed with"),
        (["--palette", "no-such"], "palette list"),
        (["--model", "no-such"], "no model 'no-such'"),
        (["--model", "kiln-depixelate"], "depixelate"),
        (["--fit", "squeeze"], "pad"),
    ],
)
def test_arguments_that_cannot_work_are_refused_before_any_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    source = save(tmp_path / "in.png")
    assert main(["pixelate", str(source), "-o", str(tmp_path / "out"), *arguments]) == 2
    assert message in capsys.readouterr().err
    assert tree(tmp_path) == ["in.png"]


def test_cuda_is_refused_where_there_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert main(["pixelate", str(save(tmp_path / "a.png")), "-o", str(tmp_path / "o"), "--device", "cuda"]) == 2
    assert "no CUDA device" in capsys.readouterr().err


def test_the_help_tells_the_ranges_that_are_checked() -> None:
    from pixel_models.depixelate import SCALE_RANGE
    from pixel_models.pixelate import CELL_RANGE, COLOR_RANGE

    sub = next(action for action in make_parser("0")._subparsers._group_actions if action.choices)  # type: ignore[union-attr]
    assert isinstance(sub.choices, dict)
    texts = {name: " ".join(parser.format_help().split()) for name, parser in sub.choices.items()}
    assert f"{CELL_RANGE[0]} to {CELL_RANGE[1]} input pixels" in texts["pixelate"]
    assert f"most colours, {COLOR_RANGE[0]} to {COLOR_RANGE[1]}" in texts["pixelate"]
    assert f"how many times larger, {SCALE_RANGE[0]} to {SCALE_RANGE[1]}" in texts["depixelate"]


# --- planning --------------------------------------------------------------------------------------------


def test_two_inputs_for_one_output_are_told_apart(tmp_path: Path) -> None:
    save(tmp_path / "in/a.jpg")
    save(tmp_path / "in/a.png")
    plan = make_plan([str(tmp_path / "in")], str(tmp_path / "out"))
    assert [(job.source.name, job.target.name) for job in plan.jobs] == [("a.jpg", "a_jpg.png"), ("a.png", "a_png.png")]
    assert not plan.problems
    assert len(plan.notes) == 1


def test_an_output_never_lands_on_an_input(tmp_path: Path) -> None:
    jpg, png = save(tmp_path / "a.jpg"), save(tmp_path / "a.png")
    plan = make_plan([str(jpg), str(png)], str(tmp_path))
    assert not plan.jobs
    assert len(plan.problems) == 2
    assert make_plan([str(png)], str(png)).problems
    with pytest.raises(ImageError, match="folder of the inputs"):
        make_plan([str(tmp_path)], str(tmp_path))


def test_outputs_inside_the_input_folder_are_not_inputs_of_the_next_run(tmp_path: Path) -> None:
    save(tmp_path / "a.jpg")
    save(tmp_path / "out/a.png")
    plan = make_plan([str(tmp_path)], str(tmp_path / "out"))
    assert [job.source.name for job in plan.jobs] == ["a.jpg"]


def test_the_same_file_named_twice_is_made_once(tmp_path: Path) -> None:
    path = str(save(tmp_path / "a.jpg"))
    plan = make_plan([path, path], str(tmp_path / "out"))
    assert len(plan.jobs) == 1
    assert not plan.problems


@pytest.mark.parametrize(("out", "target"), [("o.png", "o.png"), ("o", "o/a.png"), ("o.d/", "o.d/a.png")])
def test_out_is_a_file_for_one_file_when_it_ends_in_png(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str, target: str
) -> None:
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "a.jpg")
    assert [job.target for job in make_plan(["a.jpg"], out).jobs] == [Path(target)]


@pytest.mark.parametrize(
    ("inputs", "out", "message"),
    [
        (["a.jpg", "b.jpg"], "o.png", "is a file, but there are 2 inputs"),
        (["."], "o.png", "is a file"),
        (["a.jpg"], "o.jpg", "ends in .png"),
        (["*.bmp"], "o", "no picture matches"),
        (["empty"], "o", "no pictures in empty"),
    ],
)
def test_an_out_that_does_not_fit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inputs: list[str], out: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "a.jpg")
    save(tmp_path / "b.jpg")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImageError, match=message):
        make_plan(inputs, out)


# --- fitting ---------------------------------------------------------------------------------------------


@given(*[st.integers(1, 400)] * 4)
@settings(max_examples=200, deadline=None)
def test_the_inner_size_fits_and_touches_two_sides(width: int, height: int, columns: int, rows: int) -> None:
    inner = inner_size((width, height), (columns, rows))
    assert 1 <= inner[0] <= columns
    assert 1 <= inner[1] <= rows
    assert inner[0] == columns or inner[1] == rows
    assert inner_size((columns, rows), (columns, rows)) == (columns, rows)


@given(*[st.integers(1, 60)] * 4)
@settings(max_examples=100, deadline=None)
def test_cropping_keeps_the_middle_in_the_asked_shape(width: int, height: int, columns: int, rows: int) -> None:
    cropped = crop_to_shape(torch.zeros(1, 4, height, width), (columns, rows))
    kept_height, kept_width = cropped.shape[-2:]
    assert kept_width == width or kept_height == height
    assert abs(kept_width - min(width, max(1, height * columns / rows))) <= 0.5 + 1e-9
    assert abs(kept_height - min(height, max(1, width * rows / columns))) <= 0.5 + 1e-9


def test_a_sprite_is_centred_on_transparent_cells() -> None:
    sprite = IndexedImage(torch.ones(1, 2, 3, dtype=torch.int64), Palette.from_hex("000 fff"))
    placed = centre_on(sprite, (5, 4))
    assert placed.alpha()[0, 0].int().tolist() == [[0] * 5, [0, 1, 1, 1, 0], [0, 1, 1, 1, 0], [0] * 5]
    assert placed.indices[0, 1:3, 1:4].min() == 1
    assert centre_on(sprite, (3, 2)) is sprite


def test_a_reader_that_has_enough_ends_the_command_quietly() -> None:
    """As `pixel-kiln palette list | head` does: the pipe is closed before anything is written."""
    command = [sys.executable, "-m", "pixel_models", "palette", "list"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(60) == 0
