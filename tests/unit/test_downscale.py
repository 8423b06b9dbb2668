"""Downscaling without a model: exact on what is already a grid, colours that are there, transparency without a say."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor

from pixel_models.downscale import DOWNSCALE_METHODS as METHODS
from pixel_models.downscale import DownscaleMethod, downscale, native_size
from pixel_models.errors import ImageError, ShapeError


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


@pytest.mark.parametrize("method", ["nearest", "dominant", "contrast", "edge"])
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


def test_a_thin_dark_line_survives_where_that_is_promised() -> None:
    image = torch.ones(1, 3, 32, 32)
    image[:, :, :, 9:11] = 0  # a quarter of a cell
    dark = {method: int((downscale(image, (4, 4), method)[0][0, 0] < 0.3).sum()) for method in METHODS}
    assert dark["outline"] == dark["contrast"] == dark["edge"] == 4
    assert dark["k-centroid"] == dark["median"] == dark["dominant"] == dark["box"] == 0


def drawing(slope: float, shift: float, width: float, ink: float) -> Tensor:
    """A line across a picture of 16x16 cells of 8 pixels, `1 3 128 128`."""
    y, x = torch.meshgrid(torch.arange(128.0), torch.arange(128.0), indexing="ij")
    away = (y - 40 - shift - slope * x).abs() / (1 + slope**2) ** 0.5
    return torch.where(away < width / 2, ink, 1.0 - ink).expand(1, 3, -1, -1).contiguous()


@settings(max_examples=60, deadline=None)
@given(slope=st.floats(-0.3, 0.7), shift=st.floats(0, 8), width=st.floats(2, 6), ink=st.sampled_from([0.1, 0.9]))
@example(slope=0.6875, shift=0.0, width=2.0, ink=0.9)  # runs into a corner
def test_contrast_draws_a_line_in_every_column_unbroken_and_thin(
    slope: float, shift: float, width: float, ink: float
) -> None:
    made = downscale(drawing(slope, shift, width, ink), (16, 16), "contrast")[0][0, 0]
    line = (made - ink).abs() < 0.01
    assert ((made - ink).abs().isclose(torch.tensor(0.0), atol=0.01) | ((made - 1 + ink).abs() < 0.01)).all()
    inner = line[:, 1:-1]  # at the picture's border a line may begin where it likes
    assert inner.any(dim=0).all()
    assert inner.sum() <= 2 * 14
    rows = [set(column.nonzero()[:, 0].tolist()) for column in inner.T]
    for left, right in itertools.pairwise(rows):
        assert min(abs(a - b) for a in left for b in right) <= 1


def test_contrast_keeps_a_spear_on_nothing_whole() -> None:
    spear = (drawing(1.7, 0, 3, 1.0)[:, :1] > 0.5).float()  # three pixels wide, cells are eight
    image = torch.full((1, 3, 128, 128), 0.4)
    _, thin = downscale(image, (16, 16), "contrast", alpha=spear)
    _, box = downscale(image, (16, 16), "box", alpha=spear)
    assert thin is not None
    assert box is not None
    crossed = spear.unflatten(2, (16, 8)).amax(dim=(1, 3, 4))[0] > 0
    assert (thin[0, 0].amax(dim=1) > 0)[crossed][1:-1].all()
    assert not (box[0, 0].amax(dim=1) > 0)[crossed][1:-1].all()


def test_a_line_as_wide_as_a_cell_is_not_widened() -> None:
    image = torch.ones(1, 3, 64, 64)
    image[:, :, :, 24:32] = 0
    for method in METHODS:
        assert int((downscale(image, (8, 8), method)[0][0, 0] < 0.5).sum()) == 8


@pytest.mark.parametrize("method", METHODS)
def test_a_batch_is_made_picture_by_picture(method: DownscaleMethod) -> None:
    images, alpha = noise(3, 3, 24, 30), noise(3, 1, 24, 30, seed=1).round()
    made, hard = downscale(images, (7, 6), method, alpha=alpha)
    for number in range(3):
        one, clear = downscale(images[number : number + 1], (7, 6), method, alpha=alpha[number : number + 1])
        torch.testing.assert_close(one[0], made[number], atol=1e-6, rtol=0)
        assert torch.equal(clear[0], hard[number])  # pyright: ignore[reportOptionalSubscript]


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


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ({"cell": 8}, (12, 6)),
        ({"cell": 7.7}, (12, 6)),
        ({"cell": 500}, (1, 1)),
        ({"size": (24, 0)}, (24, 12)),
        ({"size": (0, 24)}, (48, 24)),
        ({"size": (5, 9)}, (5, 9)),
    ],
)
def test_a_cell_or_a_side_gives_the_size_in_cells(asked: dict[str, Any], size: tuple[int, int]) -> None:
    assert native_size(torch.zeros(1, 3, 48, 96), **asked) == size


@pytest.mark.parametrize("asked", [{}, {"cell": 8, "size": (3, 3)}, {"cell": 0.5}, {"size": (0, 0)}, {"size": (-1, 4)}])
def test_a_size_that_cannot_be_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(ShapeError, match="expected"):
        native_size(torch.zeros(1, 3, 48, 96), **asked)
