"""The vertical stack for one row of all pictures at once, from the rows before it, which are kept as far as it reaches.

Features lie `c w*b`: pictures innermost, so that a step of one column is a step of b numbers, and every convolution is
one matrix product over the taps that are read. The same code serves NumPy and PyTorch, whose functions have the same
names here. On the CPU it has to be NumPy because the columns are: the threads of both libraries spin while they wait
for the next call, and with two cores each would take one from the other (measured: 2.5 times slower).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .pack import Packed

Array = Any
"""An `NDArray` or a `Tensor`, whatever the weights are."""


class Band:
    """The last rows of what a convolution reads, `i w b` each, with zeros around them."""

    def __init__(
        self, zeros: Callable[..., Array], features: int, rows: int, sizes: tuple[int, int, int, int], last: int
    ) -> None:
        """Begin above the grid, where all is 0.

        Args:
            zeros: makes an array of a shape.
            features: i.
            rows: of the kernel that are read.
            sizes: the whole kernel's side, its dilation, columns w, pictures b.
            last: how far above the row itself the lowest row that is read lies, 0 or 1.
        """
        kernel, dilation, width, batch = sizes
        margin = kernel // 2 * dilation
        slots = (rows - 1) * dilation + last + 1
        self._ring = [zeros((features, width + 2 * margin, batch)) for _ in range(slots)]
        self._inside = [row[:, margin : margin + width] for row in self._ring]
        self._above = [last + (rows - 1 - tap) * dilation for tap in range(rows)]
        self._shifts = [slice(dilation * tap, dilation * tap + width) for tap in range(kernel)]
        self._patches = zeros((features * rows * kernel + last, width * batch))
        self._parts = self._patches[: features * rows * kernel].reshape(features, rows, kernel, width, batch)
        if last:
            self._patches[-1] = 1

    def row(self, index: int) -> Array:
        """Where a row is to be written: `i w b`."""
        return self._inside[index % len(self._inside)]

    def patches(self, index: int) -> Array:
        """What the kernel sees of each place of a row: `i*rows*k w*b`, and ones below if it skips the row itself."""
        for tap, above in enumerate(self._above):
            row = self._ring[(index - above) % len(self._ring)]
            for column, shift in enumerate(self._shifts):
                self._parts[:, tap, column] = row[:, shift]
        return self._patches


class Rows:
    """Row by row from the top: the vertical stack, and all that the horizontal one takes from it."""

    def __init__(self, packed: Packed, library: Any, inputs: int, width: int, batch: int) -> None:  # noqa: ANN401
        """Begin at the top.

        Args:
            packed: weights; of arrays if the library is NumPy.
            library: `numpy` or `torch`.
            inputs: numbers that go in for each place.
            width: columns.
            batch: pictures.
        """
        self._packed, self._library = packed, library
        self._shape = (width, batch)
        kernel, zeros = packed.kernel, packed.zeros
        self._entry = Band(zeros, inputs, kernel // 2, (kernel, 1, width, batch), 1)
        features = [packed.entry_vertical.shape[1 if packed.skips_vertical else 0]]
        features += [len(packed.bias)] * (len(packed.layers) - 1)
        self._bands = [
            Band(zeros, count, kernel // 2 + 1, (kernel, layer.dilation, width, batch), 0)
            for count, layer in zip(features, packed.layers, strict=True)
        ]
        self._before_gate, self._across = (zeros((len(packed.halves), width * batch)) for _ in range(2))

    def put(self, row: int, x: Array) -> None:
        """Take the codes of a row as they go in, `i w b`."""
        self._entry.row(row)[:] = x

    def step(self, row: int, steering: Sequence[tuple[Array, Array]], into: Sequence[Array] | None) -> None:
        """Go on by a row; all rows above have been `put`.

        Args:
            row: its number.
            steering: what is added before each layer's gates, vertical and horizontal, `2c w b`, `2c 1 b` or None.
            into: where each layer is to write what the horizontal stack adds before its gate, `2c w b`; None: nowhere.
        """
        library = self._library
        x = self._entry.patches(row)
        if not self._packed.skips_vertical:
            x = self._packed.entry_vertical @ x
        self._bands[0].row(row)[:] = x.reshape(-1, *self._shape)
        a, t = self._before_gate, self._across.reshape(-1, *self._shape)
        value, share = a.reshape(2, -1, *self._shape)
        for index, layer in enumerate(self._packed.layers):
            vertical, horizontal = steering[index]
            patches, is_last = self._bands[index].patches(row), index + 1 == len(self._bands)
            if not is_last:
                library.matmul(layer.above, patches, out=a)
                a += layer.above_bias
            if into is not None:
                library.matmul(layer.across, patches if layer.is_direct else a, out=self._across)
                if horizontal is not None:
                    t += horizontal
                library.add(t, layer.base, out=into[index])
            if not is_last:
                if vertical is not None:
                    both = a.reshape(-1, *self._shape)
                    both += vertical
                library.tanh(a, out=a)
                after = self._bands[index + 1].row(row)
                library.multiply(value, share, out=after)
                after += value
