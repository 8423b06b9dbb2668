"""`pixelate_film`: a film to pixel art, file to file, in memory that does not grow with its length."""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

from ..checkpoint import LoadedModel
from ..drawers import require_pixelator
from ..errors import FilmError
from ..image import remove_leftovers
from ..image.write import LEFTOVER_SUFFIX
from ..palette import IndexedImage
from ..sampling import StepCallback
from .apng import ApngSink
from .cells import CellMaker
from .encode import FILM_FORMATS, FilmSink
from .gif import GifSink
from .grid import Bytes, Grid
from .maker import FilmMaker
from .options import QUALITIES, SCALE_RANGE, FilmOptions, Quality, choose
from .palettes import ShotPalette, film_palettes
from .read import FilmReader, Shown
from .scaler import FrameScaler
from .sink import Drawn, Sink
from .stills import FolderSink, SheetSink
from .turn import upright_size
from .webp import WebpSink

OUT_SUFFIXES = (*FILM_FORMATS, ".gif", ".apng", ".webp", ".png")
"""Endings of what is written; a name without an ending is a folder of PNGs."""

_OLD = 3600
_ANIMATIONS = {".gif": GifSink, ".apng": ApngSink, ".webp": WebpSink}


@dataclasses.dataclass(frozen=True)
class FilmReport:
    """What was made of a film."""

    paths: list[Path]
    """The files."""
    frames: int
    cells: tuple[int, int]
    """Width and height."""
    cuts: int
    """Cuts that were found."""
    colors: int
    """Of all palettes together."""
    notes: list[str]
    """What the output does not hold, and what was wrong with the film; a sentence each."""


def pixelate_film(
    source: Path,
    target: Path,
    options: FilmOptions,
    *,
    model: LoadedModel | None = None,
    scale: int | None = None,
    quality: Quality = "compatible",
    sound: bool = True,
    callback: StepCallback | None = None,
    first: Callable[[IndexedImage], None] | None = None,
) -> FilmReport:
    """Turn a film into pixel art, frame by frame.

    Args:
        source: whatever PyAV reads, GIFs too.
        target: `.mp4`, `.mov`, `.mkv`, `.webm`; `.gif`, `.apng`, `.webp`; `.png` for a sprite sheet; no ending for a
            folder of PNGs. What is there is replaced, whole or not at all.
        options: cells, colours, and the part of the film.
        model: one to pixelate, or to translate, where its weights are; None: `options.method`.
        scale: pixels along a cell's side in the output. None: for films the even number nearest to the source's
            size, else 1.
        quality: of film files.
        sound: keep it, where the output holds any.
        callback: called with the steps done and in all, about, after each frame; may raise to cancel.
        first: called with the first frame when it is made, at native size, to show it.

    Raises:
        FilmError: the film cannot be read, the output cannot be written, or an option does not fit.
        ModelKindError: the model is neither one to pixelate nor one to translate.
    """
    check_target(target)
    choose("quality", quality, QUALITIES)
    if scale is not None and not SCALE_RANGE[0] <= scale <= SCALE_RANGE[1]:
        msg = f"scale is {scale}, expected {SCALE_RANGE[0]} to {SCALE_RANGE[1]}"
        raise FilmError(msg)
    if model is not None:
        require_pixelator(model)
    _sweep(target.parent)
    with FilmReader(source, start=options.start, end=options.end, fps=options.fps) as reader:
        maker = CellMaker(options.method, model)
        grid = maker.grid(_planner(reader, options))
        scaler = FrameScaler(grid, reader)
        twice = options.palette is None
        steps = _Steps(callback, reader.frames, twice=twice)
        if options.palette is not None:
            palettes = [ShotPalette(Fraction(0), options.palette)]
        else:
            palettes = film_palettes(reader, options, grid, scaler, maker, steps.first)
        steps.second_begins()
        film = FilmMaker(options, grid, maker, palettes)
        sink = _open(target, grid, scale, quality, reader, len(palettes) == 1, sound=sound)
        try:
            count = 0
            for drawn in _made(reader, film, scaler, sink, sound=sound):
                sink.add(drawn)
                if first is not None and not count:
                    first(drawn.indexed())
                count += 1
                steps.second()
        except BaseException:
            sink.drop()
            raise
        paths = sink.finish()
        steps.finish()
        notes = [*sink.notes, *reader.notes, *scaler.notes]
    colors = len({color for entry in palettes for color in entry.palette.to_hex()})
    return FilmReport(paths, count, (grid.width, grid.height), film.cuts, colors, notes)


