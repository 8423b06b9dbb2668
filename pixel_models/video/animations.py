"""Animations written frame by frame: what GIF, APNG and WebP have in common, repeats as longer times."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ..errors import FilmError
from ..spritefiles.boxes import Box, changed_box
from .grid import Bytes
from .sink import Drawn, Part, Sink


class AnimationSink(Sink):
    """What the three kinds have in common: a file, a scale, and frames that are merged where they repeat."""

    name = ""
    side = 0
    """Longest side, pixels."""
    ticks = 1000
    """Times are whole numbers of so many a second."""

    def __init__(self, target: Path, cells: tuple[int, int], *, scale: int, one_palette: bool) -> None:
        """Open the file.

        Args:
            target: where it will be.
            cells: width and height.
            scale: every cell so many pixels.
            one_palette: whether all frames have the same palette.

        Raises:
            FilmError: too large, or not to be written.
        """
        self.notes = []
        self._size = cells[0] * scale, cells[1] * scale
        self._scale, self._one = scale, one_palette
        if max(self._size) > self.side:
            msg = f"{target}: {self._size[0]}x{self._size[1]} pixels; {self.name} holds {self.side} a side"
            raise FilmError(msg)
        self._part = Part(target)
        self._file: BinaryIO = self._part.path.open("r+b")
        self._held: Drawn | None = None
        self._began = self._count = 0

    def add(self, drawn: Drawn) -> None:
        """Take the next frame; it is written when the one after it is another."""
        held = self._held
        if held is not None and held.same_picture(drawn):
            # Drawn frames are few ticks long; what is held keeps its beginning, and ends later.
            self._held = Drawn(
                held.entries, held.clear, held.palette, held.time, drawn.time + drawn.duration - held.time
            )
            return
        if held is not None:
            starts = round(drawn.time * self.ticks)
            if starts <= self._began:
                self._held = Drawn(
                    drawn.entries, drawn.clear, drawn.palette, held.time, drawn.time + drawn.duration - held.time
                )
                return
            self._write(held, drawn, starts - self._began)
            self._began = starts
        self._held = drawn

    def finish(self) -> list[Path]:
        """Write the last frame and the end, and give the file its name."""
        try:
            if self._held is not None:
                ends = round((self._held.time + self._held.duration) * self.ticks)
                self._write(self._held, None, max(1, ends - self._began))
            with self._wrong():
                self._close()
                self._file.close()
        except BaseException:
            self.drop()
            raise
        return [self._part.rename()]

    def drop(self) -> None:
        """Remove the unfinished file."""
        with contextlib.suppress(OSError):
            self._file.close()
        self._part.remove()

    def _write(self, drawn: Drawn, following: Drawn | None, time: int) -> None:
        with self._wrong():
            self._frame(drawn, following, time)
        self._count += 1

    @contextlib.contextmanager
    def _wrong(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            msg = (
                f"{self._part.target}: cannot be written ({error.strerror or error}); choose another place or make room"
            )
            raise FilmError(msg) from error

    def _frame(self, drawn: Drawn, following: Drawn | None, time: int) -> None:
        raise NotImplementedError

    def _close(self) -> None:
        raise NotImplementedError


def whole_box(pixels: Bytes) -> Box:
    """All of `h w` or `h w c`."""
    return Box(0, 0, pixels.shape[1], pixels.shape[0])


def box_to_draw(before: Bytes | None, pixels: Bytes) -> Box:
    """What has changed since the frame before; all of a first one."""
    return whole_box(pixels) if before is None else changed_box(before, pixels)
