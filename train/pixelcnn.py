"""`python -m train.pixelcnn`: a prior over the codes of a VQ-VAE, which samples and completes sprites.

van den Oord et al., "Conditional Image Generation with PixelCNN Decoders", NeurIPS 2016,
https://arxiv.org/abs/1606.05328, in the form of Saravanan and Guzdial, "Pixel VQ-VAEs for Improved Pixel Art
Representation", EXAG 2022, https://arxiv.org/abs/2203.12130. As logged:
    bits            cross entropy of the codes that are not given, bits a place, of a batch as it is trained on
    held_out        the same of held-out sprites with their labels and nothing else given
    held_out_plain  the same without labels
    held_out_palette  the same with labels and palette; for networks with context
    nearest         mean share of the places in which a sample differs from the training sprite most like it
    nearest_real    the same of held-out sprites: samples that are much nearer are copies
"""

from __future__ import annotations

import argparse
import copy
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

import pixel_models
from pixel_models.archs.pixelcnn import SPECS, TO_FILL, Hints, PixelCNN, PixelCNNConfig, bits_per_dim, no_hints
from pixel_models.checkpoint import LoadedModel, load_checkpoint, save_checkpoint
from pixel_models.codes import CodeGrid, decode
from pixel_models.generate import sample_codes, uniforms_of
from pixel_models.generate.palettes import pick_palettes
from pixel_models.ops.causal import CausalConv
from pixel_models.spec import Purpose

from .attributes import GROUPS
from .codeset import CodeSet, CodeSetting, code_set
from .hints import given_part, some_labels
from .loop import Batch, BatchMaker, StepContext, add_arguments, generator_of, run
from .nearest import nearest_shares
from .sheet import sheet

