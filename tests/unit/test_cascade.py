"""GridNet, PixelNet and DepixelNet at any size: exact sizes, cells over their pixels, norms, and what they are told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from pixel_models.archs.cascade import (
    CELLS,
    SPECS,
    DepixelizationConfig,
    GridNet,
    PaintNet,
    Pixelization,
    PixelizationConfig,
    enlarge,
    small_size,
)
from pixel_models.checkpoint import LoadedModel
from pixel_models.errors import ShapeError
from pixel_models.image import enlarge as enlarge_cells
from pixel_models.ops.tracked import Statistics, TrackedInstanceNorm, resize
from pixel_models.pixelate import native_size, pixelate
from pixel_models.regrid import run_whole

TINY: dict[str, Any] = {"channels": 2, "blocks": 1}
BORDERS = ("cut", "kept")


def gridnet(**values: Any) -> GridNet:  # noqa: ANN401
    """A small random network."""
    torch.manual_seed(0)
    return GridNet(PixelizationConfig(**{**TINY, **values})).eval()


def pixelization() -> LoadedModel:
    """A small random network, as `pixelate` takes it."""
    torch.manual_seed(0)
    module = SPECS[0].build(SPECS[0].tiny).eval().requires_grad_(False)
    return LoadedModel(module, SPECS[0], SPECS[0].tiny, "test")


def random(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1)) * 2 - 1


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(BORDERS), st.integers(32, 300), st.integers(32, 300))
def test_small_pictures_have_exactly_their_share_of_any_size(borders: str, height: int, width: int) -> None:
    with torch.no_grad():
        small = gridnet(borders=borders)(random(1, 3, height, width)).small
    assert list(small) == list(CELLS)
    for cell, share in ((4, 4), (6, 3), (8, 2)):
        expected = [int(side * share / 16 + 0.5) for side in (height, width)]
        assert list(small[cell].shape) == [1, 3, *expected], cell
        assert small[cell].abs().max() <= 1


@pytest.mark.parametrize("side", [64, 128, 256, 512])
def test_the_usual_crops_give_a_quarter_three_sixteenths_and_an_eighth(side: int) -> None:
    sizes = [small_size((side, side), cell) for cell in CELLS]
    assert sizes == [(side // 4,) * 2, (3 * side // 16,) * 2, (side // 8,) * 2]


def test_at_256_features_go_on_as_they_are() -> None:
    """What makes the goldens, which ask for the reference's sizes, say something about our own sizes."""
    module, x = gridnet(), random(1, 3, 256, 256)
    with torch.no_grad():
        ours, theirs = module(x), module(x, {4: (64, 64), 6: (48, 48), 8: (32, 32)})
    assert all(torch.equal(ours.small[cell], theirs.small[cell]) for cell in CELLS)
    features = random(1, 4, 64, 64)
    assert resize(features, (48, 48), 16) is features


def test_resized_features_are_averages() -> None:
    features = random(2, 3, 32, 48)
    made = resize(features, (24, 36))
    torch.testing.assert_close(made.mean(dim=(2, 3)), features.mean(dim=(2, 3)), atol=0.02, rtol=0)
    assert made.std() < features.std()
    assert resize(features.bfloat16(), (16, 16)).dtype == torch.bfloat16


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("place", [0.3, 0.5, 0.7])
def test_with_kept_borders_a_cell_stands_over_its_own_pixels(cell: int, place: float) -> None:
    """Cut borders leave it over other ones, the farther from the middle of the picture."""
    assert _off_center("kept", cell, place, 256) < 3
    if cell > 4 and place != 0.5:
        assert _off_center("cut", cell, place, 256) > cell


