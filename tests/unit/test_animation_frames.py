"""Frames: repeats joined, onion skins, colour cycling, names and times."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pixel_models.animation import (
    Cycle,
    cycle_colors,
    dedupe_frames,
    frame_difference,
    index_in_order,
    name_frames,
    onion_skin,
    onion_skins,
    parse_cycles,
    parse_durations,
)
from pixel_models.errors import PaletteError, SheetError
from pixel_models.palette import IndexedImage, Palette
from pixel_models.sheets import Frame, SpriteSheet


def frame(shade: float, *, tag: str = "", duration: int = 100, odd: int = 0, name: str = "f") -> Frame:
    """One grey square of 10x10, `odd` of its pixels white."""
    rgba = torch.full((4, 10, 10), shade)
    rgba[:3].reshape(3, -1)[:, :odd] = 1
    rgba[3] = 1
    return Frame(rgba=rgba, name=name, duration=duration, tag=tag)


def test_equal_neighbours_become_one_as_long_as_both_and_tags_keep_apart() -> None:
    frames = (
        frame(0.2, tag="a", duration=40, name="0"),
        frame(0.2, tag="a", duration=60, name="1"),
        frame(0.2, tag="b", name="2"),
        frame(0.5, tag="b", name="3"),
        frame(0.2, tag="b", name="4"),
    )
    made = dedupe_frames(SpriteSheet(frames=frames, loop=3))
    assert [(one.name, one.duration, one.tag) for one in made.sheet.frames] == [
        ("0", 100, "a"),
        ("2", 100, "b"),
        ("3", 100, "b"),
        ("4", 100, "b"),
    ]
    assert made.sheet.loop == 3
    assert made.report() == ["0 stands for 1 too: 100 ms in all"]
    assert made.held[0].joined == ("1",)


def test_a_slow_change_is_not_lost_because_each_is_compared_with_the_one_that_stays() -> None:
    sheet = SpriteSheet(frames=tuple(frame(0.2, odd=count, name=str(count)) for count in range(0, 12, 2)))
    made = dedupe_frames(sheet, 0.05)
    assert [one.name for one in made.sheet.frames] == ["0", "6"]
    assert made.held[0].difference == pytest.approx(0.04)
    assert "4.0%" in made.report()[0]
    assert len(dedupe_frames(sheet).sheet) == 6
    with pytest.raises(SheetError, match="threshold"):
        dedupe_frames(sheet, 1.5)


@given(shades=st.lists(st.sampled_from([0.1, 0.5, 0.9]), min_size=1, max_size=12), share=st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_joining_never_changes_how_long_it_all_takes(shades: list[float], share: float) -> None:
    sheet = SpriteSheet(frames=tuple(frame(shade, duration=10 + at, name=str(at)) for at, shade in enumerate(shades)))
    made = dedupe_frames(sheet, share)
    assert sum(one.duration for one in made.sheet.frames) == sum(one.duration for one in sheet.frames)
    names = [name for one in made.held for name in (one.name, *one.joined)]
    assert names == [one.name for one in sheet.frames]
    assert dedupe_frames(made.sheet).sheet.frames == made.sheet.frames


def test_frames_differ_by_what_is_seen_alone() -> None:
    one, two = frame(0.2).rgba, frame(0.2).rgba
    one[3, 0] = two[3, 0] = 0
    two[:3, 0] = 0.9  # under what is transparent
    assert frame_difference(one, two) == 0
    two[3, 1] = 0
    assert frame_difference(one, two) == pytest.approx(10 / 90)
    assert frame_difference(one, torch.zeros(4, 3, 3)) is None


def test_an_onion_skin_shows_the_frame_as_it_is_and_its_neighbours_red_and_blue() -> None:
    pictures = torch.zeros(3, 4, 3, 3)
    for index in range(3):
        pictures[index, :, index, index] = 1
    sheet = SpriteSheet.of_batch(pictures)
    seen = onion_skin(sheet, 1)
    assert torch.equal(seen[:, 1, 1], pictures[1, :, 1, 1])
    before, after = seen[:, 0, 0], seen[:, 2, 2]
    assert before[0] > before[2]
    assert after[2] > after[0]
    assert float(before[3]) == float(after[3]) == 0.5
    assert not bool(onion_skin(sheet, 0, wrap=False)[3, 2, 2])
    assert bool(onion_skin(sheet, 0)[3, 2, 2])  # it plays for ever, so the last is before the first
    assert onion_skins(sheet).shape == (3, 4, 3, 3)
    assert torch.equal(onion_skin(sheet, 2, before=0, after=0), pictures[2])
    with pytest.raises(SheetError, match="no frame 3"):
        onion_skin(sheet, 3)
    with pytest.raises(SheetError, match="before, after and opacity"):
        onion_skin(sheet, 0, before=9)


def strip(count: int) -> IndexedImage:
    """One row that shows each entry of a palette of greys once."""
    shades = torch.arange(count, dtype=torch.uint8)[:, None].expand(-1, 3) * 3
    return IndexedImage(torch.arange(count)[None, None], Palette(shades))


def test_ranges_turn_at_their_own_speeds_and_are_back_after_the_least_common_time() -> None:
    art = strip(8)
    cycles = [Cycle.span(0, 2, 100), Cycle.span(7, 4, 60)]
    made = cycle_colors(art, cycles)
    assert sum(one.duration for one in made.frames) == math.lcm(3 * 100, 4 * 60)
    time = 0
    for one in made.frames:
        shown = (one.rgba[0, 0] * 255 / 3).round().int().tolist()
        forwards = [(place - time // 100) % 3 for place in range(3)]
        backwards = [4 + (place + time // 60) % 4 for place in range(4)]
        assert shown == [*forwards, 3, *backwards]
        time += one.duration
    assert made.frames[0].tag == "cycle"


def test_colours_that_repeat_in_a_range_make_the_loop_shorter() -> None:
    colors = torch.tensor([[9, 9, 9], [50, 50, 50]] * 3, dtype=torch.uint8)
    art = IndexedImage(torch.arange(6)[None, None], Palette(colors))
    made = cycle_colors(art, [Cycle.span(0, 5, 100)])
    assert [one.duration for one in made.frames] == [100, 100]
    assert len(cycle_colors(art, [Cycle.span(2, 2, 100)])) == 1  # one colour stays where it is


def test_cycles_that_cannot_be_are_refused_with_what_to_do() -> None:
    art = strip(8)
    for cycles, words in (
        ([], "got none"),
        ([Cycle.span(0, 3), Cycle.span(3, 5)], "overlap"),
        ([Cycle.span(0, 8)], "0 to 7"),
        ([Cycle.span(0, 2, 1009), Cycle.span(3, 6, 1013)], "divide each other"),
        ([Cycle.span(0, 2, 101), Cycle.span(3, 7, 103)], "more than 1024 frames"),
    ):
        with pytest.raises(PaletteError, match=words):
            cycle_colors(art, cycles)
    with pytest.raises(PaletteError, match="10 ms or more"):
        Cycle.span(0, 3, 5)
    assert parse_cycles("0-3@120\n7 - 4; 9-9@10") == [
        Cycle.span(0, 3, 120),
        Cycle.span(7, 4, 100),
        Cycle.span(9, 9, 10),
    ]
    for text in ("", "3", "a-b", "1-2@"):
        with pytest.raises(PaletteError, match="FIRST-LAST@MS"):
            parse_cycles(text)


def test_colours_may_be_named_and_go_there_and_back() -> None:
    art = strip(5)
    there = cycle_colors(art, parse_cycles("1-3-1@50"))
    assert [(one.rgba[0, 0] * 255 / 3).round().int().tolist() for one in there.frames] == [
        [0, 1, 2, 3, 4],
        [0, 2, 1, 2, 4],
        [0, 3, 2, 1, 4],
        [0, 2, 3, 2, 4],
    ]
    named = cycle_colors(art, parse_cycles("#030303 #0c0c0c@70"))
    assert [(one.rgba[0, 0] * 255 / 3).round().int().tolist() for one in named.frames] == [
        [0, 1, 2, 3, 4],
        [0, 4, 2, 3, 1],
    ]
    assert parse_cycles("4 2 1@60") == [Cycle((4, 2, 1), 60)]
    with pytest.raises(PaletteError, match="0 #000000, 1 #030303"):
        cycle_colors(art, parse_cycles("#ffffff #030303"))


def test_a_picture_is_counted_by_the_palette_that_is_given() -> None:
    palette = Palette.from_hex("ff0000 00ff00 0000ff")
    rgba = IndexedImage(torch.tensor([[[2, 0, 1, 1]]]), palette).to_rgba()
    assert index_in_order(rgba, palette).indices.tolist() == [[[2, 0, 1, 1]]]
    with pytest.raises(PaletteError, match="1 pixels have colours"):
        index_in_order(rgba, Palette.from_hex("ff0000 00ff00"))


def test_frames_get_names_times_and_the_way_back() -> None:
    sheet = SpriteSheet.of_batch(torch.rand(3, 4, 6, 5))
    made = name_frames(sheet, name="hero", tag="run", durations=[50, 60, 70], ping_pong=True, feet=True)
    assert [(one.name, one.duration) for one in made.frames] == [
        ("hero_run_0", 50),
        ("hero_run_1", 60),
        ("hero_run_2", 70),
        ("hero_run_3", 60),
    ]
    assert torch.equal(made.frames[3].rgba, made.frames[1].rgba)
    assert {one.pivot for one in made.frames} == {(2.5, 6.0)}
    assert [one.name for one in name_frames(sheet).frames] == [one.name for one in sheet.frames]
    with pytest.raises(SheetError, match="2 durations for 3 frames"):
        name_frames(sheet, durations=[1, 2])
    assert parse_durations("100, 80\n70") == [100, 80, 70]
    with pytest.raises(SheetError, match="no duration"):
        parse_durations("fast")
