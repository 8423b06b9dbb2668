"""`python -m train.fusion`: a prior that fuses two sprites into the codes of a VQ-VAE, place by place.

Saravanan and Guzdial, "Pixel VQ-VAEs for Improved Pixel Art Representation", EXAG 2022,
https://arxiv.org/abs/2203.12130. As logged:
    cross_entropy  of the prior's codes and the fusion's
    agreed         share of the places where the likeliest code is the fusion's
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
from torch.nn import functional as F

from pixel_models.archs.code_prior import SPECS, CodePrior, CodePriorConfig
from pixel_models.archs.vqvae import VQVAE
from pixel_models.checkpoint import LoadedModel, load_checkpoint, save_checkpoint
from pixel_models.codes import decode, encode
from pixel_models.codes.fuse import fuse
from pixel_models.image import from_uint8
from pixel_models.spec import Purpose

from .canvas import randint
from .loop import Batch, BatchMaker, StepContext, add_arguments, generator_of, run
from .pictures import read_picture_set
from .sheet import sheet
from .sprites import cut, laid, without_alpha
from .triples import KINDS, LayerTriples, Triple, TripleMaker, centred, read_triples
from .weighted import distinct, weighted_forward, weighted_mean

_SHOWN = 12
_MEASURED = 200


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One size of run."""

    steps: int
    width: int
    batch: int = 48
    """Triples a step."""


SETTINGS = {
    "tiny": Setting(steps=20, width=16, batch=4),
    "small": Setting(steps=2000, width=128),
    "full": Setting(steps=20_000, width=512, batch=256),
}


