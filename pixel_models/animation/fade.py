"""A sprite that dissolves pixel by pixel, and one that appears so; nothing half transparent."""

from __future__ import annotations

from torch import Tensor

from ..dither.matrices import threshold_map
from .easing import Easing, ease
from .poses import Pose


def dissolve(sprite: Tensor, *, amplitude: int, frames: int, easing: Easing = "linear") -> list[Pose]:
    """Vanish in the order of Bayer's matrix of 4 by 4: even patterns of ever fewer pixels.

    Args:
        sprite: `4 h w`.
        amplitude: pixels that what is left rises while it vanishes.
        frames: from the whole sprite to none of it, 2 or more.
        easing: how it goes.

    Returns:
        Poses; the first is the sprite itself, the last is empty. The inverse of `appear`.
    """
    height, width = sprite.shape[1:]
    order = threshold_map("bayer4") + 0.5  # 4 4, in (0, 1)
    order = order.repeat(-(-height // 4), -(-width // 4))[:height, :width]
    poses = []
    for index in range(frames):
        gone = ease(index / (frames - 1), easing)
        poses.append(Pose(rgba=sprite * (order >= gone), y=-int(amplitude * gone)))
    return poses


def appear(sprite: Tensor, *, amplitude: int, frames: int, easing: Easing = "linear") -> list[Pose]:
    """Come into being in the order of Bayer's matrix, sinking to its place; the inverse of `dissolve`.

    Args:
        sprite: `4 h w`.
        amplitude: pixels that it comes from above.
        frames: from none of it to the whole sprite, 2 or more.
        easing: how it comes, seen from its end.

    Returns:
        Poses; the first is empty, the last is the sprite itself.
    """
    return dissolve(sprite, amplitude=amplitude, frames=frames, easing=easing)[::-1]
