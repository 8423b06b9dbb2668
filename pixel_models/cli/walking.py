"""The command behind `pixel-kiln walk`."""

from __future__ import annotations

import argparse
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from ..animation import DURATION_RANGE
from ..checkpoint import LoadedModel
from ..errors import ImageError, PixelModelError
from ..image import write_png
from ..latents import MOST_FRAMES, Way, check_way, draw_walk, fit_sprites, generator_of, parse_seeds
from ..palette import IndexedImage, Palette
from ..sheets import SpriteSheet, metadata_suffix, pack_sheet, write_sheet
from ..spritefiles import ART_SUFFIXES, SAVE_SUFFIXES, write_art
from .common import attempt, check_range, note_of
from .done import NOTE, claim
from .drawing import progress
from .files import read_file
from .frames import tell_losses
from .latents import check_decided, labels_of, load_generator, settings_of

MOST_IN_A_ROW = 16
"""Frames of a sheet that is one strip; more become a grid."""


def run(arguments: argparse.Namespace) -> int:
    """`pixel-kiln walk`: the exit status."""
    check_range("--frames", arguments.frames, (1, MOST_FRAMES))
    check_range("--duration", arguments.duration, DURATION_RANGE)
    palette, seeds = check_decided(arguments), parse_seeds(arguments.seeds)
    if seeds and arguments.sprites:
        msg = "--seeds and SPRITE: a walk goes through the one or the other; leave one out"
        raise PixelModelError(msg)
    targets = _targets(arguments)
    arch = "dcgan" if arguments.label or arguments.each else "vae"  # a VAE walks more calmly, and has no labels
    model = load_generator(arguments.model, arguments.device, arch=arch)
    labels = labels_of(arguments, model)
    sprites: list[tuple[str, Tensor]] = []
    for source in map(Path, arguments.sprites):
        if attempt(source, lambda source=source: _read(source, model, sprites)):
            return 1
    way: Way = arguments.way or ("spherical" if sprites or seeds else "wander")
    check_way(way, len(sprites or seeds), arguments.frames)

    def work() -> Iterator[Path]:
        for target in targets:
            claim(target, [Path(one) for one in arguments.sprites], overwrite=arguments.overwrite)
        with progress("frames") as callback:
            art, closed = draw_walk(
                model,
                torch.Generator().manual_seed(arguments.seed),
                seeds=seeds,
                sprites=[one for _, one in sprites],
                names=[name for name, _ in sprites],
                way=way,
                frames=arguments.frames,
                loop=not arguments.open,
                easing=arguments.easing,
                labels=labels,
                temperature=arguments.temperature,
                colors=arguments.colors,
                palette=palette,
                clean=arguments.clean,
                callback=callback,
            )
        told = {"sprites": [hashlib.sha256(one.numpy().tobytes()).hexdigest()[:16] for _, one in sprites]}
        note = note_of("walk", {**settings_of(arguments, model, palette), **told})
        yield from _write(targets, art, closed, palette, arguments, note)

    return attempt(targets[0], work)


def _read(source: Path, model: LoadedModel, into: list[tuple[str, Tensor]]) -> Iterator[Path]:
    """Add all frames of a file, with what to call them."""
    side = generator_of(model).config.size
    frames = read_file(source).frames
    for index, frame in enumerate(frames):
        name = f"sprite {source.name}" + (f" ({index})" if len(frames) > 1 else "")
        into.append((name, fit_sprites(frame.rgba[None], side)[0]))
    yield from ()


def _targets(arguments: argparse.Namespace) -> list[Path]:
    """The files that a walk becomes: one, a sheet and its metadata, or a PNG a frame.

    Raises:
        ImageError: OUT is a file that loses pixels.
    """
    out, place = arguments.out, Path(arguments.out)
    suffix = place.suffix.lower()
    if place.is_dir() or out.endswith(("/", os.sep)) or suffix not in ART_SUFFIXES:
        return [place / f"frame_{index:04}.png" for index in range(arguments.frames)]
    if suffix not in SAVE_SUFFIXES:
        msg = f"{out}: {suffix} loses pixels; expected a name that ends in {' or '.join(SAVE_SUFFIXES)}, or a folder"
        raise ImageError(msg)
    return [place, place.with_suffix(metadata_suffix(arguments.format))] if suffix == ".png" else [place]


def _write(
    targets: list[Path],
    art: IndexedImage,
    loop: bool,
    palette: Palette | None,
    arguments: argparse.Namespace,
    note: str,
) -> Iterator[Path]:
    """Write what `_targets` said."""
    text, place = {NOTE: note}, Path(arguments.out)
    if targets[0] != place:
        for index, target in enumerate(targets):
            write_png(target, art.frame(index).enlarge(arguments.scale), text)
            yield target
        return
    sheet = SpriteSheet.of_batch(art.to_rgba(), duration=arguments.duration)
    sheet = SpriteSheet(frames=sheet.frames, loop=0 if loop else 1)
    if len(targets) == 1:
        tell_losses(sheet, place.suffix.lower().removeprefix("."))
        yield from write_art(place, sheet, scale=arguments.scale, palette=palette, text=text)
        return
    large = SpriteSheet.of_batch(art.enlarge(arguments.scale).to_rgba(), duration=arguments.duration)
    packed = pack_sheet(
        SpriteSheet(frames=large.frames, loop=sheet.loop), layout="row" if len(large) <= MOST_IN_A_ROW else "grid"
    )
    yield from write_sheet(place, packed, arguments.format, overwrite=True, text=text)  # claimed before
