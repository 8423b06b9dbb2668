"""Clusters: noise between near colours becomes areas, and whatever stands out stays."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from pixel_models.cleanup import AGREEMENT, cluster_cells
from pixel_models.cleanup.shades import oklab
from pixel_models.color import srgb_to_oklab
from pixel_models.palette import Palette, nearest_indices

GREYS = Palette(
    torch.tensor([[0, 0, 0], [120, 120, 120], [128, 128, 128], [255, 255, 255]], dtype=torch.uint8), "greys"
)


def cells(shade: torch.Tensor) -> torch.Tensor:
    return shade[None, None].expand(1, 3, -1, -1) / 255


def everywhere(rgb: torch.Tensor) -> torch.Tensor:
    return torch.ones(len(rgb), *rgb.shape[2:], dtype=torch.bool)


def edges(indices: torch.Tensor) -> int:
    across, down = indices[:, :, 1:] != indices[:, :, :-1], indices[:, 1:] != indices[:, :-1]
    return int(across.sum() + down.sum())


def slowly(rgb: torch.Tensor, indices: torch.Tensor, opaque: torch.Tensor, agreement: float) -> torch.Tensor:
    """The same with every colour asked, cell by cell in the same order."""
    lab, table = srgb_to_oklab(rgb)[0].permute(1, 2, 0), oklab(GREYS)
    own = indices[0].masked_fill(~opaque[0], -1)
    height, width = own.shape
    for _ in range(4):
        for top, left in ((0, 0), (0, 1), (1, 0), (1, 1)):
            fixed = F.pad(own, (1, 1, 1, 1), value=-1)
            for y in range(top, height, 2):
                for x in range(left, width, 2):
                    cost = (lab[y, x] - table).square().sum(dim=1)
                    for dy, dx in ((a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if a or b):
                        other = int(fixed[1 + y + dy, 1 + x + dx])
                        if other >= 0:
                            cost[other] -= agreement * (0.7 if dy and dx else 1.0)
                    if opaque[0, y, x]:
                        own[y, x] = cost.argmin()
    return torch.where(opaque[0], own, indices[0])[None]


@pytest.mark.parametrize("seed", range(6))
def test_asking_neighbours_alone_is_asking_all(seed: int) -> None:
    g = torch.Generator().manual_seed(seed)
    rgb = torch.rand(1, 3, 9, 7, generator=g) * 0.2 + 0.4
    opaque = torch.rand(1, 9, 7, generator=g) > 0.2
    indices = nearest_indices(rgb, GREYS)
    assert torch.equal(cluster_cells(rgb, indices, GREYS, opaque, agreement=0.002), slowly(rgb, indices, opaque, 0.002))


def test_texture_between_near_colours_becomes_an_area() -> None:
    shade = 122.0 + 4.0 * (torch.rand(24, 24, generator=torch.Generator().manual_seed(0)) > 0.3)
    rgb = cells(shade)
    before = nearest_indices(rgb, GREYS)
    after = cluster_cells(rgb, before, GREYS, everywhere(rgb))
    assert edges(before) > 300
    assert edges(after) < edges(before) / 10


def test_lines_and_dots_stay() -> None:
    shade = torch.full((16, 16), 128.0)
    shade[4] = 0
    for step in range(10):
        shade[5 + step, step] = 255
    shade[12, 12] = 0
    rgb = cells(shade)
    before = nearest_indices(rgb, GREYS)
    assert torch.equal(cluster_cells(rgb, before, GREYS, everywhere(rgb)), before)


def test_transparent_cells_neither_change_nor_count() -> None:
    rgb = cells(torch.full((6, 6), 124.5))
    indices = torch.full((1, 6, 6), 2)
    indices[0, 2, 2] = 1
    alone = torch.zeros(1, 6, 6, dtype=torch.bool)
    alone[0, 2, 2] = True
    assert torch.equal(cluster_cells(rgb, indices, GREYS, alone), indices)
    assert int(cluster_cells(rgb, indices, GREYS, everywhere(rgb))[0, 2, 2]) == 2
    assert AGREEMENT > 0


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (2, 1)])
def test_any_size(size: tuple[int, int]) -> None:
    rgb = torch.rand(2, 3, *size)
    indices = nearest_indices(rgb, GREYS)
    assert cluster_cells(rgb, indices, GREYS, everywhere(rgb)).shape == indices.shape
    assert torch.equal(cluster_cells(rgb, indices, GREYS, everywhere(rgb), agreement=0), indices)
