"""Seams are measured, and hidden with the tile's own pixels."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pixel_models.errors import ImageError, ShapeError, SheetError
from pixel_models.sheets import make_seamless, repeat, seam_error
from pixel_models.sheets.tiles import VISIBLE, _cut


def waves(side: int, across: float, down: float) -> Tensor:
    """Whole periods wrap, others do not."""
    y, x = torch.meshgrid(torch.arange(side) / side, torch.arange(side) / side, indexing="ij")
    value = 0.5 + 0.2 * torch.sin(2 * torch.pi * across * x) + 0.2 * torch.sin(2 * torch.pi * down * y)
    return value.expand(1, 3, side, side).clone()


def texture(side: int, seed: int = 3) -> Tensor:
    """Smooth noise of 12 greys that wraps."""
    noise = torch.rand(1, 1, side, side, generator=torch.Generator().manual_seed(seed))
    smooth = torch.nn.functional.avg_pool2d(torch.nn.functional.pad(noise, (2, 2, 2, 2), mode="circular"), 5, 1)
    return (
        (((smooth - smooth.min()) / (smooth.max() - smooth.min()) * 11).round() / 11).expand(1, 3, side, side).clone()
    )


def colors(rgb: Tensor) -> set[tuple[float, ...]]:
    return {tuple(color) for color in rgb[0].flatten(1).T.tolist()}


def test_a_tile_that_wraps_has_no_seam_and_stays_as_it_is() -> None:
    for tile in (waves(32, 2, 1), texture(32), torch.full((1, 3, 8, 8), 0.3), torch.rand(1, 3, 1, 1)):
        assert seam_error(tile) == 0
        assert torch.equal(make_seamless(tile)[0], tile)


def test_stripes_and_joints_at_the_seam_are_no_error() -> None:
    stripes = torch.zeros(1, 3, 16, 16)
    stripes[..., 8:] = 1
    assert seam_error(stripes) == 0


@pytest.mark.parametrize("transpose", [False, True])
def test_a_seam_is_found_in_both_directions(transpose: bool) -> None:
    tile = waves(32, 1.4, 1)
    assert seam_error(tile.transpose(2, 3) if transpose else tile) > VISIBLE
    ramp = torch.linspace(0, 1, 32).expand(1, 3, 32, 32)
    assert seam_error(ramp.transpose(2, 3) if transpose else ramp) > 0.8


def test_the_worst_tile_of_a_batch_counts() -> None:
    both = torch.cat([waves(32, 1, 1), waves(32, 1.4, 1)])
    assert seam_error(both) == pytest.approx(seam_error(both[1:]))


def test_a_seam_in_transparency_alone_is_seen() -> None:
    alpha = torch.linspace(0, 1, 16).expand(1, 1, 16, 16)
    rgb = torch.full((1, 3, 16, 16), 0.5)
    assert seam_error(rgb) == 0
    assert seam_error(rgb, alpha) > 0.5
    assert seam_error(rgb * torch.rand(1, 3, 16, 16), torch.zeros(1, 1, 16, 16)) == 0


@pytest.mark.parametrize("side", [23, 24, 40])
def test_a_seam_is_hidden_without_a_new_colour(side: int) -> None:
    tile = texture(64)[..., 5 : 5 + side, 7 : 7 + side]
    before = seam_error(tile)
    made, alpha = make_seamless(tile)
    assert alpha is None
    assert made.shape == tile.shape
    assert colors(made) <= colors(tile)
    assert before > 0.015
    assert seam_error(made) < 0.3 * before


@given(st.integers(1, 14), st.integers(1, 14), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_any_size_works_and_alpha_stays_with_its_pixels(width: int, height: int, seed: int) -> None:
    values = torch.rand(2, 4, height, width, generator=torch.Generator().manual_seed(seed))
    rgb, alpha = make_seamless(values[:, :3], alpha=values[:, 3:])
    assert alpha is not None
    for index in range(2):
        made = torch.cat([rgb, alpha], 1)[index : index + 1]
        assert made.shape == values[:1].shape
        assert colors(made) <= colors(values[index : index + 1])


def test_the_cut_is_the_cheapest_of_all_that_close() -> None:
    cost = torch.rand(5, 4, generator=torch.Generator().manual_seed(5))
    ways = [[column] for column in range(4)]
    for _ in range(4):
        ways = [[*way, way[-1] + step] for way in ways for step in (-1, 0, 1) if 0 <= way[-1] + step < 4]
    closed = [way for way in ways if abs(way[0] - way[-1]) <= 1]
    best = min(closed, key=lambda way: sum(float(cost[row, column]) for row, column in enumerate(way)))
    assert _cut(cost).tolist() == best


def test_the_preview_repeats_the_tile() -> None:
    tile = torch.rand(2, 3, 4, 5)
    alpha = torch.rand(2, 1, 4, 5)
    rgb, opacity = repeat(tile, alpha=alpha)
    assert rgb.shape == (2, 3, 12, 15)
    assert torch.equal(rgb[..., 4:8, 10:15], tile)
    assert opacity is not None
    assert torch.equal(opacity[..., 8:, :5], alpha)
    assert repeat(tile, 1, 2)[0].shape == (2, 3, 8, 5)


def test_what_is_no_tile_is_refused() -> None:
    tile = torch.rand(1, 3, 8, 8)
    with pytest.raises(ShapeError):
        seam_error(tile[0])
    with pytest.raises(ImageError):
        make_seamless(tile * 255)
    with pytest.raises(ShapeError, match="expected that of rgb"):
        repeat(tile, alpha=torch.rand(1, 1, 4, 8))
    for columns, rows in [(0, 3), (3, 0), (10**6, 10**6)]:
        with pytest.raises(SheetError, match="expected 1 or more"):
            repeat(tile, columns, rows)
