"""EPX: Scale2x, Scale3x and their products, as choices of a source pixel for every pixel."""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor

from ..image import to_uint8

MOST_SCALE = 16
"""Largest factor of any method."""

EPX_SCALES = (1, 2, 3, 4, 6, 8, 9, 12, 16)
"""Factors that EPX can do: products of 2 and 3."""


def epx(picture: Tensor, scale: int) -> Tensor:
    """Enlarge by the rules of Scale3x as often as 3 divides the factor, then of Scale2x.

    Eric Johnston's EPX (1992) and Andrea Mazzoleni's Scale2x (2001) are one rule; https://www.scale2x.it/algorithm has
    it, and Scale3x. Beyond the border lies the border's own pixel.

    Args:
        picture: `b 3 h w` or `b 4 h w`, float32 in [0, 1], straight alpha last. Colours that agree in 8 bits are equal.
        scale: one of `EPX_SCALES`.

    Returns:
        `b c h*scale w*scale`, of the picture's own values.
    """
    return take(picture, epx_places(keys_of(picture), scale))


def keys_of(picture: Tensor) -> Tensor:
    """One number for each 8-bit colour, `b c h w` to `b h w`, int64; -1 for all that is transparent."""
    byte = to_uint8(picture).long()
    key = (byte[:, 0] * 256 + byte[:, 1]) * 256 + byte[:, 2]
    return key if picture.shape[1] == 3 else torch.where(byte[:, 3] > 0, key * 256 + byte[:, 3], -1)


def take(picture: Tensor, at: Tensor) -> Tensor:
    """Pixels of `b c h w` at `b H W` places, counted row by row: `b c H W`."""
    flat = picture.flatten(2)
    taken = flat.gather(2, at.flatten(1)[:, None].expand(-1, flat.shape[1], -1))
    return taken.unflatten(2, tuple(at.shape[1:]))


def epx_places(keys: Tensor, scale: int) -> Tensor:
    """Which pixel each pixel of the enlarged picture comes from: `b h w` to `b h*scale w*scale`."""
    b, h, w = keys.shape
    at = torch.arange(h * w, device=keys.device).view(1, h, w).expand(b, -1, -1)
    while scale > 1:
        step, rule = (3, _scale3x) if scale % 3 == 0 else (2, _scale2x)
        scale //= step
        now = take(keys[:, None], at)[:, 0]
        at = rearrange(rule(_around(now), _around(at)), "(y x) b h w -> b (h y) (w x)", y=step)
    return at


def _around(x: Tensor) -> list[Tensor]:
    """The 3x3 around each pixel, row by row, as the rules name them A to I; beyond the border, the border."""
    h, w = x.shape[1:]
    rows = torch.arange(-1, h + 1, device=x.device).clamp(0, h - 1)
    columns = torch.arange(-1, w + 1, device=x.device).clamp(0, w - 1)
    padded = x.index_select(1, rows).index_select(2, columns)
    return [padded[:, y : y + h, x : x + w] for y in range(3) for x in range(3)]


def _scale2x(keys: list[Tensor], at: list[Tensor]) -> Tensor:
    """The four pixels that replace each, `4 b h w`."""
    _, b, _, d, _, f, _, h, _ = keys
    _, _, _, d_at, e_at, f_at, _, _, _ = at
    on = (b != h) & (d != f)
    parts = ((d == b, d_at), (b == f, f_at), (d == h, d_at), (h == f, f_at))
    return torch.stack([torch.where(on & equal, there, e_at) for equal, there in parts])


def _scale3x(keys: list[Tensor], at: list[Tensor]) -> Tensor:
    """The nine pixels that replace each, `9 b h w`."""
    a, b, c, d, e, f, g, h, i = keys
    _, b_at, _, d_at, e_at, f_at, _, h_at, _ = at
    on = (b != h) & (d != f)
    up_left, up_right, down_left, down_right = d == b, b == f, d == h, h == f
    parts = (
        (up_left, d_at),
        ((up_left & (e != c)) | (up_right & (e != a)), b_at),
        (up_right, f_at),
        ((up_left & (e != g)) | (down_left & (e != a)), d_at),
        (torch.zeros_like(on), e_at),
        ((up_right & (e != i)) | (down_right & (e != c)), f_at),
        (down_left, d_at),
        ((down_left & (e != i)) | (down_right & (e != g)), h_at),
        (down_right, f_at),
    )
    return torch.stack([torch.where(on & equal, there, e_at) for equal, there in parts])
