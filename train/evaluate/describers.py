"""Features of pictures by the network that the user chooses: our own of sprites, Inception of a file, or random."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

import pixel_models
from pixel_models.archs.sprite_features import SpriteFeatures
from pixel_models.hub import locate
from pixel_models.spec import Purpose

from ..metrics import RandomFeatures
from .inception import load_inception

KILN = "kiln-features"
"""Name of the model that `kiln` without a file asks for."""

HOW = "kiln[=MODEL], inception=FILE, inception=ORG/REPO[@REVISION]/FILE of the hub, or random"


@dataclass(frozen=True)
class Describer:
    """A way to turn pictures into numbers."""

    name: str
    """As it stands in tables; features of different names cannot be compared."""

    run: Callable[[Tensor], Tensor]
    """`b 3 h w` in [0, 1] to `b d`."""

    inception: bool = False
    """Whether its distances may be called KID and FID."""

    @torch.no_grad()
    def __call__(self, rgb: Tensor, at_once: int = 64) -> Tensor:
        """Features `n d` of pictures `n 3 h w`, float32 in [0, 1]."""
        return torch.cat([self.run(part) for part in rgb.split(at_once)])

    @property
    def distances(self) -> tuple[str, str]:
        """What the kernel distance and the Fréchet distance of these features are called."""
        return ("KID", "FID") if self.inception else ("kernel distance", "feature distance")


def describer_of(text: str) -> Describer:
    """The describer that `text`, one of `HOW`, names.

    `kiln` takes a model's name or file as every loader does, one that `python -m train.features` made; `inception`
    takes a file of pytorch-fid's or torchvision's Inception v3, here or on the Hugging Face hub, from which it is
    fetched once.

    Raises:
        ValueError: it names none.
        HubError: the hub's file cannot be fetched.
        CheckpointError, ModelKindError: the file is missing or holds something else.
    """
    kind, _, rest = text.partition("=")
    if kind == "kiln":
        model = pixel_models.load(rest or KILN).require(Purpose.DESCRIBE)
        module = model.module
        assert isinstance(module, SpriteFeatures)
        return Describer(f"{KILN}-{model.fingerprint[:8]}", module.features)
    if kind == "inception" and rest:
        path = locate(rest, download=True).path
        return Describer(f"inception-v3 {path.name}", load_inception(path), inception=True)
    if kind == "random" and not rest:
        return Describer("random-conv-1", RandomFeatures())
    msg = f"--features is {text!r}, expected {HOW}"
    raise ValueError(msg)
