"""What the variants of sprites share: their colours, and a sprite in others."""

from __future__ import annotations

import torch
from torch import Tensor

from pixel_models.color import oklab_to_srgb


def opaque(x: Tensor) -> Tensor:
    """Where `4 h w` shows something: `h w`, bool."""
    return x[3] >= 0.5


def relit(x: Tensor, lab: Tensor) -> Tensor:
    """The sprite in other Oklab colours `3 h w`, in 8 bits."""
    rgb = (oklab_to_srgb(lab[None])[0].clamp(0, 1) * 255).round() / 255
    return torch.cat([rgb * opaque(x), x[3:]])


def colors_of(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Distinct opaque colours `k 3`, which each opaque pixel has `n`, and how many have each `k`."""
    return torch.unique(x[:3, opaque(x)].T, dim=0, return_inverse=True, return_counts=True)


def repainted(x: Tensor, colors: Tensor, which: Tensor) -> Tensor:
    """The sprite with the colours `k 3` that its opaque pixels have by `which` `n`."""
    made = x.clone()
    made[:3, opaque(x)] = colors[which].T
    return made


def pick(places: Tensor, g: torch.Generator) -> list[int]:
    """One of the places `n 2`."""
    return places[int(torch.randint(len(places), (), generator=g))].tolist()
