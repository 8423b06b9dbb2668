"""Clean-up of index grids: noise and blends go, what stands out stays, lines hold, and nothing leaves its palette."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pixel_models.cleanup import clean_up, merge_blends, merge_orphans, orphans, part_sizes, smooth_lines
from pixel_models.errors import PixelModelError
from pixel_models.palette import IndexedImage, Palette

GRAY, NEARLY_GRAY, WHITE, BLACK = range(4)
PALETTE = Palette(torch.tensor([[100, 100, 100], [108, 104, 100], [255, 255, 255], [0, 0, 0]], dtype=torch.uint8))


def grid(*rows: str) -> Tensor:
    """Digits to `1 h w`; a dot is transparent."""
    return torch.tensor([[-1 if cell == "." else int(cell) for cell in row] for row in rows])[None]


def rows(cells: Tensor) -> list[str]:
    """The inverse of `grid`."""
    return ["".join("." if cell < 0 else str(cell) for cell in row) for row in cells[0].tolist()]


def merged(cells: Tensor, opaque: Tensor | None = None) -> Tensor:
    return merge_orphans(cells, PALETTE, torch.ones_like(cells, dtype=torch.bool) if opaque is None else opaque)


def sprites(seed: int, count: int = 2, side: int = 14) -> IndexedImage:
    """Blotches of a few colours with holes, lines and lone cells."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randint(0, 4, (count, side, side), generator=generator)
    coarse = torch.where(torch.rand(coarse.shape, generator=generator) < 0.6, coarse.roll(1, 2), coarse)
    coarse[:, 4, 2:10], coarse[:, 5, 9:12], coarse[:, 6, 12] = BLACK, BLACK, BLACK
    clear = torch.rand(count, side, side, generator=generator) < 0.25
    return IndexedImage(coarse, PALETTE, clear)


def test_a_lone_cell_is_an_orphan_and_a_pair_is_not() -> None:
    cells = torch.zeros(1, 6, 6, dtype=torch.int64)
    cells[0, 1, 1] = 1
    cells[0, 3, 3] = cells[0, 4, 4] = 2
    assert orphans(cells, torch.ones(1, 6, 6, dtype=torch.bool)).nonzero().tolist() == [[0, 1, 1]]


def test_an_orphan_that_hardly_differs_is_noise_and_one_that_stands_out_is_an_eye() -> None:
    cells = grid("00000", "01000", "00000", "00020", "00000")
    assert torch.equal(merged(cells), grid("00000", "00000", "00000", "00020", "00000"))


def test_an_orphan_between_two_colors_is_what_anti_aliasing_leaves() -> None:
    cells = grid("2222", "2203", "2333", "3333")
    assert merged(cells)[0, 1, 2] in (WHITE, BLACK)


def test_two_orphans_never_trade_places() -> None:
    left = merged(grid("2222", "2012", "2222"))
    assert left[0, 1, 1] == left[0, 1, 2] != WHITE


def test_a_second_clean_up_changes_nothing() -> None:
    generator = torch.Generator().manual_seed(0)
    cells = torch.randint(0, 4, (3, 40, 33), generator=generator)
    opaque = torch.rand(3, 40, 33, generator=generator) > 0.2
    once = merged(cells, opaque)
    assert (once != cells).any()
    assert torch.equal(merged(once, opaque), once)


def test_transparent_cells_neither_change_nor_lend_their_color() -> None:
    cells = grid("111", "101", "111")
    opaque = grid("000", "010", "000").bool()
    assert torch.equal(merged(cells, opaque), cells)
    assert torch.equal(merged(grid("0"), grid("1").bool()), grid("0"))


def test_parts_are_counted_with_their_diagonals_and_frame_by_frame() -> None:
    cells = torch.cat([grid("110", "001", "221"), grid("111", "111", "111")])
    assert part_sizes(cells).tolist() == [[[4, 4, 3], [3, 3, 4], [2, 2, 4]], [[9] * 3] * 3]


def test_a_spiral_is_one_part() -> None:
    cells = grid("3333333", "0000003", "3333303", "3000303", "3033303", "3000003", "3333333")
    assert part_sizes(cells)[0, 0, 0] == (cells == BLACK).sum()


def test_a_band_of_anti_aliasing_goes_and_the_edge_stays() -> None:
    cells = grid("222222", "222222", "222000", "000333", "333333", "333333")
    made = merge_blends(cells, PALETTE, torch.ones_like(cells, dtype=torch.bool))
    assert set(made.unique().tolist()) == {WHITE, BLACK}
    solid = cells != GRAY
    assert torch.equal(made[solid], cells[solid])


@pytest.mark.parametrize(
    "cells",
    [
        grid("222222", "222222", "333333", "000000", "000000"),  # an outline, darker than both sides
        grid("222222", "220222", "222222", "222222"),  # a gray eye in white
        grid("0000", "0200", "0000", "3333", "3333"),  # a glint
        grid("2222", "2222", "0000", "0000", "3333", "3333"),  # an area of two rows is no blend
    ],
)
def test_outlines_eyes_glints_and_areas_are_no_anti_aliasing(cells: Tensor) -> None:
    assert torch.equal(merge_blends(cells, PALETTE, torch.ones_like(cells, dtype=torch.bool)), cells)


def test_a_staircase_loses_its_doubled_corners() -> None:
    made = smooth_lines(grid("3300000", "0330000", "0033000", "0003300", "0000330", "0000033"))
    black = made == BLACK
    assert 7 <= int(black.sum()) <= 8
    assert part_sizes(made)[black].unique().tolist() == [int(black.sum())]


