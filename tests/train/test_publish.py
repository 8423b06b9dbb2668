"""What is published is written whole without a network, and weights without licence or data are refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from pixel_models.checkpoint import save_checkpoint
from pixel_models.registry import REGISTRY
from train import publish

FACTS = {
    "licence": "My own, see me",
    "data": "sprites by A. B. & C., CC0-1.0",
    "training": json.dumps({"run": "3 steps", "machine": "two cores"}),
    "metrics": json.dumps({"box": {"error": 1.5}, "x": {"error": 0.5}}),
    "limits": "Hair.",
}


def weight_file(folder: Path, spec_id: str, facts: dict[str, str]) -> Path:
    """A tiny random network of this architecture."""
    spec, path = REGISTRY[spec_id], folder / f"{spec_id}.safetensors"
    torch.manual_seed(0)
    save_checkpoint(path, spec.build(spec.tiny), spec, spec.tiny, facts)
    return path


def run(folder: Path, *files: Path) -> int:
    picture = folder / "p.png"
    Image.radial_gradient("L").resize((16, 16)).convert("RGB").save(picture)
    shown = ["--pictures", str(picture), "--credit", "CC0"]
    return publish.main([*map(str, files), "--to", "me/mine", "--out", str(folder / "out"), *shown])


def test_one_card_tells_of_every_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [
        weight_file(tmp_path, name, FACTS) for name in ("native_pixelate", "native_depixelate", "resnet_generator")
    ]
    assert run(tmp_path, *files) == 0
    assert [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()] == [
        f"me/mine/{path.name}" for path in files
    ]
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    head = card.split("---\n")[1]
    assert 'license: other\nlicense_name: "My own, see me"\n' in head
    words = (
        "| sprites | A. B. & C. | CC0-1.0 |",
        "- machine: two cores",
        "| x | 0.5 |",
        "Hair.",
        "Depixelate (CycleGAN)",
    )
    for path in files:
        assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()
        assert (tmp_path / "out" / "pictures" / f"{path.stem}-1.png").is_file()
        assert f"`me/mine/{path.name}`" in card
    for text in words:
        assert text in card


@pytest.mark.parametrize("key", ["licence", "data"])
def test_weights_that_do_not_say_their_licence_and_data_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], key: str
) -> None:
    facts = {name: text for name, text in FACTS.items() if name != key}
    assert run(tmp_path, weight_file(tmp_path, "native_pixelate", facts)) == 1
    told = capsys.readouterr().err
    assert f"does not say its {key}" in told
    assert "train.release" in told
    assert not (tmp_path / "out" / "README.md").exists()


def test_a_foreign_file_is_refused_with_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "latest_net_G.pth"
    spec = REGISTRY["resnet_generator"]
    torch.save(spec.build(spec.tiny).state_dict(), path)
    assert run(tmp_path, path) == 1
    assert "pixel-kiln models convert" in capsys.readouterr().err


@pytest.mark.parametrize("to", ["mine", "a/b/c.safetensors", "../x", "a/b.pth"])
def test_a_name_that_no_repository_can_have_is_refused(tmp_path: Path, to: str) -> None:
    path = weight_file(tmp_path, "native_pixelate", FACTS)
    with pytest.raises(SystemExit):
        publish.main([str(path), "--to", to, "--out", str(tmp_path / "out")])
