"""Runs a native-grid network over one picture in tiles that overlap by all it can see, so that no seam can show."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from .errors import ShapeError

LARGEST_WHOLE = 384
"""Sprites with a longer side, in cells, are made in tiles of `AUTO_TILE` unless the caller chooses."""

AUTO_TILE = 256

SMALLEST_TILE = 8

Box = tuple[int, int, int, int]
"""Top, bottom, left, right, in cells."""


def tile_boxes(cells: tuple[int, int], tile: int | None, reach: int) -> list[tuple[Box, Box]]:
    """Boxes that cover the cells, each with the box that must be seen for it.

    Args:
        cells: height and width.
        tile: side of a tile in cells; None chooses.
        reach: how many cells away a cell can change the network's output.

    Raises:
        ShapeError: `tile` is below `SMALLEST_TILE`.
    """
    if tile is not None and tile < SMALLEST_TILE:
        msg = f"tile is {tile} cells, expected at least {SMALLEST_TILE}"
        raise ShapeError(msg)
    side = tile or (AUTO_TILE if max(cells) > LARGEST_WHOLE else max(cells))
    return list(_boxes(cells, side + side % 2, reach + reach % 2))  # even: the network halves its size once


def _boxes(cells: tuple[int, int], side: int, overlap: int) -> Iterator[tuple[Box, Box]]:
    height, width = cells
    for y in range(0, height, side):
        for x in range(0, width, side):
            y1, x1 = min(y + side, height), min(x + side, width)
            seen = (max(0, y - overlap), min(height, y1 + overlap), max(0, x - overlap), min(width, x1 + overlap))
            yield (y, y1, x, x1), seen


def run_tiles(
    network: nn.Module,
    source: Tensor,
    boxes: list[tuple[Box, Box]],
    scales: tuple[int, int],
    done: Callable[[], None],
    *more: int,
) -> Tensor:
    """Run a network over one picture, tile by tile, where its weights are; the result is where the picture is.

    Args:
        network: takes and gives `1 4 h w`.
        source: `1 4 h w`, float32.
        boxes: as `tile_boxes` gives them.
        scales: pixels a cell of the source, and of the result.
        done: called after each tile; may raise to cancel.
        more: what the network wants to be told beside the picture.

    Returns:
        `1 4 h w`, float32.
    """
    into, out = scales
    weight = next(network.parameters())
    result = source.new_empty(1, 4, source.shape[2] // into * out, source.shape[3] // into * out)
    for (y0, y1, x0, x1), (top, bottom, left, right) in boxes:
        seen = source[:, :, top * into : bottom * into, left * into : right * into]
        made = network(seen.to(weight.device, weight.dtype, memory_format=torch.channels_last), *more)
        made = made[:, :, (y0 - top) * out : (y1 - top) * out, (x0 - left) * out : (x1 - left) * out]
        result[:, :, y0 * out : y1 * out, x0 * out : x1 * out] = made.to(result)
        done()
    return result
