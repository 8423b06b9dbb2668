"""The arguments of `inspect`, `snap`, `downscale`, `clean` and `upscale`; imports nothing heavy."""

from __future__ import annotations

import argparse

from .options import add_colors, add_dither, add_files, add_fit, add_scale, color, dashed, size, size_or_side

DOWNSCALE_METHODS = ("nearest", "box", "dominant", "median", "k-centroid", "outline", "contrast", "edge")
UPSCALE_METHODS = ("nearest", "epx", "smooth")
LIGHTS = ("top", "top-left", "top-right")
OUTLINES = ("outside", "inside", "selective")


def add_inspect(parser: argparse.ArgumentParser) -> None:
    """`pixel-kiln inspect`."""
    parser.description = "Whether a picture is pixel art, on which grid, and what is wrong with it."
    parser.add_argument("inputs", nargs="+", metavar="FILE", help="picture files, folders or patterns")
    parser.add_argument("--json", action="store_true", help="one JSON object for one file, a list for several")
    parser.add_argument("--picture", metavar="OUT", help="write a .png (for several files: a folder) that shows where")
    parser.add_argument("--overwrite", action="store_true", help="with --picture, replace foreign files")


def add_snap(parser: argparse.ArgumentParser) -> None:
    """`pixel-kiln snap`."""
    parser.description = "Enlarged, resampled or generated pixel art to its native size, in few colours, alpha hard."
    add_files(parser, moving=True)
    grid = parser.add_mutually_exclusive_group()
    grid.add_argument("--size", type=size, metavar="WxH", help="exactly this many cells (default: found)")
    grid.add_argument("--cell", type=float, metavar="C", help="pixels along a cell's side, such as 8 or 7.5")
    add_colors(parser)
    parser.add_argument("--force", action="store_true", help="also snap a picture that seems to have no grid")
    parser.add_argument(
        "--one-grid", action="store_true", help="one grid and one palette for all inputs, which must have one size"
    )
    add_scale(parser)


def add_downscale(parser: argparse.ArgumentParser) -> None:
    """`pixel-kiln downscale`."""
    parser.description = "Pictures to cells without a model: each cell takes one colour."
    add_files(parser, moving=True)
    grid = parser.add_mutually_exclusive_group(required=True)
    grid.add_argument("--cell", type=int, metavar="C", help="side of a cell in input pixels, from 2")
    grid.add_argument(
        "--size",
        type=size_or_side,
        metavar="WxH",
        help="exactly this many cells; W or xH alone keeps the picture's shape",
    )
    add_fit(parser)
    parser.add_argument(
        "--method",
        type=dashed,
        choices=DOWNSCALE_METHODS,
        default="k-centroid",
        metavar="METHOD",
        help=f"one of {', '.join(DOWNSCALE_METHODS)} (default k-centroid)",
    )
    add_colors(parser)
    add_dither(parser, "with --colors or --palette, ")
    add_scale(parser)


def add_clean(parser: argparse.ArgumentParser) -> None:
    """`pixel-kiln clean`."""
    parser.description = "Cleans up sprites at native size; no colour is added but an outline's."
    add_files(parser, moving=True)
    parser.add_argument("--no-orphans", dest="orphans", action="store_false", help="keep stray single pixels")
    parser.add_argument("--jaggies", action="store_true", help="straighten the steps of lines")
    parser.add_argument("--antialias", action="store_true", help="remove the blended pixels of smoothed edges")
    parser.add_argument("--outline", choices=OUTLINES, help="draw an outline: outside, inside, or selective")
    parser.add_argument(
        "--outline-color", type=color, metavar="HEX", help="of an outside or inside outline (default: the darkest)"
    )
    parser.add_argument(
        "--padding", type=int, default=0, metavar="N", help="with an outside outline, pixels to add around the sprite"
    )
    parser.add_argument(
        "--light", type=dashed, choices=LIGHTS, help="where light comes from: a selective outline is less dark there"
    )
    parser.add_argument(
        "--background",
        metavar="HEX",
        help="make this colour transparent as far as it is reached from the border; auto finds it",
    )


def add_upscale(parser: argparse.ArgumentParser) -> None:
    """`pixel-kiln upscale`."""
    parser.description = "Sprites enlarged by a whole factor, without a model."
    add_files(parser, moving=True)
    parser.add_argument("--scale", type=int, required=True, metavar="N", help="how many times larger, 1 to 16")
    parser.add_argument(
        "--method",
        choices=UPSCALE_METHODS,
        default=UPSCALE_METHODS[0],
        help="nearest = larger pixels (default), epx = Scale2x and Scale3x, no new colours, smooth = vector-like",
    )
