"""The command behind `pixel-kiln batch`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ..dataset import (
    Cluster,
    FolderSink,
    Pool,
    ShardSink,
    Sink,
    Source,
    State,
    mirror_metadata,
    run_dataset,
    shared_palette,
    spread_devices,
)
from ..errors import PixelModelError
from ..palette import Palette, find_palette
from ..pixelate import ACCENTS, CELL_RANGE, COLOR_RANGE
from .commands import choose_device
from .common import ENLARGE_RANGE, check_range, tell
from .dataset_making import MakeSprites
from .dataset_progress import Progress
from .files import is_art
from .jobs import same_key
from .parse_dataset import DEFAULT_PER_SHARD
from .parser import DEFAULT_CELL


def run(arguments: argparse.Namespace) -> int:
    """`pixel-kiln batch`: the exit status."""
    palette = _check(arguments)
    out = Path(arguments.out)
    source = Source(Path(arguments.input), out, is_art, arguments.caption)
    next(source.items(), None)  # refuses what is no source before anything is written
    device = _device(arguments)
    start = MakeSprites(arguments)
    state = State(out, _settings(arguments, palette, start), overwrite=arguments.overwrite)
    progress: Progress | None = None
    try:
        if palette is None and arguments.palette_per == "set":
            palette = _palette_of_set(state, source, start, device, arguments)
        if palette is not None:
            start = start.with_palette(palette)
        sink: Sink = (
            FolderSink(state) if arguments.to == "folder" else ShardSink(state, arguments.to, _per_shard(arguments))
        )
        engine = _engine(arguments, start, device)
        progress = Progress()
        try:
            run_dataset(source, engine, sink, progress)
            written = mirror_metadata(source) if arguments.to == "folder" else []
        finally:
            progress.close()
            _tell_end(sink, state)
        if arguments.to == "folder":
            for path in (out, *written):
                tell(str(path))
    except OSError as error:
        msg = f"{out}: cannot be written ({error.strerror or error}); make room, then run the same again"
        raise PixelModelError(msg) from error
    finally:
        state.close()
    return 1 if sink.tally.failed else 0


def _check(arguments: argparse.Namespace) -> Palette | None:
    """See that the arguments can work, and fill in the cell; the palette that is given.

    Raises:
        PixelModelError: they cannot.
    """
    arguments.cell = None if arguments.size else DEFAULT_CELL if arguments.cell is None else arguments.cell
    if arguments.cell is not None:
        check_range("--cell", arguments.cell, CELL_RANGE)
    check_range("--colors", arguments.colors, COLOR_RANGE)
    check_range("--scale", arguments.scale, ENLARGE_RANGE)
    check_range("--strength", arguments.strength, (0, 1))
    check_range("--per-shard", _per_shard(arguments), (1, 10**6))
    if arguments.workers is not None:
        check_range("--workers", arguments.workers, (1, 512))
    if arguments.palette and arguments.palette_per == "set":
        msg = "--palette is the palette of the whole set already; leave out one of --palette and --palette-per set"
        raise PixelModelError(msg)
    if arguments.per_shard is not None and arguments.to == "folder":
        msg = "--per-shard needs shards; give --to webdataset or --to parquet"
        raise PixelModelError(msg)
    if arguments.method and not arguments.clean:
        msg = "--no-clean is for networks; --method does not clean"
        raise PixelModelError(msg)
    if same_key(Path(arguments.input)) == same_key(Path(arguments.out)):
        msg = f"{arguments.out}: is the input; choose another OUT, inside it if you like"
        raise PixelModelError(msg)
    return None if arguments.palette is None else find_palette(arguments.palette)


def _per_shard(arguments: argparse.Namespace) -> int:
    return DEFAULT_PER_SHARD if arguments.per_shard is None else arguments.per_shard


def _settings(arguments: argparse.Namespace, palette: Palette | None, start: MakeSprites) -> dict[str, Any]:
    """Everything that decides how the output looks."""
    return {
        "input": same_key(Path(arguments.input)),
        "to": arguments.to,
        "per-shard": None if arguments.to == "folder" else _per_shard(arguments),
        "caption": arguments.caption,
        "first-frame": arguments.first_frame,
        "model": start.weights_digest(),
        "method": arguments.method,
        "cell": arguments.cell,
        "size": arguments.size,
        "fit": arguments.fit if arguments.size else None,
        "colors": None if palette else arguments.colors,
        "palette": palette.to_hex() if palette else None,
        "palette-per": None if palette else arguments.palette_per,
        "clean": arguments.clean,
        "dither": arguments.dither,
        "strength": arguments.strength,
        "scale": arguments.scale,
    }


def _palette_of_set(
    state: State, source: Source, start: MakeSprites, device: str, arguments: argparse.Namespace
) -> Palette:
    """The palette that OUT holds already, else a new one."""
    palette = state.palette()
    if palette is None:
        sys.stderr.write("pixel-kiln: making the palette of the set\n")
        palette = shared_palette(
            source.items(),
            start.for_palette(),
            device,
            arguments.colors,
            accents=ACCENTS,
            caption=arguments.caption,
        )
        state.keep_palette(palette)
    return palette


def _device(arguments: argparse.Namespace) -> str:
    """Each worker's kind of device; a cluster's machines may have the GPUs that this one lacks.

    Raises:
        PixelModelError: it is not there.
    """
    if arguments.method:
        return "cpu"
    if arguments.ray is not None and arguments.device == "cuda":
        return "cuda"
    return choose_device(arguments.device).type


def _engine(arguments: argparse.Namespace, start: MakeSprites, device: str) -> Pool | Cluster:
    workers = arguments.workers or 0
    if arguments.ray is not None:
        return Cluster(start, device, arguments.ray, workers, arguments.caption)
    return Pool(start, spread_devices(device, workers), arguments.caption)


def _tell_end(sink: Sink, state: State) -> None:
    sys.stderr.write(f"pixel-kiln: {sink.tally}\n")
    if sink.tally.failed:
        sys.stderr.write(f"pixel-kiln: what failed, and why: {state.errors_path}\n")
