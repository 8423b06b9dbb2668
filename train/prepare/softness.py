"""Tells smooth drawings and photos from pixel art: by how they are saved, by soft edges, by their many colours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .model import Pixels

_SMALL = 40
"""Up to this side, pixels, soft shadows and shading make up much of a sprite, and more is let through."""
_SOFT, _SOFT_SMALL = 0.2, 0.6
"""Share of edges that are soft from which on a picture is a smooth drawing; in one of the smaller pictures."""
_LEAST = 12
"""Fewer soft edges say nothing."""
_BLOCK = 64
_RICH, _MANY = 10.0, 0.75
"""Colours that a block of a picture may have, for each pixel of its side; and the share of blocks that must obey."""
_VEIL, _LEVELS = 0.6, 64
"""Share of what is seen that is half transparent in a veil, and how many opacities that has at least."""
_STEP = 24
"""Levels that both sides of an edge differ by, at least."""
_OFF = 10
"""Levels that a blend may lie away from the line between what it blends."""
_WITHIN = 0.08
"""And how near it may come to either, as a share of that line."""


def is_smooth(pixels: Pixels) -> bool:
    """Whether a picture is no pixel art at its own size: its edges are soft, its colours endless, or it is a veil."""
    return is_soft(pixels) or is_rich(pixels) or is_veiled(pixels)


def is_soft(pixels: Pixels) -> bool:
    """Whether edges between flat areas go through a blend of both, as antialiasing leaves them."""
    ways = [_edges(way) for way in (pixels, pixels.transpose(1, 0, 2))]
    hard, soft = (sum(way[kind] for way in ways) for kind in (0, 1))
    most = _SOFT if max(pixels.shape[:2]) > _SMALL else _SOFT_SMALL
    return soft >= _LEAST and soft >= most * (hard + soft)


def is_rich(pixels: Pixels) -> bool:
    """Whether a picture without transparency has more colours than anybody would have picked, in many places."""
    if max(pixels.shape[:2]) <= _SMALL or (pixels[..., 3] < 255).any():
        return False
    codes = np.ascontiguousarray(pixels).view(np.uint32)[..., 0]
    height, width = codes.shape
    blocks = [codes[y : y + _BLOCK, x : x + _BLOCK] for y in range(0, height, _BLOCK) for x in range(0, width, _BLOCK)]
    return bool(np.quantile([len(np.unique(block)) / block.size**0.5 for block in blocks], _MANY) > _RICH)


def is_veiled(pixels: Pixels) -> bool:
    """Whether most of it is half transparent, in many steps, as painted smoke and light are."""
    alpha = pixels[..., 3][pixels[..., 3] > 0]
    part = alpha[alpha < 255]
    return max(pixels.shape[:2]) > _SMALL and len(part) > _VEIL * len(alpha) and len(np.unique(part)) >= _LEVELS


def is_lossy(path: str) -> bool:
    """Whether a file is a JPEG or a WebP of the kind that blurs: nothing in it is a pixel that somebody set."""
    with open(path, "rb") as file:  # noqa: PTH123 - a path's text, many times
        head = file.read(12)
        if head[:3] == b"\xff\xd8\xff":
            return True
        if head[:4] != b"RIFF" or head[8:] != b"WEBP":
            return False
        while len(chunk := file.read(8)) == 8:  # https://developers.google.com/speed/webp/docs/riff_container
            if chunk[:4] in (b"VP8 ", b"VP8L"):
                return chunk[:4] == b"VP8 "
            size = int.from_bytes(chunk[4:], "little")
            file.seek(16 if chunk[:4] == b"ANMF" else size + size % 2, 1)  # a frame's chunks lie within
    return False


def _edges(pixels: Pixels) -> tuple[int, int]:
    """Along the rows, edges with two equal pixels on either side: without anything between, and with one blend."""
    if pixels.shape[1] < 5:
        return 0, 0
    laid = pixels.astype(np.int32)
    laid[..., :3] = laid[..., :3] * laid[..., 3:] // 255
    same = (laid[:, 1:] == laid[:, :-1]).all(axis=2)
    hard = int((same[:, :-2] & ~same[:, 1:-1] & same[:, 2:]).sum())
    single = same[:, :-3] & ~same[:, 1:-2] & ~same[:, 2:-1] & same[:, 3:]
    left, middle, right = (part[single] for part in (laid[:, 1:-3], laid[:, 2:-2], laid[:, 3:-1]))
    return hard, int(_is_blend(left, middle, right).sum())


def _is_blend(left: NDArray[np.int32], middle: NDArray[np.int32], right: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Of colours `n 4`, opacity multiplied in: whether the middle one lies between the others, on a line."""
    step = right - left
    length = (step**2).sum(axis=1)
    place = ((middle - left) * step).sum(axis=1) / length.clip(1)
    off = np.abs(left + place[:, None] * step - middle).max(axis=1, initial=0)
    return (length > _STEP**2) & (place > _WITHIN) & (place < 1 - _WITHIN) & (off <= _OFF)
