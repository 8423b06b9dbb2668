"""Pixels of a mask that hang together."""

from __future__ import annotations

from torch import Tensor

Spots = list[tuple[int, int]]
"""Rows and columns of pixels."""


def islands(mask: Tensor) -> list[Spots]:
    """Sets of pixels that touch, corners included, in order.

    Args:
        mask: `h w`, bool.
    """
    left = {(int(y), int(x)) for y, x in mask.nonzero().tolist()}
    found: list[Spots] = []
    while left:
        ends, island = [min(left)], []
        left.discard(ends[0])
        while ends:
            y, x = ends.pop()
            island.append((y, x))
            beside = [(y + down, x + across) for down in (-1, 0, 1) for across in (-1, 0, 1)]
            ends += [spot for spot in beside if spot in left]
            left.difference_update(beside)
        found.append(sorted(island))
    return found
