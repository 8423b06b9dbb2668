"""The recipe of VQ-VAE models as the paper has it, and what it shares with ours.

Saravanan and Guzdial, "Pixel VQ-VAEs for Improved Pixel Art Representation", EXAG 2022,
https://arxiv.org/abs/2203.12130.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from pixel_models.archs.vqvae import SPECS, VQVAE, VQVAEConfig
from pixel_models.checkpoint import save_checkpoint

from .codebook import usage
from .loop import Batch, BatchMaker, StepContext
from .pictures import PictureSet
from .reconstruction import reconstruct, rows_of_sheet
from .sheet import sheet

COMMITMENT = 0.25
"""Weight of the features' distance to their codes; the paper's."""

_SHOWN = 12
_LARGEST_HALF = 65504.0


class Codes:
    """What both recipes share: one network, sheets and the weight file."""

    def __init__(self, config: VQVAEConfig, make_batch: BatchMaker, shown: PictureSet, seed: int) -> None:
        """Build the network from the seed."""
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.net = VQVAE(config)
        self.seed = seed
        self.make_batch = make_batch
        self.nets: Mapping[str, nn.Module] = {"vqvae": self.net}
        self.averaged: Mapping[str, nn.Module] = {"vqvae": self.net}
        self._shown = chosen_for_sheets(shown)

    def sample_sheet(self, nets: Mapping[str, nn.Module]) -> Image.Image:
        """Rows: sprites, their reconstructions, the difference times four; of two dozen sprites."""
        net = nets["vqvae"]
        assert isinstance(net, VQVAE)
        rows = rows_of_sheet(reconstruct(net, self._shown))
        return sheet([part for half in range(0, len(self._shown), _SHOWN) for part in _columns(rows, half)], side=128)

    def export(self, nets: Mapping[str, nn.Module], folder: Path, facts: Mapping[str, Any]) -> list[Path]:
        """Write the averaged network, in half precision where its numbers fit."""
        path = folder / "vqvae.safetensors"
        metadata = {"training": str({key: str(value) for key, value in facts.items()}), "recipe": "vqvae"}
        fits = all(float(v.abs().max()) < _LARGEST_HALF for v in nets["vqvae"].state_dict().values())
        save_checkpoint(path, nets["vqvae"], SPECS[0], self.net.config, metadata, half=fits)
        return [path]


class PaperCodes(Codes):
    """The paper's recipe: whole pictures, codes that start at random and follow running means, Adam at one rate."""

    def __init__(
        self, config: VQVAEConfig, make_batch: BatchMaker, shown: PictureSet, *, rate: float = 1e-4, seed: int = 0
    ) -> None:
        """Build the network from the seed; batches hold `pictures`, `b c h w`."""
        super().__init__(config, make_batch, shown, seed)
        self.optimizers = {
            "adam": torch.optim.Adam([p for p in self.net.parameters() if p.requires_grad], lr=rate),
        }

    def rate_factor(self, step: int, steps: int) -> float:
        """Always the same rate."""
        del step, steps
        return 1.0

    def average_decay(self, step: int, steps: int) -> float:
        """No average: the last weights are the model."""
        del step, steps
        return 0.0

    def train_step(self, batch: Batch, step: int, context: StepContext) -> dict[str, Tensor]:
        """One step on whole pictures."""
        del step
        net, x = self.net, batch["pictures"]
        with context.autocast():
            z = net.encoder(x)
        made = net.vq_vae(z.float())
        with context.autocast():
            picture = net.decoder(made.values)
        mse = F.mse_loss(picture.float(), x)
        context.apply(mse + COMMITMENT * made.distance, self.optimizers["adam"])
        rows, indices = z.detach().float().permute(0, 2, 3, 1).flatten(0, 2), made.indices.flatten()
        rows, indices = context.gather(rows), context.gather(indices)
        net.vq_vae.update(rows, indices)
        used = usage(indices, torch.ones_like(rows[:, 0]), net.config.codes)
        return {"mse": mse, "commitment": made.distance, **used}


def chosen_for_sheets(sprites: PictureSet, side: int = 32) -> list[Tensor]:
    """Two dozen sprites of at most `side` pixels, always the same ones, evenly out of the set.

    Raises:
        ValueError: the set holds none.
    """
    fitting = sprites.where([max(p.shape[1:]) <= side and bool(p[3].any()) for p in sprites.pictures]).pictures
    return [fitting[i * len(fitting) // (2 * _SHOWN)] for i in range(2 * _SHOWN)]


def _columns(rows: list[Tensor], first: int) -> list[Tensor]:
    return [row[first : first + _SHOWN] for row in rows]
