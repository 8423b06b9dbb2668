"""`python -m train.vae`: the VAE that the Pixel VQ-VAE paper compares with, and its Pixel VAE.

Saravanan and Guzdial, "Pixel VQ-VAEs for Improved Pixel Art Representation", EXAG 2022,
https://arxiv.org/abs/2203.12130; Kingma and Welling, "Auto-Encoding Variational Bayes", ICLR 2014,
https://arxiv.org/abs/1312.6114. As logged:
    mse     mean squared error of the reconstruction
    unlike  1 - SSIM; in the Pixel VAE's loss alone
    kl      how far the latent's distribution is from N(0, 1), summed over the latent
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

from pixel_models.archs.vae import SPECS, VAE, VAEConfig
from pixel_models.checkpoint import save_checkpoint

from .backgrounds import VARIANTS, PaperBatches
from .loop import Batch, BatchMaker, StepContext, add_arguments, generator_of, run
from .losses import kl_from_normal
from .pictures import PictureSet, read_picture_set
from .sheet import sheet
from .sprites import CanvasBatches, SpriteDraw
from .ssim import ssim

EPOCHS = 25
"""The paper's."""

_SHOWN = 12


@dataclass(frozen=True, kw_only=True)
class VAESetting:
    """One size of run."""

    steps: int | None
    """None: as many as `EPOCHS` take."""

    filters: int
    layers: int = 4
    latent: int = 256
    side: int = 64
    batch: int = 64
    rate: float = 1e-4


SETTINGS = {
    "tiny": VAESetting(steps=20, filters=16, layers=2, latent=8, side=16, batch=4, rate=1e-3),
    "small": VAESetting(steps=2500, filters=128, latent=64, rate=1e-3),
    "full": VAESetting(steps=None, filters=512),
}
"""`full` is the paper's."""


