"""Pixels as keys, the numbers of their 8-bit colours: red + 256 * (green + 256 * blue)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

Fetch = Callable[[slice, Array], bool]
"""Writes the keys of a slice of a picture's pixels into an int32 array; False if they are not 8-bit colours."""


def keys_of_bytes(colors: Array) -> Fetch:
    """Keys of `n 3` or `n 4`, uint8, contiguous; a fourth byte is ignored."""
    n, width = colors.shape
    # Little-endian words that begin at each colour. Of three bytes, the last colour has no fourth byte to read.
    words = np.ndarray((n if width == 4 else n - 1,), "<i4", colors, strides=(width,))

    def fetch(piece: slice, keys: Array) -> bool:
        part = words[piece]
        np.bitwise_and(part, 0xFFFFFF, out=keys[: len(part)])
        if len(part) < len(keys):
            red, green, blue = (int(level) for level in colors[-1])
            keys[-1] = red + 256 * (green + 256 * blue)
        return True

    return fetch


def keys_of_planes(red: Array, green: Array, blue: Array) -> Fetch:
    """Keys of three `n`, float32; what lies on no 8-bit level is no colour."""

    def fetch(piece: slice, keys: Array) -> bool:
        total, level, back = (np.empty(len(keys), np.float32) for _ in range(3))
        total[:] = 0
        for plane in (blue, green, red):
            values = plane[piece]
            np.rint(np.multiply(values, 255, out=level), out=level)
            if not (level.min() >= 0 and level.max() <= 255):
                return False
            if not np.array_equal(np.divide(level, 255, out=back), values):
                return False
            total *= 256
            total += level
        keys[:] = total
        return True

    return fetch