RGB = "rgb"
_SHOWN = (4, 12)
# Rows and columns of the sheet of samples.
_MEASURED = 256
_GIVEN, _SILHOUETTES, _PALETTES = 0.35, 0.2, 0.75
# Shares of the sprites of a batch of which a part, the silhouette, or the palette is given.
_MORE_CODES = 0.05
# The largest share of the codebook by which given palettes are too large.


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One size of run."""

    steps: int
    width: int
    embedding: int = 32
    context: int = 64
    dropout: float = 0.1
    batch: int = 32
    variants: int = 16
    palettes: int = 2000
    rate: float = 1e-3


SETTINGS = {
    "tiny": Setting(steps=20, width=8, embedding=4, context=8, batch=4, variants=2),
    "small": Setting(steps=6500, width=80, context=48),
    "full": Setting(steps=60_000, width=256, embedding=64, context=128, dropout=0.2, batch=256, variants=64),
}


@dataclass(frozen=True, eq=False)
class CodeBatches:
    """Batches of codes with labels and hints.

    A batch holds `codes` `n c h w` int64, `labels` `n k` float, and for networks with context `known` `n h w` int64,
    `opaque` `n h w` float and `palette` `n codes` float; see `Hints`.
    """

    data: CodeSet
    count: int
    codebook: int
    hinted: bool
    """Whether parts of the sprites are given, for networks with context."""

    dropped: float = 0.15
    """Share of the sprites whose labels are not told; of the others each label with twice the chance."""

    def __call__(self, generator: torch.Generator) -> Batch:
        """Draw a batch."""
        g, data = generator, self.data
        chosen = torch.multinomial(data.weights, self.count, replacement=True, generator=g)
        variant = torch.randint(data.codes.shape[1], (self.count,), generator=g)
        codes, labels = data.codes[chosen, variant].long(), data.labels[chosen, variant]
        labels = some_labels(labels, self.dropped, 2 * self.dropped, g)
        if not self.hinted:
            return {"codes": codes, "labels": labels.float()}
        known, opaque = torch.full_like(codes[:, 0], TO_FILL), torch.full(codes[:, 0].shape, -1.0)
        for index in range(self.count):
            if float(torch.rand((), generator=g)) < _GIVEN:
                part = given_part(codes.shape[2], codes.shape[3], g)
                known[index][part] = codes[index, 0][part]
            if float(torch.rand((), generator=g)) < _SILHOUETTES:
                opaque[index] = data.opaque[chosen[index], variant[index]].float() / 255
        palette = palettes_of(codes, self.codebook)
        more = torch.rand(palette.shape, generator=g) < _MORE_CODES * torch.rand(self.count, 1, generator=g)
        palette |= more & (torch.rand(self.count, 1, generator=g) < 0.5)
        palette &= torch.rand(self.count, 1, generator=g) < _PALETTES
        hints = {"known": known, "opaque": opaque, "palette": palette.float()}
        return {"codes": codes, "labels": labels.float(), **hints}


def palettes_of(codes: Tensor, codebook: int) -> Tensor:
    """Which codes grids `n 1 h w` have: `n codebook`, bool."""
    found = torch.zeros(len(codes), codebook, dtype=torch.bool)
    found[torch.arange(len(codes))[:, None], codes.flatten(1).long()] = True
    return found


class PriorRecipe:
    """Trains one PixelCNN."""

    def __init__(
        self,
        coder: LoadedModel | None,
        config: PixelCNNConfig,
        train: CodeSet,
        held_out: CodeSet,
        batch: int,
        *,
        rate: float,
        faithful: bool,
        seed: int,
    ) -> None:
        """Build the network.

        Args:
            coder: the VQ-VAE of the codes; None: they are levels of RGB.
            config: layout of the network.
            train: what is learned.
            held_out: what is measured.
            batch: sprites a step.
            rate: of Adam.
            faithful: the paper's recipe: Adam at one rate, no average, every label told, nothing given.
            seed: decides the weights.
        """
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.net = PixelCNN(config)
        self.coder, self.train, self.held_out, self.faithful = coder, train, held_out, faithful
        decay = 0.0 if faithful else 0.01
        self.adam = torch.optim.AdamW(self.net.parameters(), rate, weight_decay=decay)
        self.nets: Mapping[str, nn.Module] = {"prior": self.net}
        self.averaged: Mapping[str, nn.Module] = {"prior": self.net}
        self.optimizers: Mapping[str, torch.optim.Optimizer] = {"adam": self.adam}
        self.make_batch: BatchMaker = CodeBatches(
            train, batch, config.codes, hinted=bool(config.context), dropped=0.0 if faithful else 0.15
        )
        if config.palettes:
            chosen = torch.multinomial(train.weights, config.palettes, generator=generator_of(seed, "palettes"))
            self.net.fill_bank(palettes_of(train.codes[chosen, 0], config.codes), train.labels[chosen, 0])

    def rate_factor(self, step: int, steps: int) -> float:
        """Warm up over two hundred steps, then fall along half a cosine; the paper's rate stays."""
        if self.faithful:
            return 1.0
        return min(1.0, (step + 1) / 200) * (0.51 + 0.49 * float(torch.cos(torch.tensor(torch.pi * step / steps))))

    def average_decay(self, step: int, steps: int) -> float:
        """Over the last five hundred steps or so; the paper keeps none."""
        del steps
        return 0.0 if self.faithful else min(0.998, (1 + step) / (10 + step))

    def train_step(self, batch: Batch, step: int, context: StepContext) -> dict[str, Tensor]:
        """One step on the codes that are not given."""
        del step
        self.net.train()
        codes = batch["codes"]
        hints = Hints(batch["known"], batch["opaque"], batch["palette"]) if "known" in batch else None
        with context.seeded(), context.autocast():
            logits = self.net(codes, batch["labels"] if self.net.config.labels else None, hints)
        logits = logits.float()
        if hints is not None:
            logits = within(logits, batch["palette"])
        losses = F.cross_entropy(logits, codes, reduction="none")
        loss = losses.mean()
        if hints is not None:
            open_ = (hints.known < 0)[:, None].to(losses.dtype)
            loss = (losses * open_).sum() / open_.sum().clamp_min(1)
        context.apply(loss, self.adam)
        return {"bits": bits_per_dim(loss)}

    def measure(self, nets: Mapping[str, nn.Module]) -> dict[str, float]:
        """Bits a place of held-out sprites, and how near samples and held-out sprites come to training sprites."""
        net = prior_of(nets)
        codes, labels = self.held_out.codes[:_MEASURED, 0].long(), self.held_out.labels[:_MEASURED, 0].float()
        found = {"held_out": held_out_bits(net, codes, labels)}
        if net.config.labels:
            found["held_out_plain"] = held_out_bits(net, codes, torch.zeros_like(labels))
        if net.config.context:
            found["held_out_palette"] = held_out_bits(net, codes, labels, palettes=True)
        made = self._samples(net)
        found["nearest"] = float(nearest_shares(made, self.train).shares.mean())
        found["nearest_real"] = float(nearest_shares(codes[: len(made)], self.train).shares.mean())
        return found

    def _samples(self, net: PixelCNN) -> Tensor:
        """Codes of new sprites with the labels of held-out ones, `n c h w`, not picked."""
        rows, columns = _SHOWN
        count = min(rows * columns, len(self.held_out))
        codes = self.held_out.codes[:count, 0]
        places = torch.linspace(0, len(self.held_out) - 1, count).long()
        labels = self.held_out.labels[places, 0].float()
        generator = generator_of(0, "samples")
        uniforms = uniforms_of(generator, count, (codes.shape[1], codes.shape[2], codes.shape[3]))
        device = next(net.parameters()).device
        start = torch.full(codes.shape, TO_FILL)
        hints, allowed = None, None
        if net.config.palettes:
            palette = pick_palettes(net, labels, torch.rand(count, generator=generator))
            hints = no_hints(start, net.config.codes)._replace(palette=palette.float())
            allowed = palette[:, None, None].expand(-1, *codes.shape[2:], -1)
        told = labels.to(device) if net.config.labels else None
        return sample_codes(net, start.to(device), uniforms, labels=told, hints=hints, allowed=allowed).cpu()

    def sample_sheet(self, nets: Mapping[str, nn.Module]) -> Image.Image:
        """New sprites with the labels of held-out ones."""
        made = shown(self._samples(prior_of(nets)), self.coder)
        columns = _SHOWN[1]
        return sheet(made.split(columns), side=96)

    def export(self, nets: Mapping[str, nn.Module], folder: Path, facts: Mapping[str, Any]) -> list[Path]:
        """Write the averaged prior."""
        path, net = folder / "prior.safetensors", copy.deepcopy(prior_of(nets))
        for layer in net.modules():
            if isinstance(layer, CausalConv):
                layer.clear()
        metadata = {"training": str({key: str(value) for key, value in facts.items()}), "recipe": "pixelcnn"}
        save_checkpoint(path, net, SPECS[0], self.net.config, metadata)
        return [path]


