"""The nodes for sprites from latents: "DCGAN Sample", "VAE Sample", "Latent Walk", "Fuse Sprites"."""

# ComfyUI's base methods take **kwargs, and each node names its own inputs.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

import torch
from torch import Tensor

from ..pixel_models.animation import DURATION_RANGE, EASINGS, Easing
from ..pixel_models.checkpoint import LoadedModel
from ..pixel_models.errors import PixelModelError
from ..pixel_models.generate.labels import labels_by_group, parse_labels
from ..pixel_models.latents import (
    DEFAULT_COLORS,
    FUSE_HOWS,
    MOST_FRAMES,
    SHARES,
    WAYS,
    FuseHow,
    Share,
    Way,
    dcgan_of,
    draw_sprites,
    fuse_sprites,
    generator_of,
    latent_size,
    latents_of_seeds,
    parse_seeds,
    plan_walk,
    sprite_keys,
    vae_of,
    walk_frames,
)
from ..pixel_models.latents.fuse import MOST_RESULTS
from ..pixel_models.latents.networks import AT_ONCE, Network
from ..pixel_models.palette import IndexedImage, Palette
from ..pixel_models.sheets import SpriteSheet
from ._art import MASK_TOOLTIP, art_output, art_outputs, check_choices, to_rgba, to_sprites
from ._comfy import LiveProgress, io, run_network
from ._types import PixelIndexed, PixelModel, PixelPalette, PixelSprites, image_or

MOST_SPRITES = 1024
"""Sprites that a node draws at once."""