@dataclass(frozen=True)
class PlaceBatches:
    """Batches of the distinct places of some triples, for nothing here sees more than one place.

    A batch holds `pairs` `n 2c p p` and `wanted` `n c p p`, float32 in [0, 1], and `weights` `n`, float32: how often
    each is there.
    """

    triples: TripleMaker
    patch: int
    channels: int
    count: int

    def __call__(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Draw a batch."""
        rows, weights = distinct(torch.cat([self._places(generator) for _ in range(self.count)]))
        rows = from_uint8(rows)
        pairs, wanted = rows.split([2 * self.channels, self.channels], 1)
        return {"pairs": pairs.contiguous(), "wanted": wanted.contiguous(), "weights": weights}

    def _places(self, g: torch.Generator) -> Tensor:
        """`n 3c p p`, uint8; the grid of places lies at any pixel."""
        triple = self.triples.draw(g)
        top, left = randint(g, 0, self.patch - 1), randint(g, 0, self.patch - 1)
        parts = [cut(laid(part, self.patch, top, left), self.patch) for part in triple[:3]]
        return torch.cat([part if self.channels == 4 else without_alpha(part, "mean") for part in parts], 1)


class FusionRecipe:
    """The recipe: one prior; the VQ-VAE says the codes of the fusions and stays as it is."""

    def __init__(
        self,
        model: LoadedModel,
        config: CodePriorConfig,
        make_batch: BatchMaker,
        shown: TripleMaker,
        *,
        rate: float = 2e-3,
        seed: int = 0,
    ) -> None:
        """Build the prior from the seed.

        Args:
            model: the VQ-VAE.
            config: the prior's.
            make_batch: draws `pairs`, `wanted` and `weights`.
            shown: draws the triples of sheets.
            rate: of Adam.
            seed: of the starting weights.
        """
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.net = CodePrior(config)
        assert isinstance(model.module, VQVAE)
        self.model, self.codes = model, model.module
        self.nets: Mapping[str, nn.Module] = {"prior": self.net}
        self.averaged: Mapping[str, nn.Module] = {"prior": self.net}
        self.optimizers = {"adam": torch.optim.Adam(self.net.parameters(), lr=rate)}
        self.make_batch = make_batch
        generator = generator_of(0, "sheet")
        self._shown = [shown.draw(generator) for _ in range(2 * _SHOWN)]

    def train_step(self, batch: Batch, step: int, context: StepContext) -> dict[str, Tensor]:
        """One step."""
        del step
        weights = batch["weights"]
        self.net.train()
        with torch.no_grad():
            wanted = self.codes.to(weights.device).encode(batch["wanted"]).flatten()
        with context.autocast():
            logits = weighted_forward(self.net.blocks, batch["pairs"], weights).float().flatten(1)  # n k
        loss = weighted_mean(F.cross_entropy(logits, wanted, reduction="none")[:, None], weights)
        context.apply(loss, self.optimizers["adam"])
        agreed = (logits.argmax(1) == wanted).float()[:, None]
        return {"cross_entropy": loss, "agreed": weighted_mean(agreed, weights)}

    def sample_sheet(self, nets: Mapping[str, nn.Module]) -> Image.Image:
        """Rows: base, second, the wanted fusion as codes show it, the prior's; of two dozen triples."""
        prior = LoadedModel(nets["prior"], SPECS[0], self.net.config, "in training")
        made = [fused(prior, self.model, triple) for triple in self._shown]
        columns = [
            [from_uint8(t.base), from_uint8(t.second), m.wanted, m.made] for t, m in zip(self._shown, made, strict=True)
        ]
        rows = [
            torch.stack([_on_grey(column[row], 64) for column in columns[first : first + _SHOWN]])
            for first in (0, _SHOWN)
            for row in range(4)
        ]
        return sheet(rows, side=128)

    def export(self, nets: Mapping[str, nn.Module], folder: Path, facts: Mapping[str, Any]) -> list[Path]:
        """Write the averaged prior; its file is small enough to keep every bit."""
        path = folder / "prior.safetensors"
        metadata = {"training": str({key: str(value) for key, value in facts.items()}), "recipe": "fusion"}
        save_checkpoint(path, nets["prior"], SPECS[0], self.net.config, metadata)
        return [path]


@dataclass(frozen=True)
class Fused:
    """A triple's fusion as codes, wanted and made."""

    wanted: Tensor
    """`4 h w`, float32 in [0, 1], alpha 0 or 1: the fusion, from the codes that it has."""

    made: Tensor
    """The same of the prior's codes."""

    agreed: float
    """Share of the places where the codes are the same, of those where base or second shows."""


def fused(prior: LoadedModel, model: LoadedModel, triple: Triple) -> Fused:
    """What the prior makes of a triple's base and second."""
    (a, one), (b, two), (c, three) = ((x[None, :3], x[None, 3:]) for x in map(from_uint8, triple[:3]))
    made = fuse(prior, model, a, one, b, two)
    wanted = encode(model, c, three, keep_alpha=made.transparent is not None)
    shows = F.max_pool2d(torch.maximum(one, two), made.patch, ceil_mode=True)[:, 0] > 0
    agreed = float((made.indices == wanted.indices)[shows].float().mean()) if bool(shows.any()) else 1.0
    pictures = [torch.cat(decode(model, codes), 1)[0] for codes in (wanted, made)]
    return Fused(pictures[0], pictures[1], agreed)


def _on_grey(picture: Tensor, side: int) -> Tensor:
    """`4 h w` with straight alpha, in the middle of a square or a part of it: `3 side side`."""
    picture = torch.cat([picture[:3] * picture[3:], picture[3:]])[:, :side, :side]
    fitting = next(s for s in (16, 32, 48, side) if max(picture.shape[1:]) <= s)
    square = centred(picture, fitting, fitting)
    rgb = square[:3] + 0.6 * (1 - square[3:])
    return F.interpolate(rgb[None], size=(128, 128), mode="nearest")[0]


def report(path: Path, model: LoadedModel, held_out: TripleMaker) -> str:
    """How the prior does on triples that it has not seen, a line a kind: agreement, and the mean square of errors."""
    prior, generator = load_checkpoint(path), generator_of(0, "report")
    found: dict[int, list[tuple[float, float]]] = {}
    for _ in range(_MEASURED):
        triple = held_out.draw(generator)
        one = fused(prior, model, triple)
        shows = torch.maximum(triple.base[3], triple.second[3]) > 0
        away = (one.made - one.wanted)[:, shows].square()
        found.setdefault(triple.kind, []).append((one.agreed, float(away.mean()) if away.numel() else 0.0))
    lines = []
    for kind, values in sorted(found.items()):
        agreed, mse = torch.tensor(values).mean(0).tolist()
        lines.append(f"{KINDS[kind]}: agreed {agreed:.4f} mse {mse:.5f} ({len(values)} triples)")
    return "\n".join(lines)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    command = argparse.ArgumentParser(prog="python -m train.fusion", description=(__doc__ or "").split("\n")[0])
    data = command.add_mutually_exclusive_group(required=True)
    data.add_argument("--data", type=Path, metavar="FOLDER", help="triples: base/, second/ and fusion/, by name")
    data.add_argument("--layers-of", type=Path, metavar="SET", help="make triples of single sprites")
    command.add_argument("--model", type=Path, required=True, help="weights of the VQ-VAE whose codes are learned")
    command.add_argument("--setting", choices=sorted(SETTINGS), default="small")
    command.add_argument(
        "--kinds",
        nargs="+",
        choices=KINDS,
        default=["colors"],
        help="what --layers-of makes of two sprites; several muddle what a place should be",
    )
    command.add_argument("--width", type=int, help="features of every layer (default: the setting's)")
    command.add_argument("--batch", type=int, help="triples a step (default: the setting's)")
    command.add_argument("--rate", type=float, default=2e-3, help="learning rate of Adam")
    command.add_argument("--jitter", type=float, default=0.3, metavar="SHARE", help="sprites in another palette")
    add_arguments(command)
    return command


def triples_of(options: argparse.Namespace, split: str, jitter: float) -> TripleMaker:
    """Triples of a split.

    Raises:
        FileNotFoundError: there are none.
        ValueError: none of the sprites is a base.
    """
    if options.data:
        return read_triples(options.data, split)
    kinds = tuple(dict.fromkeys(options.kinds))
    return LayerTriples(read_picture_set(options.layers_of, split), kinds, vary=jitter)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    options = parser().parse_args(argv)
    model = load_checkpoint(options.model).require(Purpose.ENCODE)
    assert isinstance(model.module, VQVAE)
    theirs, setting = model.module.config, SETTINGS[options.setting]
    options.steps = options.steps or setting.steps
    width, batch = options.width or setting.width, options.batch or setting.batch
    config = CodePriorConfig(
        codes=theirs.codes,
        layers=theirs.layers,
        widths=(width,) * (theirs.layers + 3),
        channels=theirs.channels,
        codes_of=model.fingerprint,
    )
    train = triples_of(options, "train", options.jitter)
    try:
        held_out = triples_of(options, "val", 0.0)
    except FileNotFoundError:
        held_out = train
    facts: dict[str, Any] = {**dataclasses.asdict(config), "recipe": "fusion", "seed": options.seed, "batch": batch}
    facts |= {"rate": options.rate, "kinds": "files" if options.data else options.kinds}
    facts |= {"jitter": 0 if options.data else options.jitter}
    batches = PlaceBatches(train, theirs.patch, theirs.channels, batch)
    recipe = FusionRecipe(model, config, batches, held_out, rate=options.rate, seed=options.seed)
    for path in run(recipe, options, facts):
        print(path, file=sys.stdout)  # noqa: T201  a command's own output
        print(report(path, model, held_out), file=sys.stdout)  # noqa: T201  a command's own output


if __name__ == "__main__":
    main()
