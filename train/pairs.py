"""Self-made pairs: a canvas of cells, and the smooth drawing or photo that it might have been made from.

Every colour's mask is scaled up with a Gaussian and the colours compete for each pixel, which rounds the
staircases as a vector drawing would. Dark lines are thinned first, so that a network learns to complete them.
"""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from .canvas import rand

CELL = 4
"""Pixels a cell of the smooth picture, as the native-grid generator takes it."""

CLEAN_PAPER = 0.8
"""Share of the pictures whose white takes no shade, texture or noise: else pale greys are taken for stains."""


def axis_weights(cells: int, pixels: int, *, sigma: float, shift: float = 0.0, scale: float = 1.0) -> Tensor:
    """How much each cell counts in each pixel along one axis: a Gaussian's share; the ends reach outwards.

    Args:
        cells: cells along the axis.
        pixels: pixels along the axis.
        sigma: blur in cells.
        shift: moves the picture, in cells.
        scale: stretches it about the middle.

    Returns:
        `pixels cells`, float32, rows sum to 1.
    """
    at = (torch.arange(pixels) + 0.5) * (cells / pixels)
    at = (at - cells / 2) * scale + cells / 2 + shift
    edges = torch.arange(cells + 1, dtype=torch.float32)
    edges[0], edges[-1] = -1e4, 1e4
    below = 0.5 * (1 + torch.erf((edges[None] - at[:, None]) / (sigma * 2**0.5)))
    return below[:, 1:] - below[:, :-1]


def _masks(canvas: Tensor) -> tuple[Tensor, Tensor]:
    """The canvas' colours `k 4` and where each stands, `k h w`."""
    colors, inverse = canvas.flatten(1).T.unique(dim=0, return_inverse=True)
    masks = F.one_hot(inverse, len(colors)).T.reshape(len(colors), *canvas.shape[1:]).float()
    return colors, masks


def smooth(canvas: Tensor, *, pixels: int, sigma: float = 0.5, sharpness: float = 5.0) -> Tensor:
    """The plain smooth picture of a canvas, without any accident: what depixelating should give.

    Args:
        canvas: `4 n n`, float32 in [0, 1], alpha 0 or 1.
        pixels: side of the result.
        sigma: rounding of corners, cells.
        sharpness: how hard edges are; 5 is about one pixel of anti-aliasing at four pixels a cell.

    Returns:
        `4 pixels pixels`, float32 in [0, 1], straight alpha.
    """
    along = axis_weights(canvas.shape[1], pixels, sigma=sigma)
    colors, masks = _masks(canvas)
    return _compete(colors, along @ masks @ along.T, sharpness)


def _compete(colors: Tensor, spread: Tensor, sharpness: float) -> Tensor:
    """Colours share each pixel by the powers of their spread masks; returns straight RGBA."""
    share = (spread.clamp_min(1e-5).log() * sharpness).softmax(dim=0)  # k y x
    mixed = torch.einsum("kyx,kc->cyx", share, torch.cat([colors[:, :3] * colors[:, 3:], colors[:, 3:]], dim=1))
    return torch.cat([mixed[:3] / mixed[3:].clamp_min(1e-3), mixed[3:]]).clamp(0, 1)


