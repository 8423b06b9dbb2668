"""Makes one item after another in the process it runs in: reads the picture, calls the maker, brings the captions."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TypeAlias

import torch
from torch import Tensor

from ..errors import PixelModelError
from ..image import write_png
from ..palette import IndexedImage
from .captions import caption_beside
from .items import Item, Part, Row, Sample
from .tables import TableReader

Make: TypeAlias = Callable[[Path], "tuple[Tensor | IndexedImage, tuple[int, int]]"]
"""From a picture file to the sprite as it is to be written, one frame, and its width and height in cells."""

Start: TypeAlias = Callable[[torch.device], Make]
"""Loads the model onto a device. It is sent to other processes, so it is an object of a module's class."""


class Worker:
    """One maker on one device; loads the model when the first item comes."""

    def __init__(self, start: Start, device: str, caption: str) -> None:
        self._start, self._device, self._caption = start, torch.device(device), caption
        self._make: Make | None = None
        self._tables = TableReader()

    def make(self, item: Item) -> Sample:
        """Make one sprite; whatever is wrong with the picture comes back as an error."""
        if item.problem:
            return Sample(error=item.problem)
        if self._make is None:
            try:
                self._make = self._start(self._device)
            except Exception as error:  # noqa: BLE001 - without a model no picture can be made
                return Sample(error=f"the model cannot be loaded: {_told(error)}", fatal=True)
        try:
            return self._sample(item, self._make)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one picture, the others are still made
            return Sample(error=_told(error))

    def _sample(self, item: Item, make: Make) -> Sample:
        sidecars = {ending: part.read() for ending, part in item.sidecars}
        row, text = item.row, item.text
        with tempfile.TemporaryDirectory(prefix="pixel-kiln-") as name:
            folder = Path(name)
            if isinstance(item.picture, Row):
                data, row, text = self._tables.read(item.picture)
                picture = _put(folder, item, data)
            elif isinstance(item.picture, Part) and item.picture.length >= 0:
                picture = _put(folder, item, item.picture.read())
            else:
                assert isinstance(item.picture, Part)
                picture = Path(item.picture.path)
            try:
                made, cells = make(picture)
            except PixelModelError as error:
                raise type(error)(str(error).replace(f"{picture}: ", "").replace(str(picture), item.source)) from error
            write_png(folder / "made.png", made)
            png = (folder / "made.png").read_bytes()
        palette = tuple(made.palette.to_hex()) if isinstance(made, IndexedImage) else ()
        text = caption_beside(sidecars, self._caption) or text
        return Sample(png=png, cells=cells, palette=palette, sidecars=sidecars, row=row, text=text)


def _put(folder: Path, item: Item, data: bytes) -> Path:
    """The bytes as a file: pictures are read by the readers of files, with all their limits."""
    path = folder / f"picture{PurePosixPath(item.source).suffix.lower()}"
    path.write_bytes(data)
    return path


def _told(error: Exception) -> str:
    if isinstance(error, torch.cuda.OutOfMemoryError | MemoryError):
        return "not enough memory; give a smaller --tile, fewer --workers, or --device cpu"
    if isinstance(error, PixelModelError | OSError):
        return " ".join(str(error).split())
    return f"unexpected {type(error).__name__}: {error}; please report this"


@contextmanager
def one_thread(devices: Sequence[str]) -> Iterator[None]:
    """On the CPU, work with one thread: sums come out the same however many processes share the machine."""
    before = torch.get_num_threads()
    if any(device.startswith("cpu") for device in devices):
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
