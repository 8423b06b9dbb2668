"""`python -m train.evaluate latents`: how steady walks are, and how well given sprites are found.

    python -m train.evaluate latents kiln-dcgan kiln-vae --sprites FOLDER

Walks are measured as `pixel-kiln walk` makes them, beside the same frames each decided alone: `changed`, visible cells
that differ from the frame before; `blinks`, those that are as before again in the next; `distance`, of opaque cells to
what the network drew, in Oklab. Sprites are the model's own, as `pixel-kiln sample` draws them, and those of folders:
`overlap`, cells that both a sprite and the model's idea of it show, of those that either shows; `distance` of their
colours in Oklab, root of the mean square; `refused`, those that a DCGAN is not taken to draw.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

import pixel_models
from pixel_models.archs.dcgan import DCGANGenerator
from pixel_models.checkpoint import LoadedModel
from pixel_models.color import srgb_to_oklab
from pixel_models.latents import (
    HOLD,
    Pictures,
    Seed,
    decode_latents,
    draw_sprites,
    encode_sprites,
    find_latents,
    fit_sprites,
    generator_of,
    latent_size,
    latents_of_seeds,
    plan_walk,
    steady_frames,
)
from pixel_models.latents.encode import LEAST_OVERLAP, MOST_DISTANCE
from pixel_models.latents.find import Found, likeness
from pixel_models.latents.steady import ALPHA_HOLD
from pixel_models.palette import IndexedImage, extract_palette
from pixel_models.spec import Purpose
from pixel_models.spritefiles import read_art

OWN_SEED = 11
"""Of the model's own sprites: another than those of the walks."""


class Steadiness(NamedTuple):
    """Of the frames of a loop; means over cells."""

    changed: float
    """Visible cells that differ from the frame before."""

    blinks: float
    """Visible cells that differ from the frame before and after, which are alike."""

    distance: float
    """Oklab distance of opaque cells to what the network drew."""


def steadiness(art: IndexedImage, pictures: Pictures) -> Steadiness:
    """How steady the frames of a loop are, and how true to the pictures that they were made of."""
    frame = art.to_rgba()
    before, after = frame.roll(1, 0), frame.roll(-1, 0)
    visible = (frame[:, 3] > 0) | (before[:, 3] > 0)
    differs = (frame != before).any(1) & visible
    blinks = differs & (before == after).all(1)
    both = (frame[:, 3] > 0) & (pictures.alpha[:, 0] >= 0.5)
    apart = (srgb_to_oklab(frame[:, :3]) - srgb_to_oklab(pictures.rgb)).norm(dim=1)[both]
    seen = visible.sum()
    return Steadiness(float(differs.sum() / seen), float(blinks.sum() / seen), float(apart.mean()))


def walk_steadiness(model: LoadedModel, seed: int, frames: int, colors: int) -> tuple[Steadiness, Steadiness]:
    """Of a loop through three sprites of a seed: as it is made, and each frame alone."""
    keys = latents_of_seeds([Seed(seed, place) for place in range(3)], latent_size(model))
    route = plan_walk(model, keys, torch.Generator().manual_seed(seed), frames=frames)
    pictures = decode_latents(model, route.latents, route.labels)
    palette = extract_palette(pictures.rgb, colors, weight=(pictures.alpha >= 0.5).float())
    steady, alone = (
        steady_frames(pictures, palette, loop=True, hold=hold, alpha_hold=alpha_hold)
        for hold, alpha_hold in ((HOLD, ALPHA_HOLD), (0.0, 0.0))
    )
    return steadiness(steady, pictures), steadiness(alone, pictures)


def find_again(model: LoadedModel, sprites: Tensor) -> Found:
    """What a model makes of fitted sprites `b 4 h w`, whether or not that is near."""
    if isinstance(generator_of(model), DCGANGenerator):
        return find_latents(model, sprites, torch.Generator().manual_seed(0))
    latents = encode_sprites(model, sprites).mean
    return Found(latents, *likeness(decode_latents(model, latents), sprites))


def read_sprites(folder: Path, side: int, count: int) -> Tensor:
    """The first frames of `count` files of a folder and those below it, evenly spread by name, fitted to a canvas."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".png", ".gif", ".webp"))
    if not paths:
        msg = f"{folder} holds no .png, .gif or .webp"
        raise FileNotFoundError(msg)
    chosen = [paths[index * len(paths) // min(count, len(paths))] for index in range(min(count, len(paths)))]
    return torch.cat([fit_sprites(read_art(path).frames[0].rgba[None], side, path.name) for path in chosen])


def parser() -> argparse.ArgumentParser:
    """The command line."""
    command = argparse.ArgumentParser(
        prog="python -m train.evaluate latents", description=(__doc__ or "").split("\n")[0]
    )
    command.add_argument("models", nargs="+", metavar="MODEL", help="DCGANs and VAEs: names of the pack's, or files")
    command.add_argument("--sprites", nargs="*", type=Path, default=[], metavar="FOLDER", help="of sprites to find")
    command.add_argument("--count", type=int, default=24, help="sprites of each kind (default 24)")
    command.add_argument("--walks", type=int, default=4, help="loops through the first sprites of the seeds 1, 2, …")
    command.add_argument("--frames", type=int, default=24)
    command.add_argument("--colors", type=int, default=16)
    return command


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    options = parser().parse_args(argv)
    if options.count < 1 or options.walks < 0:
        parser().error(f"--count is {options.count} and --walks {options.walks}, expected 1 and 0 or more")
    for name in options.models:
        model = pixel_models.load(name, purpose=Purpose.GENERATE)
        walks = [walk_steadiness(model, seed + 1, options.frames, options.colors) for seed in range(options.walks)]
        for which, told in (("steady", [one for one, _ in walks]), ("alone", [one for _, one in walks])):
            if told:
                means = (sum(values) / len(told) for values in zip(*told, strict=True))
                _tell(name, f"walks, {which}", dict(zip(Steadiness._fields, means, strict=True)))
        side = generator_of(model).config.size
        own = draw_sprites(model, torch.Generator().manual_seed(OWN_SEED), count=options.count).to_rgba()
        kinds = {"its own": own} | {
            str(folder): read_sprites(folder, side, options.count) for folder in options.sprites
        }
        for kind, sprites in kinds.items():
            begun = time.perf_counter()
            found = find_again(model, sprites)
            refused = (found.overlap < LEAST_OVERLAP) | (found.distance > MOST_DISTANCE)
            _tell(
                name,
                f"{len(sprites)} of {kind}",
                {
                    "overlap": float(found.overlap.median()),
                    "least": float(found.overlap.min()),
                    "distance": float(found.distance.median()),
                    "refused": float(refused.float().mean()),
                    "seconds each": (time.perf_counter() - begun) / len(sprites),
                },
            )


def _tell(model: str, what: str, figures: dict[str, float]) -> None:
    told = "  ".join(f"{name} {value:.3f}" for name, value in figures.items())
    print(f"{model}  {what}:  {told}", file=sys.stdout, flush=True)  # noqa: T201  a command's own output
