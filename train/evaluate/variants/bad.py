"""Variants of sprites that no artist would let pass."""

from __future__ import annotations

import io
import math

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from pixel_models.color import srgb_to_oklab
from pixel_models.upscale import upscale

from .common import colors_of, opaque, relit, repainted


def _resampled(x: Tensor, height: int, width: int, mode: str) -> Tensor:
    """Premultiplied colours resampled; alpha decides nothing here."""
    flat = torch.cat([x[:3] * x[3:], x[3:]])[None]
    smooth = {} if mode == "nearest" else {"align_corners": False, "antialias": True}
    made = F.interpolate(flat, (height, width), mode=mode, **smooth)[0]
    return torch.cat([(made[:3] / made[3:].clamp_min(1e-3)).clamp(0, 1), made[3:].clamp(0, 1)])


def _hard(made: Tensor, like: Tensor | None = None) -> Tensor:
    """In 8 bits, with the alpha of `like`, else its own made hard."""
    alpha = (made[3:] >= 0.5).float() if like is None else like[3:]
    return torch.cat([(made[:3].clamp(0, 1) * 255).round() / 255 * alpha, alpha])


def blurred(x: Tensor, level: int, g: torch.Generator) -> Tensor | None:  # noqa: ARG001
    """Resampled smaller and back, bicubic."""
    height, width = x.shape[1:]
    share = (0.85, 0.7, 0.5)[level]
    small = _resampled(x, round(height * share), round(width * share), "bicubic")
    return _hard(_resampled(small, height, width, "bicubic"))


def as_jpeg(x: Tensor, level: int, g: torch.Generator) -> Tensor | None:  # noqa: ARG001
    """Through JPEG on white."""
    white = x[:3] * x[3:] + 1 - x[3:]
    picture = Image.fromarray((white * 255).round().to(torch.uint8).permute(1, 2, 0).numpy())
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=(90, 70, 40)[level])
    back = torch.from_numpy(np.asarray(Image.open(file)).copy()).permute(2, 0, 1).float() / 255
    return _hard(torch.cat([back, x[3:]]), x)


def noisy(x: Tensor, level: int, g: torch.Generator) -> Tensor | None:
    """Gaussian noise on every channel."""
    noise = torch.randn(3, *x.shape[1:], generator=g) * (4, 8, 16)[level] / 255
    return _hard(torch.cat([x[:3] + noise, x[3:]]), x)


def exploded(x: Tensor, level: int, g: torch.Generator) -> Tensor | None:
    """Every pixel a shade of its own: small steps of lightness."""
    most = (3, 6, 12)[level]
    step = torch.randint(-most, most + 1, (1, *x.shape[1:]), generator=g) / 255
    return _hard(torch.cat([x[:3] + step, x[3:]]), x)


def wrong_grid(x: Tensor, level: int, g: torch.Generator) -> Tensor | None:  # noqa: ARG001
    """Bilinear on a grid that is not the sprite's, then taken back pixel by pixel."""
    height, width = x.shape[1:]
    share = (1.7, 1.4, 1.15)[level]
    larger = _resampled(x, round(height * share), round(width * share), "bilinear")
    return _hard(_resampled(larger, height, width, "nearest"))


def bled(x: Tensor, level: int, g: torch.Generator) -> Tensor | None:  # noqa: ARG001
    """Colour runs over the borders, light stays: as of a film's chroma."""
    lab = srgb_to_oklab(x[None, :3]) * x[None, 3:]
    if float(lab[0, 1:].std(dim=(1, 2)).sum()) < 0.02:
        return None
    reach = level + 1
    weight = F.avg_pool2d(F.pad(x[None, 3:], (reach,) * 4), 2 * reach + 1, 1).clamp_min(1e-3)
    soft = F.avg_pool2d(F.pad(lab, (reach,) * 4), 2 * reach + 1, 1) / weight
    return relit(x, torch.cat([lab[0, :1], soft[0, 1:]]))


