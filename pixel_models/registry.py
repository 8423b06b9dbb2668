"""Every architecture that this package knows, one import and one line each, and the weights it ships."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .archs import native_cyclegan, patchgan, resnet, unet, vae, vqvae
from .errors import PixelModelError
from .spec import ModelSpec, Purpose

REGISTRY: dict[str, ModelSpec] = {}


def register(specs: Iterable[ModelSpec]) -> None:
    """Add architectures; a name that is taken raises, and then nothing is added."""
    specs = tuple(specs)
    new = {spec.id: spec for spec in specs}
    taken = sorted(new.keys() & REGISTRY.keys())
    if taken or len(new) != len(specs):
        msg = f"architecture ids must be unique; taken or twice: {taken or [s.id for s in specs]}"
        raise PixelModelError(msg)
    REGISTRY.update(new)


register(native_cyclegan.SPECS)
register(resnet.SPECS)
register(unet.SPECS)
register(patchgan.SPECS)
register(vqvae.SPECS)
register(vae.SPECS)


@dataclass(frozen=True, kw_only=True)
class PublishedWeights:
    """A weight file that this project has made."""

    name: str
    """File name."""

    title: str
    """What it does, for people."""

    purpose: Purpose
    sha256: str
    """Of the file; a file with another is refused."""


SHIPPED: tuple[PublishedWeights, ...] = (
    PublishedWeights(
        name="kiln-pixelate.safetensors",
        title="Drawings and photos to pixel art (native-grid CycleGAN)",
        purpose=Purpose.PIXELATE,
        sha256="4f7aed4173ef8c76d30174dc5721e864fc981deed0d18904d02243f23ca6c9d5",
    ),
    PublishedWeights(
        name="kiln-depixelate.safetensors",
        title="Pixel art to smooth pictures (native-grid CycleGAN, the reverse)",
        purpose=Purpose.DEPIXELATE,
        sha256="970b87e8befc190040756088b1235757716123824ed08055498b9c5f732329f8",
    ),
)
"""The weights in `pixel_models/weights/`, the default first."""
