"""Sheets are cut into the sprites that were put on them: by size, count, rows, and by themselves."""

from __future__ import annotations

import time

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pixel_models.errors import ImageError, ShapeError, SheetError
from pixel_models.sheets import SLICE_HOWS, SpriteSheet, slice_sheet
from pixel_models.sheets.parts import find_boxes, reached_from_border

RED, WHITE, MAGENTA = (0.8, 0.2, 0.1), (1.0, 1.0, 1.0), (1.0, 0.0, 1.0)


def canvas(width: int, height: int, color: tuple[float, float, float] | None = None) -> Tensor:
    picture = torch.zeros(4, height, width)
    if color is not None:
        picture[:3] = torch.tensor(color).view(3, 1, 1)
        picture[3] = 1
    return picture


def paint(picture: Tensor, box: tuple[int, int, int, int], color: tuple[float, float, float] = RED) -> None:
    x, y, width, height = box
    picture[:3, y : y + height, x : x + width] = torch.tensor(color).view(3, 1, 1)
    picture[3, y : y + height, x : x + width] = 1


def boxes(sheet: SpriteSheet) -> list[tuple[int, int, int, int]]:
    return [(place.x, place.y, place.width, place.height) for place in sheet.places]


def scene(boxes_: list[tuple[int, int, int, int]], color: tuple[float, float, float] | None = None) -> Tensor:
    picture = canvas(64, 48, color)
    for box in boxes_:
        paint(picture, box)
    return picture


SPRITES = [(3, 4, 10, 12), (20, 2, 12, 14), (40, 6, 8, 9), (2, 25, 14, 10), (30, 24, 9, 11)]


@pytest.mark.parametrize("color", [None, WHITE, MAGENTA, (0.25, 0.5, 0.25)])
def test_sprites_are_found_in_reading_order_on_any_background(color: tuple[float, float, float] | None) -> None:
    sheet = slice_sheet(scene(SPRITES, color))
    assert boxes(sheet) == SPRITES
    assert [frame.name for frame in sheet.frames] == [f"sprite_{index}" for index in range(5)]
    assert sheet.picture is not None
    assert torch.equal(sheet.picture, scene(SPRITES))


def test_names_have_digits_enough_to_sort() -> None:
    picture = canvas(64, 8)
    for index in range(11):
        paint(picture, (index * 5, 2, 3, 3))
    names = [frame.name for frame in slice_sheet(picture, name="coin").frames]
    assert names == sorted(names)
    assert names[-1] == "coin_10"


def test_a_floating_eye_joins_its_head_and_an_equal_neighbour_does_not() -> None:
    picture = canvas(64, 48)
    for box in [(4, 10, 16, 16), (8, 6, 4, 3), (22, 10, 15, 16), (50, 40, 9, 5)]:
        paint(picture, box)
    assert boxes(slice_sheet(picture)) == [(4, 6, 16, 20), (22, 10, 15, 16), (50, 40, 9, 5)]


def test_no_gap_keeps_the_eye_apart() -> None:
    picture = canvas(64, 48)
    paint(picture, (4, 10, 16, 16))
    paint(picture, (8, 6, 4, 3))
    assert len(slice_sheet(picture, gap=0)) == 2


def test_a_tight_sheet_of_large_and_small_sprites_stays_apart() -> None:
    """One pixel between all: what stands as close as the sheet's own spacing does not belong together."""
    picture = canvas(100, 40)
    wanted = [(0, 0, 20, 20), (21, 0, 20, 20), (42, 0, 20, 20), (63, 0, 20, 20), (84, 0, 5, 20)]
    for box in wanted:
        paint(picture, box)
    assert boxes(slice_sheet(picture)) == wanted


def test_boxes_that_overlap_are_one_sprite() -> None:
    picture = canvas(32, 32)
    paint(picture, (2, 2, 12, 2))
    paint(picture, (2, 2, 2, 12))
    paint(picture, (8, 8, 4, 4))
    assert boxes(slice_sheet(picture)) == [(2, 2, 12, 12)]


