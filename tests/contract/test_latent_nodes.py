"""The nodes for sprites from latents, as ComfyUI's own Python ran them."""

from __future__ import annotations

from typing import Any

import pytest

Facts = dict[str, Any]


@pytest.mark.parametrize(("node", "count", "more"), [("dcgan", 3, ["str"]), ("vae", 3, []), ("fuse", 3, [])])
def test_sprites_come_as_pictures_masks_and_indices(facts: Facts, node: str, count: int, more: list[str]) -> None:
    image, mask, indexed, *others = facts["latents"][node]
    assert (image["shape"], mask["shape"]) == ([count, 16, 16, 4], [count, 16, 16])
    assert all(entry["dtype"] == "torch.float32" and entry["on_8_bit_levels"] for entry in (image, mask))
    assert [indexed, *others] == ["IndexedImage", *more]


def test_a_walk_comes_with_its_times_in_one_palette(facts: Facts) -> None:
    image, mask, *others = facts["latents"]["walk"]
    assert (image["shape"], mask["shape"]) == ([4, 16, 16, 4], [4, 16, 16])
    assert others == ["IndexedImage", "SpriteSheet"]
    assert facts["latents"]["times"] == [80] * 4
    assert facts["latents"]["loops"] == [0, 1]
    assert facts["latents"]["palette_of_walk"] <= 4


def test_one_seed_gives_the_same_sprites_and_of_more_the_first_are_the_same(facts: Facts) -> None:
    assert facts["latents"]["same"]
    assert facts["latents"]["first_stay"]
    assert not facts["latents"]["another_seed"]


def test_labels_and_colors_change_what_is_drawn(facts: Facts) -> None:
    assert facts["latents"]["labels"] == "creature: dragon, orc\n\ncolor: red"
    assert not facts["latents"]["by_labels"]
    assert facts["latents"]["colors"] <= 2
    assert facts["latents"]["alpha_is_the_mask"]


def test_walks_go_through_seeds_sprites_or_nothing(facts: Facts) -> None:
    assert facts["latents"]["wandered"]
    assert facts["latents"]["through_sprites"]
    assert facts["latents"]["seeds_unused"]
    assert not facts["latents"]["masked_walk"]


def test_pairs_are_fused_with_their_masks(facts: Facts) -> None:
    assert facts["latents"]["fused_pairs"] == [4, 16, 16, 4]
    assert not facts["latents"]["masked_fusion"]
    assert facts["latents"]["input_kept"]


def test_a_dcgan_finds_its_own_sprites_where_gradients_are_off(facts: Facts) -> None:
    assert all(overlap > 0.85 for overlap in facts["latents"]["found"])
    assert facts["latents"]["search_stopped"] == "InterruptProcessingException"


def test_progress_reaches_its_end_and_a_cancel_is_heard(facts: Facts) -> None:
    told = facts["latents"]["told"]
    assert [10, 10] in told["messages"]
    assert told["messages"][-1] == [8, 8]
    assert told["stopped"] == ["InterruptProcessingException"] * 2


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("vae_for_dcgan", "ModelKindError: a DCGAN is needed, and this one (vae) is a VAE; use VAE Sample"),
        ("dcgan_for_vae", "ModelKindError: a VAE is needed, and this one (dcgan) is a DCGAN; use DCGAN Sample"),
        ("prior_for_vae", "ModelKindError: a model to generate is needed, and this one (pixelcnn) is to sample"),
        ("prior_for_dcgan", "ModelKindError: a model to generate is needed"),
        ("prior_to_walk", "ModelKindError: a model to generate is needed"),
        ("dcgan_to_fuse", "ImageError: the first sprite is none that this DCGAN draws"),
        ("dcgan_through_sprites", "ImageError: the sprite is none that this DCGAN draws"),
        ("wrong_label", "LabelError: this model has no label 'dragn'; did you mean dragon?"),
        ("labels_for_vae", "LabelError: this model has no label 'dragon'"),
        ("one_color", "PixelModelError: colors is 1, expected 2 to 256, or 0"),
        ("few_frames", "PixelModelError: frames is 2, expected 3"),
        ("circle_of_three", "PixelModelError: way 'circle' goes through none, one or two, got 3"),
        ("too_large", "ImageError: the second sprite is 20x20 pixels, and this model takes at most 16x16"),
        ("no_pairs", "ShapeError: 2 and 3 sprites cannot be paired"),
        ("bad_seeds", "'one' is no seed; expected numbers such as 7"),
        ("bad_way", "way is 'jump', expected one of 'spherical', 'linear', 'circle', 'wander'"),
        ("bad_how", "how is 'melt', expected one of 'blend', 'mix'"),
        ("bad_palettes", "palettes is 'all', expected one of 'each its own', 'one for all'"),
    ],
)
def test_what_cannot_be_made_is_refused_with_its_reason(facts: Facts, case: str, told: str) -> None:
    assert told in facts["latents"][case]


def test_good_choices_pass(facts: Facts) -> None:
    assert facts["latents"]["good"]
