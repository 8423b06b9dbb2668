"""Training CUT and FastCUT, classic and native-grid: they learn, survive a stop, compare the right things, export."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest
import torch
from accelerate import Accelerator
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn

import pixel_models
from pixel_models.archs.native_cyclegan import NativeGeneratorConfig, PixelateGenerator
from pixel_models.archs.resnet import ResnetGenerator, ResnetGeneratorConfig
from pixel_models.errors import ShapeError
from pixel_models.pixelate import pixelate
from train import cut, cut_native, fastcut
from train.cut_parts import CutSetting, start_heads
from train.loop import StepContext, generator_of
from train.patchnce import PatchSampler, contrast, draw_places, patch_nce, widths_of

QUICK = ["--setting", "tiny", "--workers", "0", "--threads", "1", "--sample-every", "1000", "--precision", "no"]
NATIVE = ["--arch", "native"]


def arguments(folders: tuple[Path, Path], out: Path, *more: str) -> list[str]:
    return ["--a", str(folders[0]), "--b", str(folders[1]), "--out", str(out), *QUICK, *more]


def log(out: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


def context(step: int = 0) -> StepContext:
    return StepContext(Accelerator(cpu=True), 0, step)


@pytest.mark.parametrize(
    ("program", "recipe", "more"),
    [
        pytest.param(cut, cut.CUT, ["--cell", "2"], id="cut"),
        pytest.param(fastcut, cut.CUT, ["--cell", "2"], id="fastcut"),
        pytest.param(cut, cut_native.NativeCUT, NATIVE, id="cut native"),
        pytest.param(fastcut, cut_native.NativeCUT, NATIVE, id="fastcut native"),
    ],
)
def test_a_run_that_was_stopped_ends_in_the_same_bits(
    program: ModuleType,
    recipe: type,
    more: Sequence[str],
    folders: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole, stopped, options = tmp_path / "whole", tmp_path / "stopped", ("--save-every", "0", "--steps", "8", *more)
    program.main(arguments(folders, whole, *options))
    step_of = recipe.train_step

    def stop_at_five(self: object, batch: object, step: int, context: object) -> object:
        if step == 5:
            raise KeyboardInterrupt
        return step_of(self, batch, step, context)

    monkeypatch.setattr(recipe, "train_step", stop_at_five)
    with pytest.raises(KeyboardInterrupt):
        program.main(arguments(folders, stopped, *options))
    monkeypatch.setattr(recipe, "train_step", step_of)
    program.main(arguments(folders, stopped, *options))
    one, two = (load_file(run / "state.safetensors") for run in (whole, stopped))
    assert one.keys() == two.keys()
    assert any("heads" in key and "mlp_4" in key for key in one)
    assert [key for key in one if not torch.equal(one[key], two[key])] == []
    assert log(whole) == log(stopped)


@pytest.mark.parametrize(("program", "name"), [(cut, "CUT"), (fastcut, "FastCUT")], ids=["cut", "fastcut"])
@pytest.mark.parametrize("native", [False, True], ids=["classic", "native"])
def test_weights_load_and_pixelate(
    program: ModuleType, name: str, native: bool, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    program.main(arguments(folders, tmp_path, *(NATIVE if native else ["--cell", "2"])))
    last = log(tmp_path)[-1]
    assert {"G_GAN", "NCE"} <= last.keys()
    assert ("NCE_Y" in last) == (name == "CUT")
    model = pixel_models.load(tmp_path / f"{name.lower()}.safetensors")
    assert model.spec.id == ("native_pixelate" if native else "resnet_generator")
    assert model.metadata["recipe"] == name
    assert model.metadata["direction"] == "A to B"
    assert model.metadata["cell"] == ("4" if native else "[2]")
    assert "'steps': '20'" in model.metadata["training"]
    made = pixelate(model, torch.rand(1, 3, 32, 32), cell=4, colors=8)
    assert made.rgb().shape == (1, 3, 8, 8)
    rows = 5 if native else 4
    assert Image.open(tmp_path / "samples" / "0000020.png").height == rows * 196


def config_of(weights: Path) -> ResnetGeneratorConfig:
    config = pixel_models.load(weights).module.config
    assert isinstance(config, ResnetGeneratorConfig)
    return config


def test_without_antialiasing_both_networks_are_the_plain_ones(folders: tuple[Path, Path], tmp_path: Path) -> None:
    cut.main(arguments(folders, tmp_path, "--cell", "2", "--no-antialias", "--steps", "2"))
    config = config_of(tmp_path / "cut.safetensors")
    assert (config.downsample, config.upsample) == ("conv", "transpose")
    state = load_file(tmp_path / "state.safetensors")
    assert not [key for key in state if key.endswith("filt")]
    cut.main(arguments(folders, tmp_path / "blurred", "--cell", "2", "--upsample", "resize", "--steps", "2"))
    config = config_of(tmp_path / "blurred" / "cut.safetensors")
    assert (config.downsample, config.upsample) == ("antialias", "resize")


def test_the_full_settings_are_the_references() -> None:
    full, fast = cut.SETTINGS["full"], fastcut.SETTINGS["full"]
    assert (full.nce_weight, full.nce_identity, full.flip_equivariance) == (1, True, False)
    assert (full.epochs, full.decay_epochs, full.patches, full.features) == (200, 200, 256, 256)
    assert (fast.nce_weight, fast.nce_identity, fast.flip_equivariance) == (10, False, True)
    assert (fast.epochs, fast.decay_epochs) == (150, 50)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--nce-layers", "input", "block7"], "expected of input stem down1 down2 block1"),
        (["--nce-layers", "input", "input"], "each once"),
        (["--patches", "1"], "two or more"),
        (["--temperature", "0"], "above 0"),
        (["--crop", "30", "--cell", "2"], "multiples of 4"),
        (["--cell", "5"], "do not divide crops of 32"),
        ([*NATIVE, "--nce-layers", "block1"], "expected of source stem before inner1"),
        ([*NATIVE, "--weight", "cycle=1"], "expected of"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_with_what_to_do(
    given: Sequence[str], message: str, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        cut.main(arguments(folders, tmp_path, *given))


SMALLEST = CutSetting(
    arch="resnet_6blocks", channels=4, judge_channels=4, load=32, crop=32, epochs=2, decay_epochs=2, patches=32,
    features=16, rate=2e-3,
)  # fmt: skip


def noise(generator: torch.Generator) -> Tensor:
    return torch.rand(3, 32, 32, generator=generator) * 2 - 1


def test_places_learn_to_be_told_apart_and_the_output_to_resemble_the_input() -> None:
    recipe = cut.CUT(noise, noise, dataclasses.replace(SMALLEST, gan_weight=0.0))
    batch = recipe.make_batch(generator_of(0, "fixed"))
    compared = [float(recipe.train_step(batch, step, context(step))["NCE"].detach()) for step in range(30)]
    assert sum(compared[-5:]) < 0.9 * sum(compared[:5])


def test_mirroring_changes_a_step_of_fastcut_alone() -> None:
    class Mirror:
        def __init__(self, mirror: bool) -> None:
            self._mirror = mirror

        def mirrored(self) -> bool:
            return self._mirror

        def places(self, maps: Sequence[Tensor], count: int) -> list[Tensor]:
            return draw_places(maps, count, generator_of(0, "places"))

    def losses(flip: bool, mirror: bool) -> dict[str, float]:
        setting = dataclasses.replace(SMALLEST, flip_equivariance=flip, nce_identity=False)
        recipe = cut.CUT(noise, noise, setting, choices=lambda _: Mirror(mirror))
        found = recipe.train_step(recipe.make_batch(generator_of(0, "fixed")), 0, context())
        return {name: value.item() for name, value in found.items()}

    assert losses(False, False) == losses(False, True) == losses(True, False)
    assert losses(True, True)["NCE"] != losses(True, False)["NCE"]


@pytest.mark.parametrize("kind", ["classic", "native"])
def test_a_generator_with_channels_last_gets_the_same_gradients(kind: str) -> None:
    """PyTorch's instance norm on a CPU would make wrong ones, were a layer's gradient laid out so."""
    gradients: list[Mapping[str, Tensor | None]] = []
    for layout in (torch.contiguous_format, torch.channels_last):
        torch.manual_seed(0)
        net: nn.Module
        if kind == "classic":
            net = ResnetGenerator(ResnetGeneratorConfig(channels=4, downsample="antialias", upsample="antialias"))
            x, names = torch.randn(2, 3, 32, 32), SMALLEST.nce_layers
        else:
            net = PixelateGenerator(NativeGeneratorConfig(channels=8))
            x, names = torch.rand(2, 4, 32, 32), ("source", "stem", "inner2", "after")
        x = x.double()
        net.double().to(memory_format=layout)  # pyright: ignore[reportCallIssue]
        heads = start_heads(widths_of(net, names, x[:1]), 8, 0).double()
        features = net.features
        keys = features(x, names)
        queries = features(x.flip(2), names)
        contrast(heads, queries, keys, draw_places(keys, 16, generator_of(0))).backward()
        gradients.append({name: p.grad for name, p in net.named_parameters()})
    assert any(g is not None and float(g.abs().max()) > 1e-6 for g in gradients[0].values())
    for name, gradient in gradients[0].items():
        other = gradients[1][name]
        assert (gradient is None) == (other is None)
        if gradient is not None and other is not None:
            torch.testing.assert_close(gradient, other, atol=1e-10, rtol=1e-6)


def keep(seen: dict[int, Tensor], place: int, _: nn.Module, __: object, out: Tensor) -> None:
    seen[place] = out.clone()


def test_layers_of_a_resnet_generator_are_what_its_forward_computes() -> None:
    for norm, downsample in (("instance", "antialias"), ("instance", "conv"), ("none", "conv")):
        torch.manual_seed(0)
        config = ResnetGeneratorConfig(channels=4, blocks=2, norm=norm, downsample=downsample)  # pyright: ignore[reportArgumentType]
        net = ResnetGenerator(config)
        assert net.layers == ("input", "stem", "down1", "down2", "block1", "block2")
        seen: dict[int, Tensor] = {}
        places = [0, 1, 4, 8 if downsample == "antialias" else 7, 12 if downsample == "antialias" else 10]
        hooks = [net.model[place].register_forward_hook(partial(keep, seen, place)) for place in places]
        x = torch.randn(2, 3, 24, 32)
        whole = net(x)
        for hook in hooks:
            hook.remove()
        found = net.features(x, net.layers[:5])
        assert all(torch.equal(mine, seen[place]) for mine, place in zip(found, places, strict=True))
        made, again = net.translate(x, ["block1", "input"])
        assert torch.equal(made, whole)
        assert torch.equal(again[0], found[4])
        assert torch.equal(again[1], found[0])


def test_features_stop_at_the_last_layer_that_is_asked_for() -> None:
    net = ResnetGenerator(ResnetGeneratorConfig(channels=4, blocks=3))
    reached: list[str] = []
    for name, layer in net.model.named_children():
        layer.register_forward_hook(lambda *_, name=name: reached.append(name))
    net.features(torch.zeros(1, 3, 16, 16), ["down2", "stem"])
    assert reached == [str(index) for index in range(8)]
    with pytest.raises(ShapeError, match="there is no layer block4; expected of input stem"):
        net.features(torch.zeros(1, 3, 16, 16), ["block4"])


def test_layers_of_the_native_generator_are_what_its_forward_computes() -> None:
    torch.manual_seed(0)
    net = PixelateGenerator(NativeGeneratorConfig(channels=8, inner_dilations=(1, 2)))
    for parameter in net.parameters():  # residual blocks start as identities
        nn.init.normal_(parameter, 0, 0.1)
    assert net.layers == ("source", "stem", "before", "inner1", "inner2", "after")
    seen: dict[str, Tensor] = {}
    parts = {"stem": net.stem, "before": net.trunk.before, "inner2": net.trunk.inner[1], "after": net.trunk}
    for name, part in parts.items():
        part.register_forward_hook(lambda _, __, out, name=name: seen.update({name: out}))
    picture = torch.rand(2, 4, 12, 20)
    net(picture)
    forward = dict(seen)
    for name, found in zip(parts, net.features(picture, list(parts)), strict=True):
        assert torch.equal(found, forward[name]), name
    (source,) = net.features(picture, ["source"])
    assert source.shape == (2, 64, 4, 6)
    with pytest.raises(ShapeError, match="there is no layer down1"):
        net.features(picture, ["down1"])


def test_places_are_different_ones_within_the_layer_and_depend_on_the_generator() -> None:
    maps = [torch.zeros(2, 3, 8, 8), torch.zeros(2, 5, 3, 4)]
    one, two = draw_places(maps, 16, generator_of(1)), draw_places(maps, 16, generator_of(1))
    assert [len(set(where.tolist())) for where in one] == [16, 12]
    assert all(torch.equal(x, y) for x, y in zip(one, two, strict=True))
    assert not torch.equal(one[0], draw_places(maps, 16, generator_of(2))[0])
    assert int(one[1].max()) == 11


def test_the_batch_of_the_tensor_counts() -> None:
    """The reference goes by an option's, and mixes the pictures of a smaller last batch."""
    query, key = (nn.functional.normalize(torch.randn(3, 6, 8, generator=generator_of(0, x)), dim=2) for x in "qk")
    together = patch_nce(query, key)
    for index in range(3):
        alone = patch_nce(query[index : index + 1], key[index : index + 1])
        torch.testing.assert_close(alone[0], together[index])
    assert (patch_nce(query, key, across_batch=True) > together).all()
    with pytest.raises(ValueError, match="of one shape"):
        patch_nce(query, key[:2])


