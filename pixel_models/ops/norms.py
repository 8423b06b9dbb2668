"""The norm that a classic CycleGAN network is built with, and which convolutions have a bias beside it."""

from __future__ import annotations

from typing import Literal, get_args

from torch import Tensor, nn
from torch.nn import functional as F

Norm = Literal["batch", "instance", "none"]
"""Batch norm with running statistics, instance norm with neither weights nor statistics, or none at all."""

NORMS: tuple[str, ...] = get_args(Norm)


class InstanceNorm(nn.InstanceNorm2d):
    """Instance norm with neither weights nor statistics, on a processor by the routine that is fastest there.

    PyTorch's instance norm is a batch norm of `b * c` channels; its group norm of one channel each has the same
    arithmetic and takes a third of the time, forward and back.
    """

    def __init__(self, channels: int) -> None:
        """`channels` of the maps that come in."""
        super().__init__(channels)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  the name that PyTorch gives it
        """`b c h w` to the same."""
        if input.device.type == "cpu" and input.ndim == 4 and input.shape[2] * input.shape[3] > 1:
            return F.group_norm(input.contiguous(), input.shape[1], eps=self.eps)  # slow where channels are last
        return super().forward(input)  # on a single value it complains


def norm_layer(norm: Norm, channels: int) -> nn.Module:
    """The layer; `none` is an identity that holds the layer's place, so that the keys of later layers stay."""
    if norm == "batch":
        return nn.BatchNorm2d(channels)
    if norm == "instance":
        return InstanceNorm(channels)
    assert norm == "none", norm
    return nn.Identity()


def norm_bias(norm: Norm) -> bool:
    """Whether a convolution before the norm has a bias: with instance norm alone, as the reference has it.

    Neither norm lets a bias through; the instance norm's has no effect and is in everybody's weight files.
    """
    return norm == "instance"


def check_choice(name: str, value: str, options: tuple[str, ...]) -> None:
    """Refuse a config's value that is not among its options.

    Raises:
        ValueError: it is not.
    """
    if value not in options:
        msg = f"{name} is {value!r}, expected one of {', '.join(map(repr, options))}"
        raise ValueError(msg)


def check_range(name: str, value: int, least: int, most: int) -> None:
    """Refuse a config's number that is no whole one, or outside its range.

    Raises:
        ValueError: it is.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        msg = f"{name} is {value!r}, expected a whole number from {least} to {most}"
        raise ValueError(msg)
