"""The node "Load Pixel Model": weights of any kind this pack knows, from the pack, models/pixel_models or the hub."""

# ComfyUI's base methods take **kwargs, and each node names its own inputs.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

from pathlib import Path

from .. import pixel_models
from ..pixel_models.errors import HubError, PixelModelError
from ..pixel_models.hub import GRAMMAR, HubSource, locate, model_names, published_source
from ..pixel_models.registry import SHIPPED
from ..pixel_models.spec import Purpose
from ._comfy import file_state, io, model_folders, progress
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
                "ComfyUI's folder models/pixel_models. Nothing is downloaded unless download is on."
            ),
            inputs=[
                io.Combo.Input(
                    "model_name",
                    options=_names(),
                    tooltip=(
                        "Weight file. The pack's own kiln-pixelate makes pixel art, kiln-depixelate goes back, kiln-vq "
                        "makes codes, kiln-pixelcnn draws sprites; others are .safetensors, .pth or .pt files in "
                        "models/pixel_models (press R to list new ones), also old ones of the CycleGAN, pix2pix, CUT "
                        "and Pixel VQ-VAE code."
                    ),
                ),
                io.Boolean.Input(
                    "download",
                    default=False,
                    optional=True,
                    tooltip=(
                        "On: a model that is not on this computer is fetched once from the Hugging Face hub and kept "
                        "in its cache. Off: the network is never used."
                    ),
                ),
                io.String.Input(
                    "hub_model",
                    default="",
                    optional=True,
                    tooltip=(
                        "A model from the Hugging Face hub instead of model_name, such as org/repo, org/repo/file or "
                        "org/repo@revision/file. Leave it empty to use model_name."
                    ),
                    placeholder="org/repo@revision/file",
                ),
            ],
            outputs=[PixelModel.Output("model", display_name="model", tooltip="The model, for a node of its kind.")],
        )

    @classmethod
    def validate_inputs(
        cls, model_name: str | None = None, download: bool | None = None, hub_model: str | None = None
    ) -> bool | str:
        """Refuse what is not there before anything runs; what comes over a link is seen when it runs.

        Nothing is fetched here.
        """
        try:
            if model_name is not None:
                target = _target(model_name, hub_model or "")
                if download is False and isinstance(target, HubSource):
                    locate(target, model_folders())
        except PixelModelError as error:
            return str(error)
        return True

    @classmethod
    def fingerprint_inputs(cls, model_name: str, download: bool = False, hub_model: str = "") -> tuple[str | int, ...]:
        """A file that was replaced is loaded again; what the hub gave stays as it is."""
        target = _target(model_name, hub_model)
        return (str(target), download) if isinstance(target, HubSource) else file_state(target)

    @classmethod
    def execute(cls, model_name: str, download: bool = False, hub_model: str = "") -> io.NodeOutput:
        """Load the file, on the CPU; the node that uses the model moves it."""
        target = _target(model_name, hub_model)
        return io.NodeOutput(pixel_models.load(target, folders=model_folders(), download=download, callback=progress()))


def _names() -> list[str]:
    """What the list shows: our own models that a node takes, here or to be fetched, then the user's files."""
    own = [entry.name for entry in SHIPPED if entry.purpose is not Purpose.DESCRIBE]
    return own + [name for name in model_names(model_folders()) if name not in own]


def _target(model_name: str, hub_model: str) -> Path | HubSource:
    """Where the model is: a file of the model folders and no other on the disk, or the hub.

    Raises:
        HubError: there is no such file, or the hub's models are not called so.
    """
    folders = model_folders()
    if text := hub_model.strip():
        if (source := HubSource.parse(text)) is None:
            msg = f"hub_model is {text!r}, expected {GRAMMAR}, or nothing"
            raise HubError(msg)
        return source
    if model_name in model_names(folders):
        return next(folder / model_name for folder in folders if (folder / model_name).is_file())
    if (source := published_source(model_name)) is not None:
        return source
    msg = f"{model_name!r} is no file of the model folders; put it into {folders[0]} and choose it from the list"
    raise HubError(msg)
