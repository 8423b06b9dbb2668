"""`slice_sheet`: a sheet's picture cut into its sprites, by size, by count, by rows, or by what hangs together."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from ..errors import ShapeError, SheetError
from ..image import check_image
from .background import find_foreground
from .core import MAX_FRAMES, Frame, Place, SpriteSheet
from .parts import Mask, find_boxes, join_boxes, reading_order, spans

SliceHow = Literal["auto", "size", "count", "rows"]

SLICE_HOWS: tuple[SliceHow, ...] = get_args(SliceHow)

# A colour must hold this share of the border to be taken for the background: more where cells are cut anyway, since a
# sheet of opaque tiles has none.
_SURE = {"auto": 0.5, "rows": 0.5, "size": 0.9, "count": 0.9}

_Box = tuple[int, int, int, int]


def slice_sheet(
    rgba: Tensor,
    *,
    how: SliceHow = "auto",
    size: tuple[int, int] | None = None,
    count: tuple[int, int] | None = None,
    margin: int = 0,
    spacing: int = 0,
    background: str | None = None,
    name: str = "sprite",
    keep_empty: bool = False,
    gap: int = 2,
) -> SpriteSheet:
    """Cut a sheet's picture into frames; the background becomes transparent.

    "auto" takes connected parts, and joins those that belong together: boxes that overlap, and small ones close to a
    larger one. "rows" takes what is parted by empty rows, then by empty columns; all frames of a row are as high as
    the row, so that a jump stays a jump, and carry the tag `row_0`, `row_1` … if there is more than one. "size" and
    "count" cut a grid. Order is by rows from the top, each from the left.

    Args:
        rgba: `4 h w`, float32 in [0, 1], straight alpha; native size or enlarged, pixels are only cut, never scaled.
        how: one of `SLICE_HOWS`.
        size: width and height of a cell in pixels, for "size". What is left over at the right and below must be empty.
        count: columns and rows, for "count".
        margin: pixels around the grid, for "size" and "count".
        spacing: pixels between its cells, likewise.
        background: hex colour that is transparent wherever it stands; None: the picture's own transparency, or else
            the commonest colour of its border (for "size" and "count" only if it holds nine tenths of it); "none":
            no colour is background.
        name: frames are called `name_0`, `name_1` …
        keep_empty: for "size" and "count", keep cells without a visible pixel.
        gap: for "auto", how many empty pixels may lie between a part and a small one (a floating eye) that joins it.

    Returns:
        The frames, the picture without its background, and where they lie on it.

    Raises:
        ShapeError, ImageError: `rgba` is no picture.
        SheetError: the numbers do not fit the picture, no background was found, or nothing stands on it.
    """
    if not isinstance(rgba, Tensor) or rgba.ndim != 3:
        msg = (
            f"expected a picture `4 h w`, got {tuple(rgba.shape) if isinstance(rgba, Tensor) else type(rgba).__name__}"
        )
        raise ShapeError(msg)
    check_image(rgba[None], "rgba", channels=(4,))
    if how not in SLICE_HOWS:
        msg = f"how is {how!r}, expected one of {', '.join(SLICE_HOWS)}"
        raise SheetError(msg)
    for title, number in (("margin", margin), ("spacing", spacing), ("gap", gap)):
        if number < 0:
            msg = f"{title} is {number} pixels, expected 0 or more"
            raise SheetError(msg)
    sprite = find_foreground(rgba, background, _SURE[how])
    if sprite is None and how in ("auto", "rows"):
        msg = (
            "no background was found: the picture has no transparent pixel, and no colour holds half of its border. "
            "Say which colour it is, or slice by size or count"
        )
        raise SheetError(msg)
    mask: Mask = np.ones(rgba.shape[1:], bool) if sprite is None else sprite
    if how in ("auto", "rows"):
        rows = _parts(mask, gap) if how == "auto" else _bands(mask)
    else:
        rows = _cells(mask, _grid(rgba, how, size, count, margin, spacing), keep_empty=keep_empty)
    return _cut(rgba, mask, rows, name, tagged=how == "rows" and len(rows) > 1)


def _cut(rgba: Tensor, mask: Mask, rows: list[list[_Box]], name: str, *, tagged: bool) -> SpriteSheet:
    boxes = [(box, f"row_{number}" if tagged else "") for number, row in enumerate(rows) for box in row]
    if not boxes:
        msg = "nothing stands on this picture: it is all background. Say which colour the background is"
        raise SheetError(msg)
    _check_count(len(boxes))
    clean = rgba.detach().float().clamp(0, 1) * torch.from_numpy(mask).to(rgba.device)
    digits = len(str(len(boxes) - 1))
    frames: list[Frame] = []
    for index, ((left, top, right, bottom), tag) in enumerate(boxes):
        piece = clean[:, top:bottom, left:right].contiguous()
        frames.append(Frame(rgba=piece, name=f"{name}_{index:0{digits}}", tag=tag))
    places = tuple(Place(x=x, y=y, width=right - x, height=bottom - y) for (x, y, right, bottom), _ in boxes)
    return SpriteSheet(frames=tuple(frames), picture=clean, places=places)


def _parts(mask: Mask, gap: int) -> list[list[_Box]]:
    boxes = join_boxes(find_boxes(mask), gap)
    return [[_box(boxes[index].tolist()) for index in row] for row in reading_order(boxes)]


def _box(sides: list[int]) -> _Box:
    left, top, right, bottom = sides
    return left, top, right, bottom


def _bands(mask: Mask) -> list[list[_Box]]:
    return [
        [(left, top, right, bottom) for left, right in spans(np.asarray(mask[top:bottom].any(axis=0)))]
        for top, bottom in spans(np.asarray(mask.any(axis=1)))
    ]


def _grid(
    rgba: Tensor, how: str, size: tuple[int, int] | None, count: tuple[int, int] | None, margin: int, spacing: int
) -> tuple[tuple[int, int], tuple[int, int], int, int]:
    """Cell size, columns and rows, margin and spacing."""
    given, title = (size, "size") if how == "size" else (count, "count")
    if given is None or len(given) != 2 or min(given) < 1:
        what = "width and height of a cell in pixels" if how == "size" else "columns and rows"
        msg = f"slicing by {how} needs {title}, the {what}, each 1 or more; got {given}"
        raise SheetError(msg)
    sides = (rgba.shape[2], rgba.shape[1])
    inner = [side - 2 * margin for side in sides]
    if how == "size":
        cell = (int(given[0]), int(given[1]))
        # The far margin may be missing, as many sheets leave it out.
        columns, rows = ((side - margin + spacing) // (part + spacing) for side, part in zip(sides, cell, strict=True))
        if min(columns, rows) < 1:
            msg = f"a cell of {cell[0]}x{cell[1]} with margin {margin} does not fit a picture of {sides[0]}x{sides[1]}"
            raise SheetError(msg)
        _check_count(columns * rows)
        return cell, (columns, rows), margin, spacing
    across = [side - (number - 1) * spacing for side, number in zip(inner, given, strict=True)]
    if any(side < number or side % number for side, number in zip(across, given, strict=True)):
        msg = (
            f"{given[0]} columns and {given[1]} rows with margin {margin} and spacing {spacing} do not divide a "
            f"picture of {sides[0]}x{sides[1]}: cells would have "
            f"{across[0] / given[0]:.4g}x{across[1] / given[1]:.4g} pixels"
        )
        raise SheetError(msg)
    _check_count(given[0] * given[1])
    return (across[0] // given[0], across[1] // given[1]), (given[0], given[1]), margin, spacing


def _check_count(count: int) -> None:
    if count > MAX_FRAMES:
        msg = f"that makes {count} frames, over the limit of {MAX_FRAMES}; choose larger cells"
        raise SheetError(msg)


def _cells(
    mask: Mask, grid: tuple[tuple[int, int], tuple[int, int], int, int], *, keep_empty: bool
) -> list[list[_Box]]:
    (width, height), (columns, rows), margin, spacing = grid
    lefts = [margin + column * (width + spacing) for column in range(columns)]
    tops = [margin + row * (height + spacing) for row in range(rows)]
    gap = max(margin, spacing)
    if mask[:, lefts[-1] + width + gap :].any() or mask[tops[-1] + height + gap :].any():
        msg = (
            f"cells of {width}x{height} with margin {margin} and spacing {spacing} leave a part of the "
            f"{mask.shape[1]}x{mask.shape[0]} picture over that is not empty; check the numbers"
        )
        raise SheetError(msg)
    boxes = [[(x, y, x + width, y + height) for x in lefts] for y in tops]
    return [[box for box in row if keep_empty or mask[box[1] : box[3], box[0] : box[2]].any()] for row in boxes]
