"""Nearest palette colours: against brute force, coloraide and the published CIEDE2000 pairs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from coloraide import Color
from torch import Tensor

from pixel_models.errors import PaletteError, ShapeError
from pixel_models.image import to_uint8
from pixel_models.palette import Palette
from pixel_models.palette.distance import SPACES, Space, ciede2000, coordinates, nearest_ciede2000, srgb_to_cielab
from pixel_models.palette.nearest import NearestTable

# Of table 1 of Sharma, Wu, Dalal, "The CIEDE2000 color-difference formula" (2005): hue turns, grey, blue, dark.
SHARMA = [
    ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
    ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
    ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0009), 7.1792),
    ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0011), 7.2195),
    ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
]


def colors_of(count: int, seed: int = 0) -> Tensor:
    return to_uint8(torch.rand(count, 3, generator=torch.Generator().manual_seed(seed)))


def distances(colors: Tensor, palette: Palette, space: Space) -> Tensor:
    """Every distance in float64, `n k`."""
    one, other = colors.double() / 255, palette.colors.double() / 255
    if space == "ciede2000":
        return ciede2000(srgb_to_cielab(one)[:, None], srgb_to_cielab(other))
    return torch.cdist(coordinates(one, space), coordinates(other, space), compute_mode="donot_use_mm_for_euclid_dist")


@pytest.mark.parametrize(("one", "other", "expected"), SHARMA)
def test_ciede2000_gives_the_published_differences(
    one: tuple[float, ...], other: tuple[float, ...], expected: float
) -> None:
    a, b = torch.tensor(one, dtype=torch.float64), torch.tensor(other, dtype=torch.float64)
    assert float(ciede2000(a, b)) == pytest.approx(expected, abs=5e-5)
    assert float(ciede2000(b, a)) == pytest.approx(expected, abs=5e-5)


def test_ciede2000_of_srgb_agrees_with_coloraide() -> None:
    one, other = colors_of(200, 1), colors_of(200, 2)
    ours = ciede2000(srgb_to_cielab(one.double() / 255), srgb_to_cielab(other.double() / 255))
    for a, b, difference in zip(one.tolist(), other.tolist(), ours.tolist(), strict=True):
        first, second = (Color("srgb", [v / 255 for v in color]).convert("lab-d65") for color in (a, b))
        assert difference == pytest.approx(first.delta_e(second, method="2000", space="lab-d65"), abs=2e-3)  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("seed", range(4))
def test_what_is_left_out_for_ciede2000_would_not_have_won(seed: int) -> None:
    """Wide and close colours, and the blues, where the mixed term is largest."""
    colors = colors_of(3000, seed=seed)
    if seed % 2:
        colors[:, :2] //= 3
    palette = colors_of(100, seed=seed + 9) // (1 + seed)
    points, wanted = srgb_to_cielab(colors.double() / 255), srgb_to_cielab(palette.double() / 255)
    assert torch.equal(nearest_ciede2000(points, wanted), ciede2000(points[:, None], wanted).argmin(1))


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("k", [1, 2, 16, 256])
def test_the_table_finds_what_brute_force_finds(space: Space, k: int) -> None:
    palette = Palette(colors_of(k, seed=k))
    shift = colors_of(60, seed=6).int() // 15 - 8
    near = (palette.colors[torch.arange(60) % k].int() + shift).clamp(0, 255).to(torch.uint8)
    colors = torch.cat([colors_of(60, seed=5), near, palette.colors])
    away = distances(colors, palette, space)
    chosen = away.gather(1, NearestTable(palette, space).indices(colors).long()[:, None])[:, 0]
    assert float((chosen - away.min(1).values).max()) < 1e-5
    assert float(chosen[-k:].max()) < 1e-9


@pytest.mark.parametrize("space", ["oklab", "rgb"])
def test_a_whole_face_of_the_cube_is_exact(space: Space) -> None:
    """Dark colours bend Oklab most: all colours whose red is below 4."""
    axis = torch.arange(0, 256, 3, dtype=torch.uint8)
    colors = torch.cartesian_prod(torch.arange(4, dtype=torch.uint8), axis, axis)
    palette = Palette(torch.cat([colors_of(40, seed=3) // 8, colors_of(40, seed=4)]))
    away = distances(colors, palette, space)
    chosen = away.gather(1, NearestTable(palette, space).indices(colors).long()[:, None])[:, 0]
    assert float((chosen - away.min(1).values).max()) < 1e-6


def test_a_second_picture_is_looked_up_in_the_same_table() -> None:
    palette = Palette(colors_of(30))
    table = NearestTable(palette)
    first = table.indices(colors_of(500, seed=1))
    other = table.indices(colors_of(500, seed=2))
    assert torch.equal(table.indices(colors_of(500, seed=1)), first)
    assert torch.equal(NearestTable(palette).indices(colors_of(500, seed=2)), other)


def test_permuting_a_palette_permutes_the_indices() -> None:
    colors, palette = colors_of(400, seed=8), Palette(colors_of(50))
    order = torch.randperm(50, generator=torch.Generator().manual_seed(0))
    permuted = Palette(palette.colors[order])
    assert torch.equal(
        permuted.colors[NearestTable(permuted).indices(colors).long()],
        palette.colors[NearestTable(palette).indices(colors).long()],
    )


def test_equal_colours_give_the_first() -> None:
    palette = Palette.from_hex("f00 00f f00 00f")
    assert NearestTable(palette).indices(palette.colors).tolist() == [0, 1, 0, 1]


def test_shape_stays_and_one_pixel_is_enough() -> None:
    table = NearestTable(Palette(colors_of(9)))
    assert table.indices(colors_of(24).view(2, 3, 4, 3)).shape == (2, 3, 4)
    assert table.indices(colors_of(1)).shape == (1,)
    assert table.indices(colors_of(70000)).shape == (70000,)


def test_wrong_pixels_and_spaces_are_refused() -> None:
    with pytest.raises(PaletteError, match=r"'hsv'.*oklab, rgb, ciede2000"):
        NearestTable(Palette(colors_of(2)), "hsv")  # pyright: ignore[reportArgumentType]
    for bad in (torch.zeros(4, 3), torch.zeros(4, 5, dtype=torch.uint8), torch.zeros(0, 3, dtype=torch.uint8)):
        with pytest.raises(ShapeError, match=r"uint8 tensor"):
            NearestTable(Palette(colors_of(2))).indices(bad)


def test_a_strided_picture_is_read_in_its_own_order() -> None:
    picture = colors_of(12).view(3, 4, 3)
    table = NearestTable(Palette(colors_of(9)))
    assert np.array_equal(table.indices(picture.transpose(0, 1)).numpy(), table.indices(picture).numpy().T)


def test_a_fourth_byte_is_ignored() -> None:
    colors, table = colors_of(500, seed=1), NearestTable(Palette(colors_of(40)))
    for fourth in (0, 7, 255):
        words = torch.cat([colors, torch.full((500, 1), fourth, dtype=torch.uint8)], 1)
        assert torch.equal(table.indices(words), table.indices(colors))


@pytest.mark.parametrize("k", [255, 256, 257])
@pytest.mark.parametrize("space", ["oklab", "rgb"])
def test_large_pictures_in_several_threads_are_exact(k: int, space: Space) -> None:
    """Colours of the upper part are met after the sample; those all of one colour must not pass for unknown."""
    palette = Palette(colors_of(k, seed=k))
    picture = colors_of(600 * 600, seed=2).view(600, 600, 3)
    picture[:300] //= 4
    picture[:3, :300] = palette.colors[k - 1]
    picture[3:6, :300] = palette.colors[0]
    found = NearestTable(palette, space).indices(picture)
    away = distances(picture[::7, ::11].reshape(-1, 3), palette, space)
    chosen = away.gather(1, found[::7, ::11].reshape(-1, 1).long())[:, 0]
    assert float((chosen - away.min(1).values).max()) < 1e-6
    assert found[:3, :300].unique().tolist() == [k - 1]
    assert found[3:6, :300].unique().tolist() == [0]


def test_pictures_of_floats_are_looked_up_only_on_eight_bit_levels() -> None:
    levels = colors_of(70).view(2, 5, 7, 3).permute(0, 3, 1, 2)
    table, rgb = NearestTable(Palette(colors_of(30))), levels.float() / 255
    found = table.indices_of_levels(rgb)
    assert found is not None
    assert torch.equal(found, table.indices(levels.permute(0, 2, 3, 1)).long())
    for wrong in (0.5004, -1 / 255, 256 / 255, float("nan")):
        changed = rgb.clone()
        changed[1, 2, 4, 6] = wrong
        assert table.indices_of_levels(changed) is None
