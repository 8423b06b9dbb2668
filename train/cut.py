"""`python -m train.cut`: CUT, one generator from pictures to pixel art, held to its input by PatchNCE, no way back.

Park et al., "Contrastive Learning for Unpaired Image-to-Image Translation", ECCV 2020,
https://arxiv.org/abs/2007.15651. `--arch native` is the same for the native-grid generator (`cut_native.py`).
Losses, as logged:
    D_real, D_fake  the discriminator's; half their sum is minimised               equation 1
    G_GAN           the generator's, adversarial                                   equation 1
    NCE             places of G(a) are told by their features from others of a     equation 3
    NCE_Y           the same for G(b) and b: identity                              equation 4
    G               G_GAN and the mean of both NCE
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

from pixel_models.checkpoint import save_checkpoint

from . import cut_native
from .classic_parts import adam, add_setting_arguments, chosen_setting, judge_loss, pictures_stay_alone, sheet_of
from .cut_native_parts import NATIVE, NATIVE_SETTINGS, NativeCutSetting
from .cut_parts import (
    CUT_ARCHS,
    ByChance,
    Choices,
    CutSetting,
    MakeChoices,
    add_classic_arguments,
    add_nce_arguments,
    build_cut_discriminator,
    build_cut_generator,
    build_heads,
    settle_options,
)
from .gan import gan_loss
from .loop import Batch, StepContext, add_arguments, run
from .patchnce import contrast
from .pictures import read_picture_set
from .unaligned import Draw, PictureCrops, UnpairedBatches, draw_b, sample

SETTINGS: Mapping[str, CutSetting] = {
    "tiny": CutSetting(
        arch="resnet_6blocks",
        channels=4,
        judge_channels=4,
        load=36,
        crop=32,
        steps=20,
        epochs=2,
        decay_epochs=2,
        patches=16,
        features=8,
    ),
    "small": CutSetting(
        arch="resnet_6blocks", channels=32, judge_channels=32, load=144, crop=128, steps=3000, features=128
    ),
    "full": CutSetting(),
}
"""`full` is the reference's."""


class CUT:
    """The recipe: a generator, the heads that compare its layers, a discriminator."""

    def __init__(
        self,
        a: Draw,
        b: Draw,
        setting: CutSetting,
        *,
        name: str = "CUT",
        shown: tuple[Tensor, Tensor] | None = None,
        seed: int = 0,
        choices: MakeChoices = ByChance,
    ) -> None:
        """Build the networks from the seed; sheets show the pictures `shown`, or drawn ones.

        Args:
            a: draws pictures of A, `3 crop crop`.
            b: draws pictures of B.
            setting: sizes, schedule, losses.
            name: what the weight file says it is, and in lower case the file's name.
            shown: pictures of A and of B for the sheets, each `n 3 crop crop`.
            seed: of the starting weights.
            choices: makes what a step leaves to chance from the step's generator.
        """
        self.setting, self.name = setting, name
        self.spec, self.g = build_cut_generator(setting, seed)
        self.heads = build_heads(setting, self.g, seed)
        self.d = build_cut_discriminator(setting, seed)
        self.nets: Mapping[str, nn.Module] = {"g": self.g, "heads": self.heads, "d": self.d}
        self.averaged: Mapping[str, nn.Module] = {"g": self.g}
        names = {"generator": self.g, "heads": self.heads, "discriminator": self.d}
        self.optimizers = {name: adam(net.parameters(), setting.rate) for name, net in names.items()}
        self.make_batch = UnpairedBatches(a, b, setting.batch)
        self._choices = choices
        self._shown = shown or (sample(a), sample(b))

    def rate_factor(self, step: int, steps: int) -> float:
        """The reference's schedule by epoch, without a warm-up."""
        return self.setting.schedule.factor_at(step, steps)

    def train_step(self, batch: Batch, step: int, context: StepContext) -> dict[str, Tensor]:
        """The discriminator, then the generator and the heads."""
        del step
        a, b, s = batch["a"], batch["b"], self.setting
        choices = self._choices(context.generator)
        mirrored = s.flip_equivariance and choices.mirrored()
        real = torch.cat([a, b]) if s.nce_identity else a
        with context.seeded(), context.autocast():
            made, keys = self.g.translate(real.flip(3) if mirrored else real, s.nce_layers)
            if mirrored:  # else the generator has just seen what is compared with
                with torch.no_grad():
                    keys = self.g.features(real, s.nce_layers)
        fake = made[: len(a)]
        self.d.requires_grad_(True)
        on_real, on_made, penalty = judge_loss(self.d, b, fake.detach(), s, context, made_first=True)
        context.apply(0.5 * (on_real + on_made) + penalty, self.optimizers["discriminator"])
        self.d.requires_grad_(False)
        with context.seeded(), context.autocast():
            losses = {"G_GAN": s.gan_weight * gan_loss(self.d(fake), True, s.gan_mode)}
            parts = [slice(index * len(a), (index + 1) * len(a)) for index in range(1 + s.nce_identity)]
            at_once = pictures_stay_alone(self.g, made) and not s.faithful
            looked = [made] if at_once else [made[part] for part in parts]
            seen = [self.g.features(each, s.nce_layers) for each in looked]
            queries = [torch.cat(maps) for maps in zip(*seen, strict=True)]
            queries = [x.flip(3) for x in queries] if mirrored else queries
            for name, part in zip(("NCE", "NCE_Y"), parts, strict=False):
                query, key = ([x[part] for x in maps] for maps in (queries, keys))
                losses[name] = s.nce_weight * self._compare(query, key, choices)
        losses["G"] = losses["G_GAN"] + torch.stack(list(losses.values())[1:]).mean()
        context.apply(losses["G"], self.optimizers["generator"], self.optimizers["heads"])
        return {**losses, "D_real": on_real, "D_fake": on_made}

    def _compare(self, queries: Sequence[Tensor], keys: Sequence[Tensor], choices: Choices) -> Tensor:
        """How well what was made is told apart by its layers from `keys`, those of what it was made from."""
        s = self.setting
        places = choices.places(keys, s.patches)
        return contrast(self.heads, queries, keys, places, temperature=s.temperature, across_batch=s.all_negatives)

    def sample_sheet(self, nets: Mapping[str, nn.Module]) -> Image.Image:
        """Rows: pictures of A, as B; pictures of B, and what becomes of them."""
        device = next(self.g.parameters()).device
        a, b = (shown.to(device) for shown in self._shown)
        return sheet_of(lambda tried: [a, tried["g"](a), b, tried["g"](b)], nets, self.setting)

    def export(self, nets: Mapping[str, nn.Module], folder: Path, facts: Mapping[str, Any]) -> list[Path]:
        """Write the averaged generator in half precision."""
        path = folder / f"{self.name.lower()}.safetensors"
        metadata = {
            "training": str({key: str(value) for key, value in facts.items()}),
            "recipe": self.name,
            "direction": "A to B",
            "cell": str(facts.get("cell", "")),
        }
        save_checkpoint(path, nets["g"], self.spec, nets["g"].config, metadata, half=True)
        return [path]


