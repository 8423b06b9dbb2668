"""What leaves `apply_palette` has no colour outside the palette, counted; hard alpha; differences; staying put."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pixel_models.dither import DIFFUSIONS, DITHERS, ORDERED, Dither, apply_palette
from pixel_models.dither.matrices import threshold_map
from pixel_models.errors import ImageError, PaletteError, ShapeError
from pixel_models.image import from_uint8, to_uint8
from pixel_models.palette import SPACES, Palette, Space, nearest_indices
from pixel_models.palette.distance import ciede2000, coordinates
from pixel_models.palette.nearest import table_of


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def eight_bit_noise(*shape: int, seed: int = 0) -> Tensor:
    return from_uint8(to_uint8(noise(*shape, seed=seed)))


def colors_in(rgb: Tensor) -> set[tuple[int, ...]]:
    return {tuple(color) for color in to_uint8(rgb).permute(0, 2, 3, 1).reshape(-1, 3).tolist()}


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("dither", DITHERS)
def test_no_colour_leaves_the_palette(dither: Dither, space: Space) -> None:
    palette = Palette(to_uint8(noise(7, 3, seed=3)))
    wanted = {tuple(color) for color in palette.colors.tolist()}
    for serpentine in (False, True) if dither in DIFFUSIONS else (False,):
        for rgb in (noise(2, 3, 9, 11), eight_bit_noise(1, 3, 5, 6)):
            found = apply_palette(rgb, palette, dither=dither, space=space, serpentine=serpentine)
            assert colors_in(found.to_rgb()) <= wanted
            assert found.transparent is None


@given(st.sampled_from(DITHERS), st.integers(1, 20), st.integers(0, 99), st.booleans(), st.booleans())
@settings(max_examples=40, deadline=None)
def test_a_palettes_own_picture_is_left_alone(
    dither: Dither, k: int, seed: int, serpentine: bool, linear: bool
) -> None:
    """Diffusion has no error to hand on; ordered dithers do shift, so they get no strength."""
    palette = Palette(to_uint8(noise(k, 3, seed=seed)))
    indices = torch.randint(0, k, (1, 6, 5), generator=torch.Generator().manual_seed(seed))
    rgb = from_uint8(palette.colors)[indices].permute(0, 3, 1, 2)
    strength = 0.0 if dither in ORDERED else 1.0
    found = apply_palette(rgb, palette, dither=dither, strength=strength, serpentine=serpentine, linear=linear)
    assert torch.equal(to_uint8(found.to_rgb()), to_uint8(rgb))


@pytest.mark.parametrize("dither", DITHERS)
def test_alpha_is_hard_and_hides_what_it_covers(dither: Dither) -> None:
    rgb, palette = noise(1, 3, 8, 8), Palette(to_uint8(noise(5, 3, seed=1)))
    alpha = torch.ones(1, 1, 8, 8)
    alpha[..., :4, :] = 0.49
    alpha[..., 7, 7] = 0.5
    found = apply_palette(rgb, palette, alpha=alpha, dither=dither)
    assert found.transparent is not None
    assert found.transparent[0, :4].all()
    assert not found.transparent[0, 4:].any()
    other = torch.cat([1 - rgb[:, :, :4], rgb[:, :, 4:]], 2)
    changed = apply_palette(other, palette, alpha=alpha, dither=dither)
    assert torch.equal(found.to_rgba(), changed.to_rgba())


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("dither", ORDERED)
def test_ordered_dither_is_the_same_where_frames_are_the_same(dither: Dither, space: Space) -> None:
    film = eight_bit_noise(1, 3, 20, 23).repeat(3, 1, 1, 1)
    film[1, :, :10] = 0
    film[2, :, :, 12:] = 1
    found = apply_palette(film, Palette(to_uint8(noise(9, 3))), dither=dither, space=space).indices
    assert torch.equal(found[0, 10:], found[1, 10:])
    assert torch.equal(found[0, :, :12], found[2, :, :12])


@pytest.mark.parametrize("space", SPACES)
def test_without_dither_every_pixel_is_nearest_in_its_space(space: Space) -> None:
    palette = Palette(to_uint8(noise(30, 3, seed=2)))
    for rgb in (noise(1, 3, 12, 13), eight_bit_noise(1, 3, 12, 13)):
        points = coordinates(rgb[0].flatten(1).T.double(), space)
        wanted = coordinates(palette.colors.double() / 255, space)
        away = ciede2000(points[:, None], wanted) if space == "ciede2000" else torch.cdist(points, wanted)
        chosen = away.gather(1, apply_palette(rgb, palette, space=space).indices.view(-1, 1))[:, 0]
        assert float((chosen - away.min(1).values).max()) < 1e-5


def test_spaces_differ_where_they_should() -> None:
    """A dark blue: nearer to black by RGB, and to blue by hue."""
    rgb, palette = eight_bit_noise(1, 3, 30, 30), Palette(to_uint8(noise(12, 3, seed=2)))
    found = [apply_palette(rgb, palette, space=space).indices for space in SPACES]
    assert not torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


@pytest.mark.parametrize("k", [3, 255, 256, 300])
def test_the_table_gives_what_comparing_gives(k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rgb, palette = (
        eight_bit_noise(1, 3, 61, 43),
        Palette(torch.cat([to_uint8(noise(k - 1, 3)), torch.zeros(1, 3).byte()])),
    )
    rgb[..., :5] = 0
    compared = nearest_indices(rgb, palette)
    monkeypatch.setattr("pixel_models.palette.indexed._TABLE_WORK", 0)
    table_of.cache_clear()
    for _ in range(2):
        assert torch.equal(palette.colors[nearest_indices(rgb, palette)], palette.colors[compared])


def test_serpentine_runs_to_and_fro_in_every_space() -> None:
    rgb, palette = noise(1, 3, 10, 12), Palette(to_uint8(noise(6, 3, seed=4)))
    for space in SPACES:
        there, fro = (apply_palette(rgb, palette, dither="sierra", serpentine=s, space=space) for s in (False, True))
        assert torch.equal(there.indices[:, 0], fro.indices[:, 0])
        assert not torch.equal(there.indices, fro.indices)


def test_wrong_dithers_spaces_and_alphas_are_refused() -> None:
    rgb, palette = noise(1, 3, 4, 4), Palette.from_hex("000 fff")
    with pytest.raises(PaletteError, match=r"'riemersma'.*none, bayer2.*sierra"):
        apply_palette(rgb, palette, dither="riemersma")  # pyright: ignore[reportArgumentType]
    for dither in ("none", "bayer4", "atkinson"):
        with pytest.raises(PaletteError, match=r"'hsv'.*oklab"):
            apply_palette(rgb, palette, dither=dither, space="hsv")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ShapeError, match="as the picture's"):
        apply_palette(rgb, palette, alpha=torch.ones(1, 1, 4, 5))
    with pytest.raises(ImageError, match="NaN"):
        apply_palette(rgb, palette, alpha=torch.full((1, 1, 4, 4), float("nan")))
    with pytest.raises(ImageError, match="NaN"):
        apply_palette(rgb * float("nan"), palette)


def test_a_pattern_of_ones_own_takes_the_matrix_place() -> None:
    """Bayer's matrix as a picture gives what the named dither gives; a hatching gives its own, within the palette."""
    palette, grey = Palette.from_hex("000 555 aaa fff"), torch.linspace(0, 1, 64).expand(1, 3, 32, 64)
    matrix = threshold_map("bayer4") * 0.3 + 0.6
    named = apply_palette(grey, palette, dither="bayer4")
    assert torch.equal(apply_palette(grey, palette, pattern=matrix).indices, named.indices)
    hatching = torch.eye(6)[:, :5]
    made = apply_palette(grey, palette, dither="bayer2", pattern=hatching)
    assert not torch.equal(made.indices, named.indices)
    assert torch.equal(made.indices[:, 6:12], made.indices[:, :6]), "every six rows it begins again"
    assert abs(float(made.to_rgb().mean() - grey.mean())) < 0.03


@pytest.mark.parametrize("pattern", [torch.ones(4, 4), torch.rand(2, 3, 4), torch.rand(300, 2), torch.eye(3) / 0])
def test_what_is_no_pattern_is_refused(pattern: Tensor) -> None:
    picture, palette = torch.rand(1, 3, 8, 8), Palette.from_hex("000 fff")
    with pytest.raises(PaletteError, match="pattern"):
        apply_palette(picture, palette, pattern=pattern)
    with pytest.raises(PaletteError, match="floyd_steinberg"):
        apply_palette(picture, palette, dither="floyd_steinberg", pattern=torch.eye(4))
