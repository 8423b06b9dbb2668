"""Training the native-grid CycleGAN: it learns, repeats itself, survives a kill, and shares work between processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import pixel_models
from train import cyclegan
from train.state import load_state

ROOT = Path(__file__).parents[2]


def arguments(folders: tuple[Path, Path], out: Path, *more: str) -> list[str]:
    a, b = folders
    common = ["--setting", "tiny", "--workers", "0", "--threads", "1", "--sample-every", "1000"]
    return ["--a", str(a), "--b", str(b), "--out", str(out), *common, *more]


def log(out: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def test_it_learns_and_its_weights_load(folders: tuple[Path, Path], tmp_path: Path) -> None:
    cyclegan.main(arguments(folders, tmp_path, "--steps", "120", "--rate", "2e-3"))
    lines = log(tmp_path)
    assert lines[-1]["step"] == 120
    first, last = (sum(line["pair"] for line in part) for part in (lines[:3], lines[-3:]))
    assert last < 0.75 * first
    assert {"g", "g_back", "d_a", "d_b", "lone", "color", "cycle", "identity", "cluster"} <= lines[-1].keys()
    assert len(list((tmp_path / "samples").glob("*.png"))) == 1
    for purpose in ("pixelate", "depixelate"):
        model = pixel_models.load(tmp_path / f"kiln-{purpose}.safetensors", purpose=purpose)
        assert "120" in model.metadata["training"]


def test_the_same_seed_gives_the_same_losses(folders: tuple[Path, Path], tmp_path: Path) -> None:
    runs = []
    for name, seed in (("one", "3"), ("two", "3"), ("other", "4")):
        cyclegan.main(arguments(folders, tmp_path / name, "--seed", seed))
        runs.append([{k: v for k, v in line.items() if k != "seconds"} for line in log(tmp_path / name)])
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_batches_do_not_depend_on_how_many_workers_make_them(folders: tuple[Path, Path], tmp_path: Path) -> None:
    for name, workers in (("none", "0"), ("two", "2")):
        cyclegan.main(arguments(folders, tmp_path / name, "--workers", workers))
    assert log(tmp_path / "none")[-1]["pair"] == log(tmp_path / "two")[-1]["pair"]


def test_a_run_killed_at_any_moment_resumes_to_the_same_end(folders: tuple[Path, Path], tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    options = ("--steps", "120", "--save-every", "0")
    cyclegan.main(arguments(folders, whole, *options))
    command = [sys.executable, "-m", "train.cyclegan", *arguments(folders, killed, *options)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    for least in (12, 70):
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
        wait_for_step(killed, least)
        process.send_signal(signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
        assert process.wait() != 0
    assert (killed / "state.safetensors").exists()
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stderr=subprocess.DEVNULL)
    one, two = (load_file(run / "state.safetensors") for run in (whole, killed))
    assert one.keys() == two.keys()
    assert [key for key in one if not torch.equal(one[key], two[key])] == []
    strip = [[{k: v for k, v in line.items() if k != "seconds"} for line in log(run)] for run in (whole, killed)]
    assert strip[0] == strip[1]


def wait_for_step(out: Path, step: int) -> None:
    """Wait until the log of a run has reached a step."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        path = out / "log.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        if any(line.endswith("}") and json.loads(line)["step"] >= step for line in lines):
            return
        time.sleep(0.02)
    pytest.fail(f"the run did not reach step {step}")


def test_a_resumed_run_refuses_other_settings(folders: tuple[Path, Path], tmp_path: Path) -> None:
    cyclegan.main(arguments(folders, tmp_path, "--steps", "4"))
    with pytest.raises(ValueError, match=r"other settings.*rate"):
        cyclegan.main(arguments(folders, tmp_path, "--steps", "4", "--rate", "1e-3"))


def test_a_damaged_state_is_refused_and_says_what_to_do(folders: tuple[Path, Path], tmp_path: Path) -> None:
    cyclegan.main(arguments(folders, tmp_path, "--steps", "2"))
    state = tmp_path / "state.safetensors"
    state.write_bytes(state.read_bytes()[:-5])
    with pytest.raises(ValueError, match="new --out"):
        cyclegan.main(arguments(folders, tmp_path, "--steps", "2"))
    assert load_state.__doc__


def test_a_term_taken_out_is_not_trained_and_the_rest_is_logged(folders: tuple[Path, Path], tmp_path: Path) -> None:
    without = ["--without", "adversarial", "adversarial_back", "cycle"]
    cyclegan.main(arguments(folders, tmp_path, *without, "--tensorboard"))
    last = log(tmp_path)[-1]
    assert last["cycle"] == 0
    assert "d_a" not in last
    assert list((tmp_path / "tensorboard").glob("events.*"))


def test_two_processes_share_the_work(folders: tuple[Path, Path], tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    launch = ["-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_addr", "127.0.0.1"]
    launch += ["--master_port", str(port), "-m", "train.cyclegan"]
    command = [sys.executable, *launch, *arguments(folders, tmp_path / "both", "--precision", "no")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-3000:]
    assert "weights agree on 2 processes" in result.stderr
    assert log(tmp_path / "both")[-1]["step"] == 20
    cyclegan.main(arguments(folders, tmp_path / "alone", "--precision", "no"))
    both, one = (load_file(tmp_path / name / "state.safetensors") for name in ("both", "alone"))
    assert any(not torch.equal(both[key], one[key]) for key in both)
