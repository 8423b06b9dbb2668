"""Films that were held sideways: what a display matrix asks for, in whole quarter turns."""

from __future__ import annotations

import dataclasses
import struct
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from av import VideoFrame

    from .grid import Bytes


@dataclasses.dataclass(frozen=True)
class Turn:
    """How a frame is brought upright: rows and columns swapped or not, then mirrored or not."""

    swapped: bool = False
    across: bool = False
    down: bool = False

    @classmethod
    def of(cls, frame: VideoFrame) -> Turn:
        """What a frame's display matrix asks for."""
        matrix = _display_matrix(frame)
        if matrix is None:
            return cls()
        a, b, c, d = matrix
        if abs(a) + abs(d) >= abs(b) + abs(c):
            return cls(False, a < 0, d < 0)
        return cls(True, c < 0, b < 0)

    def apply(self, pixels: Bytes) -> Bytes:
        """Pixels `h w c`, turned and mirrored."""
        pixels = pixels.swapaxes(0, 1) if self.swapped else pixels
        pixels = pixels[:, ::-1] if self.across else pixels
        return pixels[::-1] if self.down else pixels


def upright_size(frame: VideoFrame, pixel_shape: Fraction) -> tuple[int, int]:
    """Width and height of a frame as it is shown, with square pixels."""
    width, height = max(1, round(frame.width * pixel_shape)), frame.height
    return (height, width) if Turn.of(frame).swapped else (width, height)


def _display_matrix(frame: VideoFrame) -> tuple[int, int, int, int] | None:
    """Where a pixel goes: `x' = a x + c y`, `y' = b x + d y`."""
    if not frame.rotation and not len(frame.side_data):
        return None
    from av.sidedata.sidedata import Type

    try:
        data = bytes(cast(Any, frame.side_data)[Type.DISPLAYMATRIX])
    except KeyError:
        return None
    numbers = struct.unpack("=9i", data[:36])
    a, b, c, d = numbers[0], numbers[1], numbers[3], numbers[4]
    return (a, b, c, d) if any((a, b, c, d)) else None
