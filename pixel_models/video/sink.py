"""Where finished frames go: what every kind of output has, and files that get their name when they are whole."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import FilmError
from ..image.write import hidden_beside
from ..palette import IndexedImage, Palette
from .grid import Bytes
from .matcher import Indices


@dataclasses.dataclass(frozen=True)
class Drawn:
    """One finished frame at native size."""

    entries: Indices
    """`h w`, of the palette."""
    clear: NDArray[np.bool_] | None
    """`h w`, transparent cells."""
    palette: Palette
    time: Fraction
    """Seconds from the beginning."""
    duration: Fraction
    """Seconds."""

    def same_picture(self, other: Drawn) -> bool:
        """Whether nothing differs but the time."""
        if self.palette is not other.palette and self.palette != other.palette:
            return False
        if (self.clear is None) != (other.clear is None):
            return False
        if self.clear is not None and other.clear is not None:
            if not np.array_equal(self.clear, other.clear):
                return False
            return bool(((self.entries == other.entries) | self.clear).all())
        return np.array_equal(self.entries, other.entries)

    def indexed(self) -> IndexedImage:
        """The frame as an indexed picture of one."""
        import torch

        clear = None if self.clear is None else torch.from_numpy(self.clear.copy())[None]
        return IndexedImage(torch.from_numpy(self.entries.astype(np.int64))[None], self.palette, clear)

    def entries_after_clear(self) -> tuple[Bytes, Bytes]:
        """Entries `h w` and colours `k 3` as files hold them, entry 0 for transparent pixels if there may be any.

        Raises:
            FilmError: more colours than a file's palette holds.
        """
        colors = self.palette.colors.numpy()
        if len(colors) + (self.clear is not None) > 256:
            msg = f"a palette of {len(colors)} colours; an animation or sheet holds 256, with transparency 255"
            raise FilmError(f"{msg}; choose fewer, or write an .mp4 or .webm")
        if self.clear is None:
            return self.entries.astype(np.uint8), colors
        shifted = np.where(self.clear, 0, self.entries + 1).astype(np.uint8)
        return shifted, np.concatenate([np.zeros((1, 3), np.uint8), colors])

    def rgba(self) -> Bytes:
        """Pixels `h w 4`, transparent ones 0."""
        levels = np.concatenate([self.palette.colors.numpy(), np.full((len(self.palette), 1), 255, np.uint8)], axis=1)
        pixels = levels[self.entries]
        if self.clear is not None:
            pixels[self.clear] = 0
        return pixels


class Sink:
    """An output that takes one frame after the other. Nothing has its name before `finish`; `drop` leaves nothing."""

    notes: list[str]
    """What the format does not hold, a sentence each."""

    def add(self, drawn: Drawn) -> None:
        """Take the next frame.

        Raises:
            FilmError: it cannot be written, or there are more than the output holds.
        """
        raise NotImplementedError

    def add_sound(self, packet: Any) -> None:  # noqa: ANN401
        """Take a packet of sound; most outputs have none."""

    def finish(self) -> list[Path]:
        """Complete the output, give it its name, and say where it is."""
        raise NotImplementedError

    def drop(self) -> None:
        """Remove what is there so far."""
        raise NotImplementedError


class Part:
    """A hidden file, or folder, beside the one that it becomes."""

    def __init__(self, target: Path, *, folder: bool = False) -> None:
        """Find a name that nothing has yet, and take it.

        Raises:
            FilmError: nothing can be written there.
        """
        self.target = target
        self.path = hidden_beside(target)
        try:
            if folder:
                self.path.mkdir()
            else:
                self.path.open("xb").close()
        except FileNotFoundError as error:
            msg = f"{target}: the folder {target.parent} does not exist; make it first"
            raise FilmError(msg) from error
        except OSError as error:
            msg = f"{target}: cannot be written ({error.strerror or error}); choose another place or make room"
            raise FilmError(msg) from error

    def rename(self) -> Path:
        """Give it its name; a file there is replaced, and a folder of frames too."""
        old: Path | None = None
        try:
            if self.path.is_dir() and self.target.is_dir():
                old = hidden_beside(self.target)
                self.target.rename(old)
            self.path.replace(self.target)
        except OSError as error:
            if old is not None:
                old.rename(self.target)
            self.remove()
            msg = f"{self.target}: cannot be written ({error.strerror or error}); choose another name"
            raise FilmError(msg) from error
        if old is not None:
            shutil.rmtree(old, ignore_errors=True)
        return self.target

    def remove(self) -> None:
        """Remove it."""
        if self.path.is_dir():
            shutil.rmtree(self.path, ignore_errors=True)
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


def enlarged(pixels: NDArray[Any], scale: int) -> NDArray[Any]:
    """Every pixel of `h w` or `h w c` so many times along both axes."""
    return pixels if scale == 1 else pixels.repeat(scale, axis=0).repeat(scale, axis=1)
