"""Progress and cancel, and networks on ComfyUI's device with ComfyUI's memory."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TypeVar

import comfy.model_management as memory
import comfy.utils
from comfy.model_patcher import ModelPatcher
from einops import rearrange
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from ...pixel_models.errors import PixelModelError, is_out_of_memory
from ...pixel_models.image import enlarge, to_uint8

FIRST_RETRY = 128
"""Cells along a tile's side of the first try after memory ran out, where the user set no tile size."""

SMALLEST_TILE = 16
"""Cells along a tile's side below which a smaller tile saves no memory worth having."""

MESSAGE_SECONDS = 0.1
"""Least time between two messages of `LiveProgress` to the browser; one costs as much as some of its steps."""

LIVE_SIDE = 512
"""Longest side in pixels that a picture shown during a run is enlarged to."""

T = TypeVar("T")


def progress() -> Callable[[int, int], None]:
    """A callback `(step, total)` that moves the node's progress bar and stops the run when the user cancels it."""
    bar = comfy.utils.ProgressBar(1)

    def report(step: int, total: int) -> None:
        memory.throw_exception_if_processing_interrupted()
        bar.update_absolute(step, total)

    return report


class LiveProgress:
    """A node's progress bar for thousands of short steps, with a picture of what there is so far."""

    def __init__(self) -> None:
        """Start at nothing; the first step is told at once."""
        self._bar = comfy.utils.ProgressBar(1)
        self._at, self._told, self._shown = (0, 1), -math.inf, -math.inf

    def step(self, step: int, total: int) -> None:
        """A callback `(step, total)`: stops the run when the user cancels it, at every step, and moves the bar."""
        memory.throw_exception_if_processing_interrupted()
        self._at, now = (step, total), time.monotonic()
        if step >= total or now - self._told >= MESSAGE_SECONDS:
            self._told = now
            self._bar.update_absolute(step, total)

    def show(self, picture: Callable[[], Tensor], *, always: bool = False) -> None:
        """Show pictures on the node while it runs.

        Args:
            picture: makes them, `b 4 h w`, float32 in [0, 1], straight alpha; called only where they are shown.
            always: show them however short ago others were; the browser keeps the last ones after the run.
        """
        now = time.monotonic()
        if always or now - self._shown >= MESSAGE_SECONDS:
            self._shown = now
            self._bar.update_absolute(*self._at, preview=("PNG", _side_by_side(picture()), None))


def _side_by_side(rgba: Tensor) -> Image.Image:
    """Pictures `b 4 h w` on one that is about square, a pixel apart, enlarged without smoothing."""
    count, _, height, width = rgba.shape
    columns = min(count, math.ceil(math.sqrt(count * height / width)))
    rows = math.ceil(count / columns)
    padded = F.pad(rgba, (0, 1, 0, 1, 0, 0, 0, rows * columns - count))
    sheet = rearrange(padded, "(r q) c h w -> 1 c (r h) (q w)", r=rows)[..., :-1, :-1]
    large = enlarge(sheet, max(1, LIVE_SIDE // max(sheet.shape[-2:])))
    return Image.fromarray(rearrange(to_uint8(large), "1 c h w -> h w c").cpu().contiguous().numpy())


def run_network(module: nn.Module, working: int, work: Callable[[], T]) -> T:
    """Bring a network to ComfyUI's device and run `work()`, which finds it there.

    Args:
        module: the network; ComfyUI moves it, and moves it off again when another model needs the room.
        working: about the bytes that `work` needs beside the weights.
        work: the call into `pixel_models`.

    Raises:
        PixelModelError: memory ran out.
    """
    memory.load_models_gpu([_patcher(module)], working, force_full_load=True)
    try:
        return work()
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
    memory.unload_all_models()  # outside the except block, as below
    memory.soft_empty_cache()
    msg = "out of memory; ask for fewer sprites, or for smaller ones"
    raise PixelModelError(msg)


def run_on_device(
    module: nn.Module,
    rgb: Tensor,
    alpha: Tensor | None,
    tile: int,
    work: Callable[[Tensor, Tensor | None, int | None], T],
    *,
    whole: int = 0,
) -> T:
    """Bring a network and its pictures to ComfyUI's device and run `work(rgb, alpha, tile)`.

    Where memory runs out there, again with the pictures left in main memory and smaller and smaller tiles.

    Args:
        module: the network; ComfyUI moves it, and moves it off again when another model needs the room.
        rgb: `b 3 h w`.
        alpha: `b 1 h w`, or None.
        tile: cells along a tile's side; 0 leaves it to `pixel_models` (`work` gets None).
        work: the call into `pixel_models`.
        whole: pixels of the picture that the network sees at once, whatever `tile`; 0 where it sees tiles.

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


def _estimate_bytes(image: Tensor, tile: int, whole: int) -> int:
    """About what a run needs beside the weights.

    A dozen copies of the picture, and 4 kB a cell of a tile or 1 kB a pixel that a network sees whole.
    """
    network = 1024 * whole if whole else 4096 * (tile or 2 * FIRST_RETRY) ** 2
    return 12 * image.numel() * image.element_size() + network


def _patcher(module: nn.Module) -> ModelPatcher:
    """ComfyUI's handle on a network, made once: it holds this object weakly and takes a lost one for a leak."""
    known = module.__dict__.get("pixel_kiln_patcher")
    if known is None:
        known = ModelPatcher(module, memory.get_torch_device(), memory.unet_offload_device())
        module.__dict__["pixel_kiln_patcher"] = known  # lives and dies with the network
    return known
