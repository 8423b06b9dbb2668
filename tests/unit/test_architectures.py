"""Every registered architecture: shapes, gradients, batch independence, and a checkpoint there and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from pixel_models.archs.native_cyclegan import (
    CELL,
    DepixelateGenerator,
    NativeGeneratorConfig,
    PixelateGenerator,
    Settle,
)
from pixel_models.archs.pixelcnn import Hints
from pixel_models.checkpoint import load_checkpoint, save_checkpoint
from pixel_models.errors import PixelModelError, ShapeError
from pixel_models.registry import REGISTRY, register
from pixel_models.spec import ModelSpec, Purpose

SPECS = list(REGISTRY.values())


def sample(spec: ModelSpec, batch: int = 2) -> torch.Tensor:
    """An input that the architecture takes."""
    if spec.purpose is Purpose.SAMPLE:  # codes
        return torch.randint(0, spec.tiny.codes, (batch, 1, 8, 8), generator=torch.Generator().manual_seed(0))
    if spec.id == "dcgan":  # numbers
        return torch.randn(batch, spec.tiny.latent, generator=torch.Generator().manual_seed(0))
    side = getattr(spec.tiny, "size", 8 if spec.purpose is Purpose.DEPIXELATE else 32)
    channels = 4 if spec.purpose in (Purpose.PIXELATE, Purpose.DEPIXELATE) else 3
    if spec.purpose is Purpose.FUSE:  # two pictures
        channels = 2 * spec.tiny.channels
    return torch.rand(batch, channels, side, side, generator=torch.Generator().manual_seed(0))


def run(module: torch.nn.Module, spec: ModelSpec, x: torch.Tensor) -> torch.Tensor:
    """The network on an input; one that takes labels and hints gets all of them."""
    if spec.id == "dcgan":
        return module(x, torch.ones(len(x), len(spec.tiny.labels)))
    if spec.purpose is not Purpose.SAMPLE:
        return picture_of(module(x))
    opaque, palette = (x[:, 0] % 3).float() / 2, torch.ones(len(x), spec.tiny.codes)
    known = x[:, 0].where(x[:, 0] > 4, -1)
    return module(x, torch.ones(len(x), len(spec.tiny.labels)), Hints(known, opaque, palette))


def picture_of(made: object) -> torch.Tensor:
    """What a network gives: a picture, a picture among other things, or logits."""
    picture = getattr(made, "picture", made)
    assert isinstance(picture, torch.Tensor)
    return picture


@pytest.mark.parametrize("spec", SPECS, ids=lambda s: s.id)
def test_every_parameter_gets_a_gradient(spec: ModelSpec) -> None:
    torch.manual_seed(0)
    module = spec.build(spec.tiny)
    for parameter in module.parameters():  # zero-initialised layers hide those before them
        parameter.data += 0.02 * torch.randn_like(parameter)
    made: Any = module(sample(spec)) if spec.id == "vae" else run(module, spec, sample(spec))
    loss = picture_of(made).square().sum()
    if spec.id == "vae":  # of the variance alone no picture tells
        loss = loss + made.log_variance.square().sum()
    loss.backward()
    learned = {name: p.grad for name, p in module.named_parameters() if p.requires_grad}
    still = [name for name, gradient in learned.items() if gradient is None or not gradient.abs().sum()]
    assert still == []


@pytest.mark.parametrize("spec", SPECS, ids=lambda s: s.id)
def test_a_batch_gives_what_its_pictures_give_alone(spec: ModelSpec) -> None:
    torch.manual_seed(0)
    module = spec.build(spec.tiny).eval()
    x = sample(spec)
    with torch.no_grad():
        torch.testing.assert_close(run(module, spec, x)[1:], run(module, spec, x[1:]), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("spec", SPECS, ids=lambda s: s.id)
def test_a_checkpoint_comes_back_as_it_was(spec: ModelSpec, half: bool, tmp_path: Path) -> None:
    module = spec.build(spec.tiny).eval()
    path = tmp_path / "x.safetensors"
    save_checkpoint(path, module, spec, spec.tiny, {"licence": "CC0-1.0"}, half=half)
    loaded = load_checkpoint(path)
    assert (loaded.spec, loaded.config, loaded.metadata["licence"]) == (spec, spec.tiny, "CC0-1.0")
    before, after = module.state_dict(), loaded.module.state_dict()
    assert before.keys() == after.keys()
    for key, value in before.items():
        kept = value.half().float() if half else value
        assert torch.equal(kept, after[key]), key
    assert not loaded.module.training
    assert list(tmp_path.iterdir()) == [path]
    with torch.no_grad():
        assert run(loaded.module, spec, sample(spec)).dtype == torch.float32


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 7), (5, 2), (8, 8)])
def test_the_generators_are_exact_in_size(height: int, width: int) -> None:
    config = NativeGeneratorConfig(channels=8, outer_blocks=1, inner_dilations=(1,))
    with torch.no_grad():
        cells = PixelateGenerator(config)(torch.rand(1, 4, CELL * height, CELL * width))
        picture = DepixelateGenerator(config)(cells)
    assert cells.shape == (1, 4, height, width)
    assert picture.shape == (1, 4, CELL * height, CELL * width)
    assert cells.min() >= 0
    assert cells.max() <= 1


def test_a_picture_that_is_no_multiple_of_the_cell_is_refused() -> None:
    module = PixelateGenerator(NativeGeneratorConfig(channels=8, outer_blocks=0, inner_dilations=()))
    with pytest.raises(ShapeError, match="multiples of 4"):
        module(torch.rand(1, 4, 10, 8))


def test_transparent_pixels_lend_no_colour() -> None:
    """A red square on transparent green: no green may show in an opaque cell, whatever the weights."""
    torch.manual_seed(0)
    config = NativeGeneratorConfig(channels=8, outer_blocks=1, inner_dilations=(1,), settle_rounds=2)
    module = PixelateGenerator(config).eval()
    assert module.paint.bias is not None
    module.paint.bias.data[0] = -30.0  # no repainting: what is left is picked
    picture = torch.zeros(1, 4, 32, 32)
    picture[:, 1] = 1
    picture[:, :, 8:24, 8:24] = torch.tensor([1.0, 0.0, 0.0, 1.0])[None, :, None, None]
    with torch.no_grad():
        cells = module(picture)
    assert cells[0, 1, 2:6, 2:6].max() < 1e-2
    assert cells[0, 0, 2:6, 2:6].min() > 0.99


def test_settling_starts_near_the_identity_and_lets_near_colors_flow_together() -> None:
    settle = Settle(8)
    assert settle.vote.bias is not None
    left, right = torch.tensor([0.2, 0.2, 0.2]), torch.tensor([0.8, 0.7, 0.1])
    cells = torch.where(torch.arange(8) < 4, left[:, None, None], right[:, None, None])[None].expand(1, 3, 8, 8)
    noisy = cells + 0.02 * torch.randn(cells.shape, generator=torch.Generator().manual_seed(0))
    opaque, features = torch.ones(1, 1, 8, 8), torch.zeros(1, 8, 8, 8)
    with torch.no_grad():
        torch.testing.assert_close(settle(cells, opaque, features), cells, atol=1e-3, rtol=0)
        settle.vote.bias.zero_()  # no cell clings to its own colour
        settled = settle(noisy, opaque, features)
    assert (settled - cells).abs().mean() < 0.8 * (noisy - cells).abs().mean()


def test_depixelating_never_leaves_the_span_of_its_colours() -> None:
    torch.manual_seed(0)
    module = DepixelateGenerator(NativeGeneratorConfig(channels=8, outer_blocks=1, inner_dilations=(1,)))
    cells = torch.rand(1, 4, 6, 6) * 0.2 + 0.4
    cells[:, 3] = 1
    with torch.no_grad():
        picture = module(cells)[:, :3]
    assert picture.min() >= cells[:, :3].min() - 1e-5
    assert picture.max() <= cells[:, :3].max() + 1e-5


def test_a_taken_id_is_refused_and_nothing_is_added() -> None:
    before = dict(REGISTRY)
    with pytest.raises(PixelModelError, match="unique"):
        register([SPECS[0]])
    assert before == REGISTRY
