"""Where boxes go on a sheet: packed, or in a grid, a row, a column; sizes and places only, no pixels."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, get_args

from ..errors import SheetError

Layout = Literal["packed", "grid", "row", "column"]

LAYOUTS: tuple[Layout, ...] = get_args(Layout)

Size = tuple[int, int]
"""Width and height."""

Spots = list[tuple[int, int]]
"""Left and top of every box, in the order of the boxes."""


def arrange(
    sizes: list[Size], layout: Layout, columns: int, padding: int, most: int, grow: Callable[[int], int]
) -> Spots:
    """Find a place for every box, with `padding` between them.

    Args:
        sizes: of the boxes, each 1 pixel or more.
        layout: "grid", "row" and "column" keep their order in equal cells; "packed" puts them where they fit, by the
            PyPI package rectpack (skyline, bottom left), over several widths, and takes the smallest sheet.
        columns: of the grid; 0 makes it nearly square.
        padding: pixels between boxes.
        most: pixels that a side may have.
        grow: the pixels that a side has room for in the end, from those that it needs.

    Raises:
        SheetError: they do not fit, or rectpack is not installed.
    """
    if layout == "packed" and len(set(sizes)) > 1:
        return _packed(sizes, padding, most, grow)
    cell = (max(width for width, _ in sizes) + padding, max(height for _, height in sizes) + padding)
    if layout == "row":
        columns = len(sizes)
    elif layout == "column":
        columns = 1
    elif layout == "packed" or columns == 0:
        columns = min(_squarest(len(sizes), cell, padding), max(1, (most + padding) // cell[0]))
    columns = min(columns, len(sizes))
    return [(index % columns * cell[0], index // columns * cell[1]) for index in range(len(sizes))]


def extent(sizes: list[Size], spots: Spots) -> Size:
    """Width and height of all boxes together."""
    width = max(x + width for (x, _), (width, _) in zip(spots, sizes, strict=True))
    return width, max(y + height for (_, y), (_, height) in zip(spots, sizes, strict=True))


def _squarest(count: int, cell: Size, padding: int) -> int:
    """Columns for which the longer side is shortest, then the sheet smallest."""

    def cost(columns: int) -> tuple[int, int]:
        width, height = columns * cell[0] - padding, math.ceil(count / columns) * cell[1] - padding
        return max(width, height), width * height

    return min(range(1, count + 1), key=cost)


def _packed(sizes: list[Size], padding: int, most: int, grow: Callable[[int], int]) -> Spots:
    boxes = [(width + padding, height + padding) for width, height in sizes]
    side = max(math.sqrt(sum(width * height for width, height in boxes)), max(width for width, _ in boxes))
    steps = (0.72, 1.0, 1.02, 1.05, 1.1, 1.15, 1.2, 1.3, 1.42) if len(boxes) <= 500 else (0.72, 1.0, 1.05, 1.42)
    narrowest = max(width for width, _ in sizes)
    widths = sorted({min(most, grow(max(narrowest, math.ceil(side * step)))) for step in steps})
    best: tuple[int, Spots] | None = None
    for width in [*widths, most]:
        if width == most and best is not None:
            break  # the widest sheet is for what fits nowhere else
        spots = _pack_into(boxes, width + padding, most + padding)
        if spots is None:
            continue
        cost = sum(map(grow, extent(sizes, spots)))  # of sheets with one area the squarest has the least
        if best is None or cost < best[0]:
            best = (cost, spots)
    if best is None:
        msg = f"{len(sizes)} frames do not fit on {most}x{most} pixels"
        raise SheetError(msg)
    return best[1]


def _pack_into(boxes: list[Size], width: int, height: int) -> Spots | None:
    try:
        from rectpack import SORT_LSIDE, PackingBin, PackingMode, SkylineBlWm, newPacker
    except ImportError as error:
        msg = 'the layout "packed" needs the package rectpack: pip install rectpack; or choose "grid"'
        raise SheetError(msg) from error

    algorithm: Any = SkylineBlWm  # the package has no types
    packer: Any = newPacker(
        mode=PackingMode.Offline,
        bin_algo=PackingBin.BNF,
        pack_algo=algorithm,
        sort_algo=SORT_LSIDE,
        rotation=False,
    )
    for index, (across, down) in enumerate(boxes):
        packer.add_rect(across, down, index)
    packer.add_bin(width, height)
    packer.pack()
    found = {int(index): (int(x), int(y)) for _, x, y, _, _, index in packer.rect_list()}
    return [found[index] for index in range(len(boxes))] if len(found) == len(boxes) else None
