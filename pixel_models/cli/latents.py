"""What `sample`, `walk` and `fuse` share for DCGANs and VAEs: the model, its labels, and `sample` itself."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import torch

from .. import load
from ..checkpoint import LoadedModel
from ..errors import ModelKindError, PixelModelError
from ..generate.labels import label_vectors, parse_labels
from ..latents import MOST_SPRITES, draw_sprites, generator_of, vocabulary_of
from ..latents.art import check_colors
from ..latents.noise import check_temperature
from ..palette import Palette, find_palette
from ..registry import SHIPPED
from ..spec import Purpose
from .commands import choose_device
from .common import ENLARGE_RANGE, attempt, check_range, note_of
from .done import claim
from .drawing import SEED_RANGE, progress, targets_of, tell_labels, write_sprites

_FOR_PRIORS = {"top_p": 1.0, "top_k": 0, "guidance": 1.0, "width": 0, "height": 0, "codes": None, "vq": None}
"""Options of `sample` that mean nothing here, and what stands in them where nobody typed them."""


def load_generator(name: str | None, device: str, *, arch: str) -> LoadedModel:
    """Load a DCGAN or a VAE and bring it to its device.

    Args:
        name: what the user typed; None: the first shipped one of `arch`.
        device: of `--device`.
        arch: "dcgan" or "vae".

    Raises:
        PixelModelError: it is not there, damaged, or of another kind.
    """
    place = choose_device(device)
    shipped = [entry.name for entry in SHIPPED if entry.purpose is Purpose.GENERATE and arch in entry.name]
    if name is None and not shipped:
        msg = f"no {arch} is shipped; name one of python -m train.{arch} with --model"
        raise ModelKindError(msg)
    model = load(name or shipped[0], purpose=Purpose.GENERATE)
    generator_of(model).to(place)
    return model


def check_decided(arguments: argparse.Namespace) -> Palette | None:
    """The palette, and what all three commands take checked.

    Raises:
        PixelModelError: a number out of its range, or no such palette.
    """
    check_range("--seed", arguments.seed, SEED_RANGE)
    check_range("--scale", arguments.scale, ENLARGE_RANGE)
    check_temperature(arguments.temperature)
    palette = None if arguments.palette is None else find_palette(arguments.palette)
    check_colors(arguments.colors, palette)
    return palette


def labels_of(arguments: argparse.Namespace, model: LoadedModel) -> list[list[str]]:
    """Lists of labels, for one sprite each; empty where nothing is asked for.

    Raises:
        LabelError: the model has no such label.
    """
    common = [name for text in arguments.label for names in parse_labels(text) for name in names]
    each = [names for text in arguments.each for names in parse_labels(text) or [[]]]
    labels = [[*common, *names] for names in each or [[]]]
    label_vectors(vocabulary_of(model), labels, len(labels))
    return labels


def settings_of(arguments: argparse.Namespace, model: LoadedModel, palette: Palette | None) -> dict[str, object]:
    """What decides which sprites come, for the note of how they were made."""
    left_out = ("command", "model", "out", "overwrite", "device", "palette", "list_labels", "a", "b", "sprites")
    kept = {name: value for name, value in vars(arguments).items() if name not in (*left_out, *_FOR_PRIORS)}
    return {"model": model.fingerprint, "palette": None if palette is None else palette.to_hex(), **kept}


def run_sample(arguments: argparse.Namespace, model: LoadedModel) -> int:
    """`pixel-kiln sample` with a DCGAN or a VAE: the exit status."""
    generator_of(model).to(choose_device(arguments.device))
    if arguments.list_labels:
        return tell_labels(vocabulary_of(model))
    typed = [name for name, without in _FOR_PRIORS.items() if getattr(arguments, name) != without]
    if typed:
        told = ", ".join(f"--{name.replace('_', '-')}" for name in typed)
        msg = f"{told}: for a PixelCNN alone, and {arguments.model} is a {model.spec.id}; leave it out"
        raise PixelModelError(msg)
    named = arguments.palette
    settings = argparse.Namespace(**{**vars(arguments), "palette": None if named in ("own", "any") else named})
    settings.colors = (0 if named == "any" else 16) if arguments.colors is None else arguments.colors
    palette = check_decided(settings)
    labels = labels_of(settings, model)
    count = (len(labels) if arguments.each else 1) if arguments.count is None else arguments.count
    check_range("--count", count, (1, MOST_SPRITES))
    if arguments.out is None:
        msg = "-o is missing: where the sprites go; only --list-labels needs none"
        raise PixelModelError(msg)
    targets = targets_of(arguments.out, count)

    def work() -> Iterator[Path]:
        for target in targets:
            claim(target, overwrite=arguments.overwrite)
        with progress("sprites") as callback:
            art = draw_sprites(
                model,
                torch.Generator().manual_seed(settings.seed),
                count=count,
                labels=labels,
                temperature=settings.temperature,
                colors=settings.colors,
                palette=palette,
                share="one for all" if settings.one_palette else "each its own",
                clean=settings.clean,
                callback=callback,
            )
        note = note_of("sample", settings_of(settings, model, palette))
        yield from write_sprites(targets, art.to_rgba(), note, palette or "own", settings.scale)

    return attempt(targets[0], work)
