"""Several sets of frames as one, and frames of unequal sizes on one line."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import torch

from .core import SpriteSheet


def join_sheets(sheets: Sequence[SpriteSheet]) -> SpriteSheet:
    """All frames in order, without picture and places; a name that was there gets "_2", "_3" … behind it.

    Raises:
        SheetError: there are no frames.
    """
    names: set[str] = set()
    frames = []
    for frame in (frame for sheet in sheets for frame in sheet.frames):
        name, number = frame.name, 1
        while name in names:
            number += 1
            name = f"{frame.name}_{number}"
        names.add(name)
        frames.append(dataclasses.replace(frame, name=name))
    return SpriteSheet(frames=tuple(frames), loop=common_loop(sheets))


def common_loop(sheets: Sequence[SpriteSheet]) -> int:
    """How often all animations among them play, where they agree; else 0, for ever."""
    loops = {sheet.loop for sheet in sheets if len(sheet) > 1}
    return loops.pop() if len(loops) == 1 else 0


def stand_on_one_line(sheet: SpriteSheet) -> SpriteSheet:
    """All frames at the largest width and height, each at the middle of the bottom, since sprites stand on the ground.

    Where half a pixel is to be chosen, the left one. Pivots move along. Without picture and places.
    """
    width = max(frame.width for frame in sheet.frames)
    height = max(frame.height for frame in sheet.frames)
    frames = []
    for frame in sheet.frames:
        left, top = (width - frame.width) // 2, height - frame.height
        rgba = torch.zeros(4, height, width)
        rgba[:, top:, left : left + frame.width] = frame.rgba
        pivot = None if frame.pivot is None else (frame.pivot[0] + left, frame.pivot[1] + top)
        frames.append(dataclasses.replace(frame, rgba=rgba, pivot=pivot))
    return SpriteSheet(frames=tuple(frames), loop=sheet.loop)
