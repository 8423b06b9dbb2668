"""`python -m train.classic`: the classic CycleGAN on two folders of pictures, A smooth and B pixel art.

Zhu et al., "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks", ICCV 2017,
https://arxiv.org/abs/1703.10593. Names are the reference's: G_A maps A to B, G_B maps B to A, D_A judges pictures of B
(real ones, and G_A's), D_B those of A. Losses, as logged:
    G_A, G_B            adversarial                                              equation 1
    cycle_A, cycle_B    G_B(G_A(a)) = a and G_A(G_B(b)) = b, L1                  equation 2
    idt_A, idt_B        G_A(b) = b and G_B(a) = a, L1                            section 5.2
    D_A, D_B            the discriminators', halved
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from pixel_models.checkpoint import save_checkpoint

from .classic_parts import (
    ClassicSetting,
    adam,
    add_setting_arguments,
    build_discriminator,
    build_generator,
    chosen_setting,
    judge_loss,
    pictures_stay_alone,
    sheet_of,
    together,
)
from .gan import gan_loss
from .loop import Batch, StepContext, add_arguments, run
from .pictures import read_picture_set
from .pool import Exchange, ImagePool, by_chance
from .unaligned import Draw, PictureCrops, UnpairedBatches, draw_b, sample


@dataclass(frozen=True, kw_only=True)
class CycleWeights:
    """Weight of each loss term beside the adversarial ones."""

    cycle_a: float = 10.0
    cycle_b: float = 10.0

    identity: float = 0.5
    """Times the weight of the cycle; 0 spares its forward passes."""


SETTINGS: Mapping[str, ClassicSetting] = {
    "tiny": ClassicSetting(
        arch="resnet_6blocks",
        channels=4,
        judge_channels=4,
        load=36,
        crop=32,
        pool=4,
        steps=20,
        epochs=2,
        decay_epochs=2,
    ),
    "small": ClassicSetting(arch="resnet_6blocks", channels=32, judge_channels=32, load=144, crop=128, steps=3000),
    "full": ClassicSetting(),
}


class ClassicCycleGAN:
    """The recipe: two generators, two discriminators, a pool of made pictures for each of these."""

    def __init__(
        self,
        a: Draw,
        b: Draw,
        setting: ClassicSetting,
        weights: CycleWeights | None = None,
        *,
        shown: tuple[Tensor, Tensor] | None = None,
        seed: int = 0,
        exchange: Callable[[torch.Generator], Exchange] = by_chance,
    ) -> None:
        """Build the networks from the seed; sheets show the pictures `shown`, or drawn ones.

        Args:
            a: draws pictures of A, `3 crop crop`.
            b: draws pictures of B.
            setting: sizes, schedule, losses.
            weights: of the losses; the reference's where left out.
            shown: pictures of A and of B for the sheets, each `n 3 crop crop`.
            seed: of the starting weights.
            exchange: how the pools choose, from the step's generator.
        """
        self.setting, self.weights = setting, weights or CycleWeights()
        self.spec, self.g_a = build_generator(setting, seed, "G_A")
        _, self.g_b = build_generator(setting, seed, "G_B")
        self.d_a, self.d_b = (build_discriminator(setting, seed, name) for name in ("D_A", "D_B"))
        shape = (3, setting.crop, setting.crop)
        self.made_b, self.made_a = ImagePool(setting.pool, shape), ImagePool(setting.pool, shape)
        self.nets: Mapping[str, nn.Module] = {
            "g_a": self.g_a,
            "g_b": self.g_b,
            "d_a": self.d_a,
            "d_b": self.d_b,
            "pool_b": self.made_b,
            "pool_a": self.made_a,
        }
        self.averaged: Mapping[str, nn.Module] = {"g_a": self.g_a, "g_b": self.g_b}
        both, judges = ([*x.parameters(), *y.parameters()] for x, y in ((self.g_a, self.g_b), (self.d_a, self.d_b)))
        self.optimizers = {
            "generators": adam(both, setting.rate),
            "discriminators": adam(judges, setting.rate),
        }
        self.make_batch = UnpairedBatches(a, b, setting.batch)
        self._exchange = exchange
        self._shown = shown or (sample(a), sample(b))

    def rate_factor(self, step: int, steps: int) -> float:
        """The reference's schedule by epoch, without a warm-up."""
        return self.setting.schedule.factor_at(step, steps)

    def train_step(self, batch: Batch, step: int, context: StepContext) -> dict[str, Tensor]:
        """Both generators, then both discriminators."""
        del step
        a, b, w, mode = batch["a"], batch["b"], self.weights, self.setting.gan_mode
        judges = (self.d_a, self.d_b)
        for judge in judges:
            judge.requires_grad_(False)
        losses: dict[str, Tensor] = {}
        with context.seeded(), context.autocast():
            same_b = same_a = None
            if w.identity and pictures_stay_alone(self.g_a, a, b):
                (fake_b, same_b), (fake_a, same_a) = together(self.g_a, a, b), together(self.g_b, b, a)
            else:
                fake_b, fake_a = self.g_a(a), self.g_b(b)
            rec_a, rec_b = self.g_b(fake_b), self.g_a(fake_a)
            losses["G_A"] = gan_loss(self.d_a(fake_b), True, mode)
            losses["G_B"] = gan_loss(self.d_b(fake_a), True, mode)
            losses["cycle_A"] = w.cycle_a * F.l1_loss(rec_a, a)
            losses["cycle_B"] = w.cycle_b * F.l1_loss(rec_b, b)
            if w.identity:
                same_b, same_a = (self.g_a(b), self.g_b(a)) if same_b is None or same_a is None else (same_b, same_a)
                losses["idt_A"] = w.identity * w.cycle_b * F.l1_loss(same_b, b)
                losses["idt_B"] = w.identity * w.cycle_a * F.l1_loss(same_a, a)
        context.apply(torch.stack(list(losses.values())).sum(), self.optimizers["generators"])
        for judge in judges:
            judge.requires_grad_(True)
        exchange = self._exchange(context.generator)
        total = torch.zeros((), device=a.device)
        rounds = (("D_A", self.d_a, b, fake_b, self.made_b), ("D_B", self.d_b, a, fake_a, self.made_a))
        for name, judge, real, made, pool in rounds:
            on_real, on_made, penalty = judge_loss(judge, real, pool.query(made, exchange), self.setting, context)
            losses[name] = 0.5 * (on_real + on_made)
            total = total + losses[name] + penalty
        context.apply(total, self.optimizers["discriminators"])
        return losses

    def sample_sheet(self, nets: Mapping[str, nn.Module]) -> Image.Image:
        """Rows: pictures of A, as B, and back; pictures of B, as A, and back."""
        device = next(self.g_a.parameters()).device
        a, b = (shown.to(device) for shown in self._shown)

        def rows(tried: Mapping[str, nn.Module]) -> list[Tensor]:
            fake_b, fake_a = tried["g_a"](a), tried["g_b"](b)
            return [a, fake_b, tried["g_b"](fake_b), b, fake_a, tried["g_a"](fake_a)]

        return sheet_of(rows, nets, self.setting)

    def export(self, nets: Mapping[str, nn.Module], folder: Path, facts: Mapping[str, Any]) -> list[Path]:
        """Write the two averaged generators in half precision."""
        written = []
        training = str({key: str(value) for key, value in facts.items()})
        for name, file, way in (("g_a", "a-to-b", "A to B"), ("g_b", "b-to-a", "B to A")):
            path = folder / f"classic-{file}.safetensors"
            metadata = {
                "training": training,
                "recipe": "CycleGAN",
                "direction": way,
                "cell": str(facts.get("cell", "")),
            }
            save_checkpoint(path, nets[name], self.spec, nets[name].config, metadata, half=True)
            written.append(path)
        return written


