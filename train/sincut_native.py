"""SinCUT with the native-grid generator: one drawing and one sprite or sheet, patches of the one to cells of the other.

The step is CUT's on our grid (`cut_native.py`); patches and their negatives are SinCUT's: Park et al.,
https://arxiv.org/abs/2007.15651, section 4.4.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pixel_models.archs.native_cyclegan import CELL

from .cut_native import NativeCUT, NativeCutSetting, setting_of
from .cut_native import parser as parser_of_cut
from .cut_parts import ByChance, MakeChoices
from .loop import generator_of, run
from .pictures import PictureSet
from .single import CellPatches, ZoomedPatches, at_native_size, is_pixel_art, read_single

SETTINGS: Mapping[str, NativeCutSetting] = {
    "tiny": NativeCutSetting(
        steps=20,
        cells_budget=512,
        channels=8,
        judge_channels=8,
        sides=(16,),
        patches=32,
        features=16,
        all_negatives=True,
    ),
    "small": NativeCutSetting(
        steps=1500, cells_budget=4096, channels=40, judge_channels=32, sides=(32,), patches=64, all_negatives=True
    ),
    "full": NativeCutSetting(
        steps=40_000,
        cells_budget=16_384,
        channels=56,
        judge_channels=64,
        sides=(32,),
        patches=64,
        features=256,
        all_negatives=True,
    ),
}


@dataclass(frozen=True)
class NativeBatches:
    """Draws `a`, `b 4 4n 4n`, and `cells`, `b 4 n n`, patches of one picture each; float32 in [0, 1], RGBA."""

    a: ZoomedPatches
    cells: CellPatches
    batch: int

    def __call__(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Draw a batch."""
        return {"a": self.a(generator, self.batch), "cells": self.cells(generator, self.batch)}


class NativeSinCUT(NativeCUT):
    """The recipe: CUT's on our grid, on patches of two pictures."""

    def __init__(
        self,
        a: Tensor,
        b: Tensor,
        setting: NativeCutSetting,
        *,
        seed: int = 0,
        choices: MakeChoices = ByChance,
    ) -> None:
        """Build the networks from the seed.

        Args:
            a: an ordinary picture, `4 h w`, uint8.
            b: pixel art at native size, `4 h w`, uint8.
            setting: sizes and losses; patches have the first of its `sides`.
            seed: of the starting weights.
            choices: makes what a step leaves to chance from the step's generator.
        """
        side = setting.sides[0]
        batch = max(2, setting.cells_budget // side**2)
        self._single = NativeBatches(ZoomedPatches(a, side * CELL), CellPatches(b, side, 1), batch)
        super().__init__(_alone(a), _alone(b), setting, name="SinCUT", seed=seed, choices=choices)
        self.make_batch = self._single

    def _sheet_batch(self, a: PictureSet, b: PictureSet) -> dict[str, Tensor]:
        del a, b
        drawn = [self._single(generator_of(0, "sheet", index)) for index in range(4)]
        return {name: torch.cat([batch[name][:2] for batch in drawn]) for name in ("a", "cells")}


def _alone(picture: Tensor) -> PictureSet:
    return PictureSet((picture,), torch.ones(1, dtype=torch.float64), ("",))


def parser() -> argparse.ArgumentParser:
    """The command line: that of CUT on our grid, for a picture each."""
    command = parser_of_cut("SinCUT", SETTINGS)
    command.description = "SinCUT with the native-grid generator; --a and --b name one picture each"
    command.add_argument(
        "--b-kind", choices=["auto", "sprites"], default="auto", help="take B for pixel art, however it looks"
    )
    return command


def train(argv: Sequence[str]) -> None:
    """Run the command line.

    Raises:
        ValueError: B does not look like pixel art.
    """
    options = parser().parse_args(argv)
    setting = setting_of(options, SETTINGS)
    a, b = read_single(options.a), read_single(options.b)
    if options.b_kind == "auto" and not is_pixel_art(b):
        msg = f"{options.b} does not look like pixel art, which this network learns from; bring it to native size "
        raise ValueError(msg + "first (`pixel-kiln snap`), or say --b-kind sprites")
    recipe = NativeSinCUT(a, at_native_size(b), setting, seed=options.seed)
    config = {**dataclasses.asdict(setting), "recipe": "SinCUT", "arch": "native", "seed": options.seed}
    for path in run(recipe, options, config):
        print(path, file=sys.stdout)  # noqa: T201  a command's own output
