"""Colour: reference values, there and back, and gradients."""

from __future__ import annotations

import pytest
import torch
from coloraide import Color
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pixel_models.color import linear_to_srgb, oklab_to_srgb, srgb_to_linear, srgb_to_oklab

EIGHT_BIT = st.tuples(*[st.integers(0, 255)] * 3)


def in_space(rgb: tuple[int, int, int], space: str) -> Tensor:
    """What coloraide says."""
    color = Color("srgb", [value / 255 for value in rgb])
    color.convert(space, in_place=True)
    return torch.tensor(color.coords())


@given(EIGHT_BIT)
@settings(max_examples=200, deadline=None)
def test_oklab_agrees_with_coloraide(rgb: tuple[int, int, int]) -> None:
    ours = srgb_to_oklab(torch.tensor(rgb) / 255, dim=0)
    theirs = in_space(rgb, "oklab")
    assert (ours - theirs).abs().max() < 2e-5


@given(EIGHT_BIT)
@settings(max_examples=100, deadline=None)
def test_linear_light_agrees_with_coloraide(rgb: tuple[int, int, int]) -> None:
    ours = srgb_to_linear(torch.tensor(rgb) / 255)
    theirs = in_space(rgb, "srgb-linear")
    assert (ours - theirs).abs().max() < 1e-6


def test_every_8_bit_grey_comes_back_from_linear_light() -> None:
    greys = torch.arange(256) / 255
    assert torch.equal((linear_to_srgb(srgb_to_linear(greys)) * 255).round(), torch.arange(256.0))


def test_8_bit_colours_come_back_from_oklab() -> None:
    levels = torch.tensor([0, 1, 2, 7, 31, 64, 127, 128, 200, 254, 255])
    colors = torch.cartesian_prod(levels, levels, levels)  # n 3
    back = oklab_to_srgb(srgb_to_oklab(colors / 255, dim=1), dim=1)
    assert torch.equal((back * 255).round().long(), colors)


def test_black_white_and_red_have_their_known_oklab_values() -> None:
    rgb = torch.tensor([[0.0, 0, 0], [1, 1, 1], [1, 0, 0]])
    expected = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0.627955, 0.224863, 0.125846]])  # Ottosson 2020, red in sRGB
    assert torch.allclose(srgb_to_oklab(rgb, dim=-1), expected, atol=1e-5)


@pytest.mark.parametrize("dim", [0, 1, 2, 3, -1])
def test_the_channel_axis_can_be_anywhere(dim: int) -> None:
    first = torch.rand(3, 2, 4, 5, generator=torch.Generator().manual_seed(0))
    moved = first.movedim(0, dim)
    expected = srgb_to_oklab(first, dim=0).movedim(0, dim)
    assert torch.allclose(srgb_to_oklab(moved, dim=dim), expected, atol=1e-6)
    assert torch.allclose(oklab_to_srgb(srgb_to_oklab(moved, dim=dim), dim=dim), moved, atol=1e-4)


@pytest.mark.parametrize("value", [0.0, 1e-12, 1e-6, 0.5, 1.0])
def test_gradients_are_finite_everywhere(value: float) -> None:
    rgb = torch.full((1, 3, 2, 2), value, requires_grad=True)
    oklab_to_srgb(srgb_to_oklab(rgb)).sum().backward()
    assert rgb.grad is not None
    assert torch.isfinite(rgb.grad).all()
    lab = torch.zeros(1, 3, 2, 2, requires_grad=True)
    oklab_to_srgb(lab).sum().backward()
    assert lab.grad is not None
    assert torch.isfinite(lab.grad).all()


def test_the_gradient_is_the_slope() -> None:
    rgb = torch.rand(1, 3, 2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * 0.8 + 0.1
    assert torch.autograd.gradcheck(srgb_to_oklab, rgb.requires_grad_())
    assert torch.autograd.gradcheck(oklab_to_srgb, srgb_to_oklab(rgb).detach().requires_grad_())


def test_colours_outside_srgb_are_clamped() -> None:
    far = torch.tensor([[0.7, 0.4, 0.4], [1.5, 0, 0], [-0.2, 0, 0]])
    rgb = oklab_to_srgb(far, dim=1)
    assert rgb.min() >= 0
    assert rgb.max() <= 1


def test_half_precision_is_computed_in_float32() -> None:
    rgb = torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(2)).half()
    assert srgb_to_oklab(rgb).dtype == torch.float32
    assert torch.equal(srgb_to_oklab(rgb), srgb_to_oklab(rgb.float()))


def test_autocast_does_not_lower_the_precision() -> None:
    rgb = torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(3))
    plain = srgb_to_oklab(rgb)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(srgb_to_oklab(rgb), plain)
