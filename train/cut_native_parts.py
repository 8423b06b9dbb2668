"""What native-grid CUT and FastCUT are set by: sizes and weights of losses, the options for them; their batches."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from pixel_models.archs.native_cyclegan import CELL, NativeGeneratorConfig, PixelateGenerator

from .batches import TranslationBatches
from .canvas import randint
from .cut_parts import add_nce_arguments, check_numbers
from .loop import add_arguments
from .patchnce import TEMPERATURE, check_layers

NATIVE = "native"
"""The name of these recipes among `--arch`'s choices."""


@dataclass(frozen=True, kw_only=True)
class NativeCutSetting:
    """Everything that decides a run but its data and its seed; a weight of 0 takes its term out."""

    steps: int

    cells_budget: int
    """Cells a batch of sprites: 4096 is four canvases of 32x32; as many pictures."""

    channels: int
    judge_channels: int = 48
    settle_rounds: int = 2
    sides: tuple[int, ...] = (16, 24, 32, 32, 48, 64)
    rate: float = 4e-4

    nce_layers: tuple[str, ...] = ("source", "stem", "before", "inner2", "inner4")
    """Layers of the generator whose activations are compared, by name."""

    patches: int = 256
    """Places that are compared in each layer, of each picture."""

    features: int = 128
    """Length of the features that are compared."""

    temperature: float = TEMPERATURE
    all_negatives: bool = False
    """Whether the other pictures of a batch lend their places too."""

    flip_equivariance: bool = False
    """Whether the generator sees mirrored pictures every second step, and is compared with the unmirrored ones."""

    gan: float = 1.0
    nce: float = 1.0
    nce_identity: float = 1.0
    identity: float = 3.0
    color: float = 2.0
    cluster: float = 0.1
    lone: float = 0.5

    def __post_init__(self) -> None:
        """Check what the networks do not."""
        if self.steps < 1:
            msg = f"steps is {self.steps}, expected one or more"
            raise ValueError(msg)
        check_numbers(self.patches, self.features, self.temperature)
        with torch.device("meta"):
            check_layers(self.nce_layers, PixelateGenerator(self.generator).layers)

    @property
    def generator(self) -> NativeGeneratorConfig:
        """The generator's size."""
        return NativeGeneratorConfig(channels=self.channels, settle_rounds=self.settle_rounds)


NATIVE_SETTINGS: Mapping[str, NativeCutSetting] = {
    "tiny": NativeCutSetting(
        steps=20, cells_budget=512, channels=8, judge_channels=8, sides=(16,), patches=32, features=16
    ),
    "small": NativeCutSetting(steps=1500, cells_budget=2048, channels=40, judge_channels=32, sides=(16, 24, 32, 32)),
    "full": NativeCutSetting(steps=80_000, cells_budget=65_536, channels=56, judge_channels=96, features=256),
}
TERMS = ("gan", "nce", "nce_identity", "identity", "color", "cluster", "lone")


@dataclass(frozen=True)
class CanvasBatches(TranslationBatches):
    """Draws true canvases `cells` `b 4 n n`, and pictures `a` `b 4 4n 4n`; float32 in [0, 1], straight alpha."""

    def __call__(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Draw a batch."""
        side = self.sides[randint(generator, 0, len(self.sides) - 1)]
        count = max(2, self.cells_budget // side**2)
        return {
            "cells": torch.stack([self.canvases.draw(side, generator) for _ in range(count)]),
            "a": torch.stack([self.picture(side, generator) for _ in range(count)]),
        }


def enlarge(cells: Tensor) -> Tensor:
    """`b 4 h w` to `b 4 4h 4w`: every cell as the square of pixels that the generator looks for in a picture."""
    return cells.repeat_interleave(CELL, 2).repeat_interleave(CELL, 3)


def parser(name: str, settings: Mapping[str, NativeCutSetting]) -> argparse.ArgumentParser:
    """The command line of the native-grid generator."""
    command = argparse.ArgumentParser(
        prog=f"python -m train.{name.lower()} --arch {NATIVE}", description=f"{name} with the native-grid generator"
    )
    command.add_argument("--a", type=Path, required=True, help="folder of drawings or photos")
    command.add_argument("--b", type=Path, required=True, help="folder of sprites at native size")
    command.add_argument("--setting", choices=sorted(settings), default="small", help="size of the run (default small)")
    command.add_argument("--rate", type=float, help="learning rate of Adam")
    command.add_argument("--without", nargs="*", default=[], choices=TERMS, help="loss terms to take out")
    command.add_argument("--weight", nargs="*", default=[], metavar="TERM=VALUE", help="weight of a loss term")
    add_nce_arguments(command)
    add_arguments(command)
    return command


def setting_of(options: argparse.Namespace, settings: Mapping[str, NativeCutSetting]) -> NativeCutSetting:
    """The setting that the options choose; writes the number of steps into both.

    Raises:
        ValueError: a value is out of its range, or there is no such loss term.
    """
    pairs = [text.partition("=")[::2] for text in options.weight]
    if wrong := [name for name, _ in pairs if name not in TERMS]:
        msg = f"--weight names {wrong}, expected of {list(TERMS)}"
        raise ValueError(msg)
    names = {field.name for field in dataclasses.fields(NativeCutSetting)}
    given = {name: value for name, value in vars(options).items() if name in names and value is not None}
    weights = {name: float(value) for name, value in pairs} | dict.fromkeys(options.without, 0.0)
    setting = dataclasses.replace(settings[options.setting], **given, **weights)
    options.steps = setting.steps
    return setting
