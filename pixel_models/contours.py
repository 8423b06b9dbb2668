"""Areas with crisp, curved borders at any scale, from how much each cell's neighbours count in it.

A network's mixtures are smooth at the one scale it was trained at: resampled they blur, and thin lines come out as rows
of beads. Here they are votes instead, as in `upscale`'s smooth method: at every point the colours compete, and the
winner takes it whole. Votes of Scale2x, which joins diagonals, are added; so lines hold together where the network
alone breaks them, and the network rounds what Scale2x alone would scallop.
"""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional as F

from .color import srgb_to_oklab
from .image import enlarge
from .upscale.epx import epx_places, keys_of

VOTES = 4
"""Places along a cell's side that have votes of their own."""

CLASSICAL = 0.5
"""Share of Scale2x's votes; chosen by eye. Less breaks diagonal lines, more scallops dithered ones."""

_SPREAD = 1.1
"""Standard deviation of the votes' blur, quarter cells: less frays, more swallows single cells."""

_ALIKE = 0.03
"""Oklab distance at which colours count as one area by half; shades nearer than that flow into each other."""

_POINTS = (2, 4)
"""Fewest and most points along a pixel's side."""
_POINTS_A_CELL = 24
_AT_ONCE = 2**20


def scale2x_shares(cells: Tensor) -> Tensor:
    """Which neighbour Scale2x takes each half cell from, as shares.

    Args:
        cells: `b 4 h w`, float32 in [0, 1], straight alpha last.

    Returns:
        `b 9 (y x) h w`, float32, 0 or 1: neighbours row by row, places of the cell row by row.
    """
    height, width = cells.shape[2:]
    at = epx_places(keys_of(cells), 2)
    at = at.repeat_interleave(VOTES // 2, 1).repeat_interleave(VOTES // 2, 2)  # b 4h 4w
    rows = torch.arange(VOTES * height, device=at.device)[:, None] // VOTES
    columns = torch.arange(VOTES * width, device=at.device) // VOTES
    near = (at // width - rows + 1) * 3 + at % width - columns + 1
    return rearrange(F.one_hot(near, 9).to(cells), "b (h y) (w x) n -> b n (y x) h w", y=VOTES, x=VOTES)


def draw_contours(shares: Tensor, cells: Tensor, scale: int) -> Tensor:
    """Enlarge cells so that at every point one colour of the nine nearest cells wins.

    Shades that are nearly alike are one area and mix in it. A point looks no further than the cells around its own,
    so nothing is opaque more than a cell away from an opaque cell, or transparent more than a cell inside.

    Args:
        shares: `1 9 (y x) h w`, float32: how much each neighbour (row by row) counts at `VOTES` x `VOTES` places.
        cells: `1 4 h w`, float32 in [0, 1], straight alpha last.
        scale: pixels along a cell's side.

    Returns:
        `1 4 scale*h scale*w`, float32 in [0, 1], straight alpha last, soft at borders; black where nothing is. Cells
        whose neighbours all have their colour keep it exactly.
    """
    height, width = cells.shape[2:]
    flat = torch.cat([cells[:, :3] * (cells[:, 3:] > 0), cells[:, 3:]], dim=1)
    padded = F.pad(flat, (1, 1, 1, 1), mode="replicate")
    around = rearrange(F.unfold(padded, 3), "1 (c n) m -> m n c", n=9)
    mixed = (around != around[:, 4:5]).flatten(1).any(dim=1).nonzero()[:, 0]
    made = rearrange(enlarge(flat, scale), "1 c (h y) (w x) -> (h w) (y x) c", y=scale, x=scale)
    points = max(_POINTS[0], min(_POINTS[1], _POINTS_A_CELL // scale))
    blur = _blur(scale * points).to(shares)
    places = F.pad(shares.flatten(1, 2), (1, 1, 1, 1), mode="replicate")
    places = rearrange(places, "1 (n y x) h w -> n (h y) (w x)", y=VOTES, x=VOTES)
    windows = places.unfold(1, 3 * VOTES, VOTES).unfold(2, 3 * VOTES, VOTES)  # n h w y x
    for part in mixed.split(max(1, _AT_ONCE // (scale * points) ** 2)):
        seen = windows[:, part // width, part % width].transpose(0, 1)
        votes = torch.einsum("py,mnyx,qx->mnpq", blur, _of_neighbours(seen), blur).flatten(2)
        drawn = _won(votes, around[part])
        drawn = rearrange(drawn, "m (y p x q) c -> m (y x) (p q) c", y=scale, x=scale, p=points).mean(dim=2)
        alpha = drawn[..., 3:]
        alpha = torch.where(alpha > 1 - 1e-5, 1.0, alpha)  # the rounding of sums
        made[part] = torch.cat([drawn[..., :3] / alpha.clamp_min(1e-6), alpha], dim=-1).clamp(0, 1)
    return rearrange(made, "(h w) (y x) c -> 1 c (h y) (w x)", h=height, w=width, y=scale)


def _blur(points: int) -> Tensor:
    """How much the places of three cells in a row count at points of the middle one: `points 3*VOTES`."""
    at = (torch.arange(points) + 0.5) / points * VOTES
    place = torch.arange(-VOTES, 2 * VOTES) + 0.5
    weight = torch.exp(-0.5 * ((at[:, None] - place) / _SPREAD).square())
    return weight / weight.sum(dim=1, keepdim=True)


def _of_neighbours(seen: Tensor) -> Tensor:
    """Shares by their own cell's neighbours, as shares by the neighbours of the middle cell: `m 9 12 12` to the same.

    What counts for cells that are no neighbours of the middle one is left out.
    """
    own = seen.unflatten(1, (3, 3))
    found = torch.zeros_like(own)
    for y in range(3):
        for x in range(3):
            to_y, to_x = (slice(max(0, i - 1), min(3, i + 2)) for i in (y, x))
            of_y, of_x = (slice(max(0, 1 - i), min(3, 4 - i)) for i in (y, x))
            rows, columns = (slice(i * VOTES, (i + 1) * VOTES) for i in (y, x))
            found[:, to_y, to_x, rows, columns] = own[:, of_y, of_x, rows, columns]
    return found.flatten(1, 2)


def _won(votes: Tensor, around: Tensor) -> Tensor:
    """The colour that wins at each point.

    Args:
        votes: `m 9 p`, of each neighbour.
        around: `m 9 4`, the neighbours' colours, straight alpha last.

    Returns:
        `m p 4`, colours multiplied by alpha.
    """
    alpha = around[..., 3:]
    look = torch.cat([srgb_to_oklab(around[..., :3], dim=-1) * alpha, alpha], dim=-1)
    apart = (look[:, :, None] - look[:, None]).square().sum(dim=-1)
    alike = torch.exp2(-apart / _ALIKE**2)  # m n k
    winner = (alike @ votes).argmax(dim=1)  # m p
    weight = alike.gather(1, winner[..., None].expand(-1, -1, 9)) * votes.transpose(1, 2)
    weight = weight / weight.sum(dim=2, keepdim=True)
    return weight @ torch.cat([around[..., :3] * alpha, alpha], dim=-1)
