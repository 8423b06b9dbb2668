"""Convolutions that are exact forward and rounded back: losses are float32's, gradients come at bfloat16's speed.

Two thirds of a training step's arithmetic is the backward pass. What it works with, the convolution's input, weight and
gradient, is rounded to bfloat16 here, as autocast does; the forward pass, and so every loss, is float32's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

Pair = tuple[int, int]


class _Convolution(torch.autograd.Function):
    """`aten::convolution` whose backward pass is in bfloat16."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401  holds whatever it is given
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        stride: Pair,
        padding: Pair,
        dilation: Pair,
        transposed: bool,
        output_padding: Pair,
        groups: int,
    ) -> Tensor:
        """Convolve `b c h w` in its own precision, and keep what the backward pass needs in half."""
        ctx.save_for_backward(x.bfloat16(), weight.bfloat16())
        ctx.types = x.dtype, weight.dtype
        ctx.biased = None if bias is None else list(bias.shape)
        ctx.layout = stride, padding, dilation, transposed, output_padding, groups
        return torch.convolution(x, weight, bias, *ctx.layout)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401  # pyright: ignore[reportIncompatibleMethodOverride]
        """Gradients of input, weight and bias."""
        (grad,) = grad_outputs
        x, weight = ctx.saved_tensors
        wanted = [*ctx.needs_input_grad[:2], False]
        to_x, to_weight, _ = torch.ops.aten.convolution_backward(
            grad.bfloat16(), x, weight, ctx.biased, *ctx.layout, wanted
        )
        to_bias = grad.sum((0, 2, 3)) if ctx.needs_input_grad[2] else None
        found = [g if g is None else g.to(kind) for g, kind in zip((to_x, to_weight), ctx.types, strict=True)]
        return *found, to_bias, *[None] * 6


class HalfGradients(TorchFunctionMode):
    """While it is on, convolutions are `_Convolution`s; a penalty on gradients must be computed outside."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401  as PyTorch has it
        """Replace the two kinds of convolution that networks of pictures have."""
        del types
        if func is F.conv2d and torch.is_grad_enabled():
            return _conv(*args, **(kwargs or {}))
        if func is F.conv_transpose2d and torch.is_grad_enabled():
            return _conv_transpose(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def _pair(value: int | Sequence[int]) -> Pair:
    first, *others = (value,) if isinstance(value, int) else value
    return (first, others[0] if others else first)


def _conv(
    input: Tensor,  # noqa: A002  PyTorch's name, as are the others
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | str = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    if isinstance(padding, str) or input.dtype != torch.float32 or groups > 1:  # depthwise ones are quick as they are
        return F.conv2d(input, weight, bias, stride, padding, dilation, groups)
    layout = _pair(stride), _pair(padding), _pair(dilation), False, (0, 0), groups
    return _Convolution.apply(input, weight, bias, *layout)


def _conv_transpose(
    input: Tensor,  # noqa: A002
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    if input.dtype != torch.float32 or groups > 1:
        return F.conv_transpose2d(input, weight, bias, stride, padding, output_padding, groups, dilation)
    layout = _pair(stride), _pair(padding), _pair(dilation), True, _pair(output_padding), groups
    return _Convolution.apply(input, weight, bias, *layout)
