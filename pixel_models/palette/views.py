"""How palettes and pictures are seen: contrast between colours, and what colour-blind eyes make of them."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from ..color import linear_to_srgb, srgb_to_linear
from ..errors import PaletteError
from ..image import check_image, from_uint8, to_uint8
from .core import Palette

ColorBlindness = Literal["protanopia", "deuteranopia", "tritanopia"]
"""Eyes without cones for long (red), middle (green) or short (blue) waves."""

COLOR_BLINDNESSES: tuple[ColorBlindness, ...] = get_args(ColorBlindness)
"""Every `ColorBlindness`."""

# Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency" (2009),
# matrices at severity 1.0, for linear sRGB.
_SEEN: dict[ColorBlindness, tuple[tuple[float, float, float], ...]] = {
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}

# W3C, Web Content Accessibility Guidelines 2.2: relative luminance of linear sRGB, and the flare of a screen.
_LUMINANCE = (0.2126, 0.7152, 0.0722)
_FLARE = 0.05


def contrast_ratios(palette: Palette) -> Tensor:
    """Contrast between all colours of a palette, as WCAG 2.2 defines it.

    Returns:
        `k k`, float32, 1 (equally light) to 21 (black and white); text wants at least 4.5.
    """
    linear = srgb_to_linear(from_uint8(palette.colors))  # k 3
    light = (linear * torch.tensor(_LUMINANCE)).sum(dim=1) + _FLARE
    return torch.maximum(light[:, None], light) / torch.minimum(light[:, None], light)


def least_contrasts(palette: Palette, count: int = 10) -> list[tuple[str, str, float]]:
    """The pairs of colours that are told apart worst: both as hex and their contrast ratio, the least first.

    Args:
        palette: k colours.
        count: how many pairs at most.
    """
    ratios, names = contrast_ratios(palette), palette.to_hex()
    one, other = torch.triu_indices(len(palette), len(palette), offset=1)
    worst = ratios[one, other].argsort(stable=True)[:count]
    return [(names[int(one[at])], names[int(other[at])], float(ratios[one[at], other[at]])) for at in worst]


def simulate_color_blindness(rgb: Tensor, kind: ColorBlindness) -> Tensor:
    """Show pictures as colour-blind eyes see them (Machado and others 2009, severity 1).

    Args:
        rgb: `b 3 h w`, floating point in [0, 1].
        kind: one of `COLOR_BLINDNESSES`.

    Returns:
        `b 3 h w`, float32 or wider, in [0, 1].

    Raises:
        ShapeError, ImageError: no picture.
        PaletteError: `kind` is not known.
    """
    check_image(rgb, "rgb")
    if kind not in COLOR_BLINDNESSES:
        msg = f"{kind!r} is no colour blindness; expected one of {', '.join(COLOR_BLINDNESSES)}"
        raise PaletteError(msg)
    wide = rgb if rgb.dtype == torch.float64 else rgb.float()
    red, green, blue = srgb_to_linear(wide).unbind(dim=1)
    seen = torch.stack([r * red + g * green + b * blue for r, g, b in _SEEN[kind]], dim=1)
    return linear_to_srgb(seen.clamp(0, 1)).clamp(0, 1)


def palette_as_seen(palette: Palette, kind: ColorBlindness) -> Palette:
    """A palette as colour-blind eyes see it; see `simulate_color_blindness`."""
    rgb = from_uint8(palette.colors).T[None, :, None]  # 1 3 1 k
    return Palette(to_uint8(simulate_color_blindness(rgb, kind))[0, :, 0].T, f"{palette.name} ({kind})".strip())
