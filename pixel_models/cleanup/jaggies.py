"""Jaggies: corners and uneven steps of lines that are one cell wide."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .cells import OUTSIDE, shifted

Grid = NDArray[np.int64]

ROUNDS = 32
"""Passes at most; every move makes the runs of a line more alike, so that they end."""

_BREAK = 2
"""A run breaks the rhythm of a line where it is this many cells shorter, or longer, than both runs next to it: even a
perfect line has runs that differ by one."""


def smooth_lines(grid: Tensor) -> Tensor:
    """Make lines "pixel perfect" and their steps even; what is no line of one cell stays as it is.

    Two rules. A double (the corner of an L that a line does not need, since it goes on diagonally without it) takes
    the colour of its outer side, as drawing programs do it (Ricky Han, "Pixel Art Algorithm: Pixel Perfect", 2018).
    Right angles with arms of three cells or more are meant, and stay. And of three runs of a line that go the same
    way, one that is two cells shorter or longer than both others gets a cell from the longer, or gives one to the
    shorter: a step moves by one cell, so that run lengths keep their order (Inglis and Kaplan, "Pixelating Vector Line
    Art", NPAR 2012, call what breaks it a jaggie).

    Neither rule breaks a line, joins two, or opens or closes a hole: a cell moves only where everything around it is
    one area.

    Args:
        grid: `b h w`, int64; -1 is transparent.

    Returns:
        `b h w`, int64. Cells at a line's outer side may become transparent, and transparent ones part of a line.
    """
    for _ in range(ROUNDS):
        before = grid
        for fill in (True, False):  # inner corners first: where they do, the silhouette stays
            grid = _without_doubles(grid, fill)
        pictures = grid.cpu().numpy().copy()
        for picture in pictures:
            _even_steps(picture)
        grid = torch.from_numpy(pictures).to(grid.device)
        if torch.equal(grid, before):
            break
    return grid


def _without_doubles(grid: Tensor, opaque: bool) -> Tensor:
    """Doubles in all four directions that become opaque, or any."""
    down, right = (torch.arange(length, device=grid.device) % 2 for length in grid.shape[1:])
    for part in range(4):  # no two of these cells touch, so that of two doubles side by side one stays
        chosen = (down[:, None] == part // 2) & (right[None] == part % 2)
        for up in (-1, 1):
            for left in (-1, 1):
                double, side = _doubles(grid, up, left)
                grid = torch.where(double & chosen & ((side >= 0) | (not opaque)), side, grid)
    return grid


def _doubles(grid: Tensor, up: int, left: int) -> tuple[Tensor, Tensor]:
    """Corners between a neighbour above and one to the left (or below, or to the right), and their outer side."""

    def at(y: int, x: int) -> Tensor:
        return shifted(grid, y * up, x * left)

    def same(y: int, x: int) -> Tensor:
        return at(y, x) == grid

    side = at(-1, 0)
    corner = (grid >= 0) & same(1, 0) & same(0, 1) & ~same(1, 1) & ~same(-1, -1)
    corner &= (side == at(0, -1)) & (side == at(-1, -1)) & (side != OUTSIDE)
    ahead, behind = same(0, 2), same(2, 0)
    turns = (same(1, 2) | same(-1, 2) | same(-1, 1), same(2, 1) | same(2, -1) | same(1, -1))
    goes_on = (ahead | turns[0]) & (behind | turns[1])
    thin = ~(ahead & same(-1, 1) & same(-1, 2)) & ~(behind & same(1, -1) & same(2, -1))
    return corner & goes_on & thin & ~(ahead & behind), side


def _even_steps(picture: Grid) -> None:
    """Move steps of lines that go down to the right, down to the left, and the same of the transposed picture."""
    for _ in range(ROUNDS):
        moved = False
        for view, upper_first in (
            (picture, True),
            (picture[:, ::-1], True),
            (picture.T, True),
            (picture.T[:, ::-1], False),
        ):
            moved |= _move_steps(view, upper_first)
        if not moved:
            return


def _runs(picture: Grid) -> tuple[Grid, Grid, Grid, Grid]:
    """Rows, beginnings and ends of all horizontal runs, and which run begins at each cell (-1: none)."""
    height, width = picture.shape
    change = np.ones((height, width + 1), bool)
    change[:, 1:-1] = picture[:, 1:] != picture[:, :-1]
    row, begin = np.nonzero(change[:, :-1])
    end = np.nonzero(change[:, 1:])[1]
    starts = np.full((height + 2, width + 1), -1, np.int64)
    starts[row, begin] = np.arange(len(row))
    return row, begin, end, starts


def _move_steps(picture: Grid, upper_first: bool) -> bool:
    """One pass over the lines that go down to the right; edits in place, and says whether it did."""
    row, begin, end, starts = _runs(picture)
    value, length = picture[row, begin], end - begin + 1

    def following(run: Grid) -> Grid:
        after = np.where(run >= 0, starts[row[run] + 1, end[run] + 1], -1)
        return np.where((after >= 0) & (value[after] == value[run]), after, -1)

    second = np.where(value >= 0, following(np.arange(len(row))), -1)
    third = following(second)
    before, after = length - length[second], length[third] - length[second]
    uneven = (third >= 0) & ((np.minimum(before, after) >= _BREAK) | (np.maximum(before, after) <= -_BREAK))
    touched: set[int] = set()
    for one in np.flatnonzero(uneven).tolist():
        two, three = int(second[one]), int(third[one])
        if touched & {one, two, three}:
            continue
        short = length[two] < length[one]
        lead = int(abs(length[one] - length[two]) - abs(length[three] - length[two]))
        first = lead > 0 or (lead == 0 and upper_first)
        for with_first in (first, not first):
            end_of = (row[two] - 1, end[one], -1, 1) if short else (row[two], begin[two], 1, -1)
            if not with_first:
                end_of = (row[two] + 1, begin[three], 1, -1) if short else (row[two], end[two], -1, 1)
            if _move(picture, *(int(number) for number in end_of)):
                touched |= {one, two, three}
                break
    return bool(touched)


def _move(picture: Grid, y: int, x: int, inward: int, down: int) -> bool:
    """Move the last cell of a run one row down (or up) to the next run, where both sides are one area each.

    Args:
        picture: `h w`, edited in place.
        y: the cell's row.
        x: its column.
        inward: the way to the rest of its run, 1 or -1.
        down: the way to the other run, 1 or -1.
    """

    def at(rows: int, columns: int) -> Any:  # noqa: ANN401 - an integer, of whatever type the array holds
        inside = 0 <= y + rows < picture.shape[0] and 0 <= x + columns < picture.shape[1]
        return picture[y + rows, x + columns] if inside else OUTSIDE

    own, above, below = at(0, 0), at(-down, 0), at(down, 0)
    one_above = above == at(0, -inward) and above not in (own, OUTSIDE)
    one_below = below != own and below == at(down, inward) == at(2 * down, 0) == at(2 * down, inward)
    alone = own not in (at(2 * down, -inward), at(-down, -inward), at(-down, inward))
    if not (one_above and one_below and alone and at(0, inward) == own):
        return False
    picture[y, x], picture[y + down, x] = above, own
    return True
