"""The networks that make sprites of latents, a DCGAN's generator and a VAE, seen as one: latents in, pictures out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

from ..archs.dcgan import DCGANGenerator
from ..archs.vae import VAE
from ..checkpoint import LoadedModel
from ..errors import ModelKindError, ShapeError
from ..registry import SHIPPED
from ..sampling import StepCallback
from ..spec import Purpose

Network: TypeAlias = "DCGANGenerator | VAE"

AT_ONCE = 16
"""Latents that go through the network together; always so many, since sums are rounded as the batch is large, and a
sprite shall not depend on how many others there are."""


AGREEMENT = 0.002
DCGAN_AGREEMENT = 0.006
"""Squared Oklab distance that a neighbour of the same colour is worth where pictures are cleaned: more than in
`pixel_models.cleanup`, since these networks leave areas speckled, a DCGAN's most. Chosen by eye on samples of kiln-vae
and kiln-dcgan; twice as much begins to take eyes and belts."""


ALPHA_GAIN = 3.0
"""How many times further from a half a DCGAN's alpha is told. It learned only on which side of a half to be, so where
nothing is it says 0.3 as well as 0; taken as it is, frames of a walk would hold on to what has long gone."""


class Pictures(NamedTuple):
    """What a network makes, before anything is decided; both float32 on the CPU."""

    rgb: Tensor
    """`b 3 h w` in [0, 1], straight: not multiplied by alpha."""

    alpha: Tensor
    """`b 1 h w` in [0, 1]; a half and more is opaque. 1 for a network of RGB."""

    agreement: float = AGREEMENT
    """What a neighbour of the same colour is worth where they are cleaned."""

    def part(self, index: slice) -> Pictures:
        """Some of them."""
        return self._replace(rgb=self.rgb[index], alpha=self.alpha[index])


@dataclass(frozen=True)
class Vocabulary:
    """What a model can be asked for, for `pixel_models.generate.labels`."""

    labels: tuple[str, ...] = ()
    """Names, ``group=value``; none for a VAE."""


def generator_of(model: LoadedModel) -> Network:
    """The network, if it makes sprites of latents.

    Raises:
        ModelKindError: the model is for something else.
    """
    network = model.require(Purpose.GENERATE).module
    if not isinstance(network, DCGANGenerator | VAE):
        msg = f"a DCGAN or a VAE is needed, and this one ({model.spec.id}) is neither; choose {shipped('')}"
        raise ModelKindError(msg)
    return network


def dcgan_of(model: LoadedModel) -> DCGANGenerator:
    """The network, if it is a DCGAN's.

    Raises:
        ModelKindError: it is another.
    """
    network = generator_of(model)
    if not isinstance(network, DCGANGenerator):
        raise _other(model, "DCGAN", "VAE")
    return network


def vae_of(model: LoadedModel) -> VAE:
    """The network, if it is a VAE's.

    Raises:
        ModelKindError: it is another.
    """
    network = generator_of(model)
    if not isinstance(network, VAE):
        raise _other(model, "VAE", "DCGAN")
    return network


def _other(model: LoadedModel, wanted: str, got: str) -> ModelKindError:
    """What to say where the one kind is wanted, and the other was given."""
    use = f"use {got} Sample, or choose {shipped(wanted.lower())}"
    return ModelKindError(f"a {wanted} is needed, and this one ({model.spec.id}) is a {got}; {use}")


def shipped(kind: str) -> str:
    """The pack's own models of a kind, or what makes one."""
    names = [entry.name for entry in SHIPPED if entry.purpose is Purpose.GENERATE and kind in entry.name]
    return " or ".join(names) or f"one of python -m train.{kind or 'vae'}"


def latent_size(model: LoadedModel) -> int:
    """Numbers that a sprite is made of."""
    return generator_of(model).config.latent


def vocabulary_of(model: LoadedModel) -> Vocabulary:
    """What the model can be asked for; nothing for a VAE."""
    network = generator_of(model)
    return Vocabulary(network.config.labels if isinstance(network, DCGANGenerator) else ())


@contextmanager
def as_loaded(network: Network) -> Iterator[None]:
    """In eval mode and without gradients; the mode it had comes back."""
    was_training = network.training
    network.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        network.train(was_training)


def decode_latents(
    model: LoadedModel, latents: Tensor, labels: Tensor | None = None, *, callback: StepCallback | None = None
) -> Pictures:
    """Pictures of latents, undecided; what a latent becomes does not depend on the others.

    Args:
        model: a DCGAN or a VAE.
        latents: `b latent`, float32, about N(0, 1).
        labels: `b k`, 1 for what is asked for, for a network with labels; None: nothing is.
        callback: called after each part; may raise to cancel.

    Raises:
        ModelKindError: the model makes no sprites of latents.
        ShapeError: latents or labels are not as many as the network takes.
    """
    network = generator_of(model)
    size, known = network.config.latent, len(vocabulary_of(model).labels)
    if latents.ndim != 2 or latents.shape[1] != size or not len(latents):
        msg = f"latents are {tuple(latents.shape)}, expected `b {size}`, one row a sprite"
        raise ShapeError(msg)
    if labels is not None and tuple(labels.shape) != (len(latents), known):
        msg = f"labels are {tuple(labels.shape)}, expected {(len(latents), known)}"
        raise ShapeError(msg)
    labels = torch.zeros(len(latents), known) if labels is None else labels
    device = next(network.parameters()).device
    count, made = len(latents), []
    with as_loaded(network):
        for start in range(0, count, AT_ONCE):
            rows = torch.zeros(AT_ONCE, size)
            told = torch.zeros(AT_ONCE, known)
            part = slice(start, min(start + AT_ONCE, count))
            rows[: part.stop - start], told[: part.stop - start] = latents[part].cpu(), labels[part].cpu()
            pictures = _straight(network, rows.to(device), told.to(device))
            rgb, alpha = (one[: part.stop - start].float().cpu() for one in (pictures.rgb, pictures.alpha))
            made.append(pictures._replace(rgb=rgb, alpha=alpha))
            if callback is not None:
                callback(part.stop, count)
    return made[0]._replace(rgb=torch.cat([one.rgb for one in made]), alpha=torch.cat([one.alpha for one in made]))


def in_turn(callback: StepCallback | None, first: int, then: int) -> tuple[StepCallback | None, StepCallback | None]:
    """One callback for two pieces of work, of so many steps each."""
    if callback is None:
        return None, None
    total = first + then

    def earlier(done: int, steps: int) -> None:
        callback(first * done // steps, total)

    def later(done: int, steps: int) -> None:
        callback(first + then * done // steps, total)

    return earlier, later


def _straight(network: Network, latents: Tensor, labels: Tensor) -> Pictures:
    if isinstance(network, VAE):
        made = network.decode(latents)
        if network.config.channels == 3:
            return Pictures(made.clamp(0, 1), torch.ones_like(made[:, :1]))
        # Below a half nothing is shown; dividing by less would only make noise of it.
        return Pictures((made[:, :3] / made[:, 3:].clamp_min(0.5)).clamp(0, 1), made[:, 3:].clamp(0, 1))
    raw = network.raw(latents, labels)
    made = raw.clamp(0, 1) if network.config.range == "clamp" else (raw + 1) / 2
    if network.config.channels == 3:
        return Pictures(made, torch.ones_like(made[:, :1]), DCGAN_AGREEMENT)
    alpha = (0.5 + ALPHA_GAIN * (made[:, 3:] - 0.5)).clamp(0, 1)
    return Pictures(made[:, :3], alpha, DCGAN_AGREEMENT)
