"""The matrices of ordered dithers: Bayer, blue noise, clustered dot."""

from __future__ import annotations

import functools
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import PaletteError

Array = NDArray[Any]

Ordered = Literal["bayer2", "bayer4", "bayer8", "bayer16", "blue_noise", "clustered_dot", "knoll"]
ORDERED: tuple[Ordered, ...] = get_args(Ordered)
"""Dithers that depend on a pixel's colour and place alone, and so stay put from frame to frame."""

MOST_PATTERN = 256
"""Pixels along a side of a pattern of one's own."""

_BLUE_SIDE = 64
_BLUE_SIGMA = 1.9


@functools.cache
def threshold_map(name: Ordered) -> Tensor:
    """The matrix of an ordered dither; "knoll" uses that of "bayer4".

    Args:
        name: one of `ORDERED`.

    Returns:
        `s s`, float32, every value of (0.5 + i) / s² - 0.5 once, so between -0.5 and 0.5 with mean 0.

    Raises:
        PaletteError: no such dither.
    """
    if name == "blue_noise":
        ranks = _void_and_cluster(_BLUE_SIDE)
    elif name == "clustered_dot":
        y, x = np.mgrid[:8, :8] + 0.5
        # A dot that grows from the middle, and one that shrinks to the corners: the spot function of half-tone screens.
        spot = np.cos(np.pi * (x - 4) / 4) + np.cos(np.pi * (y - 4) / 4) + 1e-3 * np.arctan2(y - 4.1, x - 4.2)
        ranks = (-spot).reshape(-1).argsort(kind="stable").argsort(kind="stable").reshape(8, 8)
    elif name in ORDERED:
        ranks = np.zeros((1, 1), np.int64)
        for _ in range({"bayer2": 1, "bayer4": 2, "knoll": 2, "bayer8": 3, "bayer16": 4}[name]):
            ranks = np.block([[4 * ranks, 4 * ranks + 2], [4 * ranks + 3, 4 * ranks + 1]])  # Bayer 1973
    else:
        msg = f"{name!r} is no ordered dither; expected one of {', '.join(ORDERED)}"
        raise PaletteError(msg)
    return torch.from_numpy(((ranks + 0.5) / ranks.size - 0.5).astype(np.float32))


def pattern_map(pattern: Tensor) -> Tensor:
    """The matrix of a picture of one's own: a hatching, dots, a texture.

    Args:
        pattern: `h w`, floating point; where it is darkest, colours come out darkest. Only the order of its values
            counts, so that every picture gives evenly spread thresholds.

    Returns:
        `h w`, float32, between -0.5 and 0.5 with mean 0; equal values share the middle of their ranks.

    Raises:
        PaletteError: it is no such tensor, larger than `MOST_PATTERN` a side, of one value, or not finite.
    """
    fitting = pattern.ndim == 2 and pattern.is_floating_point() and pattern.numel() > 0
    if not fitting or max(pattern.shape) > MOST_PATTERN:
        msg = f"a dither's pattern is a float tensor `h w` of at most {MOST_PATTERN} a side, got {tuple(pattern.shape)}"
        raise PaletteError(msg)
    values, place, counts = pattern.detach().cpu().float().unique(return_inverse=True, return_counts=True)
    if len(values) < 2 or not bool(values.isfinite().all()):
        msg = "a dither's pattern needs at least two different finite values, or it changes nothing; draw one in greys"
        raise PaletteError(msg)
    middle = counts.cumsum(0) - counts / 2
    return (middle / pattern.numel() - 0.5)[place].float()


def _void_and_cluster(side: int) -> Array:
    """Ranks of a blue-noise matrix: Ulichney, "The void-and-cluster method for dither array generation" (1993)."""
    offset = np.minimum(np.arange(side), side - np.arange(side))
    bump = np.exp(-(offset[:, None] ** 2 + offset**2) / (2 * _BLUE_SIGMA**2))
    wide = np.tile(bump, (2, 2))
    energy, count = np.zeros((side, side)), side * side
    ones = np.zeros((side, side), bool)

    def put(place: int, value: bool) -> None:
        y, x = divmod(place, side)
        ones[y, x] = value
        energy[:] += (1 if value else -1) * wide[side - y : 2 * side - y, side - x : 2 * side - x]

    def cluster() -> int:
        return int(np.where(ones, energy, -np.inf).argmax())

    def void() -> int:
        return int(np.where(ones, np.inf, energy).argmin())

    for place in np.random.default_rng(0).permutation(count)[: count // 10]:
        put(int(place), True)
    while True:  # until the tightest cluster is the largest void
        taken = cluster()
        put(taken, False)
        free = void()
        put(free, True)
        if free == taken:
            break
    ranks, start, seed = np.empty(count, np.int64), ones.copy(), int(ones.sum())
    for rank in range(seed - 1, -1, -1):
        ranks[taken := cluster()] = rank
        put(taken, False)
    energy[:] = 0
    for place in np.flatnonzero(start):
        put(int(place), True)
    for rank in range(seed, count):
        ranks[free := void()] = rank
        put(free, True)
    return ranks.reshape(side, side)
