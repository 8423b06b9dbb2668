"""Codes to look at: a picture in which every code has a colour of its own, and the codebook as a contact sheet."""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor

from ..checkpoint import LoadedModel
from ..color import oklab_to_srgb, srgb_to_oklab
from ..errors import ShapeError
from ..image import enlarge, from_uint8, to_uint8
from ..palette import Palette
from .core import CodeGrid
from .table import table_of

_GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))
_DARKEST, _LIGHTEST, _CHROMA = 0.25, 0.92, 0.13  # in Oklab; of the greatest chroma that all hues have, about
_GAP = 2

SCALE_RANGE = (1, 32)
"""How many times patches of a contact sheet may be enlarged."""


@functools.lru_cache(maxsize=8)
def code_colors(count: int) -> Palette:
    """`count` colours that all differ: from dark to light, each turned from the one before by the golden angle."""
    rank = torch.arange(count, dtype=torch.float64)
    lightness = _DARKEST + (_LIGHTEST - _DARKEST) * rank / max(1, count - 1)
    hue = rank * _GOLDEN_ANGLE
    lab = torch.stack([lightness, _CHROMA * hue.cos(), _CHROMA * hue.sin()], 1)  # k 3
    wanted = to_uint8(oklab_to_srgb(lab)).long()
    taken: dict[int, None] = {}  # in order
    for key in (wanted[:, 0] << 16 | wanted[:, 1] << 8 | wanted[:, 2]).tolist():
        while key in taken:
            key = (key + 1) % 2**24  # the next free colour, a step of blue away
        taken[key] = None
    keys = torch.tensor(list(taken))
    return Palette(torch.stack([keys >> 16, keys >> 8 & 255, keys & 255], 1).to(torch.uint8))


def code_map(model: LoadedModel, codes: CodeGrid) -> Tensor:
    """A picture of codes: each has a colour of its own, the same in every picture; dark where its patch is dark.

    Args:
        model: the one that made the codes.
        codes: b pictures of `h` by `w` codes.

    Returns:
        `b 3 h w`, float32 in [0, 1], one pixel a code.

    Raises:
        CodesError: another model made these codes.
        ModelKindError: the model makes no codes.
    """
    table = table_of(model)
    codes.require(model)
    rank = srgb_to_oklab(table.colors)[:, 0].argsort(stable=True).argsort()  # k
    colors = from_uint8(code_colors(len(table)).colors)[rank]
    return colors[codes.indices].permute(0, 3, 1, 2).contiguous()


def code_sheet(model: LoadedModel, scale: int = 8, columns: int | None = None) -> tuple[Tensor, Tensor]:
    """All patches of a codebook, side by side in the codes' order, two transparent pixels apart.

    Args:
        model: makes the codes.
        scale: how many times each patch is enlarged, 1 to 32.
        columns: patches in a row; None makes it about square.

    Returns:
        `1 3 h w` float32 in [0, 1], and alpha `1 1 h w`, 0 or 1.

    Raises:
        ShapeError: `scale` or `columns` is out of range.
        ModelKindError: the model makes no codes.
    """
    table = table_of(model)
    columns = math.ceil(math.sqrt(len(table))) if columns is None else columns
    for name, value, most in (("scale", scale, SCALE_RANGE[1]), ("columns", columns, len(table))):
        if not 1 <= value <= most:
            msg = f"{name} is {value}, expected 1 to {most}"
            raise ShapeError(msg)
    patches = torch.cat([table.rgb * table.opaque[:, None], table.opaque[:, None].float()], 1)  # k 4 p p
    patches = enlarge(patches, scale)
    rows, step = -(-len(patches) // columns), table.patch * scale + _GAP
    sheet = torch.zeros(1, 4, rows * step - _GAP, columns * step - _GAP)
    for index, patch in enumerate(patches):
        top, left = index // columns * step, index % columns * step
        sheet[0, :, top : top + table.patch * scale, left : left + table.patch * scale] = patch
    return sheet[:, :3].contiguous(), sheet[:, 3:].contiguous()
