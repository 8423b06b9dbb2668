"""Walk in place: legs and arms, known by a mask of parts, move by whole pixels; what they uncover is filled."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from ..errors import SheetError
from .easing import Easing, phases, pixels, to_and_fro
from .limbs import ARMS, LEGS, halved, limbs_of
from .poses import Pose, visible_box
from .stride import stride

View = Literal["front", "side", "side-left"]

VIEWS: tuple[View, ...] = get_args(View)
"""Seen from the front or the back, feet are lifted in turn; seen from the side, legs swing forwards and backwards.
There, "side" looks to the right."""


def walk(
    sprite: Tensor,
    *,
    amplitude: int,
    frames: int,
    easing: Easing = "smooth",
    parts: Tensor | None = None,
    view: View = "front",
) -> list[Pose]:
    """Walk on the spot: one leg after the other, the arms against them, the body lower where both feet are down.

    From the front, a leg goes up as a whole and vanishes behind the body. From the side, legs and arms lean from hip
    and shoulder row by row, so that they stay joined to them, and the one that comes forward is lifted.

    Args:
        sprite: `4 h w`.
        amplitude: pixels that a foot is lifted, or from the side that it goes to the front and to the back.
        frames: of two steps: 4 or 8, or another even number.
        easing: how the feet move.
        parts: `h w`, int64: places in `PARTS`, roughly drawn; one leg alone stands for two. None finds legs that a gap
            parts.
        view: from where the sprite is seen.

    Returns:
        Poses of a loop.

    Raises:
        ShapeError: `parts` has another size.
        SheetError: no legs, an odd number of frames, or no such view.
    """
    if view not in VIEWS:
        msg = f"{view!r} is no view; expected one of {', '.join(VIEWS)}"
        raise SheetError(msg)
    if frames % 2:
        msg = f"a walk of {frames} frames: expected an even number, since it has two steps"
        raise SheetError(msg)
    limbs = limbs_of(sprite, parts)
    if view == "front":
        labels = halved(limbs.labels) if limbs.copied else limbs.labels
        return [_step(sprite, labels, phase, amplitude, easing) for phase in phases(frames)]
    forward = 1 if view == "side" else -1
    return stride(sprite, limbs, amplitude=amplitude, frames=frames, easing=easing, forward=forward)


def _step(sprite: Tensor, labels: Tensor, phase: float, amplitude: int, easing: Easing) -> Pose:
    height, width = sprite.shape[1:]
    room = amplitude + 2
    canvas = torch.zeros(4, height + 2 * room, width + 2 * room)
    moved = torch.zeros(canvas.shape[1:], dtype=torch.int64)  # the part that was drawn last, plus 1
    swing = to_and_fro(phase, easing)
    drop = 1 if abs(swing) < 0.5 else 0  # low where both feet are on the ground
    for part in (*LEGS, 0, *ARMS):
        sign = 1 if part in (1, 4) else -1  # an arm goes with the leg of the other side
        where = (labels == part).nonzero()
        if not len(where):
            continue
        if part == 0:
            down = drop
        else:
            lift = max(0.0, sign * swing) * amplitude if part in LEGS else -sign * swing * max(1, amplitude // 2)
            down = -pixels(lift) if part in LEGS else drop + pixels(lift)
        y, x = where[:, 0] + room + down, where[:, 1] + room
        canvas[:, y, x] = sprite[:, where[:, 0], where[:, 1]]
        moved[y, x] = part + 1
    _fill(canvas, moved, sprite, labels, room)
    _, _, _, bottom = visible_box(sprite)
    # a body that sinks onto short legs must not push anything through the ground
    canvas[:, room + bottom :] = 0
    return Pose(rgba=canvas, x=-room, y=-room)


def _fill(canvas: Tensor, moved: Tensor, sprite: Tensor, labels: Tensor, room: int) -> None:
    """Fill what parts uncovered, where it lies between others: from above or below, else from the body beside it."""
    height, width = labels.shape
    inside = slice(room, room + height), slice(room, room + width)
    empty = (canvas[3] == 0)[inside] & (sprite[3] > 0)
    sources: list[tuple[int, int, int, int]] = []
    for y, x in empty.nonzero().tolist():
        row, column = y + room, x + room
        above, below = (_next(moved, row, column, way, 0, 2) for way in (-1, 1))
        left, right = (_next(moved, row, column, 0, way, room) for way in (-1, 1))
        leg = int(labels[y, x]) in LEGS
        if above and below:
            sources.append((row, column, *(below if leg else above)))
        elif left and right:  # between two legs there may be a gap
            body = [at for at in (left, right) if moved[at] not in (2, 3)]
            if body:
                sources.append((row, column, *body[0]))
    for row, column, y, x in sources:
        canvas[:, row, column] = canvas[:, y, x]


def _next(moved: Tensor, row: int, column: int, down: int, across: int, reach: int) -> tuple[int, int] | None:
    """The nearest pixel in a direction, at most so many steps away."""
    for step in range(1, reach + 1):
        y, x = row + step * down, column + step * across
        if not (0 <= y < moved.shape[0] and 0 <= x < moved.shape[1]):
            return None
        if moved[y, x]:
            return y, x
    return None
