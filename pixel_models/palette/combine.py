"""Palettes out of palettes and pictures: joined, thinned and sorted in one call; every colour of a picture in order."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..errors import PaletteError
from ..image import check_image, to_uint8
from .core import Palette
from .edit import SortKey, merge_near, reduce_palette, sort_palette

MAX_DISTINCT = 1024
"""Colours of a picture that `distinct_colors` takes for a palette."""


def join_palettes(palettes: Sequence[Palette]) -> Palette:
    """One palette of all their colours, each once, in the order in which they first come.

    Raises:
        PaletteError: no palette.
    """
    if not palettes:
        msg = "there is no palette to join; expected at least one"
        raise PaletteError(msg)
    colors = _first_of_each(torch.cat([palette.colors for palette in palettes]))
    return Palette(colors, palettes[0].name if len(palettes) == 1 else "")


def distinct_colors(pictures: Sequence[Tensor]) -> Palette:
    """Every 8-bit colour of pictures, in reading order: the inverse of drawing a palette one pixel a colour.

    Args:
        pictures: each `b 3 h w` or `b 4 h w`, floating point in [0, 1]; pixels of alpha below 0.5 do not count.

    Raises:
        ShapeError, ImageError: no pictures.
        PaletteError: no opaque pixel, or more than `MAX_DISTINCT` colours.
    """
    seen = []
    for picture in pictures:
        check_image(picture, "picture", channels=(3, 4))
        pixels = to_uint8(picture.detach()).permute(0, 2, 3, 1).flatten(0, 2).cpu()  # n c
        seen.append(pixels[pixels[:, 3] >= 128, :3] if picture.shape[1] == 4 else pixels)
    found = torch.cat(seen) if seen else torch.zeros(0, 3, dtype=torch.uint8)
    if len(found) == 0:
        msg = "the pictures have no opaque pixel, so no colours; expected at least one"
        raise PaletteError(msg)
    colors = _first_of_each(found)
    if len(colors) > MAX_DISTINCT:
        msg = f"the pictures have {len(colors)} colours, more than the {MAX_DISTINCT} of a palette; extract one instead"
        raise PaletteError(msg)
    return Palette(colors)


def edit_palette(
    palette: Palette, *, merge: float = 0.0, reduce: int = 0, sort: SortKey | None = None, reverse: bool = False
) -> Palette:
    """Merge near colours, reduce to a number, sort and turn around, in this order.

    Args:
        palette: the colours.
        merge: colours nearer than this in Oklab become one; 0 keeps all, also equal ones.
        reduce: the most colours to keep; 0 keeps all.
        sort: what by, ascending; None keeps the order.
        reverse: turn the order around at the end.

    Raises:
        PaletteError: as `merge_near`, `reduce_palette` and `sort_palette`.
    """
    if merge:
        palette = merge_near(palette, merge)[0]
    if reduce:
        palette = reduce_palette(palette, reduce)[0]
    if sort is not None:
        palette = sort_palette(palette, sort)
    return Palette(palette.colors.flip(0), palette.name) if reverse else palette


def _first_of_each(colors: Tensor) -> Tensor:
    """`n 3` without repeats, in the order of first appearance."""
    _, which = colors.unique(dim=0, return_inverse=True)
    first = torch.full((int(which.max()) + 1,), len(colors), dtype=torch.int64)
    first.scatter_reduce_(0, which, torch.arange(len(colors)), reduce="amin")
    return colors[first.sort().values]