@pytest.mark.parametrize(
    "cells",
    [
        grid("0000000", "0333330", "0300030", "0300030", "0333330", "0000000"),  # a box
        grid("00000000", "03330000", "00003300", "00000030"),  # runs 3 2 1 keep their order
        grid("0000000000", "3330000000", "0003300000", "0000033300", "0000000033"),  # 3 2 3 2 is the best there is
        grid("000000", "033000", "033300", "003330", "000033"),  # a blob is no line
        grid("0000", "0330", "0300", "0000"),  # three cells may be a nose
    ],
)
def test_boxes_perfect_lines_and_blobs_are_no_jaggies(cells: Tensor) -> None:
    assert rows(smooth_lines(cells)) == rows(cells)


def test_a_step_that_breaks_the_rhythm_is_moved() -> None:
    cells = grid("0" * 13, "3333300000000", "0000030000000", "0000003333300", "0" * 13, "0" * 13)
    assert rows(smooth_lines(cells))[1:4] == ["3333000000000", "0000333000000", "0000000333300"]


def test_a_step_stays_where_another_area_would_be_cut() -> None:
    check = ["121212121212", "212121212121"]
    cells = grid(check[0], "333331212121", "121213121212", "212121333331", *check)
    assert rows(smooth_lines(cells)) == rows(cells)


def test_lines_side_by_side_move_together() -> None:
    cells = grid("0" * 12, "333330000000", "222223000000", "000002333330", "000000222220", "0" * 12)
    assert rows(smooth_lines(cells))[1:5] == ["333300000000", "222233300000", "000022233330", "000000022220"]


def turned(cells: Tensor, turn: int) -> Tensor:
    return cells.rot90(turn % 4, (1, 2)) if turn < 4 else cells.flip(2).rot90(turn % 4, (1, 2))


@pytest.mark.parametrize("turn", range(8))
def test_steps_are_moved_in_every_direction(turn: int) -> None:
    cells = turned(grid("0" * 13, "3333300000000", "0000030000000", "0000003333300", "0" * 13, "0" * 13), turn)
    made = smooth_lines(cells)
    assert not torch.equal(made, cells)
    assert int((made == BLACK).sum()) == 11


def test_mirrored_sprites_stay_mirrored() -> None:
    half = grid("000000000", "000003333", "000030000", "333300000", "000000000", "000000000")
    made = smooth_lines(torch.cat([half, half.flip(2)], dim=2))
    assert torch.equal(made, made.flip(2))
    assert not torch.equal(made[:, :, :9], half)


def pieces(cells: Tensor, value: int) -> int:
    """Connected parts of a colour, diagonals included."""
    own = (cells == value).long()
    return round(float((1 / part_sizes(own)[own == 1].double()).sum()))


def holes(cells: Tensor, value: int) -> int:
    """Parts of what is not of a colour, without diagonals: flooded from each cell to those beside it."""
    rest = torch.nn.functional.pad(cells[0] != value, (1,) * 4, value=True)
    labels = torch.where(rest, torch.arange(1, rest.numel() + 1).view(rest.shape), 0)
    for _ in range(rest.numel()):
        padded = torch.nn.functional.pad(labels, (1,) * 4)
        beside = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:], labels)
        most = torch.stack(beside).amax(dim=0) * rest
        if torch.equal(most, labels):
            break
        labels = most
    return len(labels[rest].unique())


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.2, 0.35, 0.5]))
def test_lines_are_neither_broken_nor_joined_and_no_hole_opens_or_closes(seed: int, share: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    cells = torch.where(torch.rand(1, 12, 12, generator=generator) < share, BLACK, -1)
    made = smooth_lines(cells)
    assert pieces(made, BLACK) == pieces(cells, BLACK)
    assert holes(made, BLACK) == holes(cells, BLACK)


OPTIONS = (
    {},
    {"jaggies": True},
    {"antialias": True},
    {"jaggies": True, "antialias": True, "outline": "outside"},
    {"outline": "inside"},
    {"outline": "selective", "light": "top left"},
)


@pytest.mark.parametrize("options", OPTIONS)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_batch_is_cleaned_frame_by_frame_and_never_leaves_its_palette(options: dict[str, object], seed: int) -> None:
    image = sprites(seed)
    made = clean_up(image, **options)  # pyright: ignore[reportArgumentType]
    assert made.palette == image.palette
    there = {tuple(color) for color in made.to_rgb().permute(0, 2, 3, 1)[made.alpha()[:, 0] > 0].mul(255).tolist()}
    assert there <= {tuple(color) for color in PALETTE.colors.float().tolist()}
    for number in range(len(image)):
        alone = clean_up(image.frame(number), **options)  # pyright: ignore[reportArgumentType]
        assert torch.equal(alone.to_rgba(), made.frame(number).to_rgba())


@pytest.mark.parametrize("options", [OPTIONS[0], OPTIONS[2], OPTIONS[4], OPTIONS[5]])
def test_transparency_is_untouched_without_lines_or_a_ring(options: dict[str, object]) -> None:
    image = sprites(3)
    made = clean_up(image, **options)  # pyright: ignore[reportArgumentType]
    assert made.transparent is not None
    assert torch.equal(made.transparent, image.transparent)  # pyright: ignore[reportArgumentType]


def test_nothing_asked_is_nothing_done() -> None:
    image = sprites(1)
    assert torch.equal(clean_up(image, orphans=False).to_rgba(), image.to_rgba())
    opaque = IndexedImage(image.indices, PALETTE)
    assert clean_up(opaque, jaggies=True).transparent is None


def test_what_is_no_choice_is_refused() -> None:
    with pytest.raises(PixelModelError, match="outline is 'around', expected None or one of outside, inside, sel"):
        clean_up(sprites(0), outline="around")  # pyright: ignore[reportArgumentType]
    with pytest.raises(PixelModelError, match="padding is -1"):
        clean_up(sprites(0), padding=-1)
