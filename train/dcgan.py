"""`python -m train.dcgan`: sprites from noise, by a generator and a judge that learn from each other.

Radford, Metz and Chintala, "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
Networks", ICLR 2016, https://arxiv.org/abs/1511.06434. `--setting paper` trains it as the code of Saravanan and
Guzdial, "Pixel VQ-VAEs for Improved Pixel Art Representation", EXAG 2022, https://arxiv.org/abs/2203.12130, does; the
other settings hold the judge back, so that a few hundred sprites are enough. As logged:
    d_real, d_fake  the judge's loss on sprites and on made ones
    g               the generator's loss
    told            share of both kinds that the judge tells rightly; 0.5: it is lost, 1: the generator is
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

from pixel_models.archs.dcgan import SIZES, SPECS, DCGANConfig, DCGANDiscriminator, DCGANGenerator, JudgeConfig
from pixel_models.checkpoint import save_checkpoint

from .attributes import GROUPS
from .augment import NO_AUGMENTATION, Augmentation
from .backgrounds import VARIANTS, PaperBatches
from .dcgan_data import LabelledBatches, LabelledCanvases, add_set_arguments, read_canvas_set, setting_of
from .dcgan_parts import (
    HOLDS,
    R1_EVERY,
    SETTINGS,
    Setting,
    gradient_penalty,
    nearest_distance,
    on_grey,
    start_,
    with_spectral_norm,
)
from .film import grid_frame
from .loop import Batch, BatchMaker, StepContext, add_arguments, generator_of, run
from .pictures import read_picture_set
from .sheet import sheet

_SHOWN = (6, 12)
# Rows and columns of the sheet of samples.
_FILMED = (6, 8)
_MEASURED = 64


class DCGANRecipe:
    """Trains one pair."""

    def __init__(
        self,
        setting: Setting,
        make_batch: BatchMaker,
        *,
        names: tuple[str, ...] = (),
        asked: Tensor | None = None,
        augmentation: Augmentation = NO_AUGMENTATION,
        film_every: int = 0,
        data: LabelledCanvases | None = None,
        seed: int = 0,
    ) -> None:
        """Build both networks from the seed.

        Args:
            setting: sizes, rates, and whether it is the paper's.
            make_batch: draws `pictures` `b c s s` and, with names, `labels` `b k`.
            names: of the labels.
            asked: `n k`, what samples are asked for, in turn; None: nothing.
            augmentation: what the judge sees of sprites and of made ones.
            film_every: steps from frame to frame; 0: no film.
            data: the training sprites, to measure copies by; None: that is not measured.
            seed: of the starting weights.
        """
        self.setting, self.augmentation, self.film_every, self.data = setting, augmentation, film_every, data
        shape = {"size": setting.side, "channels": setting.channels, "labels": names}
        self.config = DCGANConfig(
            latent=setting.latent, filters=setting.filters, range="clamp" if setting.paper else "unit", **shape
        )
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.generator = DCGANGenerator(self.config)
            norm = "batch" if setting.plain else "none"
            self.judge = DCGANDiscriminator(JudgeConfig(filters=setting.judge, norm=norm, **shape))
            for net in (self.generator, self.judge):
                start_(net)
            if setting.hold == "spectral" and not setting.plain:
                with_spectral_norm(self.judge)
        self.nets: Mapping[str, nn.Module] = {"generator": self.generator, "judge": self.judge}
        self.averaged: Mapping[str, nn.Module] = {"generator": self.generator}
        self.adam_g = torch.optim.Adam(self.generator.parameters(), setting.rate, (0.5, 0.999))
        self.adam_d = torch.optim.Adam(self.judge.parameters(), setting.judge_rate, (0.5, 0.999))
        self.optimizers: Mapping[str, torch.optim.Optimizer] = {"generator": self.adam_g, "judge": self.adam_d}
        self.make_batch = make_batch
        self.asked = torch.zeros(1, len(names)) if asked is None or not len(asked) else asked.float()

    def rate_factor(self, step: int, steps: int) -> float:
        """One rate, falling over the last quarter; without the aids it stays."""
        return 1.0 if self.setting.plain else min(1.0, 4 * (1 - step / steps) + 0.02)

    def average_decay(self, step: int, steps: int) -> float:
        """Over the last thousand steps or so; without the aids there is no average."""
        del steps
        return 0.0 if self.setting.plain else min(0.999, (1 + step) / (10 + step))

    def train_step(self, batch: Batch, step: int, context: StepContext) -> dict[str, Tensor]:
        """The judge on sprites and on made ones, its step; then the generator's, before the judge as it is now."""
        real, g = batch["pictures"], context.generator
        labels = batch["labels"] if self.config.labels else None
        latent = torch.randn(len(real), self.config.latent, generator=g).to(real.device)
        with context.autocast():
            judged = self.judge(self.augmentation(real, g), labels).float()
            made = self._made(latent, labels)
            caught = self.judge(self.augmentation(made.detach(), g), labels).float()
        losses = {"d_real": _bce(judged, self.setting.real_label), "d_fake": _bce(caught, 0.0)}
        total = losses["d_real"] + losses["d_fake"]
        if self.setting.hold == "r1" and not self.setting.plain and step % R1_EVERY == 0:
            total = total + gradient_penalty(self.judge, self.augmentation(real, g), labels)
        context.apply(total, self.adam_d)
        self.judge.requires_grad_(False)
        with context.autocast():
            passed = self.judge(self.augmentation(made, g), labels).float()
        losses["g"] = _bce(passed, 1.0)
        context.apply(losses["g"], self.adam_g)
        self.judge.requires_grad_(True)
        told = ((judged > 0).float().mean() + (caught < 0).float().mean()) / 2
        return {**losses, "told": told}

    def _made(self, latent: Tensor, labels: Tensor | None) -> Tensor:
        """Sprites as the judge sees them; the paper's comes before the clamp, with tanh's whole range."""
        made = self.generator.raw(latent, labels) if self.setting.paper else self.generator(latent, labels)
        return made.float()

    @torch.no_grad()
    def samples(self, net: nn.Module, count: int, what: str = "samples") -> Tensor:
        """Sprites of numbers that never change, `n c s s`, unpicked."""
        assert isinstance(net, DCGANGenerator)
        device = next(net.parameters()).device
        latent = torch.randn(count, self.config.latent, generator=generator_of(0, what))
        asked = torch.stack([self.asked[index % len(self.asked)] for index in range(count)])
        return net(latent.to(device), asked.to(device) if self.config.labels else None).float().cpu()

    def sample_sheet(self, nets: Mapping[str, nn.Module]) -> Image.Image:
        """New sprites."""
        rows, columns = _SHOWN
        made = on_grey(self.samples(nets["generator"], rows * columns))
        return sheet(made.split(columns), side=max(1, 96 // self.config.size) * self.config.size)

    def film_frame(self, nets: Mapping[str, nn.Module]) -> Tensor:
        """The same sprites as they come to be, `4 h w`."""
        rows, columns = _FILMED
        return grid_frame(self.samples(nets["generator"], rows * columns), columns)

    def measure(self, nets: Mapping[str, nn.Module]) -> dict[str, float]:
        """How unlike training sprites new ones are; what is much nearer than they are to each other is a copy."""
        if self.data is None:
            return {}
        made = self.samples(nets["generator"], _MEASURED)
        return {
            "nearest": nearest_distance(made, self.data),
            "nearest_real": nearest_distance(None, self.data, _MEASURED),
        }

    def export(self, nets: Mapping[str, nn.Module], folder: Path, facts: Mapping[str, Any]) -> list[Path]:
        """Write the averaged generator in half precision."""
        path = folder / "dcgan.safetensors"
        metadata = {"training": str({key: str(value) for key, value in facts.items()}), "recipe": "dcgan"}
        save_checkpoint(path, nets["generator"], SPECS[0], self.config, metadata, half=True)
        return [path]


def _bce(logits: Tensor, label: float) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    command = argparse.ArgumentParser(prog="python -m train.dcgan", description=(__doc__ or "").split("\n")[0])
    add_set_arguments(command)
    command.add_argument("--setting", choices=sorted(SETTINGS), default="small")
    command.add_argument("--side", type=int, choices=SIZES, help="of the sprites, pixels (default: the setting's)")
    command.add_argument("--channels", type=int, choices=[3, 4], help="3: RGB on white, 4: RGB and alpha (default)")
    told = "what can be asked for later (without a word: kind; default: nothing)"
    command.add_argument("--labels", nargs="*", choices=GROUPS, help=told)
    command.add_argument("--least-labelled", type=int, default=20, metavar="N", help="labels of fewer are left out")
    command.add_argument("--hold", choices=HOLDS, help="what holds the judge back (default: the setting's)")
    command.add_argument("--no-augment", action="store_true", help="the judge sees sprites as they are")
    command.add_argument("--plain", action="store_true", help="none of the aids for few sprites, to compare with")
    command.add_argument("--mirror", type=float, default=0.5, metavar="SHARE", help="sprites mirrored (default 0.5)")
    command.add_argument("--jitter", type=float, default=0.0, metavar="SHARE", help="sprites in another palette")
    command.add_argument("--epochs", type=int, default=25, help="where neither --steps nor the setting says")
    command.add_argument("--film-every", type=int, metavar="STEPS", help="0: no film (default: an epoch)")
    for name, text in (("filters", "features of the generator's last layer"), ("judge", "of the judge's first layer")):
        command.add_argument(f"--{name}", type=int, help=f"{text} (default: the setting's)")
    command.add_argument("--latent", type=int, help="numbers that a sprite is drawn from (default: the setting's)")
    command.add_argument("--batch", type=int, help="sprites a step (default: the setting's)")
    command.add_argument("--rate", type=float, help="learning rate of the generator (default: the setting's)")
    command.add_argument("--judge-rate", type=float, help="learning rate of the judge (default: the setting's)")
    add_arguments(command)
    return command


def recipe_of(options: argparse.Namespace) -> tuple[DCGANRecipe, dict[str, Any]]:
    """The recipe that the options ask for, with `options.steps` filled in, and the facts that decide its run.

    Raises:
        ValueError: the paper's setting with labels, another side or alpha.
        FileNotFoundError: no sprite is there or fits.
    """
    setting = SETTINGS[options.setting]
    given = {
        name: getattr(options, name) for name in ("side", "channels", "filters", "judge", "latent", "batch", "hold")
    }
    given |= {"rate": options.rate, "judge_rate": options.judge_rate}
    setting = dataclasses.replace(setting, **{name: value for name, value in given.items() if value is not None})
    if options.plain:
        setting = dataclasses.replace(setting, plain=True, real_label=1.0)
    groups = () if options.labels is None else tuple(options.labels) or ("kind",)
    facts: dict[str, Any] = {**dataclasses.asdict(setting), "recipe": "dcgan", "seed": options.seed}
    if setting.paper:
        if setting.side != 64 or setting.channels != 3 or groups:
            msg = "--setting paper is 64 pixels of RGB without labels; leave the other options out"
            raise ValueError(msg)
        sprites = read_picture_set(options.sprites)
        pictures, augmentation, data = len(sprites) * VARIANTS, NO_AUGMENTATION, None
        batches: BatchMaker = PaperBatches(sprites, setting.batch)
        names, asked = (), None
    else:
        chosen = dataclasses.replace(setting_of(options, setting.side, groups), least_labelled=options.least_labelled)
        data = read_canvas_set(options.sprites, "train", chosen)
        augmentation = NO_AUGMENTATION if options.no_augment or setting.plain else Augmentation()
        batches = LabelledBatches(data, setting.channels, setting.batch, options.mirror, options.jitter)
        pictures, names = len(data), data.names
        places = torch.multinomial(data.weights, 512, replacement=True, generator=generator_of(0, "asked"))
        asked = data.labels[places]
        facts |= {"mirror": options.mirror, "jitter": options.jitter, "augmentation": dataclasses.asdict(augmentation)}
        facts |= {"sprites": pictures, "labels": names, "only": list(options.only)}
    options.steps = options.steps or setting.steps or max(1, options.epochs * pictures // setting.batch)
    epoch = -(-pictures // setting.batch)
    facts |= {} if setting.plain else {"steps_planned": options.steps}
    recipe = DCGANRecipe(
        setting,
        batches,
        names=names,
        asked=asked,
        augmentation=augmentation,
        film_every=epoch if options.film_every is None else options.film_every,
        data=data,
        seed=options.seed,
    )
    return recipe, facts


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    options = parser().parse_args(argv)
    recipe, facts = recipe_of(options)
    for path in run(recipe, options, facts):
        print(path, file=sys.stdout)  # noqa: T201  a command's own output


if __name__ == "__main__":
    main()
