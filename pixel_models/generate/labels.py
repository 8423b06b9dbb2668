"""What a model can be asked for: names of labels to the vector that it takes."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Protocol

import torch
from torch import Tensor

from ..errors import LabelError


class Labelled(Protocol):
    """A config of a model that can be asked for something: a PixelCNN's, a DCGAN's."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Names, ``group=value``, in the order of the vector."""
        ...


def parse_labels(text: str) -> list[list[str]]:
    """Lists of names from text: a line for each picture, names in it parted by commas; empty lines ask for nothing.

    The text as a whole may be empty: no lists.
    """
    lines = text.strip().splitlines()
    return [[part.strip() for part in line.replace(";", ",").split(",") if part.strip()] for line in lines]


def labels_by_group(config: Labelled) -> dict[str, list[str]]:
    """A model's values by group, in its own order: ``{"creature": ["humanoid", ...], "color": [...]}``."""
    found: dict[str, list[str]] = {}
    for name in config.labels:
        group, _, value = name.rpartition("=")
        found.setdefault(group or "label", []).append(value)
    return found


def find_label(config: Labelled, name: str) -> int:
    """The place of a label: ``creature=dragon``, or ``dragon`` where no other group has one too; case is ignored.

    Raises:
        LabelError: the model has no such label, or more than one; says which there are.
    """
    wanted = "=".join(part.strip() for part in name.lower().split("="))
    lower = [label.lower() for label in config.labels]
    if wanted in lower:
        return lower.index(wanted)
    places = [index for index, label in enumerate(lower) if label.rpartition("=")[2] == wanted]
    if len(places) == 1:
        return places[0]
    if places:
        msg = f"{name!r} is not clear, got {' and '.join(config.labels[index] for index in places)}; write one of these"
        raise LabelError(msg)
    near = difflib.get_close_matches(wanted, [*lower, *(label.rpartition("=")[2] for label in lower)], 1, 0.6)
    guess = f"; did you mean {near[0]}?" if near else ";"
    listed = "; ".join(f"{group}={', '.join(values)}" for group, values in labels_by_group(config).items())
    msg = f"this model has no label {name!r}{guess} it has {listed or 'none: leave labels empty'}"
    raise LabelError(msg)


def label_vector(config: Labelled, names: Iterable[str]) -> Tensor:
    """The vector that asks for some labels.

    Args:
        config: of the model.
        names: such as ``creature=dragon``; none: whatever comes.

    Returns:
        `k`, float32, 1 for each name; empty for a model without labels.

    Raises:
        LabelError: the model has no such label; says which there are.
    """
    vector = torch.zeros(len(config.labels))
    for name in names:
        vector[find_label(config, name)] = 1
    return vector


def label_vectors(config: Labelled, names: Sequence[Sequence[str]], count: int) -> Tensor:
    """Vectors for pictures, one list of names each, again from the first list when they end.

    Args:
        config: of the model.
        names: lists of labels; none: whatever comes.
        count: pictures.

    Returns:
        `count k`, float32.

    Raises:
        LabelError: the model has no such label.
    """
    vectors = [label_vector(config, one) for one in names] or [label_vector(config, ())]
    return torch.stack([vectors[index % len(vectors)] for index in range(count)])
