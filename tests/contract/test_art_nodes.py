"""The palette, grid, sheet and saving nodes on the real node API, without a server."""

from __future__ import annotations

from typing import Any

import pytest

Facts = dict[str, Any]


def test_what_leaves_palette_apply_has_no_colour_outside_the_palette(facts: Facts) -> None:
    outside = facts["palettes"]["applied_outside"]
    assert len(outside) == 5
    assert all(colors == [] for colors in outside.values()), outside
    assert facts["palettes"]["applied_shapes"] == [[2, 24, 20, 3], [2, 24, 20]]
    assert facts["palettes"]["applied_rgba"] == [[1, 9, 31, 4], [0, 1]]
    assert facts["palettes"]["input_kept"]


def test_pictures_of_unequal_sizes_share_one_palette_that_keeps_what_it_must(facts: Facts) -> None:
    count, kept, same = facts["palettes"]["chosen"]
    assert 2 <= count <= 6
    assert kept
    assert same


def test_a_swatch_turns_back_into_its_palette(facts: Facts) -> None:
    assert facts["palettes"]["in_order"]


def test_a_palette_file_of_the_input_folder_is_listed_and_read_and_no_other(facts: Facts) -> None:
    assert "mine/three.hex" in facts["palettes"]["files"]
    assert facts["palettes"]["loaded"] == ["#102030", "#405060", "#ffffff"]
    for case in ("outside", "absolute", "not_a_palette"):
        assert "is not in" in facts["palettes"][case], case


def test_a_swap_changes_the_named_colour_alone_and_needs_a_palette_otherwise(facts: Facts) -> None:
    assert facts["palettes"]["mapped"] == [True, ["#ff00ff"]]
    assert facts["palettes"]["swapped"] == 4
    assert facts["palettes"]["swap_alone"].startswith("PaletteError: palette is not connected")
    assert "no change" in facts["palettes"]["swap_changes"]
    assert "too many" in facts["palettes"]["swap_noise"]


def test_palettes_of_a_list_are_joined_and_sorted(facts: Facts) -> None:
    assert facts["palettes"]["edited"] == ["#000000", "#808080", "#ff0000", "#ffffff"]


def test_cycling_gives_one_frame_a_colour_and_begins_as_it_was(facts: Facts) -> None:
    assert facts["palettes"]["cycled"] == [[4, 12, 12, 3], True]
    assert facts["palettes"]["ramp"] == 7
    assert facts["palettes"]["seen"] == [1, 9, 31, 4]


def test_snapping_undoes_an_enlargement_and_keeps_the_mask(facts: Facts) -> None:
    shape, same, cells = facts["grid"]["snapped"]
    assert shape == [1, 16, 16, 3]
    assert same
    assert cells == [8, 8]
    assert facts["grid"]["snapped_mask"] == 0.5
    assert facts["grid"]["exact"] == [1, 13, 11, 3]


def test_a_photo_is_refused_with_what_to_do(facts: Facts) -> None:
    assert facts["grid"]["photo"].startswith("GridError: ")
    assert "confidence" in facts["grid"]["photo"]


def test_cleaning_stays_in_the_palette_and_leaves_transparency_alone(facts: Facts) -> None:
    assert facts["grid"]["cleaned_outside"] == []
    assert facts["grid"]["cleaned_mask_kept"]


def test_inspect_tells_the_native_size(facts: Facts) -> None:
    assert facts["grid"]["report"] == 16
    assert facts["grid"]["verdict"] == [True, 16, 16, 4]


def test_every_way_down_and_up_gives_the_size_that_was_asked(facts: Facts) -> None:
    assert len(facts["grid"]["small"]) == 8
    assert all(shape == [2, 12, 24, 3] for shape in facts["grid"]["small"].values())
    assert len(facts["grid"]["large"]) == 3
    assert all(shape == [1, 48, 48, 3] for shape in facts["grid"]["large"].values())


def test_a_sheet_falls_into_its_sprites_and_comes_together_again(facts: Facts) -> None:
    assert sorted(facts["sheets"]["sliced"]) == [[1, 7, 12, 4], [1, 10, 10, 4], [1, 13, 7, 4]]
    assert facts["sheets"]["names"] == ["thing_0", "thing_1", "thing_2"]
    assert facts["sheets"]["batch"] == [3, 13, 12, 4]
    assert facts["sheets"]["two_sheets"].startswith("SheetError: image is a batch of 2")
    count, (_, height, width, channels) = facts["sheets"]["packed"]
    assert count == 6
    assert channels == 4
    assert height & (height - 1) == width & (width - 1) == 0
    assert facts["sheets"]["metadata"] == ["frames", "meta"]


def test_a_tile_is_made_seamless_without_new_colours(facts: Facts) -> None:
    assert facts["sheets"]["tile"] == [[1, 16, 16, 3], [1, 48, 48, 3], []]


@pytest.mark.parametrize("kind", ["png", "gif", "apng", "webp", "aseprite"])
def test_every_format_is_saved_with_the_workflow_inside_and_read_back(facts: Facts, kind: str) -> None:
    files, frames, duration, shape = facts["save"]["written"][kind]
    assert (files, frames) == ((3, 1) if kind == "png" else (1, 3))
    assert shape == [4, 24, 24]
    assert duration == (100 if kind == "png" else 70)
    assert facts["save"]["texts"][kind] == ["prompt", "workflow"]


def test_a_name_never_leaves_the_output_folder_and_never_replaces_a_file(facts: Facts) -> None:
    assert all(facts["save"]["inside"])
    assert all(name.endswith("_00001.png") for name in facts["save"]["names"]), facts["save"]["names"]
    assert facts["save"]["numbered"] == ["same_00001.png", "same_00002.png"]
    assert facts["save"]["bad_format"].startswith("format is 'bmp', expected one of ")
