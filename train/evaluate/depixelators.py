"""`python -m train.evaluate depixelators`: ways to enlarge held-out sprites side by side, table and labelled sheets.

What is measured, each at x4 and at x8:
    shift, shift_flat   Oklab distance x100 of cells to the mean of what was made of them: mean over cells with no
                        transparent neighbour; the largest over those of their neighbours' colour
    alpha               mean difference x100 of the sprite's alpha and the mean of what was made of each cell
    specks              share x100 of transparent cells without an opaque neighbour that got something
    fringe              Oklab distance x100 of half transparent pixels to the nearest colour of the cells around
    stairs              energy of edges on the cells' borders, 1 = as everywhere, the scale = only there
    recipe              Oklab error x100 to the smooth picture that pairs are trained on
    drawing, edges      Oklab error x100 to drawings that were brought to cells, and F1 of their edges, a quarter of a
                        cell forgiven
    seconds             a sprite
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import get_args

import torch
from torch import Tensor
from torch.nn import functional as F

import pixel_models
from pixel_models.checkpoint import LoadedModel
from pixel_models.color import srgb_to_oklab
from pixel_models.depixelate import depixelate, require_depixelator
from pixel_models.image import enlarge
from pixel_models.palette import IndexedImage, extract_palette, nearest_indices
from pixel_models.pixelate import resize_rgba
from pixel_models.upscale import UpscaleMethod, upscale

from ..attributes import rows_by_name
from ..metrics import oklab_error
from ..pairs import smooth
from ..pictures import PictureSet, read_picture_set
from .tables import labelled_sheet, write_csv, write_markdown

SCALES = (4, 8)
CELLS = 32
"""Largest side of a sprite, and side of what a drawing is brought to."""

_COLORS = 16
_GREY = 0.5
"""Background of comparisons where alpha counts."""
_EDGE = 0.08
"""Change of Oklab lightness, or of alpha, over a quarter of a cell from which there is an edge."""

Scaler = Callable[[Tensor, int], Tensor]
"""From `1 4 h w` to `1 4 scale*h scale*w`, float32 in [0, 1], straight alpha last."""


def scalers(models: Sequence[str]) -> dict[str, Scaler]:
    """The classical ways, and models by the name of their file.

    Raises:
        ModelKindError: one of the models does not depixelate.
    """
    found: dict[str, Scaler] = {method: partial(_classical, method) for method in get_args(UpscaleMethod)}
    found["bicubic"] = lambda sprite, scale: resize_rgba(sprite, (sprite.shape[2] * scale, sprite.shape[3] * scale))
    for name in models:
        found[Path(name).stem] = partial(_learned, require_depixelator(pixel_models.load(name)))
    return found


def _classical(method: UpscaleMethod, sprite: Tensor, scale: int) -> Tensor:
    rgb, alpha = upscale(sprite[:, :3], scale, method, alpha=sprite[:, 3:])
    assert alpha is not None
    return torch.cat([rgb, alpha], dim=1)


def _learned(model: LoadedModel, sprite: Tensor, scale: int) -> Tensor:
    rgb, alpha = depixelate(model, sprite[:, :3], alpha=sprite[:, 3:], scale=scale)
    assert alpha is not None
    return torch.cat([rgb, alpha], dim=1)


def held_out_sprites(folder: Path, split: str, count: int, licence: str = "") -> list[Tensor]:
    """Sprites of up to `CELLS` a side, spread over the split, padded to squares: `1 4 n n`, alpha 0 or 1.

    Raises:
        FileNotFoundError: none fits.
    """
    sprites, rows = read_picture_set(folder, split), rows_by_name(folder) if licence else {}
    fitting = [
        sprite
        for sprite, name in zip(sprites.pictures, sprites.names, strict=True)
        if max(sprite.shape[1:]) <= CELLS
        and bool((sprite[3] >= 128).any())
        and (not licence or licence in rows.get(name, {}).get("licence", ""))
    ]
    if not fitting:
        msg = f"no sprite of the split {split!r} of {folder} has up to {CELLS} pixels a side and licence {licence!r}"
        raise FileNotFoundError(msg)
    return [_square(fitting[i]) for i in range(0, len(fitting), max(1, len(fitting) // count))][:count]


def _square(sprite: Tensor) -> Tensor:
    """A cell of air around, and as high as wide: the recipe's smooth picture is of squares."""
    height, width = sprite.shape[1:]
    side, solid = max(height, width) + 2, (sprite[3:] >= 128).float()
    top, left = (side - height) // 2, (side - width) // 2
    hard = torch.cat([sprite[:3].float() / 255 * solid, solid])
    return F.pad(hard, (left, side - width - left, top, side - height - top))[None]


