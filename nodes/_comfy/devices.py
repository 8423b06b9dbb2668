"""Progress and cancel, and networks on ComfyUI's device with ComfyUI's memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import comfy.model_management as memory
import comfy.utils
from comfy.model_patcher import ModelPatcher
from torch import Tensor, nn

from ...pixel_models.errors import PixelModelError, is_out_of_memory

FIRST_RETRY = 128
"""Cells along a tile's side of the first try after memory ran out, where the user set no tile size."""

SMALLEST_TILE = 16
"""Cells along a tile's side below which a smaller tile saves no memory worth having."""

T = TypeVar("T")


def progress() -> Callable[[int, int], None]:
    """A callback `(step, total)` that moves the node's progress bar and stops the run when the user cancels it."""
    bar = comfy.utils.ProgressBar(1)

    def report(step: int, total: int) -> None:
        memory.throw_exception_if_processing_interrupted()
        bar.update_absolute(step, total)

    return report


def run_on_device(
    module: nn.Module,
    rgb: Tensor,
    alpha: Tensor | None,
    tile: int,
    work: Callable[[Tensor, Tensor | None, int | None], T],
    *,
    whole: bool = False,
) -> T:
    """Bring a network and its pictures to ComfyUI's device and run `work(rgb, alpha, tile)`.

    Where memory runs out there, again with the pictures left in main memory and smaller and smaller tiles.

    Args:
        module: the network; ComfyUI moves it, and moves it off again when another model needs the room.
        rgb: `b 3 h w`.
        alpha: `b 1 h w`, or None.
        tile: cells along a tile's side; 0 leaves it to `pixel_models` (`work` gets None).
        work: the call into `pixel_models`.
        whole: the network sees whole pictures, whatever `tile`.

    Raises:
        PixelModelError: memory ran out even with the smallest tiles, or for a network that has none.
    """
    memory.load_models_gpu([_patcher(module)], _estimate_bytes(rgb, tile, whole), force_full_load=True)
    device = memory.get_torch_device()
    while True:
        try:
            return work(rgb.to(device), None if alpha is None else alpha.to(device), tile or None)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
        # Outside the except block: inside, the traceback still holds the tensors of the failed try.
        memory.soft_empty_cache()
        if 0 < tile <= SMALLEST_TILE:
            memory.unload_all_models()
            msg = f"out of memory even with tiles of {tile} cells; use a smaller picture, larger cells or fewer at once"
            raise PixelModelError(msg)
        tile = max(SMALLEST_TILE, tile // 2) if tile else FIRST_RETRY
        device = rgb.device


def _estimate_bytes(image: Tensor, tile: int, whole: bool) -> int:
    """About what a run needs beside the weights.

    A dozen copies of the picture, and 4 kB a cell of a tile or 1 kB a pixel of one whole picture.
    """
    network = 1024 * image.shape[-2] * image.shape[-1] if whole else 4096 * (tile or 2 * FIRST_RETRY) ** 2
    return 12 * image.numel() * image.element_size() + network


def _patcher(module: nn.Module) -> ModelPatcher:
    """ComfyUI's handle on a network, made once: it holds this object weakly and takes a lost one for a leak."""
    known = module.__dict__.get("pixel_kiln_patcher")
    if known is None:
        known = ModelPatcher(module, memory.get_torch_device(), memory.unet_offload_device())
        module.__dict__["pixel_kiln_patcher"] = known  # lives and dies with the network
    return known
