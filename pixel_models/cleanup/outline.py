"""Outlines around sprites: outside, inside, and selective ones that take a shade of what they bound."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional as F

from ..palette import IndexedImage, Palette
from .cells import AROUND, CLEAR, neighbours, shifted
from .shades import darkest, shades

Outline = Literal["outside", "inside", "selective"]
OUTLINES: tuple[Outline, ...] = get_args(Outline)
"""Every `Outline`."""

Light = Literal["top", "top left", "top right"]
LIGHTS: tuple[Light, ...] = get_args(Light)
"""Where the light of a selective outline may come from."""

_FROM: dict[Light, tuple[int, int]] = {"top": (-1, 0), "top left": (-1, -1), "top right": (-1, 1)}
_DEPTH, _LIT_DEPTH = 0.45, 0.2
"""Share of its lightness that a selective outline is darker than its area, and that it is where light falls."""


def rim(opaque: Tensor) -> Tensor:
    """Opaque cells with a transparent one, or the picture's border, above, below, left or right.

    Args:
        opaque: `b h w`, bool.

    Returns:
        `b h w`, bool. A picture that is opaque everywhere has no rim.
    """
    sides = [shifted(opaque.long(), y, x, 0) == 0 for y, x in ((-1, 0), (1, 0), (0, -1), (0, 1))]
    return opaque & torch.stack(sides).any(dim=0) & ~opaque.flatten(1).all(dim=1)[:, None, None]


def outline_outside(image: IndexedImage, color: int, padding: int = 0) -> IndexedImage:
    """Draw a ring of one cell around what is opaque; holes of one cell are filled by it.

    Args:
        image: what to draw around; at the picture's border there is no room.
        color: palette index.
        padding: transparent cells to add on every side first.
    """
    indices, clear = F.pad(image.indices, (padding,) * 4), _clear(image)
    clear = F.pad(clear, (padding,) * 4, value=True)
    beside = [shifted((~clear).long(), y, x, 0) > 0 for y, x in AROUND if y == 0 or x == 0]
    ring = clear & torch.stack(beside).any(dim=0)
    return IndexedImage(indices.masked_fill(ring, color), image.palette, clear & ~ring)


def outline_inside(image: IndexedImage, color: int) -> IndexedImage:
    """Make the rim the outline.

    Args:
        image: what to change.
        color: palette index.
    """
    edge = rim(~_clear(image))
    return IndexedImage(image.indices.masked_fill(edge, color), image.palette, image.transparent)


def outline_selective(image: IndexedImage, light: Light | None = None) -> IndexedImage:
    """Give every cell of the rim a darker shade of the area it bounds: "selective outlining".

    The area's colour is the commonest among the neighbours that are not themselves on the rim; where there
    are none (a part one cell wide), the cell's own. Its shade is the palette's nearest to that colour, darkened; where
    the palette holds nothing darker, the cell stays.

    Args:
        image: what to change.
        light: outlines that face it are less dark.
    """
    opaque = ~_clear(image)
    edge = rim(opaque)
    inner = neighbours(image.indices.masked_fill(~opaque | edge, CLEAR))  # b 8 h w
    weight = torch.tensor([1 if y and x else 2 for y, x in AROUND], device=inner.device)[:, None, None]
    votes = torch.stack([((inner == one[:, None]) * weight).sum(dim=1) for one in inner.unbind(1)], dim=1)
    commonest = inner.gather(1, votes.masked_fill(inner < 0, -1).argmax(dim=1, keepdim=True))[:, 0]
    area = torch.where(commonest >= 0, commonest, image.indices)
    dark, lit = (shades(image.palette, depth).to(area.device)[area] for depth in (_DEPTH, _LIT_DEPTH))
    shade = dark if light is None else torch.where(_faces(opaque, light), lit, dark)
    made = torch.where(edge & (shade >= 0), shade, image.indices)
    return IndexedImage(made, image.palette, image.transparent)


def with_color(palette: Palette, color: str | None) -> tuple[Palette, int]:
    """The palette with `color` in it, and its index; None is the darkest.

    Raises:
        PaletteError: `color` is no hex colour.
    """
    if color is None:
        return palette, darkest(palette)
    wanted = Palette.from_hex([color]).colors
    there = (palette.colors == wanted).all(dim=1)
    if bool(there.any()):
        return palette, int(there.nonzero()[0, 0])
    return Palette(torch.cat([palette.colors, wanted]), palette.name), len(palette)


def _clear(image: IndexedImage) -> Tensor:
    return torch.zeros_like(image.indices, dtype=torch.bool) if image.transparent is None else image.transparent


def _faces(opaque: Tensor, light: Light) -> Tensor:
    """Cells that have more nothing than something on the light's side."""
    down, right = _FROM[light]
    empty = [(y * down + x * right) * (shifted(opaque.long(), y, x, 0) == 0).long() for y, x in AROUND]
    return torch.stack(empty).sum(dim=0) > 0
