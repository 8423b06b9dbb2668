"""Pixel Kiln's models as a plain PyTorch package: it knows neither ComfyUI nor training."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .checkpoint import LoadedModel
    from .hub import HubSource
    from .sampling import StepCallback
    from .spec import Purpose

__version__ = "0.1.0"


def load(
    source: str | Path | HubSource,
    *,
    purpose: Purpose | str | None = None,
    folders: Iterable[Path | str] = (),
    download: bool = False,
    callback: StepCallback | None = None,
) -> LoadedModel:
    """Load a model by name or path, on the CPU, in eval mode, float32.

    Looked for in this order: a path; `folders`; the shipped weights; the Hugging Face cache; the hub.

    Args:
        source: a path to a weight file, ours or a foreign `.pth`, `.pt` or `.safetensors`; its name in `folders` or
            among the shipped weights; or `org/repo[@revision][/file]` on the Hugging Face hub.
        purpose: what the model must be for; any but a discriminator, if left out.
        folders: folders of the user's own weight files.
        download: fetch what is not on this machine from the hub; else the network is never used.
        callback: hears `(bytes, bytes in all)` of a download.

    Raises:
        HubError: there is no such file on this machine, or it cannot be fetched.
        CheckpointError: the file is damaged, made to do harm, or not the one that was published under its name.
        ModelKindError: the model is for something else than `purpose`.
    """
    from .errors import ModelKindError
    from .hub import check_published, locate
    from .legacy import load_file

    found = locate(source, folders, download=download, callback=callback)
    model = load_file(found.path)
    check_published(found, model.fingerprint)
    if purpose is not None:
        return model.require(purpose)
    if model.purpose == "discriminator":
        msg = f"{found.path.name} holds a discriminator ({model.spec.id}), which only training needs"
        raise ModelKindError(f"{msg}; choose a generator's file, or ask for purpose='discriminator'")
    return model


__all__ = ["__version__", "load"]
