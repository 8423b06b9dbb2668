"""Paper dolls: layers lie over each other in order, sets are the same for a seed and can be trained on."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pixel_models.spritefiles import write_art
from train import dolls
from train.dcgan_data import CanvasSetting, read_canvas_set
from train.loop import generator_of

COLORS = {"base_human": (1.0, 0.0, 0.0), "base_naga": (0.0, 0.0, 1.0), "body_robe": (0.0, 1.0, 0.0)}


@pytest.fixture
def layers(tmp_path: Path) -> Path:
    """A human that fills all of 8x8 pixels, a naga that clothes do not fit, and a robe for the lower half."""
    folder = tmp_path / "layers"
    folder.mkdir()
    for name, color in COLORS.items():
        picture = torch.tensor([*color, 1.0])[:, None, None].repeat(1, 8, 8)
        if name.startswith("body"):
            picture[:, :4] = 0
        write_art(folder / f"player_{name}.png", picture[None])
    return folder


def test_upper_layers_hide_lower_ones_and_only_upright_bodies_are_dressed(layers: Path) -> None:
    read = dolls.read_layers(layers)
    assert {layer: len(pictures) for layer, pictures in read.items() if pictures} == {"base": 1, "body": 1}
    doll = dolls.dressed(read, generator_of(0))
    assert torch.equal(doll[:, 0, 0], torch.tensor([1.0, 0.0, 0.0, 1.0]))
    assert torch.equal(doll[:, 7, 0], torch.tensor([0.0, 1.0, 0.0, 1.0]))


def test_a_set_is_the_same_for_a_seed_without_doubles_and_can_be_trained_on(layers: Path, tmp_path: Path) -> None:
    for color in range(6):
        picture = torch.zeros(4, 8, 8)
        picture[3, :2], picture[0, :2] = 1, color / 5
        write_art(layers / f"player_head_cap{color}.png", picture[None])
    for out in ("one", "two"):
        dolls.main([str(layers), "--out", str(tmp_path / out), "--count", "40"])
    one, two = (tmp_path / out / "manifest.csv" for out in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    data = read_canvas_set(tmp_path / "one", "train", CanvasSetting(side=16))
    assert 2 <= len(data) <= 7  # bare, or with one of six caps
    assert len({sprite.numpy().tobytes() for sprite in data.canvases}) == len(data)


def test_layers_that_cannot_be_dolls_are_refused(layers: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no player_body_\*"):
        dolls.read_layers(layers, skip=["robe"])
    with pytest.raises(FileNotFoundError, match=r"no player_base_\*"):
        dolls.read_layers(tmp_path)
    write_art(layers / "player_head_big.png", torch.ones(1, 4, 9, 9))
    with pytest.raises(ValueError, match="one size"):
        dolls.read_layers(layers)