def _off_center(borders: str, cell: int, place: float, side: int) -> float:
    """Pixels between the middle of what a small pixel depends on and the middle of its cell, in a network of means."""
    module = gridnet(channels=1, borders=borders, convs=8)
    for name, layer in list(module.named_modules()):
        if isinstance(layer, TrackedInstanceNorm):  # by which every pixel has a say everywhere
            container, _, index = name.rpartition(".")
            module.get_submodule(container).register_module(index, nn.Identity())
        elif isinstance(layer, nn.Conv2d):
            nn.init.constant_(layer.weight, 1 / layer.weight[0].numel())
    x = torch.full((1, 3, side, side), 0.1, requires_grad=True)
    small = module(x).small[cell]
    index = int(place * small.shape[3])
    small[0, :, small.shape[2] // 2, index].sum().backward()
    assert x.grad is not None
    weight = x.grad.sum(dim=(0, 1, 2))
    middle = float((weight * (torch.arange(side) + 0.5)).sum() / weight.sum())
    return abs(middle - (index + 0.5) * side / small.shape[3])


@pytest.mark.parametrize("upsample", ["transpose", "resize"])
@pytest.mark.parametrize("size", [(32, 32), (33, 50), (100, 70), (64, 41)])
def test_pictures_keep_their_size_and_features_are_of_whole_quarters(size: tuple[int, int], upsample: str) -> None:
    torch.manual_seed(0)
    module = PaintNet(DepixelizationConfig(**{**TINY, "upsample": upsample})).eval()
    with torch.no_grad():
        painted = module.paint(random(1, 3, *size))
        drawn = pixelization().module(random(1, 3, *size))
    assert painted.picture.shape == (1, 3, *size)
    up = [-(-side // 4) for side in size]
    assert [tuple(f.shape[1:]) for f in painted.features] == [
        (2, 4 * up[0], 4 * up[1]), (4, 2 * up[0], 2 * up[1]), (8, up[0], up[1])
    ]  # fmt: skip
    assert drawn.shape == (1, len(CELLS), 3, *size)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("cells", [(8, 8), (9, 13), (11, 8)])
def test_a_picture_of_whole_cells_becomes_exactly_these_cells(cell: int, cells: tuple[int, int]) -> None:
    module = pixelization().module
    assert isinstance(module, Pixelization)
    seen: list[Tensor] = []
    module.pixelnet.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    x = random(1, 3, cells[0] * cell, cells[1] * cell)
    with torch.no_grad():
        made = module.translate_at(x, cell)
    assert made.shape == x.shape
    assert torch.equal(seen[0], enlarge_cells(seen[0][:, :, ::cell, ::cell], cell))
    assert seen[0].shape == x.shape


def test_no_grid_is_made_that_nobody_asked_for() -> None:
    module = gridnet(borders="kept")
    x, calls = random(1, 3, 64, 64), []
    for part in (module.model_4, module.model_5):
        part.register_forward_hook(lambda part, *_: calls.append(part))
    for cell, expected in ((4, []), (6, [module.model_4]), (8, [module.model_4, module.model_5])):
        calls.clear()
        with torch.no_grad():
            made = module(x, {cell: (8, 8)})
        assert list(made.small) == [cell]
        assert made.small[cell].shape == (1, 3, 8, 8)
        assert calls == expected


@pytest.mark.parametrize("statistics", ["picture", "running"])
def test_norms_measure_the_picture_unless_told_to_use_what_training_saw(statistics: Statistics) -> None:
    x = 3 * random(2, 4, 8, 8) + 1
    norm = TrackedInstanceNorm(4, statistics)
    trained = norm(x)
    seen = norm.state_dict()["running_mean"].clone()
    torch.testing.assert_close(seen, 0.1 * x.mean(dim=(0, 2, 3)))
    alone = norm.eval()(x[:1])
    assert torch.equal(norm.state_dict()["running_mean"], seen)
    assert torch.allclose(alone, trained[:1], atol=1e-5) == (statistics == "picture")


def test_dropout_is_for_training_alone() -> None:
    torch.manual_seed(0)
    module = PaintNet(DepixelizationConfig(**TINY, dropout=True))
    x = random(1, 3, 32, 32)
    with torch.no_grad():
        assert not torch.equal(module(x), module(x))
        module.eval()
        assert torch.equal(module(x), module(x))
    assert "model_0.10.conv_block.6.weight" in module.state_dict()


@pytest.mark.parametrize("cell", range(2, 13))
def test_pixelate_gives_exact_cells_of_any_size(cell: int) -> None:
    image, alpha = (random(1, 3, 100, 70) + 1) / 2, torch.ones(1, 1, 100, 70)
    alpha[:, :, :48, :24] = 0
    made = pixelate(pixelization(), image, alpha=alpha, cell=cell, colors=8)
    assert made.size == native_size((100, 70), cell)
    assert made.at_input_size()[0].shape == (1, 3, 100, 70)
    assert made.alpha()[0, 0, 0, 0] == 0
    assert made.alpha()[0, 0, -1, -1] == 1
    assert len(made.rgb().flatten(2).unique(dim=2)[0].T) <= 9


def test_pixelate_shows_the_network_a_cell_that_it_knows() -> None:
    loaded = pixelization()
    told: list[tuple[int, tuple[int, ...]]] = []
    assert isinstance(loaded.module, Pixelization)
    draw = loaded.module.translate_at

    def spy(x: Tensor, cell: int) -> Tensor:
        told.append((cell, tuple(x.shape[2:])))
        return draw(x, cell)

    loaded.module.translate_at = spy
    image = (random(1, 3, 96, 96) + 1) / 2
    for cell, said in ((2, ""), (6, ""), (16, ""), (16, "[4, 5]"), (4, "[6]"), (4, "[5]"), (12, "[4, 6, 8]")):
        pixelate(replace(loaded, metadata={"cell": said}), image, cell=cell)
    assert told == [
        (4, (192, 192)), (6, (96, 96)), (8, (48, 48)), (4, (32, 32)), (6, (144, 144)), (4, (96, 96)), (8, (64, 64))
    ]  # fmt: skip


def test_a_network_that_knows_no_cells_is_not_told_any() -> None:
    torch.manual_seed(0)
    module = PaintNet(DepixelizationConfig(**TINY)).eval()
    picture = (random(1, 3, 40, 36) + 1) / 2
    assert torch.equal(run_whole(module, picture, 4), run_whole(module, picture))


def test_enlarged_cells_differ_by_a_pixel_at_most() -> None:
    columns = enlarge(torch.arange(24.0)[None, None, None], (1, 128)).flatten()
    assert set(columns.unique(return_counts=True)[1].tolist()) == {5, 6}


@pytest.mark.parametrize("shape", [(1, 3, 31, 64), (1, 4, 64, 64), (3, 64, 64)])
def test_a_picture_that_does_not_fit_is_refused_by_its_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="sides of at least 32"):
        gridnet()(random(*shape))


def test_an_unknown_cell_is_refused_with_those_that_are_known() -> None:
    module = pixelization().module
    assert isinstance(module, Pixelization)
    with pytest.raises(ShapeError, match=r"5 pixels wide, expected one of \(4, 6, 8\)"):
        module.translate_at(random(1, 3, 40, 40), 5)


@pytest.mark.parametrize(
    ("config", "options"),
    [
        (PixelizationConfig, {"channels": 0}),
        (PixelizationConfig, {"blocks": 65}),
        (PixelizationConfig, {"convs": 0}),
        (PixelizationConfig, {"borders": "same"}),
        (PixelizationConfig, {"upsample": "antialias"}),
        (PixelizationConfig, {"statistics": "batch"}),
        (DepixelizationConfig, {"channels": 2.0}),
        (DepixelizationConfig, {"statistics": ""}),
    ],
    ids=str,
)
def test_a_config_refuses_what_it_cannot_mean_and_names_it(config: type[Any], options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(options))} is .*expected"):
        config(**options)
