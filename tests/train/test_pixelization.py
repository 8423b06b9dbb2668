"""Training the cascade: it learns, survives a stop, keeps its networks apart, and writes files that draw and smooth."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn

import pixel_models
from pixel_models.archs.cascade import CELLS, enlarge
from pixel_models.depixelate import depixelate
from pixel_models.errors import ModelKindError
from pixel_models.pixelate import native_size, pixelate
from train import pixelization
from train.canvas import CanvasMaker
from train.cascade_parts import CascadeSetting, CascadeWeights, CellCanvases, partly, shrink, slopes
from train.loop import StepContext, generator_of
from train.pictures import read_picture_set
from train.pixelization import SETTINGS, Cascade

QUICK = ["--setting", "tiny", "--workers", "0", "--threads", "1", "--sample-every", "1000", "--precision", "no"]
TINY = dataclasses.replace(SETTINGS["tiny"], crop=64, load=64, dropout=False)


def arguments(folders: tuple[Path, Path], out: Path, *more: str) -> list[str]:
    return ["--a", str(folders[0]), "--b", str(folders[1]), "--out", str(out), *QUICK, *more]


def log(out: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


def recipe(setting: CascadeSetting = TINY, weights: CascadeWeights | None = None) -> Cascade:
    """One on noise."""

    def noise(generator: torch.Generator) -> Tensor:
        return torch.rand(3, setting.crop, setting.crop, generator=generator) * 2 - 1

    return Cascade(noise, dict.fromkeys(CELLS, noise), setting, weights, choose=lambda _: 6)


def context(step: int = 0) -> StepContext:
    return StepContext(Accelerator(cpu=True), 0, step)


def gradients(module: nn.Module) -> Tensor:
    return torch.cat([p.grad.flatten() for p in module.parameters() if p.grad is not None])


def test_a_run_that_was_stopped_ends_in_the_same_bits(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, stopped, options = tmp_path / "whole", tmp_path / "stopped", ("--save-every", "0", "--steps", "10")
    pixelization.main(arguments(folders, whole, *options))
    step_of = Cascade.train_step

    def stop_at_six(self: Cascade, batch: dict[str, Tensor], step: int, context: StepContext) -> dict[str, Tensor]:
        if step == 6:
            raise KeyboardInterrupt
        return step_of(self, batch, step, context)

    monkeypatch.setattr(Cascade, "train_step", stop_at_six)
    with pytest.raises(KeyboardInterrupt):
        pixelization.main(arguments(folders, stopped, *options))
    monkeypatch.setattr(Cascade, "train_step", step_of)
    pixelization.main(arguments(folders, stopped, *options))
    one, two = (load_file(run / "state.safetensors") for run in (whole, stopped))
    assert one.keys() == two.keys()
    assert [key for key in one if not torch.equal(one[key], two[key])] == []
    assert log(whole) == log(stopped)
    parts = ("pixelization/gridnet", "pixelization/pixelnet", "depixelnet", "d_grid", "d_pixel", "d_depixel")
    assert all(any(key.startswith(f"net/{part}") for key in one) for part in parts)
    pools = {key: int(value) for key, value in one.items() if key.endswith("/stored")}
    assert len(pools) == 7
    assert set(pools.values()) == {4}


def test_what_it_writes_draws_at_any_cell_and_smooths(folders: tuple[Path, Path], tmp_path: Path) -> None:
    pixelization.main(arguments(folders, tmp_path, "--weight", "mirror_back=1"))
    assert {"grid", "pixel", "depixel", "mirror", "mirror_features", "D_grid", "D_pixel", "D_depixel"} <= log(tmp_path)[
        -1
    ].keys()
    assert Image.open(tmp_path / "samples" / "0000020.png").size == (6 * 196, 7 * 196)
    model = pixel_models.load(tmp_path / "pixelization.safetensors")
    assert (model.spec.id, model.metadata["direction"], model.metadata["cell"]) == (
        "pixelization",
        "A to B",
        "[4, 6, 8]",
    )
    assert "'mirror_back': '1.0'" in model.metadata["training"]
    assert "'arch'" not in model.metadata["training"]
    g = torch.Generator().manual_seed(0)
    image, alpha = torch.rand(1, 3, 100, 70, generator=g), torch.ones(1, 1, 100, 70)
    alpha[:, :, 50:] = 0
    for cell in range(2, 13):
        made = pixelate(model, image, alpha=alpha, cell=cell, colors=8)
        assert made.size == native_size((100, 70), cell)
        assert made.at_input_size()[0].shape == image.shape
        assert made.alpha()[:, :, 0].min() == 1
        assert made.alpha()[:, :, -1].max() == 0
    back = pixel_models.load(tmp_path / "depixelization.safetensors")
    assert (back.spec.id, back.metadata["direction"], back.metadata["cell"]) == (
        "depixelization",
        "B to A",
        "[4, 6, 8]",
    )
    smooth, edge = depixelate(back, image[:, :, :13, :10], alpha=alpha[:, :, :13, :10], scale=5)
    assert smooth.shape == (1, 3, 65, 50)
    assert edge is not None
    assert edge.shape == (1, 1, 65, 50)
    with pytest.raises(ModelKindError, match="direction 'A to B'"):
        depixelate(model, image[:, :, :13, :10])


def test_it_learns() -> None:
    trained = recipe(dataclasses.replace(TINY, rate=4e-3))
    ramp = torch.linspace(-1, 1, 64).expand(1, 3, 64, 64)
    batch = {"a": ramp, **{f"b{cell}": ramp.transpose(2, 3) for cell in CELLS}}
    lines = [trained.train_step(batch, step, context(step)) for step in range(40)]
    for name in ("grid_same", "pixel_same", "depixel_same", "mirror"):
        assert lines[-1][name].item() < 0.7 * lines[0][name].item(), name


def test_each_network_learns_from_its_own_losses_and_the_mirror_reaches_pixelnet_only_if_asked() -> None:
    after: dict[tuple[float, float], Cascade] = {}
    for mirror, back in ((100.0, 0.0), (50.0, 0.0), (100.0, 1.0)):
        one = recipe(TINY, CascadeWeights(mirror=mirror, mirror_back=back))
        one.train_step(one.make_batch(generator_of(0)), 0, context())
        after[mirror, back] = one
    usual, half, paper = after.values()
    for net in ("gridnet", "pixelnet"):
        assert torch.equal(*(gradients(getattr(one.pixelization, net)) for one in (usual, half))), net
    assert not torch.allclose(gradients(usual.depixelnet), gradients(half.depixelnet))
    assert torch.equal(gradients(usual.depixelnet), gradients(paper.depixelnet))
    assert not torch.allclose(gradients(usual.pixelization.pixelnet), gradients(paper.pixelization.pixelnet))
    assert torch.equal(gradients(usual.pixelization.gridnet), gradients(paper.pixelization.gridnet))


def test_part_of_a_gradient_goes_on_and_the_values_stay() -> None:
    made = torch.tensor([1.5, -2.0], requires_grad=True)
    for share in (0.25, 1.0):
        passed = partly(made, share)
        assert torch.equal(passed, made)
        assert torch.autograd.grad(passed.sum(), made)[0].tolist() == [share, share]
    assert not partly(made, 0).requires_grad


def test_every_network_follows_the_rate() -> None:
    """The reference's schedule forgets DepixelNet's optimizer."""
    trained = recipe()
    for optimizer in trained.optimizers.values():
        for group in optimizer.param_groups:
            group["lr"] = 0.0
    before = {name: p.detach().clone() for name, p in _weights(trained)}
    trained.train_step(trained.make_batch(generator_of(0)), 0, context())
    assert [name for name, p in _weights(trained) if not torch.equal(p, before[name])] == []
    groups = [p for o in trained.optimizers.values() for group in o.param_groups for p in group["params"]]
    assert {id(p) for _, p in _weights(trained)} == {id(p) for p in groups}
    assert trained.rate_factor(0, 100) == 1
    assert 0 < trained.rate_factor(99, 100) < 0.5


def _weights(trained: Cascade) -> list[tuple[str, nn.Parameter]]:
    return [(f"{net}.{key}", p) for net, module in trained.nets.items() for key, p in module.named_parameters()]


@pytest.mark.parametrize("crop", [64, 96, 128, 256])
@pytest.mark.parametrize("cell", CELLS)
def test_small_pictures_of_sprites_are_the_sprites(crop: int, cell: int) -> None:
    size = CascadeSetting(crop=crop, load=crop).small(cell)
    sprite = torch.rand(1, 3, *size, generator=generator_of(0, "sprite"))
    assert torch.equal(shrink(enlarge(sprite, (crop, crop)), size), sprite)


def test_canvases_have_as_many_cells_as_the_small_picture(folders: tuple[Path, Path]) -> None:
    sprites = CanvasMaker(read_picture_set(folders[1]))
    for cell, cells in ((4, 24), (6, 18), (8, 12)):
        drawn = CellCanvases(sprites, 96, cell)(generator_of(0, cell))
        assert drawn.shape == (3, 96, 96)
        assert drawn.abs().max() <= 1
        small = shrink(drawn[None], (cells, cells))
        assert torch.equal(enlarge(small, (96, 96))[0], drawn)
        assert len(small.flatten(2)[0].T.unique(dim=0)) > 1


def test_slopes_are_zero_in_a_flat_picture_and_even_on_a_ramp() -> None:
    assert slopes(torch.ones(1, 3, 8, 8))[:, :, 1:-1, 1:-1].abs().max() == 0
    across = slopes(torch.arange(8.0).expand(1, 3, 8, 8))[:, :, 1:-1, 1:-1]
    assert across[:, 0].unique().tolist() == [-24]  # three channels, weights of 4, two pixels apart
    assert across[:, 1].abs().max() == 0


@pytest.mark.parametrize(("crop", "layers"), [(256, 3), (128, 2), (96, 1), (64, 1)])
def test_small_pictures_get_a_discriminator_that_they_outlast(crop: int, layers: int) -> None:
    setting = dataclasses.replace(TINY, crop=crop, load=crop)
    assert setting.grid_layers == layers
    with torch.no_grad():
        score = recipe(setting).d_grid(torch.zeros(1, 3, crop // 8, crop // 8))
    assert min(score.shape[2:]) >= 2


def test_full_is_the_references_and_faithful_cuts_its_borders() -> None:
    full = SETTINGS["full"]
    assert (full.channels, full.blocks, full.convs, full.dropout, full.crop, full.rate) == (64, 9, 8, True, 256, 2e-4)
    assert full.config.borders == "kept"
    assert dataclasses.replace(full, faithful=True).config.borders == "cut"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--crop", "100"], "crops of 100 pixels have no whole small pictures; give --crop 112"),
        (["--crop", "48", "--load", "48"], "give --crop 64"),
        (["--crop", "64", "--load", "64"], "no sprite fits on a canvas of 8x8 cells.*larger --crop"),
        (["--weight", "cycle=1"], "mirror_back"),
        (["--borders", "kept", "--channels", "0"], "channels is 0, expected"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_with_what_to_do(
    given: Sequence[str], message: str, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        pixelization.main(arguments(folders, tmp_path, *given))