def weights_of(given: Sequence[str]) -> CycleWeights:
    """Loss weights from options such as ``cycle_a=5``.

    Raises:
        ValueError: there is no such term, or its value is no number.
    """
    names = [field.name for field in dataclasses.fields(CycleWeights)]
    pairs = [text.partition("=")[::2] for text in given]
    if wrong := [name for name, _ in pairs if name not in names]:
        msg = f"--weight names {wrong}, expected of {names}"
        raise ValueError(msg)
    return CycleWeights(**{name: float(value) for name, value in pairs})


def parser() -> argparse.ArgumentParser:
    """The command line."""
    command = argparse.ArgumentParser(prog="python -m train.classic", description=(__doc__ or "").split("\n")[0])
    command.add_argument("--a", type=Path, required=True, help="folder of drawings or photos")
    command.add_argument("--b", type=Path, required=True, help="folder of sprites, at native size or enlarged")
    command.add_argument(
        "--b-kind", choices=["auto", "sprites", "pictures"], default="auto", help="what B holds (default: look)"
    )
    command.add_argument(
        "--cell", nargs="+", type=int, default=[4], metavar="PIXELS", help="sizes of a sprite's cell in a crop"
    )
    weights = [f"{f.name}={f.default}" for f in dataclasses.fields(CycleWeights)]
    command.add_argument("--weight", nargs="*", default=[], metavar="TERM=VALUE", help=f"default: {' '.join(weights)}")
    add_setting_arguments(command, SETTINGS)
    add_arguments(command)
    return command


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    options = parser().parse_args(argv)
    a, b = (read_picture_set(folder) for folder in (options.a, options.b))
    setting = chosen_setting(options, SETTINGS, max(len(a), len(b)))
    drawn_b, kind = draw_b(b, setting.preparation, options.b_kind, options.cell)
    drawn_a = PictureCrops(a, setting.preparation)
    try:
        held_b, _ = draw_b(read_picture_set(options.b, "val"), setting.preparation, kind, options.cell)
        held_a = PictureCrops(read_picture_set(options.a, "val"), setting.preparation)
        shown = sample(held_a), sample(held_b)
    except (FileNotFoundError, ValueError):  # none is held out, or nothing that fits on a canvas
        shown = None
    print(f"B is taken for {kind}; {options.steps} steps", file=sys.stderr)  # noqa: T201  a command's own output
    weights = weights_of(options.weight)
    recipe = ClassicCycleGAN(drawn_a, drawn_b, setting, weights, shown=shown, seed=options.seed)
    facts = {
        "recipe": "classic",
        "seed": options.seed,
        "b_kind": kind,
        "cell": options.cell if kind == "sprites" else "",
    }
    config = {**dataclasses.asdict(setting), **dataclasses.asdict(weights), **facts}
    for path in run(recipe, options, config):
        print(path, file=sys.stdout)  # noqa: T201  a command's own output


if __name__ == "__main__":
    main()
