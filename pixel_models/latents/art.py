"""Undecided pictures to strict pixel art: hard alpha, few colours, no stray cells."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional as F

from ..cleanup import cluster_cells, merge_orphans, part_sizes
from ..errors import PixelModelError
from ..palette import IndexedImage, Palette, extract_palette, index_exactly, nearest_indices
from ..sampling import StepCallback
from .networks import Pictures

Share = Literal["each its own", "one for all"]
"""Whether each sprite gets colours of its own, or all together get the same."""

SHARES: tuple[Share, ...] = get_args(Share)

COLORS_RANGE = (0, 256)
DEFAULT_COLORS = 16

SPECK, SPECK_SHARE = 3, 0.04
"""Opaque parts that touch nothing else are no drawing where they have at most so many cells, or so small a share of the
largest part's."""

_SIDES = ((0, 1), (2, 1), (1, 0), (1, 2))


def check_colors(colors: int, palette: Palette | None) -> None:
    """Refuse numbers of colours that are none, where no palette is given.

    Raises:
        PixelModelError: says which are possible.
    """
    low, high = COLORS_RANGE
    if palette is None and (not low <= colors <= high or colors == 1):
        msg = f"colors is {colors}, expected 2 to {high}, or {low} for all that the network gives"
        raise PixelModelError(msg)


def to_art(
    pictures: Pictures,
    *,
    colors: int = DEFAULT_COLORS,
    palette: Palette | None = None,
    share: Share = "each its own",
    clean: bool = True,
    seed: int = 0,
    callback: StepCallback | None = None,
) -> IndexedImage:
    """Decide what networks leave open.

    Alpha becomes 0 or 1, colours those of a palette; specks beside the sprite go, holes of one cell close,
    neighbours agree on a colour where that costs little, and orphans become their most similar neighbour.

    Args:
        pictures: of b sprites.
        colors: the most for a sprite, or for all together, 2 or more; 0: as they are, to 8 bits, and then there is
            nothing to agree on.
        palette: these colours instead.
        share: for `colors`.
        clean: take specks, holes, texture and orphans away.
        seed: of the search for colours.
        callback: called after each sprite that gets colours of its own; may raise to cancel.

    Returns:
        b sprites; without `palette`, its palette is exactly what occurs, dark to light.

    Raises:
        PixelModelError: a number of colours that is none, or no such `share`.
    """
    check_colors(colors, palette)
    if share not in SHARES:
        msg = f"share is {share!r}, expected one of {', '.join(SHARES)}"
        raise PixelModelError(msg)
    opaque = pictures.alpha[:, 0] >= 0.5
    rgb, agreement = pictures.rgb, pictures.agreement if clean else None
    if clean:
        solid = tidy(opaque)
        rgb, opaque = fill_holes(rgb, opaque, solid), solid
    alpha = opaque[:, None].float()
    if palette is not None:
        return _matched(rgb, opaque, palette, agreement)
    if not colors:
        return index_exactly(rgb * alpha, alpha)
    if share == "one for all":
        made = _matched(rgb, opaque, extract_palette(rgb, colors, weight=alpha, seed=seed), agreement).to_rgb()
    else:
        sprites = []
        for index, one in enumerate(rgb.split(1)):
            own = extract_palette(one, colors, weight=alpha[index : index + 1], seed=seed)
            sprites.append(_matched(one, opaque[index : index + 1], own, agreement).to_rgb())
            if callback is not None:
                callback(index + 1, len(rgb))
        made = torch.cat(sprites)
    return index_exactly(made, alpha)


def _matched(rgb: Tensor, opaque: Tensor, palette: Palette, agreement: float | None) -> IndexedImage:
    """In a palette; cleaned, unless `agreement` is None."""
    indices = nearest_indices(rgb, palette)
    if agreement is not None:
        indices = cluster_cells(rgb, indices, palette, opaque, agreement=agreement)
        indices = merge_orphans(indices, palette, opaque)
    return IndexedImage(indices, palette, None if bool(opaque.all()) else ~opaque)


def tidy(opaque: Tensor) -> Tensor:
    """Without specks and without holes of one cell; `b h w`, bool, to the same.

    A sprite of specks alone stays as it is.
    """
    sizes = part_sizes(opaque.long()) * opaque
    largest = sizes.flatten(1).amax(1)[:, None, None]
    kept = sizes > (SPECK_SHARE * largest).clamp_min(SPECK)
    kept = torch.where(kept.flatten(1).any(1)[:, None, None], kept, opaque)
    return kept | (_beside(kept) == 4)


def fill_holes(rgb: Tensor, before: Tensor, after: Tensor) -> Tensor:
    """Colours `b 3 h w` where cells `b h w` that were transparent became opaque: what lies above them."""
    filled = (after & ~before)[:, None]
    above = torch.cat([rgb[:, :, :1], rgb[:, :, :-1]], 2)
    return torch.where(filled, above, rgb)


def _beside(opaque: Tensor) -> Tensor:
    """How many of the four sides of each cell are opaque, `b h w`."""
    height, width = opaque.shape[1:]
    padded = F.pad(opaque.long(), (1, 1, 1, 1))
    return torch.stack([padded[:, y : y + height, x : x + width] for y, x in _SIDES]).sum(0)
