"""The arguments of `pixel-kiln animate`; imports nothing heavy."""

from __future__ import annotations

import argparse
import re

from .options import EPILOG, FIRST_FRAME_HELP, IN_HELP, PALETTE_HELP, add_scale, dashed
from .parse_sheet import METADATA_FORMATS

MOTIONS = ("bob", "squash", "blink", "walk", "hop", "float", "sway", "shake", "hit", "spin", "dissolve", "appear")
EASINGS = ("smooth", "linear", "quick", "slow", "step")
VIEWS = ("front", "side", "side-left")
ANIMATED = (".gif", ".webp", ".apng", ".aseprite", ".png")


def add_animate(parser: argparse.ArgumentParser) -> None:
    """`pixel-kiln animate`."""
    parser.description = (
        "Simple motions of one sprite, on whole pixels and in its own colours; colour cycling; and animations looked "
        "at (--onion), joined (--dedupe) and turned into sheets as they are."
    )
    parser.epilog = EPILOG
    parser.add_argument("inputs", nargs="+", metavar="IN", help=IN_HELP)
    parser.add_argument(
        "-o",
        "--out",
        required=True,
        metavar="OUT",
        help="for one input file a .gif, .webp, .apng or .aseprite, or a .png, which becomes a sheet with metadata "
        "beside it; otherwise a folder, which is made",
    )
    parser.add_argument("--overwrite", action="store_true", help="make every file again, also over foreign files")
    parser.add_argument("--first-frame", action="store_true", help=FIRST_FRAME_HELP)
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--motion",
        type=dashed,
        choices=MOTIONS,
        metavar="MOTION",
        help=f"one of {', '.join(MOTIONS)} (default: the frames of IN as they are)",
    )
    what.add_argument(
        "--cycle",
        action="append",
        metavar="FIRST-LAST@MS",
        help="turn these entries of the palette, a step every so many ms; may be given again; 7-4 goes backwards, "
        "4-7-4 there and back, and '#a00000 #ff8000@90' names the colours",
    )
    parser.add_argument(
        "--palette", metavar="PALETTE", help=f"for --cycle: whose order counts (default: dark to light): {PALETTE_HELP}"
    )
    parser.add_argument("--amplitude", type=int, metavar="N", help="pixels that the motion goes (default: suits IN)")
    parser.add_argument("--frames", type=int, metavar="N", help="2 to 64 (default: the motion's own)")
    parser.add_argument("--duration", type=int, metavar="MS", help="of a frame, 10 to 60000 ms (default: its own)")
    parser.add_argument("--easing", choices=EASINGS, help="how the motion runs (default: the motion's own)")
    parser.add_argument(
        "--eyes",
        metavar="MASK|X,Y,W,H",
        help="for blink: a picture that is white at the eyes, or a box around both (default: found)",
    )
    parser.add_argument(
        "--parts",
        metavar="PICTURE",
        help="for walk, roughly drawn: a leg in #ff0000, the other in #0000ff, an arm in #00ff00, the other in "
        "#ffff00; one leg alone stands for both (default: legs that a gap parts)",
    )
    parser.add_argument(
        "--view",
        choices=VIEWS,
        default=VIEWS[0],
        help="for walk: IN is seen from the front, or from the side and looks to the right or left (default front)",
    )
    parser.add_argument("--tag", metavar="NAME", help="of all frames (default: the motion, or what IN says)")
    parser.add_argument(
        "--dedupe",
        type=float,
        nargs="?",
        const=0.0,
        metavar="SHARE",
        help="join frames that are equal, or differ in at most this share of their pixels; says which on stderr",
    )
    parser.add_argument(
        "--onion",
        type=int,
        nargs="?",
        const=1,
        metavar="N",
        help="also write OUT_onion.png: each frame over N before it in red and N after it in blue (default 1)",
    )
    parser.add_argument("--loop", type=int, metavar="N", help="how often it plays, 0 for ever (default: its own)")
    parser.add_argument("--format", choices=METADATA_FORMATS, default=METADATA_FORMATS[0], help="of a sheet's metadata")
    parser.add_argument(
        "--kind",
        choices=[suffix.removeprefix(".") for suffix in ANIMATED],
        default="gif",
        help="of the files in a folder OUT; png: sheets (default gif)",
    )
    add_scale(parser)


def box(text: str) -> tuple[int, int, int, int] | None:
    """X,Y,W,H as numbers; None: it is something else, such as a file's name."""
    match = re.fullmatch(r"(\d{1,5}),(\d{1,5}),(\d{1,5}),(\d{1,5})", text.replace(" ", ""))
    return None if match is None else (int(match[1]), int(match[2]), int(match[3]), int(match[4]))
