"""`pixel-kiln batch`: folders and shards out, resumed after a kill, the same whatever the workers, errors reported."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pixel_models.cli import main
from pixel_models.cli.dataset_progress import Progress
from pixel_models.dataset import Tally

ROOT = Path(__file__).resolve().parents[2]
BOX = ("--method", "box", "--cell", "4", "--workers", "1")


def picture(path: Path, seed: int = 0, side: int = 16) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 256, (side // 4, side // 4, 3), dtype=np.uint8)
    Image.fromarray(noise.repeat(4, 0).repeat(4, 1)).save(path)
    return path


def some(folder: Path, count: int = 6) -> Path:
    for i in range(count):
        picture(folder / f"{'sub/' if i % 2 else ''}p{i}.png", i)
        (folder / f"{'sub/' if i % 2 else ''}p{i}.txt").write_bytes(f"picture {i}\r\n".encode())
    return folder


def run(*words: object) -> int:
    return main(["batch", *map(str, words)])


def files(folder: Path) -> dict[str, bytes]:
    """What a data set holds, without its memory."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".pixel-kiln" not in path.parts
    }


def errors(folder: Path) -> list[dict[str, str]]:
    lines = (folder / ".pixel-kiln/errors.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_a_folder_becomes_sprites_with_their_captions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = some(tmp_path / "in", 2)
    (source / "p0.json").write_text('{"a": 1}')
    assert run(source, "-o", tmp_path / "out", *BOX) == 0
    made = files(tmp_path / "out")
    assert list(made) == ["p0.json", "p0.png", "p0.txt", "sub/p1.png", "sub/p1.txt"]
    assert made["sub/p1.txt"] == b"picture 1\r\n"
    assert made["p0.json"] == b'{"a": 1}'
    with Image.open(tmp_path / "out/p0.png") as image:
        assert (image.size, image.mode) == ((4, 4), "P")
    told = capsys.readouterr()
    assert told.out.split() == [str(tmp_path / "out")]
    assert told.err == "pixel-kiln: 2 written, 0 already done, 0 failed\n"


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("pixelate", ["--cell", "4", "--colors", "5"]),
        ("pixelate", ["--size", "6x4", "--fit", "pad", "--palette", "pico-8", "--dither", "bayer4", "--scale", "2"]),
        ("downscale", ["--method", "k-centroid", "--cell", "4", "--colors", "5"]),
    ],
)
def test_each_sprite_is_what_the_other_commands_make(tmp_path: Path, command: str, options: list[str]) -> None:
    source = some(tmp_path / "in", 3)
    assert run(source, "-o", tmp_path / "out", "--workers", "1", *options) == 0
    assert main([command, str(source), "-o", str(tmp_path / "alone"), *options]) == 0
    for name in ("p0.png", "sub/p1.png", "p2.png"):
        with Image.open(tmp_path / "out" / name) as one, Image.open(tmp_path / "alone" / name) as other:
            assert np.array_equal(np.asarray(one.convert("RGBA")), np.asarray(other.convert("RGBA")))


def test_a_second_run_makes_only_what_is_missing_or_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = some(tmp_path / "in"), tmp_path / "out"
    run(source, "-o", out, *BOX)
    before = files(out)
    (out / "p0.png").unlink()
    (source / "p2.txt").write_text("a better caption")
    picture(source / "new.png", 9)
    capsys.readouterr()
    assert run(source, "-o", out, *BOX) == 0
    assert "3 written, 4 already done, 0 failed" in capsys.readouterr().err
    after = files(out)
    assert after["p0.png"] == before["p0.png"]
    assert after["p2.txt"] == b"a better caption"
    assert "new.png" in after


def test_a_torn_line_of_the_journal_does_not_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = some(tmp_path / "in"), tmp_path / "out"
    run(source, "-o", out, *BOX)
    journal = out / ".pixel-kiln/journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-9])
    for expected in ("1 written, 5 already done", "0 written, 6 already done"):
        capsys.readouterr()
        assert run(source, "-o", out, *BOX) == 0
        assert expected in capsys.readouterr().err


