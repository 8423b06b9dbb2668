"""The arguments of `pixel-kiln vq`; imports nothing heavy."""

from __future__ import annotations

import argparse

from .options import IN_HELP, PALETTE_HELP, add_files, add_out, add_scale

NEAREST = ("picture", "features")

_MODEL_HELP = (
    "a VQ-VAE: a name of `models list`, a file, or org/repo[@revision][/file] on the Hugging Face hub (default: the "
    "shipped one of one code a pixel)"
)


def add_vq(parser: argparse.ArgumentParser) -> None:
    """`pixel-kiln vq ACTION`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    encode = actions.add_parser("encode", help="pictures to codes, in a small file")
    encode.add_argument("inputs", nargs="+", metavar="IN", help=f"{IN_HELP}; all of one size")
    add_out(encode, "the file of codes to write: .npz or .png")
    _add_nearest(encode)
    encode.add_argument(
        "--no-alpha", dest="keep_alpha", action="store_false", help="let the codes alone say what is transparent"
    )
    encode.add_argument("--map", metavar="PNG", help="also write the map of codes, a colour of its own for each")
    encode.add_argument("--codebook", metavar="PNG", help="also write what each code of the model looks like")
    _add_model(encode)
    decode = actions.add_parser("decode", help="codes back to pictures")
    decode.add_argument("input", metavar="CODES", help="a file that `vq encode` wrote")
    add_out(decode, "the picture to write; of several pictures an animation: .apng, .gif or .webp")
    add_scale(decode)
    _add_model(decode)
    swap = actions.add_parser("swap", help="sprites in the colours of another sprite, code for code")
    add_files(swap, moving=True)
    swap.add_argument("--other", required=True, metavar="PICTURE", help="the sprite that the colours come from")
    swap.add_argument(
        "--one-by-one", action="store_true", help="code after code, as the paper's own program does; else all at once"
    )
    swap.add_argument(
        "--background", action="store_true", help="let what is transparent take part, as the paper's does"
    )
    _add_nearest(swap)
    _add_model(swap)
    recolor = actions.add_parser("recolor", help="sprites in chosen colours, the first for what there is most of")
    add_files(recolor, moving=True)
    recolor.add_argument("--palette", required=True, metavar="PALETTE", help=PALETTE_HELP)
    _add_nearest(recolor)
    _add_model(recolor)


def _add_nearest(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--nearest",
        choices=NEAREST,
        default=NEAREST[0],
        help="take the code that looks most like the picture (default), or the one that the network chooses",
    )


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", metavar="MODEL", help=_MODEL_HELP)
