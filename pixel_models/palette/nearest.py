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
from .cells import BLOCKS, CELLS, SIDE, nearest_in_blocks
from .core import Palette
from .distance import Space, check_space, coordinates, nearest_ciede2000
from .keys import Fetch, keys_of_bytes, keys_of_planes

Array = NDArray[Any]
Job = TypeVar("Job")
Done = TypeVar("Done")

_PIXELS_AT_ONCE = 2**17
_PAIRS_AT_ONCE = 2**19
# Every so many pixels show nearly all blocks that a picture needs.
_SAMPLE = 17
# Colours that tell which palette colours are rare.
_FEW = 2**10
# Below this a second thread costs more than it saves.
_PARALLEL = 2**18
_WORKERS = 4


class NearestTable:
    """Nearest palette colours of all 8-bit colours met so far; later pictures of like colours are only looked up.

    Exact, and filled by whole blocks (see `cells`); by single colours for CIEDE2000. Of equally near colours the first
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
        # Index less `_zero`, so that 0 is "not known yet"; with 256 colours in 8 bits also that of a rare colour.
        self._zero = -1
        self._table: Array = np.empty(256**3, self._kind)
        if space == "ciede2000":
            self._table.fill(0)
        self._known = np.zeros(BLOCKS**3, bool)

    def indices(self, pixels: Tensor) -> Tensor:
        """Look colours up, and fill the table where it is empty.

        Args:
            pixels: `... 3`, or `... 4` whose last is ignored (quicker: a pixel is a word), uint8, sRGB.

        Returns:
            `...`, uint8, int16 or int32 (palettes above 256 and 32767), on the CPU.

        Raises:
            ShapeError: `pixels` is not as above, or empty.
        """
        if pixels.dtype != torch.uint8 or pixels.ndim == 0 or pixels.shape[-1] not in (3, 4) or pixels.numel() == 0:
            msg = f"pixels are a non-empty uint8 tensor `... 3` or `... 4`, got {pixels.dtype} {tuple(pixels.shape)}"
            raise ShapeError(msg)
        colors: Array = pixels.detach().cpu().contiguous().view(-1, pixels.shape[-1]).numpy()
        found = np.empty(len(colors), self._kind)
        self._find(keys_of_bytes(colors), found)
        return torch.from_numpy(found).view(pixels.shape[:-1])

    def indices_of_levels(self, rgb: Tensor) -> Tensor | None:
        """Look up a picture whose every value lies exactly on an 8-bit level, as files hold them.

        Args:
            rgb: `b 3 h w`, floating point.

        Returns:
            `b h w`, int64, on the CPU; None if a value lies elsewhere.
        """
        planes: Array = rgb.detach().float().cpu().contiguous().flatten(2).numpy()  # b 3 hw
        found = np.empty((len(planes), planes.shape[2]), np.int64)
        if not all(self._find(keys_of_planes(*pair), into) for pair, into in zip(planes, found, strict=True)):
            return None
        return torch.from_numpy(found).view(len(rgb), *rgb.shape[2:])

    def _find(self, fetch: Fetch, found: Array) -> bool:
        """Fill `found`, `n`, of any whole-number type; False if what is fetched are no colours."""
        if not self._known.any():
            piece = slice(None, None, _SAMPLE if len(found) > _PARALLEL else 1)
            keys = np.empty(len(found[piece]), np.int32)
            if not fetch(piece, keys):
                return False
            self._learn(keys)
        step = -(-len(found) // _workers()) if len(found) > _PARALLEL else len(found)
        starts = list(range(0, len(found), step))
        parts = _each(lambda start: self._look_up(fetch, found, start, start + step), starts, len(found))
        missed = [part for part in parts if part is not None]
        if len(missed) < len(parts):
            return False
        places, keys = np.concatenate(missed, 1)
        if len(places):
            self._learn(keys)
            found[places] = self._coded(self._table[keys], -1)
        return True

    def _look_up(self, fetch: Fetch, found: Array, start: int, end: int) -> Array | None:
        """A part of a picture, in pieces that stay in the processor's cache; gives places and keys not known yet."""
        table, missed = torch.from_numpy(self._table), [np.empty((2, 0), np.intp)]
        room, ends = np.empty(_PIXELS_AT_ONCE, np.int32), np.empty(_PIXELS_AT_ONCE, self._kind)
        complete, zero = bool(self._known.all()), self._coded(0, -1)
        for at in range(start, min(end, len(found)), _PIXELS_AT_ONCE):
            piece = slice(at, min(at + _PIXELS_AT_ONCE, end, len(found)))
            keys = room[: piece.stop - at]
            part = found[piece] if found.dtype == self._kind else ends[: len(keys)]
            if not fetch(piece, keys):
                return None
            torch.index_select(table, 0, torch.from_numpy(keys), out=torch.from_numpy(part))
            if not complete and part.min() == 0:
                places = _zeros(part)
                if self._zero >= 0:
                    places = places[~self._known[_blocks(keys[places])]]
                missed.append(np.stack([places + at, keys[places].astype(np.intp)]))
            np.add(part, zero, out=part)
            if found.dtype != self._kind:
                found[piece] = part
        return np.concatenate(missed, 1)

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
        wanted = np.zeros(BLOCKS**3, bool)
        wanted[_blocks(keys)] = True
        blocks = np.flatnonzero(wanted & ~self._known)
        if len(blocks) == 0:
            return
        parts = np.array_split(blocks, _workers() if len(blocks) > 2**8 else 1)
        wanted = self._wanted.numpy()
        solved = _each(lambda part: list(nearest_in_blocks(part, wanted, self.space)), parts, len(blocks) * 512)
        if not self._known.any():
            if len(self.palette) == 256:
                self._zero = self._rarest(keys)
            whole = [cells for part in solved for cells in part if cells[1].shape[0] == 1]
            self._lay_out(whole)
            solved = [[cells for cells in part if cells[1].shape[0] > 1] for part in solved]
        _each(self._write, solved, len(blocks) * 512)
        self._known[blocks] = True

    def _lay_out(self, solved: list[tuple[Array, Array]]) -> None:
        """Write a whole new table from cells of one colour each: quicker than cell by cell."""
        owners = np.zeros((CELLS, 1, CELLS, 1, CELLS, 1), self._kind)
        for low, chosen in solved:
            blue, green, red = low[::-1] // SIDE
            owners[blue, 0, green, 0, red, 0] = self._coded(chosen.reshape(-1))
        lines = np.repeat(owners, SIDE, 5).view(self._word())
        table = self._table.view(self._word()).reshape(CELLS, SIDE, CELLS, SIDE, CELLS, 1)

        def write(part: slice) -> None:
            table[part] = lines[part]

        _each(write, [slice(at, at + CELLS // 4) for at in range(0, CELLS, CELLS // 4)], table.size)

    def _write(self, solved: list[tuple[Array, Array]]) -> None:
        table, rows = self._table.view(self._word()), CELLS * np.arange(SIDE)[:, None]
        for low, chosen in solved:
            lines = np.empty((*chosen.shape[:2], chosen.shape[3], SIDE), self._kind)
            lines[:] = self._coded(chosen).transpose(0, 1, 3, 2)
            first = (low[2] * 256 + low[1]) * CELLS + low[0] // SIDE
            table[first + rows + 256 * rows[:, None]] = lines.view(self._word())[..., 0]

    def _coded(self, indices: Array | int, sign: int = 1) -> Array:
        """What the table holds for indices; -1 turns that back. 8 bits wrap around."""
        return np.asarray(indices).astype(self._kind) - np.asarray(sign * self._zero).astype(self._kind)

    def _rarest(self, keys: Array) -> int:
        """A colour of the palette that hardly any of these colours are nearest to."""
        some = keys[:: -(-len(keys) // _FEW)]
        levels = torch.from_numpy(np.stack([some & 255, some >> 8 & 255, some >> 16], 1).astype(np.uint8))
        points = coordinates(from_uint8(levels), self.space)
        away = sum((points[:, axis, None] - self._wanted[:, axis]).square() for axis in range(3))
        return int(np.bincount(torch.as_tensor(away).argmin(1).numpy(), minlength=len(self.palette)).argmin())

    def _word(self) -> np.dtype[Any]:
        """Four neighbours in red lie side by side and are written at once."""
        size = SIDE * self._table.itemsize
        return np.dtype(f"u{size}" if size <= 8 else f"V{size}")


@functools.lru_cache(maxsize=4)
def table_of(palette: Palette, space: Space = "oklab") -> NearestTable:
    """The table of a palette, shared by all who ask while it is among the last few asked for."""
    return NearestTable(palette, space)


def _zeros(values: Array) -> Array:
    """Places of zeros, where there are few: whole words are passed over."""
    zero = values == 0
    whole = len(zero) // 8 * 8
    words = np.flatnonzero(zero[:whole].view(np.uint64))
    inside = (8 * words[:, None] + np.arange(8))[zero[:whole].reshape(-1, 8)[words]]
    return np.concatenate([inside, whole + np.flatnonzero(zero[whole:])])


def _blocks(keys: Array) -> Array:
    return keys >> 3 & 31 | keys >> 6 & 992 | keys >> 9 & 31744


def _workers() -> int:
    return max(1, min(_WORKERS, os.cpu_count() or 1, torch.get_num_threads()))


def _each(work: Callable[[Job], Done], jobs: list[Job], size: int) -> list[Done]:
    """Results of the jobs in their order, by several threads where there is much to do; numpy lets them run at once."""
    if size < _PARALLEL or len(jobs) < 2 or _workers() < 2:
        return [work(job) for job in jobs]
    with ThreadPoolExecutor(_workers()) as pool:
        return list(pool.map(work, jobs))
