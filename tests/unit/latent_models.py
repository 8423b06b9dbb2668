"""Small random DCGANs and VAEs for tests, whose sprites differ and have holes."""

from __future__ import annotations

import torch

from pixel_models.archs.dcgan import DCGANConfig, DCGANGenerator
from pixel_models.archs.vae import VAE, VAEConfig
from pixel_models.checkpoint import LoadedModel
from pixel_models.registry import REGISTRY

LABELS = ("creature=dragon", "creature=orc", "color=red")
SIDE = 16
LATENT = 12


def random_vae(channels: int = 4, seed: int = 0) -> LoadedModel:
    """Of 16x16 pixels, sure of what it draws; its statistics are those of latents of N(0, 1)."""
    torch.manual_seed(seed)
    network = VAE(VAEConfig(layers=2, filters=16, latent=LATENT, size=SIDE, channels=channels))
    with torch.no_grad():
        for _ in range(30):
            network.decode(torch.randn(32, LATENT))
            network.encode(torch.rand(32, channels, SIDE, SIDE))
        last = [layer for layer in network.decoder if isinstance(layer, torch.nn.ConvTranspose2d)][-1]
        last.weight *= 12
        for parameter in network.fc_log_var.parameters():
            parameter *= 0.1
    return LoadedModel(network.eval(), REGISTRY["vae"], network.config, f"{seed:016x}")


def random_dcgan(channels: int = 4, seed: int = 0, labels: tuple[str, ...] = LABELS) -> LoadedModel:
    """Of 16x16 pixels, as `random_vae`."""
    torch.manual_seed(seed)
    network = DCGANGenerator(DCGANConfig(latent=LATENT, filters=6, size=SIDE, channels=channels, labels=labels))
    with torch.no_grad():
        for _ in range(30):
            network.raw(torch.randn(32, LATENT), (torch.rand(32, len(labels)) < 0.3).float())
        last = [layer for layer in network.main if isinstance(layer, torch.nn.ConvTranspose2d)][-1]
        last.weight *= 8
    return LoadedModel(network.eval(), REGISTRY["dcgan"], network.config, f"{seed + 1:016x}")


def dice(seed: int = 5) -> torch.Generator:
    """A CPU generator."""
    return torch.Generator().manual_seed(seed)
