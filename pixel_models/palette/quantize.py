"""Palettes of a picture by median cut, by octree, and with as few colours as an error allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..color import oklab_to_srgb, srgb_to_oklab
from ..errors import PaletteError
from ..image import check_image, from_uint8, to_uint8
from .core import Palette
from .extract import by_lightness, check_colors, check_weight, extract_palette
from .indexed import nearest_indices

Array = NDArray[Any]

_DEPTH = 8
_BLACK = np.zeros((1, 3), np.uint8)


def median_cut(rgb: Tensor, colors: int, *, weight: Tensor | None = None, keep: Palette | None = None) -> Palette:
    """Cut the box of all colours in Oklab again and again (Heckbert 1982); an entry is the mean of its box.

    The box with the largest spread times weight is cut, at the weighted median of its longest side.

    Args:
        rgb: `b 3 h w`, floating point in [0, 1]; all pictures share the palette.
        colors: the most entries, 1 or more.
        weight: `b 1 h w`, 0 or more: how much a pixel counts; 0 leaves it out. None counts all alike.
        keep: colours that are in the palette whatever the pictures hold; the others are chosen from the colours that
            none of these would serve best.

    Returns:
        At most `colors` distinct colours, dark to light; exactly the pictures' when they have no more. Those of `keep`,
        or black alone, when every pixel is left out.

    Raises:
        ShapeError, ImageError: `rgb` or `weight` is not as above.
        PaletteError: `colors` is below 1, or below the number of colours to keep.
    """
    return _around(rgb, colors, weight, keep, _median_cut)


def octree(rgb: Tensor, colors: int, *, weight: Tensor | None = None, keep: Palette | None = None) -> Palette:
    """Halve each side of the RGB cube eight times, and fold back the lightest parts (Gervautz and Purgathofer 1988).

    Args, returns and errors are those of `median_cut`; a fold takes up to eight parts at once, so that up to seven
    entries may stay unused.
    """
    return _around(rgb, colors, weight, keep, _octree)


def _around(
    rgb: Tensor, colors: int, weight: Tensor | None, keep: Palette | None, cut: Callable[[Array, Array, int], Array]
) -> Palette:
    """Choose all, see which colours the kept ones serve, and choose again for the rest."""
    kept = check_colors(colors, keep)
    entries, shares = _distinct(rgb, weight)
    exact = np.unique(np.concatenate([kept, entries]), axis=0)
    if len(exact) <= colors:
        return by_lightness(exact if len(exact) else _BLACK)
    free = colors - len(kept)
    if len(kept) and free:
        first = np.concatenate([kept, cut(entries, shares, free)])
        chosen = nearest_indices(_picture(entries), Palette(torch.from_numpy(first)))[0, 0].numpy()
        entries, shares = entries[chosen >= len(kept)], shares[chosen >= len(kept)]
    found = cut(entries, shares, free) if free and len(entries) else kept
    return by_lightness(np.unique(np.concatenate([kept, found]), axis=0))


def _median_cut(entries: Array, shares: Array, colors: int) -> Array:
    """`n 3`, uint8, and how much each counts, to at most `colors` of them, `k 3`."""
    points = srgb_to_oklab(from_uint8(torch.from_numpy(entries)), dim=1).double().numpy()  # n 3
    boxes = [np.arange(len(points))]
    worth = [_worth(points, shares, boxes[0])]
    while len(boxes) < colors and max(worth) > 0:
        at = int(np.argmax(worth))
        box = boxes[at]
        axis = int(np.ptp(points[box], axis=0).argmax())
        box = box[points[box, axis].argsort(kind="stable")]
        heaped = shares[box].cumsum()
        cut = int(np.searchsorted(heaped, heaped[-1] / 2)) + 1
        cut = min(cut, len(box) - 1)
        boxes[at : at + 1] = [box[:cut], box[cut:]]
        worth[at : at + 1] = [_worth(points, shares, part) for part in boxes[at : at + 2]]
    means = np.stack([np.average(points[box], axis=0, weights=shares[box]) for box in boxes])
    return to_uint8(oklab_to_srgb(torch.from_numpy(means), dim=1)).numpy()


def _octree(entries: Array, shares: Array, colors: int) -> Array:
    """As `_median_cut`."""
    bits = np.unpackbits(entries[:, :, None], axis=2).astype(np.int64)  # n 3 8
    codes = np.zeros(len(entries), np.int64)
    for level in range(_DEPTH):
        for axis in range(3):
            codes = codes << 1 | bits[:, axis, level]
    sums = entries * shares[:, None]
    for _ in range(_DEPTH if len(codes) > colors else 0):
        parents, of = np.unique(codes >> 3, return_inverse=True)
        of = of.reshape(-1)
        saved = np.bincount(of) - 1
        order = np.bincount(of, shares).argsort(kind="stable")
        needed = len(codes) - colors
        # As few of the lightest parents as bring the number down far enough; all of them, and on, where none do.
        folds = int(np.searchsorted(saved[order].cumsum(), needed)) + 1
        folded = np.zeros(len(parents), bool)
        folded[order[:folds]] = True
        keys = np.where(folded[of], of, len(parents) + np.arange(len(codes)))
        _, group = np.unique(keys, return_inverse=True)
        group = group.reshape(-1)
        sums = np.stack([np.bincount(group, sums[:, axis]) for axis in range(3)], 1)
        shares = np.bincount(group, shares)
        first = np.zeros(len(shares), np.int64)
        first[group] = codes >> 3
        codes = first
        if len(codes) <= colors:
            break
    return np.rint(sums / shares[:, None]).astype(np.uint8)


def palette_for_error(
    rgb: Tensor,
    error: float,
    *,
    most: int = 256,
    weight: Tensor | None = None,
    seed: int = 0,
    keep: Palette | None = None,
    choose: Callable[[int], Palette] | None = None,
) -> Palette:
    """As few colours as a mean error needs, by `extract_palette` with more and fewer of them.

    Args:
        rgb: `b 3 h w`, floating point in [0, 1], taken at 8 bits; all pictures share the palette.
        error: mean Oklab distance of a pixel to its palette colour, above 0; 0.02 is hardly seen. 0 asks for all.
        most: the most entries, 1 or more.
        weight: as for `median_cut`.
        seed: same seed, same palette.
        keep: colours that are in the palette whatever the pictures hold; the others are chosen around them.
        choose: makes a palette of at most so many colours, with those to keep; None is `extract_palette`.

    Returns:
        A palette that keeps to the error, found by bisection: one colour fewer missed it.

    Raises:
        ShapeError, ImageError: `rgb` or `weight` is not as above.
        PaletteError: `error` is no number of at least 0, `most` is below 1 or below the number of colours to keep, or
            so many colours are not enough.
    """
    if not 0 <= error < float("inf"):
        msg = f"error is {error}, expected a finite Oklab distance of 0 or more"
        raise PaletteError(msg)
    kept = check_colors(most, keep)
    entries, shares = _distinct(rgb, weight)

    def attempt(count: int) -> tuple[Palette, float]:
        found = choose(count) if choose else extract_palette(rgb, count, weight=weight, seed=seed, keep=keep)
        return found, _mean_error(entries, shares, found)

    low, high = max(0, len(kept) - 1), max(1, len(kept))
    palette, reached = attempt(high)
    while reached > error:
        if high == most:
            msg = f"{most} colours leave an error of {reached:.4f}, expected at most {error}; allow more of either"
            raise PaletteError(msg)
        low, high = high, min(2 * high, most)
        palette, reached = attempt(high)
    while high - low > 1:
        middle = (low + high) // 2
        trial, reached = attempt(middle)
        if reached <= error:
            high, palette = middle, trial
        else:
            low = middle
    return palette


def _mean_error(entries: Array, shares: Array, palette: Palette) -> float:
    """Mean Oklab distance of colours to a palette; exactly 0 when it has them all, or when there are none."""
    if len(entries) == 0:
        return 0.0
    picture = _picture(entries)
    nearest = palette.colors[nearest_indices(picture, palette)[0, 0]]  # n 3
    away = (srgb_to_oklab(picture)[0, :, 0].T - srgb_to_oklab(from_uint8(nearest), dim=1)).norm(dim=1).numpy()
    return float(np.average(np.where((nearest.numpy() == entries).all(1), 0, away), weights=shares))


def _worth(points: Array, shares: Array, box: Array) -> float:
    return float(np.ptp(points[box], axis=0).max() * shares[box].sum()) if len(box) > 1 else 0.0


def _picture(entries: Array) -> Tensor:
    """`n 3`, uint8, to `1 3 1 n`."""
    return from_uint8(torch.from_numpy(entries)).T[None, :, None]


def _distinct(rgb: Tensor, weight: Tensor | None) -> tuple[Array, Array]:
    """The 8-bit colours that count, `n 3`, and how much, `n`, float64."""
    check_image(rgb, "rgb")
    pixels = to_uint8(rgb.detach()).permute(0, 2, 3, 1).reshape(-1, 3).cpu().numpy()
    keys = (pixels.astype(np.int32) * np.array([65536, 256, 1], np.int32)).sum(1)
    shares = np.ones(len(keys)) if weight is None else check_weight(weight, rgb)
    keys, of = np.unique(keys[shares > 0], return_inverse=True)
    total = np.bincount(of.reshape(-1), shares[shares > 0])
    return np.stack([keys >> 16, keys >> 8 & 255, keys & 255], 1).astype(np.uint8), total
