"""What changes from frame to frame: the box around it."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray


@dataclasses.dataclass(frozen=True)
class Box:
    """A part of a picture, in pixels."""

    left: int
    top: int
    right: int
    """The first column beyond it."""
    bottom: int
    """The first row beyond it."""

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top

    @property
    def part(self) -> tuple[slice, slice]:
        """To take it out of an array `h w …`."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def around(self, other: Box) -> Box:
        """The box around both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )


def box_of(mask: NDArray[np.bool_]) -> Box | None:
    """The box around what is true in `h w`; None where nothing is."""
    rows, columns = mask.any(axis=1).nonzero()[0], mask.any(axis=0).nonzero()[0]
    if len(rows) == 0:
        return None
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def changed_box(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> Box:
    """The box around the pixels that differ, `h w` or `h w c`; a single pixel where none does."""
    differs = before != after
    return box_of(differs.any(axis=2) if differs.ndim == 3 else differs) or Box(0, 0, 1, 1)