CATEGORY = "pixel art/sprites"
DCGAN_TOOLTIP = "A DCGAN, such as kiln-dcgan (32x32 pixels), or one of your own training."
VAE_TOOLTIP = "A VAE, such as kiln-vae (32x32 pixels), or one of your own training."


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
                _labels_input("a line for each sprite, again from the first when they end"),
                _count_input(),
                _seed_input("Which sprites come"),
                _temperature_input(),
                *_decided_inputs(),
            ],
            outputs=[
                *_sprite_outputs("The new sprites"),
                io.String.Output(
                    "labels_of_model",
                    display_name="labels",
                    tooltip="The labels that the model knows, group by group; empty where it has none.",
                ),
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
        live = LiveProgress()
        art = run_network(
            network,
            _working(network),
            lambda: draw_sprites(
                model,
                torch.Generator().manual_seed(seed),
                count=count,
                labels=parse_labels(labels),
                temperature=temperature,
                colors=colors,
                palette=palette,
                share=palettes,
                clean=clean,
                callback=live.step,
            ),
        )
        known = (f"{group}: {', '.join(values)}" for group, values in labels_by_group(network.config).items())
        # Previews of text join single lines.
        return art_output(art, "\n\n".join(known), rgba=True)


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
                _count_input(),
                _seed_input("Which sprites come"),
                _temperature_input(),
                *_decided_inputs(),
            ],
            outputs=_sprite_outputs("The new sprites"),
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
        network = vae_of(model)
        live = LiveProgress()
        art = run_network(
            network,
            _working(network),
            lambda: draw_sprites(
                model,
                torch.Generator().manual_seed(seed),
                count=count,
                temperature=temperature,
                colors=colors,
                palette=palette,
                share=palettes,
                clean=clean,
                callback=live.step,
            ),
        )
        return art_output(art, rgba=True)


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
                    "model", tooltip="A VAE such as kiln-vae, or a DCGAN such as kiln-dcgan; sprites need a VAE."
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
                _labels_input("a line for each seed, and on the way they change", "For a DCGAN with labels: what"),
                _seed_input("What is drawn for 'circle' and 'wander'"),
                _temperature_input(),
                _colors_input("in all frames together"),
                _clean_input(),
                image_or(
                    "sprites",
                    PixelIndexed,
                    PixelSprites,
                    optional=True,
                    tooltip="Sprites at their own size to walk through, instead of seeds; for a VAE.",
                ),
                io.Mask.Input("mask", optional=True, tooltip=MASK_TOOLTIP),
                _palette_input(),
            ],
            outputs=[
                *_sprite_outputs("The frames"),
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
        network, live = generator_of(model), LiveProgress()
        given = None if sprites is None else [frame.rgba for frame in to_sprites(sprites, mask).frames]

        def walk() -> tuple[IndexedImage, bool]:
            if given is not None:
                keys = sprite_keys(model, given)
            else:
                named = [] if way == "wander" else parse_seeds(seeds)
                keys = latents_of_seeds(named, latent_size(model), temperature)
            route = plan_walk(
                model,
                keys,
                torch.Generator().manual_seed(seed),
                way=way,
                frames=frames,
                loop=loop,
                easing=easing,
                labels=parse_labels(labels),
                temperature=temperature,
            )
            made = walk_frames(model, route, colors=colors, palette=palette, clean=clean, callback=live.step)
            return made, route.loop

        art, closed = run_network(network, _working(network), walk)
        return art_output(art, _film(art, duration, closed), rgba=True)


class FuseSpritesNode(io.ComfyNode):
    """Two sprites made one."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnFuseSprites",
            display_name="Fuse Sprites",
            category=CATEGORY,
            description="Makes one sprite of two with a VAE: what both are, weighed, or parts of one in the other.",
            is_output_node=True,  # so that the result shows with nothing connected behind, and again when it is cached
            inputs=[
                image_or(
                    "first", PixelIndexed, tooltip="Sprites at their own size, one pixel a cell; a batch, or one."
                ),
                image_or("second", PixelIndexed, tooltip="As many other sprites, or one for all."),
                PixelModel.Input("model", tooltip=VAE_TOOLTIP),
                io.Combo.Input(
                    "how",
                    options=list(FUSE_HOWS),
                    default=FUSE_HOWS[0],
                    tooltip="'blend' is the weighted mean of both; 'mix' takes some numbers of the first from the "
                    "second.",
                ),
                io.Float.Input(
                    "share",
                    default=0.5,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    tooltip="How many times the whole the second counts (0.0 to 1.0): 0 = the first alone, 1 = it.",
                ),
                io.Int.Input(
                    "count",
                    default=1,
                    min=1,
                    max=MOST_RESULTS,
                    tooltip=f"Results for each pair (1 to {MOST_RESULTS} times); of more the first stay the same.",
                ),
                _seed_input("Which results come"),
                _temperature_input(
                    "How many times as far from what is surest as learned (0.0 to 4.0): 0 = the surest."
                ),
                _colors_input("of a sprite", none="those of the two sprites"),
                _share_input(),
                _clean_input(),
                io.Mask.Input("first_mask", optional=True, tooltip=MASK_TOOLTIP),
                io.Mask.Input(
                    "second_mask", optional=True, tooltip="The second sprites' transparency (1 = transparent)."
                ),
                _palette_input(),
            ],
            outputs=_sprite_outputs("The fused sprites, all results of a pair one after another"),
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
        network, live = vae_of(model, "fusing"), LiveProgress()
        pair = [to_rgba(one, mask).float().cpu() for one, mask in ((first, first_mask), (second, second_mask))]
        art = run_network(
            network,
            _working(network),
            lambda: fuse_sprites(
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
                callback=live.step,
            ),
        )
        return art_output(art, rgba=True)


def _labels_input(lines: str, begins: str = "What") -> io.String.Input:
    return io.String.Input(
        "labels",
        default="",
        multiline=True,
        placeholder="creature=humanoid, color=red",
        tooltip=f"{begins} to draw, names of the model's labels parted by commas; {lines}. Empty: whatever comes. The "
        "error for a wrong name lists them.",
    )


def _count_input() -> io.Int.Input:
    return io.Int.Input(
        "count",
        default=16,
        min=1,
        max=MOST_SPRITES,
        tooltip=f"Sprites to draw (1 to {MOST_SPRITES} times); of more sprites the first stay the same.",
    )


def _seed_input(what: str) -> io.Int.Input:
    return io.Int.Input(
        "seed",
        default=0,
        min=0,
        max=9007199254740991,
        control_after_generate=True,
        tooltip=f"{what} (0 to 9007199254740991); one number gives the same at all times.",
    )


def _temperature_input(
    told: str = "How many times as far from the mean of all as learned (0.0 to 4.0 times): below 1 surer, more alike.",
) -> io.Float.Input:
    return io.Float.Input("temperature", default=1.0, min=0.0, max=4.0, step=0.05, tooltip=told)


def _colors_input(of: str, none: str = "as the network gives them") -> io.Int.Input:
    return io.Int.Input(
        "colors",
        default=DEFAULT_COLORS,
        min=0,
        max=256,
        tooltip=f"The most colours {of} (0 to 256 colours); 0 = {none}. Not used where a palette is connected.",
    )


def _share_input() -> io.Combo.Input:
    return io.Combo.Input(
        "palettes",
        options=list(SHARES),
        default=SHARES[0],
        tooltip="Whether each sprite gets colours of its own, or all together the same.",
    )


def _clean_input() -> io.Boolean.Input:
    return io.Boolean.Input(
        "clean",
        default=True,
        tooltip="On: specks beside the sprite, holes of one pixel, texture and stray pixels go. Off: they stay.",
    )


def _palette_input() -> io.Input:
    return PixelPalette.Input("palette", optional=True, tooltip="Colours that alone occur, instead of colors.")


def _decided_inputs() -> list[io.Input]:
    """How pictures become pixel art, for the nodes that draw new sprites."""
    return [_colors_input("of a sprite"), _share_input(), _clean_input(), _palette_input()]


def _sprite_outputs(what: str) -> list[io.Output]:
    """The outputs that `art_output` fills."""
    _, mask, indexed = art_outputs(what)
    return [
        io.Image.Output("result", display_name="sprites", tooltip=f"{what}, as a batch of RGBA pictures."),
        mask,
        indexed,
    ]


def _film(art: IndexedImage, duration: int, loop: bool) -> SpriteSheet:
    """The frames with names and times."""
    frames = SpriteSheet.of_batch(art.to_rgba(), duration=duration).frames
    return SpriteSheet(frames=frames, loop=0 if loop else 1)


def _working(network: Network) -> int:
    """About the bytes that making sprites needs: twice the features at full size, for as many as go through at once."""
    config = network.config
    return 4 * AT_ONCE * config.size**2 * 2 * (config.filters + config.channels)
