"""The command line of `python -m train.prepare`, and which of its ways a call takes."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from . import finding, plain

LAYOUTS: tuple[str, ...] = ("plain", "pokedex")
FINDS: tuple[str, ...] = ("sprites", "pictures")
"""What `--find` looks for: pixel art at native size, or smooth drawings and photos."""


def prepare(options: argparse.Namespace) -> dict[str, int]:
    """Write the set beside `options.out` and put it in place when whole; returns pictures a split.

    Raises:
        FileExistsError: `options.out` holds something that is no training set of ours.
        FileNotFoundError: a source is missing, or nothing in them is of use.
        ValueError: options that do not go together.
    """
    if options.find is None:
        return plain.prepare(options)
    if options.layout != "plain" or options.pokeapi:
        msg = f"--find looks for itself, got --layout {options.layout} as well; leave one of them out"
        raise ValueError(msg)
    return finding.prepare(options)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    command = argparse.ArgumentParser(
        prog="python -m train.prepare",
        description="any folder or zip of pictures, sheets and animations to a clean training set",
    )
    command.add_argument("sources", nargs="+", type=Path, metavar="SOURCE", help="folder or zip of pictures")
    command.add_argument("-o", "--out", type=Path, required=True, help="folder of the training set")
    command.add_argument(
        "--find",
        choices=FINDS,
        help="sprites: cut sheets and animations, bring all to native size, drop doubles, group, report; "
        "pictures: keep drawings and photos instead; without it pictures are taken as they are",
    )
    command.add_argument(
        "--exclude-licence",
        nargs="*",
        default=["statement"],
        metavar="WORD",
        help="leave out rows whose licence has it",
    )
    command.add_argument(
        "--tier", nargs="*", type=int, default=[], help="keep these tiers of the manifest (default all)"
    )
    command.add_argument("--kind", nargs="*", default=[], help="keep these kinds of the manifest (default all)")
    command.add_argument(
        "--layout",
        choices=LAYOUTS,
        default="plain",
        help="pokedex: sprites named by number; see docs/training-vqvae.md",
    )
    command.add_argument("--pokeapi", type=Path, metavar="FOLDER", help="PokeAPI's CSV tables, for --layout pokedex")
    command.add_argument(
        "--max-side",
        type=int,
        default=0,
        help="leave out larger pictures, pixels (0: none; with --find sprites 256 at native size)",
    )
    _add_finding(command)
    return command


def _add_finding(command: argparse.ArgumentParser) -> None:
    """What goes with `--find`."""
    group = command.add_argument_group("with --find", "see docs/preparing.md")
    group.add_argument("--label", default="", help="of pictures whose folder and sidecar files say none")
    group.add_argument("--author", default="", help="likewise")
    group.add_argument("--licence", default="", help="likewise")
    group.add_argument(
        "--keep",
        nargs="*",
        choices=finding.DOUBLES,
        default=[],
        help="doubles to keep in the set, in the group of what they are like (default none)",
    )
    group.add_argument(
        "--background",
        choices=("auto", "keep"),
        default="auto",
        help="auto: take plain backgrounds away where sure",
    )
    group.add_argument("--workers", type=int, default=min(8, os.cpu_count() or 1), help="processes (default all cores)")


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    counts = prepare(parser().parse_args(argv))
    print(" ".join(f"{name}={count}" for name, count in counts.items()))  # noqa: T201  a command's own output
