"""Sets of 47 and 16 tiles: their order, which tile a cell takes, and the whole set from a few pieces."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pixel_models.errors import ImageError, ShapeError, SheetError
from pixel_models.sheets import (
    BLOB_16,
    BLOB_47,
    AutotileKind,
    autotile,
    choose_tiles,
    draw_map,
    example_map,
    tile_set,
)
from pixel_models.sheets.autotile import NE, NW, SE, SW, E, N, S, W

AROUND = {N: (-1, 0), NE: (-1, 1), E: (0, 1), SE: (1, 1), S: (1, 0), SW: (1, -1), W: (0, -1), NW: (-1, -1)}
SIDE = 8


def ground(side: int, patch: Tensor) -> Tensor:
    """A picture of a map: inside, every pixel its own colour by place in its tile; a border two pixels wide."""
    solid = patch.repeat_interleave(side, 0).repeat_interleave(side, 1)
    outside = (~solid).float()[None, None]
    near = torch.nn.functional.max_pool2d(torch.nn.functional.pad(outside, (2, 2, 2, 2)), 5, 1)[0, 0] > 0
    rows, columns = patch.shape
    inner = torch.rand(3, side, side, generator=torch.Generator().manual_seed(9)).repeat(1, rows, columns)
    rgb = torch.where(near, torch.tensor([0.1, 0.2, 0.3]).view(3, 1, 1), inner)
    return torch.cat([rgb, torch.ones_like(rgb[:1])]) * solid


def truth(mask: int, side: int = SIDE) -> Tensor:
    """The tile of a mask, cut from a picture of its neighbourhood."""
    patch = torch.zeros(3, 3, dtype=torch.bool)
    patch[1, 1] = True
    for bit, (down, right) in AROUND.items():
        patch[1 + down, 1 + right] = bool(mask & bit)
    return ground(side, patch)[:, side : 2 * side, side : 2 * side]


def edges(mask: int) -> int:
    """The blob's mask of an edge tile, corners filled."""
    blob = sum(bit for index, bit in enumerate((N, E, S, W)) if mask & 1 << index)
    return blob | sum(c for c, both in ((NE, N | E), (SE, S | E), (SW, S | W), (NW, N | W)) if blob & both == both)


def pieces(count: int, side: int = SIDE) -> Tensor:
    right, left = E | SE | S, W | SW | S
    corners = [right, left, N | NE | E, N | NW | W]
    patch = [
        right,
        right | left,
        left,
        N | NE | right,
        255,
        N | NW | left,
        corners[2],
        corners[2] | corners[3],
        corners[3],
    ]
    masks = {
        47: list(BLOB_47.masks),
        16: [edges(mask) for mask in range(16)],
        13: [*patch, 255 - NW, 255 - NE, 255 - SW, 255 - SE],
        6: [0, N | E | S | W, *corners],
        5: [0, N | S, E | W, N | E | S | W, 255],
    }
    return torch.stack([truth(mask, side) for mask in masks[count]])


def test_there_are_47_masks_in_ascending_order() -> None:
    assert len(BLOB_47.masks) == 47 <= BLOB_47.columns * BLOB_47.rows
    assert list(BLOB_47.masks) == sorted(set(BLOB_47.masks))
    assert (BLOB_47.masks[0], BLOB_47.masks[4], BLOB_47.masks[-1]) == (0, N | NE | E, 255)
    assert BLOB_16.masks == tuple(range(16))


@given(st.integers(0, 255))
@settings(max_examples=256, deadline=None)
def test_a_neighbourhood_looks_like_the_tile_it_takes(neighbours: int) -> None:
    """Edges are those of the neighbourhood; a corner counts only between two of them."""
    for corner, both in ((NE, N | E), (SE, S | E), (SW, S | W), (NW, N | W)):
        seen = neighbours & both == both
        assert bool(BLOB_47.mask(neighbours) & corner) == (bool(neighbours & corner) and seen)
    assert BLOB_47.mask(neighbours) & (N | E | S | W) == neighbours & (N | E | S | W)
    assert int(BLOB_47.indices()[neighbours]) == BLOB_47.masks.index(BLOB_47.mask(neighbours))
    assert BLOB_16.mask(neighbours) == sum(1 << i for i, bit in enumerate((N, E, S, W)) if neighbours & bit)


