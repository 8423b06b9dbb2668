"""Our instance norm is PyTorch's, whatever the layout of what comes in, forward, back, and once more back."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from pixel_models.ops.norms import InstanceNorm, norm_layer


def by_definition(x: Tensor) -> Tensor:
    mean = x.mean((2, 3), keepdim=True)
    return (x - mean) / ((x - mean).square().mean((2, 3), keepdim=True) + 1e-5).sqrt()


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("layout_back", [torch.contiguous_format, torch.channels_last])
def test_values_and_gradients_are_those_of_the_definition_in_every_layout(
    layout: torch.memory_format, layout_back: torch.memory_format
) -> None:
    torch.manual_seed(0)
    x = (torch.randn(2, 5, 6, 7, dtype=torch.float64) * 3 + 1).to(memory_format=layout)
    back = torch.randn(2, 5, 6, 7, dtype=torch.float64).to(memory_format=layout_back)
    found = []
    for norm in (norm_layer("instance", 5), by_definition):
        given = x.clone().requires_grad_()
        made = norm(given)
        made.backward(back)
        assert given.grad is not None
        found.append((made.detach(), given.grad))
    torch.testing.assert_close(found[0], found[1], rtol=0, atol=1e-12)


def test_a_slope_has_a_gradient_itself() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 3, 4, 4, dtype=torch.float64)
    found = []
    for norm in (InstanceNorm(3), by_definition):
        given = x.clone().requires_grad_()
        (slope,) = torch.autograd.grad(norm(given).pow(3).sum(), given, create_graph=True)
        slope.square().sum().backward()
        found.append(given.grad)
    torch.testing.assert_close(found[0], found[1], rtol=1e-9, atol=1e-9)


def test_it_has_no_state_and_complains_of_a_single_value() -> None:
    norm = InstanceNorm(3)
    assert norm.state_dict() == {}
    with pytest.raises(ValueError, match="more than 1 spatial element"):
        norm(torch.zeros(1, 3, 1, 1))