def cells_of(drawings: PictureSet, count: int, label: str = "cartoon") -> list[tuple[Tensor, Tensor]]:
    """Drawings of a label, spread over the set: as cells `1 4 n n` of 16 colours by box, and as they are, `1 4 h w`."""
    chosen = [p for p, name in zip(drawings.pictures, drawings.labels, strict=True) if not name or name == label]
    found = []
    for drawing in chosen[:: max(1, len(chosen) // max(1, count))][:count]:
        whole = drawing[None].float() / 255
        small = resize_rgba(whole, (CELLS, CELLS))
        solid = small[:, 3:] >= 0.5
        palette = extract_palette(small[:, :3], _COLORS, weight=solid.float())
        sprite = IndexedImage(nearest_indices(small[:, :3], palette), palette, ~solid[:, 0])
        found.append((torch.cat([sprite.to_rgb(), sprite.alpha()], dim=1), whole))
    return found


def fidelity(sprite: Tensor, made: Tensor) -> dict[str, float]:
    """How true what was made is to its sprite: `1 4 h w` and `1 4 scale*h scale*w`; see the top of this file."""
    scale = made.shape[2] // sprite.shape[2]
    alpha = F.avg_pool2d(made[:, 3:], scale)
    colors = F.avg_pool2d(made[:, :3] * made[:, 3:], scale) / alpha.clamp_min(1e-6)
    shift = 100 * (srgb_to_oklab(colors) - srgb_to_oklab(sprite[:, :3])).norm(dim=1, keepdim=True)
    solid, largest = sprite[:, 3:], _largest_around(sprite)
    smallest = -_largest_around(-sprite)
    inside, alone = smallest[:, 3:] > 0, largest[:, 3:] == 0
    flat = inside & (largest == smallest).all(dim=1, keepdim=True)
    return {
        "shift": _mean(shift, inside),
        "shift_flat": float(shift[flat].max()) if bool(flat.any()) else 0.0,
        "alpha": 100 * float((alpha - solid).abs().mean()),
        "specks": 100 * _mean((alpha > 0.5 / 255).float(), alone),
        "fringe": _fringe(sprite, made, scale),
        "stairs": _stairs(made, scale),
    }


def _mean(values: Tensor, where: Tensor) -> float:
    return float(values[where].mean()) if bool(where.any()) else 0.0


def _largest_around(cells: Tensor) -> Tensor:
    return F.max_pool2d(F.pad(cells, (1, 1, 1, 1), mode="replicate"), 3, 1)


def _fringe(sprite: Tensor, made: Tensor, scale: int) -> float:
    """Oklab distance x100 of half transparent pixels to the nearest opaque colour of the nine cells around."""
    soft = (made[:, 3] > 2 / 255) & (made[:, 3] < 253 / 255)
    if not bool(soft.any()):
        return 0.0
    seen = torch.cat([srgb_to_oklab(sprite[:, :3]), sprite[:, 3:]], dim=1)
    around = F.unfold(F.pad(seen, (1, 1, 1, 1), mode="replicate"), 3).unflatten(2, tuple(sprite.shape[2:]))
    around = enlarge(around, scale)[:, :, soft[0]].unflatten(1, (4, 9))[0]  # c n p
    apart = (around[:3] - srgb_to_oklab(made[:, :3])[0, :, None, soft[0]]).norm(dim=0)
    nearest = torch.where(around[3] > 0, apart, torch.inf).amin(dim=0)
    return 100 * _mean(nearest, nearest.isfinite())


def _stairs(made: Tensor, scale: int) -> float:
    """Mean energy of steps on the borders of cells, over that of all steps."""
    flat = torch.cat([srgb_to_oklab(made[:, :3])[:, :1] * made[:, 3:], made[:, 3:]], dim=1)
    steps = [flat.diff(dim=dim).square().sum(dim=(0, 1, 5 - dim)) for dim in (2, 3)]
    on = torch.cat([energy[scale - 1 :: scale] for energy in steps]).mean()
    return float(on / torch.cat(steps).mean().clamp_min(1e-12))


def _on_grey(picture: Tensor) -> Tensor:
    return picture[:, :3] * picture[:, 3:] + _GREY * (1 - picture[:, 3:])


def edge_agreement(made: Tensor, truth: Tensor, forgiven: int) -> float:
    """F1 of the edges of two pictures `1 4 h w`, `forgiven` pixels apart: a quarter of a cell."""

    def edges(picture: Tensor) -> Tensor:
        flat = torch.cat([srgb_to_oklab(_on_grey(picture))[:, :1], picture[:, 3:]], dim=1)
        down, right = (F.pad(flat.diff(dim=d), (0, d == 3, 0, d == 2)).abs().amax(dim=1, keepdim=True) for d in (2, 3))
        return torch.maximum(down, right) > _EDGE / forgiven

    here, there = edges(made), edges(truth)
    near_here, near_there = (F.max_pool2d(e.float(), 2 * forgiven + 1, 1, forgiven) > 0 for e in (here, there))
    precision = (here & near_there).sum() / here.sum().clamp_min(1)
    recall = (there & near_here).sum() / there.sum().clamp_min(1)
    return float(2 * precision * recall / (precision + recall).clamp_min(1e-6))


def measure(
    scaler: Scaler, scale: int, sprites: Sequence[Tensor], drawings: Sequence[tuple[Tensor, Tensor]]
) -> dict[str, float]:
    """One row of the table: means over the pictures, for `shift_flat` the largest."""
    rows: list[dict[str, float]] = []
    for sprite in sprites:
        begun = time.perf_counter()
        made = scaler(sprite, scale)
        spent = time.perf_counter() - begun
        truth = smooth(sprite[0], pixels=made.shape[3])[None]
        error = oklab_error(_on_grey(made), _on_grey(truth))
        rows.append({**fidelity(sprite, made), "recipe": error, "seconds": spent})
    row = {key: sum(r[key] for r in rows) / len(rows) for key in rows[0]}
    row["shift_flat"] = max(r["shift_flat"] for r in rows)
    errors, agreed = [], []
    for sprite, drawing in drawings:
        made, truth = scaler(sprite, scale), resize_rgba(drawing, (CELLS * scale, CELLS * scale))
        errors.append(oklab_error(_on_grey(made), _on_grey(truth)))
        agreed.append(edge_agreement(made, truth, scale // 4))
    if drawings:
        row |= {"drawing": sum(errors) / len(errors), "edges": sum(agreed) / len(agreed)}
    return {key: round(value, 3) for key, value in row.items()}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    about = (__doc__ or "").split("\n")[0]
    command = argparse.ArgumentParser(prog="python -m train.evaluate depixelators", description=about)
    command.add_argument("models", nargs="*", default=["kiln-depixelate"], help="names or files (default: the shipped)")
    command.add_argument("--b", type=Path, required=True, help="prepared folder of sprites")
    command.add_argument("--a", type=Path, help="prepared folder of drawings, for an independent truth")
    command.add_argument("--split", default="test", help="val to choose by, test to report (default)")
    command.add_argument("--out", type=Path, required=True, help="folder of table.csv, table.md and sheet-x*.png")
    command.add_argument("--count", type=int, default=48, help="sprites, and as many drawings")
    command.add_argument("--shown", type=int, default=6, help="sprites on the sheets")
    command.add_argument("--licence", default="", help="sprites of this licence alone, such as CC0")
    return command


def sheet_rows(ways: Mapping[str, Scaler], sprites: Sequence[Tensor], scale: int) -> dict[str, list[Tensor]]:
    """Pictures `3 h w` of each way on light blue, so that transparent fringes show."""
    sky = torch.tensor([0.75, 0.8, 0.85]).view(1, 3, 1, 1)
    made = {name: [way(sprite, scale) for sprite in sprites] for name, way in ways.items()}
    return {name: [(p[:, :3] * p[:, 3:] + sky * (1 - p[:, 3:]))[0] for p in row] for name, row in made.items()}


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    options = parser().parse_args(argv)
    ways = scalers(options.models)
    sprites = held_out_sprites(options.b, options.split, options.count, options.licence)
    drawings = cells_of(read_picture_set(options.a, options.split), options.count) if options.a else []
    table = {f"{name} x{s}": measure(way, s, sprites, drawings) for s in SCALES for name, way in ways.items()}
    options.out.mkdir(parents=True, exist_ok=True)
    write_csv(options.out / "table.csv", table)
    print(write_markdown(options.out / "table.md", table))  # noqa: T201  a command's own output
    shown = sprites[:: max(1, len(sprites) // options.shown)][: options.shown]
    for scale in SCALES:
        labelled_sheet(sheet_rows(ways, shown, scale), SCALES[-1] // scale).save(options.out / f"sheet-x{scale}.png")


if __name__ == "__main__":
    main()
