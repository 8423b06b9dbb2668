"""Starting weights, adversarial losses and the gradient penalty, on values that can be worked out by hand."""

from __future__ import annotations

import math
from typing import get_args

import pytest
import torch
from torch import Tensor, nn

from pixel_models.archs.resnet import ResnetGenerator, ResnetGeneratorConfig
from train.gan import GanMode, InitKind, between, gan_loss, gradient_penalty, init_weights, r1_penalty


@pytest.mark.parametrize(
    ("kind", "gain", "spread"),
    [
        ("normal", 0.02, 0.02),
        ("xavier", 0.02, 0.02 * math.sqrt(2 / (64 * 9 + 128 * 9))),
        ("kaiming", 0.02, math.sqrt(2 / (64 * 9))),
        ("orthogonal", 0.5, 0.5 / math.sqrt(64 * 9)),
    ],
)
def test_starting_weights_have_the_spread_of_their_kind(kind: InitKind, gain: float, spread: float) -> None:
    conv = nn.Conv2d(64, 128, 3)
    init_weights(nn.Sequential(conv), kind, gain, torch.Generator().manual_seed(0))
    assert conv.weight.std().item() == pytest.approx(spread, rel=0.02)
    assert abs(conv.weight.mean().item()) < 0.05 * spread
    assert conv.bias is not None
    assert not conv.bias.any()


def test_a_generator_of_numbers_decides_everything_and_the_global_one_is_not_touched() -> None:
    config = ResnetGeneratorConfig(channels=4, blocks=1, norm="batch")
    before = torch.get_rng_state()
    states = []
    for seed in (0, 0, 1):
        with torch.random.fork_rng():
            module = ResnetGenerator(config)
        init_weights(module, generator=torch.Generator().manual_seed(seed))
        states.append(module.state_dict())
    assert torch.equal(before, torch.get_rng_state())
    one, again, other = (torch.cat([value.flatten().float() for value in state.values()]) for state in states)
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    scale = states[0]["model.2.weight"]
    assert 0 < (scale - 1).abs().max() < 0.1


def test_the_losses_are_what_their_formulas_say() -> None:
    score = torch.tensor([[0.5, -1.0]])
    assert gan_loss(score, real=True).item() == pytest.approx((0.25 + 4) / 2)
    assert gan_loss(score, real=False).item() == pytest.approx((0.25 + 1) / 2)
    softplus = [math.log1p(math.exp(v)) for v in (-0.5, 1.0, 0.5, -1.0)]
    assert gan_loss(score, real=True, mode="vanilla").item() == pytest.approx(sum(softplus[:2]) / 2)
    assert gan_loss(score, real=False, mode="vanilla").item() == pytest.approx(sum(softplus[2:]) / 2)
    assert gan_loss(score, real=True, mode="wgangp").item() == pytest.approx(0.25)
    assert gan_loss(score, real=False, mode="wgangp").item() == pytest.approx(-0.25)
    assert gan_loss(score, real=True, mode="nonsaturating").item() == pytest.approx(sum(softplus[:2]) / 2)
    assert gan_loss(score, real=False, mode="nonsaturating").item() == pytest.approx(sum(softplus[2:]) / 2)


def test_an_unknown_word_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ValueError, match=get_args(InitKind)[-1]):
        init_weights(nn.Conv2d(1, 1, 1), "uniform")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match=get_args(GanMode)[-1]):
        gan_loss(torch.zeros(1), real=True, mode="hinge")  # pyright: ignore[reportArgumentType]


def test_the_penalty_of_a_straight_slope_is_its_distance_from_one_and_reaches_the_critic() -> None:
    weight = torch.tensor([3.0, 4.0], requires_grad=True)

    def critic(x: Tensor) -> Tensor:
        return x @ weight  # a slope of 5 everywhere

    penalty = gradient_penalty(critic, torch.rand(6, 2))
    assert penalty.item() == pytest.approx(10 * (5 - 1) ** 2)
    penalty.backward()
    assert weight.grad is not None
    assert weight.grad.tolist() == pytest.approx([10 * 2 * 4 * 3 / 5, 10 * 2 * 4 * 4 / 5])


def test_the_penalty_at_real_pictures_is_half_the_mean_squared_slope_and_reaches_the_discriminator() -> None:
    weight = torch.tensor([3.0, 4.0], requires_grad=True)
    real = torch.tensor([[1.0, 2.0], [-1.0, 3.0], [0.0, 0.0], [2.0, 2.0]], requires_grad=True)
    penalty = r1_penalty((real.square() @ weight)[:, None], real, weight=3.0)  # the slope is 2 * weight * real
    slopes = [(6 * x) ** 2 + (8 * y) ** 2 for x, y in real.tolist()]
    assert penalty.item() == pytest.approx(3.0 / 2 * sum(slopes) / 4)
    penalty.backward()
    assert weight.grad is not None
    columns = real.detach().square().sum(dim=0).tolist()
    assert weight.grad.tolist() == pytest.approx([3.0 / 2 * 8 * 3 * columns[0] / 4, 3.0 / 2 * 8 * 4 * columns[1] / 4])


def test_points_between_take_each_pairs_own_share() -> None:
    mixed = between(torch.ones(2, 3, 4, 4), torch.zeros(2, 3, 4, 4), torch.tensor([0.25, 1.0]))
    assert torch.equal(mixed[:, 0, 0, 0], torch.tensor([0.25, 1.0]))
