"""`python -m train.cyclegan`: the native-grid CycleGAN on two folders of pictures, A smooth and B pixel art.

Losses, each with its weight in `Weights`:
    pair        G_A(smooth picture of a sprite) is the sprite, in Oklab and RGB; its alpha too
    pair_back   G_B(sprite) is its plain smooth picture
    cycle       G_A(G_B(b)) = b and G_B(G_A(a)) = a                             CycleGAN, equation 2
    identity    G_A(enlarged sprite) = sprite and G_B(shrunken a) = a           CycleGAN, section 5.2, on our grid
    adversarial least squares for G_A                                            CycleGAN, equation 1
    adversarial_back the same for G_B, weak: at full weight it frays the smooth picture's edges
    color       the colours of G_A(a), averaged over 7x7 cells, are nearly those of a
    cluster     neighbouring cells of G_A(a) are either equal or clearly different
    lone        every cell of G_A(a) is like at least one of its eight neighbours: no orphans
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from pixel_models.archs.native_cyclegan import (
    CELL,
    SPECS,
    DepixelateGenerator,
    NativeDiscriminator,
    NativeDiscriminatorConfig,
    NativeGeneratorConfig,
    PixelateGenerator,
    lsgan_loss,
)
from pixel_models.checkpoint import LoadedModel, load_checkpoint, save_checkpoint
from pixel_models.pixelate import resize_rgba

from . import classic
from .batches import TranslationBatches
from .canvas import CanvasMaker
from .classic_parts import ARCHS, adam
from .loop import Batch, StepContext, add_arguments, generator_of, run
from .losses import cluster_loss, color_loss, leak, lone_loss, over_white, rgba_loss
from .pictures import PictureSet, read_picture_set
from .sheet import sheet

NATIVE = "native"
"""The name of this recipe among `--arch`'s choices."""


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Weight of each loss term; 0 takes the term out."""

    pair: float = 10.0
    pair_back: float = 4.0
    cycle: float = 3.0
    identity: float = 3.0
    adversarial: float = 1.0
    adversarial_back: float = 0.1
    color: float = 2.0
    cluster: float = 0.1
    lone: float = 0.5


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One size of run."""

    steps: int
    warmup: int
    """Steps on pairs alone before the unpaired and adversarial terms begin."""

    cells_budget: int
    """Cells a batch: 8192 is eight canvases of 32x32."""

    channels: int
    discriminator_channels: int = 48
    settle_rounds: int = 2
    sides: tuple[int, ...] = (16, 24, 32, 32, 48, 64)

    cell_sizes: tuple[int, ...] = (2, 3, 4, 4, 4, 5, 6, 8)
    """Sizes that a cell may have in a picture, pixels."""

    strokes: float = 0.4
    """Share of the pairs that are drawn with strokes."""

    grain: float = 0.15
    """Share of the pairs whose picture gets a photo's or a drawing's texture."""


SETTINGS = {
    "tiny": Setting(
        steps=20,
        warmup=10,
        cells_budget=512,
        channels=8,
        discriminator_channels=8,
        sides=(16,),
        cell_sizes=(3, 4),
        strokes=0.25,
        grain=0.0,
    ),
    "quick": Setting(
        steps=1500, warmup=500, cells_budget=4096, channels=32, discriminator_channels=32, sides=(16, 24, 32)
    ),
    "small": Setting(steps=6000, warmup=1875, cells_budget=8192, channels=56),
    "full": Setting(steps=120_000, warmup=20_000, cells_budget=65_536, channels=56, discriminator_channels=96),
}