def within(logits: Tensor, palette: Tensor) -> Tensor:
    """Logits `n k c h w` with the codes ruled out that a palette `n k` has not; one that is all 0 rules out none."""
    out = (palette == 0) & (palette != 0).any(1, keepdim=True)
    return logits.masked_fill(out[:, :, None, None, None], -1e4)


def prior_of(nets: Mapping[str, nn.Module]) -> PixelCNN:
    """The prior among the networks of a recipe."""
    net = nets["prior"]
    assert isinstance(net, PixelCNN)
    return net


@torch.no_grad()
def held_out_bits(net: PixelCNN, codes: Tensor, labels: Tensor, *, palettes: bool = False) -> float:
    """Bits a place: codes `n c h w` and labels `n k`, nothing else given, or the palettes."""
    device, losses = next(net.parameters()).device, []
    for part, told in zip(codes.split(32), labels.split(32), strict=True):
        hints, palette = None, palettes_of(part, net.config.codes).float().to(device)
        if palettes:
            hints = no_hints(part.to(device), net.config.codes)._replace(palette=palette)
        logits = net(part.to(device), told.to(device) if net.config.labels else None, hints)
        logits = within(logits, palette) if palettes else logits
        losses.append(F.cross_entropy(logits, part.to(device), reduction="none").mean((1, 2, 3)))
    return float(bits_per_dim(torch.cat(losses).mean()))


