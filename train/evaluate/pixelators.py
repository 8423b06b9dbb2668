"""`python -m train.evaluate pixelators`: pixelators side by side on pictures that no training saw, table and sheet."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from einops import rearrange, repeat
from torch import Tensor, nn
from torch.nn import functional as F

import pixel_models
from pixel_models.archs.native_cyclegan import CELL, SPECS, NativeGeneratorConfig
from pixel_models.checkpoint import LoadedModel
from pixel_models.palette import IndexedImage
from pixel_models.pixelate import pixelate, resize_rgba

from ..canvas import CanvasMaker
from ..loop import generator_of
from ..metrics import (
    FEATURES,
    RandomFeatures,
    kernel_distance,
    oklab_error,
    orphan_share,
    outline_agreement,
    patches,
)
from ..pairs import draw_picture
from ..pictures import PictureSet, read_picture_set
from ..sheet import sheet


class Classical(nn.Module):
    """A downscaler without weights in the place of the network."""

    def __init__(self) -> None:
        super().__init__()
        self.config = NativeGeneratorConfig(channels=1, outer_blocks=0, inner_dilations=())
        self.device_marker = nn.Parameter(torch.zeros(1), requires_grad=False)


class BoxDownscale(Classical):
    """The mean of each cell."""

    def forward(self, picture: Tensor) -> Tensor:
        """`b 4 4h 4w` to `b 4 h w`."""
        return F.avg_pool2d(picture, CELL)


class KCentroid(Classical):
    """The centre of the larger of two clusters of each cell's pixels (the k-centroid downscale, k = 2)."""

    def forward(self, picture: Tensor) -> Tensor:
        """`b 4 4h 4w` to `b 4 h w`."""
        height = picture.shape[2] // CELL
        points = rearrange(picture, "b c (h y) (w x) -> (b h w) (y x) c", y=CELL, x=CELL)
        order = points.sum(dim=2).argsort(dim=1)
        ends = torch.stack([order[:, 0], order[:, -1]], dim=1)
        centers = points.gather(1, repeat(ends, "n k -> n k c", c=4))
        member = torch.zeros(0)
        for _ in range(8):
            member = F.one_hot(torch.cdist(points, centers).argmin(dim=2), 2).float()  # n p k
            size = member.sum(dim=1)[..., None].clamp_min(1)
            centers = torch.einsum("npk,npc->nkc", member, points) / size
        larger = member.sum(dim=1).argmax(dim=1)
        chosen = centers[torch.arange(len(centers)), larger]
        return rearrange(chosen, "(b h w) c -> b c h w", b=len(picture), h=height)


def without_weights(module: Classical, name: str) -> LoadedModel:
    """A classical downscaler as the model that `pixelate` takes."""
    return LoadedModel(module, SPECS[0], module.config, name)


def contestants(paths: Sequence[Path | str]) -> dict[str, LoadedModel]:
    """The classical downscalers, and the weight files by the name of their folder and file."""
    classical = {"box": BoxDownscale(), "k-centroid": KCentroid()}
    models = {name: without_weights(module, name) for name, module in classical.items()}
    for path in paths:
        name = Path(path).parent.name + "/" + Path(path).stem if Path(path).parent.name else Path(path).stem
        models[name] = pixel_models.load(path, purpose="pixelate")
    return models


