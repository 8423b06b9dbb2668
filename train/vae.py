"""`python -m train.vae`: sprites to a few numbers and back; and the VAE that the Pixel VQ-VAE paper compares with.

Saravanan and Guzdial, "Pixel VQ-VAEs for Improved Pixel Art Representation", EXAG 2022,
https://arxiv.org/abs/2203.12130; Kingma and Welling, "Auto-Encoding Variational Bayes", ICLR 2014,
https://arxiv.org/abs/1312.6114. As logged:
    mse     mean squared error of the reconstruction
    color, alpha  error of what is seen of the colours, cross entropy of the alpha; in the loss for sprites alone
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
from .dcgan_data import LabelledBatches, add_set_arguments, read_canvas_set, setting_of, whole_pictures
from .dcgan_parts import decided, on_grey
from .film import grid_frame
from .loop import Batch, BatchMaker, StepContext, add_arguments, generator_of, run
from .losses import kl_from_normal
from .pictures import read_picture_set
from .sheet import sheet
from .sprites import CanvasBatches, SpriteDraw
from .ssim import ssim
from .vae_parts import sprite_losses, with_fitted_latent

EPOCHS = 25
"""The paper's."""

_SHOWN = 12
_FILMED = (6, 8)
_FITTED = 2048
# Sprites at most that the latent is fitted to.


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

    kl: float | None = None
    """Weight of the divergence; None: the paper's."""

    sprite: bool = False
    """The loss for sprites, a divergence that sets in slowly, and a rate that falls in the end."""


SETTINGS = {
    "tiny": VAESetting(steps=20, filters=16, layers=2, latent=8, side=16, batch=4, rate=1e-3),
    "small": VAESetting(
        steps=8000, filters=192, layers=3, latent=64, side=32, batch=32, rate=1e-3, kl=1e-3, sprite=True
    ),
    "table": VAESetting(steps=2500, filters=128, latent=64, rate=1e-3),
    "full": VAESetting(steps=None, filters=512),
}
"""`small` is for sprites of one's own; `full` is the paper's, `table` a smaller one for its tables."""

