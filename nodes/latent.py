"""The nodes that draw sprites from latents: "DCGAN Sample" and "VAE Sample"."""

# ComfyUI's base methods take **kwargs, and each node names its own inputs.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

import torch

from ..pixel_models.checkpoint import LoadedModel
from ..pixel_models.generate.labels import parse_labels
from ..pixel_models.latents import SHARES, Share, dcgan_of, draw_sprites, vae_of
from ..pixel_models.latents.networks import Network
from ..pixel_models.palette import IndexedImage, Palette
from ._art import art_output, check_choices
from ._comfy import io
from ._drawing import CATEGORY, count_input, labels_output, labels_text, seed_input, sprite_outputs, temperature_input
from ._latents import DCGAN_TOOLTIP, TEMPERATURE_TOOLTIP, VAE_TOOLTIP, asked_input, decided_inputs, run_latents
from ._types import PixelModel


class DCGANSampleNode(io.ComfyNode):
    """New sprites of a DCGAN."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnDCGANSample",
            display_name="DCGAN Sample",
            category=CATEGORY,
            description="Draws new sprites with a DCGAN, all in one step: whatever comes, or what labels ask for.",
            is_output_node=True,  # so that the result shows with nothing connected behind, and again when it is cached
            inputs=[
                PixelModel.Input("model", tooltip=DCGAN_TOOLTIP),
                asked_input("a line for each sprite, again from the first when they end"),
                count_input(),
                seed_input("Which sprites come"),
                temperature_input(TEMPERATURE_TOOLTIP),
                *decided_inputs(),
            ],
            outputs=[
                *sprite_outputs("The new sprites"),
                labels_output(),
            ],
        )

    @classmethod
    def validate_inputs(cls, palettes: str = SHARES[0]) -> bool | str:
        """Refuse choices that do not exist, before anything runs."""
        return check_choices(palettes=(palettes, SHARES))

    @classmethod
    def execute(
        cls,
        model: LoadedModel,
        labels: str,
        count: int,
        seed: int,
        temperature: float,
        colors: int,
        palettes: Share,
        clean: bool,
        palette: Palette | None = None,
    ) -> io.NodeOutput:
        """One call, convert out."""
        network = dcgan_of(model)
        art = _drawn(network, model, count, seed, temperature, colors, palettes, clean, palette, labels)
        return art_output(art, labels_text(network.config), rgba=True)


class VAESampleNode(io.ComfyNode):
    """New sprites of a VAE."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnVAESample",
            display_name="VAE Sample",
            category=CATEGORY,
            description="Draws new sprites with a VAE, all in one step; they are softer in form than a DCGAN's.",
            is_output_node=True,  # so that the result shows with nothing connected behind, and again when it is cached
            inputs=[
                PixelModel.Input("model", tooltip=VAE_TOOLTIP),
                count_input(),
                seed_input("Which sprites come"),
                temperature_input(TEMPERATURE_TOOLTIP),
                *decided_inputs(),
            ],
            outputs=sprite_outputs("The new sprites"),
        )

    @classmethod
    def validate_inputs(cls, palettes: str = SHARES[0]) -> bool | str:
        """Refuse choices that do not exist, before anything runs."""
        return check_choices(palettes=(palettes, SHARES))

    @classmethod
    def execute(
        cls,
        model: LoadedModel,
        count: int,
        seed: int,
        temperature: float,
        colors: int,
        palettes: Share,
        clean: bool,
        palette: Palette | None = None,
    ) -> io.NodeOutput:
        """One call, convert out."""
        art = _drawn(vae_of(model), model, count, seed, temperature, colors, palettes, clean, palette)
        return art_output(art, rgba=True)


def _drawn(
    network: Network,
    model: LoadedModel,
    count: int,
    seed: int,
    temperature: float,
    colors: int,
    palettes: Share,
    clean: bool,
    palette: Palette | None,
    labels: str = "",
) -> IndexedImage:
    """New sprites of either model."""
    return run_latents(
        network,
        lambda step: draw_sprites(
            model,
            torch.Generator().manual_seed(seed),
            count=count,
            labels=parse_labels(labels),
            temperature=temperature,
            colors=colors,
            palette=palette,
            share=palettes,
            clean=clean,
            callback=step,
        ),
    )
