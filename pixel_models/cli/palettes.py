"""The commands behind `pixel-kiln palette`; those that make pictures, apply and swap, are in recolor.py."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from ..errors import PaletteError
from ..palette import (
    NAMED_PALETTES,
    PALETTE_METHODS,
    PALETTE_SOURCES,
    PALETTE_WRITE_SUFFIXES,
    Palette,
    choose_palette,
    contrast_ratios,
    find_palette,
    make_ramp,
    merge_near,
    palette_as_seen,
    reduce_palette,
    sort_palette,
    write_palette,
)
from . import recolor
from .common import PALETTE_RANGE, attempt, check_range, tell, undashed
from .done import claim
from .files import read_file
from .jobs import gather


def run(arguments: argparse.Namespace) -> int:
    """`pixel-kiln palette ACTION`: the exit status."""
    actions = {
        "list": _list,
        "show": _show,
        "extract": _extract,
        "apply": recolor.apply,
        "swap": recolor.swap,
        "convert": _convert,
        "edit": _edit,
        "ramp": _ramp,
    }
    return actions[arguments.action](arguments)


def _list(arguments: argparse.Namespace) -> int:
    """Name, number of colours, and the source where it is asked for; tabs between."""
    for name, colors in NAMED_PALETTES.items():
        source = [PALETTE_SOURCES[name]] if arguments.source else []
        tell(name, str(len(colors.replace(",", " ").split())), *source)
    return 0


def _show(arguments: argparse.Namespace) -> int:
    """A hex colour a line; squares before them in a terminal, the least contrast after them where it is asked for."""
    palette = find_palette(arguments.palette)
    if arguments.seen_with:
        palette = palette_as_seen(palette, arguments.seen_with)
    colored = sys.stdout.isatty()
    for code, (red, green, blue) in zip(palette.to_hex(), palette.colors.tolist(), strict=True):
        tell(f"\x1b[48;2;{red};{green};{blue}m    \x1b[0m {code}" if colored else code)
    if arguments.contrast and len(palette) > 1:
        ratios = contrast_ratios(palette).fill_diagonal_(float("inf"))
        one, other = divmod(int(ratios.argmin()), len(palette))
        codes = palette.to_hex()
        tell("least contrast", f"{float(ratios.min()):.2f}", codes[one], codes[other])
    return 0


def _extract(arguments: argparse.Namespace) -> int:
    """One palette for all pictures and frames; a picture that cannot be read ends it, since it would be missing."""
    check_range("--colors", arguments.colors, PALETTE_RANGE)
    check_range("--accents", arguments.accents, (0, 1))
    method = undashed(arguments.method, PALETTE_METHODS)
    keep = Palette.from_hex(arguments.keep) if arguments.keep else None
    target = _target(arguments)
    found = gather(arguments.inputs, arguments.out)

    def work() -> Iterator[Path]:
        claim(target, [source for source, _ in found], overwrite=arguments.overwrite)
        pictures = [frame.rgba[None] for source, _ in found for frame in read_file(source).frames]
        if not any(bool((picture[:, 3] >= 0.5).any()) for picture in pictures):
            msg = "every pixel is transparent; expected a picture that has colours to take"
            raise PaletteError(msg)
        palette = choose_palette(
            pictures,
            arguments.colors,
            method=method,
            error=arguments.error,
            keep=keep,
            accents=arguments.accents,
        )
        write_palette(target, palette)
        yield target

    return attempt(found[0][0], work)


def _convert(arguments: argparse.Namespace) -> int:
    return _write(arguments, find_palette(arguments.palette))


def _edit(arguments: argparse.Namespace) -> int:
    palette = find_palette(arguments.palette)
    if arguments.merge is not None:
        palette, _ = merge_near(palette, arguments.merge)
    if arguments.reduce is not None:
        palette, _ = reduce_palette(palette, arguments.reduce)
    if arguments.sort:
        palette = sort_palette(palette, arguments.sort)
    return _write(arguments, palette)


def _ramp(arguments: argparse.Namespace) -> int:
    return _write(arguments, make_ramp(arguments.color, arguments.count, arguments.hue_shift))


def _write(arguments: argparse.Namespace, palette: Palette) -> int:
    target = claim(_target(arguments), overwrite=arguments.overwrite)
    scale, riff = getattr(arguments, "scale", 1), getattr(arguments, "riff", False)
    write_palette(target, palette, scale=scale, riff_pal=riff)
    tell(str(target))
    return 0


def _target(arguments: argparse.Namespace) -> Path:
    """OUT, once it is clear that palettes can be written so."""
    target = Path(arguments.out)
    if target.suffix.lower() not in PALETTE_WRITE_SUFFIXES:
        known = ", ".join(PALETTE_WRITE_SUFFIXES)
        msg = f"{target}: palettes are not written as {target.suffix or 'no ending'!r}; expected one of {known}"
        raise PaletteError(msg)
    return target
