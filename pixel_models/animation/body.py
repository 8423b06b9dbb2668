"""Motions of one body that stands on its feet: bob, squash, hop."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .easing import Easing, phases, pixels, there_and_back, to_and_fro
from .lines import choose_lines, drop_lines, line_costs, reshape, rim, trimmed
from .poses import Pose, visible_box

_WAIST = (0.45, 0.92)
"""Between which parts of its height a body gives way when it breathes: below the head, above the soles."""

_KNEES = 0.72


def bob(
    sprite: Tensor, *, amplitude: int, frames: int, easing: Easing = "smooth", eyes: Tensor | None = None
) -> list[Pose]:
    """Breathe: all that is above the knees sinks and rises again, the feet stay where they are.

    Args:
        sprite: `4 h w`.
        amplitude: pixels that it sinks.
        frames: of the loop.
        easing: how it sinks and rises.
        eyes: `h w`, bool; where no row is left out.

    Returns:
        Poses of a loop; the first is the sprite itself.
    """
    body, (left, top, _, bottom) = trimmed(sprite)
    height = bottom - top
    cost = line_costs(body, "rows", None if eyes is None else eyes[top:bottom, left : left + body.shape[2]])
    cost = cost + 0.3 * (torch.arange(height) / height - _KNEES).abs() + rim(height)
    low, high = math.floor(height * _WAIST[0]), max(math.ceil(height * _WAIST[1]), 1)
    order: list[int] = []  # each step leaves out the rows of the one before, so that nothing flickers
    for count in range(1, min(amplitude, high - low, height - 1) + 1):
        order += [row for row in choose_lines(_without(cost, order), 1, low, high) if row not in order][:1]
        assert len(order) == count
    poses = []
    for phase in phases(frames):
        rows = order[: min(len(order), pixels(amplitude * there_and_back(phase, easing)))]
        poses.append(Pose(rgba=drop_lines(body, rows, "rows"), x=left, y=top + len(rows)))
    return poses


def _without(cost: Tensor, taken: list[int]) -> Tensor:
    cost = cost.clone()
    for row in taken:
        cost[max(0, row - 1) : row + 2] += 0.15
        cost[row] = math.inf
    return cost


def squash(
    sprite: Tensor, *, amplitude: int, frames: int, easing: Easing = "smooth", eyes: Tensor | None = None
) -> list[Pose]:
    """Squash and stretch like jelly: lower and wider, then higher and thinner, as large as it was, on its feet.

    Args:
        sprite: `4 h w`.
        amplitude: rows that go at the lowest and come at the highest.
        frames: of the loop.
        easing: how it moves.
        eyes: `h w`, bool; where lines are neither left out nor doubled.

    Returns:
        Poses of a loop; the first is the sprite itself.
    """
    return [deformed(sprite, -pixels(amplitude * to_and_fro(phase, easing)), eyes=eyes) for phase in phases(frames)]


def deformed(sprite: Tensor, rows: int, *, up: int = 0, eyes: Tensor | None = None) -> Pose:
    """A sprite made so many rows higher (above 0) or lower (below), and thinner or wider so that it keeps its volume.

    Args:
        sprite: `4 h w`.
        rows: added or left out.
        up: pixels between its feet and the ground.
        eyes: `h w`, bool; where that does not happen.

    Returns:
        The pose; the middle of its feet stays, or moves by half a pixel where that cannot be.
    """
    body, (left, top, right, bottom) = trimmed(sprite)
    height, width = bottom - top, right - left
    rows = max(rows, 1 - height)
    columns = max(pixels(width * height / (height + rows) - width), 1 - width)
    made = reshape(body, rows, columns, None if eyes is None else eyes[top:bottom, left:right])
    return Pose(rgba=made, x=left - columns // 2, y=bottom - made.shape[1] - up)


def hop(
    sprite: Tensor, *, amplitude: int, frames: int, easing: Easing = "smooth", eyes: Tensor | None = None
) -> list[Pose]:
    """Hop on the spot: crouch, take off stretched, fly, land, crouch, and stand.

    The flight is a parabola; `easing` shapes the crouch alone, since falling has but one way.

    Args:
        sprite: `4 h w`.
        amplitude: pixels from the ground to the feet at the highest.
        frames: of the loop.
        easing: of crouch and recovery.
        eyes: `h w`, bool; where lines are neither left out nor doubled.

    Returns:
        Poses of a loop; the first is the sprite itself.
    """
    _, top, _, bottom = visible_box(sprite)
    give = max(1, min(pixels((bottom - top) / 12), amplitude)) if frames >= 4 else 0
    poses = []
    for phase in phases(frames):
        if phase < _OFF or phase >= _ON:
            at = phase / _OFF if phase < _OFF else (phase - _ON) / (1 - _ON)
            down = pixels(give * there_and_back(at, easing))
            poses.append(deformed(sprite, -down, eyes=eyes))
            continue
        flight = (phase - _OFF) / (_ON - _OFF)
        height = pixels(amplitude * 4 * flight * (1 - flight))
        fast = frames >= 6 and not 0.3 < flight < 0.7  # stretched where it is quick
        poses.append(deformed(sprite, give if fast else 0, up=height, eyes=eyes))
    return poses


_OFF, _ON = 0.25, 0.75
"""When the feet leave the ground, and when they are back."""
