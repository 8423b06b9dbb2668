"""Walks through latents as animations: keys from seeds or sprites, a way through them, frames that stay put."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ..animation.easing import Easing, ease
from ..checkpoint import LoadedModel
from ..errors import PixelModelError
from ..generate.labels import label_vectors
from ..palette import IndexedImage, Palette, extract_palette, index_exactly
from ..sampling import StepCallback
from .art import DEFAULT_COLORS, check_colors
from .encode import encode_sprites
from .networks import decode_latents, in_turn, latent_size, vocabulary_of
from .noise import draw_latents
from .paths import WAYS, Way, between_keys, circle, places_between, wander, wander_noise
from .steady import HOLD, steady_frames

MOST_KEYS = 256


class Route(NamedTuple):
    """Where a walk goes, a row a frame."""

    latents: Tensor
    """`frames latent`, float32."""

    labels: Tensor
    """`frames k`, float32 in [0, 1]; k may be 0."""

    loop: bool
    """Whether the last frame is followed by the first."""


def sprite_keys(model: LoadedModel, sprites: Sequence[Tensor]) -> Tensor:
    """Latents of given sprites, `k latent`, as a VAE sees them.

    Args:
        model: a VAE.
        sprites: each `4 h w`, of any sizes that fit its canvas.

    Raises:
        ModelKindError: the model is no VAE.
        ImageError: a sprite shows nothing, or is too large.
    """
    if not sprites:
        msg = "a walk through sprites needs at least one, got none"
        raise PixelModelError(msg)
    named = ((f"sprite {index}" if len(sprites) > 1 else "sprite", one) for index, one in enumerate(sprites))
    return torch.cat([encode_sprites(model, one[None], "a walk through sprites", name).mean for name, one in named])


def plan_walk(
    model: LoadedModel,
    keys: Tensor,
    generator: torch.Generator,
    *,
    way: Way = "spherical",
    frames: int = 24,
    loop: bool = True,
    easing: Easing = "linear",
    labels: Sequence[Sequence[str]] = (),
    temperature: float = 1.0,
) -> Route:
    """Lay a way through latents.

    Args:
        model: a DCGAN or a VAE.
        keys: `k latent`, of seeds or sprites, in order. "circle" takes at most two, and draws what is missing;
            "wander" takes none; the others at least one, and two to go anywhere.
        generator: a CPU generator; for what is drawn.
        way: how to go.
        frames: in all, 1 to 1024, at least one a key.
        loop: go back to the first key; circles and wanderings always close.
        easing: how each leg from key to key runs; "smooth" lingers at the keys.
        labels: names, one list a key, again from the first when they end: what is asked for changes along the way. On
            circles and wanderings the first list alone counts.
        temperature: of what is drawn here.

    Raises:
        PixelModelError: numbers out of range, or keys that the way does not take.
        LabelError: the model has no such label.
    """
    if way not in WAYS:
        msg = f"way is {way!r}, expected one of {', '.join(WAYS)}"
        raise PixelModelError(msg)
    size, known, count = latent_size(model), vocabulary_of(model), len(keys)
    most = {"circle": 2, "wander": 0}.get(way, MOST_KEYS)
    least = 0 if most <= 2 else 1
    if not least <= count <= most:
        expected = {0: "none", 2: "none, one or two"}.get(most, f"{least} to {most}")
        msg = f"way {way!r} goes through {expected}, got {count} seeds or sprites; choose another way, or other keys"
        raise PixelModelError(msg)
    if way in ("circle", "wander"):
        drawn = draw_latents(generator, 2 - count if way == "circle" else wander_noise(), size, temperature)
        ends = torch.cat([keys, drawn])
        latents = circle(ends[0], ends[1], frames) if way == "circle" else wander(drawn, frames)
        return Route(latents, label_vectors(known, labels[:1], frames), True)
    places = [(leg, ease(place, easing)) for leg, place in places_between(count, frames, loop=loop)]
    told = between_keys(label_vectors(known, labels, count), places, spherical=False)
    return Route(between_keys(keys, places, spherical=way == "spherical"), told, loop and count > 1)


def walk_frames(
    model: LoadedModel,
    route: Route,
    *,
    colors: int = DEFAULT_COLORS,
    palette: Palette | None = None,
    clean: bool = True,
    hold: float = HOLD,
    callback: StepCallback | None = None,
) -> IndexedImage:
    """Draw the frames of a walk, all in one palette.

    Args:
        model: the one that the route was laid for.
        route: of `plan_walk`.
        colors: the most in all frames together, 2 to 256; 0: as they are, to 8 bits, and then nothing is held.
        palette: these colours instead.
        clean: as for `to_art`.
        hold: as for `steady_frames`.
        callback: called after each part; may raise to cancel.

    Raises:
        ModelKindError: the model makes no sprites of latents.
        PixelModelError: a number of colours that is none.
    """
    check_colors(colors, palette)
    decoding, deciding = in_turn(callback, len(route.latents), len(route.latents))
    pictures = decode_latents(model, route.latents, route.labels, callback=decoding)
    opaque = (pictures.alpha >= 0.5).float()
    if palette is None:
        if not colors:
            return index_exactly(pictures.rgb * opaque, opaque)
        palette = extract_palette(pictures.rgb, colors, weight=opaque)
    return steady_frames(pictures, palette, loop=route.loop, clean=clean, hold=hold, callback=deciding)
