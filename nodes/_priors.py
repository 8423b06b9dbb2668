"""What the nodes that draw sprites with a PixelCNN share: how codes are drawn, by what, and what is shown of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch
from torch import Tensor

from .. import pixel_models
from ..pixel_models.archs.pixelcnn import PixelCNN
from ..pixel_models.checkpoint import LoadedModel
from ..pixel_models.codes import CodeGrid, decode
from ..pixel_models.errors import CodesError
from ..pixel_models.generate import Choice
from ..pixel_models.generate.sprites import PALETTES, coder_name
from ..pixel_models.palette import index_exactly
from ..pixel_models.spec import Purpose
from ._art import art_output
from ._comfy import LiveProgress, io, model_folders
from ._drawing import labels_input, labels_output, labels_text, seed_input, sprite_outputs, temperature_input
from ._types import PixelCodes, PixelModel, PixelPalette

LIVE_SPRITES = 64
"""Sprites that the picture during a run shows."""

DEFAULTS = Choice()

MODEL_TOOLTIP = "A prior that draws codes, such as kiln-pixelcnn-16 (16x16 pixels) or kiln-pixelcnn-32 (32x32)."


def asked_input() -> io.String.Input:
    """What is asked for."""
    return labels_input(
        "What to draw: names of the model's labels, parted by commas; a line for each sprite, again from the first "
        "when they end. Empty: whatever comes. The labels output lists the names; so does the error for a wrong one."
    )


def drawing_inputs() -> list[io.Input]:
    """How codes are drawn; the same for both nodes."""
    return [
        seed_input("Which sprites come", "the same sprites"),
        temperature_input(
            "How far unlikely codes are tried (0.0 to 4.0): 0 = the likeliest always, 1 = as learned, above 1 wilder.",
            DEFAULTS.temperature,
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


def linked_inputs() -> list[io.Input]:
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


def coded_outputs(what: str) -> list[io.Output]:
    """The outputs that `coded_output` fills."""
    codes = PixelCodes.Output("made", display_name="codes", tooltip="The codes that the sprites stand for.")
    return [*sprite_outputs(what), codes, labels_output()]


def coded_output(
    picture: tuple[Tensor, Tensor], made: CodeGrid, network: PixelCNN, live: LiveProgress
) -> io.NodeOutput:
    """Image, mask, indices, codes and the model's labels, with a sharp preview."""
    live.show(lambda: torch.cat(picture, 1)[:LIVE_SPRITES], always=True)
    return art_output(index_exactly(*picture), made, labels_text(network.config), rgba=True)


def coder_of(prior: LoadedModel, given: LoadedModel | None) -> LoadedModel:
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


def shown_by(live: LiveProgress, coder: LoadedModel) -> Callable[[CodeGrid], None]:
    """A preview that shows the first sprites as they grow."""

    def pictures(codes: CodeGrid) -> Tensor:
        clear = None if codes.transparent is None else codes.transparent[:LIVE_SPRITES]
        first = dataclasses.replace(codes, indices=codes.indices[:LIVE_SPRITES], transparent=clear)
        return torch.cat(decode(coder, first), 1)

    return lambda codes: live.show(lambda: pictures(codes))


def working(network: PixelCNN, sprites: int, places: int) -> int:
    """About the bytes that sampling needs: features of both stacks for every layer, and logits, at every place."""
    config = network.config
    return 4 * min(sprites, 64) * places * (4 * config.width * len(config.dilations) + 2 * config.codes)
