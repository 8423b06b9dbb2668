"""Decides whether a picture at native size is a sheet, and cuts it: regular cells, islands, or one sprite."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from numpy.typing import NDArray

from pixel_models.errors import SheetError
from pixel_models.sheets.background import find_foreground
from pixel_models.sheets.parts import Boxes, Mask, find_boxes, join_boxes, reading_order

from .holes import without_holes
from .model import Box, Piece, Pixels

SMALL = 64
"""Up to this side a picture is one sprite unless it is a strip of equal cells."""
_SURE = 0.5
"""Share of the border that a sheet's plain background holds."""
_CELLS = (8, 10, 12, 14, 15, 16, 18, 20, 24, 28, 30, 32, 36, 40, 48, 50, 56, 60, 64, 72, 80, 96, 100, 112, 128)
"""Sides that cells of sheets without a background have, pixels; other sides are not believed there."""
_LEAST_CELL = 8
_GAPS = ((0, 0), (1, 0), (1, 1), (2, 0), (2, 2), (0, 1), (0, 2), (2, 1), (4, 0), (4, 4))
"""Pixels between cells, and around them, that are tried."""
_ONE_EACH = 0.6
"""Occupied cells for each large island that a grid must have: else it gathers islands that have nothing in common."""
_BROKEN = 0.6
"""How much less than elsewhere colours go on across the lines between cells without gaps."""
_NEARLY = 0.2
"""How much worse smaller cells may be: twice the side fits every other line, and is never worse."""
_UNCUT = 0.9
_ISLANDS = 3
_WIDE = 192
"""Two islands make a sheet only of a picture this wide or high: in smaller ones they are two parts of one sprite."""
_LARGE = 0.25


@dataclasses.dataclass(frozen=True)
class Cut:
    """Pieces of a picture."""

    pieces: tuple[Piece, ...]
    how: str
    """In words."""
    is_sheet: bool


def cut_picture(pixels: Pixels) -> Cut | None:
    """Cut a picture into its sprites.

    Args:
        pixels: at native size.

    Returns:
        One piece where it is no sheet; None where it is a whole scene: opaque, large, and without regular cells.

    Raises:
        SheetError: thousands of parts, as noise has.
    """
    height, width = pixels.shape[:2]
    rgba = torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1).float() / 255
    mask = find_foreground(rgba, None, _SURE)
    mask = mask if mask is None else without_holes(pixels, mask)
    whole = Cut((Piece(pixels=pixels, box=(0, 0, width, height)),), "one sprite", is_sheet=False)
    if mask is None:
        cells = _seams(pixels, np.ones((height, width), bool)) if max(height, width) > SMALL else None
        if cells is not None:
            return _of_boxes(pixels, np.ones((height, width), bool), cells, "cells without gaps")
        return whole if max(height, width) <= SMALL else None
    if not mask.any():
        return whole
    boxes = join_boxes(find_boxes(mask), 2)
    large = _large(boxes)
    strip = max(height, width) % min(height, width) == 0 and max(height, width) >= 2 * min(height, width)
    if max(height, width) <= SMALL and not strip:
        return whole
    grid = _grid(boxes, (width, height), large)
    seams = _seams(pixels, mask) if max(height, width) > SMALL else None
    # Islands that touch across a line join, and regular cells then hold two of them; JPEG in turn halves cells.
    squarer = seams is not None and (grid is None or _length(seams[0]) < _length(grid[0]))
    if seams is not None and squarer and len(seams) >= max(2, _ONE_EACH * large) and _fit(find_boxes(mask), seams):
        return _of_boxes(pixels, mask, seams, "cells without gaps")
    if grid is not None and (max(height, width) > SMALL or _is_strip(grid, width, height)):
        return _of_boxes(pixels, mask, grid, "regular cells")
    if max(height, width) <= SMALL:
        return whole
    if large >= _ISLANDS or (large > 1 and max(height, width) >= _WIDE and min(height, width) >= _LEAST_CELL):
        order = [index for row in reading_order(boxes) for index in row]
        return _of_boxes(pixels, mask, [_box(boxes[index]) for index in order], "separate islands")
    return whole


def _box(sides: NDArray[np.int64]) -> Box:
    left, top, right, bottom = sides.tolist()
    return left, top, right, bottom


def _of_boxes(pixels: Pixels, mask: Mask, boxes: list[Box], what: str) -> Cut:
    clean = pixels * mask[..., None]
    pieces = []
    for box in boxes:
        left, top, right, bottom = box
        if mask[top:bottom, left:right].any():
            pieces.append(Piece(pixels=np.ascontiguousarray(clean[top:bottom, left:right]), box=box))
    if not pieces:
        msg = "nothing stands on this picture: it is all background"
        raise SheetError(msg)
    sizes = {(b[2] - b[0], b[3] - b[1]) for b in boxes}
    of = f" of {boxes[0][2] - boxes[0][0]}x{boxes[0][3] - boxes[0][1]}" if len(sizes) == 1 else ""
    return Cut(tuple(pieces), f"{what}{of}", is_sheet=True)


