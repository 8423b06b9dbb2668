"""`python -m train.pix2pix`: pix2pix on pairs of pictures: folders, files side by side, or pairs made from sprites.

Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017,
https://arxiv.org/abs/1611.07004. Losses, as logged:
    D_real, D_fake  the discriminator's, on (a, b) and on (a, G(a)); half their sum is minimised   equation 1
    G_GAN           the generator's, adversarial                                                   equation 1
    G_L1            G(a) = b                                                                       equation 3
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from pixel_models.checkpoint import save_checkpoint

from .aligned import PairCrops, PairDraw, PairedBatches, PairSet, PairsFromSprites, PairsOnGrid, matching, side_by_side
from .canvas import CanvasMaker
from .classic_parts import (
    ClassicSetting,
    adam,
    add_setting_arguments,
    build_discriminator,
    build_generator,
    chosen_setting,
    judge_loss,
    sheet_of,
)
from .gan import gan_loss
from .loop import Batch, StepContext, add_arguments, generator_of, run
from .pictures import PictureSet, read_picture_set
from .unaligned import LARGEST_SPRITE, cell_size, check_canvases, to_native

_PAIRED = ClassicSetting(arch="unet_256", norm="batch", dropout=True, gan_mode="vanilla", pool=0)

SETTINGS: Mapping[str, ClassicSetting] = {
    "tiny": dataclasses.replace(
        _PAIRED, arch="unet_128", channels=4, judge_channels=4, load=144, crop=128, steps=20, epochs=2, decay_epochs=2
    ),
    "small": dataclasses.replace(
        _PAIRED, arch="unet_128", channels=32, judge_channels=32, load=144, crop=128, batch=4, steps=4000
    ),
    "full": _PAIRED,
}
"""`full` is the reference's."""


class Pix2Pix:
    """The recipe: a generator, and a discriminator that sees its input beside its output."""

    def __init__(
        self,
        pairs: PairedBatches,
        setting: ClassicSetting,
        *,
        l1: float = 100.0,
        shown: tuple[Tensor, Tensor] | None = None,
        seed: int = 0,
    ) -> None:
        """Build the networks from the seed; sheets show the pairs `shown`, or drawn ones.

        Args:
            pairs: draws batches.
            setting: sizes, schedule, losses.
            l1: weight of the difference to the truth.
            shown: pictures of A and their partners of B, each `n 3 crop crop`.
            seed: of the starting weights.
        """
        self.setting, self.l1 = setting, l1
        self.spec, self.g = build_generator(setting, seed, "G")
        self.d = build_discriminator(setting, seed, "D", in_channels=6)
        self.nets: Mapping[str, nn.Module] = {"g": self.g, "d": self.d}
        self.averaged: Mapping[str, nn.Module] = {"g": self.g}
        self.optimizers = {
            "generator": adam(self.g.parameters(), setting.rate),
            "discriminator": adam(self.d.parameters(), setting.rate),
        }
        self.make_batch = pairs
        self._shown = shown or sample(pairs)

    def rate_factor(self, step: int, steps: int) -> float:
        """The reference's schedule by epoch, without a warm-up."""
        return self.setting.schedule.factor_at(step, steps)

    def train_step(self, batch: Batch, step: int, context: StepContext) -> dict[str, Tensor]:
        """The discriminator, then the generator."""
        del step
        a, b = batch["a"], batch["b"]
        with context.seeded(), context.autocast():
            made = self.g(a)
        self.d.requires_grad_(True)
        real, fake = torch.cat([a, b], dim=1), torch.cat([a, made.detach()], dim=1)
        on_real, on_made, penalty = judge_loss(self.d, real, fake, self.setting, context, made_first=True)
        context.apply(0.5 * (on_real + on_made) + penalty, self.optimizers["discriminator"])
        self.d.requires_grad_(False)
        with context.autocast():
            adversarial = gan_loss(self.d(torch.cat([a, made], dim=1)), True, self.setting.gan_mode)
            difference = self.l1 * F.l1_loss(made, b)
        context.apply(adversarial + difference, self.optimizers["generator"])
        return {"G_GAN": adversarial, "G_L1": difference, "D_real": on_real, "D_fake": on_made}

    def sample_sheet(self, nets: Mapping[str, nn.Module]) -> Image.Image:
        """Rows: pictures, what the generator makes of them, the truth."""
        device = next(self.g.parameters()).device
        a, b = (shown.to(device) for shown in self._shown)
        return sheet_of(lambda tried: [a, tried["g"](a), b], nets, self.setting)

    def export(self, nets: Mapping[str, nn.Module], folder: Path, facts: Mapping[str, Any]) -> list[Path]:
        """Write the averaged generator in half precision."""
        path = folder / "pix2pix.safetensors"
        metadata = {
            "training": str({key: str(value) for key, value in facts.items()}),
            "recipe": "pix2pix",
            "direction": str(facts.get("direction", "AtoB")),
            "cell": str(facts.get("cell", "")),
        }
        save_checkpoint(path, nets["g"], self.spec, nets["g"].config, metadata, half=True)
        return [path]