def parser(name: str, settings: Mapping[str, CutSetting]) -> argparse.ArgumentParser:
    """The command line of the classic generators."""
    about = f"{name} with a classic generator; `--arch native -h` lists the options of the native-grid one"
    command = argparse.ArgumentParser(prog=f"python -m train.{name.lower()}", description=about)
    command.add_argument("--a", type=Path, required=True, help="folder of drawings or photos")
    command.add_argument("--b", type=Path, required=True, help="folder of sprites, at native size or enlarged")
    command.add_argument("--arch", choices=[NATIVE, *CUT_ARCHS], help="generator (default: the setting's)")
    command.add_argument(
        "--b-kind", choices=["auto", "sprites", "pictures"], default="auto", help="what B holds (default: look)"
    )
    command.add_argument(
        "--cell", nargs="+", type=int, default=[4], metavar="PIXELS", help="sizes of a sprite's cell in a crop"
    )
    add_setting_arguments(command, settings, without=["arch", "upsample", "pool"])
    add_classic_arguments(command)
    add_nce_arguments(command)
    add_arguments(command)
    return command


def train(
    name: str,
    settings: Mapping[str, CutSetting],
    native: Mapping[str, NativeCutSetting],
    argv: Sequence[str] | None,
) -> None:
    """Run the command line of CUT or FastCUT, whichever has that name and those settings."""
    arch = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    arch.add_argument("--arch")
    chosen, others = arch.parse_known_args(argv)
    if chosen.arch == NATIVE:
        cut_native.train(name, native, others)
        return
    options = parser(name, settings).parse_args(argv)
    settle_options(options)
    a, b = (read_picture_set(folder) for folder in (options.a, options.b))
    setting = chosen_setting(options, settings, max(len(a), len(b)))
    drawn_b, kind = draw_b(b, setting.preparation, options.b_kind, options.cell)
    drawn_a = PictureCrops(a, setting.preparation)
    try:
        held_b, _ = draw_b(read_picture_set(options.b, "val"), setting.preparation, kind, options.cell)
        held_a = PictureCrops(read_picture_set(options.a, "val"), setting.preparation)
        shown = sample(held_a), sample(held_b)
    except (FileNotFoundError, ValueError):  # none is held out, or nothing that fits on a canvas
        shown = None
    print(f"B is taken for {kind}; {options.steps} steps", file=sys.stderr)  # noqa: T201  a command's own output
    recipe = CUT(drawn_a, drawn_b, setting, name=name, shown=shown, seed=options.seed)
    cell = options.cell if kind == "sprites" else ""
    facts = {"recipe": name, "seed": options.seed, "b_kind": kind, "cell": cell}
    for path in run(recipe, options, {**dataclasses.asdict(setting), **facts}):
        print(path, file=sys.stdout)  # noqa: T201  a command's own output


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    train("CUT", SETTINGS, NATIVE_SETTINGS, argv)


if __name__ == "__main__":
    main()
