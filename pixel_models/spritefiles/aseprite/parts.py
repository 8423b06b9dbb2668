"""What an Aseprite file is made of: layers, cels, tilesets, tags, palettes."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

COLOR_PROFILE, TAGS, USER_DATA, TILESET = 0x2007, 0x2018, 0x2020, 0x2023
"""Kinds of chunks; those that palettes need too are in `palette.files.aseprite`."""

HAS_OPACITY, BLENDS_GROUPS = 1, 2
"""Flags of a file."""

VISIBLE, EDITABLE, BACKGROUND, REFERENCE = 1, 2, 8, 64
"""Flags of a layer."""

IMAGE, GROUP, TILEMAP = 0, 1, 2
"""Kinds of layers."""

RAW, LINK, COMPRESSED, COMPRESSED_TILES = 0, 1, 2, 3
"""Kinds of cels."""

FRAMES_PROPERTY = "pixel-kiln.frames"
"""The sprite's property that keeps the frames' names, for which the format has no other place."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Layer:
    """A layer, or a group of them."""

    flags: int
    kind: int
    level: int
    """How deep it lies in groups."""
    blend: int
    opacity: int
    """0 to 255."""
    tileset: int | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class Pixels:
    """A cel's pixels or tiles as the file has them; cels that are linked share them."""

    kind: int
    width: int
    height: int
    data: bytes
    masks: tuple[int, int, int, int] = (0, 0, 0, 0)
    """Of a tile's number: which bits are its id, and which turn it in x, in y, and exchange the two."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Cel:
    """A layer's picture in a frame."""

    x: int
    y: int
    opacity: int
    order: int
    """So many layers later, or before."""
    pixels: Pixels


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Tileset:
    """Tiles one below the other."""

    count: int
    pixels: Pixels


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tag:
    """A named run of frames."""

    first: int
    last: int
    name: str


@dataclasses.dataclass(kw_only=True, eq=False)
class Sprite:
    """A whole file; pixels still compressed."""

    width: int
    height: int
    depth: int
    """Bits a pixel: 8 (indexed), 16 (grey and alpha) or 32 (RGBA)."""
    flags: int
    transparent: int
    """The index that is transparent, on layers that are no background."""
    speed: int
    layers: list[Layer] = dataclasses.field(default_factory=list)
    durations: list[int] = dataclasses.field(default_factory=list)
    cels: list[dict[int, Cel]] = dataclasses.field(default_factory=list)
    """For each frame, by layer."""
    palettes: list[NDArray[np.uint8]] = dataclasses.field(default_factory=list)
    """For each frame, `256 4`; the same array where it does not change."""
    tilesets: dict[int, Tileset] = dataclasses.field(default_factory=dict)
    tags: list[Tag] = dataclasses.field(default_factory=list)
    properties: dict[str, str | list[str]] = dataclasses.field(default_factory=dict)
    """The sprite's own texts and lists of texts."""
    text: str = ""
    """The sprite's note."""