_ONSET = 0.25
"""Share of the steps over which the divergence sets in."""


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
        sprite: bool = False,
        steps: int = 0,
        film_every: int = 0,
        fitted: Tensor | None = None,
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
            sprite: the loss for sprites, with alpha, instead of the paper's; see `VAESetting`.
            steps: in all, over a part of which the divergence sets in; for `sprite`.
            film_every: steps from frame to frame; 0: no film.
            fitted: sprites `n c s s` in [0, 1] to which the latent is fitted wherever it is shown or written (see
                `vae_parts.with_fitted_latent`); None: it stays as it was learned.
            seed: of the starting weights.
        """
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.net = VAE(config)
        self.structure, self.kl, self.sprite, self.steps = structure, kl, sprite, steps
        self.film_every, self.fitted = film_every, fitted
        self.nets: Mapping[str, nn.Module] = {"vae": self.net}
        self.averaged: Mapping[str, nn.Module] = {"vae": self.net}
        self.optimizers = {"adam": torch.optim.Adam(self.net.parameters(), lr=rate)}
        self.make_batch = make_batch
        self._shown = (shown or make_batch)(generator_of(0, "sheet"))["pictures"][:_SHOWN]

    def rate_factor(self, step: int, steps: int) -> float:
        """The paper's is always the same; for sprites it warms up and falls over the last third."""
        return min(1.0, (step + 1) / 100, 3 * (1 - step / steps) + 0.02) if self.sprite else 1.0

    def train_step(self, batch: Batch, step: int, context: StepContext) -> dict[str, Tensor]:
        """One step."""
        x = batch["pictures"]
        noise = torch.randn(len(x), self.net.config.latent, generator=context.generator).to(x.device)
        with context.autocast():
            mean, log_variance = self.net.encode(x)
            logits = self.net.decode_logits(mean + torch.exp(0.5 * log_variance) * noise)
        logits = logits.float()
        picture = logits.sigmoid()
        losses = {
            "mse": F.mse_loss(picture, x),
            "kl": kl_from_normal(mean.float(), log_variance.float()).mean(),
        }
        if self.sprite:
            losses |= sprite_losses(logits, x)
            onset = min(1.0, (step + 1) / max(1.0, _ONSET * self.steps))
            total = losses["color"] + losses.get("alpha", 0.0) + self.kl * onset * losses["kl"]
        else:
            total = losses["mse"] + self.kl * losses["kl"]
        if self.structure:
            losses["unlike"] = 1 - ssim(picture, x).mean()
            total = total + self.structure * losses["unlike"]
        context.apply(total, self.optimizers["adam"])
        return losses

    def _finished(self, nets: Mapping[str, nn.Module]) -> VAE:
        """The network as it is shown and written."""
        net = nets["vae"]
        assert isinstance(net, VAE)
        return net if self.fitted is None else with_fitted_latent(net, self.fitted)

    @torch.no_grad()
    def sample_sheet(self, nets: Mapping[str, nn.Module]) -> Image.Image:
        """Rows: pictures, what is left of them, and pictures of latents drawn from N(0, 1)."""
        net = self._finished(nets)
        device = net.fc_mu.weight.device
        drawn = torch.randn(_SHOWN, net.config.latent, generator=generator_of(0, "samples"))
        rows = [self._shown, net(self._shown.to(device)).picture, net.decode(drawn.to(device))]
        shown = [on_grey(decided(row.float().cpu())) for row in rows]
        return sheet(shown, side=max(1, 128 // net.config.size) * net.config.size)

    @torch.no_grad()
    def film_frame(self, nets: Mapping[str, nn.Module]) -> Tensor:
        """Pictures of the same latents as they come to be, `4 h w`."""
        net = self._finished(nets)
        rows, columns = _FILMED
        latents = torch.randn(rows * columns, net.config.latent, generator=generator_of(0, "samples"))
        return grid_frame(decided(net.decode(latents.to(net.fc_mu.weight.device)).float().cpu()), columns)

    def export(self, nets: Mapping[str, nn.Module], folder: Path, facts: Mapping[str, Any]) -> list[Path]:
        """Write the averaged network in half precision."""
        path = folder / "vae.safetensors"
        metadata = {"training": str({key: str(value) for key, value in facts.items()}), "recipe": "vae"}
        metadata |= {} if self.fitted is None else {"latent": "fitted to N(0, 1) after training"}
        save_checkpoint(path, self._finished(nets), SPECS[0], self.net.config, metadata, half=True)
        return [path]


def parser() -> argparse.ArgumentParser:
    """The command line."""
    command = argparse.ArgumentParser(prog="python -m train.vae", description=(__doc__ or "").split("\n")[0])
    add_set_arguments(command)
    command.add_argument("--setting", choices=sorted(SETTINGS), default="small")
    command.add_argument("--pixel", action="store_true", help="the Pixel VAE: PixelSight, SSIM in the loss, KL at 0.1")
    command.add_argument("--faithful", action="store_true", help="the paper's pictures: backgrounds, turns, bicubic")
    command.add_argument("--epochs", type=int, default=EPOCHS, help="where neither --steps nor the setting says")
    command.add_argument("--channels", type=int, choices=[3, 4], help="3: RGB, 4: RGB and alpha (default)")
    command.add_argument("--filters", type=int, help="features of the deepest layer (default: the setting's)")
    command.add_argument("--latent", type=int, help="numbers that a picture becomes (default: the setting's)")
    command.add_argument("--batch", type=int, help="pictures a step (default: the setting's)")
    command.add_argument("--rate", type=float, help="learning rate of Adam (default: the setting's)")
    command.add_argument("--kl", type=float, help="weight of the divergence (default: the setting's, or the paper's)")
    command.add_argument("--side", type=int, help="of the pictures, pixels (default: the setting's)")
    command.add_argument("--jitter", type=float, metavar="SHARE", help="sprites in another palette (0.3; small: 0)")
    command.add_argument("--mirror", type=float, default=0.5, metavar="SHARE", help="sprites mirrored; for small alone")
    command.add_argument("--move", action="store_true", help="sprites moved by up to two pixels; for small alone")
    command.add_argument("--latent-as-learned", action="store_true", help="do not fit it after training; small alone")
    command.add_argument("--film-every", type=int, metavar="STEPS", help="0: no film (default: an epoch)")
    add_arguments(command)
    return command


def recipe_of(options: argparse.Namespace) -> tuple[VAERecipe, Mapping[str, Any]]:
    """The recipe that the options ask for, with `options.steps` filled in, and the facts that decide its run.

    Raises:
        ValueError: `--faithful` with 4 channels, with a setting whose pictures are not 64 pixels, or with the loss for
            sprites.
        FileNotFoundError: no sprite is there or fits.
    """
    setting = SETTINGS[options.setting]
    given = {name: getattr(options, name) for name in ("filters", "latent", "batch", "rate", "side", "kl")}
    setting = dataclasses.replace(setting, **{name: value for name, value in given.items() if value is not None})
    channels = options.channels or (3 if options.faithful else 4)
    if options.faithful and (channels != 3 or setting.side != 64 or setting.sprite):
        msg = f"--faithful is 64 pixels of RGB, got {setting.side} of {channels} channels with --setting "
        raise ValueError(msg + f"{options.setting}; take --setting full or table, and leave the other options out")
    config = VAEConfig(
        layers=setting.layers,
        filters=setting.filters,
        latent=setting.latent,
        size=setting.side,
        pixelsight=options.pixel,
        channels=channels,
    )
    batches, shown, pictures, data, fitted = _batches_of(options, setting, channels)
    kl = (0.1 if options.pixel else 1.0) if setting.kl is None else setting.kl
    options.steps = options.steps or setting.steps or max(1, options.epochs * pictures // setting.batch)
    facts = {**dataclasses.asdict(config), "recipe": "vae", "seed": options.seed, "batch": setting.batch, "kl": kl}
    facts |= {"rate": setting.rate, "faithful": options.faithful, **data}
    facts |= {"sprite": True, "steps_planned": options.steps} if setting.sprite else {}
    epoch = -(-pictures // setting.batch)
    recipe = VAERecipe(
        config,
        batches,
        shown=shown,
        rate=setting.rate,
        structure=1.0 if options.pixel else 0.0,
        kl=kl,
        sprite=setting.sprite,
        steps=options.steps,
        film_every=epoch if options.film_every is None else options.film_every,
        fitted=None if options.latent_as_learned else fitted,
        seed=options.seed,
    )
    return recipe, facts


def _batches_of(
    options: argparse.Namespace, setting: VAESetting, channels: int
) -> tuple[BatchMaker, BatchMaker, int, dict[str, Any], Tensor | None]:
    """What draws pictures and those of sheets, an epoch's pictures, the facts that decide it, the latent's sprites."""
    folder, jitter = options.sprites, options.jitter
    if setting.sprite:
        chosen, jitter = setting_of(options, setting.side), jitter or 0.0
        train = read_canvas_set(folder, "train", chosen)
        try:
            held_out = read_canvas_set(folder, "val", chosen)
        except FileNotFoundError:
            held_out = train
        batches = LabelledBatches(train, channels, setting.batch, options.mirror, jitter, options.move)
        facts = {
            "jitter": jitter,
            "mirror": options.mirror,
            "move": options.move,
            "sprites": len(train),
            "only": list(options.only),
        }
        fitted = whole_pictures(train, channels, _FITTED) if len(train) > setting.latent else None
        return batches, LabelledBatches(held_out, channels, _SHOWN), len(train), facts, fitted
    if options.limit or options.only or options.least or options.double:
        msg = "--limit, --only, --least and --double are for --setting small; the paper's take the whole set"
        raise ValueError(msg)
    sprites = read_picture_set(folder)
    try:
        others = read_picture_set(folder, "val")
    except FileNotFoundError:
        others = sprites
    if options.faithful:
        shown = PaperBatches(others, _SHOWN, ("white", "black"))
        return PaperBatches(sprites, setting.batch), shown, len(sprites) * VARIANTS, {"jitter": 0}, None
    jitter = 0.3 if jitter is None else jitter
    drawn = CanvasBatches(SpriteDraw(sprites, jitter), setting.side, channels, setting.batch)
    seen = CanvasBatches(SpriteDraw(others, 0.0, False), setting.side, channels, _SHOWN, shifts=False)
    return drawn, seen, len(sprites), {"jitter": jitter}, None


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    options = parser().parse_args(argv)
    recipe, facts = recipe_of(options)
    for path in run(recipe, options, facts):
        print(path, file=sys.stdout)  # noqa: T201  a command's own output


if __name__ == "__main__":
    main()
