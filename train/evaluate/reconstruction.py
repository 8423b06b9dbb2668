"""`python -m train.evaluate reconstruction`: the paper's Tables 2, 3 and 8 on a data set of one's own.

Every row is trained with one budget on one set, then shown the same held-out sprites, on white and on black. A row
whose weights are in the folder is not trained again.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from pixel_models.archs.vae import VAE
from pixel_models.archs.vqvae import VQVAE
from pixel_models.checkpoint import LoadedModel
from pixel_models.errors import ModelKindError
from pixel_models.ops.quantizer import perplexity

from ..pixelart import pixel_art_scores
from ..ssim import WINDOW, squared_error, ssim_map
from .data import BACKGROUNDS, Canvases, on_background, read_canvases, subset
from .rows import ROWS, Row, chosen_rows, load_row, train_row, weights_of
from .tables import labelled_sheet, write_csv, write_markdown

_AT_ONCE = 64


@dataclass(frozen=True, eq=False)
class Rebuilt:
    """What a model makes of canvases on one background."""

    rgb: Tensor
    """`n 3 h w`, in [0, 1], on that background."""

    indices: Tensor | None
    """`n h/p w/p`, int64, of models with codes."""


@torch.no_grad()
def rebuild(model: LoadedModel, canvases: Canvases, background: str) -> Rebuilt:
    """Encode and decode whole canvases; models of 4 channels see RGB times alpha, and alpha.

    Raises:
        ModelKindError: the model is neither a VQ-VAE nor a VAE.
    """
    net = model.module
    if not isinstance(net, (VQVAE, VAE)):
        msg = f"a vqvae or a vae is needed, and this one is a {model.spec.id}"
        raise ModelKindError(msg)
    rgba = canvases.rgba
    seen = (
        canvases.on(background) if net.config.channels == 3 else torch.cat([rgba[:, :3] * rgba[:, 3:], rgba[:, 3:]], 1)
    )
    pictures, indices = [], []
    for part in seen.split(_AT_ONCE):
        made = net(part)
        pictures.append(made.picture)
        indices += [made.indices] if isinstance(net, VQVAE) else []
    rgb = torch.cat(pictures)
    if net.config.channels == 4:
        alpha = (rgb[:, 3:] >= 0.5).float()
        straight = (rgb[:, :3] / rgb[:, 3:].clamp_min(0.5)).clamp(0, 1)
        rgb = on_background(torch.cat([straight, alpha], 1), background)
    return Rebuilt(rgb, torch.cat(indices) if indices else None)


def errors(made: Tensor, canvases: Canvases, background: str) -> dict[str, float]:
    """MSE and SSIM of whole pictures, and where the sprites are: `n 3 h w`, means over the pictures.

    A window of SSIM counts for the pixel in its middle; pictures are padded by their background, so that every pixel
    is in some window's middle.
    """
    truth, shown = canvases.on(background), canvases.rgba[:, 3:]
    pad, value = (WINDOW // 2,) * 4, BACKGROUNDS[background]
    local = ssim_map(*(F.pad(x, pad, value=value) for x in (made, truth))).mean(dim=1, keepdim=True)
    inner = local[..., WINDOW // 2 : -(WINDOW // 2), WINDOW // 2 : -(WINDOW // 2)]  # as without padding
    count = shown.sum(dim=(1, 2, 3)).clamp_min(1)
    found = {
        "mse": squared_error(made, truth),
        "ssim": inner.mean(dim=(1, 2, 3)),
        "mse_sprite": squared_error(made, truth, shown),
        "ssim_sprite": (local * shown).sum(dim=(1, 2, 3)) / count,
    }
    return {name: float(values.mean()) for name, values in found.items()}


def pixel_art(made: Tensor, canvases: Canvases, most: int) -> dict[str, float]:
    """The pixel-art score and its parts, of sprites with a margin, on white: `n 3 h w`, means over the first `most`."""
    truth, scores = canvases.on("white"), []
    for index in range(min(most, len(made))):
        rows, columns = canvases.box(index)
        pair = [F.pad(x[index : index + 1, :, rows, columns], (0, 0, 0, 0, 0, 1), value=1.0) for x in (made, truth)]
        scores.append(pixel_art_scores(pair[0], pair[1])[0].to_dict())
    return {f"pixel_art_{key}" if key != "score" else "pixel_art": _mean(s[key] for s in scores) for key in scores[0]}


def measure(model: LoadedModel, canvases: Canvases, most: int) -> dict[str, float]:
    """All that a row says of a model; errors are means over the backgrounds."""
    made = {background: rebuild(model, canvases, background) for background in BACKGROUNDS}
    each = [errors(one.rgb, canvases, background) for background, one in made.items()]
    row = {key: _mean(values[key] for values in each) for key in each[0]}
    row |= pixel_art(made["white"].rgb, canvases, most)
    if all(one.indices is not None for one in made.values()):
        indices = torch.cat([one.indices.flatten() for one in made.values() if one.indices is not None])
        counts = torch.bincount(indices)
        row |= {"codes_used": float((counts > 0).sum()), "perplexity": float(perplexity(counts))}
    return row | {"parameters": float(sum(p.numel() for p in model.module.parameters()))}


def shown_sprites(canvases: Canvases, count: int, side: int = 32) -> list[int]:
    """Which sprites the picture table shows: `count` of at most `side` pixels, evenly out of all."""
    inside = canvases.rgba[:, 3].clone()
    margin = (inside.shape[1] - side) // 2
    inside[:, margin : margin + side, margin : margin + side] = 0
    fitting = (inside.sum(dim=(1, 2)) == 0).nonzero()[:, 0].tolist() or list(range(len(inside)))
    return [fitting[i * len(fitting) // count] for i in range(min(count, len(fitting)))]


def picture_table(models: Mapping[str, LoadedModel], canvases: Canvases, count: int, background: str) -> Image.Image:
    """Originals above every model's reconstructions, their middle 32 pixels enlarged by a whole number."""
    chosen = shown_sprites(canvases, count)
    part = Canvases(canvases.rgba[chosen], 0)
    rows = {"original": part.on(background)}
    rows |= {title: rebuild(model, part, background).rgb for title, model in models.items()}
    return labelled_sheet({title: x[..., 16:48, 16:48] for title, x in rows.items()}, scale=3)


