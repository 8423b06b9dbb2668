"""Motions of a whole sprite: float, shake, hit, sway, spin."""

from __future__ import annotations

import math
from collections import Counter

import torch
from torch import Tensor

from ..color import srgb_to_oklab
from .easing import Easing, ease, phases, pixels, to_and_fro
from .lines import trimmed
from .poses import Pose

_EDGE = 12
"""A turning sprite is never thinner than this part of its width: a coin has an edge."""


def float_(sprite: Tensor, *, amplitude: int, frames: int, easing: Easing = "smooth") -> list[Pose]:
    """Hover: up and down around its place; nothing is reshaped.

    Args:
        sprite: `4 h w`.
        amplitude: pixels that it rises, and sinks, from its place.
        frames: of the loop.
        easing: how it moves.

    Returns:
        Poses of a loop; the first is the sprite itself.
    """
    return [Pose(rgba=sprite, y=-pixels(amplitude * to_and_fro(phase, easing))) for phase in phases(frames)]


def shake(sprite: Tensor, *, amplitude: int, frames: int, easing: Easing = "smooth") -> list[Pose]:
    """Tremble from side to side, on and on.

    Args:
        sprite: `4 h w`.
        amplitude: pixels to each side.
        frames: of the loop.
        easing: how it moves.

    Returns:
        Poses of a loop; the first is the sprite itself.
    """
    return [Pose(rgba=sprite, x=pixels(amplitude * to_and_fro(phase, easing))) for phase in phases(frames)]


def hit(sprite: Tensor, *, amplitude: int, frames: int, easing: Easing = "smooth") -> list[Pose]:
    """Take a blow: flash twice in the sprite's own lightest colour while it is thrown aside, and come back to rest.

    Args:
        sprite: `4 h w`.
        amplitude: pixels that it is thrown to the right; it swings back to the left by less.
        frames: of the whole.
        easing: how the swinging dies away.

    Returns:
        Poses; the last is the sprite itself.
    """
    light = flash(sprite)
    poses = []
    for index in range(frames - 1):
        reach = max(1, pixels(amplitude * (1 - ease(index / max(1, frames - 1), easing)))) if amplitude else 0
        poses.append(Pose(rgba=light if index in (0, 2) else sprite, x=reach if index % 2 == 0 else -reach))
    return [*poses, Pose(rgba=sprite)]


def flash(sprite: Tensor) -> Tensor:
    """The silhouette in the sprite's own lightest colour: `4 h w`."""
    shown = sprite[3] >= 0.5 if bool((sprite[3] >= 0.5).any()) else sprite[3] > 0
    lightness = srgb_to_oklab(sprite[:3], dim=0)[0].masked_fill(~shown, -1)
    at = int(lightness.argmax())
    color = sprite[:3].reshape(3, -1)[:, at]
    return torch.cat([color[:, None, None] * (sprite[3:] > 0), sprite[3:]])


def sway(sprite: Tensor, *, amplitude: int, frames: int, easing: Easing = "smooth") -> list[Pose]:
    """Bend in the wind: rows shift to the sides by whole pixels, the more the higher they are; the lowest stays.

    Args:
        sprite: `4 h w`.
        amplitude: pixels that the highest row goes to each side.
        frames: of the loop.
        easing: how it moves.

    Returns:
        Poses of a loop; the first is the sprite itself.
    """
    body, (left, top, right, bottom) = trimmed(sprite)
    height, width = bottom - top, right - left
    poses = []
    for phase in phases(frames):
        lean = amplitude * to_and_fro(phase, easing)
        made = torch.zeros(4, height, width + 2 * amplitude)
        for row in range(height):
            # squared: a stem that is fast below bends like this, and feet stay together
            shift = amplitude + pixels(lean * (1 - row / max(1, height - 1)) ** 2)
            made[:, row, shift : shift + width] = body[:, row]
        poses.append(Pose(rgba=made, x=left - amplitude, y=top))
    return poses


def spin(sprite: Tensor, *, amplitude: int, frames: int, easing: Easing = "linear") -> list[Pose]:
    """Turn around its upright middle like a coin: squeezed to its edge, mirrored, and back.

    The outermost columns stay as long as there is room, so that the outline does.

    Args:
        sprite: `4 h w`.
        amplitude: columns of its edge, where it is seen from the side; 0: a twelfth of its width.
        frames: of the loop.
        easing: of each quarter turn; "linear" turns evenly, as coins do.

    Returns:
        Poses of a loop; the first is the sprite itself.
    """
    body, (left, top, right, _) = trimmed(sprite)
    width = right - left
    edge = min(width, amplitude or max(1, pixels(width / _EDGE)))
    poses = []
    for phase in phases(frames):
        quarter, within = divmod(4 * (phase % 1), 1)
        turned = ease(within, easing) if int(quarter) % 2 == 0 else 1 - ease(1 - within, easing)
        across = math.cos((quarter + turned) * math.pi / 2)
        wide = max(edge, pixels(width * abs(across)))
        wide -= (width - wide) % 2 if wide > edge + 1 else 0  # the middle stays where it is
        made = squeezed(body if across > 0 else body.flip(2), wide) if wide > edge else profile(body, wide)
        poses.append(Pose(rgba=made, x=left + (width - wide) // 2, y=top))
    return poses


def profile(body: Tensor, wide: int) -> Tensor:
    """A sprite seen from its edge, `4 h wide`: each row in its commonest colour, if it can in none of its outline."""
    edge = torch.zeros(4, body.shape[1], wide)
    for row in range(body.shape[1]):
        line = [tuple(color) for color in body[:, row].T.tolist() if color[3] > 0]
        if line:
            seen = Counter([color for color in line if color not in (line[0], line[-1])] or line)
            edge[:, row] = torch.tensor(max(seen, key=lambda color: (seen[color], sum(color))))[:, None]
    return edge


def squeezed(body: Tensor, wide: int) -> Tensor:
    """Columns of `4 h w`, evenly chosen, from the first to the last: `4 h wide`, no more than there are."""
    width = body.shape[2]
    places = [pixels(index * (width - 1) / max(1, wide - 1)) for index in range(wide)]
    return body[:, :, torch.tensor(places)]
