"""Finds the eyes of a sprite: a pair of small dark spots that mirror each other in the face; says how sure it is."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..color import srgb_to_oklab
from .poses import visible_box

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

SURE = 0.7
"""From this on a pair is taken for eyes without asking."""

_LEVELS = 10
_FACE = (0.04, 0.66)
"""Parts of the visible height between which eyes are looked for."""

_CHEST, _LOW = 0.44, 4.0
"""Part of the height below which a pair is less and less likely, and how fast."""

_PLAIN = 0.27
"""From this Oklab lightness on a spot stands out from its surroundings as well as can be."""

_UNEVEN = 0.3
"""How much lighter one side of an eye may be than the other, as where there is white beside a pupil."""

_MOST_SPOTS = 60


@dataclasses.dataclass(frozen=True, eq=False)
class Eyes:
    """What was taken for the eyes of a sprite."""

    mask: Tensor
    """`h w`, bool: their pixels."""
    sure: float
    """0 to 1; below `SURE` it may well be something else."""


@dataclasses.dataclass(frozen=True, eq=False)
class _Spot:
    pixels: frozenset[tuple[int, int]]
    top: int
    left: int
    bottom: int
    right: int
    contrast: float

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2


def find_eyes(sprite: Tensor) -> Eyes | None:
    """Look for two eyes.

    A spot is a connected set of pixels darker than all around it, small, and with nothing transparent beside it. Two
    are eyes as far as they are alike in size, stand on one line, lie about the middle of the head, stand out, and as
    the pixels around one are a mirror image of those around the other.

    Args:
        sprite: `4 h w`, float32 in [0, 1].

    Returns:
        The best pair; None where there is none at all.
    """
    left, top, right, bottom = visible_box(sprite)
    body = sprite[:, top:bottom, left:right]
    lab = srgb_to_oklab(body[:3], dim=0).numpy().astype(np.float32)  # 3 h w
    solid = (body[3] >= 0.5).numpy()
    spots = _spots(lab[0], solid)
    best = max(
        ((_likeness(lab, solid, one, two), one, two) for one, two in itertools.permutations(spots, 2)),
        key=lambda found: found[0],
        default=None,
    )
    if best is None or best[0] <= 0:
        return None
    mask = torch.zeros(sprite.shape[1:], dtype=torch.bool)
    for y, x in best[1].pixels | best[2].pixels:
        mask[top + y, left + x] = True
    return Eyes(mask, best[0])


def _spots(light: Array, solid: Mask) -> list[_Spot]:
    """Dark spots of the face, by any of several lightnesses below which a pixel counts as dark."""
    height, width = light.shape
    face = np.zeros_like(solid)
    face[int(height * _FACE[0]) : math.ceil(height * _FACE[1])] = True
    seen = light[solid & face]
    if not seen.size:
        return []
    levels = np.unique(np.quantile(seen, np.linspace(0, 0.7, _LEVELS)))
    found: dict[frozenset[tuple[int, int]], _Spot] = {}
    most = max(2, min(width // 5, height // 5))
    for level in levels:
        for pixels in _islands(solid & face & (light <= level + 1e-4), most):
            spot = _spot(pixels, light, solid)
            if spot is not None and pixels not in found:
                found[pixels] = spot
    return sorted(found.values(), key=lambda spot: -spot.contrast)[:_MOST_SPOTS]


def _islands(dark: Mask, most: int) -> list[frozenset[tuple[int, int]]]:
    """Sets of dark pixels that hang together by their sides, at most `most` wide and high."""
    left = {(int(y), int(x)) for y, x in zip(*np.nonzero(dark), strict=True)}
    islands = []
    while left:
        ends, island = [left.pop()], set[tuple[int, int]]()
        while ends:
            y, x = ends.pop()
            island.add((y, x))
            for beside in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                if beside in left:
                    left.remove(beside)
                    ends.append(beside)
        rows, columns = [y for y, _ in island], [x for _, x in island]
        if max(rows) - min(rows) < most and max(columns) - min(columns) < most:
            islands.append(frozenset(island))
    return islands


def _spot(pixels: frozenset[tuple[int, int]], light: Array, solid: Mask) -> _Spot | None:
    """A spot, where all around it is opaque and lighter."""
    height, width = light.shape
    ring = {(y + down, x + across) for y, x in pixels for down in (-1, 0, 1) for across in (-1, 0, 1)} - pixels
    if any(not (0 <= y < height and 0 <= x < width and solid[y, x]) for y, x in ring):
        return None
    around = float(np.mean([light[at] for at in ring]))
    contrast = around - float(np.mean([light[at] for at in pixels]))
    rows, columns = [y for y, _ in pixels], [x for _, x in pixels]
    sides = [[light[at] for at in ring if at[1] == end and min(rows) <= at[0] <= max(rows)] for end in
             (min(columns) - 1, max(columns) + 1)]  # fmt: skip
    uneven = abs(float(np.mean(sides[0])) - float(np.mean(sides[1])))
    # at the edge of a face there are hair and jaws
    contrast = min(contrast, _PLAIN) * (1 - min(1.0, 3 * max(0.0, uneven - _UNEVEN)))
    box = (min(rows), min(columns), max(rows) + 1, max(columns) + 1)
    filled = len(pixels) / ((box[2] - box[0]) * (box[3] - box[1]))
    return _Spot(pixels, *box, contrast) if contrast > 0.08 and filled > 0.5 else None


def _likeness(lab: Array, solid: Mask, one: _Spot, two: _Spot) -> float:
    """How sure two spots are the left and the right eye of a face, 0 to 1."""
    apart = two.left - one.right
    wide = max(one.right - one.left, two.right - two.left)
    tall = max(one.bottom - one.top, two.bottom - two.top)
    if apart < 1 or apart > 5 * wide + 4 or abs(one.bottom - two.bottom) + abs(one.top - two.top) > max(1, tall // 2):
        return 0.0
    sizes = len(one.pixels) / len(two.pixels)
    alike = min(sizes, 1 / sizes)
    axis = (one.middle + two.middle) / 2
    rows = slice(min(one.top, two.top), max(one.bottom, two.bottom))
    across = np.flatnonzero(solid[rows].any(axis=0))
    run = _run(np.logical_and.reduce(solid[rows], axis=0), int(axis))
    off = abs((run[0] + run[1]) / 2 - axis) / max(1, run[1] - run[0])
    spread = (two.right - one.left) / max(1, int(across[-1]) - int(across[0]) + 1)
    between = float(lab[0, rows, one.right : two.left].min(initial=1.0))
    dark = max(float(np.mean([lab[(0, *at)] for at in spot.pixels])) for spot in (one, two))
    level = 1.0 if between > dark + 0.04 and not _joined(lab[0], one, two, dark + 0.04) else 0.5
    mirror = _mirror(lab, solid, one, two)
    stands_out = min(1.0, min(one.contrast, two.contrast) / _PLAIN)
    size = 1.0 if wide <= 3 * tall and tall <= 3 * wide else 0.4
    low = (rows.start + rows.stop) / 2 / len(solid)
    high = min(1.0, max(0.0, 1 - _LOW * (low - _CHEST)))  # below the chest pairs are pockets, knees and ribs
    return alike * high * level * size * stands_out * mirror * max(0.0, 1 - 1.6 * off) * (1.0 if spread < 0.85 else 0.6)


def _joined(light: Array, one: _Spot, two: _Spot, dark: float) -> bool:
    """Whether a dark line from one to the other runs above or below them, as in a mouth or in spectacles."""
    above, below = max(0, min(one.top, two.top) - 1), min(len(light) - 1, max(one.bottom, two.bottom))
    return any(bool((light[row, one.right : two.left] <= dark).all()) for row in (above, below))


def _run(solid: Mask, at: int) -> tuple[int, int]:
    """The opaque columns around one: first, and one past the last."""
    begin = end = at
    while begin > 0 and solid[begin - 1]:
        begin -= 1
    while end < len(solid) and solid[end]:
        end += 1
    return begin, end


def _mirror(lab: Array, solid: Mask, one: _Spot, two: _Spot) -> float:
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