def test_white_eyes_on_a_white_sheet_stay_and_a_key_colour_goes_everywhere() -> None:
    for color, kept in [(WHITE, 1.0), (MAGENTA, 0.0)]:
        picture = canvas(24, 24, color)
        paint(picture, (4, 4, 12, 12))
        paint(picture, (8, 8, 3, 3), color)
        frame = slice_sheet(picture).frames[0]
        assert float(frame.rgba[3, 5, 5]) == kept
        given_key = slice_sheet(picture, background="#fff" if color == WHITE else "FF00FF").frames[0]
        assert float(given_key.rgba[3, 5, 5]) == 0


def test_a_diagonal_outline_keeps_what_it_encloses() -> None:
    picture = canvas(11, 11, WHITE)
    for step in range(5):
        for x, y in [(5 - step, 1 + step), (5 + step, 1 + step), (1 + step, 5 + step), (9 - step, 5 + step)]:
            paint(picture, (x, y, 1, 1))
    frame = slice_sheet(picture).frames[0]
    assert float(frame.rgba[3, 4, 4]) == 1
    assert float(frame.rgba[3, 0, 0]) == 0


def test_cells_of_a_size_leave_empty_ones_out_unless_told() -> None:
    picture = scene([(2, 2, 5, 5), (36, 20, 5, 5)])
    sheet = slice_sheet(picture, how="size", size=(16, 16))
    assert boxes(sheet) == [(0, 0, 16, 16), (32, 16, 16, 16)]
    assert len(slice_sheet(picture, how="size", size=(16, 16), keep_empty=True)) == 12


def test_margin_and_spacing_move_the_cells() -> None:
    picture = canvas(2 + 3 * 8 + 2 * 1 + 2, 2 + 2 * 8 + 1 + 2, RED)
    by_size = slice_sheet(picture, how="size", size=(8, 8), margin=2, spacing=1, background="none")
    by_count = slice_sheet(picture, how="count", count=(3, 2), margin=2, spacing=1, background="none")
    assert boxes(by_size) == [(x, y, 8, 8) for y in (2, 11) for x in (2, 11, 20)] == boxes(by_count)


def test_opaque_tiles_lose_nothing() -> None:
    tiles = torch.cat([torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(1)), torch.ones(1, 32, 32)])
    sheet = slice_sheet(tiles, how="size", size=(8, 8))
    assert len(sheet) == 16
    assert torch.equal(sheet.frames[5].rgba, tiles[:, 8:16, 8:16])


def test_rows_keep_their_height_and_become_animations() -> None:
    picture = scene([(2, 2, 6, 12), (12, 8, 6, 6), (24, 2, 6, 5), (24, 10, 3, 4), (4, 20, 9, 9)])
    sheet = slice_sheet(picture, how="rows")
    assert boxes(sheet) == [(2, 2, 6, 12), (12, 2, 6, 12), (24, 2, 6, 12), (4, 20, 9, 9)]
    assert [frame.tag for frame in sheet.frames] == ["row_0", "row_0", "row_0", "row_1"]


def test_a_low_sprite_beside_tall_ones_is_in_their_row() -> None:
    wanted = [(0, 0, 8, 20), (10, 14, 6, 6), (20, 2, 8, 18), (0, 24, 8, 20), (20, 30, 8, 10)]
    assert boxes(slice_sheet(scene(wanted))) == wanted


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=20, unique=True),
    st.integers(1, 7),
    st.integers(1, 7),
)
@settings(max_examples=40, deadline=None)
def test_any_sprites_in_cells_come_back_as_they_were(cells: list[tuple[int, int]], width: int, height: int) -> None:
    picture = canvas(6 * 12, 4 * 12)
    for column, row in cells:
        paint(picture, (column * 12 + 1, row * 12 + 1, width, height))
    ordered = sorted(cells, key=lambda cell: (cell[1], cell[0]))
    assert boxes(slice_sheet(picture)) == [(x * 12 + 1, y * 12 + 1, width, height) for x, y in ordered]


