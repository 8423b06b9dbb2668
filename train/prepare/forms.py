"""Canonical forms of sprites: cropped, mirrored one way, colours by the order in which they come."""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np
from numpy.typing import NDArray

from .model import Pixels

Indices = NDArray[np.uint16]
"""`h w`: 0 where nothing is, colours from 1 in the order of their first pixel, row by row."""


@dataclasses.dataclass(frozen=True)
class Form:
    """What is compared of a sprite. Alpha counts as opaque from one half on."""

    same: str
    """Equal for sprites that are equal after cropping and, perhaps, mirroring."""
    shape: str
    """Equal for those that also differ in colours alone."""
    indices: Indices
    """Of the cropped sprite, mirrored where its mirror image comes first."""
    colors: tuple[int, ...]
    """What the indices from 1 mean, as 0xRRGGBB; after mirroring numbered anew."""
    mirrored: bool

    @property
    def area(self) -> int:
        """Opaque cells."""
        return int((self.indices > 0).sum())


def form_of(pixels: Pixels) -> Form:
    """Bring a sprite to its canonical form."""
    seen = pixels[..., 3] >= 128
    rows, columns = (seen.any(axis=axis).nonzero()[0] for axis in (1, 0))
    if len(rows):
        part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        pixels, seen = pixels[part], seen[part]
    rgb = pixels[..., :3].astype(np.int64)
    codes = np.where(seen, (rgb[..., 0] << 16 | rgb[..., 1] << 8 | rgb[..., 2]) + 1, 0)
    ways = [_number(np.ascontiguousarray(way)) for way in (codes, codes[:, ::-1])]
    # The numbers first: a recoloured sprite and its mirror image are then mirrored alike.
    keys = [(indices.tobytes(), colors.tobytes()) for indices, colors in ways]
    mirrored = keys[1] < keys[0]
    (shape, tints), (indices, colors) = keys[mirrored], ways[mirrored]
    size = repr(indices.shape).encode()
    return Form(
        same=hashlib.sha256(size + shape + tints).hexdigest(),
        shape=hashlib.sha256(size + shape).hexdigest(),
        indices=indices,
        colors=tuple((colors - 1).tolist()),
        mirrored=mirrored,
    )


def _number(codes: NDArray[np.int64]) -> tuple[Indices, NDArray[np.int64]]:
    """Indices in the order of first appearance, and what the ones from 1 are."""
    values, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    clear = int(values[0] == 0)
    order = clear + np.argsort(first[clear:])
    rank = np.zeros(len(values), np.uint16)
    rank[order] = np.arange(1, len(order) + 1)
    return rank[inverse.reshape(codes.shape)], values[order]


def mirrored(indices: Indices) -> Indices:
    """The mirror image, its colours numbered anew."""
    return _number(np.ascontiguousarray(indices[:, ::-1]).astype(np.int64))[0]
