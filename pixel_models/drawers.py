"""How each kind of network makes the cells of a picture: native-grid ones in tiles, full-resolution ones whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from .archs.native_cyclegan import CELL
from .checkpoint import LoadedModel
from .regrid import draw_cells, sides_seen, working_cell
from .spec import Purpose
from .tiles import run_tiles, tile_boxes

TRAINED_CELLS = (2, 32)
"""Cells that a file may say its network learned on, pixels a side; others count as none."""


@dataclass(frozen=True)
class Drawer:
    """How a model makes the cells of one picture."""

    draw: Callable[[Tensor, Callable[[], None]], Tensor]
    """From `1 4 h*scale w*scale` to `1 4 h w`, float32 in [0, 1]; calls its second argument after each step."""

    scale: int
    """Pixels along a cell's side of the picture it wants."""

    steps: int


def require_pixelator(model: LoadedModel) -> LoadedModel:
    """This model, if `pixelate` can use it.

    Raises:
        ModelKindError: it is neither one to pixelate nor one to translate.
    """
    return model if model.purpose is Purpose.TRANSLATE else model.require(Purpose.PIXELATE)


def drawer_of(model: LoadedModel, cells: tuple[int, int], natural: float, tile: int | None) -> Drawer:
    """How `model` makes a sprite.

    Args:
        model: one to pixelate, or to translate.
        cells: height and width of the sprite.
        natural: input pixels along a cell's side.
        tile: side of a tile in cells, None chooses; full-resolution networks see the whole picture.

    Raises:
        ModelKindError: the model is of another kind.
        ShapeError: `tile` is too small, or the whole picture too large.
    """
    network: Any = require_pixelator(model).module
    if model.purpose is Purpose.TRANSLATE:
        return _whole(model, cells, natural)
    boxes = tile_boxes(cells, tile, network.config.reach)
    cell = min(network.config.cell_sizes, key=lambda size: abs(size - natural))
    more = () if cell == CELL else (cell,)  # a network for `CELL` alone need not know of others
    return Drawer(lambda picture, done: run_tiles(network, picture, boxes, (cell, 1), done, *more), cell, len(boxes))


def _whole(model: LoadedModel, cells: tuple[int, int], natural: float) -> Drawer:
    scale = working_cell(natural, _drawn_cells(model))
    sides_seen(model.module, (cells[0] * scale, cells[1] * scale))  # refuses before anything is made

    def draw(picture: Tensor, done: Callable[[], None]) -> Tensor:
        made = draw_cells(model.module, picture, scale)
        done()
        return made

    return Drawer(draw, scale, 1)


def _drawn_cells(model: LoadedModel) -> tuple[int, ...]:
    """Cells that the network learned on, if its file says so; of a network that knows certain cells, only those."""
    said = trained_cells(model.metadata.get("cell", ""))
    known: tuple[int, ...] = getattr(model.config, "cells", ())
    return tuple(cell for cell in said if cell in known) or known if known else said


def trained_cells(said: str) -> tuple[int, ...]:
    """Sizes of cells, pixels a side, that a file's metadata names under ``cell``: one number, or a JSON list of them.

    Anything else counts as none: the metadata of a foreign file is its maker's, and nothing depends on it but how
    large the network sees a picture.
    """
    try:
        value = json.loads(said[:256])
    except (ValueError, RecursionError):
        return ()
    sizes = value if isinstance(value, list) else [value]
    least, most = TRAINED_CELLS
    return tuple(size for size in sizes if type(size) is int and least <= size <= most)
