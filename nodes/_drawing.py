"""What the nodes that draw sprites share, whatever draws: inputs, outputs, and the labels of a model as text."""

from __future__ import annotations

from ..pixel_models.generate.labels import Labelled, labels_by_group
from ._art import art_outputs
from ._comfy import io

CATEGORY = "pixel art/sprites"

MOST_SPRITES = 1024
"""Sprites that a node draws at once."""

MOST_SEED = 2**53 - 1
"""The largest whole number that a browser keeps exactly."""


def labels_input(tooltip: str) -> io.String.Input:
    """What is asked for."""
    return io.String.Input(
        "labels", default="", multiline=True, placeholder="creature=humanoid, color=red", tooltip=tooltip
    )


def count_input() -> io.Int.Input:
    """How many sprites."""
    return io.Int.Input(
        "count",
        default=16,
        min=1,
        max=MOST_SPRITES,
        tooltip=f"Sprites to draw (1 to {MOST_SPRITES} times); of more sprites the first stay the same.",
    )


def seed_input(what: str, same: str = "the same") -> io.Int.Input:
    """Chance."""
    return io.Int.Input(
        "seed",
        default=0,
        min=0,
        max=MOST_SEED,
        control_after_generate=True,
        tooltip=f"{what} (0 to {MOST_SEED}); one number gives {same} at all times.",
    )


def temperature_input(tooltip: str, default: float = 1.0) -> io.Float.Input:
    """How far chance goes."""
    return io.Float.Input("temperature", default=default, min=0.0, max=4.0, step=0.05, tooltip=tooltip)


def share_input(name: str, tooltip: str, default: float = 0.5) -> io.Float.Input:
    """A share, 0 to 1."""
    return io.Float.Input(name, default=default, min=0.0, max=1.0, step=0.05, tooltip=tooltip)


def sprite_outputs(what: str) -> list[io.Output]:
    """The first outputs, which `art_output` fills with ``rgba=True``."""
    _, mask, indexed = art_outputs(what)
    sprites = io.Image.Output("result", display_name="sprites", tooltip=f"{what}, as a batch of RGBA pictures.")
    return [sprites, mask, indexed]


def labels_output() -> io.Output:
    """The output that `labels_text` fills."""
    return io.String.Output(
        "labels_of_model",
        display_name="labels",
        tooltip="The labels that the model knows, group by group; empty where it has none.",
    )


def labels_text(config: Labelled) -> str:
    """What a model can be asked for; an empty line between groups, since previews of text join single lines."""
    return "\n\n".join(f"{group}: {', '.join(values)}" for group, values in labels_by_group(config).items())
