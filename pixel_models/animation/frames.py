"""Frames of an animation: equal ones joined, nearly equal ones held, and what was joined."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from ..color import srgb_to_oklab
from ..errors import SheetError
from ..image import to_uint8
from ..sheets import Frame, SpriteSheet

_SEEN = 0.02
"""Oklab distance from which on eyes tell two colours apart."""


@dataclasses.dataclass(frozen=True)
class Held:
    """A frame of the result that stands for several."""

    name: str
    """Of the frame that stayed."""
    joined: tuple[str, ...]
    """The names of those that went, in order; empty: none."""
    duration: int
    """Of all together, in ms."""
    difference: float
    """The largest share of visible pixels that one of them differed in, 0 to 1; 0: they were equal."""


@dataclasses.dataclass(frozen=True, eq=False)
class Deduped:
    """An animation without repeats, and what became of its frames."""

    sheet: SpriteSheet
    held: tuple[Held, ...]
    """One for each of its frames, in order."""

    def report(self) -> list[str]:
        """One line for each frame that stands for several."""
        return [
            f"{one.name} stands for {', '.join(one.joined)} too: {one.duration} ms in all"
            + (f", up to {one.difference:.1%} of its pixels differed" if one.difference else "")
            for one in self.held
            if one.joined
        ]


def dedupe_frames(sheet: SpriteSheet, threshold: float = 0.0) -> Deduped:
    """Join frames that follow one another and look alike; the first stays and is shown as long as all of them were.

    Each is compared with the one that stays, not with the one just before, so that a slow change is not lost. Frames
    of different tags or sizes are never joined.

    Args:
        sheet: an animation; a picture and places that it has are forgotten.
        threshold: share of the visible pixels that may differ, 0 to 1; 0 joins equal frames alone. Pixels differ where
            one is there and the other is not, or where eyes tell their colours apart (0.02 in Oklab).

    Raises:
        SheetError: a threshold that is no share.
    """
    if not 0 <= threshold <= 1:
        msg = f"threshold is {threshold}, expected a share of pixels from 0 (equal frames) to 1"
        raise SheetError(msg)
    kept: list[Frame] = []
    held: list[Held] = []
    for frame in sheet.frames:
        before = kept[-1] if kept else None
        apart = None if before is None or before.tag != frame.tag else frame_difference(before.rgba, frame.rgba)
        if before is None or apart is None or apart > threshold or (threshold == 0 and not _equal(before, frame)):
            kept.append(frame)
            held.append(Held(frame.name, (), frame.duration, 0.0))
            continue
        last = held[-1]
        duration = last.duration + frame.duration
        kept[-1] = dataclasses.replace(before, duration=duration)
        held[-1] = Held(last.name, (*last.joined, frame.name), duration, max(last.difference, apart))
    return Deduped(SpriteSheet(frames=tuple(kept), loop=sheet.loop), tuple(held))


def frame_difference(one: Tensor, two: Tensor) -> float | None:
    """The share of visible pixels in which two frames `4 h w` differ, 0 to 1; None: they differ in size."""
    if one.shape != two.shape:
        return None
    there, here = one[3] >= 0.5, two[3] >= 0.5
    visible = int((there | here).sum())
    if not visible:
        return 0.0
    distance = (srgb_to_oklab(one[:3], dim=0) - srgb_to_oklab(two[:3], dim=0)).norm(dim=0)
    return int(((there != here) | (there & here & (distance > _SEEN))).sum()) / visible


def _equal(one: Frame, two: Frame) -> bool:
    """Whether they look the same to the last bit: what stands under transparent pixels does not count."""
    first, second = (to_uint8(frame.rgba * (frame.rgba[3:] > 0)) for frame in (one, two))
    return torch.equal(first, second)
