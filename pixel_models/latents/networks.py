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


class Pictures(NamedTuple):
    """What a network makes, before anything is decided; both float32 on the CPU."""

    rgb: Tensor
    """`b 3 h w` in [0, 1], straight: not multiplied by alpha."""

    alpha: Tensor
    """`b 1 h w` in [0, 1]; a half and more is opaque. 1 for a network of RGB."""

    def part(self, index: slice) -> Pictures:
        """Some of them."""
        return Pictures(self.rgb[index], self.alpha[index])


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
        msg = f"a DCGAN or a VAE is needed, and this one ({model.spec.id}) is neither; choose {_shipped('')}"
        raise ModelKindError(msg)
    return network


def dcgan_of(model: LoadedModel) -> DCGANGenerator:
    """The network, if it is a DCGAN's.

    Raises:
        ModelKindError: it is another.
    """
    network = generator_of(model)
    if not isinstance(network, DCGANGenerator):
        msg = (
            f"a DCGAN is needed, and this one ({model.spec.id}) is a VAE; use VAE Sample, or choose {_shipped('dcgan')}"
        )
        raise ModelKindError(msg)
    return network


def vae_of(model: LoadedModel, what: str = "") -> VAE:
    """The network, if it is a VAE's.

    Args:
        model: any.
        what: what it is needed for; empty: to sample.

    Raises:
        ModelKindError: it is another; a DCGAN has no way from sprites to numbers.
    """
    network = generator_of(model)
    if isinstance(network, VAE):
        return network
    why = f"{what} needs a VAE, for a DCGAN ({model.spec.id}) only goes from numbers to sprites, never back"
    msg = why if what else f"a VAE is needed, and this one ({model.spec.id}) is a DCGAN; use DCGAN Sample"
    msg += f"; choose {_shipped('vae')}" if what else f", or choose {_shipped('vae')}"
    raise ModelKindError(msg)


def _shipped(kind: str) -> str:
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
            made.append(Pictures(*(one[: part.stop - start].float().cpu() for one in (pictures.rgb, pictures.alpha))))
            if callback is not None:
                callback(part.stop, count)
    return Pictures(torch.cat([one.rgb for one in made]), torch.cat([one.alpha for one in made]))


def in_turn(callback: StepCallback | None, first: int, then: int) -> tuple[StepCallback | None, StepCallback | None]:
    """One callback for two pieces of work, of so many steps each."""
    if callback is None:
        return None, None
    total = first + then

    def later(done: int, steps: int) -> None:
        callback(first + then * done // steps, total)

    return lambda done, _: callback(done, total), later


def _straight(network: Network, latents: Tensor, labels: Tensor) -> Pictures:
    if isinstance(network, VAE):
        made = network.decode(latents)
        if network.config.channels == 3:
            return Pictures(made.clamp(0, 1), torch.ones_like(made[:, :1]))
        # Below a half nothing is shown; dividing by less would only make noise of it.
        return Pictures((made[:, :3] / made[:, 3:].clamp_min(0.5)).clamp(0, 1), made[:, 3:].clamp(0, 1))
    raw = network.raw(latents, labels)
    made = raw.clamp(0, 1) if network.config.range == "clamp" else (raw + 1) / 2
    alpha = torch.ones_like(made[:, :1]) if network.config.channels == 3 else made[:, 3:]
    return Pictures(made[:, :3], alpha)
