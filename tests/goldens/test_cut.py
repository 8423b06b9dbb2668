"""PatchNCE and the training of CUT and FastCUT agree with the reference: features, losses, gradients, weights."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest
import torch
from accelerate import Accelerator
from golden import GoldenCase, assert_close, cases, read_case
from test_classic_training import check_gradients, check_weights
from torch import Tensor, nn

from pixel_models.archs import resnet
from pixel_models.archs.resnet import ResnetGenerator, ResnetGeneratorConfig
from train.cut import CUT
from train.cut_parts import CutSetting
from train.gan import init_weights
from train.loop import StepContext
from train.patchnce import PatchSampler, contrast, patch_nce, widths_of

LAYERS = {0: "input", 4: "down1", 8: "down2", 12: "block1", 16: "block5"}
"""The reference's numbers, of its anti-aliased generator, and our names."""


@pytest.mark.parametrize("name", [case for case in cases("cut_nets") if case.startswith("patchnce_unit")])
def test_the_loss_of_every_patch_and_its_gradient_agree(name: str) -> None:
    case = read_case("cut_nets", name)
    about, atol = case.config, case.about["suggested_atol"]
    query, key = (case.tensors[f"in/{x}"].view(about["batch_size"], -1, 16) for x in "qk")
    query, key = query.clone().requires_grad_(), key.clone().requires_grad_()
    losses = patch_nce(query, key, temperature=about["nce_T"], across_batch=about["all_negatives"])
    losses.mean().backward()
    assert_close(losses.flatten(), case.tensors["out/loss_per_patch"], atol)
    assert query.grad is not None
    assert_close(query.grad.flatten(0, 1), case.tensors["out/grad_q_of_mean"], atol)
    assert key.grad is None


@pytest.mark.parametrize("name", [case for case in cases("cut_nets") if case == "nce_pipeline"])
def test_features_samples_and_losses_of_every_layer_agree(name: str) -> None:
    case = read_case("cut_nets", name)
    about, atol, rtol = case.config, case.about["suggested_atol"], case.about["suggested_rtol"]
    config = ResnetGeneratorConfig(channels=about["ngf"], downsample="antialias", upsample="antialias")
    generator = ResnetGenerator(config).eval()
    generator.load_state_dict(case.group("sd/G/"))
    names = [LAYERS[index] for index in about["nce_layers"]]
    heads = PatchSampler(widths_of(generator, names, torch.zeros(1, 3, 32, 32)), about["netF_nc"])
    heads.load_state_dict(case.group("sd/F/"))
    places = [case.tensors[f"in/patch_ids_layer{index}"] for index in about["nce_layers"]]
    with torch.no_grad():
        maps_x, maps_y = (generator.features(case.tensors[f"in/{side}"], names) for side in "xy")
        of_x, of_y = heads(maps_x, places), heads(maps_y, places)
    layers = zip(about["nce_layers"], maps_x, of_x, of_y, strict=True)
    for number, (index, features, x, y) in enumerate(layers):
        assert_close(features, case.tensors[f"out/feat_x_layer{index}"], atol, rtol)
        assert_close(x[0], case.tensors[f"out/sampled_x_layer{index}"], atol, rtol)
        assert_close(y[0], case.tensors[f"out/sampled_y_layer{index}"], atol, rtol)
        for across in (False, True):
            losses = patch_nce(y, x, temperature=about["nce_T"], across_batch=across)
            assert_close(losses[0], case.tensors[f"out/nce_alln{int(across)}_layer{index}"], atol, rtol)
            mean = case.about["mean_losses_per_layer"][f"all_negatives_{across}"][number]
            assert float(losses.mean()) == pytest.approx(mean, rel=rtol)
    with torch.no_grad():
        whole = contrast(heads, maps_y, maps_x, places, temperature=about["nce_T"])
    means = case.about["mean_losses_per_layer"]["all_negatives_False"]
    assert float(whole) == pytest.approx(sum(means) / len(means), rel=rtol)


def setting_of(options: Mapping[str, Any], side: int) -> CutSetting:
    """Our setting for the reference's options."""
    assert not options["no_antialias"]
    assert not options["no_antialias_up"]
    return CutSetting(
        arch=options["netG"],
        channels=options["ngf"],
        judge_channels=options["ndf"],
        layers=options["n_layers_D"],
        norm=options["normG"],
        dropout=not options["no_dropout"],
        gan_mode=options["gan_mode"],
        rate=options["lr"],
        load=side,
        crop=side,
        nce_layers=tuple(LAYERS[int(index)] for index in options["nce_layers"].split(",")),
        patches=options["num_patches"],
        features=options["netF_nc"],
        temperature=options["nce_T"],
        all_negatives=options["nce_includes_all_negatives_from_minibatch"],
        gan_weight=options["lambda_GAN"],
        nce_weight=options["lambda_NCE"],
        nce_identity=options["nce_idt"],
        flip_equivariance=options["flip_equivariance"],
        faithful=True,
    )


class Recorded:
    """The choices of one step of a case."""

    def __init__(self, case: GoldenCase, step: int) -> None:
        """Of a step, from 0."""
        self._case, self._step, self._calls = case, step, 0

    def mirrored(self) -> bool:
        """Whether the reference mirrored."""
        return self._case.about["flipped_for_equivariance_per_step"][self._step]

    def places(self, maps: Sequence[Tensor], count: int) -> list[Tensor]:
        """The reference's places."""
        prefix = f"in/patch_ids/step{self._step}/call{self._calls}/"
        self._calls += 1
        places = [self._case.tensors[f"{prefix}layer{index}"] for index in range(len(maps))]
        assert {len(where) for where in places} == {count}
        return places


