"""Weight files that are not whole, not ours, or do not fit are refused with a reason."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import pixel_models
from pixel_models.checkpoint import load_checkpoint, save_checkpoint
from pixel_models.errors import CheckpointError, HubError, ModelKindError
from pixel_models.hub import WEIGHTS, find, find_weights, model_names
from pixel_models.registry import REGISTRY, SHIPPED
from pixel_models.spec import config_to_json

SPEC = REGISTRY["native_pixelate"]
OWN = {"format": "pixel-kiln-1", "arch": SPEC.id, "config": config_to_json(SPEC.tiny)}


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.safetensors"
    save_checkpoint(path, SPEC.build(SPEC.tiny), SPEC, SPEC.tiny, {})
    return path


def changed(good: Path, change: str) -> Path:
    """A copy of the file with one thing wrong."""
    tensors, metadata = load_file(good), dict(OWN)
    if change == "missing":
        del tensors["stem.bias"]
    elif change == "extra":
        tensors["more"] = torch.zeros(1)
    elif change == "shape":
        tensors["stem.bias"] = torch.zeros(3)
    elif change == "nan":
        tensors["stem.bias"][0] = float("nan")
    elif change == "foreign":
        del metadata["format"]
    elif change == "arch":
        metadata["arch"] = "from_the_future"
    elif change == "config":
        metadata["config"] = '{"channels": -1}'
    elif change == "config field":
        metadata["config"] = '{"colour": 1}'
    elif change == "config text":
        metadata["config"] = "{"
    bad = good.with_name("bad.safetensors")
    save_file(tensors, bad, metadata)
    return bad


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("missing", "stem.bias is missing"),
        ("extra", "more is not expected"),
        ("shape", r"stem.bias is \(3,\)"),
        ("nan", "NaN"),
        ("foreign", "no Pixel Kiln weight file"),
        ("arch", "from_the_future"),
        ("config", "channels"),
        ("config field", "colour"),
        ("config text", "no JSON"),
    ],
)
def test_a_file_with_one_thing_wrong_is_refused(good: Path, change: str, reason: str) -> None:
    with pytest.raises(CheckpointError, match=reason):
        load_checkpoint(changed(good, change))


@pytest.mark.parametrize("content", [b"", b"not a weight file", b"\xff" * 64])
def test_what_is_no_safetensors_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"x\.safetensors"):
        load_checkpoint(path)


def test_a_truncated_file_is_refused(good: Path) -> None:
    good.write_bytes(good.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="fetch it again"):
        load_checkpoint(good)


def test_another_kind_of_model_is_refused_by_name(good: Path) -> None:
    with pytest.raises(ModelKindError, match=r"to depixelate is needed.*to pixelate"):
        pixel_models.load(good, purpose="depixelate")


def test_a_missing_model_says_what_and_where(tmp_path: Path) -> None:
    with pytest.raises(HubError, match=r"no model 'nowhere'.*put the file into") as caught:
        find_weights("nowhere", [tmp_path])
    assert str(tmp_path) in str(caught.value)


def test_a_users_folder_comes_before_the_shipped_weights(good: Path) -> None:
    mine = good.with_name("kiln-pixelate.safetensors")
    good.rename(mine)
    assert find_weights("kiln-pixelate", [mine.parent]) == mine
    assert model_names([mine.parent])[0] == "kiln-pixelate.safetensors"


def test_the_shipped_weights_are_the_published_ones_and_tell_their_facts() -> None:
    for entry in SHIPPED:
        path = WEIGHTS / entry.name
        assert hashlib.sha256(path.read_bytes()).hexdigest() == entry.sha256
        model = pixel_models.load(entry.name, purpose=entry.purpose)
        assert {"licence", "data", "training", "metrics", "purpose"} <= model.metadata.keys()
        assert path.with_suffix(".md").is_file()


def test_shipped_weights_that_were_changed_are_refused(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find, "WEIGHTS", good.parent)
    other = good.rename(good.with_name("kiln-pixelate.safetensors"))
    with pytest.raises(CheckpointError, match="not the file that was shipped"):
        pixel_models.load("kiln-pixelate")
    assert load_checkpoint(other).fingerprint