def evaluate(rows: Sequence[Row], runs: Path, data: Path, options: argparse.Namespace, out: Path) -> None:
    """Measure trained rows on one set, and write `table.md`, `table.csv`, `table.json` and `pictures-*.png`."""
    canvases = read_canvases(data, options.split, options.count)
    models = {row.title: load_row(row, runs) for row in rows}
    table: dict[str, dict[str, object]] = {}
    for row in rows:
        own = measure(models[row.title], canvases, options.pixel_art_count)
        told = {key: float(f"{value:.5g}") for key, value in own.items()}
        table[row.title] = {**told, "mse (paper, other data)": row.mse, "ssim (paper, other data)": row.ssim}
    out.mkdir(parents=True, exist_ok=True)
    facts = {"split": options.split, "sprites": len(canvases.rgba), "left out": canvases.left_out}
    facts |= {"budget": " ".join(budget(options)), "data": data.name}
    (out / "table.json").write_text(json.dumps({"facts": facts, "rows": table}, indent=1), encoding="utf-8")
    write_csv(out / "table.csv", table)
    print(write_markdown(out / "table.md", table))  # noqa: T201  a command's own output
    for background in BACKGROUNDS:
        picture_table(models, canvases, options.pictures, background).save(out / f"pictures-{background}.png")


def budget(options: argparse.Namespace) -> list[str]:
    """The training options that all rows share."""
    given = {"--steps": options.steps, "--filters": options.filters, "--seed": options.seed, "--batch": options.batch}
    return [text for name, value in given.items() if value is not None for text in (name, str(value))]


def parser() -> argparse.ArgumentParser:
    """The command line."""
    about = (__doc__ or "").split("\n")[0]
    command = argparse.ArgumentParser(prog="python -m train.evaluate reconstruction", description=about)
    command.add_argument("--data", type=Path, required=True, help="folder that train.prepare wrote")
    command.add_argument("--out", type=Path, required=True, help="folder of the runs and the tables")
    command.add_argument("--rows", nargs="*", default=[], metavar="ROW", help=", ".join(row.folder for row in ROWS))
    command.add_argument("--source", nargs="*", default=[], help="only these sources of the set: a less varied one")
    command.add_argument("--no-training", action="store_true", help="only rows whose weights are there already")
    command.add_argument("--split", default="test", help="val to choose by, test to report (default)")
    command.add_argument("--count", type=int, default=0, help="held-out sprites (0: all)")
    command.add_argument(
        "--pixel-art-count", type=int, default=200, metavar="N", help="of them, for the pixel-art score"
    )
    command.add_argument("--pictures", type=int, default=10, help="sprites in the picture tables")
    command.add_argument("--steps", type=int, default=2000, help="training steps of every row")
    command.add_argument("--batch", type=int, help="sprites a step (default: the recipe's)")
    command.add_argument("--filters", type=int, help="features of the widest layer (default: the recipe's)")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--threads", type=int, default=0, help="processor threads (0: PyTorch's choice)")
    return command


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    options = parser().parse_args(argv)
    rows, data = chosen_rows(options.rows), options.data
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.source:
        data = subset(data, options.source, options.out / f"set-{'-'.join(options.source).replace(':', '-')}")
    runs = options.out / "runs"
    if options.no_training:
        rows = tuple(row for row in rows if weights_of(row, runs).is_file())
    for row in rows:
        if not weights_of(row, runs).is_file():
            print(f"training {row.title}", file=sys.stderr)  # noqa: T201  a command's own output
            loop = ["--threads", str(options.threads), "--workers", "0", "--precision", "no"]
            train_row(row, data, runs, [*budget(options), *loop])
    evaluate(rows, runs, data, options, options.out)


def _mean(values: object) -> float:
    numbers = list(values)  # pyright: ignore[reportArgumentType]
    return sum(numbers) / len(numbers)


if __name__ == "__main__":
    main()
