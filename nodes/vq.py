"""The nodes of pictures as codes: "VQ Encode", "VQ Decode", "Recolor"."""

# ComfyUI's base methods take **kwargs, and each node names its own inputs.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

from torch import Tensor

from ..pixel_models.checkpoint import LoadedModel
from ..pixel_models.codes import (
    NEAREST_BYS,
    CodeGrid,
    NearestBy,
    clear_codes,
    code_map,
    code_sheet,
    encode,
    nearest_codes,
    recolor_codes,
)
from ..pixel_models.image import enlarge
from ..pixel_models.palette import IndexedImage, Palette
from ._art import MASK_TOOLTIP, check_choices, is_rgba, to_rgba
from ._codes import MODEL_TOOLTIP, codes_of, picture_output, picture_outputs
from ._comfy import io, nchw_to_image, preview, progress
from ._types import PixelCodes, PixelIndexed, PixelModel, PixelPalette, image_or


def _shown(model: LoadedModel, codes: CodeGrid) -> Tensor:
    """The code map at the picture's size, `b 3 H W`."""
    return enlarge(code_map(model, codes), codes.patch)[..., : codes.height, : codes.width]


class VQEncodeNode(io.ComfyNode):
    """Pictures to codes."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnVQEncode",
            display_name="VQ Encode",
            category="pixel art/codes",
            description=(
                "Turns pixel art into codes of a Pixel VQ-VAE: each stands for one pixel (HiRes), 2x2 (MedRes) or 4x4 "
                "pixels (LowRes). The node shows the map of codes."
            ),
            is_output_node=True,  # so that the map shows with nothing connected behind, and again when it is cached
            inputs=[
                image_or("image", PixelIndexed, tooltip="Pixel art at its own size; RGB, or RGBA with transparency."),
                PixelModel.Input("model", tooltip=MODEL_TOOLTIP),
                io.Combo.Input(
                    "nearest",
                    options=list(NEAREST_BYS),
                    default=NEAREST_BYS[1],
                    tooltip="'picture' takes the codes that look most like the picture, 'features' those that the "
                    "network chooses, as in the paper.",
                ),
                io.Boolean.Input(
                    "keep_alpha",
                    default=True,
                    tooltip="On: the hard transparency travels beside the codes and comes back exactly. Off: the codes "
                    "alone say what is transparent.",
                ),
                io.Mask.Input("mask", optional=True, tooltip=MASK_TOOLTIP),
            ],
            outputs=[
                PixelCodes.Output("codes", display_name="codes", tooltip="The codes, for nodes that edit or decode."),
                io.Image.Output("map", display_name="map", tooltip="The map of codes: a colour of its own for each."),
                io.Image.Output("codebook", display_name="codebook", tooltip="What each code of the model looks like."),
            ],
        )

    @classmethod
    def validate_inputs(cls, nearest: str = NEAREST_BYS[0]) -> bool | str:
        """Refuse choices that do not exist, before anything runs."""
        return check_choices(nearest=(nearest, NEAREST_BYS))

    @classmethod
    def execute(
        cls,
        image: Tensor | IndexedImage,
        model: LoadedModel,
        nearest: NearestBy,
        keep_alpha: bool,
        mask: Tensor | None = None,
    ) -> io.NodeOutput:
        """Convert in, one call, convert out; so few patches differ that the network runs where its weights lie."""
        rgba = to_rgba(image, mask)
        codes = encode(model, rgba[:, :3], rgba[:, 3:], keep_alpha=keep_alpha, nearest=nearest, callback=progress())
        shown = _shown(model, codes)
        book, _ = code_sheet(model)
        return io.NodeOutput(codes, nchw_to_image(shown), nchw_to_image(book), ui=preview(shown))


class VQDecodeNode(io.ComfyNode):
    """Codes to pictures."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows."""
        return io.Schema(
            node_id="PixelKilnVQDecode",
            display_name="VQ Decode",
            category="pixel art/codes",
            description="Turns codes back into pixel art, with the model that made them.",
            is_output_node=True,  # so that the result shows with nothing connected behind, and again when it is cached
            inputs=[
                PixelCodes.Input("codes", tooltip="Codes from VQ Encode, Code Edit, Recolor or a file."),
                PixelModel.Input("model", tooltip=MODEL_TOOLTIP),
            ],
            outputs=picture_outputs("The pixel art that the codes stand for"),
        )

    @classmethod
    def execute(cls, codes: CodeGrid, model: LoadedModel) -> io.NodeOutput:
        """One call, convert out."""
        return picture_output(model, codes)


class RecolorNode(io.ComfyNode):
    """Pixel art in chosen colours, through codes."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnRecolor",
            display_name="Recolor",
            category="pixel art/codes",
            description=(
                "Gives the commonest code of a picture the code nearest to your first colour, the next its second, and "
                "so on. Best with a HiRes model, whose codes are colours."
            ),
            is_output_node=True,  # so that the result shows with nothing connected behind, and again when it is cached
            inputs=[
                image_or("image", PixelIndexed, PixelCodes, tooltip="Pixel art at its own size, or its codes."),
                PixelModel.Input("model", tooltip=MODEL_TOOLTIP),
                PixelPalette.Input("palette", tooltip="The new colours, the first for what the picture has most of."),
                io.Mask.Input("mask", optional=True, tooltip=MASK_TOOLTIP),
            ],
            outputs=picture_outputs("The picture in the new colours"),
        )

    @classmethod
    def execute(
        cls,
        image: Tensor | IndexedImage | CodeGrid,
        model: LoadedModel,
        palette: Palette,
        mask: Tensor | None = None,
    ) -> io.NodeOutput:
        """Convert in, a call, convert out."""
        codes = codes_of(model, image, mask)
        made = recolor_codes(codes, nearest_codes(model, palette), clear=clear_codes(model))
        return picture_output(model, made, rgba=is_rgba(image))
