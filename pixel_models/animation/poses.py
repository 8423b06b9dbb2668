"""`Pose`: a sprite moved or reshaped by whole pixels; poses put on one canvas that cuts nothing off."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import torch
from torch import Tensor

from ..errors import ImageError, ShapeError, SheetError
from ..image import check_image
from ..palette import IndexedImage

Box = tuple[int, int, int, int]
"""Left, top, and one past right and bottom, in pixels."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Pose:
    """What one frame shows, and where, in the sprite's own pixels."""

    rgba: Tensor
    """`4 h w`, float32 in [0, 1]; of any size."""
    x: int = 0
    """Where its left column lies; the sprite's own is 0."""
    y: int = 0
    """Where its top row lies; the sprite's own is 0."""
    duration: int | None = None
    """Milliseconds; None: as long as the user says."""


def one_sprite(sprite: Tensor | IndexedImage) -> Tensor:
    """A picture of any kind as `4 h w`, float32 in [0, 1], with 0 under transparent pixels.

    Args:
        sprite: `4 h w`, `1 4 h w`, or an indexed picture of one frame.

    Raises:
        ShapeError, ImageError: no picture, several, or one in which nothing is visible.
    """
    rgba = sprite.to_rgba() if isinstance(sprite, IndexedImage) else sprite
    rgba = rgba[None] if isinstance(rgba, Tensor) and rgba.ndim == 3 else rgba
    check_image(rgba, "sprite", channels=(4,))
    if len(rgba) != 1:
        msg = f"expected one sprite, got a batch of {len(rgba)}; animate them one after the other"
        raise ShapeError(msg)
    clean = rgba[0].detach().float().cpu().clamp(0, 1)
    clean = clean * (clean[3:] > 0)
    if not bool(clean[3].any()):
        msg = "the sprite is wholly transparent; expected something to move"
        raise ImageError(msg)
    return clean


def visible_box(rgba: Tensor) -> Box:
    """The smallest box around all that is not wholly transparent; `0 0 0 0` where nothing is.

    Args:
        rgba: `4 h w`.
    """
    seen = rgba[3] > 0
    if not bool(seen.any()):
        return 0, 0, 0, 0
    rows, columns = seen.any(dim=1).nonzero(), seen.any(dim=0).nonzero()
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def on_one_canvas(sprite: Tensor, poses: Sequence[Pose]) -> tuple[Tensor, tuple[int, int]]:
    """Put poses on a canvas as large as the sprite's, grown where one of them reaches beyond it.

    Args:
        sprite: `4 h w`, at rest.
        poses: one or more.

    Returns:
        The frames, `b 4 H W`, and the columns and rows that were added at the left and at the top.
    """
    height, width = sprite.shape[1:]
    left = top = 0
    right, bottom = width, height
    for pose in poses:
        x, y, beyond_x, beyond_y = visible_box(pose.rgba)
        if beyond_x > x:
            left, top = min(left, pose.x + x), min(top, pose.y + y)
            right, bottom = max(right, pose.x + beyond_x), max(bottom, pose.y + beyond_y)
    canvas = torch.zeros(len(poses), 4, bottom - top, right - left)
    for frame, pose in zip(canvas, poses, strict=True):
        x, y, beyond_x, beyond_y = visible_box(pose.rgba)
        down, across = pose.y + y - top, pose.x + x - left
        if beyond_x > x:  # an empty pose may lie anywhere
            frame[:, down : down + beyond_y - y, across : across + beyond_x - x] = pose.rgba[:, y:beyond_y, x:beyond_x]
    return canvas, (-left, -top)


def feet(sprite: Tensor) -> tuple[float, float]:
    """Where a sprite stands: the middle of its visible box, at the lower edge; in pixels right and down."""
    left, _, right, bottom = visible_box(sprite)
    return (left + right) / 2, float(bottom)


def whole(name: str, limits: tuple[int, int], value: int) -> int:
    """A whole number, where it lies inside its limits.

    Raises:
        SheetError: it does not, or is none.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not limits[0] <= value <= limits[1]:
        msg = f"{name} is {value!r}, expected a whole number from {limits[0]} to {limits[1]}"
        raise SheetError(msg)
    return value
