"""Contrast-aware downscaling: thin lines that stand out are widened to a cell, unbroken, in a colour they have."""

from __future__ import annotations

import math

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional as F

from ..color import srgb_to_oklab
from .cells import two_clusters

_DARK, _LIGHT = 0.09, 0.16
"""How much darker, or lighter, than its surroundings a line must be, in Oklab lightness."""
_OF_RANGE = 0.4
"""And how much of the range of lightness around it that must be: in busy places only the strongest lines count."""
_THIN = 1.3
"""Width in cells below which something dark, or light, is a line."""
_TOUCH = 0.07
"""Share of a cell that a line must cover at least."""
_SOLID = 0.45
"""Share from which on the line keeps the cell in any case."""
_ROUNDS = 3


def contrast(pixels: Tensor, share: Tensor) -> Tensor:
    """One colour for each cell; see `downscale`.

    What is darker than a closing of the picture by about a cell is a thin dark line, and what is lighter than an
    opening a light one (top-hat transform). Cells that a line touches are thinned to a path that is one cell wide and
    hangs together, beginning with those that hold least of it: these take the line's colour, others the largest
    cluster of what is left without it.

    Args:
        pixels: `b h w n 3`, n pixels of each cell row by row, float32 in [0, 1].
        share: `b h w n 1`, how much each counts.

    Returns:
        `b h w 3`, each a colour of one of the cell's pixels.
    """
    lab = srgb_to_oklab(pixels, dim=4)
    side = math.isqrt(pixels.shape[3])
    light = rearrange(torch.where(share > 0, lab[..., :1], 1.0), "b h w (y x) c -> b c (h y) (w x)", y=side)
    window = _window(side)
    around = _widest(light, 3 * side) + _widest(-light, 3 * side)  # highest less lowest
    dark = -_opened(-light, window) - light
    pale = light - _opened(light, window)
    lines = []
    for strength, least in ((dark, _DARK), (pale, _LIGHT)):
        strong = strength * (strength > (_OF_RANGE * around).clamp_min(least))
        lines.append(rearrange(strong, "b c (h y) (w x) -> b h w (y x) c", y=side, x=side) * share)
    chosen = [_thinned((line > 0).float().mean(dim=(3, 4))) for line in lines]
    dark_wins = chosen[0] & ~(chosen[1] & (lines[1].sum(dim=(3, 4)) > 2 * lines[0].sum(dim=(3, 4))))
    line = torch.where(dark_wins[..., None, None], lines[0], lines[1])
    rest = share * torch.where((lines[0] > 0) | (lines[1] > 0), 0.05, 1.0)
    centers, sizes = two_clusters(lab.flatten(0, 2), rest.flatten(0, 2))
    larger = centers[torch.arange(len(centers)), (sizes[:, 1, 0] > sizes[:, 0, 0]).long()]
    core = ((lab * line**2).sum(dim=3) / (line**2).sum(dim=3).clamp_min(1e-12)).flatten(0, 2)
    on_line = (chosen[0] | chosen[1]).flatten()[:, None]
    return nearest_pixel(pixels, lab, share, torch.where(on_line, core, larger))


def thin_parts(share: Tensor) -> Tensor:
    """Cells that something opaque crosses which is thinner than they are, such as a spear on nothing.

    Args:
        share: `b h w n 1`, how opaque each pixel of a cell is.

    Returns:
        `b h w`, bool: paths one cell wide, as `contrast` finds them for lines.
    """
    side = math.isqrt(share.shape[3])
    solid = rearrange((share >= 0.5).float(), "b h w (y x) c -> b c (h y) (w x)", y=side)
    thin = solid - _opened(solid, _window(side))
    return _thinned(rearrange(thin, "b 1 (h y) (w x) -> b h w (y x)", y=side, x=side).mean(dim=3))


def nearest_pixel(pixels: Tensor, lab: Tensor, share: Tensor, wanted: Tensor) -> Tensor:
    """Of each cell's pixels that count the one nearest to a colour.

    Args:
        pixels: `b h w n 3`.
        lab: the same in Oklab.
        share: `b h w n 1`.
        wanted: `(b h w) 3`, Oklab.

    Returns:
        `b h w 3`.
    """
    apart = (lab - wanted.view(*lab.shape[:3], 1, 3)).norm(dim=4, keepdim=True)
    which = apart.masked_fill(share <= 0, torch.inf).argmin(dim=3, keepdim=True)
    return pixels.gather(3, which.expand(-1, -1, -1, -1, 3))[:, :, :, 0]


def _window(side: int) -> int:
    """Side of the window that tells lines from areas, pixels: an odd number."""
    return max(3, 2 * round(_THIN * side / 2) + 1)


def _opened(x: Tensor, window: int) -> Tensor:
    """Opening with a square window, `b 1 h w`: without what is lighter than all around it and thinner than the window.

    The picture goes on beyond its border as it is there; cut off, a line in a corner would fill its window.
    """
    wide = F.pad(x, (window,) * 4, mode="replicate")
    return _widest(-_widest(-wide, window), window)[..., window:-window, window:-window]


def _widest(x: Tensor, window: int) -> Tensor:
    """Highest value in a square window around each pixel, `b 1 h w`."""
    window += 1 - window % 2
    half = window // 2
    x = F.max_pool2d(x, (window, 1), stride=1, padding=(half, 0))
    return F.max_pool2d(x, (1, window), stride=1, padding=(0, half))


def _thinned(held: Tensor) -> Tensor:
    """Cells of a path one cell wide among those that a line touches, those with most of it first.

    Args:
        held: `b h w`, share of the cell that is line.

    Returns:
        `b h w`, bool.
    """
    path = held >= _TOUCH
    solid = held >= _SOLID
    down, right = (torch.arange(length, device=held.device) % 2 for length in held.shape[1:])
    for _ in range(_ROUNDS):
        for most in (0.15, 0.25, 0.35, _SOLID):
            for part in range(4):
                turn = (down[:, None] == part // 2) & (right[None] == part % 2)
                path = path & ~(turn & ~solid & (held < most) & _spare(path, held))
    return path


def _spare(path: Tensor, held: Tensor) -> Tensor:
    """Cells that a path goes on without: their neighbours on it hang together, one beside them holds more, no end."""
    padded, content = F.pad(path, (1,) * 4), F.pad(held * path, (1,) * 4)
    ring = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))
    height, width = path.shape[1:]
    there = [padded[:, y : y + height, x : x + width] for y, x in ring]
    more = torch.stack([content[:, y : y + height, x : x + width] for y, x in ring[1::2]]).amax(dim=0) > held
    # Yokoi's connectivity number for 8-connected figures (1973): 1 where a cell may go without breaking anything.
    off = [~one for one in there]
    number = sum(off[k].int() - (off[k] & off[(k + 1) % 8] & off[(k + 2) % 8]).int() for k in (1, 3, 5, 7))
    return (torch.stack(there).sum(dim=0) >= 2) & (number == 1) & more
