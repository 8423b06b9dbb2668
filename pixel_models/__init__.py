"""Pixel Kiln's models as a plain PyTorch package: it knows neither ComfyUI nor training."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .checkpoint import LoadedModel
    from .spec import Purpose

__version__ = "0.1.0"


def load(
    source: str | Path, *, purpose: Purpose | str | None = None, folders: Iterable[Path | str] = ()
) -> LoadedModel:
    """Load a model by name or path, on the CPU, in eval mode, float32.

    Args:
        source: a path to a weight file, or its name in `folders` or among the shipped weights.
        purpose: what the model must be for; any, if left out.
        folders: folders of the user's own weight files.

    Raises:
        HubError: there is no such file on this machine.
        CheckpointError: the file is damaged, foreign, or not the one that was published under its name.
        ModelKindError: the model is for something else than `purpose`.
    """
    from .checkpoint import load_checkpoint
    from .hub import check_shipped, find_weights

    path = find_weights(source, folders)
    model = load_checkpoint(path)
    check_shipped(path, model.fingerprint)
    return model if purpose is None else model.require(purpose)


__all__ = ["__version__", "load"]
