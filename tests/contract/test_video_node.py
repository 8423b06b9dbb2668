"""The node for films on the real node API, without a server."""

from __future__ import annotations

from typing import Any

Facts = dict[str, Any]

COLORS = [[0, 0, 0], [0, 228, 54], [255, 0, 77], [255, 255, 255]]


def test_a_video_file_becomes_a_file_with_its_times_its_sound_and_no_other_colours(facts: Facts) -> None:
    film = facts["video"]["file"]
    assert film["times"] == [0, 40, 120, 160, 300, 340]
    assert film["size"] == [48, 32]
    assert film["sounds"] == ["aac"]
    assert all(color in COLORS for color in film["colors"])
    assert len(film["colors"]) == 3
    assert facts["video"]["in_temp"]
    assert facts["video"]["first"] == [[1, 8, 12, 3], [1, 8, 12], 0.0]


def test_a_video_in_memory_is_read_and_nothing_is_left_of_it(facts: Facts) -> None:
    film = facts["video"]["bytes"]
    assert film["times"] == [0, 40, 120, 160, 300, 340]
    assert film["sounds"] in (["opus"], ["libopus"])
    assert all(color in COLORS for color in film["colors"])
    assert facts["video"]["left"] == [".mp4", ".webm"]


def test_a_model_draws_the_frames_and_fps_leaves_some_out(facts: Facts) -> None:
    assert facts["video"]["learned"] == [0, 120, 300]


def test_frames_go_in_and_out_as_a_batch_and_stay_where_they_repeat(facts: Facts) -> None:
    shape, mask, same = facts["video"]["frames"]
    assert shape == [3, 8, 12, 3]
    assert mask == [3, 8, 12]
    assert same
    assert facts["video"]["clear"] == [[3, 4, 6, 4], [0.0, 1.0]]


def test_a_video_made_of_frames_keeps_its_pace_and_sound(facts: Facts) -> None:
    shape, rate, sound = facts["video"]["components"]
    assert shape == [3, 32, 48, 3]
    assert rate == 12
    assert sound == 44100


def test_what_is_no_film_is_refused_with_what_to_do(facts: Facts) -> None:
    assert facts["video"]["nothing"].startswith("FilmError: neither video nor frames is connected")
    assert "method is 'best', expected one of" in facts["video"]["bad"]
    assert "is no film that can be read" in facts["video"]["not_a_film"]
