"""The grid of a film: how many cells, and how many samples of each."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from ..errors import FilmError
from ..pixelate import MAX_CELLS
from .options import FilmOptions

Bytes = NDArray[np.uint8]
"""An array of bytes."""


@dataclasses.dataclass(frozen=True)
class Grid:
    """How many cells a film has, and how many samples of each are taken."""

    width: int
    """Cells."""
    height: int
    """Cells."""
    samples: int
    """Along a cell's side."""
    film: tuple[int, int]
    """Width and height that the upright film would have with square pixels."""

    @classmethod
    def of(cls, size: tuple[int, int], options: FilmOptions, samples: int) -> Grid:
        """The grid of a film.

        Args:
            size: width and height of the upright film, square pixels.
            options: its cell or its size in cells.
            samples: along a cell's side; 0: as many as the film has, up to 4 (`sharp` looks at the halves of a cell).

        Raises:
            FilmError: more cells than pixels, or more than `MAX_CELLS` a side.
        """
        if options.cell is not None:
            cells = (max(1, round(size[0] / options.cell)), max(1, round(size[1] / options.cell)))
        else:
            assert options.size is not None
            width, height = options.size
            cells = (
                width or max(1, round(height * size[0] / size[1])),
                height or max(1, round(width * size[1] / size[0])),
            )
        if cells[0] > size[0] or cells[1] > size[1]:
            msg = (
                f"{cells[0]}x{cells[1]} cells of a film of {size[0]}x{size[1]} pixels; ask for fewer than it has pixels"
            )
            raise FilmError(msg)
        if max(cells) > MAX_CELLS:
            msg = f"the film would have {cells[0]}x{cells[1]} cells, most are {MAX_CELLS} a side; use larger cells"
            raise FilmError(msg)
        pixels = min(size[0] / cells[0], size[1] / cells[1])
        return cls(*cells, samples or max(1, min(4, round(pixels / 2))), size)
