"""The commands behind `pixel-kiln sheet`: slice, pack, read, convert; those for tiles are in tiling.py."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from ..errors import ImageError, PixelModelError, SheetError
from ..image import write_bytes
from ..sheets import (
    format_metadata,
    metadata_suffix,
    pack_sheet,
    parse_metadata,
    read_sheet,
    slice_sheet,
    write_sheet,
)
from ..spritefiles import MOVING_SUFFIXES, write_art
from . import tiling
from .common import attempt, note_of
from .done import claim
from .files import read_still
from .frames import read_all, tell_losses, write_frames
from .jobs import gather, same_key


def run(arguments: argparse.Namespace) -> int:
    """`pixel-kiln sheet ACTION`: the exit status."""
    actions = {
        "slice": _slice,
        "pack": _pack,
        "read": _read,
        "convert": _convert,
        "tile": tiling.tile,
        "autotile": tiling.autotile,
    }
    return actions[arguments.action](arguments)


def _slice(arguments: argparse.Namespace) -> int:
    source = Path(arguments.input)
    given = "size" if arguments.size else "count" if arguments.count else None
    if given and arguments.how not in (None, given):
        msg = f"--how {arguments.how} and --{given} do not go together; leave out one of them"
        raise PixelModelError(msg)
    how = arguments.how or given or "auto"
    settings = {
        key: getattr(arguments, key) for key in ("size", "count", "margin", "spacing", "background", "keep_empty")
    }
    note = note_of("sheet slice", {"how": how, **settings})

    def work() -> Iterator[Path]:
        sheet = slice_sheet(
            read_still(source, first_frame=arguments.first_frame)[0],
            how=how,
            size=arguments.size,
            count=arguments.count,
            margin=arguments.margin,
            spacing=arguments.spacing,
            background=arguments.background,
            name=arguments.name or source.stem,
            keep_empty=arguments.keep_empty,
        )
        return write_frames(Path(arguments.out), sheet, source, note, overwrite=arguments.overwrite)

    return attempt(source, work)


def _pack(arguments: argparse.Namespace) -> int:
    target = Path(arguments.out)
    if target.suffix.lower() != ".png":
        msg = f"{target}: a sheet's picture is a PNG; expected a name that ends in .png"
        raise SheetError(msg)
    found = gather(arguments.inputs, arguments.out)

    def work() -> Iterator[Path]:
        sources = [source for source, _ in found]
        for path in (target, target.with_suffix(metadata_suffix(arguments.format))):
            claim(path, sources, overwrite=arguments.overwrite)
        sheet = pack_sheet(
            read_all(found, duration=arguments.duration, tagged=True),
            layout=arguments.layout,
            columns=arguments.columns,
            padding=arguments.padding,
            margin=arguments.margin,
            extrude=arguments.extrude,
            power_of_two=arguments.power_of_two,
            trim=arguments.trim,
        )
        yield from write_sheet(target, sheet, arguments.format, overwrite=arguments.overwrite)

    return attempt(found[0][0], work)


def _read(arguments: argparse.Namespace) -> int:
    source, target = Path(arguments.metadata), Path(arguments.out)

    def work() -> Iterator[Path]:
        sheet = read_sheet(source)
        if target.suffix.lower() in MOVING_SUFFIXES and not target.is_dir():
            claim(target, [source], overwrite=arguments.overwrite)
            tell_losses(sheet, target.suffix.lower().removeprefix("."))
            yield from write_art(target, sheet.unplaced())
        elif target.suffix.lower() == ".png" and not target.is_dir():
            msg = f"{target}: expected a folder for the sprites, or an animation: {', '.join(MOVING_SUFFIXES)}"
            raise ImageError(msg)
        else:
            yield from write_frames(target, sheet, source, note_of("sheet read", {}), overwrite=arguments.overwrite)

    return attempt(source, work)


def _convert(arguments: argparse.Namespace) -> int:
    """The same places for another program; the picture stays where it is, or goes along to another folder."""
    source, target = Path(arguments.metadata), Path(arguments.out)
    suffix = metadata_suffix(arguments.format)
    if target.suffix.lower() != suffix:
        msg = f"{target}: metadata for {arguments.format} ends in {suffix}"
        raise SheetError(msg)

    def work() -> Iterator[Path]:
        claim(target, [source], overwrite=arguments.overwrite)
        sheet = read_sheet(source)
        image_name = parse_metadata(source.read_text("utf-8-sig")).image or f"{source.stem}.png"
        if same_key(target.parent) == same_key(source.parent):
            write_bytes(target, format_metadata(sheet, arguments.format, image_name).encode())
            yield target
        else:
            claim(target.with_suffix(".png"), overwrite=arguments.overwrite)
            yield from write_sheet(target.with_suffix(".png"), sheet, arguments.format, overwrite=arguments.overwrite)

    return attempt(source, work)
