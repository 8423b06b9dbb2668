"""Training of the classic CycleGAN and pix2pix agrees with the reference: losses, pool, schedules, pictures, steps."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any, cast

import pytest
import torch
from accelerate import Accelerator
from golden import GoldenCase, assert_close, cases, fill_procedurally, read_case
from PIL import Image
from torch import Tensor, nn

from pixel_models.archs.patchgan import PatchDiscriminator, PatchDiscriminatorConfig
from train.aligned import PairedBatches
from train.classic import ClassicCycleGAN, CycleWeights
from train.classic_parts import ClassicSetting
from train.gan import GanMode, between, gan_loss, gradient_penalty
from train.image_io import Placement, Preparation, multiple_of_four, scaled_to_width, to_unit
from train.loop import StepContext
from train.pix2pix import Pix2Pix
from train.pool import Exchange, ImagePool
from train.schedules import EpochSchedule


def as_python_chooses(chance: random.Random) -> Exchange:
    """The reference's choices, by Python's own generator."""
    return lambda size: chance.randint(0, size - 1) if chance.uniform(0, 1) > 0.5 else None


@pytest.mark.parametrize("mode", ["lsgan", "vanilla", "wgangp"])
def test_an_adversarial_loss_and_its_gradient_agree(mode: GanMode) -> None:
    case = read_case("gan_losses", "ganloss_and_gp")
    expected, rtol = case.about["results"][mode], case.about["suggested_rtol"]
    score = case.tensors["in/pred"].clone().requires_grad_()
    loss = gan_loss(score, True, mode)
    loss.backward()
    assert loss.item() == pytest.approx(expected["real"], rel=rtol)
    assert gan_loss(score, False, mode).item() == pytest.approx(expected["fake"], rel=rtol)
    assert score.grad is not None
    assert score.grad.flatten()[:5].tolist() == pytest.approx(expected["grad_real_first5"], rel=rtol)


@pytest.mark.parametrize("where", ["real", "fake", "mixed"])
def test_the_gradient_penalty_agrees(where: str) -> None:
    case = read_case("gan_losses", "ganloss_and_gp")
    judge = PatchDiscriminator(PatchDiscriminatorConfig(channels=4))
    case.load_weights(judge)
    real, fake = case.tensors["in/real"], case.tensors["in/fake"]
    points = {"real": real, "fake": fake, "mixed": between(real, fake, case.tensors["in/alpha"])}[where]
    expected = case.about["gradient_penalty_lambda10_constant1"][where]
    assert gradient_penalty(judge, points).item() == pytest.approx(expected, rel=case.about["suggested_rtol"])


@pytest.mark.parametrize("index", range(4))
def test_a_pool_returns_the_references_pictures(index: int) -> None:
    run = read_case("image_pool", "pool_sequences").about["runs"][index]
    pool = ImagePool(run["pool_size"], (1, 1, 1))
    exchange = as_python_chooses(random.Random(run["python_random_seed"]))  # noqa: S311  no secret
    arrived = torch.arange(run["batch"] * len(run["returned_ids_per_query"])).float().view(-1, run["batch"], 1, 1, 1)
    returned = [pool.query(made, exchange).flatten().int().tolist() for made in arrived]
    assert returned == run["returned_ids_per_query"]


@pytest.mark.parametrize("index", range(10))
def test_the_learning_rate_of_every_epoch_agrees(index: int) -> None:
    about = read_case("schedules", "lr_per_epoch").about
    table = about["tables"][index]
    schedule = EpochSchedule(
        policy=table["policy"],
        epochs=table["n_epochs"],
        decay_epochs=table["n_epochs_decay"],
        first=table["epoch_count"],
        rule="upstream" if table["step_position"] == "begin" else "older",
    )
    ours = {epoch: about["base_lr"] * schedule.factor(int(epoch)) for epoch in table["lr"]}
    assert ours == pytest.approx(table["lr"], rel=1e-6, abs=1e-12)


def test_the_sizes_of_prepared_pictures_agree() -> None:
    about = read_case("image_io", "size_rules").about
    for text, expected in about["make_multiple_of_4 (w,h)"].items():
        width, height = map(int, text.split("x"))
        assert multiple_of_four((width, height)) == tuple(expected), text
    for text, expected in about["scale_width (w,h)->load,crop"].items():
        size, _, target = text.partition("->")
        width, height = map(int, size.split("x"))
        load, crop = map(int, target.split(","))
        assert scaled_to_width((width, height), load, crop) == tuple(expected), text


def test_a_prepared_picture_agrees() -> None:
    case = read_case("image_io", "transform")
    picture, atol = Image.fromarray(case.tensors["in/rgb_hwc"].numpy()), case.about["suggested_atol"]
    made = Preparation(load=48, crop=32).apply(picture, Placement(left=9, top=5, flip=True))
    assert_close(made, case.tensors["out/resize48_crop32_at_9_5_flip"], atol)
    made = Preparation(mode="none").apply(picture.crop((0, 0, 38, 29)), Placement())
    assert_close(made, case.tensors["out/none_38x29"], atol)


def test_faithful_eight_bit_values_agree() -> None:
    case = read_case("image_io", "tensor2im")
    levels = (to_unit(case.tensors["in/x"], faithful=True)[0] * 255).round().to(torch.uint8)
    assert torch.equal(levels.permute(1, 2, 0), case.tensors["out/uint8_hwc"])


def setting_of(options: Mapping[str, Any], side: int) -> ClassicSetting:
    """Our setting for the reference's options."""
    return ClassicSetting(
        arch=options["netG"],
        channels=options["ngf"],
        judge_channels=options["ndf"],
        layers=options["n_layers_D"],
        norm=options["norm"],
        dropout=not options["no_dropout"],
        gan_mode=options["gan_mode"],
        pool=options["pool_size"],
        rate=options["lr"],
        load=side,
        crop=side,
    )


