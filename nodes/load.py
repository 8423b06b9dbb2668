"""The node "Load Pixel Model": a weight file of any kind this pack knows, from the pack or from models/pixel_models."""

# ComfyUI's base methods take **kwargs, and each node names its own inputs.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

from pathlib import Path

from .. import pixel_models
from ..pixel_models.errors import HubError, PixelModelError
from ..pixel_models.hub import find_weights, model_names
from ._comfy import file_state, io, model_folders
from ._types import PixelModel


class LoadPixelModel(io.ComfyNode):
    """Reads a weight file into a PIXEL_MODEL."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows."""
        return io.Schema(
            node_id="PixelKilnLoadModel",
            display_name="Load Pixel Model",
            category="pixel art/models",
            description=(
                "Loads a pixel-art model. The models that come with the pack are listed first, then the files in "
                "ComfyUI's folder models/pixel_models. Nothing is downloaded."
            ),
            inputs=[
                io.Combo.Input(
                    "model_name",
                    options=model_names(model_folders()),
                    tooltip=(
                        "Weight file. The pack's own kiln-pixelate makes pixel art, kiln-depixelate goes back; others "
                        "are .safetensors files in models/pixel_models (press R to list new ones)."
                    ),
                ),
            ],
            outputs=[PixelModel.Output("model", display_name="model", tooltip="The model, for a node of its kind.")],
        )

    @classmethod
    def validate_inputs(cls, model_name: str | None = None) -> bool | str:
        """Refuse a file that is not there before anything runs; a name that comes over a link is seen when it runs."""
        try:
            if model_name is not None:
                _path(model_name)
        except PixelModelError as error:
            return str(error)
        return True

    @classmethod
    def fingerprint_inputs(cls, model_name: str) -> tuple[str, int, int]:
        """A file that was replaced is loaded again."""
        return file_state(_path(model_name))

    @classmethod
    def execute(cls, model_name: str) -> io.NodeOutput:
        """Load the file, on the CPU; the node that uses the model moves it."""
        return io.NodeOutput(pixel_models.load(_path(model_name)))


def _path(model_name: str) -> Path:
    """Where the file lies; only names on the node's list, so that a workflow cannot read elsewhere on the disk.

    Raises:
        HubError: it is not there, or not in a model folder.
    """
    folders = model_folders()
    path = find_weights(model_name, folders)
    if model_name not in model_names(folders):
        msg = f"{model_name!r} is no file of the model folders; put it into {folders[0]} and choose it from the list"
        raise HubError(msg)
    return path
