"""Dithers: matrices, staying put, mean colours, and error diffusion against a plain loop."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from pixel_models.color import srgb_to_linear
from pixel_models.dither import (
    DIFFUSIONS,
    ORDERED,
    Diffusion,
    Ordered,
    diffuse,
    ordered_dither,
    threshold_map,
)
from pixel_models.dither.diffusion import KERNELS
from pixel_models.errors import PaletteError, ShapeError
from pixel_models.image import from_uint8, to_uint8
from pixel_models.palette import IndexedImage, Palette, nearest_indices

INKS = Palette.from_hex("000 fff")


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", ORDERED)
def test_a_matrix_holds_every_threshold_once(name: Ordered) -> None:
    matrix = threshold_map(name)
    count = matrix.numel()
    assert torch.allclose(matrix.flatten().sort().values, (torch.arange(count) + 0.5) / count - 0.5)


def test_bayer_of_two_is_the_published_one() -> None:
    assert ((threshold_map("bayer2") + 0.5) * 4).long().tolist() == [[0, 2], [3, 1]]


def test_blue_noise_lacks_low_frequencies() -> None:
    power = np.abs(np.fft.fft2(threshold_map("blue_noise").numpy())) ** 2
    ring = np.hypot(*np.meshgrid(np.fft.fftfreq(64), np.fft.fftfreq(64)))
    low, high = power[(ring > 0) & (ring < 0.1)].mean(), power[ring > 0.3].mean()
    assert low < 0.05 * high


def test_clustered_dots_hang_together() -> None:
    """At half grey an 8x8 dot has far fewer edges than Bayer's."""
    dots, bayer = ((threshold_map(name) > 0).float() for name in ("clustered_dot", "bayer8"))
    edges = [float((m - m.roll(1, 0)).abs().sum() + (m - m.roll(1, 1)).abs().sum()) for m in (dots, bayer)]
    assert edges[0] < 0.4 * edges[1]


@pytest.mark.parametrize("name", ORDERED)
def test_ordered_dither_stays_put_from_frame_to_frame(name: Ordered) -> None:
    film = noise(1, 3, 20, 23).repeat(2, 1, 1, 1)
    film[1, :, :10] = 0
    indices = ordered_dither(film, Palette(to_uint8(noise(9, 3))), name)
    assert torch.equal(indices[0, 10:], indices[1, 10:])


@pytest.mark.parametrize("name", ORDERED)
def test_ordered_dither_of_no_strength_is_the_nearest_colour(name: Ordered) -> None:
    rgb, palette = noise(2, 3, 9, 11), Palette(to_uint8(noise(12, 3, seed=1)))
    assert torch.equal(ordered_dither(rgb, palette, name, strength=0), nearest_indices(rgb, palette))


@pytest.mark.parametrize("name", ORDERED)
def test_ordered_dither_of_a_ramp_has_more_white_where_it_is_lighter(name: Ordered) -> None:
    shares = [
        float(ordered_dither(torch.full((1, 3, 64, 64), v), INKS, name).float().mean()) for v in (0.1, 0.3, 0.5, 0.8)
    ]
    assert shares == sorted(shares)
    assert shares[0] <= 0.25
    assert 0.5 <= shares[2] < shares[3]


def plain_diffusion(rgb: Tensor, palette: Palette, name: Diffusion, serpentine: bool) -> list[list[int]]:
    divisor, lines = KERNELS[name]
    values = rgb[0].permute(1, 2, 0).clone()
    h, w, _ = values.shape
    found = [[0] * w for _ in range(h)]
    for y in range(h):
        way = -1 if serpentine and y % 2 else 1
        for x in range(w)[::way]:
            values[y, x] = values[y, x].clamp(-1, 2)
            index = int(nearest_indices(values[y, x].clamp(0, 1).view(1, 3, 1, 1), palette))
            found[y][x] = index
            error = values[y, x] - from_uint8(palette.colors)[index]
            for dy, line in enumerate(lines):
                for step, weight in enumerate(line, -2 if dy else 1):
                    if y + dy < h and 0 <= x + way * step < w:
                        values[y + dy, x + way * step] += error * weight / divisor
    return found


