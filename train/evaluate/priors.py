"""`python -m train.evaluate priors`: the paper's Tables 4 and 5: every way to draw sprites under one budget.

A row is a VQ-VAE and a prior over its codes, or a network that draws pixels (GAN, VAE, Pixel VAE), trained with one
budget on one set; what they draw is compared with held-out sprites as a set, over the same features. A row whose
weights are in the folder is not trained again.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from pixel_models.archs.pixelcnn import TO_FILL, PixelCNN
from pixel_models.checkpoint import LoadedModel, load_checkpoint
from pixel_models.codes import decode
from pixel_models.generate import sample_codes, sample_sprites, uniforms_of

from .. import pixelcnn
from ..codeset import CodeSetting, code_set
from ..loop import generator_of
from .data import on_background, read_canvases
from .describers import HOW, describer_of
from .generation import PAPER, SAMPLERS, compare, on_canvas
from .rows import ROWS, Row, train_row, weights_of
from .tables import labelled_sheet, write_csv, write_markdown

_SHOWN = 14
_AT_ONCE = 64


@dataclass(frozen=True)
class PriorRow:
    """One way to draw sprites."""

    title: str
    """As in the paper's Table 5, where it is there."""

    coder: Row | None = None
    """The VQ-VAE; None: levels of RGB, or no codes at all."""

    recipe: str = ""
    """Module that trains a network which draws pixels; empty: a PixelCNN draws codes."""

    options: tuple[str, ...] = ()
    """For that module."""

    @property
    def folder(self) -> str:
        """Of its run."""
        return self.title.lower().replace(" ", "-").replace("(", "").replace(")", "")


def _row(kind: str, size: str) -> PriorRow:
    coder = next(row for row in ROWS if (row.name, row.size) == (kind, size))
    return PriorRow(f"{kind.removeprefix('base ')} {size}", coder)


_SPRITES = ("--setting", "small", "--mirror", "0.5")

PRIOR_ROWS: tuple[PriorRow, ...] = (
    PriorRow("VAE", recipe="train.vae", options=_SPRITES),
    PriorRow("Pixel VAE", recipe="train.vae", options=(*_SPRITES, "--pixel")),
    PriorRow("GAN (DCGAN)", recipe="train.dcgan", options=_SPRITES),
    _row("base VQ-VAE", "LowRes"),
    _row("Pixel VQ-VAE", "LowRes"),
    _row("base VQ-VAE", "MedRes"),
    _row("Pixel VQ-VAE", "MedRes"),
    _row("Pixel VQ-VAE", "HiRes"),
    PriorRow("PixelCNN on RGB"),
)
"""The paper's, in its order (the Pixel VAE is of its Table 8), and the baseline that it says collapses."""


def train_painter(row: PriorRow, data: Path, runs: Path, options: argparse.Namespace) -> Path:
    """Train a row that draws pixels, or go on where its folder holds a state; returns the weights."""
    out = runs / f"prior-{row.folder}"
    budget = ["--steps", str(options.prior_steps), "--sample-every", str(options.prior_steps), "--film-every", "0"]
    budget += ["--side", str(options.side), "--seed", str(options.seed), "--threads", str(options.threads)]
    budget += ["--workers", "0", "--batch", str(options.batch)]
    command: Callable[[Sequence[str]], object] = importlib.import_module(row.recipe).main
    command(["--sprites", str(data), "--out", str(out), *row.options, *budget])
    return painter_weights(row, runs)


def painter_weights(row: PriorRow, runs: Path) -> Path:
    """Where the weights are, or will be, of a row that draws pixels."""
    return runs / f"prior-{row.folder}" / ("vae.safetensors" if row.recipe == "train.vae" else "dcgan.safetensors")


