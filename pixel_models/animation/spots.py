"""Small spots of a face that stand out from all around them: what eyes may be."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from .islands import Spots, islands

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
At = tuple[int, int]

_LEVELS = 10
_FACE = (0.04, 0.66)
"""Parts of the visible height between which eyes are looked for."""

_PLAIN = 0.27
"""From this Oklab distance on a spot stands out from its surroundings as well as can be."""

_BRIGHT, _GLOWING = 0.33, 0.2
"""The same for a spot that is lighter (skin between hair is, too), and for one of another hue."""

_HUE = 0.12
"""From so much chroma on, and so far from that around it, a spot is red or blue eyes rather than light or shade."""

_LEAST = 0.08
_UNEVEN = 0.3
"""How much lighter one side of an eye may be than the other, as where there is white beside a pupil."""

_MOST_SPOTS = 80

_AROUND = [(down, across) for down in (-1, 0, 1) for across in (-1, 0, 1) if (down, across) != (0, 0)]


@dataclasses.dataclass(frozen=True, eq=False)
class Spot:
    """A connected set of pixels, and the smallest box around it."""

    pixels: frozenset[At]
    top: int
    left: int
    bottom: int
    right: int
    color: Array
    """`3`: its mean, in Oklab."""
    ring: Array
    """`3`: the mean of the pixels around it."""
    contrast: float
    """How far it stands out, 0 to 1."""

    @property
    def middle(self) -> float:
        """Of its columns."""
        return (self.left + self.right) / 2

    @property
    def dark(self) -> bool:
        """Whether it is darker than what is around it."""
        return bool(self.color[0] < self.ring[0])


def find_spots(lab: Array, solid: Mask) -> list[Spot]:
    """Spots that are darker than all around them by some lightness, or of one colour that is not around them.

    Args:
        lab: `3 h w`, Oklab.
        solid: `h w`: where the sprite is opaque.

    Returns:
        Those of the upper part of the sprite, with nothing transparent beside them; the plainest first.
    """
    height, width = solid.shape
    face = np.zeros_like(solid)
    face[int(height * _FACE[0]) : math.ceil(height * _FACE[1])] = True
    face &= solid
    if not face.any():
        return []
    most = max(2, min(width // 5, height // 5))
    light = lab[0]
    levels = np.unique(np.quantile(light[face], np.linspace(0, 0.7, _LEVELS)))
    masks = [face & (light <= level + 1e-4) for level in levels]
    colors = np.unique(np.round(lab[:, face].T, 4), axis=0)
    masks += [face & (np.abs(lab - color[:, None, None]).max(axis=0) < 1e-3) for color in colors[:64]]
    found: dict[frozenset[At], Spot] = {}
    for mask in masks:
        for island in islands(mask, corners=False):
            pixels = frozenset(island)
            if pixels not in found and _fits(island, most) and (spot := _spot(pixels, lab, solid)) is not None:
                found[pixels] = spot
    return sorted(found.values(), key=lambda spot: (-spot.contrast, spot.top, spot.left))[:_MOST_SPOTS]


def _fits(island: Spots, most: int) -> bool:
    """Whether it is at most `most` wide and high."""
    return all(max(along) - min(along) < most for along in zip(*island, strict=True))


def _spot(pixels: frozenset[At], lab: Array, solid: Mask) -> Spot | None:
    """A spot, where all around it is opaque and of another colour."""
    height, width = solid.shape
    ring = sorted({(y + down, x + across) for y, x in pixels for down, across in _AROUND} - pixels)
    if any(not (0 <= y < height and 0 <= x < width and solid[y, x]) for y, x in ring):
        return None
    around = np.stack([lab[(slice(None), *at)] for at in ring]).mean(axis=0)
    color = np.stack([lab[(slice(None), *at)] for at in pixels]).mean(axis=0)
    rows, columns = [y for y, _ in pixels], [x for _, x in pixels]
    sides = [[lab[(0, *at)] for at in ring if at[1] == end and min(rows) <= at[0] <= max(rows)] for end in
             (min(columns) - 1, max(columns) + 1)]  # fmt: skip
    uneven = abs(float(np.mean(sides[0])) - float(np.mean(sides[1])))
    # at the edge of a face there are hair and jaws
    glows = float(np.hypot(*color[1:])) > _HUE and float(np.linalg.norm((color - around)[1:])) > _HUE
    dark = not glows and color[0] <= around[0]
    apart = float(around[0] - color[0]) if dark else float(np.linalg.norm(color - around))
    edge = 0.0 if glows else min(1.0, 3 * max(0.0, uneven - _UNEVEN))
    plain = _GLOWING if glows else _PLAIN if dark else _BRIGHT
    contrast = min(1.0, apart / plain) * (1 - edge)
    box = (min(rows), min(columns), max(rows) + 1, max(columns) + 1)
    filled = len(pixels) / ((box[2] - box[0]) * (box[3] - box[1]))
    if contrast * plain <= _LEAST or filled <= 0.5:
        return None
    return Spot(pixels, *box, color, around, contrast)
