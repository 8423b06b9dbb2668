"""What a run of SinCUT is made of: its setting, its networks with their starting weights, its options, its sheets."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from pixel_models.archs import stylegan2
from pixel_models.ops.stylegan2 import DemodulatedUp, EqualConv, EqualLinear
from pixel_models.spec import ModelSpec

from .cut_parts import start_heads
from .image_io import from_picture, on_white, to_unit
from .loop import BatchMaker, generator_of
from .patchnce import TEMPERATURE, PatchSampler, check_layers, widths_of
from .schedules import EpochSchedule
from .sheet import sheet

MOST_SHOWN = 256
"""Longer side at which sheets show whole pictures, pixels."""


@dataclass(frozen=True, kw_only=True)
class SinCutSetting:
    """Everything that decides a run but its data and its seed; the defaults are the reference's."""

    channels: int = 10
    """The generator's width (`ngf`); see `StyleGAN2GeneratorConfig`."""

    judge_channels: int = 8
    """The discriminator's width (`ndf`); see `StyleGAN2DiscriminatorConfig`."""

    blocks: int = 6
    """Residual blocks of the generator."""

    crop: int = 64
    """Side of a patch, pixels."""

    batch: int = 16

    nce_layers: tuple[str, ...] = ("input", "down1", "block2")
    """Layers of the generator whose activations are compared, by name; the reference's 0, 2, 4."""

    patches: int = 1
    """Places that are compared in each layer, of each patch, with those of all patches of the batch."""

    features: int = 256
    """Length of the features that are compared (`netF_nc`)."""

    temperature: float = TEMPERATURE
    gan_weight: float = 1.0
    nce_weight: float = 4.0
    r1_weight: float = 1.0
    """Of the discriminator's slope at patches of B."""

    identity_weight: float = 1.0
    rate: float = 2e-3
    steps: int = 100_000
    epochs: int = 8
    decay_epochs: int = 8

    def __post_init__(self) -> None:
        """Check what the networks do not."""
        counts = {name: getattr(self, name) for name in ("batch", "patches", "features", "steps")}
        if min(counts.values()) < 1 or not self.temperature > 0 or self.batch * self.patches < 2:
            msg = f"{counts} and temperature {self.temperature}: expected one or more of each, above 0, and two places "
            raise ValueError(msg + "in a batch to tell apart")
        with torch.device("meta"):
            check_layers(self.nce_layers, stylegan2.StyleGAN2Generator(self.generator).layers)

    @property
    def generator(self) -> stylegan2.StyleGAN2GeneratorConfig:
        """The generator's layout."""
        return stylegan2.StyleGAN2GeneratorConfig(channels=self.channels, size=self.crop, blocks=self.blocks)

    @property
    def judge(self) -> stylegan2.StyleGAN2DiscriminatorConfig:
        """The discriminator's layout."""
        return stylegan2.StyleGAN2DiscriminatorConfig(channels=self.judge_channels, size=self.crop)

    @property
    def schedule(self) -> EpochSchedule:
        """The learning rate by epoch."""
        return EpochSchedule(epochs=self.epochs, decay_epochs=self.decay_epochs)


SETTINGS: Mapping[str, SinCutSetting] = {
    "tiny": SinCutSetting(channels=1, judge_channels=1, blocks=4, crop=16, batch=4, features=8, steps=20),
    "small": SinCutSetting(channels=4, judge_channels=2, blocks=4, batch=4, patches=16, features=64, steps=2500),
    "full": SinCutSetting(),
}
"""`full` is the reference's: 16 epochs of 100,000 patches."""


def build_networks(
    setting: SinCutSetting, seed: int
) -> tuple[ModelSpec, stylegan2.StyleGAN2Generator, PatchSampler, stylegan2.StyleGAN2Discriminator]:
    """Generator (and its spec), heads and discriminator with the reference's starting weights, by the seed."""
    spec = stylegan2.SPECS[0]
    with torch.random.fork_rng(devices=[]):  # building draws weights that are drawn anew below
        g = stylegan2.StyleGAN2Generator(setting.generator)
        d = stylegan2.StyleGAN2Discriminator(setting.judge)
    start_equal(g, generator_of(seed, "weights", "G"))
    start_equal(d, generator_of(seed, "weights", "D"))
    example = torch.zeros(1, g.config.in_channels, setting.crop, setting.crop)
    return spec, g, start_heads(widths_of(g, setting.nce_layers, example), setting.features, seed), d