def held_out_pictures(folder: Path, count: int, split: str = "test") -> Tensor:
    """`count` pictures of a split, evenly spread over its labels, `n 4 256 256`, float32 in [0, 1].

    Choose recipes and weights on "val"; "test" is for reporting what was chosen. Its first picture of each stride
    is passed over: early versions were chosen by those.
    """
    pictures = read_picture_set(folder, split)
    by_label: dict[str, list[Tensor]] = {}
    for picture, label in zip(pictures.pictures, pictures.labels, strict=True):
        by_label.setdefault(label, []).append(picture)
    each = -(-count // len(by_label))
    chosen: list[Tensor] = []
    for _, group in sorted(by_label.items()):
        stride = max(1, len(group) // each)
        chosen += group[min(1, stride - 1) :: stride][:each]
    return torch.cat([resize_rgba(p[None].float() / 255, (256, 256)) for p in chosen[:count]])


def white(rgba: Tensor) -> Tensor:
    """`n 4 h w` on white, `n 3 h w`."""
    return rgba[:, :3] * rgba[:, 3:] + 1 - rgba[:, 3:]


def sprite_canvases(sprites: PictureSet, count: int = 600) -> Tensor:
    """Canvases of held-out sprites, all of them as likely, on white: `count 3 32 32`."""
    maker, g = (
        CanvasMaker(replace(sprites, weights=torch.full((len(sprites),), 1 / len(sprites)).double())),
        generator_of(0),
    )
    return white(torch.stack([maker.draw(32, g) for _ in range(count)]))


def made_pairs(sprites: PictureSet, count: int = 100) -> tuple[Tensor, Tensor]:
    """Smooth pictures of canvases, `count 4 128 128`, and the canvases, `count 4 32 32`; always the same ones."""
    maker, g = CanvasMaker(sprites), generator_of(1)
    canvases = [maker.draw(32, g) for _ in range(count)]
    return torch.stack([draw_picture(canvas, g) for canvas in canvases]), torch.stack(canvases)


def cell_measures(whole: Tensor, made: Sequence[IndexedImage], uncleaned: Sequence[IndexedImage]) -> dict[str, float]:
    """What is measured of sprites beside the pictures that they were made from.

    Args:
        whole: the pictures at `CELL` pixels a cell, `n 3 4h 4w`, float32 in [0, 1].
        made: the finished sprites, `1 h w` each.
        uncleaned: the same without the clean-up at the end.
    """
    rgb = torch.cat([frame.to_rgb() for frame in made])
    return {
        "outline_agreement": outline_agreement(whole, rgb),
        "orphans": sum(orphan_share(f) for f in made) / len(made),
        "orphans_uncleaned": sum(orphan_share(f) for f in uncleaned) / len(uncleaned),
        "oklab_error": oklab_error(rgb, F.avg_pool2d(whole, CELL)),
    }


def table(models: dict[str, LoadedModel], pictures: Tensor, sprites: PictureSet) -> dict[str, dict[str, float]]:
    """Measures of each model at 32 and at 64 cells, 16 colours a picture."""
    features = RandomFeatures()
    real = features(patches(sprite_canvases(sprites)))
    smooth, truth = made_pairs(sprites)
    rows: dict[str, dict[str, float]] = {}
    for name, model in models.items():
        row: dict[str, float] = {}
        for side in (32, 64):
            whole = white(resize_rgba(pictures, (side * CELL, side * CELL)))
            made = pixelate(model, white(pictures), size=(side, side), palette_per="image")
            rough = pixelate(model, white(pictures), size=(side, side), palette_per="image", clean=False)
            row[f"kernel_distance_{side}"] = kernel_distance(features(patches(made.rgb())), real)
            found = cell_measures(whole, made.frames, rough.frames)
            row |= {f"{key}_{side}": value for key, value in found.items()}
        with torch.no_grad():
            cells = model.module(smooth)
        both = truth[:, 3:]
        row["pair_error"] = oklab_error(cells[:, :3] * both, truth[:, :3] * both)
        rows[name] = {key: round(value, 4) for key, value in row.items()}
    return rows


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    command = argparse.ArgumentParser(prog="python -m train.evaluate pixelators", description=__doc__)
    command.add_argument("models", nargs="*", help="weight files or names of models")
    command.add_argument("--a", type=Path, required=True, help="prepared folder of pictures")
    command.add_argument("--b", type=Path, required=True, help="prepared folder of sprites")
    command.add_argument("--split", default="test", help="val to choose by, test to report (default)")
    command.add_argument("--out", type=Path, required=True, help="folder of table.json and sheet-*.png")
    command.add_argument("--count", type=int, default=48, help="held-out pictures")
    options = command.parse_args(argv)
    models = contestants(options.models)
    pictures = held_out_pictures(options.a, options.count, options.split)
    rows = table(models, pictures, read_picture_set(options.b, options.split))
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "table.json").write_text(json.dumps({"features": FEATURES, "rows": rows}, indent=1))
    for side in (32, 64):
        for start in range(0, len(pictures), 12):
            part = pictures[start : start + 12]
            shown = white(part)
            made = [pixelate(m, shown, size=(side, side), palette_per="image").rgb() for m in models.values()]
            sheet([shown, *made], side=192).save(options.out / f"sheet-{side}-{start:02d}.png")
    width = max(map(len, rows))
    for name, row in rows.items():
        print(name.ljust(width), " ".join(f"{key}={value}" for key, value in row.items()))  # noqa: T201


if __name__ == "__main__":
    main()
