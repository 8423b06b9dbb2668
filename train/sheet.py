"""Contact sheets: rows of pictures, every one enlarged sharply to the same side."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor


def sheet(rows: Sequence[Tensor], *, side: int = 192, gap: int = 4) -> Image.Image:
    """Draw rows of `b 3 h w` float32 in [0, 1], nearest neighbour, each picture `side` pixels wide and high."""
    columns = max(len(row) for row in rows)
    canvas = Image.new("RGB", (columns * (side + gap), len(rows) * (side + gap)), (72, 72, 88))
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            pixels = (picture.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
            scaled = Image.fromarray(pixels).resize((side, side), Image.Resampling.NEAREST)
            canvas.paste(scaled, (x * (side + gap), y * (side + gap)))
    return canvas
