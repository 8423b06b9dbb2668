"""An Aseprite file's cels to pictures: unpacked, coloured, and laid over one another, layer by layer."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

from ...errors import ImageError
from .blend import BLEND_MODES, NORMAL, paint
from .parts import BACKGROUND, BLENDS_GROUPS, COMPRESSED_TILES, GROUP, RAW, REFERENCE, VISIBLE, Cel, Pixels, Sprite

Bytes = NDArray[np.uint8]

# A small file can hold any number of zeros, laid over one another any number of times: what is unpacked in all, in
# bytes, and what is blended in all, in pixels.
_MOST_UNPACKED = 2**30
_MOST_AT_ONCE = 2**27
_MOST_BLENDED = 2**28
_MIXING_COSTS = 12
_KEPT = 2**25
_MOST_TO_ORDER = 2**22
# What deflate can gain at most.
_BEST_RATIO = 1032


class Renderer:
    """Renders the frames of one sprite, in order."""

    def __init__(self, sprite: Sprite) -> None:
        """Lay out the groups.

        Raises:
            ImageError: layers that make no sense, or too many of them.
        """
        if len(sprite.layers) * len(sprite.durations) > _MOST_TO_ORDER:
            msg = f"{len(sprite.layers)} layers of {len(sprite.durations)} frames are over {_MOST_TO_ORDER} together"
            raise ImageError(msg)
        self.sprite = sprite
        self.unpacked = 0
        self.blended = 0
        self.kept: dict[tuple[int, int, bool], Bytes] = {}
        self.parents = _parents(sprite)
        self.children: dict[int | None, list[int]] = {}
        for index, parent in enumerate(self.parents):
            self.children.setdefault(parent, []).append(index)

    def frame(self, index: int) -> Bytes:
        """One frame, `h w 4`, straight alpha, 0 where that is 0.

        Raises:
            ImageError: pixels that do not fit their sizes, or more work than any sprite makes.
        """
        cels = self.sprite.cels[index]
        if self.sprite.flags & BLENDS_GROUPS:
            canvas = self._group(None, cels, index)
        else:
            canvas = self._blank()
            places = {i: i for i, one in enumerate(self.sprite.layers) if one.kind != GROUP}
            for layer in self._in_order(places, cels):
                self._lay(canvas, layer, cels[layer], index)
        canvas[canvas[..., 3] == 0] = 0
        return canvas

    def _blank(self) -> Bytes:
        return np.zeros((self.sprite.height, self.sprite.width, 4), np.uint8)

    def _in_order(self, places: dict[int, int], cels: dict[int, Cel]) -> list[int]:
        """Layers from the back, by their places and as their cels are moved; of those that show something."""
        moves = {layer: cels[layer].order if layer in cels else 0 for layer in places}
        ordered = sorted(places, key=lambda layer: (places[layer] + moves[layer], moves[layer]))
        groups = self.sprite.layers
        return [layer for layer in ordered if (layer in cels or groups[layer].kind == GROUP) and self._shows(layer)]

    def _shows(self, layer: int | None) -> bool:
        while layer is not None:
            if not self.sprite.layers[layer].flags & VISIBLE or self.sprite.layers[layer].flags & REFERENCE:
                return False
            layer = self.parents[layer]
        return True

    def _group(self, group: int | None, cels: dict[int, Cel], frame: int) -> Bytes:
        """A group by itself, to be laid over what is below it as one picture."""
        canvas = self._blank()
        places = {layer: place for place, layer in enumerate(self.children.get(group, []))}
        for layer in self._in_order(places, cels):
            one = self.sprite.layers[layer]
            if one.kind == GROUP:
                self._count(canvas.shape[0] * canvas.shape[1])
                self._paint(canvas, self._group(layer, cels, frame), self._opacity(layer), one.blend)
            else:
                self._lay(canvas, layer, cels[layer], frame)
        return canvas

    def _lay(self, canvas: Bytes, layer: int, cel: Cel, frame: int) -> None:
        height, width = canvas.shape[:2]
        pixels = self._pixels(cel.pixels, layer, frame)
        left, top = max(0, cel.x), max(0, cel.y)
        right, bottom = min(width, cel.x + pixels.shape[1]), min(height, cel.y + pixels.shape[0])
        if left >= right or top >= bottom:
            return
        self._count((right - left) * (bottom - top))
        part = pixels[top - cel.y : bottom - cel.y, left - cel.x : right - cel.x]
        opacity = round(cel.opacity * self._opacity(layer) / 255)
        blend = NORMAL if self.sprite.layers[layer].flags & BACKGROUND else self.sprite.layers[layer].blend
        self._paint(canvas[top:bottom, left:right], part, opacity, blend)

    def _paint(self, canvas: Bytes, source: Bytes, opacity: int, blend: int) -> None:
        self._count(_MIXING_COSTS * paint(canvas, source, opacity, blend))

    def _opacity(self, layer: int) -> int:
        return 255 if self.sprite.layers[layer].flags & BACKGROUND else self.sprite.layers[layer].opacity

    def _count(self, pixels: int) -> None:
        self.blended += pixels
        if self.blended > _MOST_BLENDED:
            msg = "too many pixels of its layers lie over one another, or are mixed; flatten the sprite first"
            raise ImageError(msg)

    def _pixels(self, pixels: Pixels, layer: int, frame: int) -> Bytes:
        """A cel's pixels, `h w 4`; the last ones are kept, since frames share them."""
        solid = bool(self.sprite.layers[layer].flags & BACKGROUND)
        palette = self.sprite.palettes[frame]
        key = (id(pixels), id(palette), solid)
        if key not in self.kept:
            if pixels.kind == COMPRESSED_TILES:
                colors = self._tiles(pixels, layer, palette)
            else:
                colors = self._colors(self._unpack(pixels, self.sprite.depth // 8), palette, solid=solid)
            while self.kept and sum(one.nbytes for one in self.kept.values()) + colors.nbytes > _KEPT:
                del self.kept[next(iter(self.kept))]
            self.kept[key] = colors
        return self.kept[key]

    def _unpack(self, pixels: Pixels, size: int) -> Bytes:
        """Bytes `h w size`, never more than the file says and the limits allow."""
        wanted = pixels.width * pixels.height * size
        self.unpacked += wanted
        claim = f"a cel or tileset of {pixels.width}x{pixels.height} pixels"
        if wanted > _MOST_AT_ONCE or self.unpacked > _MOST_UNPACKED:
            msg = f"{claim}: more is unpacked than {_MOST_AT_ONCE} bytes at once or {_MOST_UNPACKED} in all"
            raise ImageError(msg)
        if pixels.kind == RAW:
            data = pixels.data[:wanted]
        elif wanted > _BEST_RATIO * len(pixels.data):
            msg = f"{claim} cannot come out of {len(pixels.data)} bytes; the file may be damaged"
            raise ImageError(msg)
        else:
            try:
                data = zlib.decompressobj().decompress(pixels.data, max(1, wanted))
            except zlib.error as error:
                msg = f"{claim} cannot be unpacked ({error}); the file may be damaged"
                raise ImageError(msg) from error
        if len(data) != wanted:
            msg = f"{claim}: expected {wanted} bytes, got {len(data)}; the file may be damaged"
            raise ImageError(msg)
        return np.frombuffer(data, np.uint8).reshape(pixels.height, pixels.width, size)

    def _colors(self, values: Bytes, palette: Bytes, *, solid: bool) -> Bytes:
        """Values as the file has them, `h w 1`, `2` or `4`, to `h w 4`."""
        if self.sprite.depth == 32:
            return values
        if self.sprite.depth == 16:
            return values[..., [0, 0, 0, 1]]
        if not solid:
            palette = palette.copy()
            palette[self.sprite.transparent] = 0
        return palette[values[..., 0]]

    def _tiles(self, pixels: Pixels, layer: int, palette: Bytes) -> Bytes:
        number = self.sprite.layers[layer].tileset
        tileset = None if number is None else self.sprite.tilesets.get(number)
        if tileset is None:
            msg = f"a layer of tiles asks for tileset {number}, which is not in the file"
            raise ImageError(msg)
        tiles = self._colors(self._unpack(tileset.pixels, self.sprite.depth // 8), palette, solid=False)
        size = (tileset.count, tileset.pixels.height // tileset.count, tileset.pixels.width)
        tiles = tiles.reshape(*size, 4)  # n h w 4
        values = self._unpack(pixels, 4).view("<u4")[..., 0].astype(np.int64)  # rows columns
        self._count(values.size * size[1] * size[2])
        if values.size * size[1] * size[2] * 4 > _MOST_AT_ONCE:
            msg = f"a cel of {pixels.width}x{pixels.height} tiles of {size[2]}x{size[1]} pixels is too large"
            raise ImageError(msg)
        ids = np.where(values == 0xFFFFFFFF, 0, _bits(values, pixels.masks[0]))
        if ids.max(initial=0) >= tileset.count:
            msg = f"a cel asks for tile {ids.max()} of a set of {tileset.count}"
            raise ImageError(msg)
        return _arrange(tiles, ids, *((values & mask) != 0 for mask in pixels.masks[1:]))


def _arrange(tiles: Bytes, ids: NDArray[np.int64], *turns: NDArray[np.bool_]) -> Bytes:
    """Tiles `n h w 4` to the places `rows columns` of their ids, exchanged in x and y, turned in x, turned in y."""
    chosen = tiles[ids]  # rows columns h w 4
    across, down, swapped = turns
    if swapped.any() and tiles.shape[1] == tiles.shape[2]:
        chosen[swapped] = chosen[swapped].swapaxes(1, 2)
    chosen[across] = chosen[across][:, :, ::-1]
    chosen[down] = chosen[down][:, ::-1]
    rows, columns, h, w, _ = chosen.shape
    return chosen.transpose(0, 2, 1, 3, 4).reshape(rows * h, columns * w, 4)


def _bits(values: NDArray[np.int64], mask: int) -> NDArray[np.int64]:
    shift = (mask & -mask).bit_length() - 1 if mask else 0
    return (values & mask) >> shift


def _parents(sprite: Sprite) -> list[int | None]:
    """The group that each layer lies in.

    Raises:
        ImageError: a layer lies deeper than the groups before it, or blends in a way that is not known.
    """
    parents: list[int | None] = []
    path: list[int] = []
    for index, layer in enumerate(sprite.layers):
        if layer.level > len(path) or layer.level > 64:
            msg = f"layer {index} lies {layer.level} groups deep, in {len(path)}; expected at most 64"
            raise ImageError(msg)
        if layer.blend >= len(BLEND_MODES):
            msg = f"layer {index} has the blend mode {layer.blend}; expected 0 to {len(BLEND_MODES) - 1}"
            raise ImageError(msg)
        del path[layer.level :]
        parents.append(path[-1] if path else None)
        if layer.kind == GROUP:
            path.append(index)
    return parents
