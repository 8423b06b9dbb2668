"""Edge profiles: how much a picture changes at each place along an axis, and how regularly it does."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Floats = NDArray[np.floating[Any]]

_NOISE = 2.5
"""Changes below this many times the middle one, where that is small, are taken for noise."""
_MOST_NOISE = 0.35
_WINDOW = 2.5
"""Standard deviation, in cells, of the window in which edges are asked to keep step: drift is slower than that."""


def edge_profiles(picture: Tensor) -> tuple[Floats, Floats]:
    """How strong the edges are at every line between two columns, and two rows, of pixels.

    Args:
        picture: `b 3 h w` or `b 4 h w`, float32 in [0, 1]; what is transparent counts as one more colour.

    Returns:
        `w-1` and `h-1`, 0 or more: entry i lies between pixels i and i+1, at place i+1.
    """
    x = picture.float()
    if x.shape[1] == 4:
        x = torch.cat([x[:, :3] * x[:, 3:], x[:, 3:]], dim=1)
    return _profile(x[..., 1:] - x[..., :-1], 2), _profile(x[..., 1:, :] - x[..., :-1, :], 3)


def _profile(change: Tensor, dim: int) -> Floats:
    size = change.abs().sum(dim=1)  # b h w
    some = size[:, :: max(1, size.shape[1] // 64), :: max(1, size.shape[2] // 64)].reshape(-1)
    noise = min(_NOISE * float(some.median()), _MOST_NOISE) if some.numel() else 0.0
    kept = (size - noise).clamp_min_(0).square_()
    return kept.sum(dim=(0, dim - 1)).sqrt().double().cpu().numpy()


def candidate_periods(longest: float, shortest: float = 2.4, step: float = 0.01) -> Floats:
    """Periods from `shortest` to `longest`, in pixels, each `step` longer than the one before."""
    count = max(2, int(np.log(max(longest, shortest * 1.1) / shortest) / step) + 1)
    return shortest * (1 + step) ** np.arange(count)


def regularity(profile: Floats, periods: Floats, window: float = _WINDOW) -> Floats:
    """How well edges keep step with each period, within windows a few cells long.

    The windowed Fourier coefficient (Gabor 1946) at each place, against what it were if all edges lay on the comb.

    Args:
        profile: `n`, as `edge_profiles` gives it.
        periods: `k`, in pixels.
        window: standard deviation of the window in periods.

    Returns:
        `k`, 0 (no step) to 1 (a perfect comb).
    """
    n = len(profile)
    size = 1 << int(np.ceil(np.log2(n * 2)))
    frequency = np.fft.fftfreq(size)[None]
    sigma = np.minimum(periods * window, n / 6)[:, None]
    spectrum = np.fft.fft(profile, size)[None]
    around = np.exp(-2 * (np.pi * sigma * frequency) ** 2)
    step = np.exp(-2 * (np.pi * sigma * (frequency - 1 / periods[:, None])) ** 2)
    total = np.fft.ifft(spectrum * around, axis=1)[:, :n].real
    comb = np.abs(np.fft.ifft(spectrum * step, axis=1)[:, :n])
    # A window that holds one edge alone is in step with everything: edges paired with themselves do not count.
    own = np.fft.ifft(np.fft.fft(profile**2, size)[None] * _squared(sigma, frequency), axis=1)[:, :n].real
    pairs = (total**2 - own).clip(0).sum(1)
    return np.sqrt((comb**2 - own).sum(1).clip(0) / np.maximum(pairs, 1e-12))


def _squared(sigma: Floats, frequency: Floats) -> Floats:
    """Spectrum of the squared unit-area Gaussian."""
    return np.exp(-((np.pi * sigma * frequency) ** 2)) / (2 * sigma * np.sqrt(np.pi))


def in_step(profile: Floats, period: float) -> complex:
    """Fourier coefficient of the whole profile at one period, against the sum: size 0 to 1, angle the offset's."""
    place = np.arange(1, len(profile) + 1)
    return complex(profile @ np.exp(2j * np.pi * place / period)) / max(float(profile.sum()), 1e-12)
