"""Variants of sprites that an artist would let pass."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from pixel_models.color import srgb_to_oklab

from .common import colors_of, opaque, pick, relit, repainted


def other_hues(x: Tensor, level: int, g: torch.Generator) -> Tensor | None:
    """All hues turned together, lightness kept: a palette swap."""
    lab = srgb_to_oklab(x[None, :3])[0]
    if float(lab[1:].norm(dim=0)[opaque(x)].mean()) < 0.04:
        return None
    sign = 1 if torch.rand((), generator=g) < 0.5 else -1
    turn = torch.tensor(sign * math.radians((30, 60, 120)[level]))
    a, b = lab[1] * turn.cos() - lab[2] * turn.sin(), lab[1] * turn.sin() + lab[2] * turn.cos()
    return relit(x, torch.stack([lab[0], a, b]))


def merged_shades(x: Tensor, level: int, g: torch.Generator) -> Tensor | None:  # noqa: ARG001
    """The nearest two shades become one, once or more often."""
    colors, which, counts = colors_of(x)
    if len(colors) < 5 + level:
        return None
    lab = srgb_to_oklab(colors, dim=1)
    for _ in range(level + 1):
        apart = torch.cdist(lab, lab).fill_diagonal_(torch.inf)
        apart[counts == 0] = torch.inf
        apart[:, counts == 0] = torch.inf
        one, two = divmod(int(apart.argmin()), len(lab))
        if float(apart[one, two]) > 0.12:
            return None
        kept, gone = (one, two) if counts[one] >= counts[two] else (two, one)
        which = torch.where(which == gone, kept, which)
        counts[kept], counts[gone] = counts[kept] + counts[gone], 0
    return repainted(x, colors, which)


def other_outline_pixels(x: Tensor, level: int, g: torch.Generator) -> Tensor | None:
    """One, two or three pixels of the silhouette taken off, or added in a neighbour's colour."""
    made = x.clone()
    for _ in range(level + 1):
        solid = opaque(made)
        around = F.avg_pool2d(F.pad(solid[None].float(), (1, 1, 1, 1)), 3, 1)[0] * 9
        rim = (around >= 3) & (around <= 6)
        if torch.rand((), generator=g) < 0.5:
            places = (solid & rim).nonzero()
            if not len(places):
                return None
            y, w = pick(places, g)
            made[:, y, w] = 0
        else:
            places = (~solid & rim).nonzero()
            if not len(places):
                return None
            y, w = pick(places, g)
            near = solid.nonzero()
            from_y, from_x = near[(near - torch.tensor([y, w])).abs().sum(dim=1).argmin()].tolist()
            made[:, y, w] = made[:, from_y, from_x]
    return made


def dithered(x: Tensor, g: torch.Generator) -> Tensor | None:  # noqa: ARG001
    """A reference, no variant: the commonest shade becomes a checkerboard of itself and the nearest other shade."""
    colors, which, counts = colors_of(x)
    common = int(counts.argmax())
    if len(colors) < 3 or int(counts[common]) < 24:
        return None
    lab = srgb_to_oklab(colors, dim=1)
    apart = (lab - lab[common]).norm(dim=1)
    apart[apart < 0.06] = torch.inf  # a dither that is not seen is none
    other = int(apart.argmin())
    if not 0.06 <= float(apart[other]) < 0.25:
        return None
    places = opaque(x).nonzero()
    odd = places.sum(dim=1) % 2 == 1
    return repainted(x, colors, torch.where((which == common) & odd, other, which))


def other_phase(x: Tensor, level: int, g: torch.Generator) -> Tensor | None:
    """A dither the other way round: where it is, a pixel takes the colour of its neighbour."""
    del g
    if level:
        return None
    found = _checkers(x)
    if int(found.sum()) < 12:
        return None
    return torch.where(found, x.roll(1, dims=2), x)


def _checkers(x: Tensor) -> Tensor:
    """Pixels whose four neighbours share one colour, not theirs, while the diagonal ones share theirs."""
    inner = x[:, 1:-1, 1:-1]
    size = (x.shape[1] - 2, x.shape[2] - 2)
    moved = {(a, b): x[:, 1 + a : 1 + a + size[0], 1 + b : 1 + b + size[1]] for a in (-1, 0, 1) for b in (-1, 0, 1)}
    same = {k: (v == inner).all(dim=0) for k, v in moved.items()}
    left = moved[0, -1]
    cross = torch.stack([(moved[k] == left).all(dim=0) for k in ((0, 1), (1, 0), (-1, 0))]).all(dim=0)
    corners = torch.stack([same[a, b] for a in (-1, 1) for b in (-1, 1)]).all(dim=0)
    return F.pad(cross & corners & ~same[0, -1], (1, 1, 1, 1))


def moved_detail(x: Tensor, level: int, g: torch.Generator) -> Tensor | None:
    """One, two or three lone inner pixels, such as an eye, moved by one pixel."""
    made = x.clone()
    for _ in range(level + 1):
        places = _lone_inner(made).nonzero()
        if not len(places):
            return None
        y, w = pick(places, g)
        step = ((0, 1), (0, -1), (1, 0), (-1, 0))[int(torch.randint(4, (), generator=g))]
        detail = made[:, y, w].clone()
        made[:, y, w] = made[:, y + step[0], w + step[1]]
        made[:, y + step[0], w + step[1]] = detail
    return made


def _lone_inner(x: Tensor) -> Tensor:
    padded = F.pad(x, (1, 1, 1, 1))
    h, w = x.shape[1:]
    around = [padded[:, a : a + h, b : b + w] for a in range(3) for b in range(3) if (a, b) != (1, 1)]
    lone = torch.stack([(v != x).any(dim=0) & (v[3] >= 0.5) for v in around]).all(dim=0)
    return lone & opaque(x)


def other_light(x: Tensor, level: int, g: torch.Generator) -> Tensor | None:
    """The whole sprite lighter or darker, shade for shade."""
    lab = srgb_to_oklab(x[None, :3])[0]
    power = (1.08, 1.16, 1.3)[level]
    lab[0] = lab[0].clamp_min(0) ** (power if torch.rand((), generator=g) < 0.5 else 1 / power)
    return relit(x, lab)


def one_hue_replaced(x: Tensor, level: int, g: torch.Generator) -> Tensor | None:  # noqa: ARG001
    """The colours of one hue, a garment's, take another, lightness kept."""
    lab = srgb_to_oklab(x[None, :3])[0]
    chroma = lab[1:].norm(dim=0) * opaque(x)
    at = int(chroma.argmax())
    hue = torch.atan2(lab[2], lab[1])
    turned = (hue - hue.flatten()[at] + math.pi) % (2 * math.pi) - math.pi
    chosen = (turned.abs() < 0.5) & (chroma > 0.04)
    if int(chosen.sum()) < 4:
        return None
    hue = hue + math.radians((60, 120, 180)[level]) * chosen
    return relit(x, torch.stack([lab[0], chroma * hue.cos(), chroma * hue.sin()]))
