"""Recolouring and editing palettes: swaps, permutations, cycles, ramps, merging, contrast, colour blindness."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pixel_models.color import srgb_to_oklab
from pixel_models.errors import PaletteError, ShapeError
from pixel_models.image import from_uint8, to_uint8
from pixel_models.palette import (
    SORT_KEYS,
    SWAP_ORDERS,
    IndexedImage,
    Palette,
    contrast_ratios,
    count_colors,
    cycle_frames,
    cycle_palette,
    find_palette,
    index_exactly,
    make_ramp,
    merge_near,
    palette_as_seen,
    permute_palette,
    reduce_palette,
    remap,
    simulate_color_blindness,
    sort_palette,
    swap_colors,
    swap_palette,
)

DB16 = find_palette("db16")


def picture(palette: Palette = DB16, frames: int = 2, seed: int = 0) -> IndexedImage:
    """Every colour is used, some pixels are transparent."""
    generator = torch.Generator().manual_seed(seed)
    indices = torch.randint(len(palette), (frames, 9, 7), generator=generator)
    indices.view(-1)[: len(palette)] = torch.arange(len(palette))
    clear = torch.rand(frames, 9, 7, generator=generator) < 0.2
    clear.view(-1)[: len(palette)] = False
    return IndexedImage(indices, palette, clear)


def lab(palette: Palette) -> Tensor:
    return srgb_to_oklab(from_uint8(palette.colors), dim=1)


# --- pictures to indices ---------------------------------------------------------------------------------


def test_a_picture_is_indexed_without_a_change_and_its_palette_is_dark_to_light() -> None:
    before = picture()
    after = index_exactly(before.to_rgb(), before.alpha())
    assert torch.equal(after.to_rgba(), before.to_rgba())
    assert set(after.palette.to_hex()) == set(DB16.to_hex())
    assert bool((lab(after.palette)[:, 0].diff() >= 0).all())


def test_what_is_transparent_lends_no_colour() -> None:
    rgb = torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    alpha = torch.zeros(1, 1, 4, 4)
    assert index_exactly(rgb, alpha).palette.to_hex() == ["#000000"]
    alpha[0, 0, 1, 2] = 1
    one = index_exactly(rgb, alpha)
    assert torch.equal(one.palette.colors[0], to_uint8(rgb)[0, :, 1, 2])
    assert len(one.palette) == 1
    assert index_exactly(rgb, torch.ones(1, 1, 4, 4)).transparent is None


def test_a_picture_of_too_many_colours_is_not_indexed() -> None:
    codes = torch.arange(300 * 300)
    colors = torch.stack([codes >> 16, codes >> 8 & 255, codes & 255]).view(1, 3, 300, 300)
    with pytest.raises(PaletteError, match="90000 colours are too many"):
        index_exactly(colors / 255)
    with pytest.raises(ShapeError):
        index_exactly(torch.rand(1, 4, 2, 2))


# --- swaps -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", SWAP_ORDERS)
@pytest.mark.parametrize("name", ["1-bit", "gameboy", "sweetie-16", "db32", "grey-8"])
def test_a_swap_leaves_no_colour_outside_the_palette_and_never_splits_one(by: str, name: str) -> None:
    before, palette = picture(), find_palette(name)
    after = swap_palette(before, palette, by)  # pyright: ignore[reportArgumentType]
    assert after.palette == palette
    assert after.transparent is before.transparent
    for index in range(len(DB16)):
        assert len(after.indices[before.indices == index].unique()) == 1


def test_by_lightness_darkest_meets_darkest_and_the_order_stays() -> None:
    after = swap_palette(picture(), find_palette("gameboy"), "lightness")
    new = torch.tensor([int(after.indices[picture().indices == index][0]) for index in range(16)])
    levels = lab(find_palette("gameboy"))[:, 0][new][lab(DB16)[:, 0].argsort()]
    assert bool((levels.diff() >= 0).all())
    assert new.unique().tolist() == [0, 1, 2, 3]
    assert new.bincount().tolist() == [3, 5, 5, 3]


def test_by_frequency_the_most_frequent_becomes_the_first() -> None:
    indices = torch.tensor([[[2, 2, 2, 0, 0, 1, 3, 3, 3, 3]]])
    clear = torch.tensor([[[False] * 6 + [True] * 4]])
    before = IndexedImage(indices, Palette.from_hex("000 f00 0f0 00f"), clear)
    assert count_colors(before).tolist() == [2, 1, 3, 0]
    after = swap_palette(before, Palette.from_hex("fff ccc 999"), "frequency")
    assert after.indices[0, 0, :6].tolist() == [0, 0, 0, 1, 1, 2]
    short = swap_palette(before, Palette.from_hex("00f f01"), "frequency")
    assert short.indices[0, 0, :6].tolist() == [0, 0, 0, 1, 1, 1]  # red is beyond the palette: the nearest


def test_by_hue_reds_become_red_and_greys_grey() -> None:
    before = IndexedImage(torch.arange(4).view(1, 1, 4), Palette.from_hex("802020 40d0d0 777777 203090"))
    after = swap_palette(before, Palette.from_hex("0000ff ff0000 00ffff bbbbbb ffff00"), "hue")
    assert after.palette.colors[after.indices[0, 0]].tolist() == Palette.from_hex("f00 0ff bbb 00f").colors.tolist()


def test_one_colour_alone_becomes_the_nearest() -> None:
    white = IndexedImage(torch.ones(1, 2, 2, dtype=torch.int64), Palette.from_hex("000 eee"))
    assert swap_palette(white, find_palette("gameboy"), "lightness").indices.unique().tolist() == [3]


@pytest.mark.parametrize("by", ["lightness", "hue"])
def test_a_swap_to_the_same_colours_in_any_order_changes_no_pixel(by: str) -> None:
    before = picture()
    shuffled = Palette(DB16.colors[torch.randperm(16, generator=torch.Generator().manual_seed(5))])
    after = swap_palette(before, shuffled, by)  # pyright: ignore[reportArgumentType]
    assert torch.equal(after.to_rgba(), before.to_rgba())


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_a_swap_by_lightness_there_and_back_is_the_identity(seed: int) -> None:
    before = picture(seed=seed)
    there = swap_palette(before, find_palette("sweetie-16"), "lightness")
    assert torch.equal(swap_palette(there, DB16, "lightness").to_rgba(), before.to_rgba())


def test_an_explicit_map_changes_these_colours_alone_there_and_back() -> None:
    before = picture()
    first, second, third = DB16.to_hex()[:3]
    changes = {first: second, second.upper(): "#12ab34"}
    after = swap_colors(before, changes)
    assert after.palette.to_hex() == [second, "#12ab34", third, *DB16.to_hex()[3:]]
    assert torch.equal(after.indices, before.indices)
    swapped = swap_colors(before, {first: second, second: first})
    assert torch.equal(swap_colors(swapped, {first: second, second: first}).to_rgba(), before.to_rgba())
    assert swap_colors(before, {}) is before


def test_what_cannot_be_swapped_is_refused() -> None:
    with pytest.raises(PaletteError, match="has no #123456"):
        swap_colors(picture(), {"123456": "fff"})
    with pytest.raises(PaletteError, match="two at once"):
        swap_colors(picture(), {DB16.to_hex()[0]: "fff", DB16.to_hex()[0].upper(): "000"})
    with pytest.raises(PaletteError, match="expected 3 or 6 hex"):
        swap_colors(picture(), {DB16.to_hex()[0]: "white"})
    with pytest.raises(PaletteError, match="frequency, lightness, hue"):
        swap_palette(picture(), DB16, "luck")  # pyright: ignore[reportArgumentType]
    with pytest.raises(PaletteError, match="one index a colour"):
        remap(picture(), torch.zeros(3, dtype=torch.int64), DB16)
    with pytest.raises(PaletteError, match="got 16 to 16"):
        remap(picture(), torch.full((16,), 16), DB16)


# --- order and cycles ------------------------------------------------------------------------------------


@given(st.permutations(range(16)))
@settings(max_examples=20, deadline=None)
def test_a_permutation_permutes_indices_and_not_pixels(order: list[int]) -> None:
    before = picture()
    after = permute_palette(before, order)
    assert torch.equal(after.to_rgba(), before.to_rgba())
    assert after.palette.to_hex() == [DB16.to_hex()[place] for place in order]


@pytest.mark.parametrize("order", [[0] * 16, list(range(15)), list(range(1, 17)), [list(range(16))]])
def test_what_is_no_permutation_is_refused(order: list[int]) -> None:
    with pytest.raises(PaletteError, match="each of 0 to 15 once"):
        permute_palette(picture(), order)


@pytest.mark.parametrize("by", SORT_KEYS)
def test_sorting_keeps_the_colours_and_is_done_once(by: str) -> None:
    palette = sort_palette(DB16, by)  # pyright: ignore[reportArgumentType]
    assert sorted(palette.to_hex()) == sorted(DB16.to_hex())
    assert palette != DB16
    assert sort_palette(palette, by) == palette  # pyright: ignore[reportArgumentType]


def test_sorting_goes_by_what_it_says() -> None:
    mixed = Palette.from_hex("0000ff fff ff0000 000 00ff00 888 ffff00")
    hue = [f"#{code}" for code in ("000000", "888888", "ffffff", "ff0000", "ffff00", "00ff00", "0000ff")]
    assert sort_palette(mixed, "hue").to_hex() == hue
    assert sort_palette(mixed, "lightness").to_hex()[0] == "#000000"
    assert bool((lab(sort_palette(mixed, "chroma"))[:, 1:].norm(dim=1).diff() >= 0).all())
    with pytest.raises(PaletteError, match="lightness, hue, chroma"):
        sort_palette(mixed, "name")  # pyright: ignore[reportArgumentType]


def test_cycling_frames_shows_what_cycling_the_palette_shows() -> None:
    before = picture(frames=1)
    frames = cycle_frames(before, 3, 6)
    assert len(frames) == 4
    assert frames.palette == DB16
    for step in range(4):
        moved = IndexedImage(before.indices, cycle_palette(DB16, 3, 6, step), before.transparent)
        assert torch.equal(frames.frame(step).to_rgba(), moved.to_rgba())
    backwards = cycle_frames(before, 3, 6, backwards=True)
    assert torch.equal(backwards.frame(1).indices, frames.frame(3).indices)


def test_a_cycle_moves_towards_its_end_and_comes_round() -> None:
    palette = Palette.from_hex("000 100 200 300 400")
    assert cycle_palette(palette, 1, 3).to_hex() == Palette.from_hex("000 300 100 200 400").to_hex()
    assert cycle_palette(palette, 1, 3, 3) == palette
    assert cycle_palette(cycle_palette(palette, 0, 4, 2), 0, 4, -2) == palette
    for first, last in ((2, 1), (-1, 2), (0, 5)):
        with pytest.raises(PaletteError, match="expected 0 <= first <= last < 5"):
            cycle_palette(palette, first, last)
        with pytest.raises(PaletteError, match="expected 0 <= first <= last < 5"):
            cycle_frames(IndexedImage(torch.zeros(1, 1, 1, dtype=torch.int64), palette), first, last)


# --- fewer colours ---------------------------------------------------------------------------------------


def test_near_duplicates_merge_into_the_heavier() -> None:
    palette = Palette.from_hex("ff0000 fe0000 00ff00 ff0000 0000ff")
    merged, stands = merge_near(palette, 0.02, torch.tensor([1, 5, 1, 1, 0]))
    assert merged.to_hex() == ["#fe0000", "#00ff00", "#0000ff"]
    assert stands.tolist() == [0, 0, 1, 0, 2]
    only_equal, stands = merge_near(palette, 0.0)
    assert only_equal.to_hex() == ["#ff0000", "#fe0000", "#00ff00", "#0000ff"]
    assert stands.tolist() == [0, 1, 2, 0, 3]


@pytest.mark.parametrize("distance", [0.0, 0.05, 0.2, 0.6, 5.0])
def test_merged_colours_are_old_ones_and_that_far_apart(distance: float) -> None:
    palette = find_palette("vga-256")
    merged, stands = merge_near(palette, distance)
    assert set(merged.to_hex()) <= set(palette.to_hex())
    assert torch.equal(stands.unique(), torch.arange(len(merged)))
    apart = torch.pdist(lab(merged).double())
    assert bool((apart >= distance - 1e-6).all())
    row = IndexedImage(torch.arange(len(palette)).view(1, 1, -1), palette)
    moved = remap(row, stands, merged)
    assert torch.equal(moved.indices[0, 0], torch.cdist(lab(palette), lab(merged)).argmin(dim=1))
    assert merge_near(merged, distance)[0] == merged


@pytest.mark.parametrize("count", [1, 2, 5, 15, 16, 40])
def test_a_palette_is_reduced_to_so_many_of_its_colours(count: int) -> None:
    reduced, stands = reduce_palette(DB16, count)
    assert len(reduced) == min(count, 16)
    assert set(reduced.to_hex()) <= set(DB16.to_hex())
    assert torch.equal(stands.unique(), torch.arange(len(reduced)))


def test_reducing_keeps_what_counts() -> None:
    palette = Palette.from_hex("000 111 222 ff0000 00ff00")
    kept, stands = reduce_palette(palette, 3, torch.tensor([9, 1, 9, 0, 4]))
    assert kept.to_hex() == ["#000000", "#222222", "#00ff00"]
    assert stands.tolist()[0:3:2] == [0, 1]
    assert reduce_palette(Palette.from_hex("f00 f00 0f0"), 2)[0].to_hex() == ["#ff0000", "#00ff00"]


@pytest.mark.parametrize(
    "weights", [torch.ones(3), torch.full((16,), -1.0), torch.full((16,), float("nan")), torch.ones(16, 1)]
)
def test_weights_that_do_not_fit_are_refused(weights: Tensor) -> None:
    with pytest.raises(PaletteError, match="expected 16 finite values"):
        merge_near(DB16, 0.1, weights)


def test_numbers_out_of_range_are_refused() -> None:
    with pytest.raises(PaletteError, match="count of 0"):
        reduce_palette(DB16, 0)
    for distance in (-1.0, float("nan"), float("inf")):
        with pytest.raises(PaletteError, match="expected 0 or more"):
            merge_near(DB16, distance)
    with pytest.raises(PaletteError, match="too many to compare"):
        merge_near(Palette(torch.zeros(5000, 3, dtype=torch.uint8)))


# --- ramps -----------------------------------------------------------------------------------------------


@given(st.tuples(*[st.integers(0, 255)] * 3), st.integers(2, 12), st.floats(0, 180))
@settings(max_examples=40, deadline=None)
def test_a_ramp_goes_from_dark_to_light_through_its_colour(
    color: tuple[int, int, int], count: int, hue_shift: float
) -> None:
    code = "#" + bytes(color).hex()
    ramp = make_ramp(code, count, hue_shift)
    assert len(ramp) == count
    assert code in ramp.to_hex()
    assert bool((lab(ramp)[:, 0].diff() > -0.01).all())


def test_shadows_turn_to_violet_and_lights_to_yellow() -> None:
    def hues(palette: Palette) -> Tensor:
        return torch.rad2deg(torch.atan2(lab(palette)[:, 2], lab(palette)[:, 1])) % 360

    green = hues(Palette.from_hex("4b9a4b"))[0]
    ramp = hues(make_ramp("4b9a4b", 5, 40))
    assert green + 25 < ramp[0] < green + 45
    assert 100 < ramp[-1] < green - 25
    still = hues(make_ramp("4b9a4b", 5, 0))
    assert bool(((still - green).abs() < 6).all())


def test_a_ramp_checks_its_numbers() -> None:
    for count in (1, 257):
        with pytest.raises(PaletteError, match="expected 2 to 256"):
            make_ramp("fff", count)
    with pytest.raises(PaletteError, match="expected 0 to 180"):
        make_ramp("fff", 5, -1)
    with pytest.raises(PaletteError, match="is no colour"):
        make_ramp("red")


# --- how it is seen --------------------------------------------------------------------------------------


def test_contrast_is_as_the_guidelines_say() -> None:
    ratios = contrast_ratios(Palette.from_hex("000 fff 777777 ff0000"))
    assert ratios[0, 1].item() == pytest.approx(21)
    assert ratios[1, 2].item() == pytest.approx(4.48, abs=0.01)  # the well-known grey that just fails on white
    assert ratios[1, 3].item() == pytest.approx(4.0, abs=0.01)
    assert torch.equal(ratios, ratios.T)
    assert torch.equal(ratios.diagonal(), torch.ones(4))


def test_colour_blind_eyes_confuse_what_they_should_and_leave_greys() -> None:
    def apart(palette: Palette) -> float:
        return float((lab(palette)[0] - lab(palette)[1]).norm())

    confused = {"protanopia": "cc4444 6b7037", "deuteranopia": "b06030 7a7a20", "tritanopia": "4488cc 2a9a92"}
    for kind, pair in confused.items():
        colors = Palette.from_hex(pair)
        assert apart(palette_as_seen(colors, kind)) < 0.6 * apart(colors)  # pyright: ignore[reportArgumentType]
        greys = find_palette("grey-16")
        seen = palette_as_seen(greys, kind)  # pyright: ignore[reportArgumentType]
        assert int((seen.colors.int() - greys.colors.int()).abs().max()) <= 1
    with pytest.raises(PaletteError, match="protanopia, deuteranopia, tritanopia"):
        simulate_color_blindness(torch.rand(1, 3, 2, 2), "none")  # pyright: ignore[reportArgumentType]
