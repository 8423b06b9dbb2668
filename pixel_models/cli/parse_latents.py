"""The arguments of `pixel-kiln walk` and `fuse`, and what `sample` shares with them; imports nothing heavy."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from .options import PALETTE_HELP, add_scale
from .parse_sheet import METADATA_FORMATS

WAYS = ("spherical", "linear", "circle", "wander")
FUSE_HOWS = ("blend", "mix")
EASINGS = ("linear", "smooth", "quick", "slow", "step")
"""The library's names of each."""

DEFAULT_COLORS = 16

MODEL_HELP = (
    "a DCGAN or a VAE: a name of `models list`, a file, or org/repo[@revision][/file] on the Hugging Face hub "
    "(default: the first shipped VAE; for labels the first DCGAN)"
)
SPRITES_HELP = (
    "at its own size, one pixel a cell; a smaller one is set in the middle of the model's canvas, and of a larger one "
    "what is empty around it is cut off"
)


def add_walk(parser: argparse.ArgumentParser, devices: Sequence[str]) -> None:
    """`pixel-kiln walk`."""
    parser.description = (
        "Sprites that turn into each other, frame by frame, in one palette: through given sprites (best with a VAE), "
        "through seeds, round a circle, or on a random loop. A seed is that of `sample`; 7:3 is sprite_0003 of it."
    )
    parser.add_argument(
        "sprites", nargs="*", metavar="SPRITE", help=f"walk through these, {SPRITES_HELP}; all frames of an animation"
    )
    parser.add_argument(
        "-o",
        "--out",
        required=True,
        metavar="OUT",
        help="a .gif, .webp, .apng or .aseprite; a .png, which becomes a sheet with metadata beside it; or a folder, "
        "which is made, for a PNG a frame (frame_0000.png, ...)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace what is there")
    parser.add_argument(
        "--seeds", default="", metavar="SEEDS", help="walk through the sprites of these seeds, such as '7, 7:3, 12'"
    )
    parser.add_argument(
        "--way",
        choices=WAYS,
        help="spherical or linear: from one to the next; circle: a loop through one or two, and through their "
        "opposites; wander: a random loop (default spherical, or wander without SPRITE and --seeds)",
    )
    parser.add_argument("--frames", type=int, default=24, metavar="N", help="in all, 1 to 1024 (default 24)")
    parser.add_argument("--duration", type=int, default=100, metavar="MS", help="of a frame (default 100)")
    parser.add_argument(
        "--open", action="store_true", help="end at the last sprite (default: go back to the first, as a loop)"
    )
    parser.add_argument(
        "--easing", choices=EASINGS, default=EASINGS[0], help="how each leg runs; smooth lingers at the sprites"
    )
    parser.add_argument("--format", choices=METADATA_FORMATS, default=METADATA_FORMATS[0], help="of a sheet's metadata")
    add_labels(parser)
    add_decided(parser)
    add_model(parser, devices, "for what is drawn: circle and wander, and where a DCGAN looks for SPRITE")


def add_fuse(parser: argparse.ArgumentParser, devices: Sequence[str]) -> None:
    """`pixel-kiln fuse`."""
    parser.description = "Two sprites made one by a VAE; or by a DCGAN, where it could have drawn them."
    parser.add_argument("a", metavar="A", help=f"a sprite, {SPRITES_HELP}")
    parser.add_argument("b", metavar="B", help="another")
    parser.add_argument(
        "-o",
        "--out",
        required=True,
        metavar="OUT",
        help="a folder, which is made, for a PNG a result (sprite_0000.png, ...); a .png for one result, or a sheet of "
        "several; or a .gif, .apng, .webp or .aseprite with a frame a result",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace what is there")
    parser.add_argument("--first-frame", action="store_true", help="take the first frame of animations")
    parser.add_argument(
        "--how",
        choices=FUSE_HOWS,
        default=FUSE_HOWS[0],
        help="blend: what both are, weighed; mix: some numbers of A's latent are taken from B (default blend)",
    )
    parser.add_argument("--share", type=float, default=0.5, metavar="SHARE", help="of B, 0 to 1 (default 0.5)")
    parser.add_argument(
        "--count", type=int, default=1, metavar="N", help="results, 1 to 256; the first stay the same (default 1)"
    )
    add_decided(parser, "0: those of A and B")
    add_model(parser, devices, "another number, other results")


def add_labels(parser: argparse.ArgumentParser) -> None:
    """What a DCGAN is asked for."""
    parser.add_argument(
        "--label", action="append", default=[], metavar="NAME", help="ask for this, as `sample --list-labels` shows it"
    )
    parser.add_argument(
        "--each",
        action="append",
        default=[],
        metavar="NAMES",
        help="labels for one seed, parted by commas; the first is for the first seed, and so on; changes on the way",
    )


def add_decided(parser: argparse.ArgumentParser, none: str = "0: as the network gives them") -> None:
    """Colours, and what becomes of stray cells."""
    parser.add_argument(
        "--colors", type=int, default=DEFAULT_COLORS, metavar="N", help=f"most colours, 2 to 256; {none} (default 16)"
    )
    parser.add_argument("--palette", metavar="PALETTE", help=f"use these colours and no other: {PALETTE_HELP}")
    parser.add_argument("--no-clean", dest="clean", action="store_false", help="keep specks and stray single cells")
    add_scale(parser)


def add_model(parser: argparse.ArgumentParser, devices: Sequence[str], seeded: str) -> None:
    """Which model, where, and chance."""
    parser.add_argument("--seed", type=int, default=1, metavar="N", help=f"{seeded} (default 1)")
    parser.add_argument(
        "--temperature", type=float, default=1.0, metavar="T", help="0 to 4: below 1 surer and more alike (default 1)"
    )
    parser.add_argument("--model", metavar="MODEL", help=MODEL_HELP)
    parser.add_argument("--device", choices=devices, default=devices[0], help="where the network runs (default auto)")
