"""Sprites from noise in one call: drawn, decoded, decided."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..checkpoint import LoadedModel
from ..errors import PixelModelError
from ..generate.labels import label_vectors
from ..palette import IndexedImage, Palette
from ..sampling import StepCallback
from .art import DEFAULT_COLORS, Share, check_colors, to_art
from .networks import decode_latents, in_turn, latent_size, vocabulary_of
from .noise import draw_latents

MOST_SPRITES = 4096


def draw_sprites(
    model: LoadedModel,
    generator: torch.Generator,
    *,
    count: int = 1,
    labels: Sequence[Sequence[str]] = (),
    temperature: float = 1.0,
    colors: int = DEFAULT_COLORS,
    palette: Palette | None = None,
    share: Share = "each its own",
    clean: bool = True,
    callback: StepCallback | None = None,
) -> IndexedImage:
    """Draw new sprites.

    Args:
        model: a DCGAN or a VAE.
        generator: a CPU generator; the same one gives the same sprites, and of more sprites the first are the same,
            but where they share colours.
        count: sprites, 1 to 4096.
        labels: names such as ``creature=dragon``, one list a sprite, again from the first when they end; for a DCGAN
            that knows some.
        temperature: as for `draw_latents`.
        colors: as for `to_art`.
        palette: as for `to_art`.
        share: as for `to_art`.
        clean: as for `to_art`.
        callback: called after each part; may raise to cancel.

    Raises:
        ModelKindError: the model makes no sprites of latents.
        LabelError: it has no such label.
        PixelModelError: a number out of range.
    """
    if not 1 <= count <= MOST_SPRITES:
        msg = f"count is {count}, expected 1 to {MOST_SPRITES} sprites"
        raise PixelModelError(msg)
    check_colors(colors, palette)
    told = label_vectors(vocabulary_of(model), labels, count)
    latents = draw_latents(generator, count, latent_size(model), temperature)
    decoding, deciding = in_turn(callback, count, count)
    pictures = decode_latents(model, latents, told, callback=decoding)
    art = to_art(pictures, colors=colors, palette=palette, share=share, clean=clean, callback=deciding)
    if callback is not None:
        callback(2 * count, 2 * count)
    return art
