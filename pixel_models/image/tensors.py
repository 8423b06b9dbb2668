"""Picture tensors: 8-bit <-> float, checks, padding to a multiple, nearest enlargement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from ..errors import ImageError, ShapeError

# Resampling overshoots a little (bicubic, Lanczos); a picture in 0..255 or -1..1 goes much further.
_OVERSHOOT = 0.5


def from_uint8(x: Tensor) -> Tensor:
    """Turn 8-bit values into floats.

    Args:
        x: any shape, uint8.

    Returns:
        Same shape, float32 in [0, 1]. The inverse of `to_uint8`.

    Raises:
        ShapeError: `x` is not uint8.
    """
    if x.dtype != torch.uint8:
        msg = f"expected a uint8 tensor, got {x.dtype}"
        raise ShapeError(msg)
    return x.float().div_(255)


def to_uint8(x: Tensor) -> Tensor:
    """Turn floats into 8-bit values: clamped, and rounded rather than cut off.

    Args:
        x: any shape, floating point, in [0, 1].

    Returns:
        Same shape, uint8. The inverse of `from_uint8`.

    Raises:
        ShapeError: `x` is not floating point.
    """
    if not x.is_floating_point():
        msg = f"expected a floating point tensor in [0, 1], got {x.dtype}"
        raise ShapeError(msg)
    return x.float().clamp(0, 1).mul_(255).round_().to(torch.uint8)


def check_image(x: Tensor, name: str = "image", channels: Sequence[int] = (3,)) -> None:
    """Refuse what is no batch of pictures, naming what was got and what was expected.

    A slight overshoot of [0, 1], as resampling leaves it, is let through: callers clamp.

    Args:
        x: what should be `b c h w`, floating point in [0, 1], with at least one picture and one pixel.
        name: what to call it in the message.
        channels: the channel counts that are allowed.

    Raises:
        ShapeError: wrong type, rank or channel count.
        ImageError: no pixels, NaN or infinite values, or values far outside [0, 1].
    """
    wanted = " or ".join(str(count) for count in channels)
    if not isinstance(x, Tensor):
        msg = f"{name}: expected a tensor `b {wanted} h w`, got {type(x).__name__}"
        raise ShapeError(msg)
    if x.ndim != 4 or x.shape[1] not in channels:
        msg = f"{name}: expected a tensor `b {wanted} h w`, got shape {tuple(x.shape)}"
        raise ShapeError(msg)
    if not x.is_floating_point():
        msg = f"{name}: expected floating point values in [0, 1], got {x.dtype}; use from_uint8 for 8-bit values"
        raise ShapeError(msg)
    if x.numel() == 0:
        msg = f"{name}: expected at least one picture and one pixel, got shape {tuple(x.shape)}"
        raise ImageError(msg)
    low, high = (value.item() for value in x.detach().float().aminmax())  # NaN anywhere makes both NaN
    if not (abs(low) < float("inf") and abs(high) < float("inf")):
        msg = f"{name}: holds NaN or infinite values; expected values in [0, 1]. Look at what made this picture"
        raise ImageError(msg)
    if low < -_OVERSHOOT or high > 1 + _OVERSHOOT:
        msg = f"{name}: expected values in [0, 1], got {low:.3g} to {high:.3g}; divide 8-bit values by 255"
        raise ImageError(msg)


def enlarge(x: Tensor, scale: int) -> Tensor:
    """Repeat every pixel `scale` times along both axes (nearest neighbour, exact).

    Args:
        x: `... h w`, any type.
        scale: whole factor, 1 or more.

    Returns:
        `... h*scale w*scale`, same type.

    Raises:
        ShapeError: `scale` is no whole number of at least 1, or `x` has fewer than two axes.
    """
    if isinstance(scale, bool) or not isinstance(scale, int) or scale < 1:
        msg = f"expected a whole factor of at least 1, got {scale!r}"
        raise ShapeError(msg)
    if x.ndim < 2:
        msg = f"expected a tensor `... h w`, got shape {tuple(x.shape)}"
        raise ShapeError(msg)
    if scale == 1:
        return x
    return x.repeat_interleave(scale, dim=-2).repeat_interleave(scale, dim=-1)


def pad_to_multiple(
    x: Tensor, multiple: int, mode: Literal["replicate", "reflect", "constant"] = "replicate"
) -> tuple[Tensor, tuple[int, int]]:
    """Pad at the right and the bottom until both sides are multiples of `multiple`.

    Args:
        x: `b c h w`, floating point.
        multiple: 1 or more.
        mode: how `torch.nn.functional.pad` fills the new pixels; "constant" is 0.

    Returns:
        The padded `b c H W`, and the size `(h, w)` it had, for `crop_to`, which undoes this.

    Raises:
        ShapeError: `x` is not `b c h w` with at least one pixel, or `multiple` is below 1.
    """
    if x.ndim != 4 or x.numel() == 0 or multiple < 1:
        msg = f"expected a tensor `b c h w` and a multiple of at least 1, got shape {tuple(x.shape)} and {multiple}"
        raise ShapeError(msg)
    height, width = x.shape[-2:]
    down, right = -height % multiple, -width % multiple
    if down or right:
        x = functional.pad(x, (0, right, 0, down), mode=mode)
    return x, (height, width)


def crop_to(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Keep the upper left part; the inverse of `pad_to_multiple`.

    Args:
        x: `... H W`.
        size: `(h, w)` with `h <= H` and `w <= W`.

    Returns:
        `... h w`, a view.

    Raises:
        ShapeError: `size` is larger than the picture.
    """
    height, width = size
    if height > x.shape[-2] or width > x.shape[-1]:
        msg = f"cannot crop {x.shape[-2]}x{x.shape[-1]} (height x width) to the larger {height}x{width}"
        raise ShapeError(msg)
    return x[..., :height, :width]
