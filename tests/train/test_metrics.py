"""The measures rank what they are meant to rank."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from pixel_models.errors import ShapeError
from pixel_models.palette import IndexedImage, Palette
from train.canvas import CanvasMaker
from train.evaluate.pixelators import BoxDownscale, KCentroid
from train.loop import generator_of
from train.metrics import (
    RandomFeatures,
    dark_lines,
    frechet_distance,
    kernel_distance,
    kernel_distance_in_blocks,
    orphan_share,
    outline_agreement,
    patches,
)
from train.pictures import read_picture_set
from train.ssim import WINDOW, squared_error, ssim


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


def test_the_kernel_distance_of_blocks_is_nought_for_one_kind_and_grows_with_the_difference() -> None:
    g = generator_of(0)
    one, two = (torch.rand(400, 8, generator=g) for _ in range(2))
    same, spread = kernel_distance_in_blocks(one, two, size=100)
    assert abs(same) < 2 * spread
    assert spread > 0
    near, far = (kernel_distance_in_blocks(one + shift, two, size=100)[0] for shift in (0.2, 0.5))
    assert 3 * spread < near < far


def test_the_kernel_distance_of_blocks_is_unbiased_as_the_plain_one() -> None:
    """Of all the blocks of four of eight, the mean is what the whole gives, but for the draws."""
    g = generator_of(1)
    x, y = torch.randn(8, 3, generator=g), torch.randn(8, 3, generator=g) + 1
    kernel = [((a @ b.T / 3 + 1) ** 3).double() for a, b in ((x, x), (y, y), (x, y))]
    whole = sum(float(k.sum() - k.trace()) / 56 for k in kernel[:2]) - 2 * float(kernel[2].mean())
    found, spread = kernel_distance_in_blocks(x, y, blocks=3000)
    assert found == pytest.approx(whole, abs=4 * spread / 3000**0.5)


def test_too_few_features_are_refused() -> None:
    with pytest.raises(ValueError, match="four or more"):
        kernel_distance_in_blocks(torch.rand(3, 4), torch.rand(9, 4))


def test_the_frechet_distance_of_shifted_gaussians_is_the_shift_squared() -> None:
    x = torch.randn(200, 4, generator=generator_of(0)).double()
    assert frechet_distance(x + torch.tensor([3.0, 0, 4, 0]), x) == pytest.approx(25, rel=1e-9)
    scaled = 2 * (x - x.mean(dim=0))
    expected = float(torch.cov(x.T).trace())  # (2 sigma - sigma) squared, summed
    assert frechet_distance(scaled, x - x.mean(dim=0)) == pytest.approx(expected, rel=1e-6)


def test_ssim_is_of_each_picture_by_itself_and_has_a_gradient() -> None:
    x, y = (torch.rand(3, 2, 16, 12, generator=generator_of(i)) for i in (0, 1))
    torch.testing.assert_close(ssim(x, y)[1:2], ssim(x[1:2], y[1:2]))
    torch.testing.assert_close(ssim(x, x), torch.ones(3))
    x.requires_grad_()
    ssim(x, y).sum().backward()
    assert x.grad is not None
    assert bool((x.grad.abs().sum(dim=(1, 2, 3)) > 0).all())


def test_pictures_smaller_than_the_window_are_refused() -> None:
    with pytest.raises(ShapeError, match="sides from 11"):
        ssim(torch.rand(1, 3, WINDOW - 1, 20), torch.rand(1, 3, WINDOW - 1, 20))
    with pytest.raises(ShapeError, match="of one shape"):
        ssim(torch.rand(1, 3, 20, 20), torch.rand(2, 3, 20, 20))


def test_the_squared_error_counts_pixels_by_their_weight() -> None:
    x, y, weight = torch.zeros(2, 3, 4, 4), torch.zeros(2, 3, 4, 4), torch.zeros(2, 1, 4, 4)
    y[:, :, 0, 0], y[:, :, 1, 1] = 0.5, 1.0
    weight[0, :, 0, 0] = weight[0, :, 0, 1] = 1
    assert squared_error(x, y, weight).tolist() == [0.125, 0.0]
    assert squared_error(x, y).tolist() == [1.25 / 16, 1.25 / 16]