def _length(box: Box) -> float:
    """How many times as long as wide it is, or as high."""
    sides = (box[2] - box[0], box[3] - box[1])
    return max(sides) / min(sides)


def _large(boxes: Boxes) -> int:
    """How many islands are of a size with the largest."""
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return int((area >= _LARGE * np.quantile(area, 0.9)).sum())


def _is_strip(boxes: list[Box], width: int, height: int) -> bool:
    """Square cells in one row or column, none of them empty."""
    side = min(width, height)
    return len(boxes) == max(width, height) // side and all(b[2] - b[0] == b[3] - b[1] == side for b in boxes)


def _fit(boxes: Boxes, cells: list[Box]) -> bool:
    """Whether nearly all islands that a cell could hold lie in one: lines that cut many are no lines between cells."""
    left, top, right, bottom = cells[0]
    wide, tall = right - left, bottom - top
    small = boxes[((boxes[:, 2] - boxes[:, 0]) <= wide) & ((boxes[:, 3] - boxes[:, 1]) <= tall)]
    inside = (small[:, 0] // wide == (small[:, 2] - 1) // wide) & (small[:, 1] // tall == (small[:, 3] - 1) // tall)
    return len(small) > 0 and bool(inside.mean() >= _UNCUT)


def _grid(boxes: Boxes, size: tuple[int, int], large: int) -> list[Box] | None:
    """Cells of one size that cut no island, the smallest such; None where no grid fits."""
    best: list[Box] | None = None
    most = 0
    for spacing, margin in _GAPS:
        sides = [_side(boxes[:, axis], boxes[:, axis + 2], size[axis], spacing, margin) for axis in (0, 1)]
        if sides[0] is None or sides[1] is None:
            continue
        wide, tall = sides
        assert wide is not None
        assert tall is not None
        column = (boxes[:, 0] - margin) // (wide + spacing)
        row = (boxes[:, 1] - margin) // (tall + spacing)
        used = len(set(zip(row.tolist(), column.tolist(), strict=True)))
        if used >= 2 and used >= _ONE_EACH * large and used > most:
            most = used
            best = [
                (margin + c * (wide + spacing), margin + r * (tall + spacing),
                 margin + c * (wide + spacing) + wide, margin + r * (tall + spacing) + tall)
                for r, c in sorted(set(zip(row.tolist(), column.tolist(), strict=True)))
            ]  # fmt: skip
    return best


def _side(start: NDArray[np.int64], stop: NDArray[np.int64], length: int, spacing: int, margin: int) -> int | None:
    """The smallest side of a cell along an axis such that no island leaves its cell; the whole axis if need be."""
    inner = length - 2 * margin + spacing
    least = max(_LEAST_CELL, int(np.quantile(stop - start, 0.9)))
    for side in range(least, length + 1):
        if inner % (side + spacing) == 0:
            place = (start - margin) % (side + spacing)
            if (start >= margin).all() and (place + stop - start <= side).all():
                return side
    return None


def _seams(pixels: Pixels, mask: Mask) -> list[Box] | None:
    """Cells without gaps: at the lines between them colours do not go on as they do elsewhere."""
    same_x = (pixels[:, 1:] == pixels[:, :-1]).all(axis=2) & mask[:, 1:] & mask[:, :-1]
    same_y = (pixels[1:] == pixels[:-1]).all(axis=2) & mask[1:] & mask[:-1]
    across, down = _ratios(same_x.mean(axis=0)), _ratios(same_y.mean(axis=1))
    square = {side: (across[side] + down[side]) / 2 for side in across.keys() & down.keys()
              if max(across[side], down[side]) <= _BROKEN}  # fmt: skip
    wide, tall = (_smallest(square), _smallest(square)) if square else (_smallest(across), _smallest(down))
    if wide is None or tall is None:
        return None
    height, width = mask.shape
    return [
        (x, y, x + wide, y + tall)
        for y in range(0, height, tall)
        for x in range(0, width, wide)
        if mask[y : y + tall, x : x + wide].any()
    ]


def _ratios(goes_on: NDArray[np.float64]) -> dict[int, float]:
    """For each side that divides an axis: how much colours go on across its multiples, against elsewhere."""
    length = len(goes_on) + 1
    ratios: dict[int, float] = {}
    for side in _CELLS:
        if length % side == 0 and length // side >= 2:
            lines = np.zeros(len(goes_on), bool)
            lines[side - 1 :: side] = True
            ratios[side] = float(goes_on[lines].mean() / max(1e-9, goes_on[~lines].mean()))
    return ratios


def _smallest(ratios: dict[int, float]) -> int | None:
    """The smallest side that is nearly as good as the best; None where none is good."""
    best = min(ratios.values(), default=1.0)
    return min((side for side, ratio in ratios.items() if ratio <= best + _NEARLY and best <= _BROKEN), default=None)
