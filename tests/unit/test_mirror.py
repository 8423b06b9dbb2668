"""Reflection padding: PyTorch's numbers and gradients."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck

from pixel_models.ops.mirror import ReflectionPad2d


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(("margin", "size"), [(1, (2, 2)), (1, (3, 7)), (3, (4, 4)), (3, (9, 5)), (2, (16, 8))])
def test_a_mirrored_rim_has_the_same_numbers_and_gradients_as_torchs(
    margin: int, size: tuple[int, int], layout: torch.memory_format
) -> None:
    generator = torch.Generator().manual_seed(margin)
    x = torch.randn(2, 3, *size, generator=generator).to(memory_format=layout).requires_grad_()
    made, expected = ReflectionPad2d(margin)(x), nn.ReflectionPad2d(margin)(x)
    assert made.equal(expected)
    slope = torch.randn(made.shape, generator=generator)
    (got,), (wanted,) = (torch.autograd.grad(y, x, slope) for y in (made, expected))
    torch.testing.assert_close(got, wanted)


def test_finite_differences_agree_with_the_gradient() -> None:
    x = torch.randn(1, 2, 4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert gradcheck(ReflectionPad2d(2), (x,))


def test_too_wide_a_margin_is_refused_with_and_without_a_gradient() -> None:
    pad = ReflectionPad2d(3)
    for x in (torch.zeros(1, 1, 3, 3), torch.zeros(1, 1, 3, 3, requires_grad=True)):
        with pytest.raises(RuntimeError, match=r"[Pp]adding"):
            pad(x)
