"""What is measured of a picture and its cells: purity, colours, orphans, bands, blends, soft alpha."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from ..cleanup import blends, orphans, part_sizes
from ..color import srgb_to_oklab
from ..grid import Grid, Lines, merge_colors, snap
from ..image import from_uint8, to_uint8
from ..palette import IndexedImage, Palette, index_exactly, median_cut, nearest_indices

PURE = 0.06
"""How far, in any channel, the pixels of a pure cell are from its colour."""
MARGIN = 0.2
"""Share of a cell at each side, of three pixels or more, that is not asked: enlarging blurs borders."""
_AT_ONCE = 2**20
"""Pixels that are looked at together."""
MOST_COLORS = 256
"""More native colours are brought to so many before cells are compared."""
SOFT = (0.5 / 255, 254.5 / 255)
"""Alpha strictly between these is neither transparent nor opaque in 8 bits."""
BAND_STEP = 0.02
"""How much lightness rises, in Oklab, from one side of a band to the band, and from there to the other side."""
BAND_LENGTH = 4
"""Cells of the shortest band."""


@dataclasses.dataclass(frozen=True, eq=False)
class Places:
    """Where things were found; all bool."""

    opaque: Tensor
    """`b y x`, cells."""
    impure: Tensor
    """`b y x`, cells of more than one colour."""
    orphan: Tensor
    """`b y x`, cells that share their colour with none around."""
    band: Tensor
    """`b y x`, cells of bands."""
    blend: Tensor
    """`b y x`, cells of anti-aliasing."""
    soft: Tensor
    """`b h w`, pixels that are half transparent."""


def measure(rgba: Tensor, grid: Grid) -> tuple[Places, int]:
    """Look at every pixel and every cell.

    Args:
        rgba: `b 4 h w`, float32 in [0, 1], straight alpha last.
        grid: of this picture.

    Returns:
        Where things are, and the number of native colours.
    """
    native = rgba if _is_native(grid) else merge_colors(snap(rgba, grid))
    colors = count_colors_of(native)
    image = _indexed(native, colors)
    indices, opaque = image.indices, native[:, 3] >= 0.5
    places = Places(
        opaque=opaque,
        impure=_impure(rgba, native, grid),
        orphan=orphans(indices, opaque),
        band=find_bands(indices, image.palette, opaque),
        blend=blends(indices, image.palette, opaque)[0],
        soft=(rgba[:, 3] > SOFT[0]) & (rgba[:, 3] < SOFT[1]),
    )
    return places, colors


def count_colors_of(rgba: Tensor) -> int:
    """Distinct 8-bit colours of what is at least half opaque, in `b 4 h w`."""
    seen = np.zeros(2**24, bool)
    for rows in _bands(rgba):
        part = rgba[:, :, rows]
        red, green, blue = to_uint8(part[:, :3]).cpu().numpy().astype(np.uint32).swapaxes(0, 1)
        opaque = (part[:, 3] >= 0.5).cpu().numpy()
        seen[((red << 16) | (green << 8) | blue)[opaque]] = True
    return int(np.count_nonzero(seen))


def find_bands(indices: Tensor, palette: Palette, opaque: Tensor) -> Tensor:
    """Cells of bands: what pixel artists call banding.

    A band is a strip, one cell thick, that runs along between two colours, one darker and one lighter than its own, for
    `BAND_LENGTH` cells or more: a step of a gradient that hugs an outline or another step instead of giving form.

    Args:
        indices: `b h w`, int64.
        palette: what they mean.
        opaque: `b h w`, bool.

    Returns:
        `b h w`, bool.
    """
    light = srgb_to_oklab(from_uint8(palette.colors), dim=1)[:, 0].to(indices.device)
    count = len(palette)
    strip = torch.full_like(indices, -1)
    for one, other in ((indices[:, :, :-2], indices[:, :, 2:]), (indices[:, :-2], indices[:, 2:])):
        across = one.shape[2] < indices.shape[2]
        inner = (slice(None), slice(None), slice(1, -1)) if across else (slice(None), slice(1, -1))
        if 0 in one.shape:
            continue
        seen = opaque[inner] & (opaque[:, :, :-2] & opaque[:, :, 2:] if across else opaque[:, :-2] & opaque[:, 2:])
        own = indices[inner]
        rise, more = light[own] - light[one], light[other] - light[own]
        steps = ((rise > BAND_STEP) & (more > BAND_STEP)) | ((rise < -BAND_STEP) & (more < -BAND_STEP))
        key = (torch.minimum(one, other) * count + torch.maximum(one, other)) * count + own
        strip[inner] = torch.where(steps & seen, key, strip[inner])
    return (strip >= 0) & (part_sizes(strip) >= BAND_LENGTH)


def _is_native(grid: Grid) -> bool:
    return (grid.native_width, grid.native_height) == (grid.width, grid.height)


def _bands(rgba: Tensor) -> Iterator[slice]:
    """Rows of `b c h w`, so many at once that what is made of them stays small."""
    b, _, h, w = rgba.shape
    step = max(1, _AT_ONCE // (b * w))
    for top in range(0, h, step):
        yield slice(top, min(h, top + step))


def _indexed(native: Tensor, colors: int) -> IndexedImage:
    """Cells with their own colours, so many of them, or with the nearest of a few where they are many."""
    rgb, alpha = native.split((3, 1), dim=1)
    if colors <= MOST_COLORS:
        return index_exactly(rgb, (alpha >= 0.5).float())
    few = median_cut(rgb, MOST_COLORS, weight=(alpha >= 0.5).float())
    return IndexedImage(nearest_indices(rgb, few), few, alpha[:, 0] < 0.5)


def _impure(rgba: Tensor, native: Tensor, grid: Grid) -> Tensor:
    """Cells whose middle holds a pixel that is not of the cell's colour, `b y x`."""
    column, inside_x = _cells(grid.x, grid.width)
    row, inside_y = _cells(grid.y, grid.height)
    shape = (len(rgba), grid.native_height, grid.native_width)
    impure = torch.zeros(shape, dtype=torch.bool)
    for rows in _bands(rgba):
        cells = native.index_select(2, row[rows]).index_select(3, column)
        shown = [torch.cat([one[:, :3] * one[:, 3:], one[:, 3:]], dim=1) for one in (rgba[:, :, rows], cells)]
        other = (shown[0] - shown[1]).abs().amax(dim=1) > PURE
        other &= inside_y[rows, None] & inside_x
        frame, y, x = other.nonzero(as_tuple=True)
        impure[frame, row[rows][y], column[x]] = True
    return impure


def _cells(lines: Lines, length: int) -> tuple[Tensor, Tensor]:
    """Which cell each pixel of an axis is in, and whether it is in the middle of it."""
    edges = np.array(lines.edges)
    middle = np.arange(length) + 0.5
    cell = (np.searchsorted(edges, middle, side="right") - 1).clip(0, len(edges) - 2)
    width = edges[cell + 1] - edges[cell]
    place = (middle - edges[cell]) / width
    inside = (width < 3) | ((place >= MARGIN) & (place <= 1 - MARGIN))
    return torch.from_numpy(cell), torch.from_numpy(inside)
