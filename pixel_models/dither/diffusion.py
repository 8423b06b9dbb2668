"""Error diffusion: a pixel hands what its palette colour lacks on to its neighbours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..color import linear_to_srgb, srgb_to_linear
from ..errors import PaletteError, ShapeError
from ..image import check_image, from_uint8
from ..palette import Palette, Space
from ..palette.distance import check_space, coordinates, nearest_ciede2000
from .rows import BOUNDS, diffuse_rows

Array = NDArray[Any]

Diffusion = Literal["floyd_steinberg", "atkinson", "jarvis", "stucki", "burkes", "sierra"]
DIFFUSIONS: tuple[Diffusion, ...] = get_args(Diffusion)
"""Dithers that hand the error of a pixel on to its neighbours."""

# Divisor, then one row of weights a line: those of the pixel's own line begin beside it, the others two to its left.
# Floyd and Steinberg 1976; Atkinson (HyperScan); Jarvis, Judice and Ninke 1976; Stucki 1981; Burkes 1988; Sierra 1989.
KERNELS: dict[Diffusion, tuple[int, tuple[tuple[int, ...], ...]]] = {
    "floyd_steinberg": (16, ((7, 0), (0, 3, 5, 1, 0))),
    "atkinson": (8, ((1, 1), (0, 1, 1, 1, 0), (0, 0, 1, 0, 0))),
    "jarvis": (48, ((7, 5), (3, 5, 7, 5, 3), (1, 3, 5, 3, 1))),
    "stucki": (42, ((8, 4), (2, 4, 8, 4, 2), (1, 2, 4, 2, 1))),
    "burkes": (32, ((8, 4), (2, 4, 8, 4, 2))),
    "sierra": (32, ((5, 3), (2, 4, 5, 4, 2), (0, 2, 3, 2, 0))),
}


def diffuse(
    rgb: Tensor,
    palette: Palette,
    name: Diffusion = "floyd_steinberg",
    *,
    serpentine: bool = False,
    strength: float = 1.0,
    linear: bool = False,
    opaque: Tensor | None = None,
    space: Space = "oklab",
) -> Tensor:
    """Take the nearest palette colour pixel by pixel, and hand the error on.

    Without `serpentine`, pixels along a slanted line do not depend on each other and are done together.

    Args:
        rgb: `b 3 h w`, floating point in [0, 1].
        palette: k colours.
        name: which neighbours get how much.
        serpentine: every second line from right to left: fewer worms, but one pixel at a time; slow for "ciede2000".
        strength: share of the error that is handed on, 0 to 1.
        linear: hand on light (physically right mixtures) instead of gamma-coded sRGB.
        opaque: `b h w`, bool; other pixels hand nothing on. None: all.
        space: which difference decides what is nearest.

    Returns:
        `b h w`, int64 indices, on the device of `rgb`; computed on the CPU.

    Raises:
        ShapeError, ImageError: `rgb` is no picture, or `opaque` does not fit.
        PaletteError: no such dither or difference, or `strength` outside 0 to 1.
    """
    check_image(rgb, "rgb")
    check_space(space)
    if not 0 <= strength <= 1:
        msg = f"strength is {strength}, expected 0 to 1"
        raise PaletteError(msg)
    if name not in KERNELS:
        msg = f"{name!r} is no error diffusion; expected one of {', '.join(DIFFUSIONS)}"
        raise PaletteError(msg)
    b, _, h, w = rgb.shape
    if opaque is not None and (opaque.shape != (b, h, w) or opaque.dtype != torch.bool):
        msg = f"opaque is a bool tensor {(b, h, w)}, got {opaque.dtype} {tuple(opaque.shape)}"
        raise ShapeError(msg)
    convert = srgb_to_linear if linear else torch.Tensor.float
    picture = convert(rgb.detach().float().cpu()).permute(0, 2, 3, 1).numpy()  # b h w 3
    shares = np.full((b, h, w), strength, np.float32)
    if opaque is not None:
        shares *= opaque.cpu().numpy()
    divisor, lines = KERNELS[name]
    spread = [
        (dy, dx, weight / divisor)
        for dy, line in enumerate(lines)
        for dx, weight in enumerate(line, -2 if dy else 1)
        if weight
    ]
    if serpentine and space != "ciede2000":
        indices = [diffuse_rows(*one, palette, spread, linear, space) for one in zip(picture, shares, strict=True)]
        return torch.from_numpy(np.stack(indices)).to(rgb.device)
    targets = convert(from_uint8(palette.colors)).numpy()  # k 3
    choose = _chooser(palette, linear, space)
    return torch.from_numpy(_waves(picture, shares, spread, targets, choose, serpentine)).to(rgb.device)


def _waves(
    picture: Array,
    shares: Array,
    spread: list[tuple[int, int, float]],
    targets: Array,
    choose: Callable[[Array], Array],
    serpentine: bool,
) -> Array:
    """`b h w 3` to `b h w`, all pixels at once that do not wait for each other."""
    b, h, w, _ = picture.shape
    values = np.zeros((b, h + 2, w + 4, 3), np.float32)  # a margin takes what leaves the picture
    values[:, :h, 2:-2] = picture
    indices = np.empty((b, h, w), np.int64)
    for y, x, way in _schedule(h, w, serpentine):
        now = values[:, y, x + 2].clip(*BOUNDS)  # b m 3
        chosen = choose(now.reshape(-1, 3)).reshape(b, -1)
        indices[:, y, x] = chosen
        error = (now - targets[chosen]) * shares[:, y, x, None]
        for dy, dx, weight in spread:
            values[:, y + dy, x + 2 + way * dx] += error * np.float32(weight)
    return indices


def _chooser(palette: Palette, linear: bool, space: Space) -> Callable[[Array], Array]:
    """What finds the nearest colours of `n 3`."""
    wanted = coordinates(from_uint8(palette.colors), space)  # k 3

    def choose(now: Array) -> Array:
        flat = torch.from_numpy(now).clamp(0, 1)
        points = coordinates(linear_to_srgb(flat) if linear else flat, space)
        if space == "ciede2000":
            return nearest_ciede2000(points, wanted).numpy()
        return ((points.numpy()[:, None] - wanted.numpy()) ** 2).sum(2).argmin(1)

    return choose


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
