"""Pixels of a mask that hang together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from torch import Tensor

Spots = list[tuple[int, int]]
"""Rows and columns of pixels."""

_SIDES = ((-1, 0), (0, -1), (0, 1), (1, 0))
_CORNERS = ((-1, -1), (-1, 1), (1, -1), (1, 1))


def islands(mask: Tensor | npt.NDArray[np.bool_], *, corners: bool = True) -> list[Spots]:
    """Sets of pixels that touch, in the order of their first pixels.

    Args:
        mask: `h w`, bool.
        corners: whether pixels that share a corner alone touch, too.
    """
    rows, columns = np.nonzero(np.asarray(mask))
    spots = list(zip(rows.tolist(), columns.tolist(), strict=True))
    around = _SIDES + _CORNERS if corners else _SIDES
    left, found = set(spots), list[Spots]()
    for first in spots:
        if first not in left:
            continue
        left.remove(first)
        ends, island = [first], Spots()
        while ends:
            y, x = ends.pop()
            island.append((y, x))
            beside = [spot for down, across in around if (spot := (y + down, x + across)) in left]
            ends += beside
            left.difference_update(beside)
        found.append(sorted(island))
    return found
