"""The nodes for what moves on the real node API, without a server."""

from __future__ import annotations

from typing import Any

Facts = dict[str, Any]


def test_every_motion_of_the_combo_gives_frames_in_the_sprites_own_colours(facts: Facts) -> None:
    moving = facts["animation"]
    assert len(moving["frames"]) == 12
    assert all(count >= 2 for count in moving["frames"].values()), moving["frames"]
    assert all(colors == [] for colors in moving["outside"].values()), moving["outside"]


def test_each_sprite_of_a_batch_moves_under_a_tag_of_its_own(facts: Facts) -> None:
    assert facts["animation"]["tags"] == ["frame_0_hop", "frame_1_hop"]


def test_masks_of_parts_and_eyes_and_times_are_used(facts: Facts) -> None:
    moving = facts["animation"]
    assert moving["walked"] == [8, 70]
    assert moving["winked"] == [2400, 60, 60, 60]
    assert moving["blind"].startswith("SheetError: ")
    assert "mask" in moving["blind"]
    assert moving["bad_motion"].startswith("motion is 'fly', expected one of ")


def test_ranges_of_colours_turn_at_their_own_speeds_until_all_are_back(facts: Facts) -> None:
    assert facts["animation"]["cycled"] == [100, 50, 50, 100, 100, 50, 50, 100]
    assert facts["animation"]["bad_cycle"].startswith("cycles: '1..4' is no cycle")


def test_a_batch_becomes_a_named_animation_that_runs_back(facts: Facts) -> None:
    named = facts["animation"]["named"]
    assert [row[0] for row in named] == ["hero_run_0", "hero_run_1", "hero_run_2", "hero_run_3"]
    assert [row[1] for row in named] == [50, 60, 70, 60]
    assert all(row[2:] == ["run", [2.5, 5.0]] for row in named)


def test_repeats_are_joined_and_neighbours_shine_through(facts: Facts) -> None:
    times, report = facts["animation"]["deduped"]
    assert times == [200, 100]
    assert report.startswith("frame_0 stands for frame_1 too: 200 ms")
    assert facts["animation"]["onion"] == [[3, 2, 4, 4], [1, 6, 12, 4]]
