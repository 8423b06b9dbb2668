"""`python -m train.prepare --find` when processes die: only a file that kills is refused, and sets come out equal."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from train import prepare
from train.prepare.looking import Job
from train.prepare.processes import look

ROOT = Path(__file__).parents[2]

_INTO = """
import os
import signal
from pathlib import Path
from train.prepare.model import Found

def into(job):
    if job.file == "hostile":
        os._exit(7)
    once = Path(job.path) / "was here"
    if job.file == "unlucky" and not once.exists():
        once.touch()
        os.kill(os.getpid(), signal.SIGTERM)
    return Found(file=job.file, kind="sprite")
"""


def put_sprites(folder: Path, count: int) -> None:
    folder.mkdir(parents=True)
    for seed in range(count):
        rng = np.random.default_rng(seed)
        small = rng.integers(0, 255, (14, 14, 4), np.uint8)
        small[..., 3] = 255 * (rng.random((14, 14)) < 0.8)
        Image.fromarray(small.repeat(1 + seed % 3, 0).repeat(1 + seed % 3, 1)).save(folder / f"{seed}.png")


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.slow
def test_a_file_that_kills_is_refused_and_a_process_that_is_killed_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kiln_into.py").write_text(_INTO)
    monkeypatch.syspath_prepend(str(tmp_path))
    names = [f"file {number}" for number in range(18)]
    names[3], names[4] = "hostile", "unlucky"
    jobs = [Job(file=name, path=str(tmp_path)) for name in names]
    found = look(jobs, 2, importlib.import_module("kiln_into").into)
    assert [one.file for one in found] == names
    assert [(one.file, "process down" in one.what) for one in found if one.kind == "refused"] == [("hostile", True)]
    assert (tmp_path / "was here").exists()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="ends a group of processes at once")
@pytest.mark.parametrize("late", [False, True])
def test_a_run_that_was_killed_leaves_the_old_set_and_the_next_makes_the_whole_one(tmp_path: Path, late: bool) -> None:
    source, out, whole = (tmp_path / name for name in ("in", "set", "whole"))
    put_sprites(source, 40)
    run = [str(source), "--find", "sprites"]
    prepare.main([*run, "-o", str(whole), "--workers", "1"])
    out.mkdir()
    (out / "manifest.csv").write_text("path,sha256\n")
    (out / "old.txt").write_text("old")
    before = files(out)
    command = [sys.executable, "-m", "train.prepare", *run, "-o", str(out), "--workers", "2"]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, start_new_session=True)
    assert process.stderr is not None
    partial, end = tmp_path / "set.partial", time.monotonic() + 300
    if late:
        while not (partial / "manifest.csv").exists() and not (out / "report.html").exists():
            assert time.monotonic() < end, "waited for the manifest"
            time.sleep(0.001)
    else:
        assert process.stderr.read(8)  # the bar: it is looking
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert files(out) in (before, files(whole))
    prepare.main([*run, "-o", str(out), "--workers", "1"])
    assert files(out) == files(whole)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "set", "whole"]
