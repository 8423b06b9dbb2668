"""Median cut, octree, and as few colours as an error allows, and mixtures."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from pixel_models.color import oklab_to_srgb, srgb_to_oklab
from pixel_models.errors import PaletteError, ShapeError
from pixel_models.image import from_uint8, to_uint8
from pixel_models.palette import IndexedImage, Palette, extract_palette, mixture_palette, nearest_indices
from pixel_models.palette.quantize import median_cut, octree, palette_for_error

METHODS = [median_cut, octree]


def noise(*shape: int, seed: int = 0) -> Tensor:
    return from_uint8(to_uint8(torch.rand(*shape, generator=torch.Generator().manual_seed(seed))))


def ramp() -> Tensor:
    y, x = torch.meshgrid(torch.linspace(0, 1, 48), torch.linspace(0, 1, 48), indexing="ij")
    return from_uint8(to_uint8(torch.stack([0.2 + 0.6 * x, 0.5 + 0.3 * y, 0.9 - 0.5 * x * y])[None]))


def mean_error(rgb: Tensor, palette: Palette) -> float:
    matched = IndexedImage(nearest_indices(rgb, palette), palette).to_rgb()
    return float((srgb_to_oklab(rgb) - srgb_to_oklab(matched)).norm(dim=1).mean())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("k", [1, 2, 7, 16, 200])
def test_no_more_colours_than_asked_and_none_twice(method: Callable[[Tensor, int], Palette], k: int) -> None:
    palette = method(noise(2, 3, 20, 20), k)
    assert max(1, k - 7) <= len(palette) <= k
    assert len(palette.colors.unique(dim=0)) == len(palette)


def test_few_colours_come_back_exactly_from_both() -> None:
    colors = Palette.from_hex("000 010101 f00 fe0000 fff")
    rgb = from_uint8(colors.colors).T.reshape(1, 3, 1, 5)
    for method in METHODS:
        assert set(method(rgb, 5).to_hex()) == set(colors.to_hex())


def test_median_cut_into_two_cuts_between_two_clouds() -> None:
    rgb = torch.cat([noise(1, 3, 8, 8) * 0.1, 0.9 + noise(1, 3, 8, 8) * 0.1], 3)
    dark, light = median_cut(rgb, 2).colors.tolist()
    assert max(dark) < 30
    assert min(light) > 220


def test_an_octree_folds_the_lightest_parent_to_its_mean() -> None:
    """Four far colours, one of them beside a twin that differs in the last bit: the twins become one."""
    rgb = from_uint8(Palette.from_hex("000000 ff0000 0000ff 808080 808180").colors).T.reshape(1, 3, 1, 5)
    found = set(octree(rgb, 4).to_hex())
    assert {"#000000", "#ff0000", "#0000ff"} < found
    assert len(found & {"#808080", "#808180"}) == 1


def test_a_mixture_fits_the_clouds_it_is_told_of() -> None:
    """Three Gaussian clouds in Oklab, one long and thin: their own means come back, whatever their sizes."""
    chance = torch.Generator().manual_seed(1)
    means = torch.tensor([[0.45, 0.08, 0.05], [0.62, -0.06, 0.06], [0.8, 0.0, -0.08]])
    widths = torch.tensor([[0.08, 0.01, 0.01], [0.01, 0.01, 0.01], [0.01, 0.01, 0.01]])
    clouds = [
        mean + torch.randn(count, 3, generator=chance) * width
        for mean, width, count in zip(means, widths, (12000, 2000, 1000), strict=True)
    ]
    rgb = oklab_to_srgb(torch.cat(clouds).T.reshape(1, 3, 1, -1)).clamp(0, 1)
    found = srgb_to_oklab(from_uint8(mixture_palette(rgb, 3).colors).T.reshape(1, 3, 1, 3))[0, :, 0].T
    assert float((found - means).norm(dim=1).max()) < 0.01


def test_a_mixture_leaves_a_ramp_fewer_colours_than_k_means() -> None:
    ramp_rows = torch.linspace(0.1, 0.9, 256).expand(1, 3, 60, 256)
    things = torch.tensor([[0.8, 0.2, 0.2], [0.2, 0.7, 0.3], [0.2, 0.3, 0.8], [0.8, 0.7, 0.1]])
    spots = (things.T[None, :, :, None].expand(1, 3, 4, 256) + 0.02 * noise(1, 3, 4, 256)).clamp(0, 1)
    picture = torch.cat([ramp_rows, spots], 2)

    assert mean_error(spots, mixture_palette(picture, 6)) < 0.5 * mean_error(spots, extract_palette(picture, 6))


def test_errors_stand_in_their_known_order() -> None:
    errors = [mean_error(ramp(), method(ramp(), 16)) for method in (extract_palette, median_cut, octree)]
    assert errors[0] < errors[1] < 1.5 * errors[0]
    assert errors[0] < errors[2] < 4 * errors[0]


@pytest.mark.parametrize("error", [0.1, 0.04, 0.02])
def test_a_palette_for_an_error_keeps_to_it_and_one_fewer_does_not(error: float) -> None:
    palette = palette_for_error(ramp(), error)
    assert mean_error(ramp(), palette) <= error + 1e-6
    if len(palette) > 1:
        assert mean_error(ramp(), extract_palette(ramp(), len(palette) - 1)) > error


def test_no_error_gives_every_colour_and_too_few_are_refused() -> None:
    rgb = noise(1, 3, 4, 5)
    assert len(palette_for_error(rgb, 0)) == 20
    with pytest.raises(PaletteError, match="8 colours leave an error"):
        palette_for_error(rgb, 0, most=8)


def test_pixels_left_out_do_not_count() -> None:
    rgb = noise(1, 3, 6, 6)
    rgb[..., :3] = torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1)
    weight = torch.zeros(1, 1, 6, 6)
    weight[..., :3] = 1
    assert palette_for_error(rgb, 0.01, weight=weight).to_hex() == ["#ff0000"]
    for method in METHODS:
        assert method(rgb, 4, weight=weight).to_hex() == ["#ff0000"]
        assert method(rgb, 4, weight=weight * 0).to_hex() == ["#000000"]


def test_bad_input_is_refused() -> None:
    for method in METHODS:
        with pytest.raises(PaletteError, match="got 0"):
            method(noise(1, 3, 4, 4), 0)
        with pytest.raises(ShapeError, match="weight"):
            method(noise(1, 3, 4, 4), 4, weight=torch.ones(1, 1, 4, 5))
    for error in (-1, float("nan"), float("inf")):
        with pytest.raises(PaletteError, match="error is"):
            palette_for_error(noise(1, 3, 4, 4), error)
