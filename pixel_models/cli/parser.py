"""The arguments of the `pixel-kiln` command; imports nothing heavy."""

from __future__ import annotations

import argparse
import re

FITS = ("pad", "crop", "stretch")
"""What `--size` does with a picture of another shape."""

DEVICES = ("auto", "cpu", "cuda")

DEFAULT_CELL = 8

_IN_HELP = "picture files, folders (with all folders inside) or patterns such as 'photos/**/*.jpg'"
_OUT_HELP = "a .png file for one input file, otherwise a folder, which is made; inside it the inputs' folders are kept"
_MODEL_HELP = "a name of the list, a file, or org/repo[@revision][/file] on the Hugging Face hub"
_EPILOG = (
    "Files that are done already are left out, so an interrupted run can be started again. The paths that were "
    "written go to stdout, progress and errors to stderr. Exit status: 0 all went well, 1 a file failed, "
    "2 arguments that cannot work, 130 interrupted."
)


def make_parser(version: str) -> argparse.ArgumentParser:
    """Build the parser of `pixel-kiln`; `version` is what `--version` prints."""
    parser = argparse.ArgumentParser(prog="pixel-kiln", description="Pixel art by trained networks.")
    parser.add_argument("--version", action="version", version=f"pixel-kiln {version}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_pixelate(commands.add_parser("pixelate", help="pictures to pixel art", epilog=_EPILOG))
    _add_depixelate(commands.add_parser("depixelate", help="native-size sprites to smooth pictures", epilog=_EPILOG))
    _add_models(commands.add_parser("models", help="weights: what is here, what they are, get more"))
    return parser


def _add_models(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="the project's models: name, purpose, here, cached or missing, what it does")
    show = actions.add_parser("show", help="what a weight file says of itself: licence, data, training")
    show.add_argument("model", metavar="MODEL", help=_MODEL_HELP)
    verify = actions.add_parser("verify", help="load weight files and compare their SHA-256 with what they must be")
    verify.add_argument("models", nargs="*", metavar="MODEL", help=f"{_MODEL_HELP} (default: the shipped ones)")
    download = actions.add_parser("download", help="get weights from the Hugging Face hub; prints where they lie")
    download.add_argument(
        "models", nargs="+", metavar="MODEL", help="a name of the list, or org/repo[@revision][/file]"
    )
    convert = actions.add_parser("convert", help="turn a .pth of the CycleGAN, pix2pix or CUT code into ours")
    convert.add_argument("input", metavar="IN", help="the weight file, such as latest_net_G_A.pth")
    convert.add_argument("-o", "--out", required=True, metavar="OUT", help="the .safetensors file to write")
    convert.add_argument("--overwrite", action="store_true", help="replace OUT where it is there")


def _add_pixelate(parser: argparse.ArgumentParser) -> None:
    _add_files(parser)
    grid = parser.add_mutually_exclusive_group()
    grid.add_argument(
        "--cell", type=int, metavar="PIXELS", help=f"side of a cell, 2 to 32 input pixels (default {DEFAULT_CELL})"
    )
    grid.add_argument("--size", type=_size, metavar="WxH", help="exactly this many cells, such as 64x64")
    parser.add_argument(
        "--fit",
        choices=FITS,
        default=FITS[0],
        help="with --size, for a picture of another shape: pad = centre it on transparent cells (default), "
        "crop = cut what is too much, stretch = distort it",
    )
    parser.add_argument(
        "--colors",
        type=int,
        default=16,
        metavar="N",
        help="most colours, 2 to 256 (default 16); not used with --palette",
    )
    parser.add_argument(
        "--palette",
        metavar="FILE-or-NAME",
        help="use these colours and no other: a .hex, .gpl, .pal (JASC) or .txt (Paint.NET) file, a small picture, "
        "or a name such as pico-8",
    )
    parser.add_argument("--scale", type=int, default=1, metavar="N", help="enlarge the result N times (default 1)")
    parser.add_argument("--no-clean", dest="clean", action="store_false", help="keep stray single cells")
    _add_model(parser)


def _add_depixelate(parser: argparse.ArgumentParser) -> None:
    _add_files(parser)
    parser.add_argument("--scale", type=int, default=4, metavar="N", help="how many times larger, 2 to 8 (default 4)")
    _add_model(parser)


def _add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("inputs", nargs="+", metavar="IN", help=_IN_HELP)
    parser.add_argument("-o", "--out", required=True, metavar="OUT", help=_OUT_HELP)
    parser.add_argument("--overwrite", action="store_true", help="make every file again, also over foreign files")
    parser.add_argument("--first-frame", action="store_true", help="take the first frame of animations")


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", metavar="MODEL", help=f"{_MODEL_HELP} (default: the shipped one)")
    parser.add_argument(
        "--tile", type=int, metavar="CELLS", help="work in tiles of this side, for little memory (default: when large)"
    )
    parser.add_argument("--device", choices=DEVICES, default=DEVICES[0], help="where the network runs (default auto)")


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([1-9]\d{0,4})[xX×]([1-9]\d{0,4})", text.strip())
    if match is None:
        msg = f"expected WIDTHxHEIGHT in cells, such as 64x64, got {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return int(match[1]), int(match[2])