def start_equal(module: nn.Module, generator: torch.Generator) -> None:
    """Draw the weights of all layers with equal learning rates from N(0, 1), in place; biases stay 0."""
    for layer in module.modules():
        if isinstance(layer, (EqualConv, EqualLinear, DemodulatedUp)):
            nn.init.normal_(layer.weight, generator=generator)


@dataclass(frozen=True)
class Shown:
    """What the sheets show: patches, and the whole picture of A, if there is one."""

    a: Tensor
    b: Tensor
    whole: Tensor | None = None
    """`1 3 h w` in [-1, 1], sides that the generator takes."""

    @torch.no_grad()
    def draw(self, net: nn.Module) -> Image.Image:
        """Rows: patches of A, as B; patches of B, and what becomes of them; below them the whole picture and as B."""
        device = next(net.parameters()).device
        a, b = self.a.to(device), self.b.to(device)
        patches = sheet([to_unit(row.cpu()) for row in (a, net(a), b, net(b))], side=128)
        if self.whole is None:
            return patches
        rows = [to_unit(x.cpu()) for x in (self.whole, net(self.whole.to(device)))]
        both = sheet([torch.cat([_square(row) for row in rows])], side=patches.width // 2 - 4)
        stacked = Image.new("RGB", (patches.width, patches.height + both.height), (72, 72, 88))
        stacked.paste(patches, (0, 0))
        stacked.paste(both, (0, patches.height))
        return stacked


def _square(picture: Tensor) -> Tensor:
    """`1 3 h w` in [0, 1] on a white square."""
    height, width = picture.shape[2:]
    return F.pad(picture, (0, max(0, height - width), 0, max(0, width - height)), value=1.0)


def shown_of(batches: BatchMaker, a: Tensor | None = None, multiple: int = 2) -> Shown:
    """Patches that are always the same, and the whole picture `4 h w`, uint8, of at most `MOST_SHOWN` pixels a side."""
    drawn = [batches(generator_of(0, "sheet", index)) for index in range(3)]
    of_a, of_b = (torch.cat([batch[name][:2] for batch in drawn]) for name in "ab")
    if a is None:
        return Shown(of_a, of_b)
    picture = on_white(a)
    share = min(1.0, MOST_SHOWN / max(picture.size))
    width, height = (max(multiple, round(side * share) // multiple * multiple) for side in picture.size)
    return Shown(of_a, of_b, from_picture(picture.resize((width, height), Image.Resampling.BICUBIC))[None])


def add_setting_arguments(command: argparse.ArgumentParser) -> None:
    """The options that change a setting; those left out keep the setting's value."""
    command.add_argument("--setting", choices=sorted(SETTINGS), default="small", help="size of the run (default small)")
    command.add_argument("--nce-layers", nargs="+", metavar="LAYER", help="layers that are compared, by name")
    options = {
        "channels": "the generator's width (ngf)",
        "judge-channels": "the discriminator's width (ndf)",
        "blocks": "residual blocks of the generator, an even number",
        "crop": "side of a patch, pixels: 16, 32, 64, 128 ...",
        "batch": "patches of each picture in a step",
        "patches": "places that are compared in each layer of each patch",
        "features": "length of the features that are compared",
        "epochs": "at the full rate; the steps are spread over them",
        "decay-epochs": "in which the rate falls",
    }
    for name, text in options.items():
        command.add_argument(f"--{name}", type=int, help=text)
    weights = {
        "gan-weight": "weight of the adversarial loss",
        "nce-weight": "weight of the comparison",
        "r1-weight": "weight of the discriminator's slope",
        "identity-weight": "weight of G(b) = b",
        "temperature": "of the comparison's softmax",
        "rate": "learning rate of Adam",
    }
    for name, text in weights.items():
        command.add_argument(f"--{name}", type=float, help=text)


def chosen_setting(options: argparse.Namespace) -> SinCutSetting:
    """The setting that the options choose; writes the number of steps into both.

    Raises:
        ValueError: a value is out of its range.
    """
    setting = SETTINGS[options.setting]
    names = {field.name for field in dataclasses.fields(setting)}
    given = {name: value for name, value in vars(options).items() if name in names and value is not None}
    given |= {"nce_layers": tuple(given["nce_layers"])} if "nce_layers" in given else {}
    setting = dataclasses.replace(setting, **given)
    options.steps = setting.steps
    return setting
