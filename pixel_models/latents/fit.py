"""Sprites on a model's canvas: set on whole pixels, never resampled."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import ImageError
from ..image import check_image


def fit_sprites(rgba: Tensor, side: int, name: str = "sprite") -> Tensor:
    """Bring sprites to a square canvas on whole pixels; nothing is ever resampled.

    Smaller ones stand in its middle; of larger ones what is empty around them is cut off.

    Args:
        rgba: `b 4 h w`, float32 in [0, 1], at native size; below half opacity is transparent.
        side: of the canvas, pixels.
        name: what to call them in a message.

    Returns:
        `b 4 side side`, alpha 0 or 1, black where nothing is.

    Raises:
        ImageError: one shows nothing, or is larger than the canvas.
    """
    check_image(rgba, name, (4,))
    return torch.stack([_fitted(one.detach().float().cpu(), side, name) for one in rgba])


def _fitted(rgba: Tensor, side: int, name: str) -> Tensor:
    opaque = rgba[3:] >= 0.5
    rgba = torch.cat([rgba[:3] * opaque, opaque.float()])
    height, width = rgba.shape[1:]
    rows, columns = opaque[0].any(1).nonzero()[:, 0], opaque[0].any(0).nonzero()[:, 0]
    if not len(rows):
        msg = f"the {name} is wholly transparent; expected one that shows something"
        raise ImageError(msg)
    if max(height, width) > side:
        rgba = rgba[:, int(rows[0]) : int(rows[-1]) + 1, int(columns[0]) : int(columns[-1]) + 1]
    tall, wide = rgba.shape[1:]
    if max(tall, wide) > side:
        without = "" if (tall, wide) == (height, width) else f" ({wide}x{tall} without what is empty around it)"
        msg = (
            f"the {name} is {width}x{height} pixels{without}, and this model takes at most {side}x{side}; bring "
            "enlarged pixel art to its native size with `pixel-kiln snap` (Snap To Grid), or cut a part out"
        )
        raise ImageError(msg)
    top, left = (side - tall) // 2, (side - wide) // 2
    return F.pad(rgba, (left, side - wide - left, top, side - tall - top))


def on_white(rgba: Tensor) -> Tensor:
    """Fitted sprites `b 4 h w` as models of RGB know them, `b 3 h w`: what is transparent is white."""
    return rgba[:, :3] + 1 - rgba[:, 3:]
