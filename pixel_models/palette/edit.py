"""Editing palettes: sort, permute, cycle, merge near-duplicates, reduce to a number of colours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor

from ..color import srgb_to_oklab
from ..errors import PaletteError
from ..image import from_uint8
from .core import Palette
from .indexed import IndexedImage
from .swap import remap

SortKey = Literal["lightness", "hue", "chroma"]
"""What a palette is sorted by."""

SORT_KEYS: tuple[SortKey, ...] = get_args(SortKey)
"""Every `SortKey`."""

MAX_EDIT_COLORS = 1024
"""Merging and reducing compare every colour with every other one."""

# Below this Oklab chroma a colour counts as grey, and greys come before all hues.
_GREY = 0.02


def palette_order(palette: Palette, by: SortKey = "lightness") -> Tensor:
    """The order in which a palette is sorted, ascending; equal colours keep theirs.

    Args:
        palette: k colours.
        by: Oklab lightness; hue (greys first, from dark to light, then from red over yellow, green and blue); chroma.

    Returns:
        `k`, int64: the old places of the colours, in their new order.

    Raises:
        PaletteError: `by` is not known.
    """
    if by not in SORT_KEYS:
        msg = f"{by!r} is nothing to sort by; expected one of {', '.join(SORT_KEYS)}"
        raise PaletteError(msg)
    lab = srgb_to_oklab(from_uint8(palette.colors), dim=1)  # k 3
    order = lab[:, 0].argsort(stable=True)
    if by == "lightness":
        return order
    chroma = lab[:, 1:].norm(dim=1)
    hue = torch.atan2(lab[:, 2], lab[:, 1]) % (2 * math.pi)
    key = chroma if by == "chroma" else hue.masked_fill(chroma < _GREY, -1)
    return order[key[order].argsort(stable=True)]


def sort_palette(palette: Palette, by: SortKey = "lightness") -> Palette:
    """The same colours in another order; see `palette_order`."""
    return Palette(palette.colors[palette_order(palette, by)], palette.name)


def permute_palette(picture: IndexedImage, order: Tensor | Sequence[int]) -> IndexedImage:
    """Reorder a picture's palette and its indices with it, so that no pixel changes.

    Args:
        picture: k colours.
        order: the old places of the colours, in their new order: each of 0 to k - 1 once.

    Raises:
        PaletteError: `order` is no permutation.
    """
    places = torch.as_tensor(order, dtype=torch.int64).cpu()
    if not torch.equal(places.flatten().sort().values, torch.arange(len(picture.palette))) or places.ndim != 1:
        msg = f"order: expected each of 0 to {len(picture.palette) - 1} once, got {places.flatten().tolist()[:20]}"
        raise PaletteError(msg)
    return remap(picture, places.argsort(), Palette(picture.palette.colors[places], picture.palette.name))


def cycle_palette(palette: Palette, first: int, last: int, steps: int = 1) -> Palette:
    """Move the entries `first` to `last` on by `steps` places, round and round; negative steps go back.

    Raises:
        PaletteError: not 0 <= first <= last < k.
    """
    places = torch.arange(len(palette))
    places[first : last + 1] = _cycled(palette, first, last, -steps)
    return Palette(palette.colors[places], palette.name)


def cycle_frames(picture: IndexedImage, first: int, last: int, *, backwards: bool = False) -> IndexedImage:
    """Animate a picture by palette cycling: one frame a step, until the colours are back where they began.

    Args:
        picture: one frame, or several that each are cycled in turn.
        first: the first palette entry of the cycle.
        last: its last one.
        backwards: move colours towards the first entry instead of the last.

    Returns:
        `b * n` frames, n = last - first + 1, with the same palette; the first of each n is the frame itself.

    Raises:
        PaletteError: not 0 <= first <= last < k.
    """
    frames = []
    for step in range(last - first + 1):
        becomes = torch.arange(len(picture.palette))
        becomes[first : last + 1] = _cycled(picture.palette, first, last, step if backwards else -step)
        frames.append(remap(picture, becomes, picture.palette).indices)
    if not frames:
        _cycled(picture.palette, first, last, 0)
    indices = torch.stack(frames, dim=1).flatten(0, 1)  # b*n h w
    clear = None if picture.transparent is None else picture.transparent.repeat_interleave(len(frames), dim=0)
    return IndexedImage(indices, picture.palette, clear)


def _cycled(palette: Palette, first: int, last: int, steps: int) -> Tensor:
    if not 0 <= first <= last < len(palette):
        msg = f"a cycle from {first} to {last}: expected 0 <= first <= last < {len(palette)}"
        raise PaletteError(msg)
    count = last - first + 1
    return first + (torch.arange(count) + steps) % count


def merge_near(palette: Palette, distance: float = 0.02, weights: Tensor | None = None) -> tuple[Palette, Tensor]:
    """Merge colours that are hardly told apart, the nearest pair first; of a pair the heavier stays as it is.

    Args:
        palette: k colours, at most `MAX_EDIT_COLORS`.
        distance: colours nearer than this in Oklab are merged; 0.02 is about where eyes begin to tell them apart.
            Equal colours always are.
        weights: `k`, 0 or more: what each colour counts, as from `count_colors`. None counts all alike.

    Returns:
        The colours that stay, in their order and at least `distance` apart, and for every old colour the place of the
        nearest of them: `k`, int64, as `remap` takes it.

    Raises:
        PaletteError: a palette that is too long, a distance that is negative, or weights that do not fit.
    """
    if not 0 <= distance < math.inf:
        msg = f"distance is {distance}, expected 0 or more"
        raise PaletteError(msg)
    return _thin(palette, weights, distance, 1, by_cost=False)


def reduce_palette(palette: Palette, count: int, weights: Tensor | None = None) -> tuple[Palette, Tensor]:
    """Keep `count` colours of a palette: the one that costs least, its weight times the way to the next, goes first.

    Args:
        palette: k colours, at most `MAX_EDIT_COLORS`.
        count: how many to keep, 1 or more; a shorter palette stays as it is.
        weights: `k`, 0 or more: what each colour counts, as from `count_colors`. None counts all alike.

    Returns:
        As `merge_near`.

    Raises:
        PaletteError: a palette that is too long, a count below 1, or weights that do not fit.
    """
    if count < 1:
        msg = f"a palette needs at least one colour, got a count of {count}"
        raise PaletteError(msg)
    return _thin(palette, weights, math.inf, count, by_cost=True)


def _thin(
    palette: Palette, weights: Tensor | None, limit: float, keep: int, *, by_cost: bool
) -> tuple[Palette, Tensor]:
    """Drop one colour after the other in favour of its nearest, while more than `keep` are left and one is in reach."""
    size = len(palette)
    weight = _check_weights(weights, size)
    lab = srgb_to_oklab(from_uint8(palette.colors), dim=1).double()  # k 3
    apart = torch.cdist(lab, lab, compute_mode="donot_use_mm_for_euclid_dist").fill_diagonal_(math.inf)  # k k
    alive = torch.ones(size, dtype=torch.bool)
    for _ in range(size - keep):
        nearest, other = apart.min(dim=1)
        if by_cost:
            cost = (nearest * weight).masked_fill(~alive, math.inf)
            least = cost == cost.min()
            # where nothing counts, as among colours that are not used, the nearest to another goes first
            drop = int(nearest.masked_fill(~least, math.inf).argmin())
            if math.isinf(float(nearest[drop])):
                break
        else:
            pair = int(nearest.argmin())
            if not (float(nearest[pair]) < limit or float(nearest[pair]) == 0):
                break
            drop = max((pair, int(other[pair])), key=lambda i: (-float(weight[i]), i))
        weight[other[drop]] += weight[drop]
        alive[drop] = False
        apart[drop] = apart[:, drop] = math.inf
    stands = torch.cdist(lab, lab[alive], compute_mode="donot_use_mm_for_euclid_dist").argmin(dim=1)  # k
    return Palette(palette.colors[alive], palette.name), stands


def _check_weights(weights: Tensor | None, size: int) -> Tensor:
    if size > MAX_EDIT_COLORS:
        msg = f"{size} colours are too many to compare (at most {MAX_EDIT_COLORS}); extract a palette instead"
        raise PaletteError(msg)
    if weights is None:
        return torch.ones(size, dtype=torch.float64)
    weight = weights.detach().double().cpu().clone()
    if weight.shape != (size,) or not bool(torch.isfinite(weight).all()) or bool((weight < 0).any()):
        msg = f"weights: expected {size} finite values of 0 or more, got {tuple(weights.shape)}"
        raise PaletteError(msg)
    return weight
