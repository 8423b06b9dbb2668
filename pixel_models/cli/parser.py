"""The arguments of the `pixel-kiln` command; imports nothing heavy. Larger groups have files of their own."""

from __future__ import annotations

import argparse

from .options import PALETTE_HELP, add_dither, add_files, add_fit, size
from .parse_animate import add_animate
from .parse_dataset import add_batch
from .parse_grid import add_clean, add_downscale, add_inspect, add_snap, add_upscale
from .parse_latents import add_fuse, add_walk
from .parse_palette import add_palette
from .parse_sampling import add_complete, add_sample
from .parse_sheet import add_save, add_sheet
from .parse_video import add_video
from .parse_vq import add_vq

DEVICES = ("auto", "cpu", "cuda")

DEFAULT_CELL = 8

_MODEL_HELP = "a name of the list, a file, or org/repo[@revision][/file] on the Hugging Face hub"


def make_parser(version: str) -> argparse.ArgumentParser:
    """Build the parser of `pixel-kiln`; `version` is what `--version` prints."""
    parser = argparse.ArgumentParser(prog="pixel-kiln", description="Pixel art: by trained networks, and without them.")
    parser.add_argument("--version", action="version", version=f"pixel-kiln {version}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_pixelate(commands.add_parser("pixelate", help="pictures to pixel art, by a network"))
    _add_depixelate(commands.add_parser("depixelate", help="native-size sprites to smooth pictures, by a network"))
    add_inspect(commands.add_parser("inspect", help="is it pixel art, on which grid, and what is wrong with it"))
    add_snap(commands.add_parser("snap", help="enlarged or generated pixel art to its native size"))
    add_downscale(commands.add_parser("downscale", help="pictures to cells without a network"))
    add_clean(commands.add_parser("clean", help="stray pixels, jaggies, outlines of sprites"))
    add_upscale(commands.add_parser("upscale", help="sprites enlarged without a network"))
    add_palette(commands.add_parser("palette", help="palettes: list, show, extract, apply, swap, convert, edit, ramp"))
    add_sheet(commands.add_parser("sheet", help="sprite sheets and tiles: slice, pack, read, convert, tile, autotile"))
    add_animate(commands.add_parser("animate", help="simple motions of sprites, colour cycling, onion skin"))
    add_save(commands.add_parser("save", help="pictures and frames to one GIF, APNG, WebP, Aseprite file or PNGs"))
    add_vq(commands.add_parser("vq", help="pictures as codes of a Pixel VQ-VAE: encode, decode, swap, recolor"))
    add_sample(commands.add_parser("sample", help="new sprites, drawn by a PixelCNN, a DCGAN or a VAE"), DEVICES)
    add_complete(commands.add_parser("complete", help="sprites finished, varied and mixed by a PixelCNN"), DEVICES)
    add_walk(commands.add_parser("walk", help="sprites that turn into each other, by a DCGAN or a VAE"), DEVICES)
    add_fuse(commands.add_parser("fuse", help="two sprites made one, by a VAE"), DEVICES)
    add_video(commands.add_parser("video", help="films to pixel art, of any length, with their sound"), DEVICES)
    batch = commands.add_parser("batch", help="very many pictures with captions to a data set: folder or shards")
    add_batch(batch, DEVICES, DEFAULT_CELL)
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
    convert = actions.add_parser("convert", help="turn a .pth of the CycleGAN, CUT or Pixel VQ-VAE code into ours")
    convert.add_argument("input", metavar="IN", help="the weight file, such as latest_net_G_A.pth")
    convert.add_argument("-o", "--out", required=True, metavar="OUT", help="the .safetensors file to write")
    convert.add_argument("--overwrite", action="store_true", help="replace OUT where it is there")


def _add_pixelate(parser: argparse.ArgumentParser) -> None:
    add_files(parser)
    grid = parser.add_mutually_exclusive_group()
    grid.add_argument(
        "--cell", type=int, metavar="PIXELS", help=f"side of a cell, 2 to 32 input pixels (default {DEFAULT_CELL})"
    )
    grid.add_argument("--size", type=size, metavar="WxH", help="exactly this many cells, such as 64x64")
    add_fit(parser)
    parser.add_argument(
        "--colors",
        type=int,
        default=16,
        metavar="N",
        help="most colours, 2 to 256 (default 16); not used with --palette",
    )
    parser.add_argument(
        "--palette",
        metavar="PALETTE",
        help=f"use these colours and no other: {PALETTE_HELP}",
    )
    add_dither(parser)
    parser.add_argument("--scale", type=int, default=1, metavar="N", help="enlarge the result N times (default 1)")
    parser.add_argument("--no-clean", dest="clean", action="store_false", help="keep stray single cells")
    _add_model(parser)


def _add_depixelate(parser: argparse.ArgumentParser) -> None:
    add_files(parser)
    parser.add_argument("--scale", type=int, default=4, metavar="N", help="how many times larger, 2 to 8 (default 4)")
    _add_model(parser)


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", metavar="MODEL", help=f"{_MODEL_HELP} (default: the shipped one)")
    parser.add_argument(
        "--tile", type=int, metavar="CELLS", help="work in tiles of this side, for little memory (default: when large)"
    )
    parser.add_argument("--device", choices=DEVICES, default=DEVICES[0], help="where the network runs (default auto)")
