"""The command behind `pixel-kiln sample`, and what `complete` shares with it: models, labels, files."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from .. import load
from ..archs.pixelcnn import PixelCNNConfig
from ..checkpoint import LoadedModel
from ..codes import CODES_SUFFIXES, CodeGrid, decode, save_codes
from ..codes.table import table_of
from ..errors import CodesError, PixelModelError
from ..generate import Choice
from ..generate.labels import label_vectors, parse_labels
from ..generate.sprites import MOST_PIXELS, coder_name, prior_of, sample_sprites
from ..palette import Palette, find_palette
from ..registry import SHIPPED
from ..spec import Purpose
from .commands import choose_device
from .common import ENLARGE_RANGE, attempt, check_range, join_alpha, note_of
from .done import claim
from .drawing import SEED_RANGE, progress, targets_of, tell_labels, write_sprites
from .latents import run_sample
from .parse_sampling import PALETTES

COUNT_RANGE = (1, 4096)


class Models(NamedTuple):
    """What sprites are drawn with."""

    prior: LoadedModel
    coder: LoadedModel


def run(arguments: argparse.Namespace) -> int:
    """`pixel-kiln sample`: the exit status."""
    if arguments.model is not None and (model := load(arguments.model)).purpose is Purpose.GENERATE:
        return run_sample(arguments, model)
    if arguments.colors is not None or arguments.one_palette or not arguments.clean:
        msg = (
            "--colors, --one-palette and --no-clean are for a DCGAN or a VAE; leave them out, or name one with --model"
        )
        raise PixelModelError(msg)
    if arguments.list_labels:
        return _list_labels(arguments)
    count, choice, palette = check_drawing(arguments)
    for side in ("width", "height"):
        check_range(f"--{side}", getattr(arguments, side), (0, MOST_PIXELS))
    if arguments.out is None:
        msg = "-o is missing: where the sprites go; only --list-labels needs none"
        raise PixelModelError(msg)
    targets = targets_of(arguments.out, count)
    if arguments.codes and Path(arguments.codes).suffix.lower() not in CODES_SUFFIXES:
        msg = f"--codes {arguments.codes}: codes are written as {' or '.join(CODES_SUFFIXES)}; choose such a name"
        raise CodesError(msg)
    models = load_models(arguments)
    labels = labels_of(arguments, models)

    def work() -> Iterator[Path]:
        extra = [Path(arguments.codes)] if arguments.codes else []
        for target in (*targets, *extra):
            claim(target, overwrite=arguments.overwrite)
        with progress("sprites") as callback:
            codes = sample_sprites(
                models.prior,
                models.coder,
                torch.Generator().manual_seed(arguments.seed),
                labels=labels,
                count=count,
                height=arguments.height,
                width=arguments.width,
                palette=palette_for(models, palette),
                choice=choice,
                callback=callback,
            )
        note = note_of("sample", settings_of(arguments, models, palette))
        yield from write_sprites(targets, picture(models, codes), note, palette, arguments.scale)
        for path in extra:
            save_codes(path, codes)
            yield path

    return attempt(targets[0], work)


def _list_labels(arguments: argparse.Namespace) -> int:
    return tell_labels(_config(load(model_name(arguments), purpose=Purpose.SAMPLE)))


def check_drawing(arguments: argparse.Namespace) -> tuple[int, Choice, Palette | str]:
    """Number of sprites, how codes are drawn, and the palette, as the arguments say.

    Raises:
        PixelModelError: a number out of its range, or no such palette.
    """
    count = len(_each(arguments)) or 1 if arguments.count is None else arguments.count
    check_range("--count", count, COUNT_RANGE)
    check_range("--seed", arguments.seed, SEED_RANGE)
    check_range("--scale", arguments.scale, ENLARGE_RANGE)
    try:
        choice = Choice(
            temperature=arguments.temperature,
            top_p=arguments.top_p,
            top_k=arguments.top_k,
            guidance=arguments.guidance,
        )
    except ValueError as error:
        raise PixelModelError(str(error)) from error
    palette = arguments.palette
    return count, choice, palette if palette in PALETTES else find_palette(palette)


def model_name(arguments: argparse.Namespace) -> str:
    """The model that is asked for, or the first of the shipped ones."""
    return arguments.model or next(entry.name for entry in SHIPPED if entry.purpose is Purpose.SAMPLE)


def load_models(arguments: argparse.Namespace) -> Models:
    """Load what sprites are drawn with.

    Raises:
        PixelModelError: one is not there, damaged, or of another kind, or they do not go together.
    """
    device = choose_device(arguments.device)
    prior = load(model_name(arguments), purpose=Purpose.SAMPLE)
    name = arguments.vq or coder_name(prior)
    if name is None:
        codes_of = _config(prior).codes_of or "(unknown)"
        msg = (
            f"{model_name(arguments)} draws codes of the model {codes_of}, which is none of the shipped ones; name the "
            "VQ-VAE that it was trained for, with --vq"
        )
        raise CodesError(msg)
    models = Models(prior, load(name, purpose=Purpose.ENCODE))
    prior_of(*models).to(device)
    return models


def _config(prior: LoadedModel) -> PixelCNNConfig:
    assert isinstance(prior.config, PixelCNNConfig)
    return prior.config


def _each(arguments: argparse.Namespace) -> list[list[str]]:
    return [names for text in arguments.each for names in parse_labels(text) or [[]]]


def labels_of(arguments: argparse.Namespace, models: Models) -> list[list[str]]:
    """Lists of labels, for one sprite each.

    Raises:
        LabelError: the model has no such label.
    """
    common = [name for text in arguments.label for names in parse_labels(text) for name in names]
    labels = [[*common, *names] for names in _each(arguments) or [[]]]
    label_vectors(_config(models.prior), labels, len(labels))
    return labels


def palette_for(models: Models, palette: Palette | str) -> Palette | str:
    """What to draw in: given colours only where a code is one pixel; else they are brought to the palette after."""
    return PALETTES[0] if isinstance(palette, Palette) and table_of(models.coder).patch != 1 else palette


def settings_of(arguments: argparse.Namespace, models: Models, palette: Palette | str) -> dict[str, object]:
    """What decides which sprites come, for the note of how they were made."""
    names = ("label", "each", "seed", "temperature", "top_p", "top_k", "guidance", "scale", "width", "height")
    return {
        "model": models.prior.fingerprint,
        "vq": models.coder.fingerprint,
        "palette": palette if isinstance(palette, str) else palette.to_hex(),
        **{name: getattr(arguments, name) for name in names if hasattr(arguments, name)},
    }


def picture(models: Models, codes: CodeGrid) -> Tensor:
    """The sprites, `b 4 h w`."""
    return join_alpha(*decode(models.coder, codes))
