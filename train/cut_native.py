"""CUT and FastCUT with the native-grid generator: pictures of four pixels a cell to cells, without a way back.

Park et al., "Contrastive Learning for Unpaired Image-to-Image Translation", ECCV 2020,
https://arxiv.org/abs/2007.15651, on our grid: what is compared with the picture's layers are the same layers of the
cells enlarged fourfold. Losses, each with its weight in the setting:
    G_GAN     least squares                                                     equation 1
    NCE       cells of G(a) are told by their features from others of a         equation 3
    NCE_Y     the same for enlarged sprites                                     equation 4
    identity  G(enlarged sprite) = sprite
    color     the colours of G(a), averaged over 7x7 cells, are nearly those of a
    cluster, lone   as `train.cyclegan` has them
    D         the discriminator's, halved
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from pixel_models.archs.native_cyclegan import (
    CELL,
    SPECS,
    NativeDiscriminator,
    NativeDiscriminatorConfig,
    PixelateGenerator,
    lsgan_loss,
)
from pixel_models.checkpoint import save_checkpoint
from pixel_models.pixelate import resize_rgba

from .canvas import CanvasMaker
from .classic_parts import adam
from .cut_native_parts import NATIVE, CanvasBatches, NativeCutSetting, enlarge, parser, setting_of
from .cut_parts import ByChance, Choices, MakeChoices
from .loop import Batch, StepContext, generator_of, run
from .losses import cluster_loss, color_loss, lone_loss, over_white, rgba_loss
from .patchnce import PatchSampler, contrast, widths_of
from .pictures import PictureSet, read_picture_set
from .sheet import sheet


class NativeCUT:
    """The recipe: the native-grid generator, the heads that compare its layers, a discriminator of cells."""

    def __init__(
        self,
        a: PictureSet,
        b: PictureSet,
        setting: NativeCutSetting,
        *,
        name: str = "CUT",
        held_out: tuple[PictureSet, PictureSet] | None = None,
        seed: int = 0,
        choices: MakeChoices = ByChance,
    ) -> None:
        """Build the networks from the seed; sheets show `held_out` pictures where given.

        Args:
            a: pictures.
            b: sprites at native size.
            setting: sizes and losses.
            name: what the weight file says it is, and in lower case the file's name.
            held_out: pictures and sprites for the sheets.
            seed: of the starting weights.
            choices: makes what a step leaves to chance from the step's generator.
        """
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.g = PixelateGenerator(setting.generator)
            self.d = NativeDiscriminator(NativeDiscriminatorConfig(channels=setting.judge_channels))
            widths = widths_of(self.g, setting.nce_layers, torch.zeros(1, 4, 8 * CELL, 8 * CELL))
            self.heads = PatchSampler(widths, setting.features)
        self.setting, self.name = setting, name
        self.nets: Mapping[str, nn.Module] = {"g": self.g, "heads": self.heads, "d": self.d}
        self.averaged: Mapping[str, nn.Module] = {"g": self.g}
        names = {"generator": self.g, "heads": self.heads, "discriminator": self.d}
        self.optimizers = {name: adam(net.parameters(), setting.rate, second=0.99) for name, net in names.items()}
        self.make_batch = CanvasBatches(a, CanvasMaker(b), setting.cells_budget, setting.sides)
        self._choices = choices
        self._shown = self._sheet_batch(*(held_out or (a, b)))

    def train_step(self, batch: Batch, step: int, context: StepContext) -> dict[str, Tensor]:
        """The discriminator, then the generator and the heads."""
        del step
        a, cells, s = batch["a"], batch["cells"], self.setting
        choices = self._choices(context.generator)
        mirrored = s.flip_equivariance and choices.mirrored()
        known = cells[: max(1, len(cells) // 2)]
        enlarged = enlarge(known)
        with context.autocast():
            made = self.g(a.flip(3) if mirrored else a)
            same = self.g(enlarged) if s.identity or s.nce_identity else known[:0]
        losses: dict[str, Tensor] = {}
        if s.gan:
            self.d.requires_grad_(True)
            with context.autocast():
                on_real = lsgan_loss(self.d(_noisy(over_white(cells), context)), real=True)
                on_made = lsgan_loss(self.d(_noisy(over_white(made.detach()), context)), real=False)
            losses["D"] = 0.5 * (on_real + on_made)
            context.apply(losses["D"], self.optimizers["discriminator"])
            self.d.requires_grad_(False)
        terms: dict[str, Tensor] = {}
        with context.autocast():
            if s.gan:
                terms["G_GAN"] = s.gan * lsgan_loss(self.d(_noisy(over_white(made), context)), real=True)
            upright = made.flip(3) if mirrored else made
            if s.nce:
                terms["NCE"] = s.nce * self._compare(a, made, choices, mirrored)
            if s.nce_identity:
                terms["NCE_Y"] = s.nce_identity * self._compare(enlarged, same, choices)
            if s.identity:
                terms["identity"] = s.identity * rgba_loss(same, known)
            if s.color:
                small = resize_rgba(a, (a.shape[2] // CELL, a.shape[3] // CELL))
                terms["color"] = s.color * color_loss(over_white(upright), over_white(small))
            if s.cluster:
                terms["cluster"] = s.cluster * cluster_loss(over_white(made))
            if s.lone:
                terms["lone"] = s.lone * lone_loss(over_white(made))
            total = torch.stack(list(terms.values())).sum()
        context.apply(total, self.optimizers["generator"], self.optimizers["heads"])
        return {**terms, **losses}

    def _compare(self, picture: Tensor, made: Tensor, choices: Choices, mirrored: bool = False) -> Tensor:
        """How well the cells `made` are told apart by the layers of the picture they were made from."""
        s = self.setting
        queries = self.g.features(enlarge(made), s.nce_layers)
        queries = [x.flip(3) for x in queries] if mirrored else queries
        with torch.no_grad():
            keys = self.g.features(picture, s.nce_layers)
        places = choices.places(keys, s.patches)
        return contrast(self.heads, queries, keys, places, temperature=s.temperature, across_batch=s.all_negatives)

    def _sheet_batch(self, a: PictureSet, b: PictureSet) -> dict[str, Tensor]:
        g = generator_of(0, "sheet")
        canvases = CanvasMaker(b)
        whole = [resize_rgba(a.draw(g)[None].float() / 255, (192, 192)) for _ in range(12)]
        cells = [canvases.draw(self.setting.sides[-1], g) for _ in range(12)]
        return {"a": torch.cat(whole), "cells": torch.stack(cells)}

    @torch.no_grad()
    def sample_sheet(self, nets: Mapping[str, nn.Module]) -> Image.Image:
        """Rows: pictures, box downscale, ours; sprites, and what becomes of them enlarged."""
        device = next(self.g.parameters()).device
        a, cells = (self._shown[key].to(device) for key in ("a", "cells"))
        box = resize_rgba(a, (a.shape[2] // CELL, a.shape[3] // CELL))
        rows = [a, box, nets["g"](a), cells, nets["g"](enlarge(cells))]
        return sheet([over_white(x).float().cpu() for x in rows], side=192)

    def export(self, nets: Mapping[str, nn.Module], folder: Path, facts: Mapping[str, Any]) -> list[Path]:
        """Write the averaged generator in half precision."""
        path = folder / f"{self.name.lower()}.safetensors"
        metadata = {
            "training": str({key: str(value) for key, value in facts.items()}),
            "recipe": self.name,
            "direction": "A to B",
            "cell": str(CELL),
        }
        save_checkpoint(path, nets["g"], SPECS[0], self.g.config, metadata, half=True)
        return [path]


def _noisy(rgb: Tensor, context: StepContext) -> Tensor:
    """Hide the last bits, by which real 8-bit sprites would be told from made ones at once."""
    return rgb + 0.03 * torch.randn(rgb.shape, generator=context.generator).to(rgb.device)


def train(name: str, settings: Mapping[str, NativeCutSetting], argv: Sequence[str]) -> None:
    """Run the command line of CUT or FastCUT, whichever has that name and those settings."""
    options = parser(name, settings).parse_args(argv)
    setting = setting_of(options, settings)
    a, b = (read_picture_set(folder) for folder in (options.a, options.b))
    try:
        held_out = (read_picture_set(options.a, "val"), read_picture_set(options.b, "val"))
    except FileNotFoundError:
        held_out = None
    recipe = NativeCUT(a, b, setting, name=name, held_out=held_out, seed=options.seed)
    config = {**dataclasses.asdict(setting), "recipe": name, "arch": NATIVE, "seed": options.seed}
    for path in run(recipe, options, config):
        print(path, file=sys.stdout)  # noqa: T201  a command's own output