def test_pictures_that_fail_are_reported_and_tried_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = some(tmp_path / "in", 3), tmp_path / "out"
    (source / "bad.png").write_text("no picture")
    assert run(source, "-o", out, *BOX) == 1
    (error,) = errors(out)
    assert error["source"] == "bad.png"
    assert "is no picture" in error["error"]
    assert str(tmp_path) not in error["error"]
    assert "errors.jsonl" in capsys.readouterr().err
    picture(source / "bad.png")
    assert run(source, "-o", out, *BOX) == 0
    assert "1 written, 3 already done, 0 failed" in capsys.readouterr().err
    assert not (out / ".pixel-kiln/errors.jsonl").exists()


def test_other_settings_and_foreign_folders_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = some(tmp_path / "in", 2), tmp_path / "out"
    run(source, "-o", out, *BOX)
    before = files(out)
    capsys.readouterr()
    assert run(source, "-o", out, "--method", "box", "--cell", "8", "--workers", "1") == 2
    assert "other settings (cell 4, now 8)" in capsys.readouterr().err
    assert files(out) == before
    assert run(source, "-o", out, "--method", "box", "--cell", "8", "--workers", "1", "--overwrite") == 0
    with Image.open(out / "p0.png") as image:
        assert image.size == (2, 2)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("dear to somebody")
    assert run(source, "-o", tmp_path / "mine", *BOX) == 2
    assert "no data set of this command" in capsys.readouterr().err
    assert files(tmp_path / "mine") == {"thesis.txt": b"dear to somebody"}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--palette", "pico-8", "--palette-per", "set"], "leave out one"),
        (["--per-shard", "10"], "needs shards"),
        (["--cell", "33"], "--cell is 33, expected 2 to 32"),
        (["--workers", "0"], "--workers is 0"),
        (["--method", "box", "--no-clean"], "does not clean"),
    ],
)
def test_arguments_that_cannot_work_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], told: str
) -> None:
    assert run(some(tmp_path / "in", 1), "-o", tmp_path / "out", *options) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_no_pictures_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").mkdir()
    assert run(tmp_path / "in", "-o", tmp_path / "out", *BOX) == 2
    assert "holds no pictures" in capsys.readouterr().err
    assert run(tmp_path / "in", "-o", tmp_path / "in", *BOX) == 2


def test_the_palette_of_the_set_is_shared_and_kept(tmp_path: Path) -> None:
    source, out = some(tmp_path / "in"), tmp_path / "out"
    options = ["--palette-per", "set", "--colors", "6", *BOX]
    assert run(source, "-o", out, *options) == 0
    palette = set(json.loads((out / ".pixel-kiln/palette.json").read_text()))
    assert 2 <= len(palette) <= 6
    for i in range(20, 30):
        picture(source / f"more{i}.png", i)
    assert run(source, "-o", out, *options) == 0
    assert set(json.loads((out / ".pixel-kiln/palette.json").read_text())) == palette
    used: set[str] = set()
    for path in out.rglob("*.png"):
        with Image.open(path) as image:
            used |= {"#{:02x}{:02x}{:02x}".format(*color) for _, color in image.convert("RGB").getcolors() or []}
    assert used <= palette
    assert len(used) > 2


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_metadata_files_are_written_again_with_the_sprites_names(tmp_path: Path, kind: str) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    for name in ("a.jpg", "a.png", "sub/b.bmp"):
        picture(source / name)
    (source / "bad.png").write_text("no picture")
    names = ["a.jpg", "sub/b.bmp", "bad.png"]
    if kind == "jsonl":
        text = "".join(json.dumps({"file_name": name, "text": f"ä {name}"}) + "\n" for name in names)
    else:
        text = "text,file_name\n" + "".join(f'"ä, {name}",{name}\n' for name in names)
    (source / f"metadata.{kind}").write_text(text, encoding="utf-8")
    assert run(source, "-o", out, *BOX) == 1
    told = (out / f"metadata.{kind}").read_text(encoding="utf-8")
    if kind == "jsonl":
        assert [json.loads(line) for line in told.splitlines()] == [
            {"file_name": "a_jpg.png", "text": "ä a.jpg"},
            {"file_name": "sub/b.png", "text": "ä sub/b.bmp"},
        ]
    else:
        assert told == 'text,file_name\n"ä, a.jpg",a_jpg.png\n"ä, sub/b.bmp",sub/b.png\n'


