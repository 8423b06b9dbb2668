"""Native pixels of art that was enlarged by a smooth filter: those from which the filter makes the picture again."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import torch
from torch import Tensor

from .profile import Floats

Filter = Callable[[Floats], Floats]

_BLURS = (0.0, 0.06, 0.12, 0.2)
"""Standard deviations of a blur after the enlargement that are tried, in cells."""
_LINES = 48
"""Rows, and columns, of pixels that the filter is chosen by."""
_CLIPPED = 1.5 / 255
_CLIPPED_ROUNDS = 6
_HOLD = 1e-4
"""Of the normal equations' diagonal: holds what the picture says nothing about."""


def _linear(x: Floats) -> Floats:
    return (1 - x).clip(0)


def _cubic(x: Floats) -> Floats:
    """Keys 1981, a = -1/2."""
    return np.where(x < 1, (1.5 * x - 2.5) * x * x + 1, np.where(x < 2, ((-0.5 * x + 2.5) * x - 4) * x + 2, 0.0))


def _sharper_cubic(x: Floats) -> Floats:
    """Keys 1981, a = -3/4, as OpenCV and PyTorch have it."""
    near = (1.25 * x - 2.25) * x * x + 1
    return np.where(x < 1, near, np.where(x < 2, ((-0.75 * x + 3.75) * x - 6) * x + 3, 0.0))


def _lanczos(x: Floats) -> Floats:
    return np.where(x < 3, np.sinc(x) * np.sinc(x / 3), 0.0)


def _hamming(x: Floats) -> Floats:
    return np.where(x < 1, np.sinc(x) * (0.54 + 0.46 * np.cos(np.pi * x)), 0.0)


_FILTERS: tuple[Filter, ...] = (_linear, _hamming, _cubic, _sharper_cubic, _lanczos)


def unblend(picture: Tensor, size: tuple[int, int]) -> tuple[Tensor, float]:
    """The native pixels by least squares, for the filter and blur that explain the picture best.

    Args:
        picture: `b 3 h w` or `b 4 h w`, floating point in [0, 1], straight alpha last; enlarged from `size`, uncropped.
        size: native width and height.

    Returns:
        `b 3 y x` or `b 4 y x`, float32 in [0, 1], alpha soft; and the root mean square of what the filter leaves
        unexplained, in sRGB.
    """
    x = picture.float().clamp(0, 1)
    if x.shape[1] == 4:
        x = torch.cat([x[:, :3] * x[:, 3:], x[:, 3:]], dim=1)
    across, down = _some_lines(x), _some_lines(x.transpose(2, 3))  # w n, h n
    best, least = [], float("inf")
    for kernel, blur in product(_FILTERS, _BLURS):
        pairs, misfit = [], 0.0
        for lines, cells in ((across, size[0]), (down, size[1])):
            made_by = torch.from_numpy(_enlarging(kernel, len(lines), cells, blur)).to(x)
            normal = made_by.T @ made_by
            hold = _HOLD * normal.diagonal().mean() * torch.eye(cells, device=x.device)
            inverse = torch.linalg.solve(normal + hold, made_by.T)  # cells length
            misfit += _misfit(lines, made_by, inverse)
            pairs.append((made_by, inverse))
        if misfit < least:
            least, best = misfit, pairs
    native = _solve(x, *best)
    if x.shape[1] == 4:
        alpha = native[:, 3:]
        native = torch.cat([(native[:, :3] / alpha.clamp_min(1 / 255)).clamp(0, 1), alpha], dim=1)
    return native, (least / 2) ** 0.5


def _misfit(lines: Tensor, made_by: Tensor, inverse: Tensor) -> float:
    """Mean square of what is left of `w n`, where nothing was cut off."""
    whole, over = lines, torch.zeros_like(lines, dtype=torch.bool)
    for _ in range(_CLIPPED_ROUNDS // 2):
        made = made_by @ (inverse @ whole).clamp(0, 1)
        over = _cut_off(lines, made)
        whole = torch.where(over, made, lines)
    made = made_by @ (inverse @ whole).clamp(0, 1)
    return float((made - whole).square()[~over].mean()) if not over.all() else 0.0


def _cut_off(x: Tensor, made: Tensor) -> Tensor:
    return ((x >= 1 - _CLIPPED) & (made > 1)) | ((x <= _CLIPPED) & (made < 0))


def _solve(x: Tensor, across: tuple[Tensor, Tensor], down: tuple[Tensor, Tensor]) -> Tensor:
    """`b c y x`, in [0, 1]; filters overshoot, and what was cut off at black and white is put back for that."""
    whole = x
    for _ in range(_CLIPPED_ROUNDS):
        native = (down[1] @ whole @ across[1].T).clamp(0, 1)
        made = down[0] @ native @ across[0].T
        over = _cut_off(x, made)
        if not over.any():
            break
        whole = torch.where(over, made, x)
    return (down[1] @ whole @ across[1].T).clamp(0, 1)


def _some_lines(x: Tensor) -> Tensor:
    """`w n`: evenly spread rows of all frames and channels."""
    rows = x[:, :, :: max(1, x.shape[2] * len(x) // _LINES)]
    return rows.reshape(-1, x.shape[3]).T


def _enlarging(kernel: Filter, length: int, cells: int, blur: float) -> Floats:
    """`length cells`: how much of each native pixel is in each pixel; a blur of `blur` cells follows."""
    place = (np.arange(length) + 0.5) * (cells / length) - 0.5
    away = place[:, None] - np.arange(cells)
    weights = kernel(np.abs(away))
    if blur:
        steps = np.linspace(-2, 2, 9)
        blurred = [np.exp(-0.5 * step**2) * kernel(np.abs(away + step * blur)) for step in steps]
        weights = np.sum(blurred, axis=0)
    return weights / weights.sum(axis=1, keepdims=True)
