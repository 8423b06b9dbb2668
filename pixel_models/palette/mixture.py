"""Palettes by a mixture of Gaussians in Oklab, fitted by expectation maximisation (Dempster and others 1977)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..color import oklab_to_srgb
from ..image import to_uint8
from .core import Palette
from .extract import by_lightness, check_weight, extract_palette, histogram, merge_points, oklab_of

Array = NDArray[Any]

# Two clouds that begin as one stay one: where entries are fewer than _FEW, small areas of other hues are favoured, at
# least so much, at the start.
_FEW, _TOLD_APART = 16, 0.5
_ROUNDS = 24
_BEGIN = 0.03
"""Standard deviation of every part at the start, in Oklab: about the distance of neighbours in a small palette."""

_RIDGE = 0.008
"""Least standard deviation of a part, in Oklab: about what an 8-bit picture's noise has."""


def mixture_palette(
    rgb: Tensor,
    colors: int,
    *,
    weight: Tensor | None = None,
    accents: float = 0.0,
    keep: Palette | None = None,
    seed: int = 0,
) -> Palette:
    """Means of the Gaussians that together make a picture's colours most likely.

    Where k-means cuts a long ramp into equal pieces, a part here may be long in one direction and thin in another, so
    ramps of large areas need fewer colours and separate ones keep theirs. Begins at `extract_palette`.

    Args, returns and errors are those of `extract_palette`.
    """
    begun = max(accents, _TOLD_APART) if colors < _FEW else accents
    start = extract_palette(rgb, colors, weight=weight, accents=begun, seed=seed, keep=keep)
    kept = np.empty((0, 3), np.uint8) if keep is None else keep.colors.numpy()
    free = start.colors.numpy()[~(start.colors.numpy()[:, None] == kept).all(axis=2).any(axis=1)]
    pixels = to_uint8(rgb.detach()).permute(0, 2, 3, 1).reshape(-1, 3).cpu().numpy()  # n 3
    share = None if weight is None else check_weight(weight, rgb)
    if share is not None:
        pixels, share = pixels[share > 0], share[share > 0]
    if len(start) < colors or len(free) == 0 or len(pixels) == 0 or len(np.unique(pixels, axis=0)) <= colors:
        return start
    means, counts = histogram(pixels, share)
    points, counts = merge_points(oklab_of(means), counts, colors)
    begin = oklab_of(np.concatenate([kept, free]))
    centres = _fit(points.astype(np.float64), counts.astype(np.float64), begin, fixed=len(kept))
    made = to_uint8(oklab_to_srgb(torch.from_numpy(centres.astype(np.float32)), dim=1).clamp(0, 1)).numpy()
    chosen = np.unique(np.concatenate([kept, made]), axis=0)
    return by_lightness(chosen)


def _fit(points: Array, counts: Array, means: Array, fixed: int) -> Array:
    """Means of the fitted parts after the `fixed` first, which stay; `points` `n 3`, `counts` `n`, `means` `k 3`."""
    means, k = means.astype(np.float64), len(means)
    # A part's log-likelihood is a polynomial of the point, and its mean and covariance are sums of the same terms.
    squares = (points[:, :, None] * points[:, None]).reshape(-1, 9)
    terms = np.concatenate([squares, points, np.ones((len(points), 1))], axis=1)  # n 13
    cover = np.tile(np.eye(3) * _BEGIN**2, (k, 1, 1))
    portion = np.full(k, 1 / k)
    for _ in range(_ROUNDS):
        inverse = np.linalg.inv(cover)
        pull = np.einsum("kij,kj->ki", inverse, means)
        level = np.log(portion) - 0.5 * (np.linalg.slogdet(cover)[1] + (pull * means).sum(1))
        likely = terms @ np.concatenate([-0.5 * inverse.reshape(k, 9), pull, level[:, None]], axis=1).T  # n k
        likely -= likely.max(axis=1, keepdims=True)
        member = np.exp(likely, out=likely)
        member *= (counts / member.sum(axis=1))[:, None]
        sums = member.T @ terms  # k 13
        total = sums[:, 12].clip(1e-9)
        spread, mean = sums[:, :9].reshape(k, 3, 3) / total[:, None, None], sums[:, 9:12] / total[:, None]
        means[fixed:] = mean[fixed:]
        cross = mean[:, :, None] * means[:, None]
        outer = means[:, :, None] * means[:, None]
        cover = spread - cross - cross.transpose(0, 2, 1) + outer + np.eye(3) * _RIDGE**2
        portion = total / total.sum()
    return means[fixed:]
