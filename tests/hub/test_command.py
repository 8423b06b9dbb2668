"""`pixel-kiln models download` against a real hub server: what it prints, where it fails, and what uses it after."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from harness.hub import Fault, Hub
from PIL import Image


def command(environ: dict[str, str], *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `pixel-kiln` in a program of its own."""
    words = [sys.executable, "-m", "pixel_models", *map(str, arguments)]
    root = Path(__file__).resolve().parents[2]
    return subprocess.run(
        words,
        cwd=root,
        env={**os.environ, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_was_downloaded_is_used_by_the_other_commands_without_a_network(
    hub: Hub, weights: Callable[[int], bytes], tmp_path: Path
) -> None:
    repository = hub.store.add("b/shell", {"tiny.safetensors": weights(30)})
    environ = hub.environ(tmp_path / "hf")
    done = command(environ, "models", "download", "b/shell")
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).read_bytes() == weights(30)
    assert f"exactly this file: b/shell@{repository.branches['main']}/tiny.safetensors" in done.stderr
    Image.radial_gradient("L").resize((32, 32)).convert("RGB").save(tmp_path / "in.png")
    asked = len(hub.asked)
    words = ("pixelate", tmp_path / "in.png", "-o", tmp_path / "out.png", "--model", "b/shell")
    done = command({**environ, "HF_HUB_OFFLINE": "1"}, *words)
    assert done.returncode == 0, done.stderr
    assert Image.open(tmp_path / "out.png").size == (4, 4)
    assert len(hub.asked) == asked


def test_one_of_several_that_fails_does_not_stop_the_others(
    hub: Hub, weights: Callable[[int], bytes], tmp_path: Path
) -> None:
    repository = hub.store.add("b/cut", {"tiny.safetensors": weights(31)})
    hub.store.add("b/good", {"tiny.safetensors": weights(32)})
    tree = repository.commits[repository.branches["main"]]
    hub.faults[tree["tiny.safetensors"].sha256] = Fault(cut_to=1000)
    done = command(hub.environ(tmp_path / "hf"), "models", "download", "b/cut", "b/good")
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1
    assert "b/cut/tiny.safetensors cannot be downloaded: the file that came is cut off" in done.stderr
    assert "Traceback" not in done.stderr
