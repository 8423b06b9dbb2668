"""The nodes that draw sprites with a PixelCNN: "PixelCNN Sample" and "PixelCNN Complete"."""

# ComfyUI's base methods take **kwargs, and each node names its own inputs.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch
from torch import Tensor

from .. import pixel_models
from ..pixel_models.archs.pixelcnn import PixelCNN
from ..pixel_models.checkpoint import LoadedModel
from ..pixel_models.codes import CodeGrid, decode
from ..pixel_models.codes.table import table_of
from ..pixel_models.errors import CodesError
from ..pixel_models.generate import Choice
from ..pixel_models.generate.labels import labels_by_group, parse_labels
from ..pixel_models.generate.parts import SIDES, keep_side, keep_some, repeat
from ..pixel_models.generate.sprites import (
    MOST_PIXELS,
    PALETTES,
    coder_name,
    complete_sprites,
    prior_of,
    sample_sprites,
)
from ..pixel_models.palette import IndexedImage, Palette, index_exactly
from ..pixel_models.spec import Purpose
from ._art import MASK_TOOLTIP, art_output, art_outputs, check_choices, to_rgba
from ._comfy import LiveProgress, io, model_folders, run_network
from ._parts import codes_of, outside, series, silhouette, with_kept
from ._types import PixelCodes, PixelIndexed, PixelModel, PixelPalette, image_or

FILL, SILHOUETTE, VARIANTS, BETWEEN = "fill", "silhouette", "variants", "in between"
KEEPS = {f"keep {side}": side for side in SIDES}
ACTIONS = (FILL, *KEEPS, SILHOUETTE, VARIANTS, BETWEEN)

MOST_SPRITES = 1024
MOST_VARIANTS = 256
LIVE_SPRITES = 64
"""Sprites that the picture during a run shows."""

DEFAULTS = Choice()

CATEGORY = "pixel art/sprites"
MODEL_TOOLTIP = "A prior that draws codes, such as kiln-pixelcnn-16 (16x16 pixels) or kiln-pixelcnn-32 (32x32)."


