"""The arguments of `pixel-kiln sample` and `complete`; imports nothing heavy."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from .options import EPILOG, IN_HELP, PALETTE_HELP, add_scale

KEEP_SIDES = ("top", "bottom", "left", "right")
PALETTES = ("own", "any")
"""What `--palette` can be beside a palette; the library's names."""

TRANSPARENT = "transparent"
"""What `--fill` can be beside a mask."""

_MODEL_HELP = (
    "a PixelCNN, for `sample` also a DCGAN or a VAE: a name of `models list`, a file, or org/repo[@revision][/file] on "
    "the Hugging Face hub (default: the first shipped PixelCNN)"
)
_LABELS_HELP = "as `--list-labels` of `sample` shows them, such as creature=dragon, or dragon where that is clear"


def add_sample(parser: argparse.ArgumentParser, devices: Sequence[str]) -> None:
    """`pixel-kiln sample`."""
    parser.add_argument(
        "-o",
        "--out",
        metavar="OUT",
        help="a folder, which is made, for a PNG a sprite (sprite_0000.png, ...); a .png for one sprite, or a sheet of "
        "several, left to right and row by row; or a .gif, .apng, .webp or .aseprite with a frame a sprite",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace what is there")
    _add_labels(parser)
    parser.add_argument("--list-labels", action="store_true", help="print the labels that MODEL knows, and end")
    for side in ("width", "height"):
        parser.add_argument(
            f"--{side}", type=int, default=0, metavar="PIXELS", help=f"{side} of the sprites (default: as trained)"
        )
    parser.add_argument("--codes", metavar="FILE", help="also write the codes: .npz or .png, as `vq encode` does")
    parser.add_argument(
        "--colors",
        type=int,
        metavar="N",
        help="for a DCGAN or a VAE: most colours of a sprite, 2 to 256; 0: as the network gives them (default 16)",
    )
    parser.add_argument("--one-palette", action="store_true", help="for a DCGAN or a VAE: the same colours for all")
    parser.add_argument(
        "--no-clean", dest="clean", action="store_false", help="for a DCGAN or a VAE: keep specks and stray cells"
    )
    _add_drawing(parser, devices, "sprites to draw; of more sprites the first stay the same")


def add_complete(parser: argparse.ArgumentParser, devices: Sequence[str]) -> None:
    """`pixel-kiln complete`."""
    parser.epilog = EPILOG
    parser.add_argument("inputs", nargs="+", metavar="IN", help=f"{IN_HELP}; sprites at their own size")
    parser.add_argument(
        "-o",
        "--out",
        required=True,
        metavar="OUT",
        help="for one input file a .png (with --count a sheet), .gif, .apng, .webp or .aseprite file, otherwise a "
        "folder, which is made: a PNG for each result",
    )
    parser.add_argument("--overwrite", action="store_true", help="make every file again, also over foreign files")
    parser.add_argument("--first-frame", action="store_true", help="take the first frame of animations")
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--keep", choices=KEEP_SIDES, help="keep this side of the sprite, and draw the rest anew")
    action.add_argument(
        "--fill",
        metavar="MASK",
        help=f"draw anew where this picture of the same size is white; or `{TRANSPARENT}`: where the sprite is",
    )
    action.add_argument(
        "--silhouette", action="store_true", help="draw all anew, opaque exactly where the sprite is opaque"
    )
    action.add_argument(
        "--vary", type=float, metavar="SHARE", help="draw a random share of the sprite anew, 0 to 1, such as 0.3"
    )
    action.add_argument("--between", metavar="OTHER", help="draw what lies between the sprite and another of its size")
    parser.add_argument(
        "--share", type=float, metavar="SHARE", help="with --keep: of the rows or columns, 0 to 1 (default 0.5)"
    )
    parser.add_argument(
        "--place",
        type=float,
        metavar="PLACE",
        help="with --between: 0 is near the sprite, 1 near OTHER (default 0.5; with --count spread evenly between)",
    )
    _add_labels(parser)
    _add_drawing(parser, devices, "results for each sprite; of more results the first stay the same")


def _add_labels(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--label", action="append", default=[], metavar="NAME", help=f"ask for this, {_LABELS_HELP}; may be repeated"
    )
    parser.add_argument(
        "--each",
        action="append",
        default=[],
        metavar="NAMES",
        help="labels for one sprite, parted by commas, such as 'dragon, color=red'; repeated, the first is for the "
        "first sprite, the second for the second and so on, and then again from the first",
    )


def _add_drawing(parser: argparse.ArgumentParser, devices: Sequence[str], counted: str) -> None:
    """How codes are drawn, by what, and what becomes of the sprites."""
    parser.add_argument("--count", type=int, metavar="N", help=f"{counted} (default 1, or as many as there are --each)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another number, other sprites (default 1)")
    parser.add_argument(
        "--temperature",
        type=float,
        default=1.0,
        metavar="T",
        help="0 always draws the likeliest code, below 1 the likely ones more often, above 1 less (default 1)",
    )
    parser.add_argument(
        "--top-p",
        type=float,
        default=1.0,
        metavar="P",
        help="draw from the likeliest codes that together reach this probability (default 1: from all); below 1 less "
        "is drawn, since nothing at all is what is likeliest at most places",
    )
    parser.add_argument(
        "--top-k", type=int, default=0, metavar="K", help="draw from the K likeliest codes (default 0: all)"
    )
    parser.add_argument(
        "--guidance",
        type=float,
        default=1.0,
        metavar="G",
        help="how much labels count; above 1 more, in twice the time (default 1)",
    )
    parser.add_argument(
        "--palette",
        default=PALETTES[0],
        metavar="PALETTE",
        help="own = colours that go together, of a training sprite or of what is kept, for models that know them "
        f"(default); any = all that the model has; or these colours and no other: {PALETTE_HELP}",
    )
    add_scale(parser)
    parser.add_argument("--model", metavar="MODEL", help=_MODEL_HELP)
    parser.add_argument(
        "--vq", metavar="MODEL", help="the VQ-VAE whose codes it draws (default: the shipped one it was trained for)"
    )
    parser.add_argument("--device", choices=devices, default=devices[0], help="where the network runs (default auto)")
