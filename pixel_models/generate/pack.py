"""A PixelCNN's weights laid out for one row and one column at a time.

What is exact algebra is done here once, so that it need not be done at each place:

- sigmoid(x) = (1 + tanh(x / 2)) / 2, so the second half of what a gate sees is halved in the weights, and one tanh does
  for both halves. A gate then gives value * (1 + share), which is twice what it should be; what reads it is halved.
  Powers of two cost no bit of precision.
- The biases of the horizontal stack are left out of its features and gathered in `base`, a constant for each column.
- What the first gated layer reads is a linear map of a few numbers (codes nearby), so its kernels are multiplied by
  that map where this makes them smaller. The same goes for the step from the vertical to the horizontal features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..archs.pixelcnn import PixelCNN, Steering

Array = Any
"""A `Tensor`, or an `NDArray` after `in_numpy`."""


@dataclass(frozen=True, kw_only=True)
class PackedLayer:
    """One gated layer; `c` is the network's width, `i` what the layer reads."""

    above: Array
    """`2c i*rows*k`: the vertical convolution of this row and those above."""

    above_bias: Array
    """`2c 1`."""

    across: Array
    """`2c 2c`: from the vertical features before their gate to the horizontal ones; `2c i*rows*k` if `is_direct`."""

    is_direct: bool
    """Whether `across` reads what `above` reads: in the first layer, where that is little, and in the last, whose
    vertical features nothing else needs."""

    base: Array
    """`2c w 1`: every constant of the horizontal features before their gate, for each column."""

    before: Array
    """`2c taps*i`: the horizontal convolution of this column and those before."""

    back: Array
    """`c c`: from gated features to the residual."""

    dilation: int


@dataclass(frozen=True, kw_only=True)
class Packed:
    """A whole network, for grids of one width."""

    look: Array
    """`codes e`: how each code goes in."""

    entry_vertical: Array
    """`c f`, of codes in rows above and a one."""

    entry_horizontal: Array
    """`c f`, of codes in columns before."""

    skips_vertical: bool
    """Whether the first layer's `above` reads codes itself."""

    skips_horizontal: bool
    """Whether the first layer's `before` does."""

    layers: list[PackedLayer]

    bias: Array
    """`c`, of the last horizontal features."""

    out: Array
    """`channels*codes c`."""

    out_bias: Array
    """`channels*codes`."""

    halves: Array
    """`2c`: 1 for values, 1/2 for shares."""

    kernel: int

    def zeros(self, shape: Sequence[int]) -> Array:
        """An array as the weights are."""
        if isinstance(self.out, Tensor):
            return self.out.new_zeros(*shape)
        return np.zeros(shape, self.out.dtype)

    def steering(self, steering: Sequence[Steering], row: int) -> list[tuple[Array, Array]]:
        """What steers a row in each layer: vertical and horizontal, `2c w b` or `2c 1 b` each, or None."""
        return [(self._of_row(layer.vertical, row), self._of_row(layer.horizontal, row)) for layer in steering]

    def _of_row(self, steering: Tensor | None, row: int) -> Array:
        if steering is None:
            return None
        of_row = steering[:, :, row if steering.shape[2] > 1 else 0].permute(1, 2, 0)
        if isinstance(self.halves, Tensor):
            return of_row * self.halves[:, None, None]
        return of_row.numpy() * self.halves[:, None, None]


def in_numpy(packed: Packed) -> Packed:
    """The same weights, on the CPU, as arrays that share their memory."""
    layers = [replace(layer, **_arrays(layer)) for layer in packed.layers]
    return replace(packed, layers=layers, **_arrays(packed))


def _arrays(part: Packed | PackedLayer) -> dict[str, Array]:
    values = {field.name: getattr(part, field.name) for field in fields(part)}
    return {name: value.numpy() for name, value in values.items() if isinstance(value, Tensor)}


def pack(network: PixelCNN, columns: int, device: torch.device) -> Packed:
    """Lay the weights out on a device, in float32 (float64 for a network in float64)."""
    config = network.config
    dtype = torch.float64 if network.conv_out.weight.dtype == torch.float64 else torch.float32
    channels, codes, width = config.channels, config.codes, config.width

    def get(x: Tensor | None) -> Tensor:
        assert x is not None
        return x.detach().to(device, dtype)

    numbers = torch.arange(codes, device=device)
    look = 2 * numbers[:, None].to(dtype) / codes - 1 if network.embed is None else get(network.embed.weight)
    vertical, horizontal = network.conv_vstack, network.conv_hstack
    entry_vertical = torch.cat([get(vertical.live()).flatten(1), get(vertical.conv.bias)[:, None]], 1)
    entry_horizontal = get(horizontal.live()).transpose(1, 3).flatten(1)  # c taps*i
    skips_vertical, skips_horizontal = entry_vertical.shape[1] < width, entry_horizontal.shape[1] < width
    halves = torch.ones(2 * width, dtype=dtype, device=device)
    halves[width:] = 0.5
    bias = get(horizontal.conv.bias)
    layers = []
    for index, layer in enumerate(network.layers):
        scale = halves / 2 if index else halves  # the first layer reads no gate
        above = get(layer.conv_vert.live()) * scale[:, None, None, None]  # 2c i rows k
        before = (get(layer.conv_horiz.live())[:, :, 0] * halves[:, None, None]).transpose(1, 2)  # 2c taps i
        # What lies left of the grid is 0 and not the bias.
        taps, dilation = before.shape[1], layer.conv_horiz.dilation
        first = (torch.arange(taps - 1, -1, -1, device=device) * dilation)[:, None]
        inside = (torch.arange(columns, device=device) >= first).to(dtype)  # taps w
        across = get(layer.conv_vert_to_horiz.weight)[:, :, 0, 0] * halves[:, None] / halves
        constant = halves * (get(layer.conv_vert_to_horiz.bias) + get(layer.conv_horiz.conv.bias))
        above_bias = get(layer.conv_vert.conv.bias) * halves
        if not index and skips_vertical:
            above = torch.einsum("oirk,if->ofrk", above, entry_vertical)
        is_direct = index + 1 == len(config.dilations) or (not index and skips_vertical)
        if is_direct:
            constant = constant + across @ above_bias
            across = across @ above.flatten(1)
        base = constant[:, None] + (before @ bias) @ inside
        if not index and skips_horizontal:
            before = before @ entry_horizontal
        packed = PackedLayer(
            above=above.flatten(1),
            above_bias=above_bias[:, None],
            across=across,
            is_direct=is_direct,
            base=base[..., None],
            before=before.flatten(1),
            back=get(layer.conv_horiz_1x1.weight)[:, :, 0, 0] / 2,
            dilation=dilation,
        )
        layers.append(packed)
        bias = bias + get(layer.conv_horiz_1x1.bias)
    out = get(network.conv_out.weight)[:, :, 0, 0].unflatten(0, (codes, channels)).transpose(0, 1).flatten(0, 1)
    return Packed(
        look=look.contiguous(),
        entry_vertical=entry_vertical,
        entry_horizontal=entry_horizontal,
        skips_vertical=skips_vertical,
        skips_horizontal=skips_horizontal,
        layers=layers,
        bias=bias,
        out=out.contiguous(),
        out_bias=get(network.conv_out.bias).unflatten(0, (codes, channels)).T.flatten(),
        halves=halves,
        kernel=config.kernel,
    )
