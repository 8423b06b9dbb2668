"""A palette's colours in Oklab: how far apart they are, and which one is the shade of another."""

from __future__ import annotations

import torch
from torch import Tensor

from ..color import srgb_to_oklab
from ..image import from_uint8
from ..palette import Palette

STEP = 0.04
"""How much darker, in Oklab lightness, a colour is at least to be the shade of another."""

_HUE = 2.0
"""How much more a wrong hue or saturation counts than a wrong lightness."""


def oklab(palette: Palette, device: torch.device | str = "cpu") -> Tensor:
    """Colours of a palette in Oklab, `k 3`, float32."""
    return srgb_to_oklab(from_uint8(palette.colors).to(device), dim=1)


def darkest(palette: Palette) -> int:
    """Index of the colour of least lightness."""
    return int(oklab(palette)[:, 0].argmin())


def shades(palette: Palette, depth: float) -> Tensor:
    """For each colour the palette's own that comes nearest to it, darkened.

    Args:
        palette: k colours.
        depth: share of lightness to take away, 0 to 1; saturation falls with it by half as much.

    Returns:
        `k`, int64; -1 where the palette holds nothing darker.
    """
    lab = oklab(palette)
    wanted = lab * torch.tensor([1 - depth, 1 - depth / 2, 1 - depth / 2])
    weight = torch.tensor([1.0, _HUE, _HUE])
    apart = torch.cdist(wanted * weight, lab * weight)
    apart = apart.masked_fill(lab[None, :, 0] > lab[:, None, 0] - STEP, torch.inf)
    least, which = apart.min(dim=1)
    return torch.where(least.isfinite(), which, -1)
