"""One palette for any number of pictures, by any of the ways to choose one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor

from ..errors import ImageError, PaletteError
from ..image import check_image
from .core import Palette
from .extract import check_colors, extract_palette
from .mixture import mixture_palette
from .quantize import median_cut, octree, palette_for_error

PaletteMethod = Literal["k-means", "mixture", "median cut", "octree"]
"""How a palette is chosen; the first has the least error."""

PALETTE_METHODS: tuple[PaletteMethod, ...] = get_args(PaletteMethod)
"""Every `PaletteMethod`, the default first."""


def choose_palette(
    pictures: Sequence[Tensor],
    colors: int = 16,
    *,
    method: PaletteMethod = "k-means",
    error: float | None = None,
    keep: Palette | None = None,
    accents: float = 0.0,
    seed: int = 0,
) -> Palette:
    """Choose one palette for pictures of any sizes: a batch, a film, a folder.

    Args:
        pictures: each `b 3 h w` or `b 4 h w`, floating point in [0, 1]; where alpha is below a half, a pixel has no
            say. A large picture counts for more than a small one.
        colors: the most entries, 1 or more.
        method: one of `PALETTE_METHODS`.
        error: mean Oklab distance of a pixel to its palette colour (0.02 is hardly seen): as few colours as that
            needs, at most `colors`. None takes `colors`.
        keep: colours that are in the palette whatever the pictures hold; the others are chosen around them.
        accents: as for `extract_palette`; for "k-means" and "mixture".
        seed: same seed, same palette; for "k-means" and "mixture".

    Returns:
        At most `colors` distinct colours, dark to light; exactly the pictures' when they have no more. When no pixel is
        opaque: those of `keep`, or black alone.

    Raises:
        ShapeError, ImageError: there is no picture, or something that is none.
        PaletteError: `method` is not known, `colors` is below 1 or below the number of colours to keep, `accents` is
            outside 0 to 1, or `colors` are not enough for `error`.
    """
    if method not in PALETTE_METHODS:
        msg = f"{method!r} is no way to choose a palette; expected one of {', '.join(PALETTE_METHODS)}"
        raise PaletteError(msg)
    check_colors(colors, keep)
    if len(pictures) == 0:
        msg = "a palette is chosen from at least one picture, got none"
        raise ImageError(msg)
    for picture in pictures:
        check_image(picture, "picture", (3, 4))
    rgb = torch.cat([picture[:, :3].detach().float().cpu().transpose(0, 1).flatten(1) for picture in pictures], dim=1)
    seen = [picture[:, 3:].detach().cpu() >= 0.5 if picture.shape[1] == 4 else None for picture in pictures]
    weight = None
    if any(part is not None for part in seen):
        parts = zip(seen, pictures, strict=True)
        flat = [part.flatten() if part is not None else _all_of(picture) for part, picture in parts]
        weight = torch.cat(flat).float().view(1, 1, 1, -1)
    rgb = rgb[None, :, None]  # 1 3 1 n

    def choose(count: int) -> Palette:
        if method == "median cut":
            return median_cut(rgb, count, weight=weight, keep=keep)
        if method == "mixture":
            return mixture_palette(rgb, count, weight=weight, accents=accents, seed=seed, keep=keep)
        if method == "octree":
            return octree(rgb, count, weight=weight, keep=keep)
        return extract_palette(rgb, count, weight=weight, accents=accents, seed=seed, keep=keep)

    if error is None:
        return choose(colors)
    return palette_for_error(rgb, error, most=colors, weight=weight, keep=keep, choose=choose)


def _all_of(picture: Tensor) -> Tensor:
    return torch.ones(len(picture) * picture.shape[2] * picture.shape[3], dtype=torch.bool)
