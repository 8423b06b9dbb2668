"""The arguments of `video`; imports nothing heavy."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence

from .options import PALETTE_HELP, add_out, dashed, size_or_side
from .parse_grid import DOWNSCALE_METHODS

DEFAULT_CELL = 6
FILM_METHODS = ("sharp", *DOWNSCALE_METHODS)
FILM_DITHERS = ("none", "bayer2", "bayer4", "bayer8", "bayer16", "blue-noise", "clustered-dot", "knoll")
PALETTE_PER = ("film", "shot")
QUALITIES = ("compatible", "exact")

_OUT_HELP = (
    "a .mp4, .mov, .mkv or .webm film; a .gif, .apng or .webp animation; a .png for one sprite sheet with its .json; "
    "or, without an ending, a folder of PNGs"
)
_EPILOG = (
    "The film is read and written frame by frame, so it may be of any length. Sound is kept. Times are those of the "
    "film. The path that was written goes to stdout, progress and notes to stderr. Exit status: 0 all went well, "
    "1 the film failed, 2 arguments that cannot work, 130 interrupted: then nothing is written. "
    "Example: pixel-kiln video clip.mp4 -o clip-pixels.mp4 --cell 6 --palette pico-8"
)


def add_video(parser: argparse.ArgumentParser, devices: Sequence[str]) -> None:
    """`pixel-kiln video`."""
    parser.description = "A film to pixel art: one grid, one palette, colours that do not flicker, its sound kept."
    parser.epilog = _EPILOG
    parser.add_argument("input", metavar="IN", help="a film: MP4, MOV, Matroska, WebM, AVI, GIF and others")
    add_out(parser, _OUT_HELP)
    grid = parser.add_mutually_exclusive_group()
    grid.add_argument(
        "--cell", type=int, metavar="PIXELS", help=f"side of a cell, 2 to 256 pixels of IN (default {DEFAULT_CELL})"
    )
    grid.add_argument(
        "--size", type=size_or_side, metavar="WxH", help="exactly this many cells; W or xH alone keeps the film's shape"
    )
    colors = parser.add_mutually_exclusive_group()
    colors.add_argument("--palette", metavar="PALETTE", help=f"use these colours and no other: {PALETTE_HELP}")
    colors.add_argument(
        "--colors",
        type=int,
        default=16,
        metavar="N",
        help="most colours of a palette made of IN, 2 to 256 (default 16)",
    )
    parser.add_argument(
        "--palette-per", choices=PALETTE_PER, default="film", help="one palette for all, or one a shot (default film)"
    )
    parser.add_argument(
        "--method",
        type=dashed,
        choices=FILM_METHODS,
        default=FILM_METHODS[0],
        metavar="METHOD",
        help=f"how cells get colours without a model: {', '.join(FILM_METHODS)} (default sharp; box is as quick)",
    )
    parser.add_argument(
        "--model", metavar="MODEL", help="draw cells with a network instead, such as kiln-pixelate: see `models list`"
    )
    parser.add_argument("--device", choices=devices, default=devices[0], help="where the network runs (default auto)")
    parser.add_argument(
        "--dither",
        type=dashed,
        choices=FILM_DITHERS,
        default=FILM_DITHERS[0],
        metavar="DITHER",
        help=f"ordered, so that it stays put: {', '.join(FILM_DITHERS)} (default none)",
    )
    parser.add_argument("--strength", type=float, default=0.5, metavar="S", help="of the dither, 0 to 1 (default 0.5)")
    parser.add_argument("--no-clean", dest="clean", action="store_false", help="keep stray single cells")
    parser.add_argument(
        "--no-steady", dest="steady", action="store_false", help="make every frame as if it were alone; it will flicker"
    )
    parser.add_argument("--fps", type=float, metavar="N", help="most frames a second; others are left out")
    parser.add_argument("--from", dest="start", type=seconds, default=0.0, metavar="T", help="begin at 90 or 1:30")
    parser.add_argument("--to", dest="end", type=seconds, metavar="T", help="end there")
    parser.add_argument(
        "--scale",
        type=int,
        metavar="N",
        help="pixels along a cell's side in OUT, 1 to 64 (default: of films the even number nearest the cell, else 1)",
    )
    parser.add_argument(
        "--quality",
        choices=QUALITIES,
        default=QUALITIES[0],
        help="of films: compatible plays everywhere, exact has the palette's very colours but plays in fewer programs",
    )
    parser.add_argument("--no-sound", dest="sound", action="store_false", help="leave the sound out")


def seconds(text: str) -> float:
    """Seconds, or minutes and seconds, or hours too, with ":" between."""
    match = re.fullmatch(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?)", text.strip())
    if match is None:
        msg = f"expected seconds such as 90 or 2.5, or minutes and seconds such as 1:30, got {text!r}"
        raise argparse.ArgumentTypeError(msg)
    hours, minutes, rest = match.groups()
    return 3600 * int(hours or 0) + 60 * int(minutes or 0) + float(rest)