class PixelCNNSampleNode(io.ComfyNode):
    """New sprites."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnPixelCNNSample",
            display_name="PixelCNN Sample",
            category=CATEGORY,
            description=(
                "Draws new sprites with a PixelCNN, code after code in reading order: whatever comes, or what labels "
                "ask for. The node shows them as they grow."
            ),
            is_output_node=True,  # so that the result shows with nothing connected behind, and again when it is cached
            inputs=[
                PixelModel.Input("model", tooltip=MODEL_TOOLTIP),
                _labels_input(),
                io.Int.Input(
                    "count",
                    default=16,
                    min=1,
                    max=MOST_SPRITES,
                    tooltip=f"Sprites to draw (1 to {MOST_SPRITES} times); of more sprites the first stay the same.",
                ),
                *_drawing_inputs(),
                *[
                    io.Int.Input(
                        name,
                        default=0,
                        min=0,
                        max=MOST_PIXELS,
                        tooltip=f"{name.capitalize()} of the sprites (0 to {MOST_PIXELS} pixels); 0 = as the model was "
                        "trained, other sizes look less like what it learned.",
                    )
                    for name in ("width", "height")
                ],
                *_linked_inputs(),
            ],
            outputs=_sprite_outputs("The new sprites"),
        )

    @classmethod
    def validate_inputs(cls, palettes: str = PALETTES[0]) -> bool | str:
        """Refuse choices that do not exist, before anything runs."""
        return check_choices(palettes=(palettes, PALETTES))

    @classmethod
    def execute(
        cls,
        model: LoadedModel,
        labels: str,
        count: int,
        seed: int,
        temperature: float,
        top_p: float,
        top_k: int,
        guidance: float,
        palettes: str,
        width: int,
        height: int,
        palette: Palette | None = None,
        vq_model: LoadedModel | None = None,
    ) -> io.NodeOutput:
        """One call, convert out."""
        coder, live = _coder(model, vq_model), LiveProgress()
        network = prior_of(model, coder)
        side, patch = network.config.size or 16, table_of(coder).patch
        made = run_network(
            network,
            _working(network, count, (-(-height // patch) or side) * (-(-width // patch) or side)),
            lambda: sample_sprites(
                model,
                coder,
                torch.Generator().manual_seed(seed),
                labels=parse_labels(labels),
                count=count,
                height=height,
                width=width,
                palette=palettes if palette is None else palette,
                choice=Choice(temperature=temperature, top_p=top_p, top_k=top_k, guidance=guidance),
                callback=live.step,
                preview=_shown_by(live, coder),
            ),
        )
        return _sprite_output(decode(coder, made), made, network, live)


class PixelCNNCompleteNode(io.ComfyNode):
    """What is missing of sprites."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnPixelCNNComplete",
            display_name="PixelCNN Complete",
            category=CATEGORY,
            description=(
                "Lets a PixelCNN finish sprites: fill what is missing, go on from a half, draw into a silhouette, vary "
                "a sprite, or find sprites between two."
            ),
            is_output_node=True,  # so that the result shows with nothing connected behind, and again when it is cached
            inputs=[
                image_or(
                    "image", PixelIndexed, PixelCodes, tooltip="Sprites at their own size, one pixel a cell; or codes."
                ),
                PixelModel.Input("model", tooltip=MODEL_TOOLTIP),
                io.Combo.Input(
                    "action",
                    options=list(ACTIONS),
                    default=ACTIONS[0],
                    tooltip=f"'{FILL}' draws where fill is, or all that is transparent; 'keep …' goes on from that "
                    f"part; '{SILHOUETTE}' draws all anew, opaque inside fill or inside the image's own outline; "
                    f"'{VARIANTS}' draws some places anew; '{BETWEEN}' mixes image and other, and draws the rest.",
                ),
                io.Float.Input(
                    "keep",
                    default=0.5,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    tooltip="For 'keep …': how much of the rows or columns of codes stays (0.0 to 1.0).",
                ),
                io.Float.Input(
                    "change",
                    default=0.3,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    tooltip=f"For '{VARIANTS}': how many of the codes are drawn anew (0.0 to 1.0).",
                ),
                io.Float.Input(
                    "place",
                    default=0.5,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    tooltip=f"For '{BETWEEN}': 0 takes codes of image, 1 of other (0.0 to 1.0); with a count above 1 "
                    "the places are spread evenly between.",
                ),
                _labels_input(),
                io.Int.Input(
                    "count",
                    default=1,
                    min=1,
                    max=MOST_VARIANTS,
                    tooltip=f"Results for each sprite (1 to {MOST_VARIANTS} times).",
                ),
                *_drawing_inputs(),
                io.Boolean.Input(
                    "exact",
                    default=True,
                    tooltip="On: kept places of a picture come back pixel for pixel. Off: as their codes show them, in "
                    f"the same colours as what is drawn. Not for '{BETWEEN}'.",
                ),
                io.Mask.Input("mask", optional=True, tooltip=MASK_TOOLTIP),
                io.Mask.Input(
                    "fill",
                    optional=True,
                    tooltip=f"For '{FILL}': what to draw anew; for '{SILHOUETTE}': the silhouette (1 = here). Of any "
                    "size, it is fitted to the sprites.",
                ),
                image_or(
                    "other",
                    PixelIndexed,
                    PixelCodes,
                    optional=True,
                    tooltip=f"For '{BETWEEN}': as many sprites of the same size, or their codes.",
                ),
                io.Mask.Input(
                    "other_mask", optional=True, tooltip="The other sprites' transparency (1 = transparent)."
                ),
                *_linked_inputs(),
            ],
            outputs=_sprite_outputs("The finished sprites, all results of a sprite one after another"),
        )

    @classmethod
    def validate_inputs(cls, action: str = ACTIONS[0], palettes: str = PALETTES[0]) -> bool | str:
        """Refuse choices that do not exist, before anything runs."""
        return check_choices(action=(action, ACTIONS), palettes=(palettes, PALETTES))

    @classmethod
    def execute(
        cls,
        image: Tensor | IndexedImage | CodeGrid,
        model: LoadedModel,
        action: str,
        keep: float,
        change: float,
        place: float,
        labels: str,
        count: int,
        seed: int,
        temperature: float,
        top_p: float,
        top_k: int,
        guidance: float,
        palettes: str,
        exact: bool,
        mask: Tensor | None = None,
        fill: Tensor | None = None,
        other: Tensor | IndexedImage | CodeGrid | None = None,
        other_mask: Tensor | None = None,
        palette: Palette | None = None,
        vq_model: LoadedModel | None = None,
    ) -> io.NodeOutput:
        """What is kept, by the action; then one call, convert out."""
        coder, live, dice = _coder(model, vq_model), LiveProgress(), torch.Generator().manual_seed(seed)
        network = prior_of(model, coder)
        given, opaque = codes_of(coder, image, mask), None
        if action == BETWEEN:
            if other is None:
                msg = f"other is not connected, which {action!r} needs; connect the second sprite, or its codes"
                raise CodesError(msg)
            given, stays = series(given, codes_of(coder, other, other_mask), count, place, dice)
        else:
            given = repeat(given, count)
            stays = torch.zeros_like(given.indices, dtype=torch.bool)
        if action in KEEPS:
            stays = keep_side(given, KEEPS[action], keep)
        elif action == VARIANTS:
            stays = keep_some(given, change, dice)
        elif action == SILHOUETTE:
            opaque = silhouette(coder, given, fill, count)
        elif action == FILL:
            stays = outside(coder, given, fill, count)
        made = run_network(
            network,
            _working(network, len(given), given.indices[0].numel()),
            lambda: complete_sprites(
                model,
                coder,
                given,
                stays,
                dice,
                opaque=opaque,
                labels=parse_labels(labels),
                palette=palettes if palette is None else palette,
                choice=Choice(temperature=temperature, top_p=top_p, top_k=top_k, guidance=guidance),
                callback=live.step,
                preview=_shown_by(live, coder),
            ),
        )
        picture = decode(coder, made)
        if exact and action != BETWEEN and not isinstance(image, CodeGrid):
            picture = with_kept(picture, to_rgba(image, mask).repeat_interleave(count, 0), stays, made.patch)
        return _sprite_output(picture, made, network, live)


