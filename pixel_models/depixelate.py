"""The way back in one call: sprites at native size in, smooth pictures out, true in colour and sharp at any scale."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from .archs.native_cyclegan import DepixelateGenerator
from .checkpoint import LoadedModel
from .contours import CLASSICAL, REACH, draw_contours, help_thin, scale2x_shares
from .drawers import trained_cells
from .errors import ModelKindError, ShapeError
from .image import check_image, enlarge
from .pixelate import MAX_CELLS, check_alpha, counter, join_alpha, resize_rgba
from .regrid import run_whole, sides_seen, working_cell
from .sampling import StepCallback
from .spec import Purpose
from .tiles import Box, tile_boxes
from .upscale import upscale

SCALE_RANGE = (2, 8)
"""Smallest and largest factor of `depixelate`."""

FROM_SPRITES = "B to A"
"""What a translator's file says under ``direction`` when it turns pixel art into smooth pictures."""

_MARGIN = 2
"""Cells around a sprite that have its colours while a translator sees it, so that no white gets into its edge."""


def require_depixelator(model: LoadedModel) -> LoadedModel:
    """This model, if `depixelate` can use it.

    Raises:
        ModelKindError: it is neither one to depixelate, nor one to translate whose file says that it goes from
            pixel art (B) to pictures (A).
    """
    if model.purpose is not Purpose.TRANSLATE:
        return model.require(Purpose.DEPIXELATE)
    if (said := model.metadata.get("direction", "")) != FROM_SPRITES:
        msg = f"a model to depixelate is needed, and this one ({model.spec.id}) is to translate"
        msg += f", direction {said[:40]!r}; expected one whose file says {FROM_SPRITES!r}"
        raise ModelKindError(f"{msg}, or kiln-depixelate.safetensors")
    return model


@torch.no_grad()
def depixelate(
    model: LoadedModel,
    image: Tensor,
    *,
    alpha: Tensor | None = None,
    scale: int = 4,
    tile: int | None = None,
    callback: StepCallback | None = None,
) -> tuple[Tensor, Tensor | None]:
    """Turn sprites at native size into smooth pictures.

    Two kinds of network do it. Of a native one (`depixelate`) only the shares of neighbouring cells are taken: colours
    compete for each point by them and by Scale2x's (see `contours`), so that edges are as sharp at every scale, colour
    and alpha have one contour, and no colour is new but mixtures of shades that are nearly alike. A full-resolution one
    (`translate`, from B to A) paints: it sees the sprite enlarged to the cells it was trained on; then regions are
    brought back to the sprite's colours, and alpha is the smooth contour of `upscale`.

    Args:
        model: a model to depixelate, or to translate pixel art (B) into pictures (A).
        image: `b 3 h w`, float32 in [0, 1], one pixel a cell.
        alpha: `b 1 h w`, float32 in [0, 1], 1 = opaque.
        scale: how many times larger, 2 to 8.
        tile: side in cells of the tiles that a native network sees at once, for little memory; same result.
        callback: called after each tile (or picture); may raise to cancel.

    Returns:
        The picture `b 3 scale*h scale*w`, float32 in [0, 1], and its soft alpha, or None where none was given.

    Raises:
        ShapeError: a tensor has the wrong shape, or an option is out of its range.
        ImageError: the picture is empty, or holds NaN, infinity, or values outside [0, 1].
        ModelKindError: the model is not one to depixelate.
        PixelModelError: memory ran out in a full-resolution network.
    """
    network: Any = require_depixelator(model).module
    check_image(image)
    if not SCALE_RANGE[0] <= scale <= SCALE_RANGE[1]:
        msg = f"scale is {scale}, expected {SCALE_RANGE[0]} to {SCALE_RANGE[1]}"
        raise ShapeError(msg)
    if alpha is not None:
        check_alpha(alpha, image)
    height, width = image.shape[2:]
    if max(height, width) > MAX_CELLS:
        msg = f"the sprite is {width}x{height}, most are {MAX_CELLS} cells a side; bring it to native size first"
        raise ShapeError(msg)
    if model.purpose is Purpose.TRANSLATE:
        draw, steps = _painter(model, (height, width), scale), 1
    else:
        boxes = tile_boxes((height, width), tile, network.config.reach + REACH)
        draw, steps = partial(_draw_tiles, network, boxes, scale), len(boxes)
    done = counter(callback, len(image) * steps)
    made = torch.cat([draw(cells, done) for cells in join_alpha(image, alpha).split(1)])
    return made[:, :3].contiguous(), None if alpha is None else made[:, 3:].contiguous()


