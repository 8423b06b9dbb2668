"""Downscaling without a model: exact on what is already a grid, colours that are there, transparency without a say."""

from __future__ import annotations

from typing import get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pixel_models.downscale import DownscaleMethod, downscale
from pixel_models.errors import ImageError, ShapeError

METHODS = get_args(DownscaleMethod)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=15, deadline=None)
@given(factor=st.integers(1, 20), height=st.integers(1, 9), width=st.integers(1, 9))
def test_a_sprite_enlarged_comes_back(method: DownscaleMethod, factor: int, height: int, width: int) -> None:
    sprite = noise(2, 3, height, width)
    large = sprite.repeat_interleave(factor, 2).repeat_interleave(factor, 3)
    made, alpha = downscale(large, (width, height), method)
    torch.testing.assert_close(made, sprite, atol=2e-3, rtol=0)
    assert alpha is None


@pytest.mark.parametrize("method", METHODS)
def test_any_size_up_to_the_pictures_is_exact_in_cells(method: DownscaleMethod) -> None:
    for width, height in ((1, 1), (7, 3), (50, 37), (49, 36)):
        made, _ = downscale(noise(1, 3, 37, 50), (width, height), method)
        assert made.shape == (1, 3, height, width)
        assert 0 <= made.min() <= made.max() <= 1


@pytest.mark.parametrize("method", ["nearest", "dominant"])
def test_these_invent_no_color(method: DownscaleMethod) -> None:
    image = (noise(1, 3, 40, 40) * 3).round() / 3
    made, _ = downscale(image, (9, 11), method)
    there = {tuple(c) for c in image.flatten(2)[0].T.tolist()}
    assert {tuple(c) for c in made.flatten(2)[0].T.tolist()} <= there


@pytest.mark.parametrize("method", [m for m in METHODS if m != "nearest"])
def test_transparent_pixels_have_no_say(method: DownscaleMethod) -> None:
    image = torch.zeros(1, 3, 8, 8)
    image[:, 1] = 1  # green, hidden
    image[:, :, :, :3] = torch.tensor([1.0, 0.0, 0.0])[:, None, None]
    alpha = torch.zeros(1, 1, 8, 8)
    alpha[..., :3] = 1
    made, hard = downscale(image, (2, 2), method, alpha=alpha)
    torch.testing.assert_close(made[0, :, 0, 0], torch.tensor([1.0, 0.0, 0.0]), atol=2e-3, rtol=0)
    assert hard is not None
    assert hard[0, 0].tolist() == [[1, 0], [1, 0]]


def test_a_thin_dark_line_survives_as_outline_alone() -> None:
    image = torch.ones(1, 3, 32, 32)
    image[:, :, :, 9:11] = 0  # a quarter of a cell
    dark = {method: int((downscale(image, (4, 4), method)[0][0, 0] < 0.3).sum()) for method in METHODS}
    assert dark["outline"] == 4
    assert dark["k-centroid"] == dark["median"] == dark["dominant"] == dark["box"] == 0


def test_the_mean_is_taken_in_linear_light() -> None:
    image = torch.zeros(1, 3, 2, 2)
    image[:, :, 0] = 1
    assert downscale(image, (1, 1), "box")[0].mean() == pytest.approx(0.7354, abs=1e-3)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ShapeError, match="9x4 cells, expected 1x1 to the picture's 8x8"):
        downscale(torch.rand(1, 3, 8, 8), (9, 4))
    with pytest.raises(ShapeError, match="expected one of nearest"):
        downscale(torch.rand(1, 3, 8, 8), (4, 4), "bicubic")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ImageError):
        downscale(torch.full((1, 3, 8, 8), torch.nan), (4, 4))
