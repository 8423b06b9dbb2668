"""Fast, exact nearest palette colours of 8-bit pictures: a table of the colour cube, filled where pictures need it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import ShapeError
from ..image import from_uint8
from .core import Palette
from .distance import Space, check_space, ciede2000, coordinates

Array = NDArray[Any]

# The cube of 256 colours a side is cut into cells of 4 a side, which are filled whole.
_SIDE = 4
_CELLS = 256 // _SIDE
_CELLS_AT_ONCE = 4096
_PIXELS_AT_ONCE = 2**16
_PAIRS_AT_ONCE = 2**19
# Above what float32 rounds away in a difference of squared distances of coordinates up to about 1.
_SLACK = 1e-5
_UNKNOWN = -1


class NearestTable:
    """Nearest palette colours of all 8-bit colours met so far; later pictures of like colours are only looked up.

    Exact: a cell keeps every palette colour that can be nearest to any of its 64 colours, and these are compared one
    by one. Of equally near colours the first in the palette is taken. Holds 32 MiB (64 MiB above 32767 colours).
    """

    def __init__(self, palette: Palette, space: Space = "oklab") -> None:
        """Prepare an empty table.

        Args:
            palette: k colours.
            space: which difference decides.

        Raises:
            PaletteError: no such difference.
        """
        check_space(space)
        self.palette = palette
        self.space: Space = space
        self._wanted = coordinates(from_uint8(palette.colors), space)  # k 3
        kind = np.int16 if len(palette) < 2**15 else np.int32
        self._table: Array = np.full(256**3, _UNKNOWN, kind)

    def indices(self, pixels: Tensor) -> Tensor:
        """Look colours up, and fill the table where it is empty.

        Args:
            pixels: `... 3`, uint8, sRGB.

        Returns:
            `...`, int16 or int32 (palettes above 32767), on the CPU.

        Raises:
            ShapeError: `pixels` is not as above, or empty.
        """
        if pixels.dtype != torch.uint8 or pixels.ndim == 0 or pixels.shape[-1] != 3 or pixels.numel() == 0:
            msg = f"pixels are a non-empty uint8 tensor `... 3`, got {pixels.dtype} {tuple(pixels.shape)}"
            raise ShapeError(msg)
        colors: Array = pixels.detach().cpu().contiguous().view(-1, 3).numpy()
        found = torch.empty(len(colors), dtype=torch.int16 if self._table.dtype == np.int16 else torch.int32)
        cells = self._look_up(colors, found)
        if len(cells):
            for chunk in np.array_split(cells, -(-len(cells) // _CELLS_AT_ONCE)):
                self._fill(chunk)
            self._look_up(colors, found)
        return found.view(pixels.shape[:-1])

    def _look_up(self, colors: Array, found: Tensor) -> Array:
        """`n 3` to `n`, in pieces that stay in the processor's cache; gives the cells that are not filled yet."""
        table = torch.from_numpy(self._table)
        last = np.append(colors[-1], np.uint8(0)).view("<i4")  # the last colour has no fourth byte to read
        keys = np.empty(_PIXELS_AT_ONCE, np.int32)
        empty = np.zeros(_CELLS**3, bool)
        for start in range(0, len(colors), _PIXELS_AT_ONCE):
            count = min(_PIXELS_AT_ONCE, len(colors) - start)
            # Little-endian words that begin at each colour: its three bytes, and one of the next, masked out.
            inner = count - (start + count == len(colors))
            words = np.ndarray((inner,), "<i4", colors, offset=3 * start, strides=(3,))
            np.bitwise_and(words, 0xFFFFFF, out=keys[:inner])
            keys[inner:count] = last[: count - inner]
            part = found[start : start + count]
            torch.index_select(table, 0, torch.from_numpy(keys[:count]), out=part)
            if int(part.min()) == _UNKNOWN:
                some = keys[:count][part.numpy() == _UNKNOWN] >> 2
                empty[(some & 63) | ((some >> 2) & 4032) | ((some >> 4) & 258048)] = True
        return np.flatnonzero(empty)

    def _fill(self, cells: Array) -> None:
        """Nearest colours of all 64 colours of each cell; `cells` are blue-major numbers of cells."""
        low = torch.from_numpy(np.stack([cells % _CELLS, cells // _CELLS % _CELLS, cells // _CELLS**2], 1) * _SIDE)
        steps = torch.cartesian_prod(*[torch.arange(_SIDE)] * 3)
        colors = (low[:, None] + steps).reshape(-1, 3)  # cells*64 3
        keys = (colors[:, 0] + 256 * (colors[:, 1] + 256 * colors[:, 2])).numpy()
        points = coordinates(from_uint8(colors.to(torch.uint8)), self.space)
        if self.space == "ciede2000":
            self._table[keys] = _nearest_ciede2000(points, self._wanted)
        else:
            self._table[keys] = _nearest(points.numpy().reshape(len(cells), -1, 3), self._wanted.numpy())


def _nearest(points: Array, wanted: Array) -> Array:
    """`cells n 3` and `k 3` to `cells*n`, by distance.

    With c the middle of a cell, r its radius and p the colour nearest to c, colour q is nowhere in the cell nearer
    than p when c is further than r from the plane between both: |c-q|² - |c-p|² > 2 r |p-q|.
    """
    middles = points.mean(1)
    radii = np.sqrt(((points - middles[:, None]) ** 2).sum(2).max(1))
    apart = np.sqrt(((wanted[:, None] - wanted) ** 2).sum(2)) if len(wanted) <= 1024 else None  # k k
    nearest = np.empty(points.shape[:2], np.int32)
    for part in np.array_split(np.arange(len(points)), -(-len(points) * len(wanted) // 2**20)):
        far = (wanted**2).sum(1) - 2 * (middles[part] @ wanted.T)  # cells k
        best = far.argmin(1)
        gap = apart[best] if apart is not None else np.sqrt(((wanted[best][:, None] - wanted) ** 2).sum(2))
        limit = far[np.arange(len(part)), best][:, None] + 2 * radii[part, None] * gap + _SLACK
        nearest[part] = _compare(points[part], wanted, far <= limit)
    return nearest.reshape(-1)


def _compare(points: Array, wanted: Array, kept: Array) -> Array:
    """`cells n 3`, `k 3` and the colours that each cell keeps, `cells k`, to `cells n`."""
    counts = kept.sum(1)
    order = np.argsort(-counts, kind="stable")
    counts = counts[order]
    rows, colors = np.nonzero(kept[order])
    starts = np.searchsorted(rows, np.arange(len(order)))
    choice = np.repeat(colors[starts].astype(np.int32)[:, None], points.shape[1], 1)
    several = int((counts > 1).sum())
    mine = np.ascontiguousarray(points[order[:several]].transpose(2, 0, 1))  # 3 several n
    least = np.empty(mine.shape[1:], points.dtype)
    for turn in range(int(counts[0]) if several else 0):
        live = int((counts > turn).sum()) if turn else several
        color = colors[starts[:live] + turn]
        target = wanted[color].T[:, :, None]  # 3 live 1
        # Differences, not a product of matrices: that rounds away close colours.
        away = (mine[0, :live] - target[0]) ** 2
        away += (mine[1, :live] - target[1]) ** 2
        away += (mine[2, :live] - target[2]) ** 2
        if turn == 0:
            least[:live] = away
            continue
        nearer = away < least[:live]
        np.copyto(choice[:live], color[:, None], where=nearer)
        np.minimum(least[:live], away, out=least[:live])
    result = np.empty_like(choice)
    result[order] = choice
    return result


def _nearest_ciede2000(points: Tensor, wanted: Tensor) -> Array:
    step = max(1, _PAIRS_AT_ONCE // len(wanted))
    return torch.cat([ciede2000(part[:, None], wanted).argmin(1) for part in points.split(step)]).numpy()