def test_a_place_that_is_like_its_own_and_unlike_the_others_costs_nothing() -> None:
    features = torch.eye(5)[None]
    assert float(patch_nce(features, features).max()) < 1e-4
    assert float(patch_nce(features, features.roll(1, dims=1)).min()) > 10


def test_no_gradient_comes_through_the_key() -> None:
    heads = PatchSampler([3], 4)
    query, key = (torch.randn(2, 3, 4, 4, generator=generator_of(0, x)).requires_grad_() for x in "qk")
    contrast(heads, [query], [key], [torch.arange(8)]).backward()
    assert key.grad is None
    assert query.grad is not None
    assert float(query.grad.abs().sum()) > 0
    assert bool((query.grad.flatten(2)[:, :, 8:] == 0).all())


def test_heads_are_built_for_their_layers() -> None:
    heads = PatchSampler([3, 5], 4)
    maps, places = [torch.randn(2, 3, 4, 4), torch.randn(2, 5, 2, 2)], [torch.arange(7), torch.arange(4)]
    found = heads(maps, places)
    assert [tuple(x.shape) for x in found] == [(2, 7, 4), (2, 4, 4)]
    assert all(torch.allclose(x.norm(dim=2), torch.ones(()), atol=1e-4) for x in found)
    plain = PatchSampler([3, 5], mlp=False)(maps, places)
    assert list(PatchSampler([3, 5], mlp=False).parameters()) == []
    at_5 = maps[0][1, :, 1, 1]
    torch.testing.assert_close(plain[0][1, 5], at_5 / at_5.norm())
    with pytest.raises(ValueError, match=r"expected activations of \(3, 5\) channels"):
        heads(maps[::-1], places)
