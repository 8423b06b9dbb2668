"""Takes the plain background of single sprites and animations away, where it is sure that it is one."""

from __future__ import annotations

import numpy as np
import torch

from pixel_models.cleanup import clear_background
from pixel_models.errors import PaletteError
from pixel_models.palette.swap import index_exactly
from pixel_models.sheets.parts import find_boxes

from .holes import without_holes
from .model import Pixels

BORDER = 0.9
"""Share of the border that one colour holds in a picture with a plain background."""
_LEAST, _MOST = 0.03, 0.92
"""Share of the picture that what stands on a background covers."""
_WHITE = 250
_BODY = 0.5
"""Share of what is left that the largest part of it must cover in its box: specks on grass are no figure."""


def clear_plain(frames: list[Pixels]) -> list[Pixels]:
    """Make the plain background of opaque frames of one size transparent; all of them, or as they were."""
    if any((frame[..., 3] < 255).any() for frame in frames) or not all(_has_plain_border(frame) for frame in frames):
        return frames
    rgb = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2)[:, :3].float() / 255
    try:
        image = clear_background(index_exactly(rgb))
    except PaletteError:
        return frames
    if image.transparent is None:
        return frames
    masks = [without_holes(frame, mask) for frame, mask in zip(frames, ~image.transparent.numpy(), strict=True)]
    studio = _is_studio(frames[0][~masks[0]])
    if not all(_is_figure(mask, whole=not studio) for mask in masks):
        return frames
    return [np.ascontiguousarray(frame * mask[..., None]) for frame, mask in zip(frames, masks, strict=True)]


def _has_plain_border(frame: Pixels) -> bool:
    border = np.concatenate([frame[0], frame[-1], frame[1:-1, 0], frame[1:-1, -1]])
    counts = np.unique(border, axis=0, return_counts=True)[1]
    return bool(counts.max() >= BORDER * len(border))


def _is_studio(ground: Pixels) -> bool:
    """Whether a ground `n 4` is white, or a pure colour, which nothing that is drawn to be full has."""
    if not len(ground):
        return False
    color = ground[0, :3].tolist()
    return min(color) >= _WHITE or (set(color) == {0, 255})


def _is_figure(mask: np.ndarray[tuple[int, int], np.dtype[np.bool_]], *, whole: bool) -> bool:
    """Whether something of a likely size stands there, and, if it must be `whole`, no handful of specks."""
    if not _LEAST <= float(mask.mean()) <= _MOST:
        return False
    if not whole:
        return True
    boxes = find_boxes(mask)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    left, top, right, bottom = boxes[int(area.argmax())].tolist()
    return bool(mask[top:bottom, left:right].sum() >= _BODY * mask.sum())