def _labels_input() -> io.String.Input:
    return io.String.Input(
        "labels",
        default="",
        multiline=True,
        placeholder="creature=humanoid, color=red",
        tooltip="What to draw: names of the model's labels, parted by commas; a line for each sprite, again from the "
        "first when they end. Empty: whatever comes. The labels output lists the names; so does the error for a wrong "
        "one.",
    )


def _drawing_inputs() -> list[io.Input]:
    """How codes are drawn; the same for both nodes."""
    return [
        io.Int.Input(
            "seed",
            default=0,
            min=0,
            max=9007199254740991,
            control_after_generate=True,
            tooltip="Which sprites come (0 to 9007199254740991); one number gives the same sprites at all times.",
        ),
        io.Float.Input(
            "temperature",
            default=DEFAULTS.temperature,
            min=0.0,
            max=4.0,
            step=0.05,
            tooltip="How far unlikely codes are tried (0.0 to 4.0): 0 = the likeliest always, 1 = as learned, above 1 "
            "wilder.",
        ),
        io.Float.Input(
            "top_p",
            default=DEFAULTS.top_p,
            min=0.01,
            max=1.0,
            step=0.01,
            tooltip="Draw only from the likeliest codes that together are this likely (0.01 to 1.0); 1 = all. Below 1 "
            "less is drawn, since nothing at all is what is likeliest at most places.",
        ),
        io.Int.Input(
            "top_k",
            default=DEFAULTS.top_k,
            min=0,
            max=16384,
            tooltip="Draw only from so many of the likeliest (0 to 16384 codes); 0 = all.",
        ),
        io.Float.Input(
            "guidance",
            default=DEFAULTS.guidance,
            min=0.0,
            max=20.0,
            step=0.1,
            tooltip="How many times as strongly labels count (0.0 to 20.0 times); 1 = as learned, other values take "
            "twice as long.",
        ),
        io.Combo.Input(
            "palettes",
            options=list(PALETTES),
            default=PALETTES[0],
            tooltip="'own': each sprite keeps to the colours of a sprite of the training with such labels, or to those "
            "of its kept part; only some models know any. 'any': all codes.",
        ),
    ]


