"""`python -m train.inpaint`: silhouettes to sprites, all codes at once, by a PixelCNN that sees its own place.

Saravanan and Guzdial, "Pixel VQ-VAEs for Improved Pixel Art Representation", EXAG 2022,
https://arxiv.org/abs/2203.12130: the inpainting of the paper's repository. A silhouette is the sprite in white; its
codes go in, those of the sprite come out, each the likeliest by itself. To draw sprites in a silhouette one code after
another, train a prior with `python -m train.pixelcnn`, whose `context` sees silhouettes too. As logged:
    cross_entropy  of the sprite's codes, nats a place
    agreed         share of the places at which something shows whose likeliest code is the sprite's
    held_out       cross entropy of held-out sprites
    held_out_agreed
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

import pixel_models
from pixel_models.archs.pixelcnn import SPECS, PixelCNN, PixelCNNConfig
from pixel_models.checkpoint import LoadedModel, load_checkpoint, save_checkpoint
from pixel_models.codes import encode
from pixel_models.spec import Purpose

from .codeset import canvas_of
from .loop import Batch, BatchMaker, StepContext, add_arguments, run
from .pictures import PictureSet, read_picture_set
from .pixelcnn import prior_of, shown
from .sheet import sheet
from .sprites import hard

_AT_ONCE = 512
_SHOWN = 12
EPOCHS = 25
"""The paper's."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One size of run."""

    steps: int
    width: int
    batch: int = 32


SETTINGS = {
    "tiny": Setting(steps=20, width=8, batch=4),
    "small": Setting(steps=1500, width=64),
    "full": Setting(steps=0, width=128),
}
"""`full` is the paper's: 25 epochs."""


@dataclass(frozen=True, eq=False)
class CodePairs:
    """Batches of silhouettes and sprites: `silhouettes` and `codes`, `n 1 h w`, int64, and `shows` `n 1 h w`, bool."""

    silhouettes: Tensor
    """`n 1 h w`, uint8 or int16."""

    codes: Tensor
    weights: Tensor
    count: int = 32

    def __len__(self) -> int:
        """How many pairs."""
        return len(self.codes)

    def __call__(self, generator: torch.Generator) -> Batch:
        """Draw a batch."""
        return self.part(torch.multinomial(self.weights, self.count, replacement=True, generator=generator))

    def part(self, chosen: Tensor) -> Batch:
        """These pairs; where the silhouette has its commonest code, nothing shows."""
        silhouettes, codes = self.silhouettes[chosen].long(), self.codes[chosen].long()
        return {"silhouettes": silhouettes, "codes": codes, "shows": silhouettes != self.nothing}

    @functools.cached_property
    def nothing(self) -> int:
        """The code of a place where nothing shows."""
        return int(torch.bincount(self.silhouettes.flatten().long()).argmax())


def code_pairs(sprites: PictureSet, coder: LoadedModel, side: int, count: int, flips: bool = True) -> CodePairs:
    """Sprites and their silhouettes as codes, and the same from left to right where `flips` is on.

    Raises:
        ValueError: no sprite fits the canvas.
    """
    fitting = sprites.where([max(p.shape[1:]) <= side and bool((p[3] >= 128).any()) for p in sprites.pictures])
    canvases = torch.stack([canvas_of(hard(picture), side) for picture in fitting.pictures])
    weights = fitting.weights
    if flips:
        canvases, weights = torch.cat([canvases, canvases.flip(3)]), torch.cat([weights, weights])
    made: list[list[Tensor]] = [[], []]
    for part in canvases.split(_AT_ONCE):
        rgb, alpha = part[:, :3].float() / 255, part[:, 3:].float() / 255
        black = rgb * alpha  # what does not show is black, as in the paper
        for found, picture in zip(made, (alpha.expand_as(rgb), black), strict=True):
            seen = alpha if getattr(coder.config, "channels", 3) == 4 else None
            grid = encode(coder, picture, seen, keep_alpha=False, nearest="picture")
            found.append(grid.indices[:, None].to(torch.uint8 if grid.codebook_size <= 256 else torch.int16))
    silhouettes, codes = (torch.cat(found) for found in made)
    return CodePairs(silhouettes, codes, weights / weights.sum(), count)