def anti_aliased(x: Tensor, level: int, g: torch.Generator) -> Tensor | None:  # noqa: ARG001
    """Edges rounded at four times the size, and each cell the mean of its pixels."""
    color, alpha = upscale(x[None, :3], 4, "smooth", alpha=x[None, 3:])
    assert alpha is not None
    mean = F.avg_pool2d(color * alpha, 4) / F.avg_pool2d(alpha, 4).clamp_min(1e-3)
    share = (0.35, 0.65, 1.0)[level]
    return _hard(torch.cat([x[:3] * (1 - share) + mean[0] * share, x[3:]]), x)


def lost_outline(x: Tensor, level: int, g: torch.Generator) -> Tensor | None:  # noqa: ARG001
    """The dark outline, or a part of it from the top, takes the colour inside."""
    solid = opaque(x)
    inside = -F.max_pool2d(F.pad(-solid[None].float(), (1, 1, 1, 1)), 3, 1)[0] > 0
    rim = solid & ~inside
    light = srgb_to_oklab(x[None, :3])[0, 0]
    if not bool(rim.any()) or not bool(inside.any()) or float(light[inside].mean() - light[rim].mean()) < 0.15:
        return None
    made, inner, places = x.clone(), inside.nonzero(), rim.nonzero()
    for y, w in places[: len(places) * (level + 1) // 3].tolist():
        from_y, from_x = inner[(inner - torch.tensor([y, w])).square().sum(dim=1).argmin()].tolist()
        made[:, y, w] = x[:, from_y, from_x]
    return made


def median(x: Tensor, level: int, g: torch.Generator) -> Tensor | None:  # noqa: ARG001
    """A median filter, which takes lines and eyes and leaves flat areas: of each channel, over 2, 3 or 4 pixels."""
    size = level + 2
    pad = (size // 2, (size - 1) // 2) * 2
    shown = x[None, :3].masked_fill(~opaque(x), torch.nan)
    windows = F.pad(shown, pad, value=torch.nan).unfold(2, size, 1).unfold(3, size, 1).flatten(4)
    return _hard(torch.cat([windows.nanmedian(dim=4).values[0].nan_to_num(0), x[3:]]), x)


def turned(x: Tensor, level: int, g: torch.Generator) -> Tensor | None:
    """Rotated and back, nearest pixels: lines break."""
    angle = math.radians((10, 20, 40)[level]) * (1 if torch.rand((), generator=g) < 0.5 else -1)
    made = x[None]
    for sign in (1, -1):
        cos, sin = math.cos(angle), sign * math.sin(angle)
        grid = F.affine_grid(torch.tensor([[[cos, -sin, 0.0], [sin, cos, 0.0]]]), list(made.shape), align_corners=False)
        made = F.grid_sample(made, grid, mode="nearest", align_corners=False)
    return _hard(made[0])


def broken(x: Tensor, level: int, g: torch.Generator) -> Tensor | None:  # noqa: ARG001
    """Made smaller and back with nearest pixels: rows and columns are lost, others doubled."""
    height, width = x.shape[1:]
    share = (0.9, 0.75, 0.6)[level]
    return _hard(
        _resampled(_resampled(x, round(height * share), round(width * share), "nearest"), height, width, "nearest")
    )


def airbrushed(x: Tensor, level: int, g: torch.Generator) -> Tensor | None:
    """A smooth light laid over the flat areas."""
    ramps = [torch.linspace(-1, 1, n) for n in x.shape[1:]]
    angle = float(torch.rand((), generator=g)) * 2 * math.pi
    slope = ramps[0][:, None] * math.sin(angle) + ramps[1][None] * math.cos(angle)
    lab = srgb_to_oklab(x[None, :3])[0]
    lab[0] = (lab[0] + (0.03, 0.06, 0.12)[level] * slope).clamp(0, 1)
    return relit(x, lab)


def shuffled(x: Tensor, level: int, g: torch.Generator) -> Tensor | None:
    """The palette dealt anew without regard to light: form is lost, though every pixel has a colour of the palette."""
    colors, which, _ = colors_of(x)
    if level or len(colors) < 4:
        return None
    return repainted(x, colors[torch.randperm(len(colors), generator=g)], which)