def check_gradients(case: GoldenCase, nets: Mapping[str, nn.Module]) -> None:
    """Those of the first step, which a step leaves behind."""
    without_effect = idle(case)
    for name, expected in case.group("out/step1_grad/").items():
        net, _, key = name.partition("/")
        key, _, part = key.partition("|first")
        gradient = nets[net].get_parameter(key).grad
        assert gradient is not None, name
        gradient = gradient.flatten()[: int(part)] if part else gradient
        if name in without_effect:
            assert float(gradient.abs().max()) < without_effect[name], name
        else:
            assert_close(gradient, expected, 1e-4 * float(expected.abs().max()), rtol=1e-3, name=name)


def idle(case: GoldenCase) -> dict[str, float]:
    """Biases before an instance norm, whose gradients are rounding alone, and how small that has to be."""
    gradients = case.group("out/step1_grad/")
    floor = 1e-5 * max(float(gradient.abs().max()) for gradient in gradients.values())
    return {name: floor for name, g in gradients.items() if name.endswith("bias") and float(g.abs().max()) < floor}


def check_weights(case: GoldenCase, nets: Mapping[str, nn.Module]) -> None:
    """Those after the last step, loosely: Adam makes whole steps of tiny differences."""
    without_effect, furthest = idle(case), 2 * case.about["options"]["lr"] * case.about["steps"]
    for name, expected in case.group("out/after/").items():
        net, _, key = name.partition("/")
        key, _, part = key.partition("|first")
        value = nets[net].state_dict()[key]
        value = value.flatten()[: int(part)] if part else value
        assert_close(value, expected, furthest if name in without_effect else 5e-4, name=name)


@pytest.mark.parametrize("name", cases("cyclegan_train"))
def test_steps_of_cyclegan_agree(name: str) -> None:
    case = read_case("cyclegan_train", name)
    options, salts = case.about["options"], case.about["procedural_weights"]["salt_per_net"]
    a, b = case.tensors["in/A0"], case.tensors["in/B0"]
    weights = CycleWeights(
        cycle_a=options["lambda_A"], cycle_b=options["lambda_B"], identity=options["lambda_identity"]
    )
    chance = random.Random(case.about["python_random_seed"])  # noqa: S311  no secret
    recipe = ClassicCycleGAN(
        lambda _: a[0],
        lambda _: b[0],
        setting_of(options, a.shape[-1]),
        weights,
        exchange=lambda _: as_python_chooses(chance),
    )
    nets = {"G_A": recipe.g_a, "G_B": recipe.g_b, "D_A": recipe.d_a, "D_B": recipe.d_b}
    for net, module in nets.items():
        fill_procedurally(module, salts[net], case.about["procedural_weights"]["gain"])
    with torch.no_grad():
        assert_close(recipe.g_a(a), case.tensors["out/step1_fake_B"], 1e-5)
    check_steps(case, recipe, nets)


@pytest.mark.parametrize("name", cases("pix2pix_train"))
def test_steps_of_pix2pix_agree(name: str) -> None:
    case = read_case("pix2pix_train", name)
    options, a, b = case.about["options"], case.tensors["in/A0"], case.tensors["in/B0"]
    pairs = PairedBatches(lambda _: (a[0], b[0]), len(a))
    recipe = Pix2Pix(pairs, setting_of(options, a.shape[-1]), l1=options["lambda_L1"])
    nets = {"G": recipe.g, "D": recipe.d}
    for net, module in nets.items():
        module.load_state_dict(case.group(f"sd/{net}/"))
    check_steps(case, recipe, nets)


def check_steps(case: GoldenCase, recipe: ClassicCycleGAN | Pix2Pix, nets: Mapping[str, nn.Module]) -> None:
    """The losses of every step, the gradients of the first, and the weights after the last; in float64.

    In float32 a processor's rounding decides on which side of zero a value before a ReLU or an absolute difference
    falls, and one that falls on the other changes gradients by up to a tenth.
    """
    pools = [recipe.made_a, recipe.made_b] if isinstance(recipe, ClassicCycleGAN) else []
    for module in (*nets.values(), *pools):
        module.double()
    accelerator = Accelerator(cpu=True)
    for step, expected in enumerate(cast("list[dict[str, float]]", case.about["losses_per_step"])):
        batch: dict[str, Tensor] = {side.lower(): case.tensors[f"in/{side}{step}"].double() for side in "AB"}
        losses = recipe.train_step(batch, step, StepContext(accelerator, 0, step))
        logged = {name: losses[name].item() if name in losses else 0.0 for name in expected}
        assert logged == pytest.approx(expected, rel=2e-3)
        if step == 0:
            check_gradients(case, nets)
    check_weights(case, nets)
