"""What the tables are measured on: held-out sprites on canvases of 64 pixels, never enlarged, and parts of a set."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from ..loop import generator_of
from ..pictures import read_picture_set

SIDE = 64
"""Of the canvas, pixels, as in the Pixel VQ-VAE paper; sprites are padded to it, and larger ones are left out."""

BACKGROUNDS: dict[str, float] = {"white": 1.0, "black": 0.0}
"""The paper's two plain backgrounds."""

MARGIN = 2
"""Pixels around a sprite that answer for it too."""


@dataclass(frozen=True, eq=False)
class Canvases:
    """Sprites in the middle of transparent canvases."""

    rgba: Tensor
    """`n 4 64 64`, float32 in [0, 1], alpha 0 or 1, black where nothing is."""

    left_out: int
    """Sprites that are larger, or show nothing."""

    def on(self, background: str) -> Tensor:
        """Composited: `n 3 64 64`."""
        return on_background(self.rgba, background)

    def box(self, index: int) -> tuple[slice, slice]:
        """Rows and columns of a sprite with its margin."""
        places = self.rgba[index, 3].nonzero()
        (top, left), (bottom, right) = places.amin(dim=0).tolist(), places.amax(dim=0).tolist()
        spans = ((top, bottom), (left, right))
        rows, columns = (slice(max(0, low - MARGIN), min(SIDE, high + 1 + MARGIN)) for low, high in spans)
        return rows, columns


def on_background(rgba: Tensor, background: str) -> Tensor:
    """Straight alpha `n 4 h w` on one of `BACKGROUNDS`: `n 3 h w`."""
    return rgba[:, :3] * rgba[:, 3:] + BACKGROUNDS[background] * (1 - rgba[:, 3:])


def read_canvases(folder: Path, split: str, most: int = 0) -> Canvases:
    """The sprites of a split, or `most` of them drawn evenly (0: all).

    Raises:
        FileNotFoundError: there is none that fits.
    """
    sprites, chosen = read_picture_set(folder, split), []
    for sprite in sprites.pictures:
        height, width = sprite.shape[1:]
        solid = (sprite[3:] >= 128).float()
        if max(height, width) > SIDE or not bool(solid.any()):
            continue
        top, left = (SIDE - height) // 2, (SIDE - width) // 2
        hard = torch.cat([sprite[:3].float() / 255 * solid, solid])
        chosen.append(F.pad(hard, (left, SIDE - width - left, top, SIDE - height - top)))
    if not chosen:
        msg = f"no sprite of the split {split!r} of {folder} fits a canvas of {SIDE} pixels"
        raise FileNotFoundError(msg)
    left_out = len(sprites) - len(chosen)
    if 0 < most < len(chosen):
        order = torch.randperm(len(chosen), generator=generator_of(0, "canvases"))[:most]
        chosen = [chosen[i] for i in sorted(order.tolist())]
    return Canvases(torch.stack(chosen), left_out)


def subset(folder: Path, sources: Sequence[str], out: Path) -> Path:
    """Copy the pictures of some sources of a prepared set to a set of their own.

    Raises:
        FileNotFoundError: the set has no manifest, or none of its pictures is from these sources.
    """
    manifest = folder / "manifest.csv"
    if not manifest.is_file():
        msg = f"{folder} has no manifest.csv that names sources; make it with `python -m train.prepare`"
        raise FileNotFoundError(msg)
    with manifest.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    kept = [row for row in rows if row["source"] in sources]
    if not kept:
        msg = f"no picture of {folder} is from {list(sources)}; expected some of {sorted({r['source'] for r in rows})}"
        raise FileNotFoundError(msg)
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    for row in kept:
        target = partial / row["path"]
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / row["path"], target)
    with (partial / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(kept[0]))
        table.writeheader()
        table.writerows(kept)
    shutil.rmtree(out, ignore_errors=True)
    partial.rename(out)
    return out
