"""The node "Fuse Sprites": two sprites made one."""

# ComfyUI's base methods take **kwargs, and each node names its own inputs.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

import torch
from torch import Tensor

from ..pixel_models.checkpoint import LoadedModel
from ..pixel_models.latents import FUSE_HOWS, SHARES, FuseHow, Share, fuse_sprites, generator_of
from ..pixel_models.latents.fuse import MOST_RESULTS
from ..pixel_models.palette import IndexedImage, Palette
from ._art import MASK_TOOLTIP, art_output, check_choices, to_rgba
from ._comfy import io
from ._drawing import CATEGORY, seed_input, share_input, sprite_outputs, temperature_input
from ._latents import clean_input, colors_input, palette_input, palettes_input, run_latents
from ._types import PixelIndexed, PixelModel, image_or


class FuseSpritesNode(io.ComfyNode):
    """Two sprites made one."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnFuseSprites",
            display_name="Fuse Sprites",
            category=CATEGORY,
            description="Makes one sprite of two: what both are, weighed, or parts of one in the other.",
            is_output_node=True,  # so that the result shows with nothing connected behind, and again when it is cached
            inputs=[
                image_or(
                    "first", PixelIndexed, tooltip="Sprites at their own size, one pixel a cell; a batch, or one."
                ),
                image_or("second", PixelIndexed, tooltip="As many other sprites, or one for all."),
                PixelModel.Input(
                    "model", tooltip="A VAE such as kiln-vae, or a DCGAN, for sprites such as it could have drawn."
                ),
                io.Combo.Input(
                    "how",
                    options=list(FUSE_HOWS),
                    default=FUSE_HOWS[0],
                    tooltip="'blend' is the weighted mean of both; 'mix' takes some numbers of the first from the "
                    "second.",
                ),
                share_input(
                    "share", "How many times the whole the second counts (0.0 to 1.0): 0 = the first alone, 1 = it."
                ),
                io.Int.Input(
                    "count",
                    default=1,
                    min=1,
                    max=MOST_RESULTS,
                    tooltip=f"Results for each pair (1 to {MOST_RESULTS} times); of more the first stay the same.",
                ),
                seed_input("Which results come"),
                temperature_input("How many times as far from what is surest as learned (0.0 to 4.0): 0 = the surest."),
                colors_input("of a sprite", none="those of the two sprites"),
                palettes_input(),
                clean_input(),
                io.Mask.Input("first_mask", optional=True, tooltip=MASK_TOOLTIP),
                io.Mask.Input(
                    "second_mask", optional=True, tooltip="The second sprites' transparency (1 = transparent)."
                ),
                palette_input(),
            ],
            outputs=sprite_outputs("The fused sprites, all results of a pair one after another"),
        )

    @classmethod
    def validate_inputs(cls, how: str = FUSE_HOWS[0], palettes: str = SHARES[0]) -> bool | str:
        """Refuse choices that do not exist, before anything runs."""
        return check_choices(how=(how, FUSE_HOWS), palettes=(palettes, SHARES))

    @classmethod
    def execute(
        cls,
        first: Tensor | IndexedImage,
        second: Tensor | IndexedImage,
        model: LoadedModel,
        how: FuseHow,
        share: float,
        count: int,
        seed: int,
        temperature: float,
        colors: int,
        palettes: Share,
        clean: bool,
        first_mask: Tensor | None = None,
        second_mask: Tensor | None = None,
        palette: Palette | None = None,
    ) -> io.NodeOutput:
        """Convert in, one call, convert out."""
        network = generator_of(model)
        pair = [to_rgba(one, mask).float().cpu() for one, mask in ((first, first_mask), (second, second_mask))]
        art = run_latents(
            network,
            lambda step: fuse_sprites(
                model,
                pair[0],
                pair[1],
                torch.Generator().manual_seed(seed),
                how=how,
                share=share,
                count=count,
                temperature=temperature,
                colors=colors,
                palette=palette,
                sharing=palettes,
                clean=clean,
                callback=step,
            ),
        )
        return art_output(art, rgba=True)
