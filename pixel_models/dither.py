"""Dither to a palette: ordered (Bayer, blue noise, clustered dot, Knoll's pattern) and error diffusion."""

from __future__ import annotations

import functools
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .color import linear_to_srgb, srgb_to_linear, srgb_to_oklab
from .errors import PaletteError, ShapeError
from .image import check_image, from_uint8
from .palette import Palette, nearest_indices

Array = NDArray[Any]

Ordered = Literal["bayer2", "bayer4", "bayer8", "bayer16", "blue_noise", "clustered_dot", "knoll"]
ORDERED: tuple[Ordered, ...] = get_args(Ordered)
"""Dithers that depend on a pixel's colour and place alone, and so stay put from frame to frame."""

Diffusion = Literal["floyd_steinberg", "atkinson", "jarvis", "stucki", "burkes", "sierra"]
DIFFUSIONS: tuple[Diffusion, ...] = get_args(Diffusion)
"""Dithers that hand the error of a pixel on to its neighbours."""

# Divisor, then one row of weights a line: those of the pixel's own line begin beside it, the others two to its left.
# Floyd and Steinberg 1976; Atkinson (HyperScan); Jarvis, Judice and Ninke 1976; Stucki 1981; Burkes 1988; Sierra 1989.
_KERNELS: dict[Diffusion, tuple[int, tuple[tuple[int, ...], ...]]] = {
    "floyd_steinberg": (16, ((7, 0), (0, 3, 5, 1, 0))),
    "atkinson": (8, ((1, 1), (0, 1, 1, 1, 0), (0, 0, 1, 0, 0))),
    "jarvis": (48, ((7, 5), (3, 5, 7, 5, 3), (1, 3, 5, 3, 1))),
    "stucki": (42, ((8, 4), (2, 4, 8, 4, 2), (1, 2, 4, 2, 1))),
    "burkes": (32, ((8, 4), (2, 4, 8, 4, 2))),
    "sierra": (32, ((5, 3), (2, 4, 5, 4, 2), (0, 2, 3, 2, 0))),
}
# Errors beyond this are dropped: they grow without end where the palette does not enclose the picture's colours.
_BOUNDS = (-1, 2)
_PATTERN = 16
_BLUE_SIDE = 64
_BLUE_SIGMA = 1.9


@functools.cache
def threshold_map(name: Ordered) -> Tensor:
    """The matrix of an ordered dither; "knoll" uses that of "bayer4".

    Args:
        name: one of `ORDERED`.

    Returns:
        `s s`, float32, every value of (0.5 + i) / s² - 0.5 once, so between -0.5 and 0.5 with mean 0.

    Raises:
        PaletteError: no such dither.
    """
    if name == "blue_noise":
        ranks = _void_and_cluster(_BLUE_SIDE)
    elif name == "clustered_dot":
        y, x = np.mgrid[:8, :8] + 0.5
        # A dot that grows from the middle, and one that shrinks to the corners: the spot function of half-tone screens.
        spot = np.cos(np.pi * (x - 4) / 4) + np.cos(np.pi * (y - 4) / 4) + 1e-3 * np.arctan2(y - 4.1, x - 4.2)
        ranks = (-spot).reshape(-1).argsort(kind="stable").argsort(kind="stable").reshape(8, 8)
    elif name in ORDERED:
        ranks = np.zeros((1, 1), np.int64)
        for _ in range({"bayer2": 1, "bayer4": 2, "knoll": 2, "bayer8": 3, "bayer16": 4}[name]):
            ranks = np.block([[4 * ranks, 4 * ranks + 2], [4 * ranks + 3, 4 * ranks + 1]])  # Bayer 1973
    else:
        msg = f"{name!r} is no ordered dither; expected one of {', '.join(ORDERED)}"
        raise PaletteError(msg)
    return torch.from_numpy(((ranks + 0.5) / ranks.size - 0.5).astype(np.float32))


