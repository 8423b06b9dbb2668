"""The palettes that sprites are drawn in: those of training sprites, of the sprite itself, or given colours."""

from __future__ import annotations

import torch
from torch import Tensor

from ..archs.pixelcnn import PixelCNN
from ..checkpoint import LoadedModel
from ..codes import CodeGrid, nearest_codes
from ..codes.table import table_of
from ..errors import PixelModelError
from ..palette import Palette


def pick_palettes(network: PixelCNN, labels: Tensor, numbers: Tensor) -> Tensor:
    """For each sprite the palette of a training sprite, of those that share most of its labels.

    Args:
        network: holds palettes.
        labels: `b k`, 1 for what is asked for.
        numbers: `b`, in [0, 1): which of those that are as good.

    Returns:
        `b codes`, bool.
    """
    palettes, theirs = (part.cpu() for part in network.bank())
    shared = labels.float().cpu() @ theirs.float().T  # b p
    chosen = []
    for row, number in zip(shared, numbers.tolist(), strict=True):
        best = (row == row.max()).nonzero()[:, 0]
        chosen.append(best[int(number * len(best))])
    return palettes[torch.stack(chosen)]


def palette_codes(coder: LoadedModel, palette: Palette) -> Tensor:
    """The codes that stand for given colours, and those that show nothing: `codes`, bool.

    Raises:
        PixelModelError: a code of the model stands for more than one pixel.
        ModelKindError: the model makes no codes.
    """
    table = table_of(coder)
    if table.patch != 1:
        msg = (
            f"a code of this model stands for {table.patch}x{table.patch} pixels, so sprites cannot be drawn in given "
            "colours; take a prior of one code a pixel (kiln-pixelcnn-16), or bring the sprites to the palette after"
        )
        raise PixelModelError(msg)
    allowed = table.clear.clone()
    allowed[nearest_codes(coder, palette)] = True
    return allowed


def codes_kept(codes: CodeGrid, keep: Tensor, clear: Tensor) -> Tensor:
    """Which codes the kept parts of sprites have, and those that show nothing.

    Args:
        codes: of b sprites.
        keep: `b h w`, bool.
        clear: `codes`, bool: which codes show nothing.

    Returns:
        `b codes`, bool; none for a sprite of which nothing that shows is kept.
    """
    kept = torch.zeros(len(codes), codes.codebook_size, dtype=torch.bool)
    for row, indices, stays in zip(kept, codes.indices, keep, strict=True):
        row[indices[stays]] = True
    shows = (kept & ~clear).any(1, keepdim=True)
    return (kept | clear) & shows
