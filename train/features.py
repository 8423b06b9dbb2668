"""`python -m train.features`: a small classifier of sprites, whose features the measures of generation compare by."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from pixel_models.archs.sprite_features import SPECS, SpriteFeatures, SpriteFeaturesConfig
from pixel_models.checkpoint import save_checkpoint

from .canvas import rand, randint
from .loop import Batch, StepContext, add_arguments, generator_of, run
from .pictures import PictureSet, read_picture_set
from .sheet import sheet

CATCH_ALL = frozenset({"", "misc", "creature_other", "item_other"})
"""Labels that say nothing of what a picture shows."""

LEAST_OF_A_LABEL = 30
"""Training pictures from which on a label is learned."""

NAME = "kiln-features"


def crop_or_pad(picture: Tensor, side: int, generator: torch.Generator | None = None) -> Tensor:
    """A picture on a square canvas, never resampled.

    Args:
        picture: `4 h w`; what is wider than the canvas is cropped.
        side: of the canvas, pixels.
        generator: draws the place; None takes the middle.

    Returns:
        `4 side side`, zeros around the picture.
    """
    canvas = picture.new_zeros(picture.shape[0], side, side)
    spare = [side - size for size in picture.shape[1:]]
    at = [s // 2 if generator is None else randint(generator, min(s, 0), max(s, 0)) for s in spare]
    if generator is not None:  # of a picture that is too large only crops
        at = [min(a, 0) if s < 0 else a for a, s in zip(at, spare, strict=True)]
    (top, left), (height, width) = at, picture.shape[1:]
    part = picture[:, max(0, -top) : side - top, max(0, -left) : side - left]
    top, left = max(0, top), max(0, left)
    canvas[:, top : top + part.shape[1], left : left + part.shape[2]] = part
    assert height >= part.shape[1]
    assert width >= part.shape[2]
    return canvas


def on_color(rgba: Tensor, color: Tensor) -> Tensor:
    """Composite straight alpha `4 h w` on `3` numbers."""
    return rgba[:3] * rgba[3:] + color[:, None, None] * (1 - rgba[3:])


def learned_labels(sprites: PictureSet) -> tuple[str, ...]:
    """The labels to learn, sorted: those that say something and are not rare.

    Raises:
        ValueError: there are fewer than two.
    """
    labels = sorted(set(sprites.labels) - CATCH_ALL)
    kept = tuple(label for label in labels if sprites.labels.count(label) >= min(LEAST_OF_A_LABEL, len(sprites) // 4))
    if len(kept) < 2:
        msg = f"these pictures have the labels {labels}; expected two or more that are not rare. "
        raise ValueError(msg + "`python -m train.prepare` takes them from a manifest's column `cls`, `kind` or `label`")
    return kept


def of_labels(sprites: PictureSet, labels: Sequence[str]) -> PictureSet:
    """The pictures whose label is one of `labels`."""
    return sprites.where([label in labels for label in sprites.labels])


@dataclass(frozen=True)
class LabelBatches:
    """Draws pictures of evenly likely sizes of canvas: `rgb` `b 3 s s` float32 in [0, 1], `label` `b` int64."""

    sprites: PictureSet
    labels: tuple[str, ...]
    count: int
    sides: tuple[int, ...] = (32, 32, 32, 64)

    def __call__(self, generator: torch.Generator) -> Batch:
        """Draw a batch."""
        side = self.sides[randint(generator, 0, len(self.sides) - 1)]
        chance = self.sprites.weights.cumsum(0)
        places = torch.rand(self.count, generator=generator, dtype=torch.float64)
        chosen = torch.searchsorted(chance, places).clamp_max(len(self.sprites) - 1).tolist()
        pictures = [self._draw(self.sprites.pictures[index], side, generator) for index in chosen]
        labels = [self.labels.index(self.sprites.labels[index]) for index in chosen]
        return {"rgb": torch.stack(pictures), "label": torch.tensor(labels)}

    @staticmethod
    def _draw(picture: Tensor, side: int, g: torch.Generator) -> Tensor:
        canvas = crop_or_pad(picture.float() / 255, side, g)
        if rand(g) < 0.5:
            canvas = canvas.flip(2)
        kind = rand(g)
        color = torch.rand(3, generator=g) if kind < 0.2 else torch.full((3,), float(kind > 0.4))
        return on_color(canvas, color)


class FeatureRecipe:
    """Cross entropy of the labels, for `train.loop`."""

    def __init__(self, sprites: PictureSet, held_out: PictureSet | None, batch: int, rate: float) -> None:
        """Build the network for the labels of `sprites`; `held_out` is what the accuracy is told of."""
        labels = learned_labels(sprites)
        self.config = SpriteFeaturesConfig(labels=labels)
        self.net = SpriteFeatures(self.config)
        self.sprites = of_labels(sprites, labels)
        known = [label in labels for label in held_out.labels] if held_out else []
        self.held_out = held_out.where(known) if held_out and any(known) else self.sprites
        self.nets: Mapping[str, nn.Module] = {"net": self.net}
        self.averaged: Mapping[str, nn.Module] = {"net": self.net}
        self.optimizers = {"net": torch.optim.AdamW(self.net.parameters(), lr=rate, weight_decay=0.01)}
        self.make_batch = LabelBatches(self.sprites, labels, batch)

    def train_step(self, batch: Batch, step: int, context: StepContext) -> dict[str, Tensor]:  # noqa: ARG002
        """One step; returns the loss and the share of right labels."""
        self.net.train()
        with context.autocast():
            scores = self.net(batch["rgb"])
            loss = F.cross_entropy(scores.float(), batch["label"], label_smoothing=0.05)
        context.apply(loss, self.optimizers["net"])
        return {"loss": loss, "right": (scores.argmax(dim=1) == batch["label"]).float().mean()}

    @torch.no_grad()
    def describe(self, net: SpriteFeatures, sprites: PictureSet) -> tuple[Tensor, float]:
        """Features `n d` of pictures on white, canvases of 32 pixels or more, and the share of right labels."""
        device = next(net.parameters()).device
        features, right = [], 0
        for picture, label in zip(sprites.pictures, sprites.labels, strict=True):
            canvas = crop_or_pad(picture.float() / 255, max(32, *picture.shape[1:]))
            found = net.features(on_color(canvas, torch.ones(3))[None].to(device))
            features.append(found[0].cpu())
            right += int(net.classify(found).argmax()) == self.config.labels.index(label)
        return torch.stack(features), right / len(sprites)

    def sample_sheet(self, nets: Mapping[str, nn.Module]) -> Image.Image:
        """First row: held-out pictures; below each, the training pictures of the nearest features."""
        g = generator_of(0, "sheet")
        pool = self.sprites.where(
            [bool(x) for x in torch.rand(len(self.sprites), generator=g) < 1000 / len(self.sprites)]
        )
        asked = self.held_out.where([i % max(1, len(self.held_out) // 12) == 0 for i in range(len(self.held_out))])
        net = nets["net"]
        assert isinstance(net, SpriteFeatures)
        there, here = self.describe(net, pool)[0], self.describe(net, asked)[0]
        nearest = torch.cdist(here, there).topk(min(5, len(pool)), largest=False).indices
        shown = [[self._shown(p) for p in asked.pictures]]
        shown += [[self._shown(pool.pictures[int(i)]) for i in column] for column in nearest.T]
        return sheet([torch.stack(row) for row in shown], side=96)

    @staticmethod
    def _shown(picture: Tensor) -> Tensor:
        return on_color(crop_or_pad(picture.float() / 255, 32), torch.ones(3))

    def export(self, nets: Mapping[str, nn.Module], folder: Path, facts: Mapping[str, Any]) -> list[Path]:
        """Write the averaged network in half precision, with the share of held-out labels it knows."""
        net = nets["net"]
        assert isinstance(net, SpriteFeatures)
        _, right = self.describe(net, self.held_out)
        told = {**{key: str(value) for key, value in facts.items()}, "held-out labels right": f"{right:.3f}"}
        path = folder / f"{NAME}.safetensors"
        save_checkpoint(path, net, SPECS[0], self.config, {"training": str(told)}, half=True)
        return [path]


def parser() -> argparse.ArgumentParser:
    """The command line."""
    command = argparse.ArgumentParser(prog="python -m train.features", description=__doc__)
    command.add_argument("--data", type=Path, required=True, help="folder that train.prepare wrote, with labels")
    command.add_argument("--batch", type=int, default=64, help="pictures a step")
    command.add_argument("--rate", type=float, default=2e-3, help="learning rate of AdamW")
    add_arguments(command)
    command.set_defaults(steps=3000, precision="no", sample_every=1000)
    return command


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    options = parser().parse_args(argv)
    sprites = read_picture_set(options.data)
    try:
        held_out = read_picture_set(options.data, "val")
    except FileNotFoundError:
        held_out = None
    recipe = FeatureRecipe(sprites, held_out, options.batch, options.rate)
    for path in run(recipe, options, {"rate": options.rate, "batch": options.batch, "seed": options.seed}):
        print(path, file=sys.stdout)  # noqa: T201  a command's own output


if __name__ == "__main__":
    main()
