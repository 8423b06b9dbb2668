"""What the package knows about an architecture without building it: `ModelSpec`, `Purpose`, `ModelConfig`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Protocol

from torch import nn

from .errors import CheckpointError


class Purpose(str, Enum):
    """What a network is for; the word that a weight file carries and a loader asks for."""

    PIXELATE = "pixelate"
    DEPIXELATE = "depixelate"
    DISCRIMINATOR = "discriminator"

    TRANSLATE = "translate"
    """A picture to a picture of its size, as CycleGAN's and pix2pix's own generators; which way, its maker knows."""

    ENCODE = "encode"
    """A picture to codes and back."""

    FUSE = "fuse"
    """Two pictures to the codes of one, of a certain model to encode."""

    SAMPLE = "sample"
    """Codes of a certain model to encode, one after another."""

    GENERATE = "generate"
    """Pictures from random numbers."""

    DESCRIBE = "describe"
    """A picture to numbers that say what is in it, by which sets of pictures are compared."""

    def __str__(self) -> str:
        """The bare word, as it stands in files and messages."""
        return self.value


class ModelConfig(Protocol):
    """A frozen dataclass of JSON values that checks itself in `__post_init__`."""

    __dataclass_fields__: Any


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """One architecture: its id, what it is for, and how to build it."""

    id: str
    """Name in weight files and in `REGISTRY`, for example ``native_pixelate``."""

    purpose: Purpose
    """What the network does."""

    config: type[Any]
    """The frozen config dataclass."""

    module: Callable[[Any], nn.Module]
    """Builds the network from its config; weights are random."""

    tiny: Any
    """A config small enough for tests."""

    paper: str = ""
    """Where the architecture is described."""

    def build(self, config: object | None = None) -> nn.Module:
        """Build the network, on CPU, with random weights; `config` defaults to the architecture's own."""
        config = self.config() if config is None else config
        if not isinstance(config, self.config):
            msg = f"{self.id} expects a {self.config.__name__}, got {type(config).__name__}"
            raise CheckpointError(msg)
        return self.module(config)


def config_to_json(config: object) -> str:
    """Write a config dataclass as JSON text; the inverse of `config_from_json`."""
    assert dataclasses.is_dataclass(config)
    assert not isinstance(config, type)
    return json.dumps(dataclasses.asdict(config), sort_keys=True)


def config_from_json(spec: ModelSpec, text: str) -> object:
    """Read a config of `spec` from JSON text.

    Raises:
        CheckpointError: the text is no JSON object, or names fields or values that the config does not know.
    """
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = f"the config of this {spec.id} file is no JSON: {error}"
        raise CheckpointError(msg) from error
    known = {field.name for field in dataclasses.fields(spec.config)}
    if not isinstance(values, Mapping) or not set(values) <= known:
        got = sorted(set(values) - known) if isinstance(values, Mapping) else type(values).__name__
        msg = f"the config of this {spec.id} file holds {got}; expected only {sorted(known)}. Update the pack?"
        raise CheckpointError(msg)
    tuples = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    try:
        return spec.config(**tuples)
    except (TypeError, ValueError) as error:
        msg = f"the config of this {spec.id} file does not fit: {error}"
        raise CheckpointError(msg) from error
