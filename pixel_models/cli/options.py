"""What the parsers share: options that many commands have, and the types of their values; imports nothing heavy."""

from __future__ import annotations

import argparse
import re

EPILOG = (
    "Files that are done already are left out, so an interrupted run can be started again. The paths that were "
    "written go to stdout, progress and errors to stderr. Exit status: 0 all went well, 1 a file failed, "
    "2 arguments that cannot work, 130 interrupted."
)
FITS = ("pad", "crop", "stretch")
"""What `--size` does with a picture of another shape."""

DITHERS = (
    *("none", "bayer2", "bayer4", "bayer8", "bayer16", "blue-noise", "clustered-dot", "knoll"),
    *("floyd-steinberg", "atkinson", "jarvis", "stucki", "burkes", "sierra"),
)
"""How colours between two of the palette are shown; the library's names, with dashes."""

IN_HELP = "picture and sprite files, folders (with all folders inside) or patterns such as 'photos/**/*.jpg'"
OUT_HELP = "a .png file for one input file, otherwise a folder, which is made; inside it the inputs' folders are kept"
MOVING_OUT_HELP = (
    "for one input file a .png, .gif, .webp, .apng or .aseprite file, otherwise a folder, which is made; inside it the "
    "inputs' folders are kept, and animations stay GIF, WebP, APNG or .aseprite"
)
FIRST_FRAME_HELP = "take the first frame of animations"
PALETTE_HELP = (
    "a name of `pixel-kiln palette list`, a palette file (.hex .gpl .pal .ase .aco .act .txt .aseprite .json), a small "
    "picture, or hex colours such as '1a1c2c f4f4f4'"
)


def add_files(parser: argparse.ArgumentParser, *, moving: bool = False, out_needed: bool = True) -> None:
    """IN, OUT and how files are treated; `moving` commands make all frames of an animation."""
    parser.epilog = EPILOG
    parser.add_argument("inputs", nargs="+", metavar="IN", help=IN_HELP)
    parser.add_argument("-o", "--out", required=out_needed, metavar="OUT", help=MOVING_OUT_HELP if moving else OUT_HELP)
    parser.add_argument("--overwrite", action="store_true", help="make every file again, also over foreign files")
    first = "make a still picture of an animation's first frame" if moving else FIRST_FRAME_HELP
    parser.add_argument("--first-frame", action="store_true", help=first)


def add_out(parser: argparse.ArgumentParser, what: str) -> None:
    """One output, which is not replaced unless the user says so."""
    parser.add_argument("-o", "--out", required=True, metavar="OUT", help=what)
    parser.add_argument("--overwrite", action="store_true", help="replace OUT where it is there")


def add_scale(parser: argparse.ArgumentParser) -> None:
    """Whole-factor enlargement of the result."""
    parser.add_argument("--scale", type=int, default=1, metavar="N", help="enlarge the result N times (default 1)")


def add_fit(parser: argparse.ArgumentParser) -> None:
    """What to do with a picture of another shape than `--size`."""
    parser.add_argument(
        "--fit",
        choices=FITS,
        default=FITS[0],
        help="with --size, for a picture of another shape: pad = centre it on transparent cells (default), "
        "crop = cut what is too much, stretch = distort it",
    )


def add_dither(parser: argparse.ArgumentParser, what: str = "") -> None:
    """How colours are mixed, and how much; `what` begins the help."""
    parser.add_argument(
        "--dither",
        type=dashed,
        choices=DITHERS,
        default=DITHERS[0],
        metavar="DITHER",
        help=f"{what}one of {', '.join(DITHERS)} (default none)",
    )
    parser.add_argument("--strength", type=float, default=1.0, metavar="S", help="of the dither, 0 to 1 (default 1)")


def add_colors(parser: argparse.ArgumentParser) -> None:
    """A palette, or a number of colours; neither keeps what is there."""
    colors = parser.add_mutually_exclusive_group()
    colors.add_argument(
        "--colors", type=int, metavar="K", help="most colours, 1 to 256 (default: as many as there are)"
    )
    colors.add_argument("--palette", metavar="PALETTE", help=f"use these colours and no other: {PALETTE_HELP}")


def dashed(name: str) -> str:
    """A choice as it is typed in a shell: small letters, dashes for blanks and underscores."""
    return name.strip().lower().replace("_", "-").replace(" ", "-")


def size(text: str) -> tuple[int, int]:
    """WIDTHxHEIGHT."""
    match = re.fullmatch(r"([1-9]\d{0,4})[xX×]([1-9]\d{0,4})", text.strip())
    if match is None:
        msg = f"expected WIDTHxHEIGHT, such as 64x64, got {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return int(match[1]), int(match[2])


def size_or_side(text: str) -> tuple[int, int]:
    """WIDTHxHEIGHT; or one of both, the other being 0: WIDTH, WIDTHx, xHEIGHT."""
    match = re.fullmatch(r"([1-9]\d{0,4})[xX×]?|[xX×]([1-9]\d{0,4})", text.strip())
    if match is not None:
        return int(match[1] or 0), int(match[2] or 0)
    try:
        return size(text)
    except argparse.ArgumentTypeError as error:
        msg = f"{error}; or one side, such as 64 (WIDTH) or x64 (HEIGHT)"
        raise argparse.ArgumentTypeError(msg) from None


def change(text: str) -> tuple[str, str]:
    """OLD=NEW, two hex colours."""
    old, equals, new = text.partition("=")
    if not equals:
        msg = f"expected OLD=NEW in hex, such as b13e53=3b5dc9, got {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return color(old), color(new)


def color(text: str) -> str:
    """A hex colour of 3 or 6 digits, with or without "#"."""
    digits = text.strip().removeprefix("#").lower()
    if re.fullmatch(r"[0-9a-f]{3}|[0-9a-f]{6}", digits) is None:
        msg = f"expected a hex colour such as b13e53, got {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


def background(text: str) -> str:
    """A hex colour, or "none"."""
    return "none" if text.strip().lower() == "none" else color(text)