def shown(codes: Tensor, coder: LoadedModel | None) -> Tensor:
    """Codes `n c h w` as pictures on grey, `n 3 h w`; levels of RGB as they are."""
    if coder is None:
        return codes.float() / 255
    config: Any = coder.config
    height, width = (side * config.patch for side in codes.shape[2:])
    rgb, alpha = decode(coder, CodeGrid(codes[:, 0], config.codes, coder.fingerprint, config.patch, height, width))
    return rgb * alpha + 0.6 * (1 - alpha)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    command = argparse.ArgumentParser(prog="python -m train.pixelcnn", description=(__doc__ or "").split("\n")[0])
    command.add_argument("--sprites", type=Path, required=True, help="folder of sprites at native size")
    command.add_argument(
        "--model", required=True, help=f"the VQ-VAE whose codes are learned: a name, a file; or {RGB}: pixels' levels"
    )
    command.add_argument("--side", type=int, default=32, help="of the canvas, pixels; larger sprites are left out")
    command.add_argument("--least", type=int, default=0, metavar="PIXELS", help="smaller sprites are left out too")
    command.add_argument("--setting", choices=sorted(SETTINGS), default="small")
    command.add_argument("--faithful", action="store_true", help="the paper's network and recipe instead of ours")
    command.add_argument(
        "--labels", nargs="*", choices=GROUPS, default=list(GROUPS), help="what can be asked for later (default: all)"
    )
    command.add_argument(
        "--columns",
        nargs="*",
        default=[],
        metavar="COLUMN",
        help="columns of the manifest whose values are labels too, such as type1 type2 shape",
    )
    command.add_argument("--least-labelled", type=int, default=25, metavar="N", help="labels of fewer are left out")
    command.add_argument("--jitter", type=float, default=0.5, metavar="SHARE", help="variants in another palette")
    for name, text in (("width", "features of the stacks"), ("batch", "sprites a step"), ("variants", "of a sprite")):
        command.add_argument(f"--{name}", type=int, help=f"{text} (default: the setting's)")
    command.add_argument("--embedding", type=int, help="length of a code's vector; 0: a number, as in the paper")
    command.add_argument("--context", type=int, help="features of what steers; 0: labels alone, as in the paper")
    command.add_argument("--dropout", type=float, help="share of dropped features (default: the setting's)")
    command.add_argument("--rate", type=float, help="learning rate of Adam (default: the setting's)")
    add_arguments(command)
    return command


def config_of(
    options: argparse.Namespace, setting: Setting, coder: LoadedModel | None, train: CodeSet
) -> PixelCNNConfig:
    """The network that the options ask for."""
    theirs: Any = coder.config if coder else None
    paper = options.faithful or coder is None
    own = {
        "embedding": 0 if paper else setting.embedding,
        "context": 0 if paper else setting.context,
        "dropout": 0.0 if paper else setting.dropout,
        "width": (256 if coder else 128) if options.faithful and options.setting == "full" else setting.width,
    }
    given = {key: getattr(options, key) for key in own}
    own |= {key: value for key, value in given.items() if value is not None}
    return PixelCNNConfig(
        **own,
        palettes=min(setting.palettes, len(train)) if own["context"] else 0,
        codes=theirs.codes if theirs else 256,
        channels=1 if theirs else 3,
        labels=train.names,
        codes_of=coder.fingerprint if coder else "",
        patch=theirs.patch if theirs else 1,
        size=train.codes.shape[-1],
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    options = parser().parse_args(argv)
    setting = SETTINGS[options.setting]
    coder = None if options.model == RGB else pixel_models.load(options.model, purpose=Purpose.ENCODE)
    making = CodeSetting(
        side=options.side,
        least=options.least,
        variants=options.variants or setting.variants,
        jitter=options.jitter,
        groups=tuple(options.labels),
        columns=tuple(options.columns),
        least_labelled=options.least_labelled,
    )
    store = options.out / "codes"
    train = code_set(options.sprites, "train", coder, making, store)
    plain = dataclasses.replace(making, variants=1)
    try:
        held_out = code_set(options.sprites, "val", coder, plain, store, train.names)
    except FileNotFoundError:
        held_out = train
    options.steps = options.steps or setting.steps
    config = config_of(options, setting, coder, train)
    batch = options.batch or setting.batch
    rate = options.rate or (1e-4 if options.faithful else setting.rate)
    facts: dict[str, Any] = {**dataclasses.asdict(config), **dataclasses.asdict(making), "recipe": "pixelcnn"}
    facts |= {"faithful": options.faithful, "seed": options.seed, "batch": batch, "rate": rate}
    facts |= {} if options.faithful else {"steps_planned": options.steps}
    recipe = PriorRecipe(coder, config, train, held_out, batch, rate=rate, faithful=options.faithful, seed=options.seed)
    for path in run(recipe, options, facts):
        print(path, file=sys.stdout)  # noqa: T201  a command's own output
        found = recipe.measure({"prior": load_checkpoint(path).module})
        print(" ".join(f"{name} {value:.4f}" for name, value in found.items()))  # noqa: T201  a command's own output


if __name__ == "__main__":
    main()
