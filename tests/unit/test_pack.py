"""Frames come onto one picture, whole, apart from each other, and small together."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pixel_models.errors import SheetError
from pixel_models.image import from_uint8, to_uint8
from pixel_models.sheets import LAYOUTS, Frame, Place, SpriteSheet, pack_sheet
from pixel_models.sheets.arrange import Layout


def noisy(sizes: list[tuple[int, int]], seed: int = 0) -> SpriteSheet:
    generator = torch.Generator().manual_seed(seed)
    pictures = [from_uint8(to_uint8(torch.rand(4, h, w, generator=generator) * 0.9 + 0.1)) for w, h in sizes]
    return SpriteSheet(frames=tuple(Frame(rgba=one, name=f"f{index}") for index, one in enumerate(pictures)))


def check(sheet: SpriteSheet, apart: int = 0, around: int = 0) -> None:
    """Every frame is where its place says, and no two distinct places come closer than `apart`."""
    assert sheet.picture is not None
    height, width = sheet.picture.shape[1:]
    for frame, place in zip(sheet.frames, sheet.places, strict=True):
        on_sheet = sheet.picture[:, place.y : place.y + place.height, place.x : place.x + place.width]
        inner = frame.rgba[:, place.top : place.top + place.height, place.left : place.left + place.width]
        assert torch.equal(on_sheet, inner)
        assert min(place.x, place.y, width - place.x - place.width, height - place.y - place.height) >= around
    places = list({(place.x, place.y): place for place in sheet.places}.values())
    for index, one in enumerate(places):
        for other in places[:index]:
            across = max(one.x - other.x - other.width, other.x - one.x - one.width)
            down = max(one.y - other.y - other.height, other.y - one.y - one.height)
            assert max(across, down) >= apart


SIZES = st.lists(st.tuples(st.integers(1, 20), st.integers(1, 20)), min_size=1, max_size=25)


@given(SIZES, st.sampled_from(LAYOUTS), st.integers(0, 3), st.integers(0, 3), st.integers(0, 2), st.booleans())
@settings(max_examples=60, deadline=None)
def test_nothing_overlaps_and_every_frame_is_there(
    sizes: list[tuple[int, int]], layout: Layout, padding: int, margin: int, extrude: int, power: bool
) -> None:
    sheet = noisy(sizes)
    packed = pack_sheet(
        sheet, layout=layout, padding=padding, margin=margin, extrude=extrude, power_of_two=power, max_side=4096
    )
    check(packed, apart=padding + 2 * extrude, around=margin + extrude)
    assert packed.frames == sheet.frames
    assert packed.picture is not None
    if power:
        assert all(side & (side - 1) == 0 for side in packed.picture.shape[1:])


def test_trimmed_frames_keep_their_offsets() -> None:
    rgba = torch.zeros(4, 16, 20)
    rgba[:, 3:9, 5:17] = 0.5
    other = torch.ones(4, 4, 4)
    packed = pack_sheet(SpriteSheet(frames=(Frame(rgba=rgba, name="a"), Frame(rgba=other, name="b"))), trim=True)
    assert packed.places[0] == Place(x=packed.places[0].x, y=packed.places[0].y, width=12, height=6, left=5, top=3)
    check(packed)
    assert packed.frames[0].rgba.shape == (4, 16, 20)


def test_an_invisible_frame_keeps_one_pixel() -> None:
    packed = pack_sheet(SpriteSheet(frames=(Frame(rgba=torch.zeros(4, 8, 8), name="a"),)), trim=True)
    assert packed.picture is not None
    assert packed.picture.shape == (4, 1, 1)
    assert (packed.places[0].width, packed.places[0].height) == (1, 1)


def test_frames_that_are_the_same_share_a_place_only_where_cells_do_not_count() -> None:
    one = noisy([(8, 8), (5, 9)])
    again = Frame(rgba=one.frames[0].rgba.clone(), name="again", duration=40)
    sheet = SpriteSheet(frames=(*one.frames, again))
    shared = pack_sheet(sheet)
    assert shared.places[0] == shared.places[2]
    assert [frame.duration for frame in shared.frames] == [100, 100, 40]
    apart = {place.x * 100 + place.y for place in pack_sheet(sheet, share=False).places}
    grid = {place.x * 100 + place.y for place in pack_sheet(sheet, layout="grid").places}
    assert len(apart) == len(grid) == 3


def test_what_differs_only_in_shape_or_order_is_not_shared() -> None:
    flat = torch.arange(24).float().view(4, 1, 6) / 24
    sheet = SpriteSheet(frames=(Frame(rgba=flat, name="a"), Frame(rgba=flat.reshape(4, 6, 1), name="b")))
    packed = pack_sheet(sheet)
    assert packed.places[0] != packed.places[1]
    check(packed)


def test_extruded_edges_repeat_the_frames_own_pixels() -> None:
    packed = pack_sheet(noisy([(4, 3), (6, 6)]), extrude=2, margin=1)
    assert packed.picture is not None
    for frame, place in zip(packed.frames, packed.places, strict=True):
        corner = packed.picture[:, place.y - 2 : place.y + 1, place.x - 2 : place.x + 1]
        assert torch.equal(corner, frame.rgba[:, :1, :1].expand(4, 3, 3))
        right = packed.picture[:, place.y : place.y + place.height, place.x + place.width + 1]
        assert torch.equal(right, frame.rgba[:, :, -1])
    assert float(packed.picture[3, 0].sum()) == 0


def test_a_grid_has_equal_cells_in_order() -> None:
    packed = pack_sheet(noisy([(4, 6), (8, 3), (5, 5), (2, 2), (8, 6)]), layout="grid", columns=2, padding=1, margin=3)
    assert [(place.x, place.y) for place in packed.places] == [(3, 3), (12, 3), (3, 10), (12, 10), (3, 17)]


def test_rows_and_columns_are_one_line() -> None:
    sheet = noisy([(4, 6), (8, 3), (5, 5)])
    row, column = (pack_sheet(sheet, layout=layout) for layout in ("row", "column"))
    assert row.picture is not None
    assert row.picture.shape[1:] == (6, 8 + 8 + 5)
    assert column.picture is not None
    assert column.picture.shape[1:] == (6 + 6 + 5, 8)


@pytest.mark.parametrize("count", [1, 4, 5, 12, 16, 100])
def test_equal_frames_make_a_nearly_square_sheet_without_waste(count: int) -> None:
    packed = pack_sheet(noisy([(16, 16)] * count), layout="packed", share=False)
    assert packed.picture is not None
    height, width = packed.picture.shape[1:]
    assert abs(height - width) <= 16
    assert height * width <= (count + max(height, width) // 16) * 256


def test_a_mixed_sheet_is_filled_by_nine_tenths() -> None:
    generator = torch.Generator().manual_seed(4)
    sides = torch.randint(6, 40, (150, 2), generator=generator).tolist()
    packed = pack_sheet(noisy([(w, h) for w, h in sides]))
    assert packed.picture is not None
    height, width = packed.picture.shape[1:]
    assert sum(w * h for w, h in sides) / (height * width) > 0.9
    assert max(height, width) < 1.5 * min(height, width)


def test_packing_again_gives_the_same() -> None:
    sheet = noisy([(3 + i % 7, 2 + i % 5) for i in range(40)])
    assert pack_sheet(sheet).places == pack_sheet(sheet).places


def test_what_fits_exactly_one_way_is_found() -> None:
    """A side limit that only a full-width sheet keeps."""
    packed = pack_sheet(noisy([(60, 10), (59, 10), (60, 9), (58, 11)]), max_side=60)
    check(packed)


def test_what_does_not_fit_says_what_would_help() -> None:
    sheet = noisy([(20, 20), (20, 21), (20, 22)])
    with pytest.raises(SheetError, match="over max_side 19; allow more, trim"):
        pack_sheet(sheet, max_side=19)
    with pytest.raises(SheetError, match="max_side 30"):
        pack_sheet(sheet, max_side=30)
    with pytest.raises(SheetError, match="60x22 pixels, over max_side 59"):
        pack_sheet(sheet, layout="row", max_side=59)
    with pytest.raises(SheetError, match="expected one of packed, grid, row, column"):
        pack_sheet(sheet, layout="heap")  # pyright: ignore[reportArgumentType]
    with pytest.raises(SheetError, match="padding is -1"):
        pack_sheet(sheet, padding=-1)
    with pytest.raises(SheetError, match="margin is 65537"):
        pack_sheet(sheet, margin=65537)
    with pytest.raises(SheetError, match="max_side is 0"):
        pack_sheet(sheet, max_side=0)
