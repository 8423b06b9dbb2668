"""Clean-up of index grids: noise and blends go, what stands out stays, and nothing trades places."""

from __future__ import annotations

import torch
from torch import Tensor

from pixel_models.cleanup import merge_orphans, orphans
from pixel_models.palette import Palette

GRAY, NEARLY_GRAY, WHITE, BLACK = range(4)
PALETTE = Palette(torch.tensor([[100, 100, 100], [108, 104, 100], [255, 255, 255], [0, 0, 0]], dtype=torch.uint8))


def grid(*rows: str) -> Tensor:
    """Digits to `1 h w`."""
    return torch.tensor([[int(cell) for cell in row] for row in rows])[None]


def merged(cells: Tensor, opaque: Tensor | None = None) -> Tensor:
    return merge_orphans(cells, PALETTE, torch.ones_like(cells, dtype=torch.bool) if opaque is None else opaque)


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
