"""What the readers of binary palette files share: fields taken in order, and a complaint when the file ends early."""

from __future__ import annotations

import struct
from typing import Any

from ...errors import PaletteError

Colors = list[tuple[int, int, int]]
"""Red, green and blue, each 0 to 255."""

MAX_COLORS = 65535
"""The most colours that any of the binary formats is believed to hold."""


class Reader:
    """Takes fields from bytes, never beyond their end."""

    def __init__(self, data: bytes, order: str, start: int = 0, end: int | None = None) -> None:
        """Read `data[start:end]`; `order` is "<" or ">", as in `struct`."""
        self.data = data
        self.order = order
        self.place = start
        self.end = len(data) if end is None else end

    @property
    def left(self) -> int:
        """Bytes that have not been taken."""
        return self.end - self.place

    def take(self, count: int) -> bytes:
        """The next `count` bytes.

        Raises:
            PaletteError: fewer are left.
        """
        if not 0 <= count <= self.left:
            msg = f"byte {self.place}: expected {count} more bytes, got {self.left}; the file may be cut short"
            raise PaletteError(msg)
        self.place += count
        return self.data[self.place - count : self.place]

    def fields(self, layout: str) -> tuple[Any, ...]:
        """The next fields, by a `struct` layout without its byte order.

        Raises:
            PaletteError: the file ends before.
        """
        layout = self.order + layout
        return struct.unpack(layout, self.take(struct.calcsize(layout)))

    def number(self, layout: str) -> int:
        """The next whole number.

        Raises:
            PaletteError: the file ends before.
        """
        return int(self.fields(layout)[0])

    def part(self, count: int) -> Reader:
        """A reader for the next `count` bytes alone.

        Raises:
            PaletteError: fewer are left.
        """
        start = self.place
        self.take(count)
        return Reader(self.data, self.order, start, self.place)


def check_count(count: int, most: int, what: str) -> None:
    """Refuse more colours than a format holds.

    Raises:
        PaletteError: `count` is above `most`.
    """
    if count > most:
        msg = f"{what} holds at most {most} colours, got {count}; expected fewer, or .gpl, .hex or .json"
        raise PaletteError(msg)