def test_webdataset_shards_hold_pictures_and_captions_and_are_read_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = some(tmp_path / "in", 5), tmp_path / "out"
    (source / "p0.json").write_text('{"n": 0}')
    (source / "aa.png").write_text("no picture")
    options = ["--to", "webdataset", "--per-shard", "2", *BOX]
    assert run(source, "-o", out, *options) == 1
    assert list(files(out)) == ["00000.tar", "00001.tar", "00002.tar"]
    assert capsys.readouterr().out.split() == [str(out / f"0000{i}.tar") for i in range(3)]
    with tarfile.open(out / "00000.tar") as archive:
        assert archive.getnames() == ["p0.png", "p0.json", "p0.txt"]
    with tarfile.open(out / "00002.tar") as archive:
        assert archive.getnames() == ["sub/p1.png", "sub/p1.txt", "sub/p3.png", "sub/p3.txt"]
    before = files(out)
    (out / "00001.tar").unlink()
    assert run(source, "-o", out, *options) == 1
    assert files(out) == before
    assert [error["source"] for error in errors(out)] == ["aa.png"]
    assert capsys.readouterr().out.split() == [str(out / "00001.tar")]
    assert run(out, "-o", tmp_path / "back", "--method", "nearest", "--size", "4x4", "--workers", "1") == 0
    back = files(tmp_path / "back")
    assert sorted(name for name in back if name.endswith(".png")) == [
        "00000/p0.png",
        "00001/p2.png",
        "00001/p4.png",
        "00002/sub/p1.png",
        "00002/sub/p3.png",
    ]
    assert back["00000/p0.json"] == b'{"n": 0}'
    assert back["00002/sub/p3.txt"] == b"picture 3\r\n"


def test_shards_of_pictures_that_are_gone_go_too(tmp_path: Path) -> None:
    source, out = some(tmp_path / "in", 6), tmp_path / "out"
    options = ["--to", "webdataset", "--per-shard", "2", *BOX]
    run(source, "-o", out, *options)
    for i in (1, 3, 5):
        (source / f"sub/p{i}.png").unlink()
    assert run(source, "-o", out, *options) == 0
    assert list(files(out)) == ["00000.tar", "00001.tar"]


def test_parquet_is_what_datasets_reads_and_is_read_again(tmp_path: Path) -> None:
    parquet: Any = pytest.importorskip("pyarrow.parquet", reason="needs pixel-kiln[parquet]")
    source, out = some(tmp_path / "in", 5), tmp_path / "out"
    (source / "p0.json").write_text('{"n": 0}')
    assert run(source, "-o", out, "--to", "parquet", "--per-shard", "3", *BOX) == 0
    first = files(out)
    assert list(first) == ["00000.parquet", "00001.parquet"]
    table = parquet.read_table(out / "00000.parquet")
    features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
    assert features["image"] == {"_type": "Image"}
    assert sorted(features) == sorted(table.schema.names)
    row = table.to_pylist()[0]
    with Image.open(io.BytesIO(row["image"].pop("bytes"))) as image:
        assert image.size == (4, 4)
        colors = {"#{:02x}{:02x}{:02x}".format(*color) for _, color in image.convert("RGB").getcolors() or []}
    assert colors <= set(row.pop("palette"))
    assert row == {
        "image": {"path": "p0.png"},
        "text": "picture 0",
        "key": "p0",
        "source": "p0.png",
        "cells": {"width": 4, "height": 4},
        "json": '{"n": 0}',
        "metadata": None,
    }
    assert run(source, "-o", tmp_path / "again", "--to", "parquet", "--per-shard", "3", *BOX) == 0
    assert files(tmp_path / "again") == first
    assert run(out, "-o", tmp_path / "back", "--method", "nearest", "--size", "4x4", "--workers", "1") == 0
    back = files(tmp_path / "back")
    assert back["00001/sub/p3.txt"] == b"picture 3"
    assert json.loads(back["00000/p0.json"])["source"] == "p0.png"


