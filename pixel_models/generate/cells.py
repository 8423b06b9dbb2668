"""The horizontal stack on the CPU, one column at a time, in NumPy: there its calls cost a fraction of PyTorch's.

For one picture every layer is two products of a matrix and a vector, bound by how fast weights come from the cache; for
several, features lie `c b`, and the same calls are matrix products. All arrays and all views of them are made once;
nothing is allocated for a place but the few numbers of its draw.

For one picture, what a dilated convolution takes from the column farther left is computed for a few columns at once,
as far as it is known: the weights then come from the cache once for all of them, and that is what takes the time.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from ..archs.pixelcnn import Steering
from .choice import Floats
from .job import Job
from .pack import Packed, in_numpy, pack
from .rows import Rows

Array = NDArray[np.floating]
_AT_ONCE = 4
"""Columns; up to here a product takes the time of its weights alone."""


class Slots:
    """Features of every column, laid so that those one convolution reads follow each other."""

    def __init__(self, features: int, columns: int, taps: int, dilation: int, like: Array) -> None:
        """All 0, and always so left of the grid; `like` is features of one column of all pictures."""
        self._dilation, self._taps = dilation, taps
        shape = (dilation, -(-columns // dilation) + taps - 1, features, *like.shape[1:])
        self._slots = np.zeros(shape, like.dtype)

    def at(self, column: int) -> Array:
        """A column's features, `i` or `i b`."""
        return self._slots[column % self._dilation, column // self._dilation + self._taps - 1]

    def window(self, column: int) -> Array:
        """What a convolution reads at a column, `taps*i` or `taps*i b`; a view."""
        first = column // self._dilation
        seen = self._slots[column % self._dilation, first : first + self._taps]
        return seen.reshape(-1, *seen.shape[2:])

    def left_of(self, columns: slice) -> Array:
        """What lies `taps - 1` columns left of some columns, in a layout without dilation: `columns i`."""
        return self._slots[0, columns]


class Cells:
    """Column by column from the left of a row."""

    def __init__(self, packed: Packed, inputs: int, width: int, batch: int) -> None:
        """Lay out the arrays.

        Args:
            packed: weights, in NumPy.
            inputs: numbers that go in for each place.
            width: columns.
            batch: pictures.
        """
        tail = () if batch == 1 else (batch,)
        like = np.zeros((1, *tail), packed.out.dtype)

        def empty(count: int) -> Array:
            return np.zeros((count, *tail), like.dtype)

        features = len(packed.bias)
        self.tables = [np.zeros((width, 2 * features, batch), like.dtype) for _ in packed.layers]
        """Of each layer `w 2c b`: what each column adds before the gate, new for each row."""
        self._entry = packed.entry_horizontal
        self._inputs, self._tail = inputs, tail
        self._look = packed.look
        self._bias = packed.bias.reshape(-1, *(1 for _ in tail))
        self._out, self._out_bias = packed.out, packed.out_bias.astype(np.float64)
        taps = packed.kernel // 2
        skips = packed.skips_horizontal
        dilations = [layer.dilation for layer in packed.layers]
        seen = Slots(self._entry.shape[1], width, *((taps + 1, dilations[0]) if skips else (1, 1)), like)
        early = [batch == 1 and taps == 1 and dilation > 1 for dilation in dilations]
        early[0] &= not skips
        read = [
            Slots(features, width, dilation + 1, 1, like) if split else Slots(features, width, taps + 1, dilation, like)
            for dilation, split in zip(dilations, early, strict=True)
        ]
        if skips:
            read[0] = seen
        self._seen = [seen.at(column) for column in range(width)]
        # Where a code goes when it is known: into what the next columns see of it.
        self._written = [
            [
                self._seen[column + after][(taps - after) * inputs : (taps - after + 1) * inputs]
                for after in range(1, min(taps, width - 1 - column) + 1)
            ]
            for column in range(width)
        ]
        first = empty(features)
        self._first = [first if skips else read[0].at(column) for column in range(width)]
        self._last, self._elu, self._logits = empty(features), empty(features), empty(len(self._out))
        both, residual, gated = empty(2 * features), empty(features), empty(features)
        self._value, self._share = both[:features], both[features:]
        self._both, self._residual, self._gated = both, residual, gated
        self._early: list[list[tuple[Array, Array, Array, Array]]] = [[] for _ in range(width)]
        before = [layer.before for layer in packed.layers]
        for index in np.flatnonzero(early):
            weights = np.ascontiguousarray(before[index][:, :features].T)
            before[index] = np.ascontiguousarray(before[index][:, features:])
            count = min(dilations[index], _AT_ONCE)
            for column in range(0, width, count):
                table = self.tables[index][column : column + count, :, 0]
                left = read[index].left_of(slice(column, column + len(table)))
                self._early[column].append((left, weights, np.zeros_like(table, order="C"), table))
        self._program: list[list[tuple[Array, ...]]] = []
        for column in range(width):
            calls, h = [], self._first[column]
            for index, layer in enumerate(packed.layers):
                after = read[index + 1].at(column) if index + 1 < len(read) else self._last
                table = self.tables[index][column].reshape(both.shape)
                seen_here = read[index].at(column) if early[index] else read[index].window(column)
                calls.append((before[index], seen_here, table, layer.back, h, after))
                h = after
            self._program.append(calls)

    def step(self, column: int) -> None:
        """Compute a column's features; codes of the columns before it have been `put`."""
        dot, add, multiply, tanh = np.dot, np.add, np.multiply, np.tanh
        both, value, share, gated, residual = self._both, self._value, self._share, self._gated, self._residual
        for left, weights, sums, table in self._early[column]:
            dot(left, weights, sums)
            add(table, sums, table)
        dot(self._entry, self._seen[column], self._first[column])
        for before, seen, table, back, h, after in self._program[column]:
            dot(before, seen, both)
            add(both, table, both)
            tanh(both, both)
            multiply(value, share, gated)
            add(gated, value, gated)
            dot(back, gated, residual)
            add(h, residual, after)

    def logits(self) -> Floats:
        """Of the column of the last step: `b channels*codes`, float64, a new array."""
        h, elu = self._last, self._elu
        np.add(h, self._bias, h)
        np.minimum(h, 0, out=elu)
        np.exp(elu, elu)
        np.subtract(elu, 1, elu)
        np.maximum(h, elu, out=elu)
        np.dot(self._out, elu, self._logits)
        return self._logits.reshape(len(self._out), -1).T + self._out_bias

    def put(self, column: int, codes: NDArray[np.int64]) -> None:
        """Take a column's codes, `b c`."""
        written = self._written[column]
        if written:
            x = self._look[codes].reshape(len(codes), self._inputs).T.reshape(self._inputs, *self._tail)
            for part in written:
                part[:] = x


def fill(job: Job) -> None:
    """Draw all that a job wants, on the CPU, wherever the network is."""
    packed = in_numpy(pack(job.network, job.width, torch.device("cpu")))
    steering = [Steering(*(part if part is None else part.cpu() for part in layer)) for layer in job.steering]
    channels, batch = job.channels, job.twins * job.batch
    inputs = channels * packed.look.shape[1]
    rows = Rows(packed, np, inputs, job.width, batch)
    cells = Cells(packed, inputs, job.width, batch)
    into = [table.transpose(1, 0, 2) for table in cells.tables]
    for row in range(job.height):
        if row <= job.last_row:
            ends = job.ends(row)
            rows.step(row, packed.steering(steering, row), into if ends else None)
            for column in range(ends):
                cells.step(column)
                if job.wanted[row, column]:
                    job.place(row, column, cells.logits().reshape(batch, channels, -1))
                cells.put(column, twice(job.codes[row, column].reshape(-1, channels), job.twins))
            x = packed.look[twice(job.codes[row].reshape(job.width, -1, channels), job.twins, axis=1)]  # w b c e
            rows.put(row, x.reshape(job.width, batch, inputs).transpose(2, 0, 1))
        job.row_done(row)


def twice(codes: NDArray[np.int64], twins: int, axis: int = 0) -> NDArray[np.int64]:
    """Codes of all pictures, and again for their twins without labels."""
    return codes if twins == 1 else np.concatenate([codes, codes], axis)
