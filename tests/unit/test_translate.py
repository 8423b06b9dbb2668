"""`pixelate` with full-resolution generators: the same exact grid, strict palette and hard alpha as the native ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from pixel_models.archs.resnet import ResnetGeneratorConfig
from pixel_models.archs.unet import UnetGeneratorConfig
from pixel_models.checkpoint import LoadedModel, save_checkpoint
from pixel_models.cli import main
from pixel_models.depixelate import depixelate
from pixel_models.drawers import trained_cells
from pixel_models.errors import ModelKindError, PixelModelError, ShapeError
from pixel_models.image import enlarge
from pixel_models.palette import Palette
from pixel_models.pixelate import native_size, pixelate
from pixel_models.registry import REGISTRY

CONFIGS = {
    "resnet": ResnetGeneratorConfig(channels=4, blocks=1),
    "resize": ResnetGeneratorConfig(channels=4, blocks=1, upsample="resize"),
    "antialias": ResnetGeneratorConfig(channels=4, blocks=1, downsample="antialias", upsample="antialias"),
    "grey": ResnetGeneratorConfig(in_channels=1, out_channels=1, channels=4, blocks=1),
    "grey in": ResnetGeneratorConfig(in_channels=1, channels=4, blocks=1),
    "unet": UnetGeneratorConfig(channels=2, downs=5),
}
GAMEBOY = Palette(torch.tensor([[15, 56, 15], [48, 98, 48], [139, 172, 15], [155, 188, 15]], dtype=torch.uint8))


def model(kind: str = "resnet") -> LoadedModel:
    """A small random generator: what is tested here holds whatever the weights."""
    config = CONFIGS[kind]
    spec = REGISTRY["unet_generator" if kind == "unet" else "resnet_generator"]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = spec.build(config).eval().requires_grad_(False)
    return LoadedModel(module, spec, config, "test")


def picture(height: int, width: int, batch: int = 1) -> Tensor:
    return torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(1))


def distinct(rgb: Tensor) -> set[tuple[int, ...]]:
    """The 8-bit colours of `b 3 h w`."""
    return {tuple(c) for c in (rgb * 255).round().int().permute(0, 2, 3, 1).reshape(-1, 3).tolist()}


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(CONFIGS)), st.integers(1, 50), st.integers(1, 50), st.integers(2, 32), st.integers(2, 20))
def test_any_size_gives_an_exact_grid_and_few_colours(
    kind: str, height: int, width: int, cell: int, colors: int
) -> None:
    image = picture(height, width, batch=2)
    made = pixelate(model(kind), image, cell=cell, colors=colors)
    assert made.size == native_size((height, width), cell)
    rgb, alpha = made.at_input_size()
    assert rgb.shape == image.shape
    assert alpha.min() == 1
    assert torch.equal(rgb, enlarge(made.rgb(), cell)[:, :, :height, :width])
    assert len(distinct(rgb)) <= colors


@pytest.mark.parametrize("kind", sorted(CONFIGS))
@pytest.mark.parametrize("size", [(16, 12), (1, 1), (7, 31)])
def test_a_target_size_is_met_and_a_given_palette_never_left(kind: str, size: tuple[int, int]) -> None:
    made = pixelate(model(kind), picture(45, 77, 2), size=size, palette=GAMEBOY)
    assert made.size == (size[1], size[0])
    assert made.at_input_size()[0].shape == (2, 3, 45, 77)
    assert distinct(made.rgb()) <= {tuple(c) for c in GAMEBOY.colors.tolist()}


@pytest.mark.parametrize("kind", ["resnet", "unet"])
def test_alpha_is_hard_and_what_hides_under_it_does_not_matter(kind: str) -> None:
    alpha = torch.zeros(1, 1, 64, 64)
    alpha[:, :, 16:48, 16:48] = 1
    alpha[:, :, 48:50, 16:48] = 0.4
    image = picture(64, 64)
    made = pixelate(model(kind), image, alpha=alpha, cell=8)
    expected = torch.zeros(8, 8)
    expected[2:6, 2:6] = 1
    assert torch.equal(made.alpha()[0, 0], expected)
    assert not made.rgb()[0, :, expected == 0].any()
    other = pixelate(model(kind), torch.where(alpha > 0, image, 0.5), alpha=alpha, cell=8)
    assert torch.equal(made.rgb(), other.rgb())


def test_grey_networks_give_grey_sprites() -> None:
    rgb = pixelate(model("grey"), picture(40, 40), cell=4).rgb()
    assert (rgb.amax(dim=1) - rgb.amin(dim=1)).max() <= 1.5 / 255  # Oklab and back, to 8 bit


def test_a_picture_of_known_cells_is_shown_to_the_network_as_it_is() -> None:
    """Cells of 4 to 8 pixels are not resampled; others, or what the maker says, are brought to what it knows."""
    seen: list[tuple[int, ...]] = []
    loaded = model()
    assert isinstance(loaded.module, nn.Module)
    loaded.module.register_forward_pre_hook(lambda _, inputs: seen.append(tuple(inputs[0].shape[2:])))
    image = picture(96, 192)
    for cell, said in ((2, ""), (6, ""), (24, ""), (24, "4"), (24, "[4, 6]")):
        pixelate(replace(loaded, metadata={"cell": said}), image, cell=cell)
    assert seen == [(192, 384), (96, 192), (32, 64), (16, 32), (24, 48)]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("4", (4,)),
        ("[4, 6]", (4, 6)),
        ("", ()),
        ("None", ()),
        ("9" * 5000, ()),
        ("[" * 5000, ()),
        ("[4.5, true, null, -4, 33, 1]", ()),
        ('{"4": 4}', ()),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_a_file_says_of_its_cells_is_taken_or_left(said: str, expected: tuple[int, ...]) -> None:
    assert trained_cells(said) == expected


def test_tiles_change_nothing_and_progress_counts_pictures() -> None:
    seen: list[tuple[int, int]] = []
    image = picture(80, 80, 2)
    tiled = pixelate(model(), image, cell=4, tile=8, callback=lambda *step: seen.append(step))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert torch.equal(tiled.rgb(), pixelate(model(), image, cell=4).rgb())


def test_a_picture_too_large_to_be_seen_whole_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"sees whole pictures.*larger cells"):
        pixelate(model(), torch.zeros(1, 3, 2, 2), size=(4096, 4096))


def test_depixelating_refuses_it_by_name() -> None:
    with pytest.raises(ModelKindError, match=r"resnet_generator.*translate"):
        depixelate(model(), picture(8, 8))
    discriminator = REGISTRY["patch_discriminator"]
    judge = LoadedModel(discriminator.build(discriminator.tiny), discriminator, discriminator.tiny, "test")
    with pytest.raises(ModelKindError, match="patch_discriminator"):
        pixelate(judge, picture(8, 8), cell=4)


def test_a_generator_of_picture_pairs_is_refused_with_its_channels() -> None:
    spec, config = REGISTRY["resnet_generator"], ResnetGeneratorConfig(in_channels=6, channels=4, blocks=1)
    with pytest.raises(PixelModelError, match="from 6 to 3 channels"):
        pixelate(LoadedModel(spec.build(config), spec, config, "test"), picture(8, 8), cell=4)


def test_the_shell_takes_such_a_model_too(tmp_path: Path, root: Path) -> None:
    loaded, weights = model(), tmp_path / "classic.safetensors"
    save_checkpoint(weights, loaded.module, loaded.spec, loaded.config, {})
    source, target = root / "samples" / "drawing_house.png", tmp_path / "house.png"
    assert main(["pixelate", str(source), "-o", str(target), "--model", str(weights), "--size", "24x24"]) == 0
    assert target.is_file()
