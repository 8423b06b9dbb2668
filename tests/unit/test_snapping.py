"""Snapping in one call: there and back at every factor, strict colours, hard alpha, and pictures without a grid."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from pixel_models.errors import GridError, PaletteError, PixelModelError, ShapeError
from pixel_models.grid import looks_native
from pixel_models.image import enlarge, from_uint8, read_rgba, to_uint8
from pixel_models.palette import Palette, find_palette
from pixel_models.snapping import Snapped, snap_to_grid

SAMPLES = Path(__file__).parents[2] / "samples"


def dragon() -> Tensor:
    """The sample sprite, `1 4 32 32`; transparent pixels are black, as snapping leaves them."""
    rgba = read_rgba(SAMPLES / "sprite_dragon.png")
    return torch.cat([rgba[:, :3] * rgba[:, 3:], rgba[:, 3:]], dim=1)


def on_grey(rgba: Tensor) -> Tensor:
    """`b 3 h w`, in 8 bits."""
    flat = rgba[:, :3] * rgba[:, 3:] + 0.6 * (1 - rgba[:, 3:])
    return from_uint8(to_uint8(flat))


def snapped(rgba: Tensor) -> Snapped:
    return snap_to_grid(rgba[:, :3], alpha=rgba[:, 3:])


def repeats(native: Tensor) -> bool:
    """Whether along an axis no two neighbouring lines both change, so that the picture may itself be enlarged."""
    for turned in (native, native.transpose(2, 3)):
        changed = (turned[..., 1:] != turned[..., :-1]).flatten(0, 2).any(dim=0)
        if not bool((changed[1:] & changed[:-1]).any()):
            return True
    return False


@st.composite
def sprites(draw: st.DrawFn) -> Tensor:
    """`b 4 h w` of few colours, some with a border of one colour, some transparent."""
    frames, height, width = draw(st.integers(1, 2)), draw(st.integers(3, 19)), draw(st.integers(3, 19))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**20)))
    colors = torch.randint(0, 256, (draw(st.integers(2, 16)), 3), generator=generator, dtype=torch.uint8)
    which = torch.randint(0, len(colors), (frames, height, width), generator=generator)
    rgb = from_uint8(colors[which]).permute(0, 3, 1, 2)
    alpha = (torch.rand(frames, 1, height, width, generator=generator) > draw(st.sampled_from([0.0, 0.3]))).float()
    border = draw(st.integers(0, 3))
    clear = float(draw(st.booleans()))
    rgba = torch.cat([rgb * alpha, alpha], dim=1)
    padded = torch.nn.functional.pad(rgba, [border] * 4)
    padded[:, 3:] += clear * torch.nn.functional.pad(torch.zeros_like(alpha), [border] * 4, value=1.0)
    return padded


@settings(deadline=None, max_examples=60)
@given(native=sprites(), scale=st.integers(1, 24))
def test_enlarged_by_any_factor_and_snapped_is_the_same_picture(native: Tensor, scale: int) -> None:
    assume(not repeats(native))
    made = snapped(enlarge(native, scale))
    assert made.size == (native.shape[3], native.shape[2])
    assert torch.equal(made.image.to_rgba(), native)


@pytest.mark.parametrize("scale", range(1, 25))
def test_a_sample_sprite_comes_back_at_every_factor(scale: int) -> None:
    native = dragon()
    assert torch.equal(snapped(enlarge(native, scale)).image.to_rgba(), native)
    flat = on_grey(native)
    assert torch.equal(snap_to_grid(enlarge(flat, scale)).image.to_rgb(), flat)


@pytest.mark.parametrize(("wide", "tall"), [(2, 1), (1, 2), (6, 4), (3, 7)])
def test_unequal_whole_cells_come_back(wide: int, tall: int) -> None:
    native = dragon()
    picture = native.repeat_interleave(wide, dim=3).repeat_interleave(tall, dim=2)
    assert torch.equal(snapped(picture).image.to_rgba(), native)


def test_a_cropped_enlargement_keeps_its_cells() -> None:
    made = snapped(enlarge(dragon(), 6)[:, :, 2:-1, 1:-2])
    assert (made.grid.cell_x, made.grid.cell_y, made.grid.offset_x, made.grid.offset_y) == (6, 6, 5, 4)
    assert torch.equal(made.image.to_rgba(), dragon())


@pytest.mark.parametrize("name", ["photo_astronaut", "photo_cat", "drawing_house", "character_superhero"])
def test_a_picture_without_a_grid_is_refused_and_told_what_to_do(name: str) -> None:
    rgba = read_rgba(SAMPLES / f"{name}.png")
    with pytest.raises(GridError, match=r"confidence 0\.\d\d.*force.*downscale"):
        snapped(rgba)
    assert snap_to_grid(rgba[:, :3], alpha=rgba[:, 3:], force=True, colors=8).size != rgba.shape[:1:-1]


def test_a_photo_of_a_sprites_size_is_no_sprite() -> None:
    photo = torch.nn.functional.interpolate(read_rgba(SAMPLES / "photo_cat.png"), (48, 48), mode="area")
    assert not looks_native(photo)
    assert looks_native(dragon())


def test_a_given_size_is_met_to_the_cell() -> None:
    picture = torch.nn.functional.interpolate(on_grey(dragon()), (1024, 1024), mode="bicubic").clamp(0, 1)
    for width, height in ((128, 128), (32, 32), (127, 129), (1, 1), (1024, 3)):
        made = snap_to_grid(picture, size=(width, height), colors=16)
        assert made.image.indices.shape == (1, height, width)


def test_a_given_cell_is_kept() -> None:
    photo = read_rgba(SAMPLES / "photo_cat.png")[:, :3]
    made = snap_to_grid(photo, cell=8, colors=12)
    assert (made.grid.cell_x, made.grid.cell_y) == (8, 8)
    assert len(made.image.palette) <= 12


def test_a_batch_shares_one_grid_and_one_palette() -> None:
    frames = torch.cat([dragon(), dragon().flip(3), torch.zeros(1, 4, 32, 32)])
    made = snapped(enlarge(frames, 5))
    assert torch.equal(made.image.to_rgba(), frames)
    made = snap_to_grid(enlarge(frames, 5)[:, :3], alpha=enlarge(frames, 5)[:, 3:], colors=6)
    assert len(made.image) == 3
    assert len(made.image.palette) <= 6


def test_a_given_palette_is_the_only_source_of_colors() -> None:
    palette = find_palette("pico-8")
    noisy = enlarge(on_grey(dragon()), 9)
    noisy = (noisy + 0.03 * torch.randn(noisy.shape, generator=torch.Generator().manual_seed(2))).clamp(0, 1)
    made = snap_to_grid(noisy, palette=palette, colors=3)
    assert made.size == (32, 32)
    assert made.image.palette == palette
    assert torch.equal(made.image.to_rgb(), snap_to_grid(on_grey(dragon()), palette=palette).image.to_rgb())


def test_soft_alpha_becomes_hard_and_hidden_colors_have_no_say() -> None:
    native = dragon()
    picture = enlarge(native, 8)
    picture[:, 3] = torch.nn.functional.avg_pool2d(picture[:, 3], 3, 1, 1)
    hidden = torch.where(picture[:, 3:] > 0, picture[:, :3], torch.tensor([1.0, 0, 1]).view(1, 3, 1, 1))
    made = snap_to_grid(hidden, alpha=picture[:, 3:])
    assert torch.equal(made.image.alpha(), native[:, 3:])
    assert "#ff00ff" not in made.image.palette.to_hex()


def test_a_flat_picture_stays_as_it_is() -> None:
    made = snap_to_grid(torch.full((1, 3, 20, 30), 0.2))
    assert made.size == (30, 20)
    assert made.image.palette.to_hex() == ["#333333"]


def test_wrong_wishes_are_refused() -> None:
    rgb = on_grey(dragon())
    with pytest.raises(PixelModelError, match="one of them"):
        snap_to_grid(rgb, size=(4, 4), cell=8)
    with pytest.raises(PixelModelError, match="native size is 33x4"):
        snap_to_grid(rgb, size=(33, 4))
    with pytest.raises(PaletteError, match="at least one colour"):
        snap_to_grid(rgb, colors=0)
    with pytest.raises(ShapeError, match="alpha"):
        snap_to_grid(rgb, alpha=torch.ones(1, 1, 4, 4))
    assert snap_to_grid(rgb, palette=Palette.from_hex("000")).image.palette.to_hex() == ["#000000"]