@pytest.mark.parametrize("serpentine", [False, True])
@pytest.mark.parametrize("name", DIFFUSIONS)
def test_error_diffusion_is_what_a_plain_loop_gives(name: Diffusion, serpentine: bool) -> None:
    palette = Palette(to_uint8(noise(6, 3, seed=3)))
    for h, w in ((9, 7), (2, 8), (7, 1)):
        rgb = noise(1, 3, h, w, seed=h)
        assert diffuse(rgb, palette, name, serpentine=serpentine)[0].tolist() == plain_diffusion(
            rgb, palette, name, serpentine
        )


@pytest.mark.parametrize("name", DIFFUSIONS)
def test_kernels_hand_on_everything_but_atkinsons(name: Diffusion) -> None:
    divisor, lines = KERNELS[name]
    assert sum(map(sum, lines)) / divisor == (0.75 if name == "atkinson" else 1)


@pytest.mark.parametrize("linear", [False, True])
def test_error_diffusion_keeps_the_mean(linear: bool) -> None:
    shown = diffuse(torch.full((1, 3, 64, 64), 0.6), INKS, linear=linear).float().mean()
    wanted = srgb_to_linear(torch.tensor(0.6)) if linear else torch.tensor(0.6)
    assert float(shown) == pytest.approx(float(wanted), abs=0.02)


@pytest.mark.parametrize("name", DIFFUSIONS)
def test_error_diffusion_of_no_strength_is_the_nearest_colour(name: Diffusion) -> None:
    rgb, palette = noise(2, 3, 9, 11), Palette(to_uint8(noise(12, 3, seed=1)))
    assert torch.equal(diffuse(rgb, palette, name, strength=0), nearest_indices(rgb, palette))


def test_pictures_of_a_batch_and_transparent_pixels_do_not_touch_each_other() -> None:
    rgb, palette = noise(2, 3, 12, 10), Palette(to_uint8(noise(5, 3, seed=1)))
    assert torch.equal(diffuse(rgb, palette)[1:], diffuse(rgb[1:], palette))
    opaque = torch.ones(1, 12, 10, dtype=torch.bool)
    opaque[:, :4] = False
    assert torch.equal(diffuse(rgb[:1], palette, opaque=opaque)[:, 4:], diffuse(rgb[:1, :, 4:], palette))


def test_a_palettes_own_picture_stays_as_it_is() -> None:
    palette = Palette.from_hex("000 f00 00f fff")
    picture = IndexedImage(torch.randint(0, 4, (1, 8, 8), generator=torch.Generator().manual_seed(0)), palette)
    for name in DIFFUSIONS:
        assert torch.equal(diffuse(picture.to_rgb(), palette, name), picture.indices)


def test_wrong_names_strengths_and_masks_are_refused() -> None:
    rgb = noise(1, 3, 4, 4)
    with pytest.raises(PaletteError, match=r"'bayer3'.*bayer2, bayer4"):
        ordered_dither(rgb, INKS, "bayer3")  # pyright: ignore[reportArgumentType]
    with pytest.raises(PaletteError, match=r"'shiau'.*floyd_steinberg"):
        diffuse(rgb, INKS, "shiau")  # pyright: ignore[reportArgumentType]
    for strength in (-1, float("nan"), float("inf")):
        with pytest.raises(PaletteError, match="strength"):
            ordered_dither(rgb, INKS, strength=strength)
    with pytest.raises(PaletteError, match="expected 0 to 1"):
        diffuse(rgb, INKS, strength=1.5)
    with pytest.raises(ShapeError, match="opaque"):
        diffuse(rgb, INKS, opaque=torch.ones(1, 4, 5, dtype=torch.bool))
