"""`python -m train.vqvae`: VQ-VAE and Pixel VQ-VAE on a folder of sprites, the paper's recipe or ours.

Saravanan and Guzdial, "Pixel VQ-VAEs for Improved Pixel Art Representation", EXAG 2022,
https://arxiv.org/abs/2203.12130. As logged:
    mse         mean squared error of the reconstruction
    commitment  mean squared distance of the features to their codes; it counts a quarter
    geometry    mean squared distance of the features to the patch's principal components; in our recipe
    choice      cross entropy of the encoder's choice and the nearest decoded patch; in our recipe
    agreed      share of pixels where the two are the same
    used        share of the codes that the batch uses
    perplexity  of the codes in the batch
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixel_models.archs.vqvae import VQVAEConfig
from pixel_models.checkpoint import load_checkpoint

from .axes import SPACES
from .backgrounds import VARIANTS, PaperBatches
from .codes import CHOICES, CodeSetting, PatchCodes
from .loop import add_arguments, run
from .papercodes import PaperCodes
from .pictures import PictureSet, read_picture_set
from .reconstruction import measures, reconstruct
from .sprites import BACKGROUNDS, PatchBatches, SpriteDraw

MODELS: Mapping[str, Mapping[str, int]] = {
    "hires": {"layers": 0, "embedding": 32},
    "medres": {"layers": 1, "embedding": 32},
    "lowres": {"layers": 2, "embedding": 64},
}
"""The paper's three sizes: a code for 1, 2x2 or 4x4 pixels."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One size of run."""

    steps: int
    filters: int
    batch: int = 64
    """Sprites a step."""

    codes: CodeSetting = dataclasses.field(default_factory=CodeSetting)


SETTINGS = {
    "tiny": Setting(steps=40, filters=16, batch=8, codes=CodeSetting(start_batches=4, restart_every=5)),
    "small": Setting(steps=4000, filters=256),
    "full": Setting(steps=60_000, filters=512, batch=256, codes=CodeSetting(rate=1e-3)),
}
"""`full` has the paper's widths."""

