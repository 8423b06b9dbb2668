"""The node "PixelCNN Sample": new sprites, drawn code after code."""

# ComfyUI's base methods take **kwargs, and each node names its own inputs.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

import torch

from ..pixel_models.checkpoint import LoadedModel
from ..pixel_models.codes import decode
from ..pixel_models.codes.table import table_of
from ..pixel_models.generate import Choice
from ..pixel_models.generate.labels import parse_labels
from ..pixel_models.generate.sprites import MOST_PIXELS, PALETTES, prior_of, sample_sprites
from ..pixel_models.palette import Palette
from ._art import check_choices
from ._comfy import LiveProgress, io, run_network
from ._drawing import CATEGORY, count_input
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
from ._types import PixelModel


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
                asked_input(),
                count_input(),
                *drawing_inputs(),
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
                *linked_inputs(),
            ],
            outputs=coded_outputs("The new sprites"),
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
        coder, live = coder_of(model, vq_model), LiveProgress()
        network = prior_of(model, coder)
        side, patch = network.config.size or 16, table_of(coder).patch
        made = run_network(
            network,
            working(network, count, (-(-height // patch) or side) * (-(-width // patch) or side)),
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
                preview=shown_by(live, coder),
            ),
        )
        return coded_output(decode(coder, made), made, network, live)
