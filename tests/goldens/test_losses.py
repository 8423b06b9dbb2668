"""Losses agree with the numbers of the reference implementations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from golden import GoldenCase, assert_close, cases, read_case
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from pixel_models.archs.native_cyclegan import lsgan_loss
from train.losses import kl_from_normal
from train.metrics import frechet_distance
from train.ssim import squared_error, ssim


def test_the_least_squares_loss_and_its_gradient_agree(goldens: Path) -> None:
    case = goldens / "gan_losses" / "ganloss_and_gp"
    expected = json.loads(case.with_suffix(".json").read_text())
    values, rtol = expected["results"]["lsgan"], expected["suggested_rtol"]
    score = load_file(case.with_suffix(".safetensors"))["in/pred"].requires_grad_()
    real = lsgan_loss(score, real=True)
    real.backward()
    assert real.item() == pytest.approx(values["real"], rel=rtol)
    assert lsgan_loss(score, real=False).item() == pytest.approx(values["fake"], rel=rtol)
    assert score.grad is not None
    assert score.grad.flatten()[:5].tolist() == pytest.approx(values["grad_real_first5"], rel=rtol)


@pytest.fixture(params=[name for name in cases("losses_metrics") if name == "image_losses"])
def pictures(request: pytest.FixtureRequest) -> GoldenCase:
    return read_case("losses_metrics", request.param)


def inputs(case: GoldenCase, *names: str) -> list[Tensor]:
    return [case.tensors[f"in/{name}"] for name in names]


def test_ssim_agrees_for_each_picture_and_for_equal_and_inverted_ones(pictures: GoldenCase) -> None:
    made, target = inputs(pictures, "pred", "target")
    values, rtol = pictures.about["results"], pictures.about["suggested_rtol"]
    assert_close(ssim(made, target), pictures.tensors["out/ssim_per_image"], 1e-5)
    assert ssim(made, target).mean().item() == pytest.approx(values["ssim_mean"], rel=rtol)
    assert ssim(target, target).mean().item() == pytest.approx(values["ssim_identical"], rel=rtol)
    assert ssim(1 - target, target).mean().item() == pytest.approx(values["ssim_inverted"], rel=rtol)


def test_squared_error_and_divergences_agree(pictures: GoldenCase) -> None:
    made, target, mean, log_variance = inputs(pictures, "pred", "target", "mu", "log_var")
    values, rtol = pictures.about["results"], pictures.about["suggested_rtol"]
    error, divergence = squared_error(made, target).mean().item(), kl_from_normal(mean, log_variance)
    assert error == pytest.approx(values["mse_sumFalse"], rel=rtol)
    assert F.mse_loss(made, target, reduction="sum").item() == pytest.approx(values["mse_sumTrue"], rel=rtol)
    assert divergence.mean().item() == pytest.approx(values["kl_sumFalse"], rel=rtol)
    assert divergence.sum().item() == pytest.approx(values["kl_sumTrue"], rel=rtol)


def test_the_losses_of_the_vae_and_of_the_pixel_vae_add_up(pictures: GoldenCase) -> None:
    made, target, mean, log_variance = inputs(pictures, "pred", "target", "mu", "log_var")
    values, rtol = pictures.about["results"], pictures.about["suggested_rtol"]
    error, divergence = squared_error(made, target).mean(), kl_from_normal(mean, log_variance).mean()
    assert (error + divergence).item() == pytest.approx(values["vae_sumFalse"]["total"], rel=rtol)
    pixel = error + 1 - ssim(made, target).mean() + 0.1 * divergence
    assert pixel.item() == pytest.approx(values["vae_ssim_kl0.1_sumFalse"]["total"], rel=rtol)


@pytest.mark.parametrize("name", [name for name in cases("losses_metrics") if name == "frechet"])
def test_the_frechet_distance_agrees(name: str) -> None:
    case = read_case("losses_metrics", name)
    one, two = inputs(case, "f1", "f2")
    values, rtol = case.about["results"], case.about["suggested_rtol"]
    assert frechet_distance(one, two) == pytest.approx(values["f1_f2"], rel=rtol)
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-9)
    few = frechet_distance(one[:4], two[:3])
    assert few == pytest.approx(values["rank_deficient"], rel=case.about["rank_deficient_rtol"])