@pytest.mark.parametrize("count", [47, 16, 13, 6, 5])
@pytest.mark.parametrize("side", [8, 9, 16])
def test_the_whole_set_is_made_from_any_pieces(count: int, side: int) -> None:
    made = tile_set(pieces(count, side))
    for mask, tile in zip(BLOB_47.masks, made, strict=True):
        assert torch.equal(tile, truth(mask, side)), mask


@pytest.mark.parametrize("count", [47, 16, 13, 6, 5])
def test_edge_tiles_are_made_from_any_pieces(count: int) -> None:
    made = tile_set(pieces(count), "edge 16")
    for mask, tile in enumerate(made):
        assert torch.equal(tile, truth(edges(mask))), mask


@pytest.mark.parametrize(("kind", "size"), [("blob 47", (48, 64)), ("edge 16", (32, 32))])
def test_tiles_lie_row_by_row(kind: AutotileKind, size: tuple[int, int]) -> None:
    tiles = pieces(5)
    sheet, made = autotile(tiles, kind), tile_set(tiles, kind)
    assert sheet.shape == (4, *size)
    columns = size[1] // SIDE
    for index, tile in enumerate(made):
        y, x = index // columns * SIDE, index % columns * SIDE
        assert torch.equal(sheet[:, y : y + SIDE, x : x + SIDE], tile)
    if kind == "blob 47":
        assert float(sheet[:, 40:, 56:].abs().sum()) == 0


@given(st.integers(0, 10**6), st.booleans(), st.sampled_from([47, 16, 13, 6, 5]))
@settings(max_examples=30, deadline=None)
def test_a_map_looks_as_if_it_were_drawn_whole(seed: int, outside: bool, count: int) -> None:
    cells = torch.rand(6, 7, generator=torch.Generator().manual_seed(seed)) < 0.6
    framed = torch.nn.functional.pad(cells.float(), (1, 1, 1, 1), value=float(outside)) > 0
    whole = ground(SIDE, framed)[:, SIDE:-SIDE, SIDE:-SIDE]
    assert torch.equal(draw_map(cells, pieces(count), outside=outside), whole)


def test_cells_without_ground_have_no_tile() -> None:
    cells = torch.tensor([[True, False], [True, True]])
    chosen = choose_tiles(cells, outside=False)
    assert chosen.tolist() == [
        [BLOB_47.masks.index(S), -1],
        [BLOB_47.masks.index(N | E), BLOB_47.masks.index(W)],
    ]
    assert choose_tiles(cells, "edge 16", outside=False).tolist() == [[4, -1], [3, 8]]
    assert choose_tiles(torch.ones(2, 2, dtype=torch.bool)).tolist() == [[46, 46], [46, 46]]


def test_the_example_shows_most_of_a_set_and_depends_on_its_seed_alone() -> None:
    cells = example_map()
    assert torch.equal(cells, example_map())
    assert not torch.equal(cells, example_map(seed=1))
    assert len(choose_tiles(cells).unique()) > 25


def test_what_is_no_set_is_refused() -> None:
    with pytest.raises(SheetError, match="got 4 tiles, expected 5, 6, 13, 16, 47"):
        autotile(torch.rand(4, 4, 8, 8))
    with pytest.raises(SheetError, match="expected one of blob 47, edge 16"):
        autotile(torch.rand(5, 4, 8, 8), "blob 48")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ShapeError):
        autotile(torch.rand(5, 3, 8, 8))
    with pytest.raises(ImageError):
        autotile(torch.rand(5, 4, 8, 8) * 255)
    with pytest.raises(ShapeError, match="bool tensor"):
        choose_tiles(torch.ones(2, 2))
