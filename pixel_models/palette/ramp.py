"""Ramps: shades of one colour from dark to light, their hue moving as painters move it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..color import oklab_to_srgb, srgb_to_oklab
from ..errors import PaletteError
from ..image import from_uint8, to_uint8
from .core import Palette

# Oklab hues, in degrees: where shadows and where lights move to.
_SHADOW_HUE = 280.0
_LIGHT_HUE = 105.0
# At the ends of the ramp this share of the chroma is lost.
_CHROMA_LOSS = 0.5
_DARKEST, _LIGHTEST = 0.18, 0.96
MAX_RAMP = 256
"""The most shades of a ramp."""


def make_ramp(color: str, count: int = 5, hue_shift: float = 30.0) -> Palette:
    """Shades of one colour from dark to light, the colour itself among them.

    Lightness goes in even steps on either side of the colour; chroma falls towards both ends, and further where sRGB
    has no such colour. Shadows turn towards violet and lights towards yellow, along the shorter way and never past.

    Args:
        color: hex, such as "#b13e53".
        count: how many shades, 2 to `MAX_RAMP`.
        hue_shift: degrees, 0 to 180, by which the darkest and the lightest shade are turned; 0 keeps the hue.

    Returns:
        `count` colours; near black, near white and in long ramps, neighbours can be equal.

    Raises:
        PaletteError: no hex colour, or a number out of its range.
    """
    base = Palette.from_hex([color])
    if not 2 <= count <= MAX_RAMP:
        msg = f"count is {count}, expected 2 to {MAX_RAMP}"
        raise PaletteError(msg)
    if not 0 <= hue_shift <= 180:
        msg = f"hue_shift is {hue_shift}, expected 0 to 180 degrees"
        raise PaletteError(msg)
    lightness, a, b = srgb_to_oklab(from_uint8(base.colors), dim=1)[0].tolist()
    dark, light = min(_DARKEST, lightness), max(_LIGHTEST, lightness)
    home = round((lightness - dark) / (light - dark) * (count - 1))
    hue, chroma = math.degrees(math.atan2(b, a)), math.hypot(a, b)
    shades = []
    for place in range(count):
        if place == home:
            shades.append(base.colors[0])
            continue
        end, target, way = (dark, _SHADOW_HUE, home) if place < home else (light, _LIGHT_HUE, count - 1 - home)
        share = abs(place - home) / way
        turned = math.radians(hue + _turn(hue, target, hue_shift * share))
        shade_chroma = chroma * (1 - _CHROMA_LOSS * share**2)
        shades.append(_inside(lightness + (end - lightness) * share, shade_chroma, turned))
    return Palette(torch.stack(shades), f"ramp of {base.to_hex()[0]}")


def _turn(hue: float, target: float, most: float) -> float:
    """Degrees from `hue` towards `target`, along the shorter way and at most `most`."""
    way = (target - hue + 180) % 360 - 180
    return math.copysign(min(abs(way), most), way)


def _inside(lightness: float, chroma: float, hue: float) -> Tensor:
    """The most chromatic colour up to `chroma` that sRGB has at this lightness and hue: `3`, uint8."""
    low, high = 0.0, 1.0
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if _is_srgb(_lab(lightness, chroma * middle, hue)) else (low, middle)
    return to_uint8(oklab_to_srgb(_lab(lightness, chroma * low, hue), dim=1))[0]


def _lab(lightness: float, chroma: float, hue: float) -> Tensor:
    return torch.tensor([[lightness, chroma * math.cos(hue), chroma * math.sin(hue)]], dtype=torch.float64)


def _is_srgb(lab: Tensor) -> bool:
    """Whether nothing is clamped on the way to sRGB."""
    return bool(torch.allclose(srgb_to_oklab(oklab_to_srgb(lab, dim=1), dim=1), lab, atol=1e-4))
