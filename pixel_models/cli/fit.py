"""`--size` for pictures of another shape: padded, cropped or stretched to exactly so many cells."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ..palette import IndexedImage


def inner_size(picture: tuple[int, int], cells: tuple[int, int]) -> tuple[int, int]:
    """The largest size of the picture's own shape that fits.

    Args:
        picture: width and height, pixels.
        cells: width and height, cells.

    Returns:
        Width and height in cells, each at least 1 and at most that of `cells`.
    """
    (width, height), (columns, rows) = picture, cells
    if width * rows >= height * columns:
        return columns, min(rows, max(1, round(columns * height / width)))
    return min(columns, max(1, round(rows * width / height))), rows


def crop_to_shape(picture: Tensor, cells: tuple[int, int]) -> Tensor:
    """Cut the middle out of a picture, as large as it can be in the shape of the cells.

    Args:
        picture: `b c h w`.
        cells: width and height; only their ratio matters.

    Returns:
        `b c H W`, a view.
    """
    (rows, columns), (height, width) = cells[::-1], picture.shape[-2:]
    kept_width = min(width, max(1, round(height * columns / rows)))
    kept_height = min(height, max(1, round(width * rows / columns)))
    top, left = (height - kept_height) // 2, (width - kept_width) // 2
    return picture[..., top : top + kept_height, left : left + kept_width]


def centre_cells(picture: Tensor, cells: tuple[int, int]) -> Tensor:
    """Put cells in the middle of transparent ones.

    Args:
        picture: `b 4 h w`, none of its sides larger than `cells`.
        cells: width and height of the result.

    Returns:
        `b 4 H W`.
    """
    across, down = (whole - part for whole, part in zip(cells, picture.shape[:1:-1], strict=True))
    left, top = across // 2, down // 2
    return functional.pad(picture, (left, across - left, top, down - top))


def centre_on(sprite: IndexedImage, cells: tuple[int, int]) -> IndexedImage:
    """Put a sprite in the middle of transparent cells.

    Args:
        sprite: `b h w` cells, none of its sides larger than `cells`.
        cells: width and height of the result.

    Returns:
        `b H W`, the same palette; the sprite itself where it has that size already.
    """
    b, height, width = sprite.indices.shape
    columns, rows = cells
    if (columns, rows) == (width, height):
        return sprite
    top, left = (rows - height) // 2, (columns - width) // 2
    inside = (slice(None), slice(top, top + height), slice(left, left + width))
    indices = sprite.indices.new_zeros(b, rows, columns)
    clear = torch.ones_like(indices, dtype=torch.bool)
    indices[inside] = sprite.indices
    clear[inside] = False if sprite.transparent is None else sprite.transparent
    return IndexedImage(indices, sprite.palette, clear)
