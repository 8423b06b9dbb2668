"""Ordered dithers: every pixel is shifted by a matrix, or mixed of 16 colours, and depends on no other pixel."""

from __future__ import annotations

import torch
from torch import Tensor

from ..color import srgb_to_oklab
from ..errors import PaletteError
from ..image import check_image, from_uint8
from ..palette import Palette, Space, nearest_indices
from ..palette.indexed import eight_bit
from .matrices import Ordered, pattern_map, threshold_map

_PATTERN = 16


def ordered_dither(
    rgb: Tensor,
    palette: Palette,
    name: Ordered = "bayer4",
    *,
    strength: float = 1.0,
    space: Space = "oklab",
    pattern: Tensor | None = None,
) -> Tensor:
    """Shift every pixel by a matrix that repeats over the picture, then take the nearest palette colour.

    The shifts of pictures on 8-bit levels are rounded to such levels too.

    Args:
        rgb: `b 3 h w`, floating point in [0, 1]; each picture begins at the matrix's corner.
        palette: k colours.
        name: which matrix; "knoll" is pattern dither (Knoll, US patent 6606166, expired), which mixes each colour from
            16 palette colours and so fits palettes with uneven steps.
        strength: 0 (none) to 1 (as wide as the mean step between neighbouring palette colours), or more.
        space: which difference decides what is nearest.
        pattern: a matrix of one's own instead of the named one, `h w`; see `pattern_map`.

    Returns:
        `b h w`, int64 indices.

    Raises:
        ShapeError, ImageError: `rgb` is no picture.
        PaletteError: no such dither or difference, `strength` below 0, or no pattern.
    """
    check_image(rgb, "rgb")
    if not 0 <= strength < float("inf"):
        msg = f"strength is {strength}, expected 0 or more"
        raise PaletteError(msg)
    matrix = (threshold_map(name) if pattern is None else pattern_map(pattern)).to(rgb.device)
    (high, wide), (h, w) = matrix.shape, rgb.shape[2:]
    tiled = matrix.repeat(-(-h // high), -(-w // wide))[:h, :w]
    rgb = rgb.detach().float()
    levels = eight_bit(rgb)
    if name == "knoll":
        return _knoll(rgb, palette, tiled, strength, space, exact=levels is None)
    shift = strength * _mean_step(palette) * tiled
    if levels is None:
        return nearest_indices((rgb + shift).clamp(0, 1), palette, space=space)
    shifted = levels.to(torch.int16) + (255 * shift).round().clamp(-255, 255).to(torch.int16)
    return nearest_indices(from_uint8(shifted.clamp(0, 255).to(torch.uint8)), palette, space=space)


def _mean_step(palette: Palette) -> float:
    """Mean over the colours of the largest channel difference to the nearest other one; 0 for one colour."""
    colors = from_uint8(palette.colors).unique(dim=0)
    if len(colors) == 1:
        return 0.0
    away = torch.cdist(colors, colors, p=float("inf")).fill_diagonal_(float("inf"))
    return float(away.min(dim=1).values.mean())


def _knoll(rgb: Tensor, palette: Palette, tiled: Tensor, strength: float, space: Space, *, exact: bool) -> Tensor:
    """Collect 16 colours whose mean is the pixel's, order them by lightness, and take one by place."""
    colors = from_uint8(palette.colors).to(rgb.device)
    order = srgb_to_oklab(colors, dim=1)[:, 0].argsort(stable=True)
    rank = order.argsort()
    error, mix = torch.zeros_like(rgb), []
    for _ in range(_PATTERN):
        wanted = (rgb + strength * error).clamp(0, 1)
        chosen = nearest_indices(wanted if exact else (wanted * 255).round() / 255, palette, space=space)
        error = error + rgb - colors[chosen].permute(0, 3, 1, 2)
        mix.append(rank[chosen])
    place = ((tiled + 0.5) * _PATTERN).long().expand(len(rgb), 1, *tiled.shape)
    return order[torch.stack(mix, 1).sort(dim=1).values.gather(1, place)[:, 0]]
