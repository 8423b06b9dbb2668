"""The nodes that draw sprites, as ComfyUI's own Python ran them."""

from __future__ import annotations

from typing import Any

import pytest

Facts = dict[str, Any]


def test_sprites_come_as_pictures_codes_and_masks_with_the_models_labels(facts: Facts) -> None:
    image, mask, indexed, codes, labels = facts["priors"]["sampled"]
    assert (image["shape"], mask["shape"]) == ([3, 6, 6, 4], [3, 6, 6])
    assert all(entry["dtype"] == "torch.float32" and entry["on_8_bit_levels"] for entry in (image, mask))
    assert (indexed, codes, labels) == ("IndexedImage", "CodeGrid", "str")
    assert facts["priors"]["labels"] == "creature: dragon, orc\n\ncolor: red\n\nthing: red"
    assert facts["priors"]["alpha_is_the_mask"]
    assert facts["priors"]["sized"] == [[2, 5, 7, 4], [2, 5, 7]]


def test_one_seed_gives_the_same_sprites_and_of_more_the_first_are_the_same(facts: Facts) -> None:
    assert facts["priors"]["same"]
    assert facts["priors"]["likeliest"]
    assert not facts["priors"]["another_seed"]


def test_labels_and_colors_change_what_is_drawn(facts: Facts) -> None:
    assert not facts["priors"]["by_labels"]
    assert facts["priors"]["colors"] <= 2


def test_what_is_kept_of_a_sprite_stays_and_the_rest_is_drawn(facts: Facts) -> None:
    done = facts["priors"]["completed"]
    exact, coded = done["unchanged"]
    assert exact == 0
    assert 0 < coded < 0.1
    assert done["filled_exactly"]
    assert done["filled_outside"]
    assert not done["filled_inside"]
    assert done["empty_kept"]
    assert done["empty_drawn"] < 1
    assert done["input_kept"]


def test_codes_go_on_from_their_upper_half_under_the_transparency_that_travels_with_them(facts: Facts) -> None:
    done = facts["priors"]["completed"]
    assert done["top"] == [[2, 12, 12, 4], True]
    assert done["top_codes"]
    assert not done["top_differ"]


def test_a_silhouette_decides_what_is_opaque(facts: Facts) -> None:
    assert facts["priors"]["completed"]["silhouette"]
    assert facts["priors"]["completed"]["silhouette_of_fill"] == [140, 0]


def test_variants_stay_near_and_those_between_come_from_both(facts: Facts) -> None:
    done = facts["priors"]["completed"]
    assert done["varied"] == [6, 12, 12, 4]
    assert all(0.15 < share < 0.45 for share in done["varied_share"])
    assert done["between"] == [3, 12, 12, 4]
    assert done["between_ends"][0] > done["between_ends"][1] + 0.1


def test_sides_that_whole_patches_do_not_fill_are_completed_too(facts: Facts) -> None:
    assert facts["priors"]["completed"]["odd"] == [[1, 11, 9, 4], True]


def test_progress_reaches_its_end_with_pictures_and_few_messages(facts: Facts) -> None:
    told = facts["priors"]["told"]
    assert told["messages"][0] == [1, 36]
    assert told["messages"][-1][0] == 36
    assert [value for value, _ in told["messages"]] == sorted(value for value, _ in told["messages"])
    assert ["PNG", "RGBA", [500, 325]] in told["pictures"]
    assert told["of_a_thousand_quick_steps"] <= 5


def test_cancel_is_heard_at_the_next_place_although_messages_are_few(facts: Facts) -> None:
    assert facts["priors"]["told"]["heard"] == "InterruptProcessingException"
    assert facts["priors"]["told"]["stopped"] == "InterruptProcessingException"


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("wrong_label", "LabelError: this model has no label 'creature=dragn'; did you mean creature=dragon? it has "),
        ("unclear_label", "LabelError: 'red' is not clear, got color=red and thing=red"),
        ("no_prior", "ModelKindError: "),
        ("wrong_coder", "CodesError: this prior draws one of "),
        ("no_coder", "connect it to vq_model"),
        ("too_large", "ShapeError: expected 1 or more sprites of 1 to 1024 pixels a side, got 1 of 4096x6"),
        ("palette_of_patches", "PixelModelError: a code of this model stands for 2x2 pixels"),
        ("bad_palettes", "palettes is 'all', expected one of 'own', 'any'"),
        ("no_other", "CodesError: other is not connected"),
        ("sizes", "have nothing between them"),
        ("nothing_to_fill", "ImageError: there is nothing to draw: no place of the image is wholly transparent"),
        ("empty_fill", "ImageError: there is nothing to draw: fill is 0 everywhere"),
        ("fills", "ShapeError: fill is (2, 12, 12)"),
        ("opaque", "ImageError: the image is opaque throughout"),
        ("no_silhouette", "ImageError: the silhouette is empty, for the image is transparent everywhere"),
        ("other_codes", "CodesError: these codes were made by the model"),
        ("bad_action", "action is 'melt', expected one of "),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_its_reason(facts: Facts, case: str, told: str) -> None:
    assert told in facts["priors"][case]