def check_target(target: Path) -> None:
    """See that an output is of a kind that is written.

    Raises:
        FilmError: it is not.
    """
    if target.suffix and target.suffix.lower() not in OUT_SUFFIXES:
        msg = f"{target}: expected a name that ends in {', '.join(OUT_SUFFIXES)}, or none for a folder of PNGs"
        raise FilmError(msg)
    if target.suffix and target.is_dir():
        msg = f"{target}: is a folder; expected the name of a file"
        raise FilmError(msg)
    if not target.suffix and target.is_file():
        msg = f"{target}: is a file; expected a folder of PNGs, or a name that ends in {', '.join(OUT_SUFFIXES)}"
        raise FilmError(msg)


def _planner(reader: FilmReader, options: FilmOptions) -> Callable[[int], Grid]:
    """Makes grids for the film, by its first frame: what the file says of its size may be wrong, or turned."""
    first = next(part for part in reader.parts() if isinstance(part, Shown))
    size = upright_size(first.frame, reader.pixel_shape)
    return lambda samples: Grid.of(size, options, samples)


def _open(
    target: Path,
    grid: Grid,
    scale: int | None,
    quality: Quality,
    reader: FilmReader,
    one_palette: bool,
    *,
    sound: bool,
) -> Sink:
    cells, suffix = (grid.width, grid.height), target.suffix.lower()
    if suffix in FILM_FORMATS:
        natural = min(grid.film[0] / grid.width, grid.film[1] / grid.height)
        return FilmSink(
            target,
            cells,
            scale=scale or max(2, 2 * round(natural / 2)),
            quality=quality,
            alpha=reader.alpha,
            source=reader,
            time_base=reader.time_base,
            rate=reader.rate,
            sound=sound,
        )
    if suffix in _ANIMATIONS:
        return _ANIMATIONS[suffix](target, cells, scale=scale or 1, one_palette=one_palette)
    return FolderSink(target, scale=scale or 1) if not suffix else SheetSink(target, cells, scale=scale or 1)


def _made(reader: FilmReader, film: FilmMaker, scaler: FrameScaler, sink: Sink, *, sound: bool) -> Iterator[Drawn]:
    """Finished frames in order; sound goes straight to the output, whose container brings both in line."""
    waiting: list[tuple[Bytes, Fraction, Fraction]] = []
    for part in reader.parts(sound=sound):
        if not isinstance(part, Shown):
            sink.add_sound(part)
            continue
        waiting.append((scaler.picture(part.frame), part.time, part.duration))
        if len(waiting) >= film.batch:
            yield from film.make(waiting)
            waiting = []
    if waiting:
        yield from film.make(waiting)


class _Steps:
    """Progress over one pass or two, of about as many frames as the file says."""

    def __init__(self, callback: StepCallback | None, frames: int | None, *, twice: bool) -> None:
        self._callback, self._frames, self._done = callback, frames or 0, 0
        self._passes = 2 if twice else 1

    def first(self) -> None:
        self._done += 1
        self._tell(max(self._frames, self._done + 1) * self._passes)

    def second_begins(self) -> None:
        # After a first pass the number of frames is known; without one the estimate stays.
        if self._done:
            self._frames = self._done
        self._base, self._done = self._frames * (self._passes - 1), 0

    def second(self) -> None:
        self._done += 1
        self._tell(max(self._base + self._frames, self._base + self._done))

    def finish(self) -> None:
        if self._callback is not None:
            total = self._base + self._done
            self._callback(total, total)

    def _tell(self, total: int) -> None:
        if self._callback is not None:
            base = getattr(self, "_base", 0)
            self._callback(min(base + self._done, total), total)


def _sweep(folder: Path) -> None:
    """Delete what killed programs left: unfinished files, and folders of frames."""
    remove_leftovers(folder)
    for path in folder.glob(f".*{LEFTOVER_SUFFIX}"):
        if path.is_dir() and time.time() - path.stat().st_mtime > _OLD:
            shutil.rmtree(path, ignore_errors=True)
