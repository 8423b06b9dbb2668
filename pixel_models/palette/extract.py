"""Finds the palette of a picture: k-means in Oklab over its distinct colours."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..color import oklab_to_srgb, srgb_to_oklab
from ..errors import ImageError, PaletteError, ShapeError
from ..image import check_image, from_uint8, to_uint8
from .core import Palette
from .kmeans import fit_centres

Array = NDArray[Any]

_BITS = 6
# More points than this are merged on a grid in Oklab first.
_MAX_POINTS = 2048
_GRID = 0.012
# Full accents: hue and chroma count so much more than lightness, and crowds are thinned by this exponent. Chosen by
# looking at photographs: skin, eyes and small coloured things come back; more than that greys out shading.
_ACCENT_STRETCH = 3.0
_ACCENT_THIN = 0.5
# Colours nearer than about this, in Oklab, count as one crowd when accents are favoured.
_CROWD = 0.05


def extract_palette(
    rgb: Tensor,
    colors: int,
    *,
    weight: Tensor | None = None,
    accents: float = 0.0,
    seed: int = 0,
    keep: Palette | None = None,
    restarts: int = 1,
) -> Palette:
    """Choose the colours that serve a picture, or several pictures together, best.

    k-means in Oklab; small patches of a colour that stands alone keep an entry, the more surely the more entries there
    are, up to sixteen. When the pictures have no more than `colors` distinct 8-bit colours, exactly those are returned.

    Args:
        rgb: `b 3 h w`, floating point in [0, 1]; all pictures share the palette.
        colors: the most entries, 1 or more.
        weight: `b 1 h w`, 0 or more: how much a pixel counts; 0 leaves it out. None counts all alike.
        accents: 0 to 1, how much small areas of another hue (eyes, skin, a flower) are favoured over shades of
            large ones. 0 is the least mean Oklab error; 0.5 costs 10 to 20 % more of it and mostly looks better.
        seed: same seed, same palette.
        keep: colours that are in the palette whatever the pictures hold; the others are chosen around them.
        restarts: how often to begin anew, 1 or more; the best try is taken.

    Returns:
        At most `colors` distinct colours, dark to light. When every pixel is left out: those of `keep`, or black alone.

    Raises:
        ShapeError, ImageError: `rgb` or `weight` is not as above.
        PaletteError: `colors` or `restarts` is below 1, `keep` has more than `colors`, or `accents` is outside 0 to 1.
    """
    check_image(rgb, "rgb")
    kept = check_colors(colors, keep)
    if not 0 <= accents <= 1:
        msg = f"accents is {accents}, expected 0 to 1"
        raise PaletteError(msg)
    if restarts < 1:
        msg = f"restarts is {restarts}, expected 1 or more"
        raise PaletteError(msg)
    pixels = to_uint8(rgb.detach()).permute(0, 2, 3, 1).reshape(-1, 3).cpu().numpy()  # n 3
    share = None if weight is None else check_weight(weight, rgb)
    if share is not None:
        pixels, share = pixels[share > 0], share[share > 0]
    if len(pixels) == 0:
        return by_lightness(kept if len(kept) else np.zeros((1, 3), np.uint8))
    means, counts = histogram(pixels, share)
    if len(means) <= colors:
        exact = np.unique(np.concatenate([kept, pixels]), axis=0)
        if len(exact) <= colors:
            return by_lightness(exact)
        means, counts = _exact_histogram(pixels, share)
    free = colors - len(kept)
    if free == 0:
        return by_lightness(kept)
    points, weights = merge_points(oklab_of(means), counts, colors)
    stretch = np.array([1, *[1 + _ACCENT_STRETCH * accents] * 2], np.float32)
    weights = _thin_crowds(points * stretch, weights, _ACCENT_THIN * accents)
    rng, fixed = np.random.default_rng(seed), oklab_of(kept) * stretch
    free = min(free, len(points))
    centres = fit_centres(points * stretch, weights, free, rng, fixed=fixed, restarts=restarts) / stretch
    entries = to_uint8(oklab_to_srgb(torch.from_numpy(centres), dim=1)).numpy()  # k 3
    return by_lightness(np.unique(np.concatenate([kept, entries]), axis=0))


def check_colors(colors: int, keep: Palette | None) -> Array:
    """The distinct colours to keep, `f 3`, uint8; refuses a palette without entries, or with too few for them."""
    if colors < 1:
        msg = f"a palette needs at least one colour, got {colors}"
        raise PaletteError(msg)
    kept = np.empty((0, 3), np.uint8) if keep is None else np.unique(keep.colors.numpy(), axis=0)
    if len(kept) > colors:
        msg = f"{len(kept)} colours to keep do not fit into a palette of {colors}; ask for more or keep fewer"
        raise PaletteError(msg)
    return kept


def oklab_of(colors: Array) -> Array:
    """`n 3`, in [0, 255], to `n 3`, float32."""
    return srgb_to_oklab(torch.from_numpy(colors).float() / 255, dim=1).numpy()


def check_weight(weight: Tensor, rgb: Tensor) -> Array:
    """How much each pixel of `rgb` counts, `b*h*w`, float64; refuses weights of another shape, negative or infinite."""
    b, _, h, w = rgb.shape
    if weight.shape != (b, 1, h, w):
        msg = f"weight: expected shape {(b, 1, h, w)}, got {tuple(weight.shape)}"
        raise ShapeError(msg)
    share = weight.detach().double().flatten().cpu()
    if not bool(torch.isfinite(share).all()) or bool((share < 0).any()):
        msg = "weight: expected finite values of 0 or more"
        raise ImageError(msg)
    return share.numpy()


def _pack(pixels: Array, bits: int) -> Array:
    red, green, blue = (pixels.astype(np.int32) >> (8 - bits)).T
    return (red << 2 * bits) | (green << bits) | blue


def histogram(pixels: Array, share: Array | None) -> tuple[Array, Array]:
    """Mean colours `n 3` and weights `n`, float32, of the 6-bit bins that are not empty."""
    keys = _pack(pixels, _BITS)
    return _means(keys, pixels, share, 2 ** (3 * _BITS))


def _exact_histogram(pixels: Array, share: Array | None) -> tuple[Array, Array]:
    """As `histogram`, of distinct 8-bit colours: for pictures of few, close colours."""
    _, keys = np.unique(_pack(pixels, 8), return_inverse=True)
    return _means(keys.reshape(-1), pixels, share, int(keys.max()) + 1)


def _means(keys: Array, values: Array, share: Array | None, size: int) -> tuple[Array, Array]:
    total = np.bincount(keys, share, size)
    used = np.flatnonzero(total > 0)
    weighted = values if share is None else values * share[:, None]
    sums = np.stack([np.bincount(keys, weighted[:, axis], size)[used] for axis in range(3)], 1)
    return (sums / total[used, None]).astype(np.float32), total[used].astype(np.float32)


def merge_points(points: Array, weights: Array, colors: int) -> tuple[Array, Array]:
    """Fewer points, by a grid in Oklab, so that many bins do not make it slow."""
    if len(points) <= max(_MAX_POINTS, 8 * colors):
        return points, weights
    cells = np.floor(points / _GRID).astype(np.int64)
    cells -= cells.min(0)
    spans = cells.max(0) + 1
    keys = (cells[:, 0] * spans[1] + cells[:, 1]) * spans[2] + cells[:, 2]
    merged = _means(keys, points, weights.astype(np.float64), int(np.prod(spans)))
    return merged if len(merged[0]) >= colors else (points, weights)


def _thin_crowds(points: Array, weights: Array, amount: float) -> Array:
    """Divide each weight by the weight around it to the power of `amount`, so that large areas count for less."""
    if amount == 0:
        return weights
    cells = np.floor(points / _CROWD + 0.5).astype(np.int64)
    cells -= cells.min(0) - 1  # a margin of one cell
    crowd = np.zeros(cells.max(0) + 2)
    np.add.at(crowd, tuple(cells.T), weights)
    for axis in range(3):
        crowd = (np.roll(crowd, 1, axis) + 2 * crowd + np.roll(crowd, -1, axis)) / 4
    share = crowd[tuple(cells.T)] / weights.sum()
    return (weights * share**-amount).astype(np.float32)


def by_lightness(entries: Array) -> Palette:
    """Palette of the colours `k 3`, uint8, dark to light in Oklab; equally light ones keep their order."""
    colors = torch.from_numpy(np.ascontiguousarray(entries))  # k 3
    lightness = srgb_to_oklab(from_uint8(colors), dim=1)[:, 0]
    return Palette(colors[lightness.argsort(stable=True)])