def test_parquet_without_pyarrow_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert run(some(tmp_path / "in", 1), "-o", tmp_path / "out", "--to", "parquet", *BOX) == 2
    assert "pixel-kiln[parquet]" in capsys.readouterr().err


def test_ray_without_ray_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert run(some(tmp_path / "in", 1), "-o", tmp_path / "out", *BOX, "--ray") == 2
    assert "pixel-kiln[ray]" in capsys.readouterr().err


@pytest.mark.slow
def test_ray_makes_the_same_as_one_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray.data", reason="needs pixel-kiln[ray]")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")  # else it leaves a token in the home folder
    source = some(tmp_path / "in", 20)
    (source / "bad.png").write_text("no picture")
    options = ["--to", "webdataset", "--per-shard", "6", "--method", "box", "--cell", "4"]
    assert run(source, "-o", tmp_path / "one", *options, "--workers", "1") == 1
    assert run(source, "-o", tmp_path / "ray", *options, "--workers", "2", "--ray", "local") == 1
    assert files(tmp_path / "ray") == files(tmp_path / "one")
    assert errors(tmp_path / "ray") == errors(tmp_path / "one")


_HEARD = """
import runpy, signal, sys
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv[0] = "pixel-kiln"
    runpy.run_module("pixel_models", run_name="__main__")
"""
"""The command, Ctrl-C heard: a shell starts what it runs in the background deaf to it, and children stay so."""


def start(source: Path, out: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _HEARD, "batch", str(source), "-o", str(out), *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(what: object, condition: Any, seconds: float = 300) -> None:  # noqa: ANN401
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.02)


def group_is_gone(group: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, 0)
        return False
    return True


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs process groups")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_what_was_killed_is_whole_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], how: signal.Signals
) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    for i in range(60):
        picture(source / f"p{i:02}.png", i, 256)
        (source / f"p{i:02}.txt").write_text(f"picture {i}")
    options = ["--method", "k-centroid", "--cell", "4"]
    process = start(source, out, *options, "--workers", "2")
    try:
        wait_for("sprites", lambda: process.poll() is not None or len(list(out.glob("p*.png"))) >= 3)
        if how == signal.SIGINT:
            os.killpg(process.pid, how)  # as a terminal does
        else:
            process.kill()
        _, told = process.communicate(timeout=120)
        wait_for("the workers' end", lambda: group_is_gone(process.pid), 60)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert "Traceback" not in told
        assert told.splitlines()[-1] == "pixel-kiln: interrupted"
    before = files(out)
    sprites = [name for name in before if name.endswith(".png") and not name.startswith(".")]
    assert 3 <= len(sprites) < 60
    for name in sprites:
        with Image.open(out / name) as image:
            image.load()
        assert before[name.replace(".png", ".txt")]
    capsys.readouterr()
    assert run(source, "-o", out, *options, "--workers", "1") == 0
    tally = re.search(r"(\d+) written, (\d+) already done, 0 failed", capsys.readouterr().err)
    assert tally is not None
    written, skipped = int(tally[1]), int(tally[2])
    assert written + skipped == 60
    assert len(sprites) - 1 <= skipped <= len(sprites)  # the last may have been written and not noted
    assert run(source, "-o", tmp_path / "whole", *options, "--workers", "1") == 0
    after = {name: data for name, data in files(out).items() if not name.endswith(".kiln-part")}
    assert after == files(tmp_path / "whole")


def test_a_log_line_tells_rate_and_time() -> None:
    progress = Progress()
    progress.counted(100)
    assert progress.line(Tally(written=20, skipped=30, failed=0), 10) == "50 of 100, 2.0 a second, 00:25 left"
    assert progress.line(Tally(failed=1), 0.5) == "1 of 100, 2.0 a second, 00:49 left, 1 failed"
    progress.close()
