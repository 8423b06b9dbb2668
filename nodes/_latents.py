"""What the nodes for sprites from latents share: tooltips, inputs, and how they run a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..pixel_models.latents import DEFAULT_COLORS, SHARES
from ..pixel_models.latents.networks import AT_ONCE, Network
from ..pixel_models.sampling import StepCallback
from ._comfy import LiveProgress, io, run_network
from ._drawing import labels_input
from ._types import PixelPalette

T = TypeVar("T")

DCGAN_TOOLTIP = "A DCGAN, such as kiln-dcgan (32x32 pixels), or one of your own training."
VAE_TOOLTIP = "A VAE, such as kiln-vae (32x32 pixels), or one of your own training."
TEMPERATURE_TOOLTIP = (
    "How many times as far from the mean of all as learned (0.0 to 4.0 times): below 1 surer, more alike."
)


def asked_input(lines: str, begins: str = "What") -> io.String.Input:
    """What a DCGAN is asked for."""
    return labels_input(
        f"{begins} to draw, names of the model's labels parted by commas; {lines}. Empty: whatever comes. The error "
        "for a wrong name lists them."
    )


def colors_input(of: str, none: str = "as the network gives them") -> io.Int.Input:
    """How many colours."""
    return io.Int.Input(
        "colors",
        default=DEFAULT_COLORS,
        min=0,
        max=256,
        tooltip=f"The most colours {of} (0 to 256 colours); 0 = {none}. Not used where a palette is connected.",
    )


def palettes_input() -> io.Combo.Input:
    """Whose colours they are."""
    return io.Combo.Input(
        "palettes",
        options=list(SHARES),
        default=SHARES[0],
        tooltip="Whether each sprite gets colours of its own, or all together the same.",
    )


def clean_input() -> io.Boolean.Input:
    """Whether pictures are tidied."""
    return io.Boolean.Input(
        "clean",
        default=True,
        tooltip="On: specks beside the sprite, holes of one pixel, texture and stray pixels go. Off: they stay.",
    )


def palette_input() -> io.Input:
    """Given colours."""
    return PixelPalette.Input("palette", optional=True, tooltip="Colours that alone occur, instead of colors.")


def decided_inputs() -> list[io.Input]:
    """How pictures become pixel art, for the nodes that draw new sprites."""
    return [colors_input("of a sprite"), palettes_input(), clean_input(), palette_input()]


def run_latents(network: Network, work: Callable[[StepCallback], T]) -> T:
    """Do what takes a callback with a network on ComfyUI's device, showing progress and hearing a cancel."""
    live, config = LiveProgress(), network.config
    # About twice the features at full size, for as many as go through at once.
    working = 4 * AT_ONCE * config.size**2 * 2 * (config.filters + config.channels)
    return run_network(network, working, lambda: work(live.step))
