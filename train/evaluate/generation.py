"""`python -m train.evaluate generation`: the paper's Table 5: made pictures against sprites, as sets.

Who makes pictures joins by a folder of them, or by a weight file of an architecture that `SAMPLERS` knows. The row
`training sprites` is as near as anything can be expected to come.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

import pixel_models
from pixel_models.archs.dcgan import DCGANGenerator
from pixel_models.archs.pixelcnn import PixelCNN
from pixel_models.archs.vae import VAE
from pixel_models.checkpoint import LoadedModel
from pixel_models.codes import decode
from pixel_models.errors import ModelKindError
from pixel_models.generate import coder_name, sample_sprites

from ..loop import generator_of
from ..metrics import frechet_distance, kernel_distance_in_blocks
from ..pictures import read_picture_set
from .data import SIDE, Canvases, on_background, read_canvases
from .describers import HOW, Describer, describer_of
from .tables import labelled_sheet, write_csv, write_markdown
from .variants import BAD

Sampler = Callable[[LoadedModel, int, torch.Generator], Tensor]
"""A model, how many pictures, a generator: `n 3 h w` in [0, 1]; transparent parts on white."""

PAPER: dict[str, tuple[int, float]] = {
    "VAE": (7_680_774, 322.746),
    "GAN (DCGAN)": (15_424_000, 101.759),
    "VQ-VAE LowRes": (20_998, 167.464),
    "Pixel VQ-VAE LowRes": (1_413_065, 154.735),
    "VQ-VAE MedRes": (17_222, 118.253),
    "Pixel VQ-VAE MedRes": (1_102_121, 124.302),
    "Pixel VQ-VAE HiRes": (54_313, 98.575),
}
"""Table 5 of Saravanan and Guzdial 2022: parameters, FID of 10,000 pictures, on their data; VQ-VAE with a PixelCNN."""


@torch.no_grad()
def sample_vae(model: LoadedModel, count: int, generator: torch.Generator) -> Tensor:
    """Pictures of latents drawn from N(0, 1)."""
    net = model.module
    assert isinstance(net, VAE)
    latents = torch.randn(count, net.config.latent, generator=generator)
    rgb = torch.cat([net.decode(part) for part in latents.split(64)])
    if net.config.channels == 4:
        alpha = (rgb[:, 3:] >= 0.5).float()
        rgb = on_background(torch.cat([(rgb[:, :3] / rgb[:, 3:].clamp_min(0.5)).clamp(0, 1), alpha], 1), "white")
    return rgb


def sample_pixelcnn(model: LoadedModel, count: int, generator: torch.Generator) -> Tensor:
    """Sprites with the labels that the model's own palettes have, from shipped codes.

    Raises:
        ModelKindError: the codes are of no shipped VQ-VAE; `python -m train.evaluate priors` measures those.
    """
    coder, net = coder_name(model), model.module
    assert isinstance(net, PixelCNN)
    if coder is None:
        msg = "this prior's codes are of no shipped VQ-VAE; measure it with `python -m train.evaluate priors`"
        raise ModelKindError(msg)
    _, flags = net.bank()
    names = [[name for name, flag in zip(net.config.labels, one, strict=True) if flag] for one in flags]
    decoder = pixel_models.load(coder)
    grid = sample_sprites(model, decoder, generator, labels=names, count=count)
    return on_background(torch.cat(decode(decoder, grid), 1), "white")


@torch.no_grad()
def sample_dcgan(model: LoadedModel, count: int, generator: torch.Generator) -> Tensor:
    """Sprites of latents drawn from N(0, 1), none asked for in particular."""
    net = model.module
    assert isinstance(net, DCGANGenerator)
    latents = torch.randn(count, net.config.latent, generator=generator)
    made = torch.cat([net(part) for part in latents.split(64)])
    return made if net.config.channels == 3 else made[:, :3] + 1 - made[:, 3:]  # RGB times alpha, on white


SAMPLERS: dict[str, Sampler] = {"vae": sample_vae, "dcgan": sample_dcgan, "pixelcnn": sample_pixelcnn}
"""Architecture to how pictures are drawn from it; a new generator joins with a line."""


def made_by(source: str, count: int, seed: int = 0) -> tuple[Tensor, int | None]:
    """`count` pictures `n 3 64 64` of a folder of pictures or a model, and the model's parameters.

    Raises:
        ModelKindError: the model draws no pictures that this command knows of.
        FileNotFoundError, CheckpointError: there is neither folder nor model.
    """
    if Path(source).is_dir():
        return folder_pictures(Path(source), count), None
    model = pixel_models.load(source)
    if model.spec.id not in SAMPLERS:
        msg = f"{source} is a {model.spec.id}, expected one of {sorted(SAMPLERS)} or a folder of pictures"
        raise ModelKindError(msg)
    pictures = SAMPLERS[model.spec.id](model, count, generator_of(seed, "generation"))
    return on_canvas(pictures), sum(p.numel() for p in model.module.parameters())


def folder_pictures(folder: Path, count: int) -> Tensor:
    """The first `count` pictures of a folder, on white canvases: `n 3 64 64`."""
    pictures = read_picture_set(folder).pictures[:count]
    return torch.cat([on_canvas(on_background(p[None].float() / 255, "white")) for p in pictures])


def on_canvas(rgb: Tensor) -> Tensor:
    """Pictures `n 3 h w` in the middle of white canvases of 64 pixels; of larger ones the middle is kept."""
    height, width = rgb.shape[2:]
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    return F.pad(rgb, (left, SIDE - width - left, top, SIDE - height - top), value=1.0)


def compare(made: Tensor, real: Tensor, describer: Describer) -> dict[str, float]:
    """Distances of two sets of pictures `n 3 64 64` and `m 3 64 64`; see `train.metrics`."""
    one, two = describer(made), describer(real)
    kernel, frechet = describer.distances
    mean, spread = kernel_distance_in_blocks(one, two)
    return {kernel: mean, f"{kernel} ±": spread, frechet: frechet_distance(one, two), "pictures": float(len(made))}


def damaged(canvases: Canvases, kind: str) -> Tensor:
    """Sprites spoiled in one of the ways of `BAD`, its middle level where it has one, on white: `n 3 64 64`."""
    made = []
    for index, sprite in enumerate(canvases.rgba):
        tries = (BAD[kind](sprite, level, generator_of(index, kind)) for level in (1, 0))
        made.append(next((spoiled for spoiled in tries if spoiled is not None), sprite))
    return on_background(torch.stack(made), "white")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    about = (__doc__ or "").split("\n")[0]
    command = argparse.ArgumentParser(prog="python -m train.evaluate generation", description=about)
    command.add_argument("--data", type=Path, required=True, help="folder that train.prepare wrote")
    command.add_argument("--out", type=Path, required=True, help="folder of the tables")
    command.add_argument(
        "--made", nargs="+", default=[], metavar="NAME=SOURCE", help="what is measured: a folder of pictures or a model"
    )
    command.add_argument(
        "--damaged", nargs="*", default=[], choices=list(BAD), help="rows of spoiled training sprites, to compare with"
    )
    command.add_argument("--features", default="kiln", help=f"what pictures are compared by: {HOW}")
    command.add_argument("--split", default="test", help="the sprites that are compared with")
    command.add_argument("--count", type=int, default=2000, help="pictures of each maker")
    return command


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    command = parser()
    options = command.parse_args(argv)
    if wrong := [text for text in options.made if "=" not in text]:
        command.error(f"--made got {wrong}, expected NAME=SOURCE")
    describer = describer_of(options.features)
    real = read_canvases(options.data, options.split).on("white")
    training = read_canvases(options.data, "train", len(real))
    sets: dict[str, tuple[Tensor, int | None]] = {"training sprites": (training.on("white"), None)}
    sets |= {f"training sprites, {kind}": (damaged(training, kind), None) for kind in options.damaged}
    sets |= {name: made_by(source, options.count) for name, _, source in (t.partition("=") for t in options.made)}
    table: dict[str, dict[str, object]] = {}
    for name, (pictures, parameters) in sets.items():
        row: dict[str, object] = {k: float(f"{v:.5g}") for k, v in compare(pictures, real, describer).items()}
        row |= {"parameters": float(parameters)} if parameters else {}
        if name in PAPER:
            row |= {"parameters (paper)": PAPER[name][0], "FID (paper, other data)": PAPER[name][1]}
        table[name] = row
    options.out.mkdir(parents=True, exist_ok=True)
    facts = {"features": describer.name, "split": options.split, "real": len(real)}
    (options.out / "generation.json").write_text(
        json.dumps({"facts": facts, "rows": table}, indent=1), encoding="utf-8"
    )
    write_csv(options.out / "generation.csv", table)
    print(write_markdown(options.out / "generation.md", table))  # noqa: T201  a command's own output
    shown = {"held out": real[:: max(1, len(real) // 12)][:12]}
    shown |= {name: pictures[:: max(1, len(pictures) // 12)][:12] for name, (pictures, _) in sets.items()}
    labelled_sheet(shown, scale=2).save(options.out / "generation.png")


if __name__ == "__main__":
    main()
