"""Reflection padding whose gradient is quick on processors: PyTorch adds it up pixel by pixel, we by strips."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F


class _Mirror(torch.autograd.Function):
    """`F.pad(x, (margin,) * 4, mode="reflect")`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, margin: int) -> Tensor:  # noqa: ANN401  holds whatever it is given
        """`b c h w` to `b c h+2m w+2m`."""
        ctx.margin = margin
        return F.pad(x, (margin,) * 4, mode="reflect")

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401  # pyright: ignore[reportIncompatibleMethodOverride]
        """What lies in the margins is added to what it mirrors, rows first."""
        (grad,) = grad_outputs
        for dim in (2, 3):
            grad = _fold_back(grad, dim, ctx.margin)
        return grad, None


def _fold_back(grad: Tensor, dim: int, margin: int) -> Tensor:
    inner = grad.shape[dim] - 2 * margin
    kept = grad.narrow(dim, margin, inner).clone(memory_format=torch.contiguous_format)
    kept.narrow(dim, 1, margin).add_(grad.narrow(dim, 0, margin).flip(dim))
    kept.narrow(dim, inner - 1 - margin, margin).add_(grad.narrow(dim, margin + inner, margin).flip(dim))
    return kept


class ReflectionPad2d(nn.ReflectionPad2d):
    """`nn.ReflectionPad2d` of one margin for all sides; the same numbers, their gradients to rounding."""

    def __init__(self, padding: int) -> None:
        """As `nn.ReflectionPad2d`."""
        super().__init__(padding)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  the name that PyTorch's has
        """`b c h w` to `b c h+2m w+2m`."""
        ours = torch.is_grad_enabled() and input.requires_grad and input.device.type == "cpu"
        if ours and input.ndim == 4 and input.is_contiguous():  # channels-last gradients are quick as they are
            return _Mirror.apply(input, self.padding[0])
        return super().forward(input)
