"""`python -m pixel_models.demo`: turn the sample pictures into pixel art with the shipped weights, and show it."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

SAMPLES = Path(__file__).parents[1] / "samples"

CELLS = {"photo": 6, "drawing": 8, "character": 8}
"""Input pixels a cell by the first word of a sample's name; small drawings take half."""

COLORS = {"photo": 24, "drawing": 16, "character": 16}


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line; the last line on stdout is JSON: the folder, the files, the seconds."""
    command = argparse.ArgumentParser(prog="python -m pixel_models.demo", description=__doc__)
    command.add_argument("--out", type=Path, default=Path("demo-out"), help="folder of the results")
    command.add_argument("--samples", type=Path, default=SAMPLES, help="folder of pictures")
    options = command.parse_args(argv)
    print(json.dumps(demo(options.samples, options.out)))  # noqa: T201  the command's own result


def demo(samples: Path, out: Path) -> dict[str, object]:
    """Pixelate every picture of `samples` into `out`: native, enlarged, and one sheet of before and after."""
    import torch

    import pixel_models

    from .image import enlarge, read_rgba, write_png
    from .pixelate import pixelate, resize_rgba

    began = time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    model = pixel_models.load("kiln-pixelate.safetensors", purpose="pixelate")
    files: list[Path] = []
    rows: list[tuple[Tensor, Tensor]] = []
    for path in sorted(p for p in samples.glob("*.png") if p.stem.partition("_")[0] in CELLS):
        rgba = read_rgba(path)
        kind = path.stem.partition("_")[0]
        cell = CELLS.get(kind, 8) if max(rgba.shape[2:]) > 256 else 4
        alpha = rgba[:, 3:] if bool((rgba[:, 3] < 1).any()) else None
        made = pixelate(model, rgba[:, :3], alpha=alpha, cell=cell, colors=COLORS.get(kind, 16))
        sprite = made.frames[0]
        native, large = out / f"{path.stem}.png", out / f"{path.stem}_x{cell}.png"
        write_png(native, sprite)
        write_png(large, sprite.enlarge(cell))
        files += [native, large]
        height, width = made.size
        print(f"{path.name}: {width}x{height} cells, {len(sprite.palette)} colours", file=sys.stderr)  # noqa: T201
        after = torch.cat([sprite.to_rgb(), sprite.alpha()], dim=1)
        scale = max(1, TILE // max(after.shape[2:]))
        before = resize_rgba(rgba, (after.shape[2] * scale, after.shape[3] * scale))
        rows.append((before, enlarge(after, scale)))
    sheet = out / "before-after.png"
    write_png(sheet, _sheet(rows))
    files.append(sheet)
    seconds = round(time.monotonic() - began, 2)
    return {"out": str(out), "files": [str(file) for file in files], "seconds": seconds}


TILE = 384
"""Side of a picture on the sheet, pixels."""


def _sheet(rows: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """Pairs side by side, two pairs a row, on a checkerboard that shows alpha: `1 4 h w`."""
    import torch

    side, gap = TILE, 12
    pair = 2 * side + 3 * gap
    lines = -(-len(rows) // 2)
    canvas = torch.full((1, 4, lines * (side + gap) + gap, 2 * pair), 0.16)
    canvas[:, 3] = 1
    ramp = torch.arange(side) // 16
    board = 0.80 + 0.08 * ((ramp[:, None] + ramp[None]) % 2)
    for index, both in enumerate(rows):
        top = gap + index // 2 * (side + gap)
        for place, picture in enumerate(both):
            left = gap + index % 2 * pair + place * (side + gap)
            tile = board.expand(1, 3, -1, -1).clone()
            height, width = picture.shape[2:]
            y, x = (side - height) // 2, (side - width) // 2
            part = tile[:, :, y : y + height, x : x + width]
            part.copy_(picture[:, :3] * picture[:, 3:] + part * (1 - picture[:, 3:]))
            canvas[:, :3, top : top + side, left : left + side] = tile
    return canvas


if __name__ == "__main__":
    main()
