"""Losses agree with the numbers of the reference implementations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file

from pixel_models.archs.native_cyclegan import lsgan_loss


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
