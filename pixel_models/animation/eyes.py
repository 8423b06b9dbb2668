"""Finds the eyes of a sprite: a pair of small spots that mirror each other in the face; says how sure it is."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import torch
from torch import Tensor

from ..color import srgb_to_oklab
from .poses import visible_box
from .spots import Array, Mask, Spot, find_spots

SURE = 0.7
"""From this on a pair is taken for eyes without asking."""

_CHEST, _LOW = 0.44, 4.0
"""Part of the height below which a pair is less and less likely, and how fast."""

_CLOSE = 0.2
"""Eyes are at least this part of the width of the head apart, from middle to middle."""

_SAME = 0.08
"""Oklab distance from which on two spots are less and less likely to be of one face."""

_BUTTONS = 0.7
"""How sure a pair is that comes again above or below, as part of what it were otherwise."""

_SHOULDERS = 1.4
"""How much wider than the head a row is that belongs to the trunk."""


@dataclasses.dataclass(frozen=True, eq=False)
class Eyes:
    """What was taken for the eyes of a sprite."""

    mask: Tensor
    """`h w`, bool: their pixels."""
    sure: float
    """0 to 1; below `SURE` it may well be something else."""


def find_eyes(sprite: Tensor) -> Eyes | None:
    """Look for two eyes.

    Two spots are eyes as far as they are alike in size and colour, stand on one line, lie about the middle of the
    head and above the shoulders, stand out, are the only ones of their kind, and as the pixels around one are a mirror
    image of those around the other. They may be dark, or light or coloured on a darker face.

    Args:
        sprite: `4 h w`, float32 in [0, 1].

    Returns:
        The best pair; None where there is none at all.
    """
    left, top, right, bottom = visible_box(sprite)
    body = sprite[:, top:bottom, left:right]
    lab = srgb_to_oklab(body[:3], dim=0).numpy().astype(np.float32)  # 3 h w
    solid = (body[3] >= 0.5).numpy()
    spots = find_spots(lab, solid)
    best = max(
        ((likeness(lab, solid, one, two, spots), one, two) for one, two in itertools.permutations(spots, 2)),
        key=lambda found: found[0],
        default=None,
    )
    if best is None or best[0] <= 0:
        return None
    mask = torch.zeros(sprite.shape[1:], dtype=torch.bool)
    for y, x in best[1].pixels | best[2].pixels:
        mask[top + y, left + x] = True
    return Eyes(mask, best[0])


def likeness(lab: Array, solid: Mask, one: Spot, two: Spot, spots: list[Spot]) -> float:
    """How sure two spots are the left and the right eye of a face, 0 to 1.

    Args:
        lab: `3 h w`, Oklab.
        solid: `h w`: where the sprite is opaque.
        one: the left one.
        two: the right one.
        spots: all that were found.
    """
    return float(np.prod(list(features(lab, solid, one, two, spots).values())))


def features(lab: Array, solid: Mask, one: Spot, two: Spot, spots: list[Spot]) -> dict[str, float]:
    """What speaks against a pair, each 0 to 1 for not at all."""
    apart = two.left - one.right
    wide = max(one.right - one.left, two.right - two.left)
    tall = max(one.bottom - one.top, two.bottom - two.top)
    if apart < 1 or apart > 5 * wide + 4 or abs(one.bottom - two.bottom) + abs(one.top - two.top) > max(1, tall // 2):
        return {"placed": 0.0}
    sizes = len(one.pixels) / len(two.pixels)
    same = float(np.linalg.norm(one.color - two.color))
    made = {"size": min(sizes, 1 / sizes), "color": 1 - min(1.0, 4 * max(0.0, same - _SAME))}
    made["contrast"] = min(one.contrast, two.contrast)
    if made["size"] * made["color"] * made["contrast"] < 0.2 or one.dark != two.dark:
        return {"alike": 0.0}
    axis = (one.middle + two.middle) / 2
    rows = slice(min(one.top, two.top), max(one.bottom, two.bottom))
    across = np.flatnonzero(solid[rows].any(axis=0))
    run = _run(np.logical_and.reduce(solid[rows], axis=0), int(axis))
    head = max(1, run[1] - run[0])
    made["middle"] = max(0.0, 1 - 1.6 * abs((run[0] + run[1]) / 2 - axis) / head)
    made["spread"] = 1.0 if (two.right - one.left) / max(1, int(across[-1]) - int(across[0]) + 1) < 0.85 else 0.6
    made["close"] = min(1.0, (two.middle - one.middle) / head / _CLOSE)
    made["level"] = 0.5 if _joined(lab, rows, one, two) else 1.0
    made["shape"] = 1.0 if wide <= 3 * tall and tall <= 3 * wide else 0.4
    low = (rows.start + rows.stop) / 2 / len(solid)
    made["high"] = min(1.0, max(0.0, 1 - _LOW * (low - _CHEST)))  # below the chest pairs are pockets, knees and ribs
    made["head"] = 0.55 if _below_shoulders(solid, rows.start, int(axis)) else 1.0
    made["mirror"] = math.sqrt(_mirror(lab, solid, one, two))  # light comes from one side, too
    made["skin"] = _skin(lab, one, two)
    made["alone"] = _alone(one, two, spots)
    return made


def _alone(one: Spot, two: Spot, spots: list[Spot]) -> float:
    """Whether they are the only spots of their kind, as studs, ribs and spots of a fur are not."""
    own, reach = one.pixels | two.pixels, max(4, two.right - one.left)
    like = [
        spot
        for spot in spots
        if not spot.pixels & own
        and spot.dark == one.dark
        and abs(len(spot.pixels) - len(one.pixels)) <= max(1, len(one.pixels) // 2)
        and float(np.linalg.norm(spot.color - one.color)) < _SAME
        and spot.contrast > 0.7 * min(one.contrast, two.contrast)
        and abs(spot.top - one.top) <= reach
        and one.left - reach <= spot.left <= two.right + reach
    ]
    apart = [spot for spot in like if spot.top > one.bottom or spot.bottom < one.top]
    rows = [{spot.top for spot in apart if abs(spot.left - eye.left) <= 1} for eye in (one, two)]
    repeated = bool(rows[0] & rows[1])  # the same pair again, above or below: buttons
    return max(0.7, 1 - 0.06 * len(like)) * (_BUTTONS if repeated else 1.0)


def _skin(lab: Array, one: Spot, two: Spot) -> float:
    """Whether what lies between two spots goes on below them, as the skin of a face does."""
    rows = slice(min(one.top, two.top), max(one.bottom, two.bottom))
    inner = slice((one.right + two.left - 1) // 2, (one.right + two.left) // 2 + 1)
    bridge = lab[:, rows, inner].reshape(3, -1).mean(axis=1)
    far = [
        min(float(np.linalg.norm(lab[:, y, spot.left : spot.right].mean(axis=1) - bridge))
            for y in range(spot.bottom, min(spot.bottom + 2, lab.shape[1])))
        for spot in (one, two) if spot.bottom < lab.shape[1]
    ]  # fmt: skip
    apart = sum(far) / max(1, len(far))  # one side may lie in the shade
    return 1 - min(0.5, 2 * max(0.0, apart - 0.15))


def _below_shoulders(solid: Mask, row: int, axis: int) -> bool:
    """Whether the silhouette has become wider, as from a head to shoulders, somewhere above a row."""
    widths = []
    for y in range(row + 1):
        run = _run(solid[y], axis) if solid[y, axis] else (0, 0)
        widths.append(run[1] - run[0])
    start = next((y for y, wide in enumerate(widths) if wide >= 4), row)
    for y in range(start + 4, row + 1):
        before = float(np.median(widths[start : y - 1]))
        if min(widths[y - 1 : y + 1]) >= _SHOULDERS * before + 2:
            return True
    return False


def _joined(lab: Array, rows: slice, one: Spot, two: Spot) -> bool:
    """Whether one goes over into the other, or a line from one to the other runs above or below, as in spectacles."""
    if one.dark:
        limit = max(float(one.color[0]), float(two.color[0])) + 0.04
        light = lab[0]
        if float(light[rows, one.right : two.left].min(initial=1.0)) <= limit:
            return True
        above, below = max(0, rows.start - 1), min(len(light) - 1, rows.stop)
        return any(bool((light[row, one.right : two.left] <= limit).all()) for row in (above, below))
    return bool((np.linalg.norm(lab - one.color[:, None, None], axis=0)[rows, one.right : two.left] < _SAME).any())


def _run(solid: Mask, at: int) -> tuple[int, int]:
    """The opaque columns around one: first, and one past the last."""
    begin = end = at
    while begin > 0 and solid[begin - 1]:
        begin -= 1
    while end < len(solid) and solid[end]:
        end += 1
    return begin, end


def _mirror(lab: Array, solid: Mask, one: Spot, two: Spot) -> float:
    """How far the surroundings of one are a mirror image, or a shifted one, of the other's: 0 to 1."""
    height, width = solid.shape
    total = [0.0, 0.0]
    count = 0
    for down in range(-2, one.bottom - one.top + 2):
        for out in range(-1, one.right - one.left + 1):
            y = one.top + down
            here = (y, one.left + out)
            there = (two.top + down, two.right - 1 - out), (two.top + down, two.left + out)
            if not all(0 <= row < height and 0 <= column < width for row, column in (here, *there)):
                continue
            count += 1
            for way, other in enumerate(there):
                if solid[here] != solid[other]:
                    total[way] += 0.3
                elif solid[here]:
                    total[way] += min(
                        0.3, float(np.linalg.norm(lab[(slice(None), *here)] - lab[(slice(None), *other)]))
                    )
    return 1 - min(total) / (0.3 * count) if count else 0.0
