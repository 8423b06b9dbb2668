"""Parts of the DCGAN's training: sizes of runs, starting weights, what holds the judge back, a look for copies."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from .dcgan_data import LabelledCanvases

HOLDS: tuple[str, ...] = ("spectral", "r1")
"""Spectral norm (Miyato et al. 2018), or a penalty on its gradients at sprites (Mescheder et al. 2018)."""

R1_EVERY, _R1 = 8, 0.5
# Steps from penalty to penalty, and its weight.


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One size of run."""

    steps: int | None
    """None: as many as the epochs take."""

    filters: int
    """Of the generator."""

    judge: int
    """Filters of the judge."""

    side: int = 32
    channels: int = 4
    latent: int = 100
    batch: int = 64
    rate: float = 2e-4
    judge_rate: float = 2e-4

    real_label: float = 0.9
    """What the judge shall say of sprites; below 1 it never grows sure (Salimans et al. 2016)."""

    hold: str = "spectral"
    """What holds the judge back: one of `HOLDS`."""

    plain: bool = False
    """None of the aids for few sprites: batch norm in the judge, neither average nor augmentation, one rate."""

    paper: bool = False
    """The paper's pictures, and tanh against [0, 1]; goes with `plain`."""


SETTINGS = {
    "tiny": Setting(steps=20, filters=4, judge=4, side=16, latent=8, batch=4),
    "small": Setting(steps=6000, filters=64, judge=48, batch=32),
    "full": Setting(steps=60_000, filters=96, judge=96),
    "paper": Setting(steps=None, filters=128, judge=64, side=64, channels=3, real_label=1.0, plain=True, paper=True),
}
"""`paper` is the published pair of 15,424,000 parameters; `--filters 64` is that of the reference's scripts."""


@torch.no_grad()
def start_(net: nn.Module) -> None:
    """The DCGAN's starting weights, from torch's own generator: N(0, 0.02), and N(1, 0.02) for norms."""
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0, 0.02)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1, 0.02)
            nn.init.zeros_(layer.bias)


def with_spectral_norm(judge: nn.Module) -> None:
    """Hold every layer's gain at 1 (Miyato et al., "Spectral Normalization for GANs", ICLR 2018)."""
    for layer in list(judge.modules()):
        if isinstance(layer, nn.Conv2d | nn.Linear):
            spectral_norm(layer)


def gradient_penalty(judge: nn.Module, real: Tensor, labels: Tensor | None) -> Tensor:
    """R1: the squared gradient of what the judge says of sprites, as it weighs where it is asked for now and then.

    Mescheder, Geiger and Nowozin, "Which Training Methods for GANs do actually Converge?", ICML 2018, equation 9; every
    so manieth step alone as of Karras et al. 2020 (StyleGAN2, appendix B).
    """
    real = real.detach().requires_grad_()
    (slope,) = torch.autograd.grad(judge(real, labels).sum(), real, create_graph=True)
    return 0.5 * _R1 * R1_EVERY * slope.square().sum((1, 2, 3)).mean()


def on_grey(pictures: Tensor) -> Tensor:
    """`b 3 h w`, or RGB times alpha and alpha, `b 4 h w`, to `b 3 h w`."""
    return pictures if pictures.shape[1] == 3 else pictures[:, :3] + 0.6 * (1 - pictures[:, 3:])


def decided(pictures: Tensor) -> Tensor:
    """Pictures as they are shown: of RGB times alpha and alpha `b 4 h w`, alpha becomes 0 or 1; `b 3 h w` stays."""
    if pictures.shape[1] == 3:
        return pictures
    alpha = (pictures[:, 3:] >= 0.5).float()
    rgb = (pictures[:, :3] / pictures[:, 3:].clamp_min(0.5)).clamp(0, 1)
    return torch.cat([rgb * alpha, alpha], 1)


def nearest_distance(made: Tensor | None, data: LabelledCanvases, count: int = 0) -> float:
    """Mean over sprites of the mean absolute difference to the training sprite that is nearest, mirrored or not.

    Args:
        made: `n c s s`, as a generator gives them; None: `count` of the training sprites, each without itself.
        data: the training sprites.
        count: see `made`.
    """
    own = data.canvases.float() / 255
    if made is not None and made.shape[1] == 3:
        own = own[:, :3] + 1 - own[:, 3:]
    rows = own.flatten(1)
    if made is not None:
        both = torch.cat([rows, own.flip(3).flatten(1)])
        return float(torch.cdist(made.flatten(1), both, p=1).amin(1).mean() / rows.shape[1])
    places = torch.linspace(0, len(rows) - 1, min(count, len(rows))).long()
    distances = torch.cdist(rows[places], torch.cat([rows, own.flip(3).flatten(1)]), p=1)
    for line, place in enumerate(places.tolist()):
        distances[line, [place, place + len(rows)]] = torch.inf
    return float(distances.amin(1).mean() / rows.shape[1])
