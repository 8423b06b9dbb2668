"""One palette for a whole set, made of a sample of its sprites: bounded, spread over the set, the same every time."""

from __future__ import annotations

import hashlib
import heapq
import io
import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from ..errors import ImageError
from ..image import from_uint8
from ..palette import Palette, choose_palette
from .items import Item
from .worker import Start, Worker, one_thread

SAMPLE = 128
"""Pictures that the palette is made of at most."""

_MOST_CELLS = 64
"""Along a side, of each of them; of larger ones every second, third … cell is taken."""


def shared_palette(
    items: Iterator[Item], start: Start, device: str, colors: int, *, accents: float, caption: str = ""
) -> Palette:
    """Make the palette.

    Args:
        items: all of the set; only the sample is kept.
        start: makes sprites in many colours, each in a palette of its own.
        device: where.
        colors: the most entries.
        accents: as for `choose_palette`.
        caption: as for `Worker`.

    Returns:
        A palette that depends on the set alone, not on the order it is listed in.

    Raises:
        ImageError: none of the sample can be made.
    """
    chosen = heapq.nsmallest(SAMPLE, ((_rank(item), item.key, item) for item in items if not item.problem))
    worker = Worker(start, device, caption)
    pictures: list[Tensor] = []
    why = "there is no picture"
    with one_thread([device]):
        for _, _, item in chosen:
            sample = worker.make(item)
            if sample.error:
                why = f"{item.source}: {sample.error}"
            else:
                pictures.append(_cells(sample.png))
            if sample.fatal:
                break
    if not pictures:
        msg = f"no palette can be made for the set: {why}"
        raise ImageError(msg)
    return choose_palette(pictures, colors, accents=accents)


def _rank(item: Item) -> bytes:
    return hashlib.blake2b(item.key.encode("utf-8", "replace"), digest_size=8).digest()


def _cells(png: bytes) -> Tensor:
    """A sprite as `1 4 h w`."""
    from PIL import Image

    with Image.open(io.BytesIO(png)) as image:
        pixels = np.array(image.convert("RGBA"))  # h w 4
    step = math.ceil(max(pixels.shape[:2]) / _MOST_CELLS)
    return from_uint8(torch.from_numpy(pixels[::step, ::step]).permute(2, 0, 1)[None].contiguous())