def train_prior(row: PriorRow, data: Path, runs: Path, options: argparse.Namespace) -> Path:
    """Train a row's prior, or go on where its folder holds a state; returns the weights."""
    out = runs / f"prior-{row.folder}"
    model = str(weights_of(row.coder, runs)) if row.coder else pixelcnn.RGB
    budget = ["--steps", str(options.prior_steps), "--sample-every", str(options.prior_steps)]
    budget += ["--width", str(options.width), "--seed", str(options.seed), "--threads", str(options.threads)]
    budget += ["--workers", "0", "--variants", str(options.variants), "--batch", str(options.batch)]
    budget += ["--faithful"] if options.faithful else []
    pixelcnn.main(["--sprites", str(data), "--model", model, "--side", str(options.side), "--out", str(out), *budget])
    return out / "prior.safetensors"


def draw(prior: LoadedModel, coder: LoadedModel | None, labels: Sequence[Sequence[str]], count: int) -> Tensor:
    """Sprites on white, `n 3 h w`, with these labels in turn, unpicked."""
    generator = generator_of(0, "priors")
    if coder is not None:
        grid = sample_sprites(prior, coder, generator, labels=labels, count=count)
        return on_background(torch.cat(decode(coder, grid), 1), "white")
    network, size = prior.module, prior.config.size  # pyright: ignore[reportAttributeAccessIssue]
    assert isinstance(network, PixelCNN)
    places = {name: index for index, name in enumerate(network.config.labels)}
    told = torch.zeros(count, len(places))
    for index in range(count):
        told[index, [places[name] for name in labels[index % len(labels)] if name in places]] = 1
    uniforms = uniforms_of(generator, count, (3, size, size))
    made = []
    for part, asked in zip(uniforms.split(_AT_ONCE), told.split(_AT_ONCE), strict=True):
        start = torch.full(part.shape, TO_FILL)
        made.append(sample_codes(network, start, part, labels=asked if places else None))
    return torch.cat(made).float() / 255


@torch.no_grad()
def bits_a_pixel(prior: LoadedModel, codes: Tensor, labels: Tensor) -> float:
    """Cross entropy of held-out codes `n c h w` with their labels, bits a pixel of the canvas."""
    network = prior.module
    assert isinstance(network, PixelCNN)
    places, pixels = codes[0].numel(), codes[0, 0].numel() * network.config.patch**2
    return pixelcnn.held_out_bits(network, codes, labels) * places / pixels


