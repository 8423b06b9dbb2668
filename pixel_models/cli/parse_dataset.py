"""The arguments of `batch`; imports nothing heavy."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from .options import PALETTE_HELP, add_dither, add_fit, dashed, size
from .parse_grid import DOWNSCALE_METHODS

DATASET_FORMATS = ("folder", "webdataset", "parquet")
PALETTE_PER = ("image", "set")
DEFAULT_PER_SHARD = 1000

_EPILOG = (
    "What is done already is left out, so a run that was interrupted or killed goes on when the same is run again; "
    "other settings are refused. Pictures that cannot be made are told in OUT/.pixel-kiln/errors.jsonl. The folder or "
    "the shards that were written go to stdout, progress and errors to stderr. Exit status: 0 all went well, "
    "1 a picture failed, 2 arguments that cannot work, 130 interrupted. "
    "Example: pixel-kiln batch photos -o sprites --size 64x64 --palette-per set --to webdataset --workers 4"
)
_IN_HELP = (
    "a folder (with all folders inside) of pictures with .txt, .json or .caption files beside them, or a "
    "metadata.jsonl or metadata.csv; of webdataset shards (.tar) or parquet files; or one such shard"
)
_RAY_HELP = (
    "work on the machines of a Ray cluster; without ADDRESS the one that runs here, or a new one on this machine "
    "(needs pixel-kiln[ray])"
)


def add_batch(parser: argparse.ArgumentParser, devices: Sequence[str], default_cell: int) -> None:
    """`pixel-kiln batch`."""
    parser.description = (
        "Very many pictures with captions to pixel art, as a data set: resumable, in several processes."
    )
    parser.epilog = _EPILOG
    parser.add_argument("input", metavar="IN", help=_IN_HELP)
    parser.add_argument("-o", "--out", required=True, metavar="OUT", help="a folder, which is made")
    parser.add_argument("--overwrite", action="store_true", help="begin anew, whatever is there")
    parser.add_argument(
        "--to",
        choices=DATASET_FORMATS,
        default=DATASET_FORMATS[0],
        help="folder = PNGs with captions beside them (default); webdataset = .tar shards; parquet = shards as "
        "Hugging Face's datasets reads them (needs pixel-kiln[parquet])",
    )
    parser.add_argument(
        "--per-shard",
        type=int,
        metavar="N",
        help=f"pictures in a shard, 1 to 1000000 (default {DEFAULT_PER_SHARD})",
    )
    parser.add_argument(
        "--caption", default="", metavar="NAME", help="the caption's column in metadata (default: text, caption …)"
    )
    _add_making(parser, default_cell)
    parser.add_argument("--first-frame", action="store_true", help="take the first frame of animations")
    parser.add_argument("--device", choices=devices, default=devices[0], help="where networks run (default auto)")
    parser.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="processes, each with its model, 1 to 512 (default: one for each GPU, else for each processor, up to 8)",
    )
    parser.add_argument("--ray", nargs="?", const="", metavar="ADDRESS", help=_RAY_HELP)


def _add_making(parser: argparse.ArgumentParser, default_cell: int) -> None:
    """How each picture is made, as `pixelate` and `downscale` have it."""
    grid = parser.add_mutually_exclusive_group()
    grid.add_argument(
        "--cell", type=int, metavar="PIXELS", help=f"side of a cell, 2 to 32 input pixels (default {default_cell})"
    )
    grid.add_argument("--size", type=size, metavar="WxH", help="exactly this many cells, such as 64x64")
    add_fit(parser)
    parser.add_argument(
        "--colors", type=int, default=16, metavar="N", help="most colours, 2 to 256 (default 16); not with --palette"
    )
    parser.add_argument("--palette", metavar="PALETTE", help=f"use these colours and no other: {PALETTE_HELP}")
    parser.add_argument(
        "--palette-per",
        choices=PALETTE_PER,
        default=PALETTE_PER[0],
        help="a palette for each picture (default), or one for the whole set, made of a sample of it and kept in OUT",
    )
    add_dither(parser)
    parser.add_argument("--scale", type=int, default=1, metavar="N", help="enlarge the results N times (default 1)")
    parser.add_argument("--no-clean", dest="clean", action="store_false", help="keep the network's stray single cells")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--model", metavar="MODEL", help="a model as `pixelate` takes it (default: the shipped one)")
    how.add_argument(
        "--method",
        type=dashed,
        choices=DOWNSCALE_METHODS,
        metavar="METHOD",
        help=f"without a network, as `downscale` does: {', '.join(DOWNSCALE_METHODS)}",
    )
    parser.add_argument("--tile", type=int, metavar="CELLS", help="work in tiles of this side, for little memory")
