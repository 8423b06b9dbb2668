"""A film as a folder of PNGs with their times, or as one sprite sheet."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from ..errors import FilmError
from ..image import write_png
from ..palette import IndexedImage
from ..sheets import Frame, SpriteSheet, pack_sheet
from ..sheets.files import write_sheet
from .sink import Drawn, Part, Sink

TIMES = "frames.ffconcat"
"""The file in a folder of frames that tells their times."""

MOST_SHEET_PIXELS = 2**23
"""Pixels of all frames of a sheet together: they are held in memory until the last is there."""

MOST_SHEET_SIDE = 8192


class FolderSink(Sink):
    """A folder of PNGs `frame_000000.png` …, and their times as FFmpeg's list of files has them."""

    def __init__(self, target: Path, *, scale: int) -> None:
        """Open a hidden folder.

        Raises:
            FilmError: the folder is there and holds something else.
        """
        self.notes = []
        refuse_foreign(target)
        self._part, self._scale, self._count = Part(target, folder=True), scale, 0
        self._times = ["ffconcat version 1.0"]

    def add(self, drawn: Drawn) -> None:
        """Write the next frame."""
        name = f"frame_{self._count:06}.png"
        write_png(self._part.path / name, drawn.indexed().enlarge(self._scale))
        self._times += [f"file {name}", f"duration {float(drawn.duration):.6f}"]
        self._count += 1

    def finish(self) -> list[Path]:
        """Write the times, and give the folder its name."""
        try:
            (self._part.path / TIMES).write_text("\n".join(self._times) + "\n", encoding="utf-8")
        except OSError as error:
            self.drop()
            msg = f"{self._part.target}: cannot be written ({error.strerror or error}); make room"
            raise FilmError(msg) from error
        return [self._part.rename()]

    def drop(self) -> None:
        """Remove the hidden folder."""
        self._part.remove()


def refuse_foreign(folder: Path) -> None:
    """See that a folder is not there, or holds nothing but frames of a film, which are replaced.

    Raises:
        FilmError: it holds something else.
    """
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.name != TIMES and not re.fullmatch(r"frame_\d{6,}\.png", path.name):
            msg = f"{folder}: holds {path.name}, which is no frame of a film; choose a new folder"
            raise FilmError(msg)


class SheetSink(Sink):
    """One picture of all frames, repeats left out, with Aseprite's JSON beside it."""

    def __init__(self, target: Path, cells: tuple[int, int], *, scale: int) -> None:
        """Begin with no frames."""
        self.notes = []
        self._target, self._scale, self._frames = target, scale, list[tuple[IndexedImage, int]]()
        self._held: Drawn | None = None
        width, height = cells[0] * scale, cells[1] * scale
        fitting = (MOST_SHEET_SIDE // width) * (MOST_SHEET_SIDE // height)
        self._most = min(fitting, MOST_SHEET_PIXELS // (width * height))

    def add(self, drawn: Drawn) -> None:
        """Keep the next frame.

        Raises:
            FilmError: there are more than a sheet holds.
        """
        held = self._held
        if held is not None and held.same_picture(drawn):
            longer = drawn.time + drawn.duration - held.time
            self._held = dataclasses.replace(held, duration=longer)
            return
        self._keep()
        self._held = drawn
        if len(self._frames) >= self._most:
            msg = f"more than {self._most} different frames, which is what a sheet of this size holds"
            raise FilmError(f"{msg}; choose fewer a second (fps), a part of the film, fewer cells, or an animation")

    def finish(self) -> list[Path]:
        """Pack the frames and write the sheet."""
        self._keep()
        digits = len(str(len(self._frames) - 1))
        frames = tuple(
            Frame(rgba=picture.to_rgba()[0], name=f"{self._target.stem}_{index:0{digits}}", duration=duration)
            for index, (picture, duration) in enumerate(self._frames)
        )
        sheet = pack_sheet(SpriteSheet(frames=frames), layout="grid", max_side=MOST_SHEET_SIDE)
        return write_sheet(self._target, sheet, "aseprite", overwrite=True)

    def drop(self) -> None:
        """Forget the frames: nothing is written before the end."""
        self._frames.clear()

    def _keep(self) -> None:
        if self._held is not None:
            duration = max(1, round(1000 * (self._held.time + self._held.duration)) - round(1000 * self._held.time))
            self._frames.append((self._held.indexed().enlarge(self._scale), duration))
            self._held = None
