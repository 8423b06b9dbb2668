"""The node "Latent Walk": sprites that turn into each other."""

# ComfyUI's base methods take **kwargs, and each node names its own inputs.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

import torch
from torch import Tensor

from ..pixel_models.animation import DURATION_RANGE, EASINGS, Easing
from ..pixel_models.checkpoint import LoadedModel
from ..pixel_models.errors import PixelModelError
from ..pixel_models.generate.labels import parse_labels
from ..pixel_models.latents import MOST_FRAMES, WAYS, Way, draw_walk, generator_of, parse_seeds
from ..pixel_models.palette import IndexedImage, Palette
from ..pixel_models.sheets import SpriteSheet
from ._art import MASK_TOOLTIP, art_output, check_choices, to_sprites
from ._comfy import io
from ._drawing import CATEGORY, seed_input, sprite_outputs, temperature_input
from ._latents import TEMPERATURE_TOOLTIP, asked_input, clean_input, colors_input, palette_input, run_latents
from ._types import PixelIndexed, PixelModel, PixelSprites, image_or


class LatentWalkNode(io.ComfyNode):
    """Sprites that turn into each other."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnLatentWalk",
            display_name="Latent Walk",
            category=CATEGORY,
            description=(
                "An animation of sprites that turn into each other: through given sprites, through seeds, round a "
                "circle or on a random loop, in one palette, without flicker."
            ),
            is_output_node=True,  # so that the result shows with nothing connected behind, and again when it is cached
            inputs=[
                PixelModel.Input(
                    "model",
                    tooltip="A VAE such as kiln-vae, the better one for given sprites, or a DCGAN such as kiln-dcgan.",
                ),
                io.Combo.Input(
                    "way",
                    options=list(WAYS),
                    default=WAYS[0],
                    tooltip="'spherical' and 'linear' go from one to the next; 'circle' is a loop through one or two "
                    "and their opposites; 'wander' a random loop of its own, without seeds and sprites.",
                ),
                io.String.Input(
                    "seeds",
                    default="1, 2, 3",
                    placeholder="7, 7:3, 12",
                    tooltip="Which drawn sprites to walk through, parted by commas: the seeds of a Sample node; 7:3 is "
                    "the sprite 3 of the seed 7, counted from 0. Not used where sprites are connected, or to wander.",
                ),
                io.Int.Input(
                    "frames",
                    default=24,
                    min=1,
                    max=MOST_FRAMES,
                    tooltip=f"How many times the walk is drawn (1 to {MOST_FRAMES} frames), at least once a key.",
                ),
                io.Int.Input(
                    "duration",
                    default=100,
                    min=DURATION_RANGE[0],
                    max=DURATION_RANGE[1],
                    tooltip="How long a frame is shown ({} to {} milliseconds).".format(*DURATION_RANGE),
                ),
                io.Boolean.Input(
                    "loop",
                    default=True,
                    tooltip="On: the last leads back to the first. Off: it ends there. 'circle' and 'wander' close.",
                ),
                io.Combo.Input(
                    "easing",
                    options=list(EASINGS),
                    default="linear",
                    tooltip="How the way from one to the next runs: 'linear' is even, 'smooth' lingers at the sprites.",
                ),
                asked_input("a line for each seed, and on the way they change", "For a DCGAN with labels: what"),
                seed_input("What is drawn for 'circle' and 'wander', and where a DCGAN looks for sprites"),
                temperature_input(TEMPERATURE_TOOLTIP),
                colors_input("in all frames together"),
                clean_input(),
                image_or(
                    "sprites",
                    PixelIndexed,
                    PixelSprites,
                    optional=True,
                    tooltip="Sprites at their own size to walk through, instead of seeds; a DCGAN takes such as it "
                    "could have drawn.",
                ),
                io.Mask.Input("mask", optional=True, tooltip=MASK_TOOLTIP),
                palette_input(),
            ],
            outputs=[
                *sprite_outputs("The frames"),
                PixelSprites.Output(
                    "frames_with_times", display_name="frames", tooltip="The frames with names and their times."
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, way: str = WAYS[0], easing: str = EASINGS[0], seeds: str = "") -> bool | str:
        """Refuse choices that do not exist and seeds that are none, before anything runs."""
        try:
            parse_seeds(seeds)
        except PixelModelError as error:
            return str(error)
        return check_choices(way=(way, WAYS), easing=(easing, EASINGS))

    @classmethod
    def execute(
        cls,
        model: LoadedModel,
        way: Way,
        seeds: str,
        frames: int,
        duration: int,
        loop: bool,
        easing: Easing,
        labels: str,
        seed: int,
        temperature: float,
        colors: int,
        clean: bool,
        sprites: Tensor | IndexedImage | SpriteSheet | None = None,
        mask: Tensor | None = None,
        palette: Palette | None = None,
    ) -> io.NodeOutput:
        """Keys, a way, frames."""
        network = generator_of(model)
        given = [] if sprites is None else [frame.rgba for frame in to_sprites(sprites, mask).frames]
        named = [] if given or way == "wander" else parse_seeds(seeds)
        art, closed = run_latents(
            network,
            lambda step: draw_walk(
                model,
                torch.Generator().manual_seed(seed),
                seeds=named,
                sprites=given,
                way=way,
                frames=frames,
                loop=loop,
                easing=easing,
                labels=parse_labels(labels),
                temperature=temperature,
                colors=colors,
                palette=palette,
                clean=clean,
                callback=step,
            ),
        )
        return art_output(art, _film(art, duration, closed), rgba=True)


def _film(art: IndexedImage, duration: int, loop: bool) -> SpriteSheet:
    """The frames with names and times."""
    frames = SpriteSheet.of_batch(art.to_rgba(), duration=duration).frames
    return SpriteSheet(frames=frames, loop=0 if loop else 1)
