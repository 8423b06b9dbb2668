"""The measures rank what they are meant to rank."""

from __future__ import annotations

from pathlib import Path

import torch
from torch.nn import functional as F

from pixel_models.palette import IndexedImage, Palette
from train.canvas import CanvasMaker
from train.evaluate import BoxDownscale, KCentroid
from train.loop import generator_of
from train.metrics import RandomFeatures, dark_lines, kernel_distance, orphan_share, outline_agreement, patches
from train.pictures import read_picture_set


def test_blurred_sprites_are_farther_from_sprites_than_sprites_are(folders: tuple[Path, Path]) -> None:
    maker, g = CanvasMaker(read_picture_set(folders[1])), generator_of(0)
    draws = [torch.stack([maker.draw(32, g)[:3] for _ in range(60)]) for _ in range(2)]
    blurred = F.avg_pool2d(F.pad(draws[1], (1, 1, 1, 1), mode="replicate"), 3, 1)
    features = RandomFeatures()
    one, two, soft = (features(patches(x)) for x in (*draws, blurred))
    assert abs(kernel_distance(two, one)) < kernel_distance(soft, one)


def test_a_thin_dark_line_is_found_and_a_dark_field_is_not() -> None:
    lightness = torch.ones(1, 1, 12, 12)
    lightness[..., 3] = 0.2
    lightness[..., 7:] = 0.2
    found = dark_lines(lightness, 1)[0, 0, 6] > 0.15
    assert found.nonzero().flatten().tolist() == [3]


def test_agreement_falls_when_the_outline_is_lost() -> None:
    picture = torch.ones(1, 3, 64, 64)
    picture[:, :, 16:18, 8:56] = 0
    kept, lost = torch.ones(1, 3, 16, 16), torch.ones(1, 3, 16, 16)
    kept[:, :, 4, 2:14] = 0
    assert outline_agreement(picture, kept) > 0.95
    assert outline_agreement(picture, lost) == 0


def test_orphans_are_a_share_of_what_is_opaque() -> None:
    grid = torch.zeros(1, 4, 4, dtype=torch.int64)
    grid[0, 1, 1] = 1
    palette = Palette(torch.tensor([[0, 0, 0], [255, 255, 255]], dtype=torch.uint8))
    assert orphan_share(IndexedImage(grid, palette, None)) == 1 / 16


def test_the_classical_downscalers_do_what_their_names_say() -> None:
    picture = torch.zeros(1, 4, 8, 8)
    picture[:, :, :4, :3] = 1  # three quarters of the first cell
    assert BoxDownscale()(picture)[0, 0].tolist() == [[0.75, 0.0], [0.0, 0.0]]
    assert KCentroid()(picture)[0, 0].tolist() == [[1.0, 0.0], [0.0, 0.0]]
