"""Seamless tiles: how visible a tile's seam is, a tile made seamless with its own pixels, and a look at the repeat."""

from __future__ import annotations

import torch
from torch import Tensor

from ..color import srgb_to_oklab
from ..errors import ShapeError, SheetError
from ..image import check_image

VISIBLE = 0.02
"""A `seam_error` from here on is seen, in Oklab distance; about what tells two greys side by side apart."""

_MOST_PIXELS = 2**27

# What lies under the strip comes twice on the tile, so it is at most a third of it; wider than this costs its square.
_SHARE = 6
_REACH = 96


def seam_error(rgb: Tensor, alpha: Tensor | None = None) -> float:
    """How visible the seams of repeated tiles are: by how much they stand out against the tiles' own lines.

    A step is the mean Oklab distance (with transparency as a fourth axis) between two neighbouring columns, or rows.
    The seam's step is compared with the largest inside the tile, so that a brick wall may have a joint at its seam.

    Args:
        rgb: `b 3 h w`, floating point in [0, 1].
        alpha: `b 1 h w`; None: opaque.

    Returns:
        The excess of the worst seam of the batch, 0 (seamless) to about 1; `VISIBLE` and more is seen.

    Raises:
        ShapeError, ImageError: no pictures, or an alpha of another size.
    """
    seen = _seen(rgb, alpha)
    return max(_excess(seen), _excess(seen.transpose(2, 3)))


def make_seamless(rgb: Tensor, *, alpha: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
    """Make tiles seamless with their own pixels: none is blended, no colour is new, the size stays.

    First across, then down: the tile moved by half wraps, but has its old border as a line in its middle. A strip of
    the unmoved tile is laid over that line, along two cuts where both differ least (Efros & Freeman 2001, "Image
    quilting for texture synthesis and transfer", section 2.1); down, the cuts end at the height where they began, so
    that they meet when repeated. A direction without a seam is left alone. Slow changes of light across a tile cannot
    be hidden this way: look at `seam_error` of the result.

    Args:
        rgb: `b 3 h w`, floating point in [0, 1].
        alpha: `b 1 h w`, moved with its pixels; None: opaque.

    Returns:
        `b 3 h w`, and `b 1 h w` or None.

    Raises:
        ShapeError, ImageError: as `seam_error`.
    """
    seen = _seen(rgb, alpha)
    both = rgb if alpha is None else torch.cat([rgb, alpha], dim=1)  # b c h w
    tiles: list[Tensor] = []
    for tile, look in zip(both[:, None], seen[:, None], strict=True):
        if _excess(look) > 0:
            tile, look = _heal(tile, look)
        if _excess(look.transpose(2, 3)) > 0:
            tile = _heal(tile.transpose(2, 3), look.transpose(2, 3))[0].transpose(2, 3)
        tiles.append(tile)
    done = torch.cat(tiles)
    return done[:, :3].contiguous(), None if alpha is None else done[:, 3:].contiguous()


def repeat(rgb: Tensor, columns: int = 3, rows: int = 3, alpha: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
    """Tiles side by side, to look at.

    Args:
        rgb: `b 3 h w`, floating point in [0, 1].
        columns: how often across, 1 or more.
        rows: how often down, 1 or more.
        alpha: `b 1 h w`, or None.

    Returns:
        `b 3 h*rows w*columns`, and `b 1 h*rows w*columns` or None.

    Raises:
        ShapeError, ImageError: as `seam_error`.
        SheetError: counts below 1, or a preview that is too large.
    """
    _check(rgb, alpha)
    if columns < 1 or rows < 1 or rgb.shape[0] * rgb.shape[2] * rgb.shape[3] * columns * rows > _MOST_PIXELS:
        msg = f"{columns} columns and {rows} rows of {rgb.shape[3]}x{rgb.shape[2]} tiles: expected 1 or more, and less"
        raise SheetError(f"{msg} than {_MOST_PIXELS} pixels together")
    return rgb.repeat(1, 1, rows, columns), None if alpha is None else alpha.repeat(1, 1, rows, columns)


def _check(rgb: Tensor, alpha: Tensor | None) -> None:
    check_image(rgb, "rgb")
    if alpha is None:
        return
    check_image(alpha, "alpha", channels=(1,))
    if alpha.shape[0] != rgb.shape[0] or alpha.shape[2:] != rgb.shape[2:]:
        msg = f"alpha has the shape {tuple(alpha.shape)}, expected that of rgb {tuple(rgb.shape)} with one channel"
        raise ShapeError(msg)


def _seen(rgb: Tensor, alpha: Tensor | None) -> Tensor:
    """What two pixels are compared by, `b 4 h w`: Oklab, weighed by opacity, and opacity."""
    _check(rgb, alpha)
    lab = srgb_to_oklab(rgb.detach().float().clamp(0, 1))
    opacity = torch.ones_like(lab[:, :1]) if alpha is None else alpha.detach().float().clamp(0, 1)
    return torch.cat([lab * opacity, opacity], dim=1)


def _excess(seen: Tensor) -> float:
    """How far the step from the last column to the first is over the largest between columns; 0 for one column."""
    if seen.shape[3] < 2:
        return 0.0
    steps = (seen.roll(-1, 3) - seen).norm(dim=1).mean(dim=1)  # b w
    return float((steps[:, -1] - steps[:, :-1].amax(dim=1)).clamp(min=0).max())


def _heal(tile: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
    """Make one tile wrap across. `1 c h w` each; the cuts end at the column where they began."""
    width = tile.shape[3]
    half = width // 2
    if half < 3:
        return tile, seen
    moved, moved_seen = tile.roll(half, 3), seen.roll(half, 3)
    difference = (seen - moved_seen).norm(dim=1)[0]  # h w
    between = difference[:, 1:] + difference[:, :-1]  # h w-1: the cost of a cut left of column 1, 2 …
    reach = min(half - 1, max(2, width // _SHARE), _REACH)
    begin = _cut(between[:, half - 1 - reach : half - 1]) + half - reach  # h: the first column of the strip
    end = _cut(between[:, half : min(half + reach, width - 1)]) + half + 1  # h: the first after it
    columns = torch.arange(width, device=tile.device)
    strip = (columns >= begin[:, None]) & (columns < end[:, None])  # h w
    return torch.where(strip, tile, moved), torch.where(strip, seen, moved_seen)


def _cut(cost: Tensor) -> Tensor:
    """The cheapest way from top to bottom, at most one column aside a row, that ends beside where it began.

    Args:
        cost: `h n`, 0 or more.

    Returns:
        `h`, int64, the column in every row.
    """
    count = cost.shape[1]
    # One table for every column that the cut may begin in: s n.
    total = torch.full((count, count), float("inf"), device=cost.device)
    total.fill_diagonal_(0)
    total = total + cost[0]
    came: list[Tensor] = []
    for row in cost[1:]:
        padded = torch.nn.functional.pad(total, (1, 1), value=float("inf"))
        best = torch.stack([padded[:, 1:-1], padded[:, :-2], padded[:, 2:]]).min(dim=0)
        came.append(best.indices.to(torch.int8))
        total = best.values + row
    columns = torch.arange(count, device=cost.device)
    total = total.masked_fill((columns - columns[:, None]).abs() > 1, float("inf"))
    start, column = divmod(int(total.argmin()), count)
    way = [column]
    for step in reversed(came):
        way.append(way[-1] + (0, -1, 1)[int(step[start, way[-1]])])
    return torch.tensor(way[::-1], device=cost.device)
