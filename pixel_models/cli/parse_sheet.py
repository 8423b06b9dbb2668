"""The arguments of `pixel-kiln sheet` and `save`; imports nothing heavy."""

from __future__ import annotations

import argparse

from .options import FIRST_FRAME_HELP, IN_HELP, add_files, add_out, add_scale, background, size

SLICE_HOWS = ("auto", "size", "count", "rows")
LAYOUTS = ("packed", "grid", "row", "column")
METADATA_FORMATS = ("aseprite", "aseprite-array", "texturepacker", "phaser", "godot", "css", "csv")
AUTOTILES = ("47", "16")

_METADATA_HELP = "what describes the sheet: a .json, .tres, .css or .csv; its picture is looked for beside it"
_ART_HELP = f"{IN_HELP}; also animations and .aseprite files, in this order"


def add_sheet(parser: argparse.ArgumentParser) -> None:
    """`pixel-kiln sheet ACTION`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add_slice(actions.add_parser("slice", help="a sheet to single sprites"))
    _add_pack(actions.add_parser("pack", help="sprites and animations to a sheet with its metadata"))
    read = actions.add_parser("read", help="a sheet with metadata to single sprites or an animation")
    read.add_argument("metadata", metavar="METADATA", help=_METADATA_HELP)
    add_out(read, "a folder, or an animation: .gif, .webp, .apng or .aseprite")
    convert = actions.add_parser("convert", help="a sheet's metadata for another program")
    convert.add_argument("metadata", metavar="METADATA", help=_METADATA_HELP)
    add_out(convert, "the metadata to write; in another folder, the sheet's picture is written beside it")
    convert.add_argument("--format", choices=METADATA_FORMATS, required=True, help="for which program")
    _add_tile(actions.add_parser("tile", help="seamless tiles: check, make, look at them"))
    _add_autotile(actions.add_parser("autotile", help="a few tiles to a whole set of 47 or 16 that engines take"))


def _add_autotile(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Tiles of one ground to a whole set: IN holds 5 tiles (an island, a way up and down, a way across, a crossing, "
        "inside), 6 (RPG Maker's A2), 13 (a patch of 3x3 and the inner corners), 16 (every combination of edges), or "
        "47, side by side; see docs/sheets.md."
    )
    parser.add_argument("input", metavar="IN", help="a picture of the tiles")
    add_out(parser, "the .png to write")
    parser.add_argument("--kind", choices=AUTOTILES, default=AUTOTILES[0], help="how many tiles (default 47)")
    parser.add_argument("--size", type=size, metavar="WxH", help="pixels of a tile (default: square, found)")
    parser.add_argument("--preview", metavar="PNG", help="also draw an example map with the set")
    parser.add_argument("--first-frame", action="store_true", help=FIRST_FRAME_HELP)


def _add_slice(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", metavar="IN", help="the sheet")
    add_out(parser, "a folder for the sprites, which is made")
    parser.add_argument(
        "--how",
        choices=SLICE_HOWS,
        help="auto = connected parts (default), rows = the same, row by row, size or count = a grid",
    )
    grid = parser.add_mutually_exclusive_group()
    grid.add_argument("--size", type=size, metavar="WxH", help="pixels of a cell")
    grid.add_argument("--count", type=size, metavar="CxR", help="columns and rows")
    parser.add_argument("--margin", type=int, default=0, metavar="N", help="pixels around the grid (default 0)")
    parser.add_argument("--spacing", type=int, default=0, metavar="N", help="pixels between its cells (default 0)")
    parser.add_argument(
        "--background", type=background, metavar="HEX", help="what is nothing, or none (default: found)"
    )
    parser.add_argument("--first-frame", action="store_true", help=FIRST_FRAME_HELP)
    parser.add_argument("--keep-empty", action="store_true", help="also write cells with nothing in them")
    parser.add_argument("--name", metavar="NAME", help="what the sprites' names begin with (default: the sheet's name)")


def _add_pack(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("inputs", nargs="+", metavar="IN", help=_ART_HELP)
    add_out(parser, "the .png to write; the metadata gets the same name")
    parser.add_argument(
        "--format", choices=METADATA_FORMATS, default=METADATA_FORMATS[0], help="of the metadata (default aseprite)"
    )
    parser.add_argument("--layout", choices=LAYOUTS, default=LAYOUTS[0], help="default packed: as small as can be")
    parser.add_argument(
        "--columns", type=int, default=0, metavar="N", help="with --layout grid (default: about square)"
    )
    parser.add_argument("--padding", type=int, default=0, metavar="N", help="pixels between sprites (default 0)")
    parser.add_argument("--margin", type=int, default=0, metavar="N", help="pixels around the sheet (default 0)")
    parser.add_argument("--extrude", type=int, default=0, metavar="N", help="repeat border pixels N times (default 0)")
    parser.add_argument("--power-of-two", action="store_true", help="sides of 64, 128, 256 … pixels")
    parser.add_argument("--trim", action="store_true", help="leave out transparent borders; the metadata tells them")
    parser.add_argument(
        "--duration", type=int, metavar="MS", help="of every frame (default: what animations say, else 100)"
    )


def _add_tile(parser: argparse.ArgumentParser) -> None:
    add_files(parser, out_needed=False)
    parser.add_argument("--check", action="store_true", help="print how visible the seams are; 0 is seamless")
    parser.add_argument("--make", action="store_true", help="make the pictures seamless")
    parser.add_argument("--preview", action="store_true", help="show them 3 by 3, after --make where that is given")


def add_save(parser: argparse.ArgumentParser) -> None:
    """`pixel-kiln save`."""
    parser.description = "Pictures, frames and animations to one file of the kind that OUT ends in, and back."
    parser.add_argument("inputs", nargs="+", metavar="IN", help=_ART_HELP)
    add_out(parser, "a .gif, .webp, .apng, .aseprite or .png; a .png of several frames becomes OUT_0000.png …")
    parser.add_argument(
        "--duration", type=int, metavar="MS", help="of every frame (default: what animations say, else 100)"
    )
    parser.add_argument(
        "--loop",
        type=int,
        metavar="N",
        help="how often an animation plays, 0 for ever (default: what animations say, else for ever)",
    )
    add_scale(parser)