class VAERecipe:
    """The recipe: one network, its reconstruction and the latent's distribution."""

    def __init__(
        self,
        config: VAEConfig,
        make_batch: BatchMaker,
        *,
        shown: BatchMaker | None = None,
        rate: float = 1e-4,
        structure: float = 0.0,
        kl: float = 1.0,
        seed: int = 0,
    ) -> None:
        """Build the network from the seed.

        Args:
            config: the network's.
            make_batch: draws `pictures`, `b c s s`.
            shown: draws the pictures of sheets.
            rate: of Adam.
            structure: weight of 1 - SSIM.
            kl: weight of the divergence.
            seed: of the starting weights.
        """
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.net = VAE(config)
        self.structure, self.kl = structure, kl
        self.nets: Mapping[str, nn.Module] = {"vae": self.net}
        self.averaged: Mapping[str, nn.Module] = {"vae": self.net}
        self.optimizers = {"adam": torch.optim.Adam(self.net.parameters(), lr=rate)}
        self.make_batch = make_batch
        self._shown = (shown or make_batch)(generator_of(0, "sheet"))["pictures"][:_SHOWN]

    def rate_factor(self, step: int, steps: int) -> float:
        """Always the same rate."""
        del step, steps
        return 1.0

    def train_step(self, batch: Batch, step: int, context: StepContext) -> dict[str, Tensor]:
        """One step."""
        del step
        x = batch["pictures"]
        noise = torch.randn(len(x), self.net.config.latent, generator=context.generator).to(x.device)
        with context.autocast():
            made = self.net(x, noise)
        picture = made.picture.float()
        losses = {
            "mse": F.mse_loss(picture, x),
            "kl": kl_from_normal(made.mean.float(), made.log_variance.float()).mean(),
        }
        total = losses["mse"] + self.kl * losses["kl"]
        if self.structure:
            losses["unlike"] = 1 - ssim(picture, x).mean()
            total = total + self.structure * losses["unlike"]
        context.apply(total, self.optimizers["adam"])
        return losses

    @torch.no_grad()
    def sample_sheet(self, nets: Mapping[str, nn.Module]) -> Image.Image:
        """Rows: pictures, what is left of them, and pictures of latents drawn from N(0, 1)."""
        net = nets["vae"]
        assert isinstance(net, VAE)
        device = net.fc_mu.weight.device
        drawn = torch.randn(_SHOWN, net.config.latent, generator=generator_of(0, "samples"))
        rows = [self._shown, net(self._shown.to(device)).picture, net.decode(drawn.to(device))]
        return sheet(
            [_on_grey(row.float().cpu()) for row in rows], side=max(1, 128 // net.config.size) * net.config.size
        )

    def export(self, nets: Mapping[str, nn.Module], folder: Path, facts: Mapping[str, Any]) -> list[Path]:
        """Write the averaged network in half precision."""
        path = folder / "vae.safetensors"
        metadata = {"training": str({key: str(value) for key, value in facts.items()}), "recipe": "vae"}
        save_checkpoint(path, nets["vae"], SPECS[0], self.net.config, metadata, half=True)
        return [path]


def _on_grey(pictures: Tensor) -> Tensor:
    """`b 3 h w`, or RGB times alpha and alpha, `b 4 h w`, to `b 3 h w`."""
    return pictures if pictures.shape[1] == 3 else pictures[:, :3] + 0.6 * (1 - pictures[:, 3:])


def parser() -> argparse.ArgumentParser:
    """The command line."""
    command = argparse.ArgumentParser(prog="python -m train.vae", description=(__doc__ or "").split("\n")[0])
    command.add_argument("--sprites", type=Path, required=True, help="folder of sprites at native size")
    command.add_argument("--setting", choices=sorted(SETTINGS), default="small")
    command.add_argument("--pixel", action="store_true", help="the Pixel VAE: PixelSight, SSIM in the loss, KL at 0.1")
    command.add_argument("--faithful", action="store_true", help="the paper's pictures: backgrounds, turns, bicubic")
    command.add_argument("--epochs", type=int, default=EPOCHS, help="where neither --steps nor the setting says")
    command.add_argument("--channels", type=int, choices=[3, 4], help="3: RGB, 4: RGB and alpha (default)")
    command.add_argument("--filters", type=int, help="features of the deepest layer (default: the setting's)")
    command.add_argument("--latent", type=int, help="numbers that a picture becomes (default: the setting's)")
    command.add_argument("--batch", type=int, help="pictures a step (default: the setting's)")
    command.add_argument("--rate", type=float, help="learning rate of Adam (default: the setting's)")
    command.add_argument("--kl", type=float, help="weight of the divergence (default: 1; 0.1 with --pixel)")
    command.add_argument("--jitter", type=float, default=0.3, metavar="SHARE", help="sprites in another palette")
    add_arguments(command)
    return command


def recipe_of(
    options: argparse.Namespace, train: PictureSet, held_out: PictureSet
) -> tuple[VAERecipe, Mapping[str, Any]]:
    """The recipe that the options ask for, with `options.steps` filled in, and the facts that decide its run.

    Raises:
        ValueError: `--faithful` with 4 channels, or with a setting whose pictures are not 64 pixels.
    """
    setting = SETTINGS[options.setting]
    given = {name: getattr(options, name) for name in ("filters", "latent", "batch", "rate")}
    setting = dataclasses.replace(setting, **{name: value for name, value in given.items() if value is not None})
    channels = options.channels or (3 if options.faithful else 4)
    if options.faithful and (channels != 3 or setting.side != 64):
        msg = f"--faithful is 64 pixels of RGB, got {setting.side} of {channels} channels; leave the other option out"
        raise ValueError(msg)
    config = VAEConfig(
        layers=setting.layers,
        filters=setting.filters,
        latent=setting.latent,
        size=setting.side,
        pixelsight=options.pixel,
        channels=channels,
    )
    kl = (0.1 if options.pixel else 1.0) if options.kl is None else options.kl
    if options.faithful:
        batches: BatchMaker = PaperBatches(train, setting.batch)
        shown: BatchMaker = PaperBatches(held_out, _SHOWN, ("white", "black"))
        pictures = len(train) * VARIANTS
    else:
        batches = CanvasBatches(SpriteDraw(train, options.jitter), setting.side, channels, setting.batch)
        shown = CanvasBatches(SpriteDraw(held_out, 0.0, False), setting.side, channels, _SHOWN, shifts=False)
        pictures = len(train)
    options.steps = options.steps or setting.steps or max(1, options.epochs * pictures // setting.batch)
    facts = {**dataclasses.asdict(config), "recipe": "vae", "seed": options.seed, "batch": setting.batch, "kl": kl}
    facts |= {"rate": setting.rate, "faithful": options.faithful, "jitter": 0 if options.faithful else options.jitter}
    structure = 1.0 if options.pixel else 0.0
    recipe = VAERecipe(config, batches, shown=shown, rate=setting.rate, structure=structure, kl=kl, seed=options.seed)
    return recipe, facts


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


if __name__ == "__main__":
    main()