class InpaintRecipe:
    """Trains one network from silhouettes to sprites."""

    def __init__(
        self, coder: LoadedModel, config: PixelCNNConfig, train: CodePairs, held_out: CodePairs, rate: float, seed: int
    ) -> None:
        """Build the network with weights that the seed decides."""
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.net = PixelCNN(config)
        self.coder, self.held_out = coder, held_out
        self.adam = torch.optim.Adam(self.net.parameters(), rate)
        self.nets: Mapping[str, nn.Module] = {"prior": self.net}
        self.averaged: Mapping[str, nn.Module] = {"prior": self.net}
        self.optimizers: Mapping[str, torch.optim.Optimizer] = {"adam": self.adam}
        self.make_batch: BatchMaker = train

    def train_step(self, batch: Batch, step: int, context: StepContext) -> dict[str, Tensor]:
        """One step."""
        del step
        self.net.train()
        with context.autocast():
            logits = self.net(batch["silhouettes"])
        loss = F.cross_entropy(logits.float(), batch["codes"])
        context.apply(loss, self.adam)
        return {"cross_entropy": loss, "agreed": agreed(logits, batch)}

    @torch.no_grad()
    def measure(self, nets: Mapping[str, nn.Module]) -> dict[str, float]:
        """The same of held-out sprites."""
        net, losses, shares = prior_of(nets), [], []
        device = next(net.parameters()).device
        for chosen in torch.arange(len(self.held_out)).split(64):
            batch = {key: value.to(device) for key, value in self.held_out.part(chosen).items()}
            logits = net(batch["silhouettes"])
            losses.append(F.cross_entropy(logits, batch["codes"]) * len(chosen))
            shares.append(agreed(logits, batch) * len(chosen))
        count = len(self.held_out)
        return {
            "held_out": float(torch.stack(losses).sum() / count),
            "held_out_agreed": float(torch.stack(shares).sum() / count),
        }

    @torch.no_grad()
    def sample_sheet(self, nets: Mapping[str, nn.Module]) -> Image.Image:
        """Held-out silhouettes, what the network makes of them, the sprites."""
        net = prior_of(nets)
        places = torch.linspace(0, len(self.held_out) - 1, min(_SHOWN, len(self.held_out))).long()
        pairs = self.held_out.part(places)
        made = net(pairs["silhouettes"].to(next(net.parameters()).device)).argmax(1).cpu()
        return sheet([shown(codes, self.coder) for codes in (pairs["silhouettes"], made, pairs["codes"])], side=96)

    def export(self, nets: Mapping[str, nn.Module], folder: Path, facts: Mapping[str, Any]) -> list[Path]:
        """Write the averaged network."""
        path = folder / "inpaint.safetensors"
        metadata = {"training": str({key: str(value) for key, value in facts.items()}), "recipe": "inpaint"}
        save_checkpoint(path, nets["prior"], SPECS[0], self.net.config, metadata)
        return [path]


def agreed(logits: Tensor, batch: Batch) -> Tensor:
    """Share of the places at which something shows whose likeliest code is the sprite's."""
    right = (logits.argmax(1) == batch["codes"]) & batch["shows"]
    return right.sum() / batch["shows"].sum().clamp_min(1)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    command = argparse.ArgumentParser(prog="python -m train.inpaint", description=(__doc__ or "").split("\n")[0])
    command.add_argument("--sprites", type=Path, required=True, help="folder of sprites at native size")
    command.add_argument("--model", required=True, help="the VQ-VAE whose codes are learned: a name or a file")
    command.add_argument("--side", type=int, default=32, help="of the canvas, pixels; larger sprites are left out")
    command.add_argument("--setting", choices=sorted(SETTINGS), default="small")
    command.add_argument("--width", type=int, help="features of the stacks (default: the setting's)")
    command.add_argument("--batch", type=int, help="sprites a step (default: the setting's)")
    command.add_argument("--rate", type=float, default=1e-3, help="learning rate of Adam; the paper's is 1e-4")
    add_arguments(command)
    return command


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    options = parser().parse_args(argv)
    setting = SETTINGS[options.setting]
    coder = pixel_models.load(options.model, purpose=Purpose.ENCODE)
    theirs: Any = coder.config
    batch = options.batch or setting.batch
    train = code_pairs(read_picture_set(options.sprites), coder, options.side, batch)
    try:
        held_out = code_pairs(read_picture_set(options.sprites, "val"), coder, options.side, batch, flips=False)
    except FileNotFoundError:
        held_out = train
    options.steps = options.steps or setting.steps or max(1, EPOCHS * len(train) // batch)
    config = PixelCNNConfig(
        codes=theirs.codes,
        width=options.width or setting.width,
        translate=True,
        codes_of=coder.fingerprint,
        patch=theirs.patch,
        size=options.side // theirs.patch,
    )
    facts = {**dataclasses.asdict(config), "recipe": "inpaint", "seed": options.seed, "batch": batch}
    facts |= {"rate": options.rate}
    recipe = InpaintRecipe(coder, config, train, held_out, options.rate, options.seed)
    for path in run(recipe, options, facts):
        print(path, file=sys.stdout)  # noqa: T201  a command's own output
        found = recipe.measure({"prior": load_checkpoint(path).module})
        print(" ".join(f"{name} {value:.4f}" for name, value in found.items()))  # noqa: T201  a command's own output


if __name__ == "__main__":
    main()