class ChannelsLast(torch.autograd.Function):
    """A layer's activations as they are; the gradient that comes back from them is laid out with channels last."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # noqa: ANN401  autograd's own type
        """As it is."""
        del ctx
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:  # noqa: ANN401
        """As the reference's flattening of a layer leaves it."""
        del ctx
        return gradients[0].contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("name", [case for case in cases("cut_train") if "sincut" not in case])
def test_steps_of_cut_and_fastcut_agree(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In float64, for the reason given in `test_classic_training`.

    PyTorch's instance norm on a CPU makes wrong numbers of a gradient that is laid out with channels last (see the
    test below). The reference's layers get such gradients, and so the generator's gradients in these cases are wrong
    ones. With PyTorch's instance norm, and gradients laid out as the reference's, ours are the same ones.
    """
    case = read_case("cut_train", name)
    features = ResnetGenerator.features
    monkeypatch.setattr(resnet, "norm_layer", lambda _, channels: nn.InstanceNorm2d(channels))
    monkeypatch.setattr(
        ResnetGenerator, "features", lambda *given: [cast("Tensor", ChannelsLast.apply(x)) for x in features(*given)]
    )
    recipe, nets = recipe_of(case)
    accelerator = Accelerator(cpu=True)
    logged = cast("list[dict[str, float]]", case.about["losses_per_step"])
    for step, expected in enumerate(logged):
        losses = recipe.train_step(batch_of(case, step), step, StepContext(accelerator, 0, step))
        assert {name: losses[name].item() for name in expected} == pytest.approx(expected, rel=2e-3)
        if step == 0:
            check_gradients(case, nets)
    check_weights(dataclasses.replace(case, about={**case.about, "steps": len(logged)}), nets)


@pytest.mark.parametrize("name", [case for case in cases("cut_train") if "sincut" not in case])
def test_our_gradient_of_the_generator_is_the_slope_of_its_loss(name: str) -> None:
    """The reference's is not, for the reason given above: the losses and the other networks' gradients are."""
    case = read_case("cut_train", name)
    recipe, nets = recipe_of(case)
    losses = recipe.train_step(batch_of(case, 0), 0, StepContext(Accelerator(cpu=True), 0, 0))
    expected = cast("list[dict[str, float]]", case.about["losses_per_step"])[0]
    assert {name: losses[name].item() for name in expected} == pytest.approx(expected, rel=2e-3)
    of_others = {key: t for key, t in case.tensors.items() if "step1_grad/G/" not in key}
    check_gradients(dataclasses.replace(case, tensors=of_others), nets)
    weight = recipe.g.get_parameter("model.30.weight")
    gradient = weight.grad
    assert gradient is not None
    slopes = []
    judge = {key: value.clone() for key, value in recipe.d.state_dict().items()}  # which has learned from this step
    for sign in (1, -1):
        again, _ = recipe_of(case)
        with torch.no_grad():
            again.g.get_parameter("model.30.weight").add_(gradient, alpha=sign * 1e-6 / float(gradient.norm()))
        again.optimizers["discriminator"].param_groups[0]["lr"] = 0.0
        again.d.load_state_dict(judge)
        losses = again.train_step(batch_of(case, 0), 0, StepContext(Accelerator(cpu=True), 0, 0))
        slopes.append(losses["G"].item())
    slope = (slopes[0] - slopes[1]) / 2e-6
    assert slope == pytest.approx(float(gradient.norm()), rel=1e-4)
    theirs = case.tensors["out/step1_grad/G/model.30.weight"].double()
    assert float((theirs * gradient).sum() / gradient.norm()) != pytest.approx(slope, rel=0.1)


def recipe_of(case: GoldenCase) -> tuple[CUT, Mapping[str, nn.Module]]:
    """The recipe with the case's weights and choices, in float64, and its networks by the reference's names."""
    options, a, b = case.about["options"], case.tensors["in/A0"], case.tensors["in/B0"]
    steps = itertools.count()
    recipe = CUT(
        lambda _: a[0], lambda _: b[0], setting_of(options, a.shape[-1]), choices=lambda _: Recorded(case, next(steps))
    )
    nets = {"G": recipe.g, "F": recipe.heads, "D": recipe.d}
    for net, module in nets.items():
        module.load_state_dict(case.group(f"sd/{net}/"))
        module.double()
    return recipe, nets


def batch_of(case: GoldenCase, step: int) -> dict[str, Tensor]:
    """The pictures of a step, in float64."""
    return {side.lower(): case.tensors[f"in/{side}{step}"].double() for side in "AB"}


def test_heads_start_as_the_reference_says() -> None:
    heads: nn.Module = PatchSampler([64, 256])
    assert list(heads.state_dict()) == [f"mlp_{n}.{k}.{x}" for n in (0, 1) for k in (0, 2) for x in ("weight", "bias")]
    init_weights(heads, "xavier", generator=torch.Generator().manual_seed(0))
    weight = heads.get_parameter("mlp_1.0.weight")
    assert float(weight.detach().std()) == pytest.approx(0.02 * (2 / 512) ** 0.5, rel=0.02)
    assert not heads.get_parameter("mlp_0.2.bias").any()
