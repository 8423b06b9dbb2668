"""Which of many rows are the same, and what a network of patches makes of each distinct one, computed once.

In a network whose strides are its kernels nothing mixes neighbours: what a layer makes of a place depends on the places
below it alone. So equal pixels, then equal 2x2 blocks of those, and so on, are found first, and each goes through its
layer once. A layer of 2x2 kernels is a sum of four matrix products; where few things stand below many, those products
are made once for each of the few and only added up for the many.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

_ROWS_AT_ONCE = 2**13
_MOST_SUMMANDS = 2**25  # 128 MiB
_MIX = 0x9E3779B97F4A7C15  # odd, with bits all over: the golden ratio


class Distinct(NamedTuple):
    """Rows without their repeats."""

    first: Tensor
    """`k`, int64: where each distinct row stands."""

    inverse: Tensor
    """`n`, int64: which distinct row each row is."""


def distinct_rows(columns: Tensor) -> Distinct:
    """Find equal rows.

    Args:
        columns: `c n`, float32 or int64, on the CPU: row i is `columns[:, i]`. Floats are equal when their bits are.

    Returns:
        Any one place of each distinct row, and which of them each row is.
    """
    words = columns.contiguous().numpy()
    words = words.view(np.int32) if words.dtype == np.float32 else words
    found = _by_keys(_keys(words))
    if _same(words, found):
        return found
    _, first, inverse = np.unique(words, axis=1, return_index=True, return_inverse=True)  # two rows had one key
    return Distinct(torch.from_numpy(first), torch.from_numpy(inverse.reshape(-1)))


def _keys(words: NDArray[np.int32] | NDArray[np.int64]) -> NDArray[np.uint64]:
    """One number for each row; equal for equal rows, and hardly ever for others."""
    keys = np.zeros(words.shape[1], np.uint64)
    factor = 1
    for column in words:
        factor = (factor * _MIX + 2) % 2**64 | 1
        keys += column.astype(np.uint64) * np.uint64(factor)
        keys ^= keys >> np.uint64(29)
    return keys


def _by_keys(keys: NDArray[np.uint64]) -> Distinct:
    starts = np.concatenate([[0], np.flatnonzero(keys[1:] != keys[:-1]) + 1])  # pictures have long runs
    runs = keys[starts]
    order = np.argsort(runs)
    ranked = runs[order]
    fresh = np.concatenate([[True], ranked[1:] != ranked[:-1]])
    place = np.empty(len(runs), np.int64)
    place[order] = np.cumsum(fresh) - 1
    lengths = np.diff(starts, append=len(keys))
    return Distinct(torch.from_numpy(starts[order[fresh]]), torch.from_numpy(np.repeat(place, lengths)))


def _same(words: NDArray[np.int32] | NDArray[np.int64], found: Distinct) -> bool:
    source = found.first[found.inverse].numpy()
    return all(np.array_equal(column[source], column) for column in words)


class PatchEncoder:
    """An encoder in eval mode, its weights laid out once for `features`."""

    def __init__(self, encoder: nn.Sequential) -> None:
        """Take convolutions whose kernel, 1 or 2, is their stride, with batch norms and ReLUs."""
        self._device = next(encoder.parameters()).device
        self._layers = [(layer, _corners(layer)) for layer in encoder]

    def features(self, pixels: Tensor, rows: Distinct) -> tuple[Tensor, Tensor]:
        """What the encoder makes of patches.

        Args:
            pixels: `c n`, float32, on the CPU, in the order of `in_patch_order`: each next four make the input of the
                first 2x2 kernel, each next four of its outputs that of the second.
            rows: `distinct_rows` of them.

        Returns:
            Features `k d` of the distinct patches, on the encoder's device, and which of them each patch is:
            `n/4**layers`, int64, on the CPU.
        """
        first, inverse = rows
        values = pixels[:, first].T.contiguous().to(self._device)
        for layer, corners in self._layers:
            if corners is not None:
                blocks = inverse.view(-1, 4)
                first, inverse = distinct_rows(blocks.T)
                values = _two_by_two(corners, values, blocks[first].to(self._device))
            elif isinstance(layer, nn.Conv2d):
                values = F.linear(values, layer.weight.flatten(1), layer.bias)
            elif isinstance(layer, nn.BatchNorm2d):
                mean, variance = layer.running_mean, layer.running_var
                values = F.batch_norm(values, mean, variance, layer.weight, layer.bias, eps=layer.eps)
            else:
                assert isinstance(layer, nn.ReLU), layer
                values = F.relu_(values)
        return values, inverse


def _corners(layer: nn.Module) -> Tensor | None:
    """The weight of a 2x2 convolution as `4 c out`; None for other layers."""
    if not isinstance(layer, nn.Conv2d) or layer.kernel_size != (2, 2):
        return None
    assert layer.bias is None
    return layer.weight.permute(2, 3, 1, 0).flatten(0, 1).contiguous()


def _two_by_two(corners: Tensor, values: Tensor, blocks: Tensor) -> Tensor:
    """A 2x2 convolution with the weight `4 c out` of blocks `n 4` of rows of `values`, `k c`: `n out`."""
    if len(values) >= len(blocks) or corners.shape[2] * 4 * len(values) > _MOST_SUMMANDS:
        weight = corners.flatten(0, 1)  # 4c out
        return torch.cat([values[part].flatten(1) @ weight for part in blocks.split(_ROWS_AT_ONCE)])
    parts = torch.cat([values @ corner for corner in corners])  # 4k out
    return F.embedding_bag(blocks + len(values) * torch.arange(4, device=blocks.device), parts, mode="sum")


def in_patch_order(x: Tensor, layers: int) -> Tensor:
    """Pixels patch by patch, and within a patch quarter by quarter, down to single pixels.

    Args:
        x: `b c h w`, sides multiples of `2**layers`.
        layers: halvings.

    Returns:
        `c b*h*w`, contiguous.
    """
    b, c, height, width = x.shape
    halves = [2] * layers
    split = x.reshape(b, c, height >> layers, *halves, width >> layers, *halves)
    pairs = [axis for level in range(layers) for axis in (3 + level, 4 + layers + level)]
    return split.permute(1, 0, 2, 3 + layers, *pairs).reshape(c, -1).contiguous()
