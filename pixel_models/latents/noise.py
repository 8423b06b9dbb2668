"""Latents from seeds: numbers of N(0, 1), a sprite its own, and the words by which users name seeds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ..errors import PixelModelError

MOST_SEED = 2**63 - 1
MOST_PLACE = 4095
"""Places of a sheet that a `Seed` can name."""

TEMPERATURE_RANGE = (0.0, 4.0)


class Seed(NamedTuple):
    """One sprite of all that can be drawn: as ``7:3``, the fourth that the seed 7 gives."""

    seed: int
    place: int = 0
    """Which of them, from 0."""


def check_temperature(temperature: float) -> None:
    """Refuse a temperature that is none.

    Raises:
        PixelModelError: it is out of range.
    """
    low, high = TEMPERATURE_RANGE
    if not low <= temperature <= high:
        msg = f"temperature is {temperature}, expected {low:g} (the mean of all sprites) to {high:g}; 1 is as learned"
        raise PixelModelError(msg)


def draw_latents(generator: torch.Generator, count: int, size: int, temperature: float = 1.0) -> Tensor:
    """Latents of `count` sprites from N(0, 1), times the temperature.

    Each sprite has a seed of its own, drawn one after another, so what the i-th gets does not depend on how many there
    are.

    Args:
        generator: on the CPU; it goes on by `count` seeds.
        count: sprites, 0 or more.
        size: numbers that the model takes.
        temperature: 1: as learned. Below, sprites are nearer to the mean of all: surer, and more alike; above, wilder.

    Returns:
        `count size`, float32.

    Raises:
        PixelModelError: a temperature out of range.
    """
    check_temperature(temperature)
    seeds = [int(torch.randint(2**62, (), generator=generator)) for _ in range(count)]
    rows = [torch.randn(size, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    return temperature * torch.stack(rows) if rows else torch.zeros(0, size)


def latents_of_seeds(seeds: Sequence[Seed], size: int, temperature: float = 1.0) -> Tensor:
    """Latents of sprites that are named by their seeds: `b size`, those that `draw_latents` gives them.

    Raises:
        PixelModelError: a seed or a temperature out of range.
    """
    rows = [torch.zeros(0, size)]
    for seed, place in seeds:
        if not (0 <= seed <= MOST_SEED and 0 <= place <= MOST_PLACE):
            msg = f"there is no sprite {seed}:{place}; expected a seed from 0 to {MOST_SEED}, and 0 to {MOST_PLACE}"
            raise PixelModelError(msg)
        rows.append(draw_latents(torch.Generator().manual_seed(seed), place + 1, size, temperature)[place:])
    return torch.cat(rows)


def parse_seeds(text: str) -> list[Seed]:
    """Seeds from text, parted by commas, blanks or lines: ``7, 7:3, 12``.

    Raises:
        PixelModelError: a word that is no seed.
    """
    found = []
    for word in re.split(r"[\s,;]+", text.strip()):
        match = re.fullmatch(r"(\d{1,19})(?::(\d{1,4}))?", word, re.ASCII)
        if match is not None:
            found.append(Seed(int(match[1]), int(match[2] or 0)))
        elif word:
            msg = f"{word!r} is no seed; expected numbers such as 7, or 7:3 for the sprite 3 of the seed 7 (from 0)"
            raise PixelModelError(msg)
    return found