class NativeCycleGAN:
    """The recipe: both generators, both discriminators, and one step of all four."""

    def __init__(
        self,
        a: PictureSet,
        b: PictureSet,
        setting: Setting,
        weights: Weights,
        *,
        held_out: tuple[PictureSet, PictureSet] | None = None,
        rate: float = 4e-4,
        seed: int = 0,
    ) -> None:
        """Build the networks from the seed; sheets show `held_out` pictures where given."""
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            generator = NativeGeneratorConfig(channels=setting.channels)
            judge = NativeDiscriminatorConfig(channels=setting.discriminator_channels)
            judge_a = NativeDiscriminatorConfig(
                channels=max(8, setting.discriminator_channels // 2), strides=(2, 2, 2, 1)
            )
            sizes = tuple(sorted(set(setting.cell_sizes)))
            own = dataclasses.replace(generator, settle_rounds=setting.settle_rounds, cell_sizes=sizes)
            self.g_a = PixelateGenerator(own)
            self.g_b = DepixelateGenerator(generator)
            self.d_a, self.d_b = NativeDiscriminator(judge_a), NativeDiscriminator(judge)
        self.weights, self.setting = weights, setting
        self.nets: Mapping[str, nn.Module] = {"g_a": self.g_a, "g_b": self.g_b, "d_a": self.d_a, "d_b": self.d_b}
        self.averaged: Mapping[str, nn.Module] = {"g_a": self.g_a, "g_b": self.g_b}
        both = [*self.g_a.parameters(), *self.g_b.parameters()]
        judges = [*self.d_a.parameters(), *self.d_b.parameters()]
        self.optimizers = {
            "generators": adam(both, rate, second=0.99),
            "discriminators": adam(judges, rate, second=0.99),
        }
        self.make_batch = TranslationBatches(
            a,
            CanvasMaker(b),
            setting.cells_budget,
            setting.sides,
            cell_sizes=setting.cell_sizes,
            strokes=setting.strokes,
            grain=setting.grain,
        )
        self._shown = self._sheet_batch(*(held_out or (a, b)))

    def begin_from(self, model: LoadedModel) -> None:
        """Take over the weights of a trained generator of either direction.

        Raises:
            ValueError: it is of another kind or size. It may know fewer sizes of cells.
        """
        net = {PixelateGenerator: self.g_a, DepixelateGenerator: self.g_b}.get(type(model.module))
        state = model.module.state_dict()
        known = {name: value.shape for name, value in net.state_dict().items()} if net else {}
        lacking = known.keys() - state.keys() - {"told.weight"}
        if net is None or lacking or any(known.get(name) != value.shape for name, value in state.items()):
            msg = f"a network of --init is {model.spec.id} with {model.config}, expected a native-grid generator with"
            raise ValueError(f"{msg} {self.g_a.config}, or its reverse; give another --init or --setting")
        net.load_state_dict(state, strict=False)

    def train_step(self, batch: Batch, step: int, context: StepContext) -> dict[str, Tensor]:
        """Both generators, then both discriminators."""
        w, cells, a, cell = self.weights, batch["cells"], batch["a"], int(batch["cell"])
        unpaired = step >= self.setting.warmup
        for judge in (self.d_a, self.d_b):
            judge.requires_grad_(False)
        losses: dict[str, Tensor] = {}
        with context.autocast():
            made = self.g_a(batch["picture"], cell)
            losses["pair"] = w.pair * rgba_loss(made, cells)
            smooth = self.g_b(cells)
            losses["pair_back"] = w.pair_back * rgba_loss(smooth, batch["clean"])
            quarter = max(1, len(cells) // 4)
            losses["cycle"] = w.cycle * rgba_loss(self.g_a(smooth[: 2 * quarter]), cells[: 2 * quarter])
            enlarged = cells[-quarter:].repeat_interleave(cell, 2).repeat_interleave(cell, 3)
            losses["identity"] = w.identity * rgba_loss(self.g_a(enlarged, cell), cells[-quarter:])
            fake_b = made[:0]
            if unpaired:
                fake_b = self.g_a(a, cell)
                small = resize_rgba(a, (a.shape[2] // cell, a.shape[3] // cell))
                if cell != CELL:  # the way back always makes `CELL` pixels a cell
                    a = resize_rgba(a, (small.shape[2] * CELL, small.shape[3] * CELL))
                losses["cycle"] = losses["cycle"] + w.cycle * rgba_loss(self.g_b(leak(fake_b)), a)
                losses["identity"] = losses["identity"] + w.identity * rgba_loss(self.g_b(small[:quarter]), a[:quarter])
                losses["color"] = w.color * color_loss(over_white(fake_b), over_white(small))
                losses["cluster"] = w.cluster * cluster_loss(over_white(fake_b))
                losses["lone"] = w.lone * lone_loss(over_white(fake_b))
                score_b = self.d_b(self._noisy(over_white(torch.cat([fake_b, made])), context))
                score_a = self.d_a(over_white(smooth))
                losses["g"] = w.adversarial * lsgan_loss(score_b, real=True)
                losses["g_back"] = w.adversarial_back * lsgan_loss(score_a, real=True)
            total = torch.stack(list(losses.values())).sum()
        context.apply(total, self.optimizers["generators"])
        if unpaired and (w.adversarial or w.adversarial_back):
            for judge in (self.d_a, self.d_b):
                judge.requires_grad_(True)
            fakes = over_white(torch.cat([fake_b, made]).detach())
            drawn = len(cells) - self.make_batch.strokes_of(len(cells))  # by artists
            with context.autocast():
                losses["d_b"] = self._judge(self.d_b, over_white(cells[:drawn]), fakes, context)
                losses["d_a"] = self._judge(self.d_a, over_white(a), over_white(smooth.detach()), context)
            context.apply(losses["d_a"] + losses["d_b"], self.optimizers["discriminators"])
        return losses

    def _judge(self, judge: nn.Module, real: Tensor, fake: Tensor, context: StepContext) -> Tensor:
        scores = lsgan_loss(judge(self._noisy(real, context)), real=True)
        return 0.5 * (scores + lsgan_loss(judge(self._noisy(fake, context)), real=False))

    @staticmethod
    def _noisy(rgb: Tensor, context: StepContext) -> Tensor:
        """Hide the last bits, by which real 8-bit sprites would be told from fakes at once."""
        return rgb + 0.03 * torch.randn(rgb.shape, generator=context.generator).to(rgb.device)

    def _sheet_batch(self, a: PictureSet, b: PictureSet) -> dict[str, Tensor]:
        g = generator_of(0, "sheet")
        maker = TranslationBatches(a, CanvasMaker(b), 0, (32,))
        batches = [maker(g) for _ in range(6)]
        whole = [resize_rgba(a.draw(g)[None].float() / 255, (192, 192)) for _ in range(12)]
        return {"a": torch.cat(whole), **{k: torch.cat([x[k] for x in batches]) for k in ("picture", "cells")}}

    @torch.no_grad()
    def sample_sheet(self, nets: Mapping[str, nn.Module]) -> Image.Image:
        """Rows: pictures, box downscale, ours, and back; then pairs: picture, ours, truth, truth made smooth."""
        shown = self._shown
        device = next(self.g_a.parameters()).device
        a, picture, cells = (shown[k].to(device) for k in ("a", "picture", "cells"))
        ours = nets["g_a"](a)
        box = resize_rgba(a, (a.shape[2] // CELL, a.shape[3] // CELL))
        rows = [a, box, ours, nets["g_b"](ours), picture, nets["g_a"](picture), cells, nets["g_b"](cells)]
        return sheet([over_white(x).float().cpu() for x in rows], side=192)

    def export(self, nets: Mapping[str, nn.Module], folder: Path, facts: Mapping[str, Any]) -> list[Path]:
        """Write the two averaged generators in half precision."""
        written = []
        for spec, net in zip(SPECS, (nets["g_a"], nets["g_b"]), strict=False):
            path = folder / f"kiln-{spec.purpose}.safetensors"
            training = {key: str(value) for key, value in facts.items()}
            save_checkpoint(path, net, spec, net.config, {"training": str(training)}, half=True)
            written.append(path)
        return written


def _arch() -> argparse.ArgumentParser:
    """The one option that decides which recipe takes the others."""
    command = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    command.add_argument(
        "--arch",
        choices=[NATIVE, *ARCHS],
        help=f"the generator: {NATIVE} (default), or a classic one; `python -m train.classic -h` lists its options",
    )
    return command


def parser() -> argparse.ArgumentParser:
    """The command line."""
    about = (__doc__ or "").split("\n")[0]
    command = argparse.ArgumentParser(prog="python -m train.cyclegan", description=about, parents=[_arch()])
    command.add_argument("--a", type=Path, required=True, help="folder of drawings or photos")
    command.add_argument("--b", type=Path, required=True, help="folder of sprites at native size")
    command.add_argument("--setting", choices=sorted(SETTINGS), default="small")
    command.add_argument(
        "--init",
        nargs="+",
        type=Path,
        default=[],
        metavar="WEIGHTS",
        help="begin with these generators, either direction",
    )
    command.add_argument("--rate", type=float, default=4e-4, help="learning rate of Adam")
    command.add_argument("--without", nargs="*", default=[], choices=[f.name for f in dataclasses.fields(Weights)])
    command.add_argument("--weight", nargs="*", default=[], metavar="TERM=VALUE", help="weight of a loss term")
    add_arguments(command)
    return command


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    arch, others = _arch().parse_known_args(argv)
    if arch.arch not in (None, NATIVE):
        classic.main([*others, "--arch", arch.arch])
        return
    options = parser().parse_args(others)
    setting = SETTINGS[options.setting]
    if options.steps:
        setting = dataclasses.replace(
            setting, steps=options.steps, warmup=options.steps * setting.warmup // setting.steps
        )
    options.steps = setting.steps
    given = {name: float(value) for name, _, value in (text.partition("=") for text in options.weight)}
    weights = dataclasses.replace(Weights(), **given, **dict.fromkeys(options.without, 0.0))
    a, b = (read_picture_set(folder) for folder in (options.a, options.b))
    try:
        held_out = (read_picture_set(options.a, "val"), read_picture_set(options.b, "val"))
    except FileNotFoundError:
        held_out = None
    recipe = NativeCycleGAN(a, b, setting, weights, held_out=held_out, rate=options.rate, seed=options.seed)
    for path in options.init:
        recipe.begin_from(load_checkpoint(path))
    config = {**dataclasses.asdict(setting), **dataclasses.asdict(weights), "rate": options.rate, "seed": options.seed}
    config |= {"init": " ".join(path.name for path in options.init)} if options.init else {}
    for path in run(recipe, options, config):
        print(path, file=sys.stdout)  # noqa: T201  a command's own output


if __name__ == "__main__":
    main()
