"""PatchNCE: what stands at a place of the output resembles what stood there in the input, more than any other place.

Park et al., "Contrastive Learning for Unpaired Image-to-Image Translation", ECCV 2020,
https://arxiv.org/abs/2007.15651, equations 2 to 4. The places of one layer are the same for every picture of a batch. A
batch is what the tensors hold: the reference goes by an option, and would mix pictures in a last, smaller one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

TEMPERATURE = 0.07
"""Of the softmax over the places; the paper's."""

_NEAR = 1e-7
"""What the reference adds to a feature's length before it divides by it."""


class Layered(Protocol):
    """A generator that names its layers and gives their activations."""

    @property
    def layers(self) -> tuple[str, ...]:
        """Names, in the order of computation."""
        ...

    def features(self, x: Tensor, names: Sequence[str]) -> list[Tensor]:
        """Activations `b c h w` after those layers, in the order of `names`; nothing beyond them is computed."""
        ...


class PatchSampler(nn.Module):
    """Heads, one for each layer: activations at some places to features of length 1 (the reference's `netF`)."""

    def __init__(self, widths: Sequence[int], features: int = 256, *, mlp: bool = True) -> None:
        """Build the heads with random weights, PyTorch's own; their keys are the reference's `mlp_sample`.

        Args:
            widths: channels of each layer, as `widths_of` finds them; so optimizer and saved state know the heads
                before the first step.
            features: length of a feature.
            mlp: False: no heads, activations as they are (the reference's `sample`).
        """
        super().__init__()
        self.widths = tuple(widths)
        self.mlp = mlp
        for index, width in enumerate(widths if mlp else ()):
            head = nn.Sequential(nn.Linear(width, features), nn.ReLU(), nn.Linear(features, features))
            self.add_module(f"mlp_{index}", head)

    def forward(self, maps: Sequence[Tensor], places: Sequence[Tensor]) -> list[Tensor]:
        """Look at places of activations.

        Args:
            maps: one `b c h w` for each layer.
            places: one `p`, int64 in [0, h*w), for each layer: rows first, the same for every picture.

        Returns:
            One `b p d` for each layer, of length 1 along `d`.

        Raises:
            ValueError: another number of layers, or of channels, than the heads were built for.
        """
        got = tuple(each.shape[1] for each in maps)
        if got != self.widths or len(places) != len(got):
            msg = f"expected activations of {self.widths} channels and places for each, got {got} and {len(places)}"
            raise ValueError(msg)
        found: list[Tensor] = []
        # Places are taken before channels come last: the gradient of a layer is to be contiguous. Of one with channels
        # last, as the reference's way leaves it, PyTorch's instance norm (2.13) makes wrong numbers on a CPU.
        for index, (each, where) in enumerate(zip(maps, places, strict=True)):
            x = each.flatten(2)[:, :, where].transpose(1, 2)  # b p c
            x = cast("nn.Module", self.get_submodule(f"mlp_{index}"))(x) if self.mlp else x
            x = x.to(torch.promote_types(x.dtype, torch.float32))  # bfloat16 would lose near neighbours
            found.append(x / (x.norm(dim=2, keepdim=True) + _NEAR))
        return found


def widths_of(generator: nn.Module, names: Sequence[str], example: Tensor) -> list[int]:
    """Channels that a generator's layers really give.

    Args:
        generator: as `Layered` says.
        names: of its layers.
        example: a small input, `1 c h w`; the network's statistics do not change by it.

    Raises:
        ValueError: a layer does not exist.
    """
    layered = cast("Layered", generator)
    check_layers(names, layered.layers)
    training = generator.training
    generator.eval()
    with torch.no_grad():
        widths = [each.shape[1] for each in layered.features(example, names)]
    generator.train(training)
    return widths


def check_layers(names: Sequence[str], known: Sequence[str]) -> None:
    """See that there are such layers, at least one, and none twice.

    Raises:
        ValueError: there are not.
    """
    if not names or len(set(names)) < len(names) or not set(names) <= set(known):
        msg = f"layers are {' '.join(names) or 'none'}, expected of {' '.join(known)}, each once"
        raise ValueError(msg)


def draw_places(maps: Sequence[Tensor], count: int, generator: torch.Generator) -> list[Tensor]:
    """`count` different places for each of the `maps` `b c h w`, or all where there are fewer: each `p`, int64."""
    sizes = [(each.shape[2] * each.shape[3], each.device) for each in maps]
    return [torch.randperm(size, generator=generator)[:count].to(device) for size, device in sizes]


def patch_nce(query: Tensor, key: Tensor, *, temperature: float = TEMPERATURE, across_batch: bool = False) -> Tensor:
    """How badly each place of the output is told by its features from the other places of the input.

    The loss of a place is the cross entropy of a softmax over all keys against its own (equation 2). The reference
    lists the own key first and puts -10 in its old place among the others, which e^(-10 / 0.07) makes the same number.

    Args:
        query: features of the output, `b p d`, of length 1.
        key: features of the input at the same places, `b p d`; no gradient reaches them.
        temperature: small ones look at the most similar places alone.
        across_batch: the other pictures' places count too; needed where there is but one place a picture.

    Returns:
        `b p`, 0 or more.

    Raises:
        ValueError: the shapes differ.
    """
    if query.ndim != 3 or query.shape != key.shape:
        msg = f"expected query and key `b p d` of one shape, got {tuple(query.shape)} and {tuple(key.shape)}"
        raise ValueError(msg)
    shape = query.shape[:2]
    with torch.autocast(query.device.type, enabled=False):
        key = key.detach()
        if across_batch:
            query, key = query.reshape(1, -1, query.shape[2]), key.reshape(1, -1, key.shape[2])
        logits = query @ key.transpose(1, 2) / temperature  # b p p, or 1 b*p b*p
        own = torch.arange(logits.shape[1], device=logits.device).expand(logits.shape[:2])
        return F.cross_entropy(logits.flatten(0, 1), own.flatten(), reduction="none").view(shape)


def contrast(
    sampler: nn.Module,
    query: Sequence[Tensor],
    key: Sequence[Tensor],
    places: Sequence[Tensor],
    *,
    temperature: float = TEMPERATURE,
    across_batch: bool = False,
) -> Tensor:
    """The mean PatchNCE over places, then over layers (equation 3).

    Args:
        sampler: a `PatchSampler`.
        query: the output's activations, one `b c h w` for each layer.
        key: the input's, of the same shapes; they get no gradient, and the heads none through them.
        places: one `p` for each layer.
        temperature: as in `patch_nce`.
        across_batch: as in `patch_nce`.

    Returns:
        A scalar.
    """
    queries = sampler(query, places)  # first: mixed precision keeps the weights that it has cast, and their gradients
    with torch.no_grad():
        keys = sampler(key, places)
    pairs = zip(queries, keys, strict=True)
    losses = [patch_nce(q, k, temperature=temperature, across_batch=across_batch).mean() for q, k in pairs]
    return torch.stack(losses).mean()
