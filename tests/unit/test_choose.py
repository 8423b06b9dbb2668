"""One palette for many pictures, colours that are kept, restarts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pixel_models.color import srgb_to_oklab
from pixel_models.errors import ImageError, PaletteError, ShapeError
from pixel_models.image import from_uint8, to_uint8
from pixel_models.palette import (
    PALETTE_METHODS,
    IndexedImage,
    Palette,
    PaletteMethod,
    choose_palette,
    extract_palette,
    median_cut,
    mixture_palette,
    nearest_indices,
    octree,
    palette_for_error,
)

KEPT = Palette.from_hex("00ff00 ff00ff 123456")
WAYS: list[Callable[..., Palette]] = [extract_palette, mixture_palette, median_cut, octree]


def noise(*shape: int, seed: int = 0) -> Tensor:
    return from_uint8(to_uint8(torch.rand(*shape, generator=torch.Generator().manual_seed(seed))))


def mean_error(rgb: Tensor, palette: Palette) -> float:
    matched = IndexedImage(nearest_indices(rgb, palette), palette).to_rgb()
    return float((srgb_to_oklab(rgb) - srgb_to_oklab(matched)).norm(dim=1).mean())


# --- colours that are kept -------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("colors", [3, 4, 9, 40])
def test_kept_colours_are_in_the_palette_and_count(way: Callable[..., Palette], colors: int) -> None:
    palette = way(noise(1, 3, 20, 20) * 0.5, colors, keep=KEPT)
    assert set(KEPT.to_hex()) <= set(palette.to_hex())
    assert max(3, colors - 7) <= len(palette) <= colors
    assert len(set(palette.to_hex())) == len(palette)


@pytest.mark.parametrize("way", WAYS)
@given(st.integers(1, 12), st.integers(0, 4), st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_few_colours_and_kept_ones_come_back_exactly(
    way: Callable[..., Palette], count: int, spare: int, seed: int
) -> None:
    colors = to_uint8(noise(count, 3, seed=seed))
    keep = Palette(torch.cat([colors[:1], KEPT.colors]))
    wanted = {*Palette(colors).to_hex(), *KEPT.to_hex()}
    rgb = from_uint8(colors).T.reshape(1, 3, 1, count)
    assert set(way(rgb, len(wanted) + spare, keep=keep).to_hex()) == wanted


@pytest.mark.parametrize("way", WAYS)
def test_the_others_are_chosen_around_what_is_kept(way: Callable[..., Palette]) -> None:
    """Half the picture is served by the two kept colours; the two others belong to the other half."""
    dark, light = noise(1, 3, 16, 16) * 0.1, 0.7 + 0.3 * noise(1, 3, 16, 16, seed=1)
    keep = Palette.from_hex("080808 101410")
    palette = way(torch.cat([dark, light], 3), 4, keep=keep)
    others = [color for color in palette.colors.tolist() if max(color) > 60]
    assert len(others) >= (1 if way is octree else 2)


@pytest.mark.parametrize("way", WAYS)
def test_a_full_house_keeps_just_the_kept(way: Callable[..., Palette]) -> None:
    assert set(way(noise(1, 3, 8, 8), 3, keep=KEPT).to_hex()) == set(KEPT.to_hex())
    nothing = torch.zeros(1, 1, 8, 8)
    assert set(way(noise(1, 3, 8, 8), 9, keep=KEPT, weight=nothing).to_hex()) == set(KEPT.to_hex())


@pytest.mark.parametrize("way", WAYS)
def test_more_kept_colours_than_fit_are_refused(way: Callable[..., Palette]) -> None:
    with pytest.raises(PaletteError, match="3 colours to keep do not fit into a palette of 2"):
        way(noise(1, 3, 4, 4), 2, keep=KEPT)


def test_a_colour_that_is_kept_twice_counts_once() -> None:
    palette = extract_palette(noise(1, 3, 8, 8), 2, keep=Palette.from_hex("f00 f00"))
    assert len(palette) == 2
    assert "#ff0000" in palette.to_hex()


def test_a_palette_for_an_error_holds_what_is_kept() -> None:
    rgb = noise(1, 3, 24, 24)
    palette = palette_for_error(rgb, 0.08, keep=KEPT)
    assert set(KEPT.to_hex()) <= set(palette.to_hex())
    assert mean_error(rgb, palette) <= 0.08 + 1e-6
    assert mean_error(rgb, extract_palette(rgb, len(palette) - 1, keep=KEPT)) > 0.08
    assert palette_for_error(rgb, 9, keep=KEPT).colors.unique(dim=0).equal(KEPT.colors.unique(dim=0))
    with pytest.raises(PaletteError, match="do not fit"):
        palette_for_error(rgb, 0.1, most=2, keep=KEPT)


def test_restarts_never_cost_and_are_refused_below_one() -> None:
    rgb = noise(1, 3, 24, 24)
    errors = [mean_error(rgb, extract_palette(rgb, 12, restarts=count)) for count in (1, 6)]
    assert errors[1] <= errors[0] * 1.002
    with pytest.raises(PaletteError, match="restarts is 0"):
        extract_palette(rgb, 4, restarts=0)


# --- choose_palette --------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", PALETTE_METHODS)
def test_pictures_of_any_sizes_share_one_exact_palette(method: PaletteMethod) -> None:
    colors = Palette.from_hex("000 f00 0f0 00f fff")
    first = from_uint8(colors.colors[:3]).T.reshape(1, 3, 1, 3)
    second = from_uint8(colors.colors[3:]).T.reshape(1, 3, 2, 1).repeat(2, 1, 1, 1)
    assert set(choose_palette([first, second], 5, method=method).to_hex()) == set(colors.to_hex())


@pytest.mark.parametrize("method", PALETTE_METHODS)
def test_transparent_pixels_have_no_say(method: PaletteMethod) -> None:
    rgba = torch.cat([noise(1, 3, 9, 9), torch.full((1, 1, 9, 9), 0.49)], 1)
    rgba[..., 0, 0] = torch.tensor([1.0, 0, 0, 0.5])
    plain = torch.zeros(1, 3, 2, 3)
    assert choose_palette([rgba, plain], 4, method=method).to_hex() == ["#000000", "#ff0000"]
    rgba[:, 3] = 0
    assert choose_palette([rgba], 4, method=method).to_hex() == ["#000000"]


def test_a_batch_is_what_its_pictures_are() -> None:
    film = noise(3, 3, 12, 10)
    assert choose_palette([film], 8) == choose_palette(list(film.split(1)), 8) == extract_palette(film, 8)


@pytest.mark.parametrize("method", PALETTE_METHODS)
def test_an_error_takes_as_few_colours_as_it_needs(method: PaletteMethod) -> None:
    rgb = noise(1, 3, 24, 24) * 0.5 + 0.2
    palette = choose_palette([rgb], 64, method=method, error=0.05, keep=KEPT)
    assert len(palette) < 64
    assert mean_error(rgb, palette) <= 0.05 + 1e-6
    assert set(KEPT.to_hex()) <= set(palette.to_hex())
    with pytest.raises(PaletteError, match="4 colours leave an error"):
        choose_palette([rgb], 4, method=method, error=0.001)


def test_wrong_methods_pictures_and_counts_are_refused() -> None:
    with pytest.raises(PaletteError, match=r"'magic'.*k-means, mixture, median cut, octree"):
        choose_palette([noise(1, 3, 2, 2)], method="magic")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ImageError, match="at least one picture"):
        choose_palette([])
    with pytest.raises(ShapeError, match="3 or 4"):
        choose_palette([noise(1, 2, 2, 2)])
    with pytest.raises(PaletteError, match="got 0"):
        choose_palette([noise(1, 3, 2, 2)], 0)
    with pytest.raises(PaletteError, match="accents"):
        choose_palette([noise(1, 3, 2, 2)], accents=-1)
