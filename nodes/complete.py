"""The node "PixelCNN Complete": what is missing of sprites."""

# ComfyUI's base methods take **kwargs, and each node names its own inputs.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

import torch
from torch import Tensor

from ..pixel_models.checkpoint import LoadedModel
from ..pixel_models.codes import CodeGrid, decode
from ..pixel_models.errors import CodesError
from ..pixel_models.generate import Choice
from ..pixel_models.generate.labels import parse_labels
from ..pixel_models.generate.parts import SIDES, keep_side, keep_some, repeat
from ..pixel_models.generate.sprites import PALETTES, complete_sprites, prior_of
from ..pixel_models.palette import IndexedImage, Palette
from ._art import MASK_TOOLTIP, check_choices, to_rgba
from ._comfy import LiveProgress, io, run_network
from ._drawing import CATEGORY, share_input
from ._parts import outside, prior_codes, series, silhouette, with_kept
from ._priors import (
    MODEL_TOOLTIP,
    asked_input,
    coded_output,
    coded_outputs,
    coder_of,
    drawing_inputs,
    linked_inputs,
    shown_by,
    working,
)
from ._types import PixelCodes, PixelIndexed, PixelModel, image_or

FILL, SILHOUETTE, VARIANTS, BETWEEN = "fill", "silhouette", "variants", "in between"
KEEPS = {f"keep {side}": side for side in SIDES}
ACTIONS = (FILL, *KEEPS, SILHOUETTE, VARIANTS, BETWEEN)

MOST_VARIANTS = 256


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
                share_input(
                    "keep",
                    "For 'keep …': how much of the rows or columns of codes stays (0.0 to 1.0).",
                ),
                share_input(
                    "change",
                    f"For '{VARIANTS}': how many of the codes are drawn anew (0.0 to 1.0).",
                    default=0.3,
                ),
                share_input(
                    "place",
                    f"For '{BETWEEN}': 0 takes codes of image, 1 of other (0.0 to 1.0); with a count above 1 "
                    "the places are spread evenly between.",
                ),
                asked_input(),
                io.Int.Input(
                    "count",
                    default=1,
                    min=1,
                    max=MOST_VARIANTS,
                    tooltip=f"Results for each sprite (1 to {MOST_VARIANTS} times).",
                ),
                *drawing_inputs(),
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
                *linked_inputs(),
            ],
            outputs=coded_outputs("The finished sprites, all results of a sprite one after another"),
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
        coder, live, dice = coder_of(model, vq_model), LiveProgress(), torch.Generator().manual_seed(seed)
        network = prior_of(model, coder)
        given, opaque = prior_codes(coder, image, mask), None
        if action == BETWEEN:
            if other is None:
                msg = f"other is not connected, which {action!r} needs; connect the second sprite, or its codes"
                raise CodesError(msg)
            given, stays = series(given, prior_codes(coder, other, other_mask), count, place, dice)
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
            working(network, len(given), given.indices[0].numel()),
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
                preview=shown_by(live, coder),
            ),
        )
        picture = decode(coder, made)
        if exact and action != BETWEEN and not isinstance(image, CodeGrid):
            picture = with_kept(picture, to_rgba(image, mask).repeat_interleave(count, 0), stays, made.patch)
        return coded_output(picture, made, network, live)
