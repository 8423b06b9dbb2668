"""What the nodes of pictures as codes share: pictures of every kind as codes, and codes as pictures."""

from __future__ import annotations

from torch import Tensor

from ..pixel_models.checkpoint import LoadedModel
from ..pixel_models.codes import CodeGrid, decode, encode
from ..pixel_models.palette import IndexedImage, index_exactly
from ._art import art_output, art_outputs, to_rgba
from ._comfy import io, progress
from ._types import PixelCodes

MODEL_TOOLTIP = "The VQ-VAE, such as kiln-vq-hires; codes are of use to the model alone that made them."


def codes_of(model: LoadedModel, picture: Tensor | IndexedImage | CodeGrid, mask: Tensor | None = None) -> CodeGrid:
    """Codes as they are, any other picture encoded."""
    if isinstance(picture, CodeGrid):
        return picture.require(model)
    rgba = to_rgba(picture, mask)
    return encode(model, rgba[:, :3], rgba[:, 3:], callback=progress())


def picture_outputs(what: str) -> list[io.Output]:
    """The outputs that `picture_output` fills."""
    codes = PixelCodes.Output("made", display_name="codes", tooltip="The codes that the picture stands for.")
    return [*art_outputs(what), codes]


def picture_output(model: LoadedModel, codes: CodeGrid, *, rgba: bool = False) -> io.NodeOutput:
    """Image, mask, indices and codes, with a sharp preview."""
    return art_output(index_exactly(*decode(model, codes)), codes, rgba=rgba)