def sample(pairs: PairedBatches) -> tuple[Tensor, Tensor]:
    """Six pairs for sheets, each `6 3 h w`, always the same ones."""
    batch = dataclasses.replace(pairs, batch=6)(generator_of(0, "sheet"))
    return batch["a"], batch["b"]


def draw_pairs(options: argparse.Namespace, setting: ClassicSetting, split: str) -> tuple[PairDraw, str, int]:
    """How to draw from the folders that the options name, what B was taken for, and how many pictures there are.

    Raises:
        ValueError: none or several of `--pairs`, `--sprites`, `--a` and `--b` are given, or they do not match.
        FileNotFoundError: a folder holds no pictures of the split.
    """
    given = [bool(options.pairs), bool(options.sprites), bool(options.a and options.b)]
    if sum(given) != 1 or bool(options.a) != bool(options.b):
        msg = "give --pairs FOLDER (files side by side), or --a FOLDER --b FOLDER (equal names), or --sprites FOLDER"
        raise ValueError(msg)
    if setting.crop % options.cell:
        msg = f"cells of {options.cell} pixels do not divide crops of {setting.crop}; give --cell one that does"
        raise ValueError(msg)
    if options.sprites:
        sprites = to_native(read_picture_set(options.sprites, split))
        canvases = CanvasMaker(sprites)
        check_canvases(canvases, setting.crop, options.cell)
        return PairsFromSprites(canvases, setting.crop, options.cell), "sprites", len(sprites)
    if options.pairs:
        pairs = side_by_side(read_picture_set(options.pairs, split))
    else:
        pairs = matching(*(_in_split(read_picture_set(folder, split), split) for folder in (options.a, options.b)))
    kind = options.b_kind
    if kind == "auto":
        kind = "sprites" if _mostly_sprites(pairs) else "pictures"
    count = len(pairs.a)
    if kind == "sprites":
        return PairsOnGrid(pairs, setting.crop, options.cell), kind, count
    return PairCrops(pairs, setting.preparation), kind, count


def _in_split(pictures: PictureSet, split: str) -> PictureSet:
    """Names without the split's folder, which one of two folders may have and the other not."""
    return dataclasses.replace(pictures, names=tuple(name.removeprefix(f"{split}/") for name in pictures.names))


def _mostly_sprites(pairs: PairSet) -> bool:
    """Whether at least half of B is, at native size, no larger than sprites are."""
    return sum(max(b.shape[1:]) // cell_size(b) <= LARGEST_SPRITE for b in pairs.b) * 2 >= len(pairs.b)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    command = argparse.ArgumentParser(prog="python -m train.pix2pix", description=(__doc__ or "").split("\n")[0])
    command.add_argument("--pairs", type=Path, help="folder of files with A on the left and B on the right")
    command.add_argument("--a", type=Path, help="folder of pictures whose partners have the same names in --b")
    command.add_argument("--b", type=Path, help="folder of their partners, sprites at native size or any pictures")
    command.add_argument("--sprites", type=Path, help="folder of sprites that pairs are made from")
    command.add_argument("--direction", choices=["AtoB", "BtoA"], default="AtoB")
    command.add_argument(
        "--b-kind", choices=["auto", "sprites", "pictures"], default="auto", help="what B holds (default: look)"
    )
    command.add_argument("--cell", type=int, default=4, metavar="PIXELS", help="size of a sprite's cell in a crop")
    command.add_argument("--l1", type=float, default=100.0, help="weight of the difference to the truth")
    add_setting_arguments(command, SETTINGS, without=["pool"])
    add_arguments(command)
    return command


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    options = parser().parse_args(argv)
    swap = options.direction == "BtoA"
    first = chosen_setting(argparse.Namespace(**vars(options)), SETTINGS, 1)  # what to crop; then, how many there are
    draw, kind, count = draw_pairs(options, first, "train")
    setting = chosen_setting(options, SETTINGS, count)
    try:
        held_out, _, _ = draw_pairs(options, setting, "val")
        shown = sample(PairedBatches(held_out, setting.batch, swap))
    except (FileNotFoundError, ValueError):  # none is held out, or nothing that fits on a canvas
        shown = None
    print(f"B is taken for {kind}; {options.steps} steps", file=sys.stderr)  # noqa: T201  a command's own output
    recipe = Pix2Pix(PairedBatches(draw, setting.batch, swap), setting, l1=options.l1, shown=shown, seed=options.seed)
    facts = {"recipe": "pix2pix", "seed": options.seed, "l1": options.l1, "direction": options.direction}
    facts |= {"b_kind": kind, "cell": options.cell if kind == "sprites" else ""}
    for path in run(recipe, options, {**dataclasses.asdict(setting), **facts}):
        print(path, file=sys.stdout)  # noqa: T201  a command's own output


if __name__ == "__main__":
    main()
