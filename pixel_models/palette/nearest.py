"""Fast, exact nearest palette colours of 8-bit pictures: a table of the colour cube, filled where pictures need it."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import ShapeError
from ..image import from_uint8
from .cells import CELLS, SIDE, nearest_in_cells
from .core import Palette
from .distance import Space, check_space, coordinates, nearest_ciede2000

Array = NDArray[Any]
Job = TypeVar("Job")
Done = TypeVar("Done")

_PIXELS_AT_ONCE = 2**17
_PAIRS_AT_ONCE = 2**19
# Every so many pixels show nearly all cells that a picture needs.
_SAMPLE = 17
# Below this a second thread costs more than it saves.
_PARALLEL = 2**18
_WORKERS = 4


class NearestTable:
    """Nearest palette colours of all 8-bit colours met so far; later pictures of like colours are only looked up.

    Exact, and filled by whole cells (see `cells`); by single colours for CIEDE2000. Of equally near colours the first
    in the palette is taken. Takes up to 16 MiB for 256 colours or fewer, 32 MiB up to 32767, else 64 MiB.
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
        small = len(palette) <= 256 - (space == "ciede2000")
        self._kind = np.uint8 if small else np.int16 if len(palette) < 2**15 else np.int32
        # Index + 1, so that 0, which memory comes with, is "not known yet"; in 8 bits also the 256th colour.
        self._table: Array = np.zeros(256**3, self._kind)
        self._known = np.zeros(CELLS**3, bool)

    def indices(self, pixels: Tensor) -> Tensor:
        """Look colours up, and fill the table where it is empty.

        Args:
            pixels: `... 3`, uint8, sRGB.

        Returns:
            `...`, uint8, int16 or int32 (palettes above 256 and 32767), on the CPU.

        Raises:
            ShapeError: `pixels` is not as above, or empty.
        """
        if pixels.dtype != torch.uint8 or pixels.ndim == 0 or pixels.shape[-1] != 3 or pixels.numel() == 0:
            msg = f"pixels are a non-empty uint8 tensor `... 3`, got {pixels.dtype} {tuple(pixels.shape)}"
            raise ShapeError(msg)
        colors: Array = pixels.detach().cpu().contiguous().view(-1, 3).numpy()
        found = np.empty(len(colors), self._kind)
        if not self._known.any():
            self._learn(_keys(colors[::_SAMPLE] if len(colors) > _PARALLEL else colors))
        step = max(_PIXELS_AT_ONCE, -(-len(colors) // (2 * _workers())))
        starts = list(range(0, len(colors), step))
        missed = _each(lambda start: self._look_up(colors, found, start, start + step), starts, len(colors))
        places = np.concatenate(missed)
        if len(places):
            keys = _keys(colors[places])
            self._learn(keys)
            found[places] = self._table[keys] - self._kind(1)
        return torch.from_numpy(found).view(pixels.shape[:-1])

    def _look_up(self, colors: Array, found: Array, start: int, end: int) -> Array:
        """A part of `n 3` to `n`, in pieces that stay in the processor's cache; gives the places not known yet."""
        table, missed = torch.from_numpy(self._table), [np.empty(0, np.intp)]
        buffer = np.empty(min(_PIXELS_AT_ONCE, len(colors) - start), np.int32)
        for at in range(start, min(end, len(colors)), _PIXELS_AT_ONCE):
            part = found[at : min(at + _PIXELS_AT_ONCE, end)]
            keys = buffer[: len(part)]
            # Little-endian words that begin at each colour: its three bytes, and one of the next, masked out. The
            # picture's last colour has no fourth byte to read.
            inner = len(part) - (at + len(part) == len(colors))
            words = np.ndarray((inner,), "<i4", colors, offset=3 * at, strides=(3,))
            np.bitwise_and(words, 0xFFFFFF, out=keys[:inner])
            keys[inner:] = _keys(colors[at + inner : at + len(part)])
            torch.index_select(table, 0, torch.from_numpy(keys), out=torch.from_numpy(part))
            if part.min() == 0:
                places = np.flatnonzero(part == 0)
                if len(self.palette) == 256 and self._kind == np.uint8:
                    places = places[~self._known[_cells(keys[places])]]
                missed.append(places + at)
            part -= self._kind(1)
        return np.concatenate(missed)

    def _learn(self, keys: Array) -> None:
        """Fill the table for these colours; `keys` are red + 256 * (green + 256 * blue)."""
        if self.space == "ciede2000":
            keys = np.unique(keys)
            keys = keys[self._table[keys] == 0]
            points = torch.from_numpy(np.stack([keys & 255, keys >> 8 & 255, keys >> 16], 1).astype(np.uint8))
            step = max(1, _PAIRS_AT_ONCE // len(self._wanted))
            if len(keys):
                spread = list(coordinates(from_uint8(points), self.space).split(step))
                nearest = _each(lambda part: nearest_ciede2000(part, self._wanted), spread, len(keys))
                self._table[keys] = torch.cat(nearest).numpy().astype(self._kind) + self._kind(1)
                self._known[:1] = True
            return
        wanted = np.zeros(CELLS**3, bool)
        wanted[_cells(keys)] = True
        cells = np.flatnonzero(wanted & ~self._known)
        if len(cells) == 0:
            return
        parts = np.array_split(cells, _workers() if len(cells) > 2**10 else 1)
        _each(self._fill, parts, len(cells) * SIDE**3)
        self._known[cells] = True

    def _fill(self, cells: Array) -> None:
        chosen = nearest_in_cells(cells, self._wanted.numpy(), self.space).astype(self._kind)
        chosen += self._kind(1)
        rows = np.arange(SIDE)
        # Four neighbours in red lie side by side and are written at once.
        table = self._table.view(f"V{SIDE * self._table.itemsize}").reshape(256, 256, CELLS)
        blue, green = SIDE * (cells // CELLS**2)[:, None] + rows, SIDE * (cells // CELLS % CELLS)[:, None] + rows
        lines = chosen.view(table.dtype).reshape(-1, SIDE, SIDE)
        table[blue[:, :, None], green[:, None], (cells % CELLS)[:, None, None]] = lines


@functools.lru_cache(maxsize=4)
def table_of(palette: Palette, space: Space = "oklab") -> NearestTable:
    """The table of a palette, shared by all who ask while it is among the last few asked for."""
    return NearestTable(palette, space)


def _keys(colors: Array) -> Array:
    red, green, blue = colors.T.astype(np.int32)
    return red | green << 8 | blue << 16


def _cells(keys: Array) -> Array:
    return keys >> 2 & 63 | keys >> 4 & 4032 | keys >> 6 & 258048


def _workers() -> int:
    return max(1, min(_WORKERS, os.cpu_count() or 1, torch.get_num_threads()))


def _each(work: Callable[[Job], Done], jobs: list[Job], size: int) -> list[Done]:
    """Results of the jobs in their order, by several threads where there is much to do; numpy lets them run at once."""
    if size < _PARALLEL or len(jobs) < 2 or _workers() < 2:
        return [work(job) for job in jobs]
    with ThreadPoolExecutor(_workers()) as pool:
        return list(pool.map(work, jobs))
