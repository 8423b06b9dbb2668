"""Weights put on a real hub server with `train.publish`, and got back by somebody else."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from harness.hub import Hub, nowhere
from harness.hub_client import Worker
from harness.hub_store import READER, WRITER
from PIL import Image

Weights = Callable[[int], bytes]
Start = Callable[[Mapping[str, str]], Worker]


def publish(root: Path, environ: Mapping[str, str], *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command in a program of its own."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUGGINGFACE_"))}
    command = [sys.executable, "-m", "train.publish", *map(str, arguments)]
    return subprocess.run(
        command,
        cwd=root,
        env={**kept, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def file(weights: Weights, tmp_path: Path) -> Path:
    """A weight file that names licence and data."""
    path = tmp_path / "mine.safetensors"
    path.write_bytes(weights(20))
    return path


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A small picture with alpha."""
    path = tmp_path / "disc.png"
    Image.radial_gradient("L").resize((48, 32)).convert("RGBA").save(path)
    return path


def test_what_is_published_is_got_back_by_its_tag_with_card_config_and_pictures(
    hub: Hub, start: Start, file: Path, picture: Path, root: Path, tmp_path: Path
) -> None:
    environ = hub.environ(tmp_path / "hf", WRITER)
    shown = ["--pictures", picture, "--credit", "Drawn for this test, CC0."]
    done = publish(root, environ, file, "--to", "me/mine", "--tag", "v1", *shown)
    assert done.returncode == 0, done.stderr
    repository = hub.store.repositories["me/mine"]
    commit = repository.tags["v1"]
    tree = repository.commits[commit]
    assert tree["mine.safetensors"].data == file.read_bytes()
    assert tree["mine.safetensors"].large
    assert done.stdout == f"me/mine@{commit}/mine.safetensors\t{tree['mine.safetensors'].sha256}\n"
    facts = json.loads(tree["config.json"].data)["pixel-kiln"]["mine.safetensors"]
    assert (facts["architecture"], facts["purpose"]) == ("native_pixelate", "pixelate")
    assert facts["sha256"] == tree["mine.safetensors"].sha256
    card = tree["README.md"].data.decode()
    assert card.startswith("---\nlicense: cc0-1.0\n")
    for words in (
        "| sprites | somebody | CC0-1.0 |",
        "| drawings | another | CC-BY-4.0 |",
        "Drawn for this test, CC0.",
    ):
        assert words in card
    assert "| `me/mine@v1/mine.safetensors` | Pixelate (CycleGAN) |" in card
    assert "(pictures/mine-1.png)" in card
    with Image.open(io.BytesIO(tree["pictures/mine-1.png"].data)) as image:
        assert image.size == (2 * 384 + 16, 258)
    somebody = start(hub.environ(tmp_path / "other"))
    assert somebody.load("me/mine@v1/mine.safetensors", download=True)["arch"] == "native_pixelate"


def test_a_tag_that_is_there_is_never_moved(
    hub: Hub, weights: Weights, file: Path, picture: Path, root: Path, tmp_path: Path
) -> None:
    repository = hub.store.add("me/tagged", {"mine.safetensors": weights(21)})
    repository.tags["v1"] = before = repository.branches["main"]
    shown = ["--pictures", picture, "--credit", "CC0"]
    done = publish(root, hub.environ(tmp_path / "hf", WRITER), file, "--to", "me/tagged", "--tag", "v1", *shown)
    assert done.returncode == 1
    assert "has a tag 'v1' already" in done.stderr
    assert repository.tags["v1"] == repository.branches["main"] == before


@pytest.mark.parametrize("token", ["", READER])
def test_who_may_not_write_is_told_to_log_in(
    hub: Hub, file: Path, picture: Path, root: Path, tmp_path: Path, token: str
) -> None:
    shown = ["--pictures", picture, "--credit", "CC0"]
    done = publish(root, hub.environ(tmp_path / "hf", token), file, "--to", "me/forbidden", *shown)
    assert done.returncode == 1
    assert "hf auth login" in done.stderr
    assert "Traceback" not in done.stderr
    assert "me/forbidden" not in hub.store.repositories


def test_without_a_network_it_says_so(file: Path, picture: Path, root: Path, tmp_path: Path) -> None:
    environ = {"HF_ENDPOINT": nowhere(), "HF_HOME": str(tmp_path / "hf"), "HF_TOKEN": WRITER}
    done = publish(root, environ, file, "--to", "me/mine", "--pictures", picture, "--credit", "CC0")
    assert done.returncode == 1
    assert "check the network" in done.stderr
    assert "Traceback" not in done.stderr
