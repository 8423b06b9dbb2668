"""IMAGE and MASK <-> `b c h w`, and the previews on nodes."""

from __future__ import annotations

import comfy.model_management as memory
import torch
from comfy_api.v0_0_2 import ui
from einops import rearrange
from torch import Tensor
from torch.nn import functional as F

from ...pixel_models.errors import ShapeError
from ...pixel_models.image import enlarge, from_uint8, to_uint8

PREVIEW_SIDE = 768
"""Longest side in pixels that a preview is enlarged to."""

PREVIEW_PICTURES = 16
"""Pictures of a batch that a preview shows."""


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
