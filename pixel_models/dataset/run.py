"""The work itself: items that are due go through an engine into a sink, whatever each of them is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Protocol

from ..errors import PixelModelError
from .items import Item, Sample
from .sinks import Sink, Tally
from .source import Source


class Engine(Protocol):
    """What makes samples of items: `Pool`, `Cluster`."""

    def run(self, items: Iterator[Item]) -> Iterator[tuple[Item, Sample]]:
        """Make all items, in their order."""
        ...


class Watcher(Protocol):
    """Who hears of the progress."""

    def counted(self, total: int) -> None:
        """How many pictures there are; comes once, from another thread."""
        ...

    def moved(self, tally: Tally, source: str) -> None:
        """What became of the pictures so far, and the last of them."""
        ...

    def wrote(self, path: Path) -> None:
        """A shard is complete."""
        ...


def run_dataset(source: Source, engine: Engine, sink: Sink, watcher: Watcher) -> Tally:
    """Make everything that is missing; a picture that fails does not stop the others.

    Args:
        source: where the pictures are; they are listed as they are needed.
        engine: makes them.
        sink: takes them; nothing half-written is left in it, whatever happens.
        watcher: hears of the progress.

    Raises:
        PixelModelError: there is no picture, the model cannot be loaded, or the output cannot be written.
    """
    threading.Thread(target=_count, args=(source, watcher.counted), daemon=True).start()
    try:
        with closing(_closable(engine.run(sink.due(source.items())))) as results:
            for item, sample in results:
                if sample.fatal:
                    raise PixelModelError(sample.error)
                path = sink.put(item, sample)
                watcher.moved(sink.tally, item.source)
                if path is not None:
                    watcher.wrote(path)
        if not sink.tally.total:
            msg = f"{source.path}: holds no pictures; looked for picture files, .tar and .parquet"
            raise PixelModelError(msg)
        sink.finish()
    finally:
        sink.abort()
    return sink.tally


def _closable(results: Iterator[tuple[Item, Sample]]) -> Generator[tuple[Item, Sample], None, None]:
    yield from results


def _count(source: Source, tell: Callable[[int], None]) -> None:
    try:
        tell(sum(1 for _ in source.items()))
    except PixelModelError:  # told by the one who works
        return
