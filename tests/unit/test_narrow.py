"""The convolution with few outputs is PyTorch's: keys, values, gradients."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pixel_models.ops.narrow import NarrowConv2d


@pytest.mark.parametrize("kernel", [1, 3, 7])
def test_it_is_an_ordinary_convolution_done_otherwise(kernel: int) -> None:
    torch.manual_seed(0)
    ours, plain = NarrowConv2d(5, 3, kernel).double(), nn.Conv2d(5, 3, kernel).double()
    plain.load_state_dict(ours.state_dict())
    found = []
    for layer in (ours, plain):
        torch.manual_seed(1)
        x = torch.randn(2, 5, 9, 12, dtype=torch.float64, requires_grad=True)
        made = layer(x)
        made.pow(3).sum().backward()
        found.append([made, x.grad, layer.weight.grad, layer.bias.grad])  # pyright: ignore[reportOptionalMemberAccess]
    torch.testing.assert_close(found[0], found[1], rtol=1e-9, atol=1e-9)
