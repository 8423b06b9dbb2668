"""Which rows and columns of a sprite can be left out or doubled without harm to eyes and outline, and doing so."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from ..color import srgb_to_oklab
from .poses import Box, visible_box

Axis = Literal["rows", "columns"]

_FAR = 0.3
"""Oklab distance from which on two colours are as different as can be; so far are a pixel and an empty place."""

_CROWD = 0.15
"""What a line costs more for each chosen one right beside it."""

_EYES = 1.0
_RIM = 0.5


def line_costs(sprite: Tensor, axis: Axis, keep: Tensor | None = None) -> Tensor:
    """What is lost where a line goes, or grows where it is doubled: details one pixel thick.

    A pixel counts as much as it differs from the nearer in colour of its two neighbours across the line. So a line in
    an even area, or at the border of two, costs nothing; one through eyes, a mouth, or along an outline does.

    Args:
        sprite: `4 h w`.
        axis: of the lines.
        keep: `h w`, bool; where lines had better not go, such as eyes.

    Returns:
        `n`, float32, 0 or more; about the mean difference of a line's visible pixels.
    """
    across = 1 if axis == "rows" else 2
    parts = torch.cat([srgb_to_oklab(sprite[:3], dim=0), _FAR * (sprite[3:] >= 0.5)])
    empty = torch.zeros_like(parts.narrow(across, 0, 1))
    parts = torch.cat([empty, parts, empty], dim=across)
    count = sprite.shape[across]
    step = (parts.narrow(across, 1, count + 1) - parts.narrow(across, 0, count + 1)).norm(dim=0).clamp(max=_FAR)
    thin = torch.minimum(step.narrow(across - 1, 0, count), step.narrow(across - 1, 1, count))  # h w
    along = 2 - across
    seen = (sprite[3] >= 0.5).sum(dim=along).clamp(min=1)
    cost = thin.sum(dim=along) / seen / _FAR
    if keep is not None:
        cost = cost + _EYES * keep.any(dim=along)
    return cost


def choose_lines(cost: Tensor, count: int, low: int, high: int) -> list[int]:
    """Choose the cheapest lines of a range, spread over it: each in a share of its own.

    Args:
        cost: `n`, as of `line_costs`.
        count: how many; no more than there are.
        low: the first that may be chosen.
        high: one past the last.

    Returns:
        Their places in order; more than one beside the other only where nothing else is left.
    """
    chosen: list[int] = []
    count = min(count, high - low)
    for index in range(count):
        begin, end = low + index * (high - low) // count, low + (index + 1) * (high - low) // count
        middle = (begin + end - 1) / 2
        chosen.append(
            min(
                range(begin, end),
                key=lambda line: (
                    float(cost[line])
                    + _CROWD * (line - 1 in chosen)
                    + 0.05 * abs(line - middle) / max(1, end - begin)  # of equals the one in the middle
                ),
            )
        )
    return chosen


def drop_lines(sprite: Tensor, lines: list[int], axis: Axis) -> Tensor:
    """Leave lines out: `4 h-n w` or `4 h w-n`."""
    across = 1 if axis == "rows" else 2
    stays = [line for line in range(sprite.shape[across]) if line not in set(lines)]
    return sprite.index_select(across, torch.tensor(stays))


def double_lines(sprite: Tensor, lines: list[int], axis: Axis) -> Tensor:
    """Repeat lines: `4 h+n w` or `4 h w+n`."""
    across = 1 if axis == "rows" else 2
    twice = torch.ones(sprite.shape[across], dtype=torch.int64)
    twice[lines] = 2
    return sprite.repeat_interleave(twice, dim=across)


def reshape(sprite: Tensor, rows: int, columns: int, keep: Tensor | None = None) -> Tensor:
    """Make a sprite so many rows and columns larger (above 0) or smaller (below), where that harms least.

    Args:
        sprite: `4 h w`, without empty borders.
        rows: to add or to leave out, fewer than it has.
        columns: the same.
        keep: `h w`, bool; where it had better not happen.

    Returns:
        `4 h+rows w+columns`, of pixels of the sprite.
    """
    height, width = sprite.shape[1:]
    down = choose_lines(line_costs(sprite, "rows", keep) + rim(height), abs(rows), *inner(height))
    cost = line_costs(sprite, "columns", keep) + rim(width)
    # What is chosen left and right of the middle mirrors where it can: faces and armour are symmetric.
    across = choose_lines(cost + cost.flip(0), abs(columns), *inner(width))
    made = (double_lines if rows > 0 else drop_lines)(sprite, down, "rows")
    return (double_lines if columns > 0 else drop_lines)(made, across, "columns")


def inner(count: int) -> tuple[int, int]:
    """The lines but for the first and last two, where there are enough."""
    edge = 2 if count > 8 else 1 if count > 3 else 0
    return edge, count - edge


def rim(count: int) -> Tensor:
    """`n`, float32: what lines cost that lie close to the ends, where outlines are."""
    place = torch.arange(count)
    return _RIM * (torch.minimum(place, count - 1 - place) < max(1, count // 12)).float()


def trimmed(sprite: Tensor) -> tuple[Tensor, Box]:
    """What is visible of a sprite, and where it lies: `4 h w` and its box."""
    left, top, right, bottom = box = visible_box(sprite)
    return sprite[:, top:bottom, left:right], box
