"""Features for sets of pictures: the classifier that makes them, and who else may."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional as F

import pixel_models
from pixel_models.archs.sprite_features import SPECS, SpriteFeatures, SpriteFeaturesConfig
from pixel_models.checkpoint import save_checkpoint
from pixel_models.errors import CheckpointError, ModelKindError, ShapeError
from pixel_models.registry import REGISTRY
from train import features
from train.evaluate.describers import describer_of
from train.evaluate.inception import Inception, load_inception
from train.features import LabelBatches, crop_or_pad, learned_labels, of_labels
from train.loop import generator_of
from train.pictures import PictureSet, read_picture_set

INCEPTION_V3 = 23_834_568
"""Parameters without the auxiliary classifier, with a classifier of 1000."""


@pytest.fixture(scope="module")
def labelled(folders: tuple[Path, Path]) -> PictureSet:
    """Sprites without red, and sprites without blue."""
    sprites = read_picture_set(folders[1])
    pictures = tuple(p.clone() for p in sprites.pictures)
    for index, picture in enumerate(pictures):
        picture[2 * (index % 2)] = 0
    return replace(sprites, pictures=pictures, labels=("cold", "warm") * 6)


def test_a_picture_on_a_larger_canvas_is_whole_and_on_a_smaller_one_a_part() -> None:
    picture = torch.arange(1, 4 * 6 * 9 + 1).view(4, 6, 9)
    whole = crop_or_pad(picture, 12)
    assert torch.equal(whole[:, 3:9, 1:10], picture)
    assert whole.sum() == picture.sum()
    part = crop_or_pad(picture, 4)
    assert torch.equal(part, picture[:, 1:5, 3:7])  # of an odd rest the larger half goes first
    for seed in range(20):
        drawn = crop_or_pad(picture, 7, generator_of(seed))
        assert drawn.count_nonzero() == 4 * 6 * 7


def test_catch_alls_and_rare_labels_are_not_learned(labelled: PictureSet) -> None:
    mixed = replace(labelled, labels=("misc", "rare", *(["warm"] * 5), *(["cold"] * 5)))
    labels = learned_labels(mixed)
    assert labels == ("cold", "warm")
    assert len(of_labels(mixed, labels)) == 10
    with pytest.raises(ValueError, match="two or more"):
        learned_labels(replace(labelled, labels=("misc",) * 12))


def test_batches_depend_on_the_generator_alone(labelled: PictureSet) -> None:
    make = LabelBatches(labelled, ("cold", "warm"), 6)
    one, two, other = (make(generator_of(seed)) for seed in (1, 1, 2))
    assert torch.equal(one["rgb"], two["rgb"])
    assert one["rgb"].shape[:2] == (6, 3)
    assert not (one["rgb"].shape == other["rgb"].shape and torch.equal(one["rgb"], other["rgb"]))


def test_training_learns_the_labels_and_writes_a_model_that_describes(
    labelled: PictureSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "read_picture_set", lambda _folder, _split="train": labelled)
    arguments = ["--data", ".", "--out", str(tmp_path), "--steps", "40", "--batch", "16", "--workers", "0"]
    features.main(arguments)
    path = tmp_path / "kiln-features.safetensors"
    assert path.stat().st_size < 1_000_000
    model = pixel_models.load(path, purpose="describe")
    assert isinstance(model.module, SpriteFeatures)
    assert "held-out labels right" in model.metadata["training"]
    recipe = features.FeatureRecipe(labelled, None, 4, 1e-3)
    found, right = recipe.describe(model.module, labelled)
    assert found.shape == (12, 128)
    assert right > 0.9
    assert (tmp_path / "samples" / "0000040.png").is_file()


def test_features_see_a_blur_and_are_of_each_picture_alone() -> None:
    torch.manual_seed(0)
    net = SpriteFeatures(SpriteFeaturesConfig()).eval()
    rgb = (torch.rand(4, 3, 16, 16) > 0.5).float()
    soft = F.avg_pool2d(rgb, 3, 1, 1)
    with torch.no_grad():
        one, two = net.features(rgb), net.features(soft)
        torch.testing.assert_close(one[2:3], net.features(rgb[2:3]))
    assert bool(((one - two).abs().sum(dim=1) > 0.01).all())
    with pytest.raises(ShapeError, match="sides from 8"):
        net.features(rgb[..., :7])


def test_a_describer_is_named_for_the_weights_it_has(tmp_path: Path) -> None:
    spec = SPECS[0]
    save_checkpoint(tmp_path / "f.safetensors", spec.build(spec.tiny), spec, spec.tiny, {})
    one = describer_of(f"kiln={tmp_path / 'f.safetensors'}")
    assert one.name.startswith("kiln-features-")
    assert one.distances == ("kernel distance", "feature distance")
    assert one(torch.rand(5, 3, 16, 16), at_once=2).shape == (5, spec.tiny.features)
    assert describer_of("random")(torch.rand(2, 3, 16, 16)).shape == (2, 256)


@pytest.mark.parametrize("text", ["inception", "kilns", "random=3", ""])
def test_an_unknown_describer_is_told_the_known_ones(text: str) -> None:
    with pytest.raises(ValueError, match="inception=FILE"):
        describer_of(text)


def test_a_model_of_another_purpose_does_not_describe(tmp_path: Path) -> None:
    spec = REGISTRY["vqvae"]
    save_checkpoint(tmp_path / "v.safetensors", spec.build(spec.tiny), spec, spec.tiny, {})
    with pytest.raises(ModelKindError, match="describe"):
        describer_of(f"kiln={tmp_path / 'v.safetensors'}")


def test_inception_is_the_network_it_says_and_reads_a_users_file(tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = Inception(fid=False).eval()
    assert sum(p.numel() for p in module.parameters()) == INCEPTION_V3 - 2048 * 1000 - 1000
    state = {key: value.contiguous() for key, value in module.state_dict().items()}
    path = tmp_path / "inception.safetensors"
    rgb = torch.rand(1, 3, 32, 32)
    save_file({**state, "fc.weight": torch.zeros(1000, 2048), "fc.bias": torch.zeros(1000)}, path)
    found = describer_of(f"inception={path}")
    assert found.distances == ("KID", "FID")
    with torch.no_grad():
        expected = module(rgb)
        torch.testing.assert_close(found(rgb), expected)
    save_file({**state, "fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}, path)
    with torch.no_grad():
        assert not torch.allclose(load_inception(path)(rgb), expected)  # the poolings of 2015


def test_another_file_is_no_inception(tmp_path: Path) -> None:
    save_file({"Conv2d_1a_3x3.conv.weight": torch.zeros(32, 3, 3, 3)}, tmp_path / "x.safetensors")
    with pytest.raises(CheckpointError, match=r"x\.safetensors is no Inception v3"):
        load_inception(tmp_path / "x.safetensors")