def _linked_inputs() -> list[io.Input]:
    """What may be left out, for both nodes."""
    return [
        PixelPalette.Input(
            "palette",
            optional=True,
            tooltip="Colours that alone occur, as near as the codes come to them, instead of palettes; for models of "
            "one code a pixel.",
        ),
        PixelModel.Input(
            "vq_model",
            optional=True,
            tooltip="The VQ-VAE whose codes the prior draws. Left out: the one of the pack that it was trained for.",
        ),
    ]


def _sprite_outputs(what: str) -> list[io.Output]:
    """The outputs that `_sprite_output` fills."""
    _, mask, indexed = art_outputs(what)
    return [
        io.Image.Output("result", display_name="sprites", tooltip=f"{what}, as a batch of RGBA pictures."),
        mask,
        indexed,
        PixelCodes.Output("made", display_name="codes", tooltip="The codes that the sprites stand for."),
        io.String.Output(
            "labels_of_model",
            display_name="labels",
            tooltip="The labels that the model knows, group by group; empty where it has none.",
        ),
    ]


def _sprite_output(
    picture: tuple[Tensor, Tensor], made: CodeGrid, network: PixelCNN, live: LiveProgress
) -> io.NodeOutput:
    """Image, mask, indices, codes and the model's labels, with a sharp preview."""
    live.show(lambda: torch.cat(picture, 1)[:LIVE_SPRITES], always=True)
    known = (f"{group}: {', '.join(values)}" for group, values in labels_by_group(network.config).items())
    # Previews of text join single lines.
    return art_output(index_exactly(*picture), made, "\n\n".join(known), rgba=True)


def _coder(prior: LoadedModel, given: LoadedModel | None) -> LoadedModel:
    """The VQ-VAE that is connected, else the shipped one that `prior` belongs to.

    Raises:
        ModelKindError: `prior` is no prior.
        CodesError: it belongs to none of the pack's.
    """
    name = coder_name(prior.require(Purpose.SAMPLE))
    if given is not None:
        return given
    if name is None:
        msg = (
            f"this prior draws codes of the model {getattr(prior.config, 'codes_of', '') or '(unknown)'}, which is "
            "none of the pack's; load the VQ-VAE that it was trained for and connect it to vq_model"
        )
        raise CodesError(msg)
    return pixel_models.load(name, purpose=Purpose.ENCODE, folders=model_folders())


def _shown_by(live: LiveProgress, coder: LoadedModel) -> Callable[[CodeGrid], None]:
    """A preview that shows the first sprites as they grow."""

    def pictures(codes: CodeGrid) -> Tensor:
        clear = None if codes.transparent is None else codes.transparent[:LIVE_SPRITES]
        first = dataclasses.replace(codes, indices=codes.indices[:LIVE_SPRITES], transparent=clear)
        return torch.cat(decode(coder, first), 1)

    return lambda codes: live.show(lambda: pictures(codes))


def _working(network: PixelCNN, sprites: int, places: int) -> int:
    """About the bytes that sampling needs: features of both stacks for every layer, and logits, at every place."""
    config = network.config
    return 4 * min(sprites, 64) * places * (4 * config.width * len(config.dilations) + 2 * config.codes)
