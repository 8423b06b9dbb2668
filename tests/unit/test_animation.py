"""Motions of one sprite: loops that close, whole pixels, no new colours, nothing cut off; eyes, legs, easing."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pixel_models.animation import (
    EASINGS,
    MOTIONS,
    PARTS,
    SURE,
    VIEWS,
    Motion,
    animate,
    eye_mask,
    find_eyes,
    find_legs,
    parts_from_colors,
)
from pixel_models.animation.easing import ease, pixels, there_and_back, to_and_fro
from pixel_models.animation.poses import visible_box
from pixel_models.cli import parse_animate
from pixel_models.errors import ImageError, PixelModelError, ShapeError, SheetError
from pixel_models.image import read_rgba
from pixel_models.palette import index_exactly

SAMPLES = Path(__file__).resolve().parents[2] / "samples"

LOOPS: tuple[Motion, ...] = tuple(motion for motion in MOTIONS if motion not in ("hit", "dissolve", "appear"))
FROM_REST: tuple[Motion, ...] = tuple(motion for motion in LOOPS if motion != "walk")


def figure(*, eyes: bool = True) -> Tensor:
    """A face with two eyes, a body, and two legs with a gap between them: `4 20 14`."""
    art = torch.zeros(4, 20, 14)
    art[:, 1:14, 2:12] = torch.tensor([0.1, 0.1, 0.1, 1.0])[:, None, None]
    art[:, 2:8, 3:11] = torch.tensor([0.9, 0.7, 0.5, 1.0])[:, None, None]
    art[:, 8:13, 3:11] = torch.tensor([0.7, 0.1, 0.1, 1.0])[:, None, None]
    art[:, 14:19, 3:6] = art[:, 14:19, 8:11] = torch.tensor([0.2, 0.2, 0.7, 1.0])[:, None, None]
    if eyes:
        art[:, 4:6, 5] = art[:, 4:6, 8] = torch.tensor([0.0, 0.0, 0.0, 1.0])[:, None]
    return art


def colors(rgba: Tensor) -> set[tuple[float, ...]]:
    """The distinct visible colours of `... 4 h w`, alpha included."""
    flat = rgba.movedim(-3, -1).reshape(-1, 4)
    return {tuple(color) for color in flat[flat[:, 3] > 0].tolist()}


def scattered(seed: int, height: int, width: int) -> Tensor:
    """Pixels of four colours, some of them transparent: `4 h w`, one at least visible."""
    dice = torch.Generator().manual_seed(seed)
    levels = torch.rand(4, 4, generator=dice)
    levels[:, 3] = 1
    art = levels[torch.randint(0, 4, (height, width), generator=dice)].permute(2, 0, 1)
    art = art * (torch.rand(1, height, width, generator=dice) < 0.7)
    art[:, height // 2, width // 2] = levels[0]
    return art


def test_the_shell_offers_what_the_library_has() -> None:
    assert parse_animate.MOTIONS == MOTIONS
    assert parse_animate.EASINGS == EASINGS
    assert parse_animate.VIEWS == VIEWS


@pytest.mark.parametrize("motion", MOTIONS)
def test_every_motion_moves_in_the_sprites_own_colours_and_says_what_it_is(motion: Motion) -> None:
    sprite = figure()
    made = animate(sprite, motion, name="hero")
    assert made.same_size
    assert len({frame.rgba.numpy().tobytes() for frame in made.frames}) > 1
    assert colors(made.batch()) <= colors(sprite)
    assert {frame.tag for frame in made.frames} == {motion}
    assert made.frames[0].name == f"hero_{motion}_0"
    assert made.loop == (1 if motion in ("dissolve", "appear") else 0)
    assert len({frame.pivot for frame in made.frames}) == 1


@given(
    seed=st.integers(0, 2**20),
    height=st.integers(1, 16),
    width=st.integers(1, 16),
    motion=st.sampled_from([motion for motion in MOTIONS if motion not in ("blink", "walk")]),
    amplitude=st.integers(0, 5),
    frames=st.integers(2, 12),
    easing=st.sampled_from(EASINGS),
)
@settings(max_examples=60, deadline=None)
def test_any_sprite_keeps_its_colours_and_stays_in_the_picture(
    seed: int, height: int, width: int, motion: Motion, amplitude: int, frames: int, easing: str
) -> None:
    sprite = scattered(seed, height, width)
    _, top, _, bottom = visible_box(sprite)
    if motion in ("bob", "squash") and amplitude > max(1, (bottom - top) // 2):
        with pytest.raises(SheetError, match="half the height"):
            animate(sprite, motion, amplitude=amplitude, frames=frames, easing=easing)  # pyright: ignore[reportArgumentType]
        return
    made = animate(sprite, motion, amplitude=amplitude, frames=frames, easing=easing)  # pyright: ignore[reportArgumentType]
    assert len(made) == frames
    assert colors(made.batch()) <= colors(sprite)
    for frame in made.frames:
        assert frame.width >= width
        assert frame.height >= height
    if motion in FROM_REST:
        left, top, _, _ = visible_box(sprite)
        first = made.frames[0].rgba
        x, y, right, bottom = visible_box(first)
        assert torch.equal(first[:, y:bottom, x:right], sprite[:, top : top + bottom - y, left : left + right - x])


@pytest.mark.parametrize("motion", ["float", "shake"])
@pytest.mark.parametrize("amplitude", [1, 4, 9])
def test_what_is_only_moved_is_whole_in_every_frame(motion: Motion, amplitude: int) -> None:
    sprite = figure()
    left, top, right, bottom = visible_box(sprite)
    for frame in animate(sprite, motion, amplitude=amplitude).frames:
        x, y, beyond_x, beyond_y = visible_box(frame.rgba)
        assert torch.equal(frame.rgba[:, y:beyond_y, x:beyond_x], sprite[:, top:bottom, left:right])


@pytest.mark.parametrize("motion", FROM_REST)
def test_a_loop_closes_because_one_frame_more_would_be_the_first_again(motion: Motion) -> None:
    count = 6
    once = animate(figure(), motion, frames=count, amplitude=1)
    # twice as many frames of the same cycle pass through the same poses, the last of them just before the first
    twice = animate(figure(), motion, frames=2 * count, amplitude=1)
    if motion not in ("blink", "hop"):  # they choose poses by the number of frames
        same = [torch.equal(one.rgba, two.rgba) for one, two in zip(once.frames, twice.frames[::2], strict=True)]
        assert all(same)
    jumps = [
        float((one.rgba != two.rgba).any(0).float().mean())
        for one, two in zip(twice.frames, [*twice.frames[1:], twice.frames[0]], strict=True)
    ]
    assert jumps[-1] <= max(jumps[:-1]) + 1e-9


def test_bob_squash_and_hop_stand_on_the_same_ground() -> None:
    sprite = figure()
    for motion in ("bob", "squash"):
        made = animate(sprite, motion, amplitude=3)
        grounds = {visible_box(frame.rgba)[3] for frame in made.frames}
        assert len(grounds) == 1
        assert {frame.pivot for frame in made.frames} == {(made.frames[0].pivot or (0, 0))}
        assert grounds == {int((made.frames[0].pivot or (0, 0))[1])}
    heights = [visible_box(frame.rgba)[3] for frame in animate(sprite, "hop", amplitude=6).frames]
    assert max(heights) - min(heights) == 6
    assert heights[0] == max(heights)


def test_squash_keeps_the_volume_about_and_the_eyes_whole() -> None:
    sprite = figure()
    rest = visible_box(sprite)
    area = (rest[2] - rest[0]) * (rest[3] - rest[1])
    for frame in animate(sprite, "squash", amplitude=3).frames:
        left, top, right, bottom = visible_box(frame.rgba)
        assert abs((right - left) * (bottom - top) - area) <= max(right - left, bottom - top)
        black = (frame.rgba[:3].sum(0) == 0) & (frame.rgba[3] > 0)
        assert int(black.sum()) == 4  # neither a row nor a column through the eyes went, or came twice


def test_spin_shows_the_mirror_image_half_way_and_is_never_thinner_than_its_edge() -> None:
    sprite = figure()
    sprite[:, 3, 3] = torch.tensor([0.0, 1.0, 0.0, 1.0])
    frames = animate(sprite, "spin", frames=8, amplitude=3).frames
    assert torch.equal(frames[4].rgba, frames[0].rgba.flip(2))
    widths = [box[2] - box[0] for box in (visible_box(frame.rgba) for frame in frames)]
    assert min(widths) == 3
    assert widths[2] == widths[6] == 3


def test_appear_is_dissolve_backwards_from_nothing_to_all() -> None:
    sprite = figure()
    gone, come = animate(sprite, "dissolve"), animate(sprite, "appear")
    assert torch.equal(gone.frames[0].rgba, sprite)
    assert not bool(gone.frames[-1].rgba.any())
    for one, two in zip(gone.frames, reversed(come.frames), strict=True):
        assert torch.equal(one.rgba, two.rgba)
    counts = [int((frame.rgba[3] > 0).sum()) for frame in gone.frames]
    assert counts == sorted(counts, reverse=True)


def test_a_hit_flashes_in_one_own_colour_and_ends_at_rest() -> None:
    sprite = figure()
    frames = animate(sprite, "hit").frames
    assert colors(frames[0].rgba) == {max(colors(sprite), key=lambda color: sum(color[:3]))}
    x, y, right, bottom = visible_box(frames[-1].rgba)
    left, top, beyond, below = visible_box(sprite)
    assert torch.equal(frames[-1].rgba[:, y:bottom, x:right], sprite[:, top:below, left:beyond])


def test_eyes_are_found_in_a_plain_face_and_shut_in_the_colour_of_the_skin() -> None:
    sprite = figure()
    found = find_eyes(sprite)
    assert found is not None
    assert found.sure >= SURE
    assert found.mask.nonzero().tolist() == [[4, 5], [4, 8], [5, 5], [5, 8]]
    shut = animate(sprite, "blink").frames
    assert [frame.duration for frame in shut] == [2400, 60, 60, 60]
    assert torch.equal(shut[2].rgba, figure(eyes=False))
    assert torch.equal(shut[0].rgba, sprite)


def test_eyes_that_shine_in_a_dark_face_are_found_and_the_samples_are_told_apart() -> None:
    hooded = figure(eyes=False)
    hooded[:3, 2:8, 3:11] = torch.tensor([0.15, 0.1, 0.1])[:, None, None]
    hooded[:, 4, 5] = hooded[:, 4, 8] = torch.tensor([1.0, 0.9, 0.2, 1.0])
    found = find_eyes(hooded)
    assert found is not None
    assert found.sure >= SURE
    assert found.mask.nonzero().tolist() == [[4, 5], [4, 8]]
    assert torch.equal(animate(hooded, "blink").frames[2].rgba[:, 4, 5], hooded[:, 4, 6])
    red = eye_mask(read_rgba(SAMPLES / "sprite_vampire.png")[0])
    assert red.nonzero().tolist() == [[5, 16], [5, 20]]
    with pytest.raises(SheetError, match="box around both"):
        eye_mask(read_rgba(SAMPLES / "sprite_orc.png")[0])  # a visor, and a face of few pixels


def test_studs_of_a_coat_are_no_eyes() -> None:
    studded = figure(eyes=False)
    studded[:, 9:12:2, 5] = studded[:, 9:12:2, 8] = torch.tensor([0.0, 0.0, 0.0, 1.0])[:, None]
    found = find_eyes(studded)
    assert found is None or found.sure < SURE


def test_where_no_eyes_are_sure_it_says_so_and_takes_a_mask_or_a_box() -> None:
    blind = figure(eyes=False)
    with pytest.raises(SheetError, match="by a mask or by a box"):
        animate(blind, "blink")
    one_eye = blind.clone()
    one_eye[:3, 4:6, 5] = 0
    boxed = animate(one_eye, "blink", eyes=(4, 3, 6, 4))
    assert torch.equal(boxed.frames[2].rgba, blind)
    mask = torch.zeros(20, 14)
    mask[4:6, 5] = 1
    assert torch.equal(animate(one_eye, "blink", eyes=mask).frames[2].rgba, blind)
    with pytest.raises(ShapeError, match="mask of the eyes"):
        eye_mask(blind, torch.ones(3, 3))
    with pytest.raises(SheetError, match="reaches out"):
        eye_mask(blind, (10, 3, 10, 4))
    with pytest.raises(SheetError, match="nothing of the sprite"):
        eye_mask(blind, (0, 0, 2, 1))


def test_legs_are_found_where_a_gap_parts_them_and_not_elsewhere() -> None:
    labels = find_legs(figure())
    assert labels is not None
    assert bool((labels[15:19, 3:6] == PARTS.index("leg")).all())
    assert bool((labels[15:19, 8:11] == PARTS.index("other leg")).all())
    assert not bool(labels[:12].any())
    robe = figure()
    robe[:, 14:19, 3:11] = robe[:, 12:13, 3:4]
    assert find_legs(robe) is None
    with pytest.raises(SheetError, match="a leg red, the other blue"):
        animate(robe, "walk")


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("frames", [4, 8])
def test_a_walk_leaves_no_hole_in_the_body_and_sets_one_foot_down_after_the_other(view: str, frames: int) -> None:
    sprite = figure()
    marks = torch.zeros(3, 20, 14)
    marks[0, 14:19, 3:6] = marks[2, 14:19, 8:11] = 1
    marks[1, 8:13, 2:4] = 1
    marks[0, 8:13, 10:12] = marks[1, 8:13, 10:12] = 1
    parts = parts_from_colors(marks, (20, 14))
    made = animate(sprite, "walk", parts=parts, frames=frames, amplitude=2, view=view)  # pyright: ignore[reportArgumentType]
    assert len(made) == frames
    assert colors(made.batch()) <= colors(sprite)
    assert len({visible_box(frame.rgba)[3] for frame in made.frames}) == 1  # a foot is always on the ground
    for frame in made.frames:
        body = frame.rgba[3, : visible_box(frame.rgba)[3] - 6]
        for row in body:
            seen = row.nonzero().flatten()
            assert len(seen) == 0 or len(seen) == int(seen[-1] - seen[0]) + 1
    half = frames // 2
    mirrored = made.frames[half + 1].rgba.flip(2)
    if view == "front":
        assert torch.equal(made.frames[1].rgba[3], mirrored[3])  # the second step is the first one's mirror image


def test_parts_that_cannot_be_are_refused() -> None:
    with pytest.raises(SheetError, match="marks none"):
        parts_from_colors(torch.ones(3, 4, 4), (4, 4))
    with pytest.raises(ShapeError, match="picture of the parts"):
        parts_from_colors(torch.ones(3, 4, 4), (5, 4))
    with pytest.raises(SheetError, match="even number"):
        animate(figure(), "walk", frames=5)
    with pytest.raises(SheetError, match="two legs"):
        animate(figure(), "walk", parts=torch.ones(20, 14, dtype=torch.int64))


@pytest.mark.parametrize("easing", EASINGS)
def test_every_easing_goes_from_0_to_1_and_there_and_back_is_one_way_twice(easing: str) -> None:
    assert ease(0, easing) == 0  # pyright: ignore[reportArgumentType]
    assert ease(1, easing) == 1  # pyright: ignore[reportArgumentType]
    steps = [ease(index / 50, easing) for index in range(51)]  # pyright: ignore[reportArgumentType]
    assert steps == sorted(steps)
    for phase in (0.1, 0.2, 0.3, 0.4):
        there, back = (there_and_back(at, easing) for at in (phase, 1 - phase))  # pyright: ignore[reportArgumentType]
        assert there == pytest.approx(back)
        one, other = (to_and_fro(at, easing) for at in (phase, phase + 0.5))  # pyright: ignore[reportArgumentType]
        assert one == pytest.approx(-other)


def test_halves_round_away_from_zero_to_both_sides() -> None:
    assert [pixels(value) for value in (-1.5, -0.5, -0.2, 0.2, 0.5, 1.5)] == [-2, -1, 0, 0, 1, 2]


def test_an_indexed_picture_moves_as_its_pixels_do() -> None:
    sprite = figure()
    indexed = index_exactly(sprite[None, :3], sprite[None, 3:])
    plain = indexed.to_rgba()[0]  # on 8-bit levels
    for one, two in zip(animate(indexed, "hop").frames, animate(plain, "hop").frames, strict=True):
        assert torch.equal(one.rgba, two.rgba)


def test_the_shipped_samples_move() -> None:
    for name in ("orc", "vampire", "dragon"):
        sprite = read_rgba(SAMPLES / f"sprite_{name}.png")[0]
        for motion in ("bob", "squash", "hop", "sway"):
            assert colors(animate(sprite, motion).batch()) <= colors(sprite)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"motion": "fly"}, "no motion"),
        ({"frames": 1}, "frames is 1"),
        ({"amplitude": -1}, "amplitude is -1"),
        ({"amplitude": 11}, "at most 9"),
        ({"duration": 5}, "duration is 5"),
        ({"easing": "round"}, "no easing"),
        ({"amplitude": 1.5}, "whole number"),
    ],
)
def test_settings_that_cannot_be_are_refused(change: dict[str, object], words: str) -> None:
    given = {"motion": "squash", **change}
    with pytest.raises(PixelModelError, match=words):
        animate(figure(), **given)


def test_what_is_no_single_sprite_is_refused() -> None:
    with pytest.raises(ImageError, match="wholly transparent"):
        animate(torch.zeros(4, 5, 5), "bob")
    with pytest.raises(ShapeError, match="one sprite"):
        animate(torch.ones(2, 4, 5, 5), "bob")
    with pytest.raises(SheetError, match="no view"):
        animate(figure(), "walk", view="above")  # pyright: ignore[reportArgumentType]
