"""The only door to ComfyUI: its node API, devices, memory, progress, model folders, IMAGE and MASK <-> `b c h w`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import comfy.model_management as memory
import comfy.utils
import folder_paths
import torch
from comfy.model_patcher import ModelPatcher
from comfy_api.v0_0_2 import ComfyExtension, io, ui
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional as F

from ..pixel_models.errors import PixelModelError, ShapeError, is_out_of_memory
from ..pixel_models.hub import WEIGHTS
from ..pixel_models.image import enlarge, from_uint8, to_uint8

__all__ = [
    "ComfyExtension",
    "file_state",
    "image_to_nchw",
    "io",
    "model_folders",
    "nchw_to_image",
    "nchw_to_mask",
    "preview",
    "progress",
    "register_model_folders",
    "run_on_device",
]

MODEL_FOLDER = "pixel_models"
"""Name of our folder inside ComfyUI's `models`, and the key in `extra_model_paths.yaml`."""

EXTENSIONS = frozenset({".safetensors", ".pth", ".pt"})
"""Weight files that the loader lists."""

FIRST_RETRY = 128
"""Cells along a tile's side of the first try after memory ran out, where the user set no tile size."""

SMALLEST_TILE = 16
"""Cells along a tile's side below which a smaller tile saves no memory worth having."""

PREVIEW_SIDE = 768
"""Longest side in pixels that a preview is enlarged to."""

PREVIEW_PICTURES = 16
"""Pictures of a batch that a preview shows."""

T = TypeVar("T")


def register_model_folders() -> None:
    """Make `models/pixel_models` and the pack's own weights known to ComfyUI, beside folders the user configured.

    With the shipped weights in the list, ComfyUI's missing-model check finds them too.
    """
    own = Path(folder_paths.models_dir) / MODEL_FOLDER
    folder_paths.add_model_folder_path(MODEL_FOLDER, str(own), is_default=True)
    folder_paths.add_model_folder_path(MODEL_FOLDER, str(WEIGHTS))
    folders, _ = folder_paths.folder_names_and_paths[MODEL_FOLDER]
    folder_paths.folder_names_and_paths[MODEL_FOLDER] = (folders, set(EXTENSIONS))


def model_folders() -> tuple[Path, ...]:
    """Folders that may hold weights, `models/pixel_models` first; one may not exist yet."""
    return tuple(Path(folder) for folder in folder_paths.get_folder_paths(MODEL_FOLDER))


def file_state(path: Path) -> tuple[str, int, int]:
    """Path, change time in ns and size in bytes: differs when the file was replaced."""
    state = path.stat()
    return str(path), state.st_mtime_ns, state.st_size


def image_to_nchw(image: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
    """Split an IMAGE and its MASK into colour and alpha, where the IMAGE is; `run_on_device` moves them.

    Args:
        image: `b h w 3`, or `b h w 4` with straight alpha last; float in [0, 1].
        mask: `b h w` or `h w`, float in [0, 1], 1 = transparent. One mask serves a whole batch. One of another size
            is brought to the picture's by area. One without a transparent pixel counts as none, whatever its size:
            LoadImage gives `1 64 64` zeros for an opaque picture. A fourth channel and a mask multiply.

    Returns:
        `b 3 h w` and alpha `b 1 h w` (None: opaque), float32, 1 = opaque. The inverse of `nchw_to_image`.

    Raises:
        ShapeError: the picture or the mask has another rank, channel count or batch size.
    """
    if image.ndim != 4 or image.shape[-1] not in (3, 4):
        msg = f"an IMAGE is `b h w 3` or `b h w 4`, got {tuple(image.shape)}; convert the picture to RGB or RGBA first"
        raise ShapeError(msg)
    batch, height, width, channels = image.shape
    nchw = rearrange(image.float(), "b h w c -> b c h w")
    rgb, alpha = nchw[:, :3], nchw[:, 3:] if channels == 4 else None
    if mask is not None and mask.any():
        opaque = 1 - _fit_mask(mask.float().to(rgb.device), batch, height, width)
        alpha = opaque if alpha is None else alpha * opaque
    return rgb, alpha


def _fit_mask(mask: Tensor, batch: int, height: int, width: int) -> Tensor:
    """A MASK `b h w` or `h w` as `b 1 h w` of the picture's batch and size."""
    mask = mask[None] if mask.ndim == 2 else mask
    if mask.ndim != 3 or mask.shape[0] not in (1, batch):
        msg = f"the mask is {tuple(mask.shape)}, expected `b h w` with b = 1 or {batch}, one mask a picture"
        raise ShapeError(msg)
    mask = rearrange(mask, "b h w -> b 1 h w")
    if mask.shape[-2:] != (height, width):
        mask = F.interpolate(mask, (height, width), mode="area")
    return mask.expand(batch, -1, -1, -1)


def nchw_to_image(rgb: Tensor, alpha: Tensor | None = None) -> Tensor:
    """Turn `b 3 h w` (and `b 1 h w` alpha, where the IMAGE is to carry it) into an IMAGE on 8-bit levels.

    Returns:
        `b h w 3` or `b h w 4`, float32 in [0, 1], on ComfyUI's intermediate device. The inverse of `image_to_nchw`.
    """
    nchw = rgb if alpha is None else torch.cat([rgb, alpha], dim=1)
    levels = from_uint8(to_uint8(nchw))  # core's SaveImage truncates: on exact levels it cannot
    return rearrange(levels, "b c h w -> b h w c").to(memory.intermediate_device()).contiguous()


def nchw_to_mask(alpha: Tensor) -> Tensor:
    """Turn alpha `b 1 h w`, 1 = opaque, into a MASK `b h w`, float32 in [0, 1], 1 = transparent."""
    return nchw_to_image(1 - alpha)[..., 0].contiguous()


def preview(rgb: Tensor, alpha: Tensor | None = None, *, sharp: bool = True) -> ui.PreviewImage:
    """Show pictures on the node, the first `PREVIEW_PICTURES` of a batch.

    Args:
        rgb: `b 3 h w`, float32 in [0, 1].
        alpha: `b 1 h w`, float32, 1 = opaque; None shows the pictures opaque.
        sharp: enlarge by a whole factor without smoothing, up to `PREVIEW_SIDE`; else show them at their size.
    """
    rgb, alpha = rgb[:PREVIEW_PICTURES], None if alpha is None else alpha[:PREVIEW_PICTURES]
    scale = max(1, PREVIEW_SIDE // max(rgb.shape[-2:])) if sharp else 1
    return ui.PreviewImage(nchw_to_image(enlarge(rgb, scale), None if alpha is None else enlarge(alpha, scale)))


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
