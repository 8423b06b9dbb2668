"""Latents of given sprites for a DCGAN, which knows no way from sprites to numbers: found by trying."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor

from ..archs.dcgan import DCGANGenerator
from ..checkpoint import LoadedModel
from ..color import srgb_to_oklab
from ..errors import ShapeError
from ..sampling import StepCallback
from .fit import fit_sprites, on_white
from .networks import AT_ONCE, Pictures, dcgan_of, decode_latents

CANDIDATES = 256
"""Latents that are tried as they are drawn."""

STAGES = ((8, 60), (2, 200))
"""Of how many latents the search goes on, the best so far, and for how many steps."""

STEPS = sum(steps for _, steps in STAGES)
"""In all, for one sprite."""

RATE = 0.2
"""Adam's, falling to 0 along half a cosine in each stage."""

ALPHA_WEIGHT = 0.15
"""What a cell costs that shows where it should not, or does not where it should, beside squared Oklab distances."""

ALPHA_SLOPE = 8.0
"""How steeply alpha is decided during the search; DCGANs leave it between 0 and 1 near outlines."""


SHELL = 1.5
"""How far a latent may be from the sphere of radius sqrt(latent): those of N(0, 1) are so in 97 of 100 cases, since the
standard deviation of their length is about 0.7."""


class Found(NamedTuple):
    """Latents of sprites, and how near they come."""

    latents: Tensor
    """`b latent`, float32, in the shell about the sphere of radius sqrt(latent) in which latents of N(0, 1) lie."""

    overlap: Tensor
    """`b`, in [0, 1]: cells that the sprite and what was found both show, of those that either shows."""

    distance: Tensor
    """`b`: Oklab distance of their colours, the root of the mean square over cells that both show."""


def find_latents(
    model: LoadedModel,
    rgba: Tensor,
    generator: torch.Generator,
    *,
    labels: Tensor | None = None,
    name: str = "sprite",
    callback: StepCallback | None = None,
) -> Found:
    """Find latents of which a DCGAN makes given sprites, as nearly as it can.

    Projected gradient descent in the latent, as Creswell and Bharath, "Inverting the Generator of a Generative
    Adversarial Network", 2016, https://arxiv.org/abs/1611.05644, here with Adam, begun at the best of many latents and
    kept among likely ones. Something is always found; how near it comes is told. The same generator finds the same
    latents, on one machine's CPU; what is found for a sprite does not depend on those after it.

    Args:
        model: a DCGAN.
        rgba: `b 4 h w`, float32 in [0, 1], at native size; fitted by `fit_sprites`. For a model of RGB they lie on
            white, as in its training.
        generator: a CPU generator; it goes on by one seed a sprite.
        labels: `b k`, what is asked for; None: nothing is.
        name: what to call the sprites in a message.
        callback: called after each step; may raise to cancel.

    Raises:
        ModelKindError: the model is no DCGAN.
        ImageError: a sprite shows nothing, or is too large.
        ShapeError: labels are not as many as the network takes.
    """
    network = dcgan_of(model)
    known = len(network.config.labels)
    if labels is not None and tuple(labels.shape) != (len(rgba), known):
        msg = f"labels are {tuple(labels.shape)}, expected {(len(rgba), known)}"
        raise ShapeError(msg)
    told = torch.zeros(len(rgba), known) if labels is None else labels.cpu()
    fitted = fit_sprites(rgba, network.config.size, name)
    if network.config.channels == 3:
        fitted = torch.cat([on_white(fitted), torch.ones_like(fitted[:, 3:])], 1)
    total, done = len(rgba) * STEPS, 0

    def step() -> None:
        nonlocal done
        done += 1
        if callback is not None:
            callback(done, total)

    # ComfyUI runs nodes in inference mode, whose tensors let no gradients through: everything is copied out of it.
    with torch.inference_mode(mode=False), torch.enable_grad(), _one_thread():
        copied = copy.deepcopy(network).eval().requires_grad_(requires_grad=False)
        found = []
        for one, asked in zip(fitted.clone(), told.clone(), strict=True):
            own = torch.Generator().manual_seed(int(torch.randint(2**62, (), generator=generator)))
            found.append(_search(copied, one, asked, own, step))
        latents = torch.stack(found)
    return Found(latents, *likeness(decode_latents(model, latents, told), fitted))


@contextmanager
def _one_thread() -> Iterator[None]:
    """One of PyTorch's threads alone.

    Layers this small gain a quarter by a second one, and took ten times as long where two waited for each other on
    processors that had other work.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _search(
    network: DCGANGenerator, sprite: Tensor, told: Tensor, generator: torch.Generator, step: Callable[[], None]
) -> Tensor:
    """The latent `n` of one sprite `4 h w`."""
    device = next(network.parameters()).device
    sprite = torch.cat([srgb_to_oklab(sprite[:3], dim=0), sprite[3:]])
    drawn = torch.randn(CANDIDATES, network.config.latent, generator=generator)
    latents, target, told = _in_shell(drawn).to(device), sprite.to(device), told.to(device)
    with torch.no_grad():
        errors = torch.cat([_errors(network, part, told, target) for part in latents.split(AT_ONCE)])
    for count, steps in STAGES:
        latents = latents.detach()[errors.argsort(stable=True)[:count]].requires_grad_()
        adam = torch.optim.Adam([latents], RATE)
        for index in range(steps):
            adam.param_groups[0]["lr"] = RATE * (0.5 + 0.5 * math.cos(math.pi * index / steps))
            adam.zero_grad()
            _errors(network, latents, told, target).sum().backward()
            adam.step()
            with torch.no_grad():
                latents.copy_(_in_shell(latents))
            step()
        with torch.no_grad():
            errors = _errors(network, latents, told, target)
    return latents.detach()[errors.argmin()].cpu()


def _in_shell(latents: Tensor) -> Tensor:
    """Latents `b n` brought as far from 0 as those of N(0, 1) are, where the network knows what to make of them."""
    length, usual = latents.norm(dim=1, keepdim=True).clamp_min(1e-8), math.sqrt(latents.shape[1])
    return latents * (length.clamp(usual - SHELL, usual + SHELL) / length)


def _errors(network: DCGANGenerator, latents: Tensor, told: Tensor, target: Tensor) -> Tensor:
    """How far the pictures of latents `b n` are from a target `4 h w`, Oklab and what is to show: `b`."""
    raw = network.raw(latents, told.expand(len(latents), -1))
    made = raw if network.config.range == "clamp" else (raw + 1) / 2
    rgb, shown = made[:, :3], target[3:]
    rgb = rgb + (rgb.clamp(0, 1) - rgb).detach()  # straight-through: what is cut off can come back
    error = ((srgb_to_oklab(rgb) - target[:3]).square().sum(1, keepdim=True) * shown).mean((1, 2, 3))
    if network.config.channels == 3:
        return error
    alpha = (ALPHA_SLOPE * (made[:, 3:] - 0.5)).sigmoid()
    return error + ALPHA_WEIGHT * (alpha - shown).square().mean((1, 2, 3))


def likeness(made: Pictures, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Overlap and distance, `b` each, of pictures and sprites `b 4 h w`, alpha 0 or 1."""
    shown = (made.alpha >= 0.5).float()
    both = shown * wanted[:, 3:]
    either = torch.maximum(shown, wanted[:, 3:]).sum((1, 2, 3))
    apart = (srgb_to_oklab(made.rgb) - srgb_to_oklab(wanted[:, :3])).square().sum(1, keepdim=True) * both
    cells = both.sum((1, 2, 3))
    return cells / either, (apart.sum((1, 2, 3)) / cells.clamp_min(1)).sqrt()
