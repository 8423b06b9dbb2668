"""SinCUT's networks, its adversarial loss and one step of its training agree with the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
import torch
from accelerate import Accelerator
from golden import GoldenCase, assert_close, cases, fill_procedurally, read_case
from torch import Tensor, nn

from pixel_models.archs.stylegan2 import (
    StyleGAN2Discriminator,
    StyleGAN2DiscriminatorConfig,
    StyleGAN2Generator,
    StyleGAN2GeneratorConfig,
)
from train.gan import gan_loss
from train.loop import StepContext
from train.sincut import SinCUT
from train.sincut_parts import SinCutSetting

GENERATORS = [name for name in cases("cut_nets") if name.endswith("sincut_G")]
JUDGES = [name for name in cases("cut_nets") if name.endswith("sincut_D")]
NOISE_STRENGTH = 0.2
"""What the full-size case was run with; the rule for weights that are not stored leaves the strength at 0."""

REFERENCE_LAYERS = {"feat0": "input", "feat2": "down1", "feat4": "block2"}


def generator_of(case: GoldenCase) -> StyleGAN2Generator:
    config = case.config
    module = StyleGAN2Generator(
        StyleGAN2GeneratorConfig(
            channels=config["ngf"],
            size=config["crop_size"],
            downsamplings=config["num_downsampling"],
            blocks=config["n_blocks"],
        )
    )
    case.load_weights(module)
    with torch.no_grad():
        for key in case.about["noise_weight_keys_set_to_0.2"]:
            module.get_parameter(key).fill_(NOISE_STRENGTH)
    return module.eval()


def check_counts(case: GoldenCase, module: nn.Module) -> None:
    parameters = sum(p.numel() for p in module.parameters())
    buffers = sum(b.numel() for b in module.buffers())
    assert (parameters, buffers) == (case.about["all_params"], case.about["buffers"])
    assert len(module.state_dict()) == case.about["state_dict_entries"]


@pytest.mark.parametrize("name", GENERATORS)
def test_a_generator_gives_the_references_picture_with_its_noise(name: str) -> None:
    case = read_case("cut_nets", name)
    module = generator_of(case)
    check_counts(case, module)
    noise = [tensor for key, tensor in case.tensors.items() if key.startswith("in/noise_")]
    with torch.no_grad():
        made, maps = module.translate(case.tensors["in/x"], list(REFERENCE_LAYERS.values()), noise)
    assert_close(made, case.tensors["out/y"], case.atol())
    for (feature, layer), values in zip(REFERENCE_LAYERS.items(), maps, strict=True):
        assert_close(values[:1, :8], case.tensors[f"out/{feature}"], case.atol(f"out/{feature}"), name=layer)


@pytest.mark.parametrize("name", JUDGES)
def test_a_discriminator_gives_the_references_scores(name: str) -> None:
    case = read_case("cut_nets", name)
    config = StyleGAN2DiscriminatorConfig(channels=case.config["ndf"], size=case.config["size"])
    module = StyleGAN2Discriminator(config).eval()
    case.load_weights(module)
    check_counts(case, module)
    with torch.no_grad():
        made = module(case.tensors["in/x"])
    assert_close(made, case.tensors["out/y"], case.atol())


@pytest.mark.parametrize(("config", "parameters"), [(StyleGAN2GeneratorConfig(), 3_068_404)])
def test_a_full_size_generator_has_the_published_number_of_parameters(
    config: StyleGAN2GeneratorConfig, parameters: int
) -> None:
    with torch.device("meta"):
        assert sum(p.numel() for p in StyleGAN2Generator(config).parameters()) == parameters
        judge = StyleGAN2Discriminator(StyleGAN2DiscriminatorConfig())
        assert sum(p.numel() for p in judge.parameters()) == 5_885_473


def test_the_non_saturating_loss_of_every_sample_agrees() -> None:
    case = read_case("cut_nets", "ganloss_nonsaturating")
    score, atol = case.tensors["in/pred"], case.about["suggested_atol"]
    for real, name in ((True, "real"), (False, "fake")):
        expected = case.tensors[f"out/{name}_per_sample"]
        made = torch.stack([gan_loss(one[None], real, "nonsaturating") for one in score])
        assert_close(made, expected, atol)
        assert_close(gan_loss(score, real, "nonsaturating"), expected.mean(), atol)


class Replayed:
    """The places that the reference drew in one step."""

    def __init__(self, case: GoldenCase, step: int) -> None:
        self.left = [case.group(f"in/patch_ids/step{step}/call{call}/layer") for call in range(2)]

    def mirrored(self) -> bool:
        raise AssertionError

    def places(self, maps: Sequence[Tensor], count: int) -> list[Tensor]:
        drawn = self.left.pop(0)
        assert len(maps) == len(drawn)
        assert all(len(ids) == count for ids in drawn.values())
        return [drawn[str(index)] for index in range(len(drawn))]


CHANCE = "G/decoder.convs.3.noise.weight"
"""What depends on noise that is not recorded; while its strength is 0, nothing else does."""


@pytest.mark.parametrize("name", [name for name in cases("cut_train") if name.startswith("sincut")])
def test_a_step_of_sincut_agrees(name: str) -> None:
    """In float64, for the reason that `test_classic_training` gives."""
    case = read_case("cut_train", name)
    options, rule = case.about["options"], case.about["procedural_weights"]
    a, b = case.tensors["in/A0"], case.tensors["in/B0"]
    setting = SinCutSetting(
        channels=options["ngf"],
        judge_channels=options["ndf"],
        crop=options["crop_size"],
        batch=options["batch_size"],
        patches=options["num_patches"],
        features=options["netF_nc"],
        temperature=options["nce_T"],
        gan_weight=options["lambda_GAN"],
        nce_weight=options["lambda_NCE"],
        r1_weight=options["lambda_R1"],
        identity_weight=options["lambda_identity"],
        rate=options["lr"],
    )
    assert options["nce_layers"] == "0,2,4"
    recipe = SinCUT(lambda _: {"a": a, "b": b}, setting, choices=lambda _: Replayed(case, 0))
    nets = {"G": recipe.g, "F": recipe.heads, "D": recipe.d}
    for net, module in nets.items():
        fill_procedurally(module, rule["salt_per_net"][net], rule["gain"], rule["unit_per_net"][net])
        module.double()
    step = recipe.train_step({"a": a.double(), "b": b.double()}, 0, StepContext(Accelerator(cpu=True), 0, 0))
    for loss, expected in case.about["losses_per_step"][0].items():
        assert step[loss].item() == pytest.approx(expected, rel=2e-3), loss
    check_gradients(case, nets)
    check_weights(case, nets)


def check_gradients(case: GoldenCase, nets: Mapping[str, nn.Module]) -> None:
    compared = 0
    for name, expected in case.group("out/step1_grad/").items():
        net, _, key = name.partition("/")
        key, _, part = key.partition("|first")
        gradient = nets[net].get_parameter(key).grad
        assert gradient is not None, name
        if name != CHANCE:
            gradient = gradient.flatten()[: int(part)] if part else gradient
            assert_close(gradient, expected, 1e-3 * float(expected.abs().max()), rtol=2e-3, name=name)
            compared += 1
    assert compared == len(case.group("out/step1_grad/")) - 1


def check_weights(case: GoldenCase, nets: Mapping[str, nn.Module]) -> None:
    for name, expected in case.group("out/after/").items():
        net, _, key = name.partition("/")
        key, _, part = key.partition("|first")
        value = nets[net].state_dict()[key]
        if name != CHANCE:
            assert_close(value.flatten()[: int(part)] if part else value, expected, 5e-4, name=name)
