"""The arguments of `pixel-kiln palette`; imports nothing heavy."""

from __future__ import annotations

import argparse

from .options import IN_HELP, PALETTE_HELP, add_dither, add_files, add_out, change, color, dashed

METHODS = ("k-means", "mixture", "median-cut", "octree")
"""How a palette is chosen; the library's names, with dashes."""

SPACES = ("oklab", "rgb", "ciede2000")
SWAP_ORDERS = ("frequency", "lightness", "hue")
SORT_KEYS = ("lightness", "hue", "chroma")
EYES = ("protanopia", "deuteranopia", "tritanopia")

_FILE_HELP = "the palette file to write: .hex .gpl .pal .ase .aco .act .txt .aseprite .json or .png"


def add_palette(parser: argparse.ArgumentParser) -> None:
    """`pixel-kiln palette ACTION`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    named = actions.add_parser("list", help="the palettes that go by a name, and how many colours each has")
    named.add_argument("--source", action="store_true", help="also where each palette comes from")
    show = actions.add_parser("show", help="a palette's colours as hex, in a terminal with coloured squares")
    show.add_argument("palette", metavar="PALETTE", help=PALETTE_HELP)
    show.add_argument(
        "--seen-with", choices=EYES, metavar="EYES", help=f"as colour-blind eyes see it: {', '.join(EYES)}"
    )
    show.add_argument("--contrast", action="store_true", help="also the least contrast (WCAG) between two colours")
    _add_extract(actions.add_parser("extract", help="one palette for pictures, folders and animations"))
    _add_apply(actions.add_parser("apply", help="pictures in the colours of a palette and no other"))
    _add_swap(actions.add_parser("swap", help="exchange a sprite's colours"))
    _add_convert(actions.add_parser("convert", help="a palette from one file format to another"))
    _add_edit(actions.add_parser("edit", help="sort a palette, merge near colours, reduce it"))
    _add_ramp(actions.add_parser("ramp", help="shades of one colour, from dark to light"))


def _add_extract(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("inputs", nargs="+", metavar="IN", help=IN_HELP)
    add_out(parser, _FILE_HELP)
    parser.add_argument("--colors", type=int, default=16, metavar="K", help="most colours, 1 to 256 (default 16)")
    parser.add_argument(
        "--method", type=dashed, choices=METHODS, default=METHODS[0], help=f"how (default {METHODS[0]})"
    )
    parser.add_argument(
        "--error",
        type=float,
        metavar="E",
        help="as few colours as keep the mean Oklab error below E, and at most K; 0.02 is hardly seen",
    )
    parser.add_argument("--keep", nargs="+", type=color, metavar="HEX", help="colours that the palette must hold")
    parser.add_argument(
        "--accents", type=float, default=0.0, metavar="A", help="0 to 1: favour small areas of another hue (default 0)"
    )


def _add_apply(parser: argparse.ArgumentParser) -> None:
    add_files(parser, moving=True)
    parser.add_argument("--palette", required=True, metavar="PALETTE", help=PALETTE_HELP)
    add_dither(parser)
    parser.add_argument(
        "--pattern", metavar="PICTURE", help="a dither of your own: a small picture in greys, repeated over the others"
    )
    parser.add_argument("--serpentine", action="store_true", help="error diffusion runs there and back")
    parser.add_argument("--linear", action="store_true", help="mix in linear light, as eyes do from afar")
    parser.add_argument("--space", choices=SPACES, default=SPACES[0], help="what nearest means (default oklab)")


def _add_swap(parser: argparse.ArgumentParser) -> None:
    add_files(parser, moving=True)
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--palette", metavar="PALETTE", help=f"the new colours: {PALETTE_HELP}")
    way.add_argument("--map", nargs="+", type=change, metavar="OLD=NEW", help="single colours, such as b13e53=3b5dc9")
    parser.add_argument(
        "--by",
        choices=SWAP_ORDERS,
        default="lightness",
        help="with --palette, how colours find their new ones: frequency = the commonest becomes the palette's first, "
        "lightness = dark to dark and light to light (default), hue = the nearest hue",
    )


def _add_convert(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("palette", metavar="PALETTE", help=PALETTE_HELP)
    add_out(parser, _FILE_HELP)
    parser.add_argument("--scale", type=int, default=1, metavar="N", help="a .png's pixels a colour (default 1)")
    parser.add_argument("--riff", action="store_true", help="a .pal in Microsoft's RIFF format rather than JASC's")


def _add_edit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("palette", metavar="PALETTE", help=PALETTE_HELP)
    add_out(parser, _FILE_HELP)
    parser.add_argument(
        "--merge", type=float, metavar="DISTANCE", help="first, merge colours nearer than this in Oklab, such as 0.02"
    )
    parser.add_argument("--reduce", type=int, metavar="N", help="then keep the N colours that lose least")
    parser.add_argument("--sort", choices=SORT_KEYS, help="last, sort by this")


def _add_ramp(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("color", type=color, metavar="HEX", help="the colour, such as b13e53")
    add_out(parser, _FILE_HELP)
    parser.add_argument("--count", type=int, default=5, metavar="N", help="how many shades, 2 to 256 (default 5)")
    parser.add_argument(
        "--hue-shift",
        type=float,
        default=30.0,
        metavar="DEGREES",
        help="how far shadows turn to violet and lights to yellow, 0 to 180 (default 30)",
    )
