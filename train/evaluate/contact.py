"""`python -m train.evaluate contact`: unpicked samples of a prior, each beside the training sprite most like it.

Only training sprites under one licence are shown (CC0 by default), since the sheet is a picture of them. What is told
counts all of them: of the places that show something, in how many a sample differs from its nearest one, and the same
of held-out sprites. Samples that are much nearer than held-out sprites are copies.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

import pixel_models
from pixel_models.checkpoint import LoadedModel
from pixel_models.errors import ModelKindError
from pixel_models.generate import Choice, coder_name, sample_sprites
from pixel_models.spec import Purpose

from ..attributes import rows_by_name
from ..codeset import CodeSet, CodeSetting, code_set
from ..loop import generator_of
from ..nearest import nearest_shares
from ..pixelcnn import shown

_COPY = 0.05
"""A sample of which so little differs is called a copy."""


def without(train: CodeSet, keep: Sequence[bool]) -> CodeSet:
    """The sprites whose flag is set."""
    chosen = torch.tensor([index for index, flag in enumerate(keep) if flag])
    return dataclasses.replace(
        train,
        codes=train.codes[chosen],
        opaque=train.opaque[chosen],
        labels=train.labels[chosen],
        weights=train.weights[chosen],
        paths=tuple(train.paths[int(index)] for index in chosen),
    )


def labels_like(held_out: CodeSet) -> list[list[str]]:
    """What each held-out sprite is, to ask for the like."""
    return [[n for n, flag in zip(held_out.names, row, strict=True) if flag] for row in held_out.labels[:, 0]]


def contact_sheet(samples: Tensor, nearest: Tensor, columns: int, scale: int) -> Image.Image:
    """Pictures `n 3 s s` and `n 3 s s`: a row of samples, below it the sprites most like them, and so on."""
    side, gap = samples.shape[2] * scale, 4
    rows = -(-len(samples) // columns)
    canvas = Image.new("RGB", (columns * (side + gap) + gap, rows * (2 * side + 3 * gap) + gap), (72, 72, 88))
    for index, pair in enumerate(zip(samples, nearest, strict=True)):
        y, x = divmod(index, columns)
        for below, picture in enumerate(pair):
            pixels = (picture.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
            large = Image.fromarray(pixels).resize((side, side), Image.Resampling.NEAREST)
            canvas.paste(large, (gap + x * (side + gap), gap + y * (2 * side + 3 * gap) + below * (side + gap // 2)))
    return canvas


def parser() -> argparse.ArgumentParser:
    """The command line."""
    about = (__doc__ or "").split("\n")[0]
    command = argparse.ArgumentParser(prog="python -m train.evaluate contact", description=about)
    command.add_argument("prior", help="a PixelCNN: a name or a file")
    command.add_argument("--coder", help="its VQ-VAE (default: the shipped one that it belongs to)")
    command.add_argument("--data", type=Path, required=True, help="the set that it was trained on")
    command.add_argument("--out", type=Path, required=True, help="the sheet to write")
    command.add_argument("--least", type=int, default=0, metavar="PIXELS", help="as in its training")
    command.add_argument("--split", default="test", help="whose labels are asked for")
    command.add_argument("--licence", default="CC0", help="of the training sprites that are shown")
    command.add_argument("--count", type=int, default=48, help="samples")
    command.add_argument("--columns", type=int, default=16)
    command.add_argument("--scale", type=int, default=3, help="every pixel a square of so many")
    command.add_argument("--temperature", type=float, default=1.0)
    command.add_argument("--top-p", type=float, default=1.0)
    command.add_argument("--seed", type=int, default=0)
    return command


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    options = parser().parse_args(argv)
    prior = pixel_models.load(options.prior, purpose=Purpose.SAMPLE)
    coder = _coder(prior, options.coder)
    config: Any = prior.config
    setting = CodeSetting(side=config.size * config.patch, least=options.least)
    train = code_set(options.data, "train", coder, setting, None, config.labels)
    held_out = code_set(options.data, options.split, coder, dataclasses.replace(setting, variants=1), None, train.names)
    asked = labels_like(held_out)
    asked = [asked[int(i)] for i in torch.linspace(0, len(asked) - 1, options.count)]
    choice = Choice(temperature=options.temperature, top_p=options.top_p)
    generator = generator_of(options.seed, "contact")
    made = sample_sprites(prior, coder, generator, labels=asked, count=options.count, choice=choice).indices[:, None]
    near, real = nearest_shares(made, train), nearest_shares(held_out.codes[:, 0].long(), train)
    for name, found in (("samples", near.shares), ("held-out sprites", real.shares)):
        quarters = " ".join(f"{q:.3f}" for q in found.quantile(torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0])).tolist())
        copies = int((found < _COPY).sum())
        told = f"differ from the nearest in {quarters} (quartiles); nearer than {_COPY}: {copies} of {len(found)}"
        print(f"{name}: {told}")  # noqa: T201  a command's own output
    rows = rows_by_name(options.data)
    free = without(train, [options.licence in rows.get(path, {}).get("licence", "") for path in train.paths])
    beside = nearest_shares(made, free)
    pictures = shown(free.codes[beside.sprites, beside.variants].long(), coder)
    contact_sheet(shown(made, coder), pictures, options.columns, options.scale).save(options.out)


def _coder(prior: LoadedModel, name: str | None) -> LoadedModel:
    name = name or coder_name(prior)
    if name is None:
        msg = "this prior belongs to no shipped VQ-VAE; give its own with --coder"
        raise ModelKindError(msg)
    return pixel_models.load(name, purpose=Purpose.ENCODE)


if __name__ == "__main__":
    main()
