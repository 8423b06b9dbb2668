"""The command behind `pixel-kiln fuse`."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from ..latents import fit_sprites, fuse_sprites, generator_of
from ..latents.fuse import MOST_RESULTS
from .common import attempt, check_range, note_of
from .done import claim
from .drawing import progress, targets_of, write_sprites
from .files import read_still
from .latents import check_decided, load_generator, settings_of


def run(arguments: argparse.Namespace) -> int:
    """`pixel-kiln fuse`: the exit status."""
    check_range("--share", arguments.share, (0, 1))
    check_range("--count", arguments.count, (1, MOST_RESULTS))
    palette = check_decided(arguments)
    targets = targets_of(arguments.out, arguments.count)
    model = load_generator(arguments.model, arguments.device, arch="vae")
    side = generator_of(model).config.size
    sources = [Path(arguments.a), Path(arguments.b)]
    sprites: list[Tensor] = []

    def read(source: Path) -> Iterator[Path]:
        rgba = read_still(source, first_frame=arguments.first_frame)
        sprites.append(fit_sprites(rgba, side))
        yield from ()

    for source in sources:
        if attempt(source, lambda source=source: read(source)):
            return 1

    def work() -> Iterator[Path]:
        for target in targets:
            claim(target, sources, overwrite=arguments.overwrite)
        with progress("sprites") as callback:
            art = fuse_sprites(
                model,
                sprites[0],
                sprites[1],
                torch.Generator().manual_seed(arguments.seed),
                how=arguments.how,
                share=arguments.share,
                count=arguments.count,
                temperature=arguments.temperature,
                colors=arguments.colors,
                palette=palette,
                clean=arguments.clean,
                callback=callback,
            )
        told = {"sprites": [hashlib.sha256(one.numpy().tobytes()).hexdigest()[:16] for one in sprites]}
        note = note_of("fuse", {**settings_of(arguments, model, palette), **told})
        yield from write_sprites(targets, art.to_rgba(), note, palette or "own", arguments.scale)

    return attempt(targets[0], work)
