"""Codes exchanged, moved, cut and mixed; what is transparent stays where it is."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from pixel_models.codes import (
    MIX_HOWS,
    CodeGrid,
    code_palette,
    mask_codes,
    mix,
    recolor_codes,
    replace_codes,
    rotate_codes,
    swap_codes,
)
from pixel_models.errors import CodesError, ShapeError

NO_MASK = torch.zeros(1, 4, 6, dtype=torch.bool)


def grid(rows: list[list[int]], transparent: Tensor | None = None, patch: int = 2, name: str = "m") -> CodeGrid:
    """One picture of codes below 20."""
    indices = torch.tensor([rows])
    return CodeGrid(indices, 20, name, patch, patch * indices.shape[1], patch * indices.shape[2], transparent)


def figure(*codes: int, background: int = 0) -> CodeGrid:
    """Six places of which the first three are background: not a pixel of them shows."""
    mask = NO_MASK.clone()
    mask[0, :2] = True
    return grid([[background] * 3, list(codes)], mask)


KNIGHT, SLIME = figure(5, 5, 6, background=0), figure(0, 0, 7, background=7)


def test_a_palette_counts_what_shows() -> None:
    assert code_palette(KNIGHT) == [5, 6]
    assert code_palette(KNIGHT, background=True) == [0, 5, 6]
    assert code_palette(SLIME, background=True) == [7, 0]
    clear = torch.zeros(20, dtype=torch.bool)
    clear[5] = True
    assert code_palette(KNIGHT, clear=clear) == [6]
    half = NO_MASK.clone()
    half[0, 0] = True  # of the upper places only the lower row of pixels shows
    assert code_palette(grid([[1, 1, 1], [2, 2, 3]], half)) == [1, 2, 3]
    with pytest.raises(ShapeError, match="one for each code"):
        code_palette(KNIGHT, clear=torch.zeros(3, dtype=torch.bool))


def test_swapping_a_knight_with_a_slime_keeps_the_background_out_of_both() -> None:
    knight, slime = swap_codes(KNIGHT, SLIME)
    assert knight.indices.tolist() == [[[0, 0, 0], [0, 0, 7]]]
    assert slime.indices.tolist() == [[[7, 7, 7], [5, 5, 6]]]
    assert knight.transparent is KNIGHT.transparent
    paper, _ = swap_codes(KNIGHT, SLIME, background=True)
    assert paper.indices.tolist() == [[[7, 7, 7], [0, 0, 6]]]


def test_codes_that_are_transparent_by_themselves_stay_out_too() -> None:
    clear = torch.zeros(20, dtype=torch.bool)
    clear[9] = True
    a, b = grid([[9, 9, 9], [1, 1, 2]]), grid([[9, 9, 9], [3, 3, 4]])
    assert swap_codes(a, b, clear=clear)[0].indices.tolist() == [[[9, 9, 9], [3, 3, 4]]]
    c = grid([[8, 8, 8], [3, 3, 4]])
    assert swap_codes(a, c)[0].indices.tolist() == [[[8, 8, 8], [3, 3, 4]]]
    assert swap_codes(a, c, clear=clear)[0].indices.tolist() == [[[9, 9, 9], [8, 8, 3]]]
    turned = rotate_codes(grid([[9, 9, 9], [8, 7, 10]]), 1, 9, clear=clear)
    assert turned.indices.tolist() == [[[9, 9, 9], [10, 8, 11]]]


@given(st.permutations(range(20)), st.booleans())
def test_swapping_twice_gives_back_what_was(order: list[int], overlap: bool) -> None:
    mine, theirs = order[:3], (order[1:4] if overlap else order[3:6])
    a = grid([[mine[0]] * 3, [mine[1], mine[1], mine[2]]])
    b = grid([[theirs[2], theirs[1], theirs[1]], [theirs[0]] * 3])
    once = swap_codes(a, b)
    assert code_palette(once[0]) == code_palette(b) == theirs
    twice = swap_codes(*once)
    assert torch.equal(twice[0].indices, a.indices)
    assert torch.equal(twice[1].indices, b.indices)


def test_codes_of_two_models_are_not_swapped_or_mixed() -> None:
    other = grid([[1, 2, 3], [4, 5, 6]], name="other")
    for act in (lambda: swap_codes(KNIGHT, other), lambda: mix(KNIGHT, other, "top")):
        with pytest.raises(CodesError, match=r"model m.*other"):
            act()
    with pytest.raises(CodesError, match="2x2 pixels do not go with codes of 20 for 4x4"):
        swap_codes(KNIGHT, grid([[1]], patch=4))


def test_codes_are_given_by_rank_and_by_name() -> None:
    assert recolor_codes(KNIGHT, [1, 2, 3]).indices[0, 1].tolist() == [1, 1, 2]
    assert recolor_codes(KNIGHT, [1]).indices.tolist() == [[[0, 0, 0], [1, 1, 6]]]
    assert recolor_codes(KNIGHT, [6, 5]).indices[0, 1].tolist() == [6, 6, 5]
    assert recolor_codes(KNIGHT, [6, 5], simultaneous=False).indices[0, 1].tolist() == [5, 5, 5]
    assert recolor_codes(KNIGHT, [1, 2, 3], background=True).indices.tolist() == [[[1, 1, 1], [2, 2, 3]]]
    assert replace_codes(KNIGHT, {5: 6, 6: 5, 0: 9, 11: 3}).indices.tolist() == [[[0, 0, 0], [6, 6, 5]]]
    assert replace_codes(KNIGHT, {0: 9}, background=True).indices[0, 0].tolist() == [9, 9, 9]
    with pytest.raises(CodesError, match="20 is no code"):
        recolor_codes(KNIGHT, [20])
    with pytest.raises(CodesError, match="-1 is no code"):
        replace_codes(KNIGHT, {5: -1})


@given(st.integers(-50, 50), st.integers(0, 19))
def test_a_rotation_moves_every_other_code_around_the_codebook(offset: int, keep: int) -> None:
    whole = grid([[0, 1, 19], [7, 18, 3]])
    turned = rotate_codes(whole, offset, keep)
    for before, after in zip(whole.indices.flatten().tolist(), turned.indices.flatten().tolist(), strict=True):
        assert after == (before if before == keep else (before + offset) % 20)


def test_a_rotation_keeps_the_most_frequent_code_unless_told_otherwise() -> None:
    assert rotate_codes(grid([[4, 4, 4], [5, 6, 7]]), 2).indices.tolist() == [[[4, 4, 4], [7, 8, 9]]]
    assert rotate_codes(KNIGHT, 2).indices.tolist() == [[[0, 0, 0], [7, 7, 8]]]
    assert rotate_codes(KNIGHT, 2, 5).indices.tolist() == [[[0, 0, 0], [5, 5, 8]]]
    with pytest.raises(CodesError, match="20 is no code"):
        rotate_codes(KNIGHT, 1, 20)


def test_places_are_cut_out_and_painted_over() -> None:
    mask = torch.tensor([[[True, False, False], [False, False, True]]])
    cut = mask_codes(grid([[1, 2, 3], [4, 5, 6]]), mask)
    assert cut.indices.tolist() == [[[1, 2, 3], [4, 5, 6]]]
    assert torch.equal(cut.hidden(), mask)
    painted = mask_codes(KNIGHT, mask, 9)
    assert painted.indices.tolist() == [[[9, 0, 0], [5, 5, 9]]]
    assert painted.hidden().tolist() == [[[False, True, True], [False, False, False]]]
    with pytest.raises(ShapeError, match="one for each code"):
        mask_codes(KNIGHT, torch.zeros(1, 4, 6, dtype=torch.bool))
    with pytest.raises(CodesError, match="99 is no code"):
        mask_codes(KNIGHT, mask, 99)


A, B = grid([[1, 1, 1], [1, 1, 1]], NO_MASK), grid([[2, 2, 2], [2, 2, 2]], ~NO_MASK)


@pytest.mark.parametrize(
    ("how", "places"),
    [
        ("top", [[1, 1, 1], [2, 2, 2]]),
        ("left", [[1, 1, 2], [1, 1, 2]]),
        ("checker", [[1, 2, 1], [2, 1, 2]]),
        ("mask", [[2, 1, 1], [1, 1, 2]]),
    ],
)
def test_two_grids_mix_with_their_transparency(how: str, places: list[list[int]]) -> None:
    mask = torch.tensor([places]) == 2 if how == "mask" else None
    made = mix(A, B, how, mask=mask)  # pyright: ignore[reportArgumentType]
    assert made.indices[0].tolist() == places
    assert made.transparent is not None
    assert torch.equal(made.hidden(), made.indices == 2)
    assert made.transparent.sum() == 4 * (made.indices == 2).sum()


def test_a_coin_is_thrown_by_the_generator_alone() -> None:
    one, two = (grid([[code] * 40] * 40) for code in (1, 2))
    state = torch.get_rng_state()
    made = [mix(one, two, "coin", generator=torch.Generator().manual_seed(3)).indices for _ in range(2)]
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(*made)
    assert 0.4 < (made[0] == 1).float().mean() < 0.6
    assert mix(one, two, "coin", generator=torch.Generator()).transparent is None
    with pytest.raises(CodesError, match="generator"):
        mix(one, two, "coin")


def test_one_picture_mixes_with_many_and_odd_ones_are_refused() -> None:
    many = CodeGrid(torch.arange(12).view(2, 2, 3), 20, "m", 2, 4, 6)
    made = mix(A, many, "top")
    assert made.indices.tolist() == [[[1, 1, 1], [3, 4, 5]], [[1, 1, 1], [9, 10, 11]]]
    assert made.transparent is not None
    assert made.transparent.shape == (2, 4, 6)
    assert mix(many, A, "top").indices.tolist() == [[[0, 1, 2], [1, 1, 1]], [[6, 7, 8], [1, 1, 1]]]
    with pytest.raises(ShapeError, match="2 and 3 pictures"):
        mix(many, CodeGrid(torch.zeros(3, 2, 3, dtype=torch.int64), 20, "m", 2, 4, 6), "top")
    with pytest.raises(ShapeError, match="6x4 and 5x4"):
        mix(A, CodeGrid(A.indices, 20, "m", 2, 4, 5), "top")
    with pytest.raises(CodesError, match=f"expected one of {', '.join(MIX_HOWS)}"):
        mix(A, B, "stripes")  # pyright: ignore[reportArgumentType]
    with pytest.raises(CodesError, match="expected a mask"):
        mix(A, B, "mask")
    with pytest.raises(CodesError, match="expected no mask"):
        mix(A, B, "top", mask=A.indices > 0)
