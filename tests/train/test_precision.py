"""Rounded gradients: values are float32's, gradients are near, and what is not replaced stays as it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from train.loop import StepContext
from train.precision import HalfGradients

LAYERS: dict[str, Callable[[], nn.Module]] = {
    "conv": lambda: nn.Conv2d(4, 6, 3, stride=2, padding=1),
    "without bias": lambda: nn.Conv2d(4, 6, (1, 3), padding=(0, 2), dilation=(1, 2), bias=False),
    "mirrored": lambda: nn.Conv2d(4, 6, 3, padding=1, padding_mode="reflect"),
    "transposed": lambda: nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1),
    "depthwise": lambda: nn.Conv2d(4, 4, 3, groups=4),
}


def step(layer: nn.Module, x: Tensor, *, rounded: bool) -> tuple[Tensor, list[Tensor]]:
    given = x.clone().requires_grad_()
    context = StepContext(Accelerator(cpu=True), 0, 0, "gradients" if rounded else "no")
    with context.autocast():
        made = layer(given)
    made.square().sum().backward()
    grads = [t.grad for t in (given, *layer.parameters())]
    layer.zero_grad()
    return made.detach(), [g for g in grads if g is not None]


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_values_are_the_same_and_gradients_near(name: str, layout: torch.memory_format) -> None:
    torch.manual_seed(0)
    layer, x = LAYERS[name](), torch.randn(2, 4, 9, 9).to(memory_format=layout)
    exact, rounded = step(layer, x, rounded=False), step(layer, x, rounded=True)
    torch.testing.assert_close(rounded[0], exact[0], rtol=1e-6, atol=1e-6)
    assert len(rounded[1]) == len(exact[1])
    for near, true in zip(rounded[1], exact[1], strict=True):
        assert near.dtype == torch.float32
        assert float((near - true).norm() / true.norm()) < 0.01
    same = all(torch.equal(near, true) for near, true in zip(rounded[1], exact[1], strict=True))
    assert same == (name == "depthwise")


def test_a_layer_that_does_not_learn_passes_gradients_on() -> None:
    torch.manual_seed(0)
    layer, x = nn.Conv2d(3, 2, 3).requires_grad_(False), torch.randn(1, 3, 8, 8)
    _, (gradient,) = step(layer, x, rounded=True)
    assert gradient.abs().sum() > 0


def test_a_penalty_on_a_slope_is_refused_rather_than_wrong() -> None:
    x = torch.randn(1, 3, 8, 8, requires_grad=True)
    with HalfGradients():
        made = nn.Conv2d(3, 2, 3)(x)
    (slope,) = torch.autograd.grad(made.square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        slope.square().sum().backward()
