"""`python -m train.evaluate cells`: how near pixelators come to true sprites, by the size of a cell in the picture."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

import pixel_models
from pixel_models.archs.native_cyclegan import CELL
from pixel_models.checkpoint import LoadedModel
from pixel_models.pixelate import resize_rgba

from ..batches import TranslationBatches
from ..canvas import CanvasMaker
from ..loop import generator_of
from ..metrics import oklab_error
from ..pictures import PictureSet, read_picture_set
from .tables import write_csv, write_markdown

SIZES = (2, 3, 4, 5, 6, 7, 8)


def pairs_at(cell: int, a: PictureSet, sprites: PictureSet, count: int, strokes: float) -> tuple[Tensor, Tensor]:
    """Made pictures at `cell` pixels a cell, `count 4 32*cell 32*cell`, and their canvases; the same at every call."""
    make = TranslationBatches(a, CanvasMaker(sprites), 1024 * count, (32,), cell_sizes=(cell,), strokes=strokes)
    batch = make(generator_of(1, "cells", cell))
    return batch["picture"], batch["cells"]


@torch.no_grad()
def error_at(model: LoadedModel, pictures: Tensor, canvases: Tensor, cell: int, shown: int) -> float:
    """Mean Oklab distance x100 to the true sprites, opaque cells alone, pictures shown at `shown` pixels a cell."""
    seen = resize_rgba(pictures, (32 * shown, 32 * shown)) if shown != cell else pictures
    made = torch.cat([model.module(part, shown) if shown != CELL else model.module(part) for part in seen.split(16)])
    both = canvases[:, 3:]
    return oklab_error(made[:, :3] * both, canvases[:, :3] * both)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    command = argparse.ArgumentParser(prog="python -m train.evaluate cells", description=(__doc__ or "").split("\n")[0])
    command.add_argument("models", nargs="+", help="weight files or names of native-grid models")
    command.add_argument("--a", type=Path, required=True, help="prepared folder of pictures")
    command.add_argument("--b", type=Path, required=True, help="prepared folder of sprites")
    command.add_argument("--split", default="test", help="val to choose by, test to report (default)")
    command.add_argument("--count", type=int, default=100, help="pairs of each size")
    command.add_argument("--strokes", type=float, default=0.0, help="share of pairs drawn with strokes (default 0)")
    command.add_argument("--out", type=Path, required=True, help="folder of the table")
    options = command.parse_args(argv)
    a, b = (read_picture_set(folder, options.split) for folder in (options.a, options.b))
    made = {cell: pairs_at(cell, a, b, options.count, options.strokes) for cell in SIZES}
    table: dict[str, dict[str, object]] = {}
    for name in options.models:
        model = pixel_models.load(name, purpose="pixelate")
        knows: tuple[int, ...] = model.config.cell_sizes  # pyright: ignore[reportAttributeAccessIssue]
        ways = {"resized to four": dict.fromkeys(SIZES, CELL)}
        if len(knows) > 1:
            ways["as they are"] = {cell: min(knows, key=lambda size, cell=cell: abs(size - cell)) for cell in SIZES}
        for way, shown in ways.items():
            errors = {f"{c}_px": round(error_at(model, *made[c], c, shown[c]), 3) for c in SIZES}
            table[f"{Path(name).stem}, {way}"] = dict(errors)
    options.out.mkdir(parents=True, exist_ok=True)
    write_csv(options.out / "cells.csv", table)
    print(write_markdown(options.out / "cells.md", table))  # noqa: T201  a command's own output


if __name__ == "__main__":
    main()
