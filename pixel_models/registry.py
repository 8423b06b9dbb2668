"""Every architecture that this package knows, one import and one line each, and the weights it ships."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .archs import (
    cascade,
    code_prior,
    dcgan,
    native_cyclegan,
    patchgan,
    pixelcnn,
    resnet,
    sprite_features,
    stylegan2,
    unet,
    vae,
    vqvae,
)
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
register(stylegan2.SPECS)
register(cascade.SPECS)
register(vqvae.SPECS)
register(vae.SPECS)
register(dcgan.SPECS)
register(code_prior.SPECS)
register(pixelcnn.SPECS)
register(sprite_features.SPECS)


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
        sha256="bcf3959fa13cb480e7647e46ccf0f7b68243c743183ab3d5983e202740a20828",
    ),
    PublishedWeights(
        name="kiln-cut.safetensors",
        title="Drawings and photos to softer, calmer pixel art (native-grid CUT)",
        purpose=Purpose.PIXELATE,
        sha256="354f091d355dc1473774a9b699f5cad625110554bfd35ad80d28381df7e505df",
    ),
    PublishedWeights(
        name="kiln-depixelate.safetensors",
        title="Pixel art to smooth pictures (native-grid CycleGAN, the reverse)",
        purpose=Purpose.DEPIXELATE,
        sha256="970b87e8befc190040756088b1235757716123824ed08055498b9c5f732329f8",
    ),
    PublishedWeights(
        name="kiln-vq-hires.safetensors",
        title="Sprites to codes and back, a code for every pixel (Pixel VQ-VAE HiRes)",
        purpose=Purpose.ENCODE,
        sha256="fdb3eaa9563da9dfbe7056c06081f10953a5c83b211f6fcb9945cf5a52433aed",
    ),
    PublishedWeights(
        name="kiln-vq-medres.safetensors",
        title="Sprites to codes and back, a code for 2x2 pixels (Pixel VQ-VAE MedRes)",
        purpose=Purpose.ENCODE,
        sha256="05ef93dbe1c02a467181eb56c3ac4ae00f38e1d6a553cfbc29cb65b4c690a6e2",
    ),
    PublishedWeights(
        name="kiln-vq-lowres.safetensors",
        title="Sprites to codes and back, a code for 4x4 pixels (Pixel VQ-VAE LowRes)",
        purpose=Purpose.ENCODE,
        sha256="f5ce66d994e407ed4c4777d75c71faeb2846bba6f657f6846f274ff8c9c2fa9f",
    ),
    PublishedWeights(
        name="kiln-fuse-hires.safetensors",
        title="Two sprites to one: the first's drawing in the second's colours, in the codes of kiln-vq-hires",
        purpose=Purpose.FUSE,
        sha256="d6633ee58928fa060eed92f5347f9fe152891cd5ca5585f44be39e1941f843c7",
    ),
    PublishedWeights(
        name="kiln-pixelcnn-16.safetensors",
        title="New sprites of 16x16 pixels, and half-drawn ones finished (PixelCNN over kiln-vq-hires)",
        purpose=Purpose.SAMPLE,
        sha256="cc0db9410800e40ece939249c001471bc577f6c43da58dea19e116b47460e909",
    ),
    PublishedWeights(
        name="kiln-pixelcnn-32.safetensors",
        title="New sprites of 32x32 pixels, and half-drawn ones finished (PixelCNN over kiln-vq-medres)",
        purpose=Purpose.SAMPLE,
        sha256="7fba4220991d95b4595cd9fc00f3ddebda2a037a32d53ca7c24c7615d3420384",
    ),
    PublishedWeights(
        name="kiln-dcgan.safetensors",
        title="New figures of 32x32 pixels from noise, in the colours that are asked for (DCGAN)",
        purpose=Purpose.GENERATE,
        sha256="7b4d6aa784e60c3c1772fc1168b8453c44cb125ad4d545f06f100083e3e951a0",
    ),
    PublishedWeights(
        name="kiln-vae.safetensors",
        title="Figures of 32x32 pixels as 64 numbers: new ones, walks between sprites, sprites fused (VAE)",
        purpose=Purpose.GENERATE,
        sha256="26120a29259b700b4ee58570d6277bce5813d30196864fd0370dbbf2f85ba6e1",
    ),
    PublishedWeights(
        name="kiln-features.safetensors",
        title="What sets of sprites are compared by: features of a classifier of sprites",
        purpose=Purpose.DESCRIBE,
        sha256="2497b71735aaebf8aa9ea6ffada56c7bef88f273fa4314c8f5e5d86cd5f65a29",
    ),
)
"""The weights in `pixel_models/weights/`, the default first."""
