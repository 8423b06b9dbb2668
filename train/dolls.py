"""`python -m train.dolls`: paper dolls, layers of drawings laid over each other at random, as a set of sprites.

Layers are pictures of one size named ``player_LAYER_NAME.png``, as the CC0 player tiles of Dungeon Crawl are:

    python -m train.dolls LAYERS --out SET --count 8000
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from pixel_models.spritefiles import read_art, write_art

from .loop import generator_of

CHANCES: Mapping[str, float] = {
    "cloak": 0.45,
    "base": 1.0,
    "boots": 0.75,
    "legs": 0.7,
    "body": 1.0,
    "gloves": 0.4,
    "hair": 0.6,
    "head": 0.5,
    "hand1": 0.75,
    "hand2": 0.5,
}
"""Layers, lowest first, and the share of the dolls that have one."""

BODIES: tuple[str, ...] = (
    "human", "elf", "deep_elf", "dwarf", "deep_dwarf", "demigod", "demonspawn", "vampire", "mummy", "lorc", "ghoul",
)  # fmt: skip
"""How names of bases begin that stand upright and are as tall as a human, for whom clothes are drawn."""


def read_layers(folder: Path, most: int = 0, skip: Sequence[str] = ()) -> dict[str, list[Tensor]]:
    """Pictures of every layer, `4 h w`, alpha 0 or 1, black where nothing is.

    Args:
        folder: of the files.
        most: take so many of a layer, drawn evenly; 0: all.
        skip: names that begin so are left out.

    Raises:
        FileNotFoundError: there are no bases that stand upright, or no clothes.
        ValueError: pictures are of different sizes.
    """
    layers: dict[str, list[Tensor]] = {}
    for layer in CHANCES:
        paths = sorted(folder.glob(f"player_{layer}_*.png"))
        names = {path: path.stem.removeprefix(f"player_{layer}_") for path in paths}
        paths = [path for path in paths if not names[path].startswith(tuple(skip))] if skip else paths
        if layer == "base":
            paths = [path for path in paths if names[path].startswith(BODIES)]
        order = torch.randperm(len(paths), generator=generator_of(0, layer)).tolist()
        chosen = sorted(order[:most] if most else order)
        layers[layer] = [_picture(paths[place]) for place in chosen]
    if missing := [layer for layer in ("base", "body") if not layers[layer]]:
        msg = f"{folder} has no player_{missing[0]}_*.png that could be taken, expected layers of paper dolls"
        raise FileNotFoundError(msg)
    sizes = {tuple(picture.shape[1:]) for pictures in layers.values() for picture in pictures}
    if len(sizes) > 1:
        msg = f"layers are of the sizes {sorted(sizes)} (height, width), expected one size"
        raise ValueError(msg)
    return layers


def _picture(path: Path) -> Tensor:
    rgba = read_art(path).frames[0].rgba
    alpha = (rgba[3:] >= 0.5).float()
    return torch.cat([rgba[:3] * alpha, alpha])


def dressed(layers: Mapping[str, Sequence[Tensor]], generator: torch.Generator) -> Tensor:
    """One doll, `4 h w`, alpha 0 or 1: of each layer one picture or none, every one over those below it."""
    doll = torch.zeros_like(layers["base"][0])
    for layer, chance in CHANCES.items():
        drawn = float(torch.rand((), generator=generator))
        place = int(torch.randint(0, 1 << 30, (), generator=generator))
        if layers[layer] and drawn < chance:
            top = layers[layer][place % len(layers[layer])]
            doll = torch.where(top[3:] > 0, top, doll)
    return doll


def write_dolls(layers: Mapping[str, Sequence[Tensor]], out: Path, count: int, seed: int, source: str) -> int:
    """Write a set as `train.prepare` does, all of it for training; returns how many dolls differ.

    Args:
        layers: as `read_layers` gives them.
        out: folder, new or of an earlier, shorter run; the manifest comes last.
        count: of the dolls.
        seed: the same one gives the same dolls.
        source: column of the manifest.
    """
    (out / "train").mkdir(parents=True, exist_ok=True)
    g, rows, seen = generator_of(seed, "dolls"), [], set[str]()
    for index in range(count):
        doll = dressed(layers, g)
        digest = hashlib.sha256((doll * 255).round().byte().numpy().tobytes()).hexdigest()
        if digest in seen:
            continue
        seen.add(digest)
        path = f"train/doll_{index:05d}.png"
        write_art(out / path, doll[None])
        rows.append({"path": path, "split": "train", "group_id": digest[:12], "licence": "CC0-1.0"})
        rows[-1] |= {"author": "Dungeon Crawl Stone Soup artists / RLTiles", "source": source}
        rows[-1] |= {"category": "character", "label": "humanoid", "weight": "1"}
        rows[-1] |= {"sha256": hashlib.sha256((out / path).read_bytes()).hexdigest()}
    beside = out / ".manifest.csv"
    with beside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    beside.replace(out / "manifest.csv")
    return len(rows)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    command = argparse.ArgumentParser(prog="python -m train.dolls", description=(__doc__ or "").split("\n")[0])
    command.add_argument("layers", type=Path, help="folder of player_LAYER_NAME.png, all of one size")
    command.add_argument("--out", type=Path, required=True, help="folder for the set")
    command.add_argument("--count", type=int, default=8000, help="dolls (default 8000)")
    command.add_argument("--most", type=int, default=0, metavar="N", help="pictures of each layer (default: all)")
    command.add_argument("--skip", nargs="*", default=[], metavar="NAME", help="leave out pictures named so")
    command.add_argument("--source", default="crawl-doll", help="column of the manifest (default crawl-doll)")
    command.add_argument("--seed", type=int, default=0)
    return command


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    options = parser().parse_args(argv)
    if options.count < 1:
        parser().error(f"--count is {options.count}, expected 1 or more")
    layers = read_layers(options.layers, options.most, options.skip)
    written = write_dolls(layers, options.out, options.count, options.seed, options.source)
    sizes = ", ".join(f"{layer} {len(pictures)}" for layer, pictures in layers.items())
    print(f"{options.out}: {written} dolls of {sizes}", file=sys.stdout)  # noqa: T201  a command's own output


if __name__ == "__main__":
    main()