EPOCHS = 25
"""The paper's."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    command = argparse.ArgumentParser(prog="python -m train.vqvae", description=(__doc__ or "").split("\n")[0])
    command.add_argument("--sprites", type=Path, required=True, help="folder of sprites at native size")
    command.add_argument("--model", choices=list(MODELS), default="medres", help="1, 2x2 or 4x4 pixels a code")
    command.add_argument("--setting", choices=sorted(SETTINGS), default="small")
    command.add_argument("--faithful", action="store_true", help="the paper's recipe instead of ours")
    command.add_argument("--epochs", type=int, default=EPOCHS, help="of --faithful, where --steps is not given")
    command.add_argument("--codes", type=int, default=256, help="entries of the codebook")
    command.add_argument("--embedding", type=int, help="length of a code's vector (default: the model's)")
    command.add_argument("--filters", type=int, help="features of the widest layer (default: the setting's)")
    command.add_argument("--channels", type=int, choices=[3, 4], help="3: RGB, 4: RGB and alpha (default)")
    for name, text in (("pixelsight", "a layer that sees single pixels"), ("adapter", "layers about the codebook")):
        command.add_argument(f"--{name}", action=argparse.BooleanOptionalAction, default=True, help=text)
    command.add_argument("--batch", type=int, help="sprites a step (default: the setting's)")
    command.add_argument("--rate", type=float, help="learning rate of Adam (default: the recipe's)")
    command.add_argument("--jitter", type=float, default=0.3, metavar="SHARE", help="sprites in another palette")
    command.add_argument("--flips", action=argparse.BooleanOptionalAction, default=True)
    command.add_argument("--shifts", action=argparse.BooleanOptionalAction, default=True)
    command.add_argument("--rotations", action=argparse.BooleanOptionalAction, default=False)
    command.add_argument(
        "--background",
        nargs="+",
        choices=BACKGROUNDS,
        default=list(BACKGROUNDS),
        help="behind sprites where --channels is 3",
    )
    for field in dataclasses.fields(CodeSetting):
        if field.name not in ("rate", "choice", "space"):
            option = f"--{field.name.replace('_', '-')}"
            command.add_argument(option, type=type(field.default), help="see docs/training-vqvae.md")
    command.add_argument("--choice", choices=CHOICES, help="what decides a patch's code in training")
    command.add_argument("--space", choices=SPACES, help="what near is measured in")
    add_arguments(command)
    return command


def config_of(options: argparse.Namespace, setting: Setting) -> VQVAEConfig:
    """The network that the options ask for."""
    model = MODELS[options.model]
    return VQVAEConfig(
        layers=model["layers"],
        codes=options.codes,
        embedding=options.embedding or model["embedding"],
        filters=options.filters or (512 if options.faithful else setting.filters),
        pixelsight=options.pixelsight,
        adapter=options.adapter,
        channels=options.channels or (3 if options.faithful else 4),
    )


def recipe_of(options: argparse.Namespace, train: PictureSet, shown: PictureSet) -> tuple[PaperCodes | PatchCodes, Any]:
    """The recipe that the options ask for, with `options.steps` filled in, and the facts that decide its run.

    Raises:
        ValueError: `--faithful` with 4 channels.
    """
    setting = SETTINGS[options.setting]
    config = config_of(options, setting)
    batch = options.batch or setting.batch
    facts: dict[str, Any] = {**dataclasses.asdict(config), "recipe": "vqvae", "seed": options.seed, "batch": batch}
    if options.faithful:
        if config.channels != 3:
            msg = "--faithful is trained on RGB as the paper's is; leave --channels 4 out, or --faithful"
            raise ValueError(msg)
        options.steps = options.steps or max(1, options.epochs * len(train) * VARIANTS // batch)
        rate = options.rate or 1e-4
        paper = PaperCodes(config, PaperBatches(train, batch), shown, rate=rate, seed=options.seed)
        return paper, {**facts, "faithful": True, "rate": rate}
    given = {f.name: getattr(options, f.name) for f in dataclasses.fields(CodeSetting)}
    codes = dataclasses.replace(setting.codes, **{key: value for key, value in given.items() if value is not None})
    options.steps = options.steps or setting.steps
    draw = SpriteDraw(train, options.jitter, options.flips, options.rotations)
    batches = PatchBatches(
        draw, 2**config.layers, config.channels, batch, options.shifts, tuple(dict.fromkeys(options.background))
    )
    facts |= {"steps_planned": options.steps, **{k: getattr(options, k) for k in ("jitter", "flips", "shifts")}}
    facts |= {"rotations": options.rotations, **dataclasses.asdict(codes)}
    facts |= {"background": batches.backgrounds if config.channels == 3 else ""}
    return PatchCodes(config, batches, shown, codes, options.steps, seed=options.seed), facts


def report(path: Path, sprites: PictureSet) -> str:
    """Errors of a weight file on sprites and its codes' use, for either way to encode."""
    model = load_checkpoint(path)
    module: Any = model.module
    lines = []
    for how in ("features", "picture"):
        found = measures(reconstruct(module, sprites.pictures, how), module.config.codes)
        lines.append(f"{how}: " + " ".join(f"{name} {value:.6g}" for name, value in found.items()))
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    options = parser().parse_args(argv)
    train = read_picture_set(options.sprites)
    try:
        held_out = read_picture_set(options.sprites, "val")
    except FileNotFoundError:
        held_out = train
    recipe, facts = recipe_of(options, train, held_out)
    for path in run(recipe, options, facts):
        print(path, file=sys.stdout)  # noqa: T201  a command's own output
        print(report(path, held_out), file=sys.stdout)  # noqa: T201  a command's own output


if __name__ == "__main__":
    main()
