"""Walks through latents as animations: keys from seeds or sprites, a way through them, frames that stay put."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ..animation.easing import Easing, ease
from ..archs.dcgan import DCGANGenerator
from ..checkpoint import LoadedModel
from ..errors import PixelModelError
from ..generate.labels import label_vectors
from ..palette import IndexedImage, Palette, extract_palette, index_exactly
from ..sampling import StepCallback
from .art import DEFAULT_COLORS, check_colors
from .encode import encode_sprites
from .find import STEPS
from .networks import decode_latents, generator_of, in_turn, latent_size, vocabulary_of
from .noise import Seed, draw_latents, latents_of_seeds
from .paths import WAYS, Way, between_keys, check_frames, circle, places_between, wander, wander_noise
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


def sprite_keys(
    model: LoadedModel,
    sprites: Sequence[Tensor],
    generator: torch.Generator | None = None,
    *,
    labels: Sequence[Sequence[str]] = (),
    names: Sequence[str] = (),
    callback: StepCallback | None = None,
) -> Tensor:
    """Latents of given sprites, `k latent`, as a VAE sees them, or as they are found for a DCGAN.

    Args:
        model: a DCGAN or a VAE.
        sprites: each `4 h w`, of any sizes that fit its canvas.
        generator: for a DCGAN, as for `find_latents`; None: of the seed 0.
        labels: for a DCGAN, what the walk will ask for, as for `plan_walk`.
        names: what to call each in a message.
        callback: called while latents are looked for; may raise to cancel.

    Raises:
        ModelKindError: the model makes no sprites of latents.
        LabelError: it has no such label.
        ImageError: a sprite shows nothing, is too large, or nothing like it is found.
    """
    if not sprites:
        msg = "a walk through sprites needs at least one, got none"
        raise PixelModelError(msg)
    told = label_vectors(vocabulary_of(model), labels, len(sprites))
    generator = torch.Generator().manual_seed(0) if generator is None else generator
    found = []
    for index, one in enumerate(sprites):
        name = names[index] if names else f"sprite {index}" if len(sprites) > 1 else "sprite"
        step = None if callback is None else _part(callback, index, len(sprites))
        asked = told[index : index + 1]
        found.append(encode_sprites(model, one[None], generator, labels=asked, name=name, callback=step).mean)
    return torch.cat(found)


def _part(callback: StepCallback, index: int, count: int) -> StepCallback:
    return lambda done, steps: callback(index * steps + done, count * steps)


def check_way(way: Way, keys: int, frames: int) -> None:
    """Refuse what `plan_walk` will not lay, before keys are looked for.

    Raises:
        PixelModelError: no such way, or one that does not go through so many keys, or not in so many frames.
    """
    if way not in WAYS:
        msg = f"way is {way!r}, expected one of {', '.join(WAYS)}"
        raise PixelModelError(msg)
    most = {"circle": 2, "wander": 0}.get(way, MOST_KEYS)
    least = 0 if most <= 2 else 1
    if not least <= keys <= most:
        expected = {0: "none", 2: "none, one or two"}.get(most, f"{least} to {most}")
        msg = f"way {way!r} goes through {expected}, got {keys} seeds or sprites; choose another way, or other keys"
        raise PixelModelError(msg)
    check_frames(frames, keys if least else 1)


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
    size, known, count = latent_size(model), vocabulary_of(model), len(keys)
    check_way(way, count, frames)
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
            if deciding is not None:
                deciding(1, 1)
            return index_exactly(pictures.rgb * opaque, opaque)
        palette = extract_palette(pictures.rgb, colors, weight=opaque)
    return steady_frames(pictures, palette, loop=route.loop, clean=clean, hold=hold, callback=deciding)


def draw_walk(
    model: LoadedModel,
    generator: torch.Generator,
    *,
    seeds: Sequence[Seed] = (),
    sprites: Sequence[Tensor] = (),
    names: Sequence[str] = (),
    way: Way = "spherical",
    frames: int = 24,
    loop: bool = True,
    easing: Easing = "linear",
    labels: Sequence[Sequence[str]] = (),
    temperature: float = 1.0,
    colors: int = DEFAULT_COLORS,
    palette: Palette | None = None,
    clean: bool = True,
    callback: StepCallback | None = None,
) -> tuple[IndexedImage, bool]:
    """Find the keys of a walk, lay it, and draw it.

    Args:
        model: a DCGAN or a VAE.
        generator: a CPU generator; for what is looked for and drawn.
        seeds: through the sprites of these.
        sprites: through these instead, each `4 h w`.
        names: what to call them in a message.
        way: as for `plan_walk`; "wander" takes neither.
        frames: as for `plan_walk`.
        loop: as for `plan_walk`.
        easing: as for `plan_walk`.
        labels: as for `plan_walk`.
        temperature: as for `plan_walk`, and of the seeds' sprites.
        colors: as for `walk_frames`.
        palette: as for `walk_frames`.
        clean: as for `walk_frames`.
        callback: called after each part; may raise to cancel.

    Returns:
        The frames, and whether the last is followed by the first.

    Raises:
        ModelKindError: the model makes no sprites of latents.
        ImageError: a sprite shows nothing, is too large, or nothing like it is found.
        LabelError: the model has no such label.
        PixelModelError: numbers out of range, or keys that the way does not take.
    """
    check_way(way, len(sprites or seeds), frames)
    searched = isinstance(generator_of(model), DCGANGenerator)
    finding, drawing = in_turn(callback, STEPS * len(sprites) if searched else 0, 2 * frames)
    if sprites:
        asked = labels[:1] if way == "circle" else labels
        keys = sprite_keys(model, sprites, generator, labels=asked, names=names, callback=finding)
    else:
        keys = latents_of_seeds(seeds, latent_size(model), temperature)
    route = plan_walk(
        model,
        keys,
        generator,
        way=way,
        frames=frames,
        loop=loop,
        easing=easing,
        labels=labels,
        temperature=temperature,
    )
    return walk_frames(model, route, colors=colors, palette=palette, clean=clean, callback=drawing), route.loop