def parser() -> argparse.ArgumentParser:
    """The command line."""
    about = (__doc__ or "").split("\n")[0]
    command = argparse.ArgumentParser(prog="python -m train.evaluate priors", description=about)
    command.add_argument("--data", type=Path, required=True, help="folder that train.prepare wrote")
    command.add_argument("--out", type=Path, required=True, help="folder of the runs and the tables")
    names = [row.folder for row in PRIOR_ROWS]
    command.add_argument("--rows", nargs="*", default=names, choices=names, metavar="ROW", help=", ".join(names))
    command.add_argument("--side", type=int, default=32, help="of the canvas, pixels; larger sprites are left out")
    command.add_argument("--coder-steps", type=int, default=1000, help="training steps of every VQ-VAE")
    command.add_argument("--filters", type=int, default=128, help="features of the VQ-VAEs' widest layer")
    command.add_argument("--prior-steps", type=int, default=1500, help="training steps of every prior")
    command.add_argument("--width", type=int, default=64, help="features of the priors' stacks")
    command.add_argument("--batch", type=int, default=16, help="sprites a step of a prior")
    command.add_argument("--variants", type=int, default=8, help="of each sprite, for priors")
    command.add_argument("--faithful", action="store_true", help="the paper's prior and recipe instead of ours")
    command.add_argument("--features", default="kiln", help=f"what pictures are compared by: {HOW}")
    command.add_argument("--split", default="test", help="the sprites that are compared with")
    command.add_argument("--count", type=int, default=1000, help="sprites drawn of each row")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--threads", type=int, default=0, help="processor threads (0: PyTorch's choice)")
    return command


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    options = parser().parse_args(argv)
    runs, describer = options.out / "runs", describer_of(options.features)
    if options.threads:
        torch.set_num_threads(options.threads)
    canvases = read_canvases(options.data, options.split)
    half = (canvases.rgba.shape[2] - options.side) // 2
    inner = F.pad(torch.zeros(options.side, options.side), (half,) * 4, value=1.0)
    real = canvases.on("white")[(canvases.rgba[:, 3] * inner).flatten(1).sum(1) == 0]
    table: dict[str, dict[str, object]] = {}
    shown = {"held out": _middle(real[:: max(1, len(real) // _SHOWN)][:_SHOWN], options.side)}
    for row in PRIOR_ROWS:
        if row.folder not in options.rows:
            continue
        print(f"training {row.title}", file=sys.stderr)  # noqa: T201  a command's own output
        coder, began = None, time.monotonic()
        if row.recipe:
            path = painter_weights(row, runs)
            model = load_checkpoint(path if path.is_file() else train_painter(row, options.data, runs, options))
            trained, began = time.monotonic() - began, time.monotonic()
            made = SAMPLERS[model.spec.id](model, options.count, generator_of(0, "priors"))
            measured = compare(on_canvas(made), real, describer)
            measured |= {"seconds of training": trained, "seconds of drawing": time.monotonic() - began}
            _note(table, row, measured, [model])
            shown[row.title] = made[:_SHOWN]
            _write(options, table, shown, {"features": describer.name, "real": len(real)})
            continue
        if row.coder is not None:
            if not weights_of(row.coder, runs).is_file():
                loop = ["--threads", str(options.threads), "--workers", "0", "--filters", str(options.filters)]
                train_row(row.coder, options.data, runs, ["--steps", str(options.coder_steps), *loop])
            coder = load_checkpoint(weights_of(row.coder, runs))
        path = runs / f"prior-{row.folder}" / "prior.safetensors"
        prior = load_checkpoint(path if path.is_file() else train_prior(row, options.data, runs, options))
        trained, began = time.monotonic() - began, time.monotonic()
        names = prior.config.labels  # pyright: ignore[reportAttributeAccessIssue]
        making = CodeSetting(side=options.side, variants=1)
        held = code_set(options.data, options.split, coder, making, None, names)
        labels = [[name for name, flag in zip(names, one, strict=True) if flag] for one in held.labels[:, 0]]
        made = draw(prior, coder, labels, options.count)
        drawn = time.monotonic() - began
        measured = compare(on_canvas(made), real, describer)
        measured["bits a pixel"] = bits_a_pixel(prior, held.codes[:256, 0].long(), held.labels[:256, 0].float())
        measured |= {"seconds of training": trained, "seconds of drawing": drawn}
        _note(table, row, measured, [model for model in (prior, coder) if model is not None])
        shown[row.title] = made[:_SHOWN]
        _write(options, table, shown, {"features": describer.name, "real": len(real)})
    print((options.out / "priors.md").read_text(encoding="utf-8"))  # noqa: T201  a command's own output


def _note(
    table: dict[str, dict[str, object]], row: PriorRow, measured: dict[str, float], models: Sequence[LoadedModel]
) -> None:
    """Put a row into the table."""
    own: dict[str, object] = {key: float(f"{value:.4g}") for key, value in measured.items()}
    own["parameters"] = float(sum(p.numel() for model in models for p in model.module.parameters()))
    if row.title in PAPER:
        own["FID (paper, other data)"] = PAPER[row.title][1]
    table[row.title] = own


def _middle(pictures: Tensor, side: int) -> Tensor:
    low = (pictures.shape[2] - side) // 2
    return pictures[..., low : low + side, low : low + side]


def _write(
    options: argparse.Namespace,
    table: dict[str, dict[str, object]],
    shown: dict[str, Tensor],
    facts: dict[str, object],
) -> None:
    """The table and the sheet so far: rows take long."""
    options.out.mkdir(parents=True, exist_ok=True)
    budget = {key: str(value) for key, value in vars(options).items() if key not in ("data", "out", "rows")}
    text = json.dumps({"facts": facts | {"budget": budget}, "rows": table}, indent=1)
    (options.out / "priors.json").write_text(text, encoding="utf-8")
    write_csv(options.out / "priors.csv", table)
    write_markdown(options.out / "priors.md", table)
    labelled_sheet(shown, scale=2).save(options.out / "priors.png")


if __name__ == "__main__":
    main()
