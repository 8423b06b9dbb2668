"""The convolutions with few outputs are PyTorch's: keys, values, gradients."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pixel_models.ops.narrow import NarrowConv2d, NarrowConvTranspose2d

PAIRS = {
    **{f"kernel {k}": (lambda k=k: NarrowConv2d(5, 3, k), lambda k=k: nn.Conv2d(5, 3, k)) for k in (1, 3, 7)},
    "transposed": (lambda: NarrowConvTranspose2d(5, 3, 4, 2, 1), lambda: nn.ConvTranspose2d(5, 3, 4, 2, 1)),
    "transposed 3": (lambda: NarrowConvTranspose2d(5, 3, 3, 1, 0), lambda: nn.ConvTranspose2d(5, 3, 3, 1, 0)),
}


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("name", PAIRS)
def test_it_is_an_ordinary_convolution_done_otherwise(name: str, layout: torch.memory_format) -> None:
    torch.manual_seed(0)
    ours, plain = (make().double() for make in PAIRS[name])
    plain.load_state_dict(ours.state_dict())
    found = []
    for layer in (ours, plain):
        torch.manual_seed(1)
        x = torch.randn(2, 5, 9, 12, dtype=torch.float64).to(memory_format=layout).requires_grad_()
        made = layer(x)
        made.pow(3).sum().backward()
        found.append([made, x.grad, layer.weight.grad, layer.bias.grad])
    torch.testing.assert_close(found[0], found[1], rtol=1e-9, atol=1e-9)


def test_in_bfloat16_its_sums_lose_no_more_than_the_ordinary_ones() -> None:
    torch.manual_seed(0)
    layer, x = NarrowConv2d(32, 3, 7), torch.randn(1, 32, 20, 20)
    layer.requires_grad_(False)
    exact = nn.Conv2d.forward(layer, x)
    with torch.autocast("cpu", torch.bfloat16):
        found = [made(layer, x).float() - exact for made in (NarrowConv2d.forward, nn.Conv2d.forward)]
    assert float(found[0].std()) < 1.5 * float(found[1].std())
