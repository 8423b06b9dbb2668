"""`python -m train.sincut`: SinCUT, which learns from one picture each, A smooth and B pixel art.

Park et al., "Contrastive Learning for Unpaired Image-to-Image Translation", ECCV 2020,
https://arxiv.org/abs/2007.15651, section 4.4. `--arch native` is the same for the native-grid generator. Losses, as
logged:
    D_real, D_fake  the discriminator's, non-saturating; half their sum is minimised     equation 1
    D_R1            its slope at patches of B                                             section 4.4
    G_GAN           the generator's, adversarial                                          equation 1
    NCE             patches of G(a) are told by their features from the batch's others    equation 3
    NCE_Y           the same for G(b) and b                                               equation 4
    idt             G(b) = b, L1                                                          section 4.4
    G               the generator's sum, with the mean of NCE and NCE_Y
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

from . import sincut_native
from .classic_parts import adam
from .cut_native import NATIVE
from .cut_parts import ByChance, Choices, MakeChoices
from .gan import gan_loss, r1_penalty
from .loop import Batch, BatchMaker, StepContext, add_arguments, run
from .patchnce import contrast
from .sincut_parts import (
    Shown,
    SinCutSetting,
    add_setting_arguments,
    build_networks,
    chosen_setting,
    shown_of,
)
from .single import SingleBatches, ZoomedPatches, patches_of_b, read_single

ARCHS: tuple[str, ...] = ("stylegan2", NATIVE)


class SinCUT:
    """The recipe: a generator, the heads that compare its layers, a discriminator."""

    def __init__(
        self,
        batches: BatchMaker,
        setting: SinCutSetting,
        *,
        shown: Shown | None = None,
        seed: int = 0,
        choices: MakeChoices = ByChance,
    ) -> None:
        """Build the networks from the seed.

        Args:
            batches: draws patches `a` and `b`, each `batch 3 crop crop` in [-1, 1].
            setting: sizes, schedule, losses.
            shown: what the sheets show; patches drawn now where left out.
            seed: of the starting weights.
            choices: makes what a step leaves to chance from the step's generator.
        """
        self.setting = setting
        self.spec, self.g, self.heads, self.d = build_networks(setting, seed)
        self.nets: Mapping[str, nn.Module] = {"g": self.g, "heads": self.heads, "d": self.d}
        self.averaged: Mapping[str, nn.Module] = {"g": self.g}
        names = {"generator": self.g, "heads": self.heads, "discriminator": self.d}
        self.optimizers = {name: adam(net.parameters(), setting.rate, 0.0, 0.99) for name, net in names.items()}
        self.make_batch = batches
        self._choices = choices
        self._shown = shown or shown_of(batches)

    def rate_factor(self, step: int, steps: int) -> float:
        """The reference's schedule by epoch, without a warm-up."""
        return self.setting.schedule.factor_at(step, steps)

    def train_step(self, batch: Batch, step: int, context: StepContext) -> dict[str, Tensor]:
        """The discriminator, then the generator and the heads."""
        del step
        a, b, s = batch["a"], batch["b"], self.setting
        with context.seeded(), context.autocast():
            made, keys = self.g.translate(torch.cat([a, b]), s.nce_layers)
        fake, same = made.split(len(a))
        self.d.requires_grad_(True)
        judged = self._judge(b, fake.detach().to(b.dtype))
        context.apply(0.5 * (judged["D_real"] + judged["D_fake"]) + judged["D_R1"], self.optimizers["discriminator"])
        self.d.requires_grad_(False)
        with context.seeded(), context.autocast():
            losses = {"G_GAN": s.gan_weight * gan_loss(self.d(fake), True, "nonsaturating")}
            losses |= self._compare(self.g.features(made, s.nce_layers), keys, self._choices(context.generator))
            losses["idt"] = s.identity_weight * F.l1_loss(same, b)
            losses["G"] = losses["G_GAN"] + (losses["NCE"] + losses["NCE_Y"]) / 2 + losses["idt"]
        context.apply(losses["G"], self.optimizers["generator"], self.optimizers["heads"])
        return {**losses, **judged}

    def _judge(self, b: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """The discriminator's losses, in full precision: in bfloat16 a slope is mostly rounding."""
        real = b.detach().requires_grad_()
        on_fake = gan_loss(self.d(fake), False, "nonsaturating")
        score = self.d(real)
        on_real = gan_loss(score, True, "nonsaturating")
        return {"D_fake": on_fake, "D_real": on_real, "D_R1": r1_penalty(score, real, weight=self.setting.r1_weight)}

    def _compare(self, queries: Sequence[Tensor], keys: Sequence[Tensor], choices: Choices) -> dict[str, Tensor]:
        """NCE of the first half of the batch, NCE_Y of the second; each half's places are drawn on their own."""
        s, losses = self.setting, {}
        for index, name in enumerate(("NCE", "NCE_Y")):
            query, key = ([x.chunk(2)[index] for x in maps] for maps in (queries, keys))
            places = choices.places(key, s.patches)
            nce = contrast(self.heads, query, key, places, temperature=s.temperature, across_batch=True)
            losses[name] = s.nce_weight * nce
        return losses

    def sample_sheet(self, nets: Mapping[str, nn.Module]) -> Image.Image:
        """Rows: patches of A, as B; patches of B, and what becomes of them; then the whole pictures."""
        return self._shown.draw(nets["g"])

    def export(self, nets: Mapping[str, nn.Module], folder: Path, facts: Mapping[str, Any]) -> list[Path]:
        """Write the averaged generator in half precision."""
        path = folder / "sincut.safetensors"
        metadata = {
            "training": str({key: str(value) for key, value in facts.items()}),
            "recipe": "SinCUT",
            "direction": "A to B",
            "cell": str(facts.get("cell", "")),
        }
        save_checkpoint(path, nets["g"], self.spec, nets["g"].config, metadata, half=True)
        return [path]


def parser() -> argparse.ArgumentParser:
    """The command line."""
    about = "SinCUT with StyleGAN2-like networks; `--arch native -h` lists the options of the native-grid generator"
    command = argparse.ArgumentParser(prog="python -m train.sincut", description=about)
    command.add_argument("--a", type=Path, required=True, help="one drawing or photo: a file, or a folder of one")
    command.add_argument("--b", type=Path, required=True, help="one sprite or sheet of sprites, native or enlarged")
    command.add_argument("--arch", choices=ARCHS, default=ARCHS[0], help=f"generator (default: {ARCHS[0]})")
    command.add_argument(
        "--b-kind", choices=["auto", "sprites", "pictures"], default="auto", help="what B is (default: look)"
    )
    command.add_argument("--cell", type=int, default=4, metavar="PIXELS", help="size of a sprite's cell in a patch")
    add_setting_arguments(command)
    add_arguments(command)
    return command


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    arch = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    arch.add_argument("--arch", choices=ARCHS)
    chosen, others = arch.parse_known_args(argv)
    if chosen.arch == NATIVE:
        sincut_native.train(others)
        return
    options = parser().parse_args(argv)
    setting = chosen_setting(options)
    a, b = read_single(options.a), read_single(options.b)
    drawn_b, kind = patches_of_b(b, options.b_kind, setting.crop, options.cell)
    batches = SingleBatches(ZoomedPatches(a, setting.crop), drawn_b, setting.batch)
    print(f"B is taken for {kind}; {setting.steps} steps", file=sys.stderr)  # noqa: T201  a command's own output
    recipe = SinCUT(batches, setting, shown=shown_of(batches, a), seed=options.seed)
    cell = options.cell if kind == "sprites" else ""
    facts = {"recipe": "SinCUT", "seed": options.seed, "b_kind": kind, "cell": cell}
    for path in run(recipe, options, {**dataclasses.asdict(setting), **facts}):
        print(path, file=sys.stdout)  # noqa: T201  a command's own output


if __name__ == "__main__":
    main()