@given(st.integers(0, 2**32 - 1), st.floats(0.02, 0.9))
@settings(max_examples=40, deadline=None)
def test_parts_are_those_of_a_flood_fill(seed: int, share: float) -> None:
    mask = torch.rand(13, 17, generator=torch.Generator().manual_seed(seed)) < share
    left = {(int(y), int(x)) for y, x in mask.nonzero()}
    wanted = []
    while left:
        part, edge = set(), [min(left)]
        while edge:
            y, x = edge.pop()
            if (y, x) in left:
                left.remove((y, x))
                part.add((y, x))
                edge += [(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
        ys, xs = zip(*part, strict=True)
        wanted.append([min(xs), min(ys), max(xs) + 1, max(ys) + 1])
    assert find_boxes(mask.numpy()).tolist() == wanted


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 0.95))
@settings(max_examples=40, deadline=None)
def test_what_the_border_reaches_is_what_a_flood_fill_reaches(seed: int, share: float) -> None:
    mask = torch.rand(9, 14, generator=torch.Generator().manual_seed(seed)) < share
    reached = torch.zeros_like(mask)
    edge = [(y, x) for y in range(9) for x in range(14) if y in (0, 8) or x in (0, 13)]
    while edge:
        y, x = edge.pop()
        if 0 <= y < 9 and 0 <= x < 14 and bool(mask[y, x]) and not bool(reached[y, x]):
            reached[y, x] = True
            edge += [(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)]
    assert torch.equal(torch.from_numpy(reached_from_border(mask.numpy())), reached)


def test_a_large_sheet_takes_less_than_two_seconds() -> None:
    picture = canvas(1024, 1024, WHITE)
    for index in range(900):
        paint(picture, (index % 30 * 34 + 2, index // 30 * 34 + 2, 20 + index % 11, 20 + index % 7))
    start = time.perf_counter()
    assert len(slice_sheet(picture)) == 900
    assert time.perf_counter() - start < 2


def test_noise_is_refused_with_advice() -> None:
    noise = (torch.rand(4, 1024, 1024, generator=torch.Generator().manual_seed(0)) > 0.98).float()
    with pytest.raises(SheetError, match="slice by size or count"):
        slice_sheet(noise)


def test_a_picture_without_background_is_refused() -> None:
    busy = torch.cat([torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(2)), torch.ones(1, 32, 32)])
    with pytest.raises(SheetError, match="no background was found"):
        slice_sheet(busy)


@pytest.mark.parametrize("how", SLICE_HOWS)
def test_an_empty_picture_is_refused(how: str) -> None:
    with pytest.raises(SheetError, match="nothing stands on this picture"):
        slice_sheet(canvas(16, 16), how=how, size=(8, 8), count=(2, 2))  # pyright: ignore[reportArgumentType]


def test_what_does_not_fit_is_named() -> None:
    picture = scene(SPRITES)
    with pytest.raises(SheetError, match=r"do not divide .* 12\.8x48 pixels"):
        slice_sheet(picture, how="count", count=(5, 1))
    with pytest.raises(SheetError, match="not empty; check the numbers"):
        slice_sheet(scene([(50, 40, 14, 8)]), how="size", size=(15, 15))
    with pytest.raises(SheetError, match="does not fit a picture of 64x48"):
        slice_sheet(picture, how="size", size=(65, 4))
    with pytest.raises(SheetError, match="needs size"):
        slice_sheet(picture, how="size")
    with pytest.raises(SheetError, match="over the limit"):
        slice_sheet(canvas(256, 256, RED), how="size", size=(1, 1), background="none")
    with pytest.raises(SheetError, match="expected one of auto, size, count, rows"):
        slice_sheet(picture, how="magic")  # pyright: ignore[reportArgumentType]
    with pytest.raises(SheetError, match="expected a hex colour"):
        slice_sheet(picture, background="pinkish")
    with pytest.raises(SheetError, match="spacing is -1 pixels"):
        slice_sheet(picture, how="size", size=(8, 8), spacing=-1)
    with pytest.raises(ShapeError):
        slice_sheet(picture[None])
    with pytest.raises(ImageError):
        slice_sheet(picture * 255)
