"""Weights that are ready to ship tell licence, data, training and measures, and have a card."""

from __future__ import annotations

import json
from pathlib import Path

import pixel_models
from pixel_models.checkpoint import save_checkpoint
from pixel_models.registry import REGISTRY
from train import prepare, release


def test_released_weights_name_their_data_and_have_a_card(folders: tuple[Path, Path], tmp_path: Path) -> None:
    prepare.main([str(folders[1]), "-o", str(tmp_path / "set")])
    spec = REGISTRY["native_pixelate"]
    run = tmp_path / "run"
    run.mkdir()
    save_checkpoint(run / "x.safetensors", spec.build(spec.tiny), spec, spec.tiny, {"training": "{'steps': 3}"})
    table = tmp_path / "table.json"
    table.write_text(json.dumps({"features": "some", "rows": {"x": {"kernel_distance_32": 1.5}}}))
    out = tmp_path / "out"
    out.mkdir()
    data = ["--data", str(tmp_path / "set"), "--measures", str(table), "--limits", "Hair."]
    release.main([str(run / "x.safetensors"), *data, "-o", str(out), "--fact", "machine=two cores"])
    model = pixel_models.load(out / "x.safetensors")
    assert model.metadata["licence"] == "Apache-2.0"
    assert model.metadata["purpose"] == "pixelate"
    assert json.loads(model.metadata["metrics"]) == {"x": {"kernel_distance_32": 1.5}}
    assert json.loads(model.metadata["training"])["machine"] == "two cores"
    card = (out / "x.md").read_text(encoding="utf-8")
    assert "| x | 1.5 |" in card
    assert "Hair." in card
    assert "unknown" in card  # a folder without a manifest names no author
