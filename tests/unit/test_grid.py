"""Grid finding and snapping: whole, fractional, unequal, cropped and wandering grids, and pictures without one."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from pixel_models.errors import ImageError, PixelModelError, ShapeError
from pixel_models.grid import detect_grid, grid_of_cell, grid_of_size, merge_colors, scatter, snap
from pixel_models.image import enlarge, from_uint8, read_rgba, to_uint8

SAMPLES = Path(__file__).parents[2] / "samples"


def native_art(height: int = 24, width: int = 32, channels: int = 3) -> Tensor:
    """Colours drawn from a small palette, `1 c h w`, 8-bit exact."""
    generator = torch.Generator().manual_seed(7)
    palette = torch.randint(0, 256, (12, 3), generator=generator, dtype=torch.uint8)
    rgb = from_uint8(palette[torch.randint(0, 12, (height, width), generator=generator)]).permute(2, 0, 1)[None]
    alpha = (torch.rand(1, 1, height, width, generator=generator) > 0.3).float()
    return rgb if channels == 3 else torch.cat([rgb * alpha, alpha], dim=1)


def stretched(native: Tensor, height: int, width: int) -> Tensor:
    """Nearest enlargement to any size, by pixel centres."""
    rows = ((torch.arange(height) + 0.5) * native.shape[2] / height).long()
    columns = ((torch.arange(width) + 0.5) * native.shape[3] / width).long()
    return native[:, :, rows][:, :, :, columns]


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("scale", range(3, 25))
def test_enlarged_and_snapped_is_the_same_picture(scale: int, channels: int) -> None:
    native = native_art(channels=channels)
    grid = detect_grid(enlarge(native, scale))
    assert grid.is_grid
    assert (grid.cell_x, grid.cell_y, grid.offset_x, grid.offset_y) == (scale, scale, 0, 0)
    torch.testing.assert_close(snap(enlarge(native, scale), grid), native)


@pytest.mark.parametrize(("height", "width"), [(201, 268), (150, 300), (199, 141), (89, 117)])
def test_fractional_and_unequal_cells_are_found(height: int, width: int) -> None:
    native = native_art()
    picture = stretched(native, height, width)
    grid = detect_grid(picture)
    assert (grid.native_width, grid.native_height) == (32, 24)
    torch.testing.assert_close(snap(picture, grid), native)


def test_a_sample_sprite_survives_noise() -> None:
    native = read_rgba(SAMPLES / "sprite_dragon.png")
    native[:, :3] = native[:, :3] * native[:, 3:] + 0.6 * (1 - native[:, 3:])
    clean = stretched(native[:, :3], 268, 268)
    noisy = (clean + 0.02 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(1))).clamp(0, 1)
    grid = detect_grid(noisy)
    assert (grid.native_width, grid.native_height, grid.is_grid) == (32, 32, True)
    assert float((snap(noisy, grid) - native[:, :3]).abs().max()) < 0.05


def test_a_cropped_grid_keeps_its_cell_and_tells_its_offset() -> None:
    picture = enlarge(native_art(), 9)[:, :, 3:-2, 4:-3]
    grid = detect_grid(picture)
    assert grid.cell_x == pytest.approx(9, abs=0.02)
    assert grid.cell_y == pytest.approx(9, abs=0.02)
    assert grid.offset_x == pytest.approx(5, abs=0.5)
    assert grid.offset_y == pytest.approx(6, abs=0.5)


def test_wandering_lines_are_followed() -> None:
    native, cell = native_art(), 12
    place = torch.arange(32 * cell) + 0.5
    wave = 4 * torch.sin(place / (32 * cell) * torch.pi * 4)  # a third of a cell
    columns = ((place + wave) / cell).long().clamp(0, 31)
    picture = enlarge(native, cell)[:, :, :, ::cell][:, :, :, columns]
    grid = detect_grid(picture)
    assert (grid.native_width, grid.native_height) == (32, 24)
    wrong = (snap(picture, grid) - native).abs().amax(dim=1) > 0.02
    assert float(wrong.float().mean()) < 0.02


@pytest.mark.parametrize("name", ["photo_astronaut", "photo_cat", "drawing_house", "drawing_rooster", "drawing_beard"])
def test_photos_and_drawings_have_no_grid(name: str) -> None:
    assert not detect_grid(read_rgba(SAMPLES / f"{name}.png")).is_grid


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (5, 5), (64, 64)])
def test_flat_and_tiny_pictures_have_no_grid_and_pass_unchanged(size: tuple[int, int]) -> None:
    picture = torch.full((1, 3, *size), 0.25)
    grid = detect_grid(picture)
    assert (grid.is_grid, grid.confidence) == (False, 0)
    torch.testing.assert_close(snap(picture, grid), picture)


@pytest.mark.parametrize("name", ["BILINEAR", "BICUBIC", "LANCZOS", "HAMMING"])
@pytest.mark.parametrize(("width", "height"), [(256, 192), (268, 201), (300, 150), (181, 149)])
def test_smooth_enlargement_is_seen_and_undone(name: str, width: int, height: int) -> None:
    native = native_art()
    image = Image.fromarray(to_uint8(native[0]).permute(1, 2, 0).numpy())
    made = np.asarray(image.resize((width, height), Image.Resampling[name]))
    picture = from_uint8(torch.from_numpy(made.copy())).permute(2, 0, 1)[None]
    grid = detect_grid(picture)
    assert (grid.native_width, grid.native_height, grid.is_grid, grid.smooth) == (32, 24, True, True)
    away = (snap(picture, grid) - native).abs().amax(dim=1)
    assert float((away > 0.05).float().mean()) < 0.02


def test_smooth_enlargement_by_torch_keeps_alpha_hard() -> None:
    native = native_art(channels=4)
    picture = torch.nn.functional.interpolate(native, scale_factor=7.0, mode="bilinear")
    picture[:, :3] = (picture[:, :3] / picture[:, 3:].clamp_min(1e-6)).clamp(0, 1)
    grid = detect_grid(picture)
    assert (grid.native_width, grid.native_height, grid.smooth) == (32, 24, True)
    torch.testing.assert_close(snap(picture, grid), native, atol=0.01, rtol=0)


@pytest.mark.parametrize("scale", [1, 2, 5])
def test_equal_pixels_prove_a_grid_and_a_sprite_is_one_already(scale: int) -> None:
    grid = detect_grid(enlarge(native_art(), scale))
    assert (grid.cell_x, grid.cell_y, grid.is_grid, grid.smooth) == (scale, scale, True, False)


def test_scatter_is_none_without_damage_and_grows_with_noise() -> None:
    native = native_art()
    clean = enlarge(native, 8)
    grid = detect_grid(clean)
    assert scatter(clean, native, grid) == 0
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(3))
    little, much = (scatter((clean + amount * noise).clamp(0, 1), native, grid) for amount in (0.01, 0.04))
    assert 0.005 < little < 0.03 < much < 0.1


def test_a_given_size_is_met_exactly() -> None:
    photo = read_rgba(SAMPLES / "photo_cat.png")[:, :3]
    for width, height in ((1, 1), (37, 41), (128, 128), photo.shape[:1:-1]):
        grid = grid_of_size(photo, width, height)
        assert snap(photo, grid).shape == (1, 3, height, width)
        assert all(a < b for edges in (grid.x.edges, grid.y.edges) for a, b in pairwise(edges))


def test_a_given_cell_finds_its_offset() -> None:
    native = native_art()
    grid = grid_of_cell(enlarge(native, 8)[:, :, 2:, 3:], 8)
    assert grid.offset_x == pytest.approx(5, abs=0.5)
    assert grid.offset_y == pytest.approx(6, abs=0.5)
    torch.testing.assert_close(snap(enlarge(native, 8), grid_of_cell(enlarge(native, 8), 8)), native)


def test_a_batch_shares_one_grid() -> None:
    frames = enlarge(torch.cat([native_art(), native_art().flip(3)]), 7)
    grid = detect_grid(frames)
    assert (grid.native_width, grid.native_height) == (32, 24)
    torch.testing.assert_close(snap(frames, grid), torch.cat([native_art(), native_art().flip(3)]))


def test_merging_joins_near_colors_and_leaves_far_ones() -> None:
    picture = torch.tensor([[0.50, 0.51, 0.90], [0.50, 0.50, 0.90]]).expand(1, 3, 2, 3)
    made = merge_colors(picture)
    assert len(made.permute(0, 2, 3, 1).reshape(-1, 3).unique(dim=0)) == 2
    assert float((made - picture).abs().max()) < 0.011
    torch.testing.assert_close(merge_colors(picture, near=0), picture)


def test_merging_cleans_black_and_leaves_transparent_pixels() -> None:
    picture = torch.tensor([[0.01, 0.02, 0.10], [0.01, 0.0, 0.10], [0.0, 0.02, 0.10], [1.0, 0.0, 1.0]])
    made = merge_colors(picture.reshape(1, 4, 1, 3))[0, :, 0]
    wanted = picture.clone()
    wanted[:3, 0] = 0
    torch.testing.assert_close(made, wanted, atol=0.002, rtol=0)


def test_wrong_wishes_are_refused() -> None:
    picture = native_art()
    with pytest.raises(PixelModelError, match="native size is 33x1"):
        grid_of_size(picture, 33, 1)
    with pytest.raises(PixelModelError, match="cell is 0"):
        grid_of_cell(picture, 0)
    with pytest.raises(PixelModelError, match="near is nan"):
        merge_colors(picture, near=float("nan"))
    with pytest.raises(ShapeError, match="find the grid in this picture"):
        snap(picture, detect_grid(picture[:, :, :20]))
    with pytest.raises(ImageError):
        detect_grid(torch.full((1, 3, 8, 8), float("nan")))


def test_noise_on_very_many_cells_is_merged_too() -> None:
    generator = torch.Generator().manual_seed(3)
    colors = from_uint8(torch.randint(0, 8, (12, 3), generator=generator).mul(36).to(torch.uint8))
    clean = colors[torch.randint(0, 12, (80, 80), generator=generator)].permute(2, 0, 1)[None]
    noisy = (clean + 0.006 * torch.randn(clean.shape, generator=generator)).clamp(0, 1)
    assert len((noisy * 255).round().flatten(2)[0].T.unique(dim=0)) > 2048
    merged = merge_colors(noisy, 0.04)
    assert len((merged * 255).round().flatten(2)[0].T.unique(dim=0)) == len(colors.unique(dim=0))
    assert (merged - clean).abs().max() < 0.012
