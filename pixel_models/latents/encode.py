"""Sprites to latents: fitted on whole pixels, never blurred, and what a VAE knows of them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ..checkpoint import LoadedModel
from ..errors import ImageError
from ..image import check_image
from .networks import as_loaded, vae_of


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


def fit_sprites(rgba: Tensor, side: int, name: str = "sprite") -> Tensor:
    """Bring sprites to a square canvas on whole pixels; nothing is ever resampled.

    Smaller ones stand in its middle; of larger ones what is empty around them is cut off.

    Args:
        rgba: `b 4 h w`, float32 in [0, 1], at native size; below half opacity is transparent.
        side: of the canvas, pixels.
        name: what to call them in a message.

    Returns:
        `b 4 side side`, alpha 0 or 1, black where nothing is.

    Raises:
        ImageError: one shows nothing, or is larger than the canvas.
    """
    check_image(rgba, name, (4,))
    return torch.stack([_fitted(one.detach().float().cpu(), side, name) for one in rgba])


def _fitted(rgba: Tensor, side: int, name: str) -> Tensor:
    opaque = rgba[3:] >= 0.5
    rgba = torch.cat([rgba[:3] * opaque, opaque.float()])
    height, width = rgba.shape[1:]
    rows, columns = opaque[0].any(1).nonzero()[:, 0], opaque[0].any(0).nonzero()[:, 0]
    if not len(rows):
        msg = f"the {name} is wholly transparent; expected one that shows something"
        raise ImageError(msg)
    if max(height, width) > side:
        rgba = rgba[:, int(rows[0]) : int(rows[-1]) + 1, int(columns[0]) : int(columns[-1]) + 1]
    tall, wide = rgba.shape[1:]
    if max(tall, wide) > side:
        without = "" if (tall, wide) == (height, width) else f" ({wide}x{tall} without what is empty around it)"
        msg = (
            f"the {name} is {width}x{height} pixels{without}, and this model takes at most {side}x{side}; bring "
            "enlarged pixel art to its native size with `pixel-kiln snap` (Snap To Grid), or cut a part out"
        )
        raise ImageError(msg)
    top, left = (side - tall) // 2, (side - wide) // 2
    return F.pad(rgba, (left, side - wide - left, top, side - tall - top))


def encode_sprites(model: LoadedModel, rgba: Tensor, what: str = "a given sprite", name: str = "sprite") -> Gaussian:
    """What a VAE knows of sprites.

    Args:
        model: a VAE.
        rgba: `b 4 h w`, float32 in [0, 1], at native size; fitted by `fit_sprites`. For a model of RGB they lie on
            white, as in its training.
        what: what the VAE is needed for, in the message for a DCGAN.
        name: what to call the sprites in a message.

    Raises:
        ModelKindError: the model is no VAE.
        ImageError: a sprite shows nothing, or is too large.
    """
    network = vae_of(model, what)
    fitted = fit_sprites(rgba, network.config.size, name)
    if network.config.channels == 3:
        fitted = fitted[:, :3] + 1 - fitted[:, 3:]
    device = next(network.parameters()).device
    with as_loaded(network):
        mean, log_variance = network.encode(fitted.to(device))
    return Gaussian(mean.float().cpu(), log_variance.float().cpu())
