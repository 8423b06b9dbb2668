"""How a motion runs through its time: there and back, or one way, rounded to whole pixels."""

from __future__ import annotations

import math
from typing import Literal, get_args

from ..errors import SheetError

Easing = Literal["smooth", "linear", "quick", "slow", "step"]
"""Slow at both ends, even, quick at first, slow at first, or all at once in the middle."""

EASINGS: tuple[Easing, ...] = get_args(Easing)

_LATER = 1e-6
"""A frame is looked at so much of a cycle later, so that what lies half between two pixels goes on with the motion:
1 pixel in 4 frames becomes 0 1 1 0, neither 0 1 1 1 nor 0 0 1 0."""


def ease(time: float, easing: Easing = "smooth") -> float:
    """The way that is done after a share of the time; 0 at 0, and 1 at 1.

    Args:
        time: 0 to 1; what lies beyond counts as the end.
        easing: how. "smooth" is a half wave of the cosine, "quick" and "slow" are parabolas.

    Raises:
        SheetError: no such easing.
    """
    time = min(1.0, max(0.0, time))
    if easing == "smooth":
        return (1 - math.cos(math.pi * time)) / 2
    if easing == "linear":
        return time
    if easing == "quick":
        return 1 - (1 - time) ** 2
    if easing == "slow":
        return time**2
    if easing == "step":
        return float(time >= 0.5)
    msg = f"{easing!r} is no easing; expected one of {', '.join(EASINGS)}"
    raise SheetError(msg)


def there_and_back(phase: float, easing: Easing = "smooth") -> float:
    """0 at the phase 0, 1 at 0.5, 0 at 1, and so on; the way back is the way there, backwards in time."""
    phase %= 1
    return ease(2 * min(phase, 1 - phase), easing)


def to_and_fro(phase: float, easing: Easing = "smooth") -> float:
    """0 at the phase 0, 1 at 0.25, 0 at 0.5, -1 at 0.75; the way to each side is the mirror image of the other's.

    "smooth" is a sine: quick through the middle, slow where it turns. The others go out as `ease` does, and back alike.
    """
    phase %= 1
    away = 1 - abs(4 * (phase % 0.5) - 1)  # 0 in the middle, 1 at either side
    way = math.sin(math.pi / 2 * away) if easing == "smooth" else ease(away, easing)
    return way if phase < 0.5 else -way


def phases(frames: int) -> list[float]:
    """When the frames of a loop are looked at; the next one would be the first again."""
    return [index / frames + _LATER for index in range(frames)]


def pixels(value: float) -> int:
    """Whole pixels, halves away from zero, so that what moves left and right does so alike."""
    return int(math.copysign(math.floor(abs(value) + 0.5), value))