def ordered_dither(rgb: Tensor, palette: Palette, name: Ordered = "bayer4", *, strength: float = 1.0) -> Tensor:
    """Shift every pixel by a matrix that repeats over the picture, then take the nearest palette colour in Oklab.

    Args:
        rgb: `b 3 h w`, floating point in [0, 1]; each picture begins at the matrix's corner.
        palette: k colours.
        name: which matrix; "knoll" is pattern dither (Knoll, US patent 6606166, expired), which mixes each colour from
            16 palette colours and so fits palettes with uneven steps.
        strength: 0 (none) to 1 (as wide as the mean step between neighbouring palette colours), or more.

    Returns:
        `b h w`, int64 indices.

    Raises:
        ShapeError, ImageError: `rgb` is no picture.
        PaletteError: no such dither, or `strength` below 0.
    """
    check_image(rgb, "rgb")
    _check_strength(strength)
    matrix = threshold_map(name).to(rgb.device)
    side, (h, w) = len(matrix), rgb.shape[2:]
    tiled = matrix.repeat(-(-h // side), -(-w // side))[:h, :w]
    rgb = rgb.detach().float()
    if name == "knoll":
        return _knoll(rgb, palette, tiled, strength)
    return nearest_indices((rgb + strength * _mean_step(palette) * tiled).clamp(0, 1), palette)


def diffuse(
    rgb: Tensor,
    palette: Palette,
    name: Diffusion = "floyd_steinberg",
    *,
    serpentine: bool = False,
    strength: float = 1.0,
    linear: bool = False,
    opaque: Tensor | None = None,
) -> Tensor:
    """Take the nearest palette colour in Oklab pixel by pixel, and hand the error on.

    Without `serpentine`, pixels along a slanted line do not depend on each other and are done together.

    Args:
        rgb: `b 3 h w`, floating point in [0, 1].
        palette: k colours.
        name: which neighbours get how much.
        serpentine: every second line from right to left: fewer worms, but one pixel at a time and so many times slower.
        strength: share of the error that is handed on, 0 to 1.
        linear: hand on light (physically right mixtures) instead of gamma-coded sRGB.
        opaque: `b h w`, bool; other pixels hand nothing on. None: all.

    Returns:
        `b h w`, int64 indices, on the device of `rgb`; computed on the CPU.

    Raises:
        ShapeError, ImageError: `rgb` is no picture, or `opaque` does not fit.
        PaletteError: no such dither, or `strength` outside 0 to 1.
    """
    check_image(rgb, "rgb")
    _check_strength(strength, most=1)
    if name not in _KERNELS:
        msg = f"{name!r} is no error diffusion; expected one of {', '.join(DIFFUSIONS)}"
        raise PaletteError(msg)
    b, _, h, w = rgb.shape
    if opaque is not None and (opaque.shape != (b, h, w) or opaque.dtype != torch.bool):
        msg = f"opaque is a bool tensor {(b, h, w)}, got {opaque.dtype} {tuple(opaque.shape)}"
        raise ShapeError(msg)
    convert = srgb_to_linear if linear else torch.Tensor.float
    values = np.zeros((b, h + 2, w + 4, 3), np.float32)  # a margin takes what leaves the picture
    values[:, :h, 2:-2] = convert(rgb.detach().float().cpu()).permute(0, 2, 3, 1).numpy()
    colors = from_uint8(palette.colors)
    wanted, targets = srgb_to_oklab(colors, dim=1).numpy(), convert(colors).numpy()  # k 3
    shares = np.full((b, h, w), strength, np.float32)
    if opaque is not None:
        shares *= opaque.cpu().numpy()
    divisor, lines = _KERNELS[name]
    spread = [
        (dy, dx, np.float32(weight / divisor))
        for dy, line in enumerate(lines)
        for dx, weight in enumerate(line, -2 if dy else 1)
        if weight
    ]
    indices = np.empty((b, h, w), np.int64)
    for y, x, way in _schedule(h, w, serpentine):
        now = values[:, y, x + 2].clip(*_BOUNDS)  # b m 3
        flat = torch.from_numpy(now.reshape(-1, 3)).clamp(0, 1)
        lab = srgb_to_oklab(linear_to_srgb(flat) if linear else flat, dim=1).numpy()
        chosen = ((lab[:, None] - wanted) ** 2).sum(2).argmin(1).reshape(b, -1)
        indices[:, y, x] = chosen
        error = (now - targets[chosen]) * shares[:, y, x, None]
        for dy, dx, weight in spread:
            values[:, y + dy, x + 2 + way * dx] += error * weight
    return torch.from_numpy(indices).to(rgb.device)


def _check_strength(strength: float, most: float = float("inf")) -> None:
    if not 0 <= strength <= most or strength == float("inf"):
        msg = f"strength is {strength}, expected " + ("0 to 1" if most == 1 else "0 or more")
        raise PaletteError(msg)


def _mean_step(palette: Palette) -> float:
    """Mean over the colours of the largest channel difference to the nearest other one; 0 for one colour."""
    colors = from_uint8(palette.colors).unique(dim=0)
    if len(colors) == 1:
        return 0.0
    away = torch.cdist(colors, colors, p=float("inf")).fill_diagonal_(float("inf"))
    return float(away.min(dim=1).values.mean())


def _knoll(rgb: Tensor, palette: Palette, tiled: Tensor, strength: float) -> Tensor:
    """Collect 16 colours whose mean is the pixel's, order them by lightness, and take one by place."""
    colors = from_uint8(palette.colors).to(rgb.device)
    order = srgb_to_oklab(colors, dim=1)[:, 0].argsort(stable=True)
    rank = order.argsort()
    error, mix = torch.zeros_like(rgb), []
    for _ in range(_PATTERN):
        chosen = nearest_indices((rgb + strength * error).clamp(0, 1), palette)
        error = error + rgb - colors[chosen].permute(0, 3, 1, 2)
        mix.append(rank[chosen])
    place = ((tiled + 0.5) * _PATTERN).long().expand(len(rgb), 1, *tiled.shape)
    return order[torch.stack(mix, 1).sort(dim=1).values.gather(1, place)[:, 0]]


def _schedule(h: int, w: int, serpentine: bool) -> list[tuple[Array, Array, int]]:
    """Rows, columns and direction of the pixels that are done together, in order."""
    if serpentine:
        ways = [1 if y % 2 == 0 else -1 for y in range(h)]
        return [(np.array([y]), np.array([x]), ways[y]) for y in range(h) for x in range(w)[:: ways[y]]]
    steps: list[tuple[Array, Array, int]] = []
    for time in range(w + 3 * (h - 1)):  # a line runs three pixels behind the one above: kernels reach two
        y = np.arange(max(0, -((w - 1 - time) // 3)), min(h - 1, time // 3) + 1)
        if len(y):
            steps.append((y, time - 3 * y, 1))
    return steps


def _void_and_cluster(side: int) -> Array:
    """Ranks of a blue-noise matrix: Ulichney, "The void-and-cluster method for dither array generation" (1993)."""
    offset = np.minimum(np.arange(side), side - np.arange(side))
    bump = np.exp(-(offset[:, None] ** 2 + offset**2) / (2 * _BLUE_SIGMA**2))
    wide = np.tile(bump, (2, 2))
    energy, count = np.zeros((side, side)), side * side
    ones = np.zeros((side, side), bool)

    def put(place: int, value: bool) -> None:
        y, x = divmod(place, side)
        ones[y, x] = value
        energy[:] += (1 if value else -1) * wide[side - y : 2 * side - y, side - x : 2 * side - x]

    def cluster() -> int:
        return int(np.where(ones, energy, -np.inf).argmax())

    def void() -> int:
        return int(np.where(ones, np.inf, energy).argmin())

    for place in np.random.default_rng(0).permutation(count)[: count // 10]:
        put(int(place), True)
    while True:  # until the tightest cluster is the largest void
        taken = cluster()
        put(taken, False)
        free = void()
        put(free, True)
        if free == taken:
            break
    ranks, start, seed = np.empty(count, np.int64), ones.copy(), int(ones.sum())
    for rank in range(seed - 1, -1, -1):
        ranks[taken := cluster()] = rank
        put(taken, False)
    energy[:] = 0
    for place in np.flatnonzero(start):
        put(int(place), True)
    for rank in range(seed, count):
        ranks[free := void()] = rank
        put(free, True)
    return ranks.reshape(side, side)