def draw_picture(
    canvas: Tensor,
    generator: torch.Generator,
    *,
    cell: int = CELL,
    over: Tensor | None = None,
    grain: Tensor | None = None,
) -> Tensor:
    """One of the many smooth pictures of a canvas: shifted, thinned, shaded, textured, compressed by chance.

    Args:
        canvas: `4 n n`, float32 in [0, 1], alpha 0 or 1.
        generator: decides everything.
        cell: pixels along a cell's side of the result.
        over: `4 cell*n cell*n`, laid over it before shade, texture and noise come.
        grain: `1 cell*n cell*n` about 0, added to the lightness: a texture that the canvas knows nothing of.

    Returns:
        `4 cell*n cell*n`, float32 in [0, 1], straight alpha.
    """
    g = generator
    cells = canvas.shape[1]
    side = cells * (2, 3, 4, 4, 4, 6 if cell <= CELL else 8)[int(rand(g) * 6)]
    sigma = rand(g, 0.3, 0.65)
    rows, cols = (
        axis_weights(cells, side, sigma=sigma, shift=rand(g, -0.3, 0.3), scale=rand(g, 0.985, 1.015)) for _ in range(2)
    )
    if rand(g) < 0.8:
        colors, masks = _masks(canvas)
        # Beside transparency a line is never thinned: it would teach to paint outlines where there are none.
        dark = (colors[:, :3].mean(dim=1) < 0.3) & bool((colors[:, 3] > 0).all())
        change = 1 + 0.15 * (2 * torch.rand(len(colors), generator=g) - 1)
        thin = rand(g)
        change[dark] *= rand(g, 0.4, 0.9) if thin < 0.55 else rand(g, 1.0, 1.4) if thin < 0.75 else 1.0
        picture = _compete(colors, (rows @ masks @ cols.T) * change[:, None, None], rand(g, 2.5, 8))
    else:  # soft, as a photo out of focus
        flat = torch.cat([canvas[:3] * canvas[3:], canvas[3:]])
        soft = rows @ flat @ cols.T
        picture = torch.cat([soft[:3] / soft[3:].clamp_min(1e-3), soft[3:]]).clamp(0, 1)
    if side != cell * cells:
        picture = F.interpolate(
            picture[None], size=(cell * cells,) * 2, mode="bicubic", antialias=True, align_corners=False
        )[0].clamp(0, 1)
    if over is not None:
        picture = laid_over(over, picture)
    plain = picture[:3]
    spoiled = plain if grain is None else (plain + grain).clamp(0, 1)
    spoiled = _accidents(spoiled, g)
    if rand(g) < CLEAN_PAPER:
        spoiled = plain + (spoiled - plain) * _unlike_paper(plain)
    picture[:3] = spoiled
    if bool((picture[3] > 0.999).all()) and rand(g) < 0.3:
        picture[:3] = _jpeg(picture[:3], int(rand(g, 35, 95)))
    return picture


def laid_over(top: Tensor, below: Tensor) -> Tensor:
    """Composite `4 h w` on `4 h w`, straight alpha, float32 in [0, 1]."""
    share = top[3:] + below[3:] * (1 - top[3:])
    mixed = top[:3] * top[3:] + below[:3] * below[3:] * (1 - top[3:])
    return torch.cat([mixed / share.clamp_min(1e-3), share]).clamp(0, 1)


def _unlike_paper(rgb: Tensor) -> Tensor:
    """How far colours are from white, `1 h w`: 0 at white, 1 from a third of the way to black on."""
    return ((1 - rgb.amin(dim=0, keepdim=True)) * 3).clamp(0, 1) ** 2


def _accidents(rgb: Tensor, g: torch.Generator) -> Tensor:
    """Shading, texture and noise."""
    side = rgb.shape[1]

    def field(knots: int, amount: float, channels: int = 1) -> Tensor:
        coarse = torch.randn(1, channels, knots, knots, generator=g) * amount
        return F.interpolate(coarse, size=(side, side), mode="bicubic", align_corners=False)[0]

    if rand(g) < 0.5:
        rgb = rgb * (1 + field(3, rand(g, 0, 0.10)))
    if rand(g) < 0.25:
        rgb = rgb + field(2, rand(g, 0, 0.06), channels=3)
    if rand(g) < 0.45:
        rgb = rgb + field(randint_knots(side, g), rand(g, 0, 0.07))
    if rand(g) < 0.35:
        rgb = rgb + torch.randn(rgb.shape, generator=g) * rand(g, 0, 0.05)
    return rgb.clamp(0, 1)


def randint_knots(side: int, g: torch.Generator) -> int:
    """How fine a texture is: knots along a side, from a cell's size to a pixel's."""
    return max(4, int(side / rand(g, 1.5, 10)))


def _jpeg(rgb: Tensor, quality: int) -> Tensor:
    pixels = (rgb * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    with io.BytesIO() as file:
        Image.fromarray(pixels).save(file, "JPEG", quality=quality)
        file.seek(0)
        again = np.asarray(Image.open(file))
    return torch.from_numpy(again.copy()).permute(2, 0, 1).float() / 255
