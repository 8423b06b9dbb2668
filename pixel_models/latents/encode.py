"""Sprites to latents: what a VAE knows of them, or what a DCGAN draws them from, where it is found."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ..archs.dcgan import DCGANGenerator
from ..checkpoint import LoadedModel
from ..errors import ImageError
from ..sampling import StepCallback
from .find import Found, find_latents
from .fit import fit_sprites, on_white
from .networks import as_loaded, generator_of, shipped

LEAST_OVERLAP = 0.85
MOST_DISTANCE = 0.25
"""What a DCGAN finds is refused below and above these, see `Found`. Set by kiln-dcgan: all of its own and of new
dolls of the layers it learned are found nearer, 21 of 22 dolls with other layers too, and no creature or thing."""

SPREAD = 0.3
"""How sure a found latent is, a standard deviation: so far around it kiln-dcgan draws the same figure, a little
otherwise. Chosen by eye."""


class Gaussian(NamedTuple):
    """What sprites are as latents: of each number a mean, and how sure it is."""

    mean: Tensor
    """`b latent`, float32."""

    log_variance: Tensor
    """`b latent`, float32."""

    def drawn(self, noise: Tensor | None = None) -> Tensor:
        """Latents, `b latent`: the means, or with noise of N(0, 1) of that shape one draw each (reparameterised).

        Kingma and Welling, "Auto-Encoding Variational Bayes", ICLR 2014, section 2.4.
        """
        return self.mean if noise is None else self.mean + torch.exp(0.5 * self.log_variance) * noise


def encode_sprites(
    model: LoadedModel,
    rgba: Tensor,
    generator: torch.Generator | None = None,
    *,
    labels: Tensor | None = None,
    name: str = "sprite",
    callback: StepCallback | None = None,
) -> Gaussian:
    """What a model makes of sprites: a VAE encodes them, for a DCGAN latents are looked for.

    Args:
        model: a DCGAN or a VAE.
        rgba: `b 4 h w`, float32 in [0, 1], at native size; fitted by `fit_sprites`. For a model of RGB they lie on
            white, as in its training.
        generator: for a DCGAN, as for `find_latents`; None: of the seed 0.
        labels: for a DCGAN, as for `find_latents`.
        name: what to call the sprites in a message.
        callback: for a DCGAN, as for `find_latents`.

    Raises:
        ModelKindError: the model makes no sprites of latents.
        ImageError: a sprite shows nothing, is too large, or nothing like it is found.
    """
    network = generator_of(model)
    if isinstance(network, DCGANGenerator):
        generator = torch.Generator().manual_seed(0) if generator is None else generator
        found = find_latents(model, rgba, generator, labels=labels, name=name, callback=callback)
        _check_found(found, name)
        return Gaussian(found.latents, torch.full_like(found.latents, 2 * math.log(SPREAD)))
    fitted = fit_sprites(rgba, network.config.size, name)
    if network.config.channels == 3:
        fitted = on_white(fitted)
    device = next(network.parameters()).device
    with as_loaded(network):
        mean, log_variance = network.encode(fitted.to(device))
    return Gaussian(mean.float().cpu(), log_variance.float().cpu())


def _check_found(found: Found, name: str) -> None:
    """Refuse what is no picture of a sprite any more.

    Raises:
        ImageError: says how far it is off, and what to do.
    """
    for index, (overlap, distance) in enumerate(zip(found.overlap.tolist(), found.distance.tolist(), strict=True)):
        if overlap < LEAST_OVERLAP or distance > MOST_DISTANCE:
            which = f"{name} ({index})" if len(found.overlap) > 1 else name
            msg = (
                f"the {which} is none that this DCGAN draws: what was found overlaps it by {overlap:.0%} (expected "
                f"{LEAST_OVERLAP:.0%} or more), in colours that are {distance:.2f} away (expected {MOST_DISTANCE} or "
                f"less); give sprites of the kind that it learned, or take a VAE, {shipped('vae')}, which makes "
                "something of any sprite"
            )
            raise ImageError(msg)
