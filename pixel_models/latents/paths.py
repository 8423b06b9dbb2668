"""Ways through latents: straight, along the sphere, circles, and random loops that close smoothly."""

from __future__ import annotations

import math
from typing import Literal, get_args

import torch
from torch import Tensor

from ..errors import PixelModelError, ShapeError

Way = Literal["spherical", "linear", "circle", "wander"]
"""From key to key along the sphere, or straight; a great circle through one or two; a random loop without keys."""

WAYS: tuple[Way, ...] = get_args(Way)

MOST_FRAMES = 1024

_PARALLEL = 1e-3
"""Sine of the angle below which two latents point the same way, or opposite ones, and no arc between them is sure."""

_WAVES = 3
"""Of a random loop: how many times faster than the loop its quickest part goes."""


def lerp(a: Tensor, b: Tensor, place: float) -> Tensor:
    """The latent between two of any one shape on a straight line; 0: `a`, 1: `b`."""
    return a + (b - a) * place


def slerp(a: Tensor, b: Tensor, place: float) -> Tensor:
    """The latent between two along the sphere, so that what lies between is as far from 0 as they are.

    White, "Sampling Generative Networks", 2016, https://arxiv.org/abs/1609.04468. Latents of N(0, 1) lie on a thin
    shell; a straight line between two leaves it. Where they point the same way or opposite ones, a straight line.

    Args:
        a: `n`, float32.
        b: `n`.
        place: 0: `a`, 1: `b`.
    """
    lengths = a.norm() * b.norm()
    if lengths == 0:
        return lerp(a, b, place)
    angle = torch.arccos((a @ b / lengths).clamp(-1, 1))
    sine = angle.sin()
    if sine < _PARALLEL:
        return lerp(a, b, place)
    return ((1 - place) * angle).sin() / sine * a + (place * angle).sin() / sine * b


def check_frames(frames: int, keys: int = 1) -> None:
    """Refuse numbers of frames in which no walk through so many keys fits.

    Raises:
        PixelModelError: says which fit.
    """
    if not keys <= frames <= MOST_FRAMES:
        least = f"{keys} (one for each sprite on the way)" if keys > 1 else "1"
        msg = f"frames is {frames}, expected {least} to {MOST_FRAMES}"
        raise PixelModelError(msg)


def places_between(keys: int, frames: int, *, loop: bool) -> list[tuple[int, float]]:
    """When a walk is where: for each frame the key it left last, and the share of the way to the next, 0 to below 1.

    Every key is met exactly; frames are spread over the legs as evenly as can be.

    Args:
        keys: 1 or more.
        frames: at least one a key.
        loop: whether the last key leads back to the first, which then is not shown again.

    Raises:
        PixelModelError: too few frames, or too many.
    """
    check_frames(frames, keys)
    legs = keys if loop else keys - 1
    if legs == 0:
        return [(0, 0.0)] * frames
    steps = frames if loop else frames - 1
    lengths = [steps * (leg + 1) // legs - steps * leg // legs for leg in range(legs)]
    places = [(leg, step / length) for leg, length in enumerate(lengths) for step in range(length)]
    return places if loop else [*places, (keys - 1, 0.0)]


def between_keys(keys: Tensor, places: list[tuple[int, float]], *, spherical: bool) -> Tensor:
    """Latents at the places of `places_between`, `frames n`, of keys `k n`."""
    step = slerp if spherical else lerp
    return torch.stack([step(keys[leg], keys[(leg + 1) % len(keys)], place) for leg, place in places])


def circle(a: Tensor, b: Tensor, frames: int) -> Tensor:
    """The loop `a cos + b sin`: through `a`, after a quarter `b`, then through their opposites.

    Of two latents of N(0, 1) every point is of N(0, 1) too, since cos² + sin² = 1.

    Args:
        a: `n`, float32.
        b: `n`.
        frames: 1 or more.

    Returns:
        `frames n`.
    """
    angles = _angles(frames)
    return angles.cos()[:, None] * a + angles.sin()[:, None] * b


def wander(noise: Tensor, frames: int) -> Tensor:
    """A random loop that never turns sharply, whose every point is of N(0, 1) where the noise is.

    A sum of waves of 1 to 3 times round with random amplitudes: a stationary Gaussian process on the circle. The
    quicker a wave, the less it weighs; the squares of the weights sum to 1.

    Args:
        noise: `6 n`, float32, of N(0, 1).
        frames: 1 or more.

    Returns:
        `frames n`.

    Raises:
        ShapeError: `noise` is not as above.
    """
    if noise.ndim != 2 or len(noise) != 2 * _WAVES:
        msg = f"noise is {tuple(noise.shape)}, expected `{2 * _WAVES} n`"
        raise ShapeError(msg)
    weights = torch.tensor([1 / wave for wave in range(1, _WAVES + 1)])
    weights = weights / weights.norm()
    angles = _angles(frames)[:, None] * torch.arange(1, _WAVES + 1)  # frames waves
    return (weights * angles.cos()) @ noise[:_WAVES] + (weights * angles.sin()) @ noise[_WAVES:]


def wander_noise() -> int:
    """Rows of noise that `wander` takes."""
    return 2 * _WAVES


def _angles(frames: int) -> Tensor:
    check_frames(frames)
    return torch.arange(frames) * (2 * math.pi / frames)