def _draw_tiles(
    network: DepixelateGenerator,
    boxes: Sequence[tuple[Box, Box]],
    scale: int,
    cells: Tensor,
    done: Callable[[], None],
) -> Tensor:
    """Draw one picture by a native network's shares, tile by tile: `1 4 h w` to `1 4 scale*h scale*w`."""
    height, width = cells.shape[2:]
    weight = next(network.parameters())
    result = cells.new_empty(1, 4, height * scale, width * scale)
    for (y0, y1, x0, x1), (top, bottom, left, right) in boxes:
        seen = cells[:, :, top:bottom, left:right]
        shares = network.shares(seen.to(weight.device, weight.dtype, memory_format=torch.channels_last)).to(cells)
        y, y_end = max(top, y0 - REACH), min(bottom, y1 + REACH)
        x, x_end = max(left, x0 - REACH), min(right, x1 + REACH)
        here = cells[:, :, y:y_end, x:x_end]
        shares = shares[..., y - top : y_end - top, x - left : x_end - left]
        shares = help_thin(torch.lerp(shares, scale2x_shares(here), CLASSICAL), here)
        drawn = draw_contours(shares, here, scale)
        drawn = drawn[:, :, (y0 - y) * scale : (y1 - y) * scale, (x0 - x) * scale : (x1 - x) * scale]
        result[:, :, y0 * scale : y1 * scale, x0 * scale : x1 * scale] = drawn
        done()
    return result


def _painter(model: LoadedModel, size: tuple[int, int], scale: int) -> Callable[[Tensor, Callable[[], None]], Tensor]:
    """How a full-resolution network makes the picture of a sprite of `size` cells: `1 4 h w` to scale times that."""
    height, width = size
    cell = working_cell(scale, trained_cells(model.metadata.get("cell", "")))
    sides_seen(model.module, (height * cell, width * cell))  # refuses before anything is made

    def draw(cells: Tensor, done: Callable[[], None]) -> Tensor:
        rgb, alpha = cells.split((3, 1), dim=1)
        made = run_whole(model.module, enlarge(_spread_colors(rgb, alpha), cell), cell)
        made = resize_rgba(torch.cat([made, torch.ones_like(made[:, :1])], dim=1), (height * scale, width * scale))
        _, soft = upscale(torch.zeros_like(rgb), scale, "smooth", alpha=alpha)
        assert soft is not None
        made = _keep_tint(made[:, :3], rgb, alpha, scale)
        done()
        return torch.cat([made * (soft > 0), soft], dim=1)

    return draw


def _spread_colors(rgb: Tensor, alpha: Tensor) -> Tensor:
    """The sprite's colours carried `_MARGIN` cells outwards, white beyond: `1 3 h w` and `1 1 h w` to `1 3 h w`."""
    known = (alpha > 0).to(rgb)
    made = rgb * known
    for _ in range(_MARGIN):
        count = F.avg_pool2d(known, 3, 1, 1)
        around = F.avg_pool2d(made * known, 3, 1, 1) / count.clamp_min(1e-6)
        made = torch.where(known > 0, made, around)
        known = (count > 0).to(rgb)
    return torch.where(known > 0, made, 1.0)


def _keep_tint(made: Tensor, rgb: Tensor, alpha: Tensor, scale: int) -> Tensor:
    """Take back how much the colour of each region has shifted; edges inside a region stay as they are painted."""
    solid = (alpha > 0).to(made)
    shift = (F.avg_pool2d(made, scale) - rgb) * solid
    shift = F.avg_pool2d(shift, 3, 1, 1) / F.avg_pool2d(solid, 3, 1, 1).clamp_min(1e-6)
    shift = F.interpolate(shift, size=made.shape[2:], mode="bilinear", align_corners=False)
    return (made - shift).clamp(0, 1)
