"""Areas with crisp, curved borders at any scale, from how much each cell's neighbours count in it.

A network's mixtures are smooth at the one scale it was trained at: resampled they blur, and thin lines come out as rows
of beads. Here they are votes instead, as in `upscale`'s smooth method: at every point the colours compete, and the
winner takes it whole. Three things hold lines together where the network alone breaks them: votes of Scale2x, by
likeness, which join diagonals; shades that are akin compete as one before they compete with each other; and cells
that would lose much of their area get more votes.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from einops import rearrange, repeat
from torch import Tensor
from torch.nn import functional as F

from .color import srgb_to_oklab
from .image import enlarge

VOTES = 4
"""Places along a cell's side that have votes of their own."""

CLASSICAL = 0.35
"""Share of Scale2x's votes; chosen by eye. Less breaks diagonal lines, more scallops dithered ones."""

_SPREAD = 1.1
"""Standard deviation of the votes' blur, quarter cells: less frays, more swallows single cells."""

_ALIKE = 0.03
"""Oklab distance at which colours count as one area by half; shades nearer than that flow into each other."""

_AKIN = 0.2
"""The same for the first round, where the shades of a thing stand together against the rest."""

_LEAST_AREA = 0.75
"""Of its own, that a cell is helped to keep: less leaves thin lines and glints thin, more squares the corners."""
_MOST_HELP = 3.0
_ROUNDS = 2

REACH = 8
"""Cells away that can change a cell's contours: each round of help looks three further than the last."""

_POINTS = (2, 4)
"""Fewest and most points along a pixel's side."""
_POINTS_A_CELL = 24
_AT_ONCE = 2**20

_CORNERS = ((3, 1), (5, 1), (3, 7), (5, 7))
"""The two neighbours that meet at each corner of a cell, row by row."""


def scale2x_shares(cells: Tensor) -> Tensor:
    """Which neighbours Scale2x takes each half cell from, as shares.

    Its rule, but for colours that are akin rather than equal: a corner goes by halves to the two neighbours that meet
    there, where they resemble each other more than the cell.

    Args:
        cells: `b 4 h w`, float32 in [0, 1], straight alpha last.

    Returns:
        `b 9 (y x) h w`, float32, 0, a half or 1: neighbours row by row, places of the cell row by row.
    """
    around = rearrange(_look(_neighbours(_flat(cells))), "b c n h w -> n b c h w")

    def apart(one: int, other: int) -> Tensor:
        return (around[one] - around[other]).norm(dim=1)

    on = (apart(1, 7) >= _AKIN) & (apart(3, 5) >= _AKIN)
    corners = []
    for one, other in _CORNERS:
        between = apart(one, other)
        joined = on & (between < _AKIN) & (between < torch.minimum(apart(one, 4), apart(other, 4)))
        share = cells.new_zeros(9, *joined.shape)
        share[4], share[one], share[other] = (~joined).to(cells), joined / 2, joined / 2
        corners.append(share)
    return repeat(torch.stack(corners), "(y x) n b h w -> b n (y p x q) h w", y=2, p=VOTES // 2, q=VOTES // 2)


def help_thin(shares: Tensor, cells: Tensor) -> Tensor:
    """Give more votes to cells that would lose much of their area: lines one cell wide, glints, beads of a chain.

    Args:
        shares: `1 9 (y x) h w`, float32: how much each neighbour (row by row) counts at `VOTES` x `VOTES` places.
        cells: `1 4 h w`, float32 in [0, 1], straight alpha last.

    Returns:
        As `shares`, no more of sum 1.
    """
    height, width = cells.shape[2:]
    around, mixed = _surroundings(_flat(cells))
    weight, helped = shares.new_ones(1, 1, height, width), shares
    for _ in range(_ROUNDS):
        credit = shares.new_zeros(height * width, 9)
        credit[:, 4] = 1
        for part, votes in _votes(helped, mixed, VOTES):
            credit[part] = _won(votes, around[part]).mean(dim=1)
        area = _given_back(rearrange(credit, "(h w) n -> 1 n (h w)", h=height), (height, width))
        weight = (weight * _LEAST_AREA / area.clamp_min(1e-2)).clamp(1, _MOST_HELP)
        helped = shares * _neighbours(weight)[:, 0, :, None]
    return helped


def draw_contours(shares: Tensor, cells: Tensor, scale: int) -> Tensor:
    """Enlarge cells so that at every point one colour of the nine nearest cells wins.

    Shades that are nearly alike are one area and mix in it. A point looks no further than the cells around its own,
    so nothing is opaque more than a cell away from an opaque cell, or transparent more than a cell inside.

    Args:
        shares: as `help_thin` takes and gives them.
        cells: `1 4 h w`, float32 in [0, 1], straight alpha last.
        scale: pixels along a cell's side.

    Returns:
        `1 4 scale*h scale*w`, float32 in [0, 1], straight alpha last, soft at borders; black where nothing is. Cells
        whose neighbours all have their colour keep it exactly.
    """
    height = cells.shape[2]
    flat = _flat(cells)
    around, mixed = _surroundings(flat)
    made = rearrange(enlarge(flat, scale), "1 c (h y) (w x) -> (h w) (y x) c", y=scale, x=scale)
    points = max(_POINTS[0], min(_POINTS[1], _POINTS_A_CELL // scale))
    for part, votes in _votes(shares, mixed, scale * points):
        colors = torch.cat([around[part, :, :3] * around[part, :, 3:], around[part, :, 3:]], dim=2)
        drawn = _won(votes, around[part]) @ colors
        drawn = rearrange(drawn, "m (y p x q) c -> m (y x) (p q) c", y=scale, x=scale, p=points).mean(dim=2)
        alpha = drawn[..., 3:]
        alpha = torch.where(alpha > 1 - 1e-5, 1.0, alpha)  # the rounding of sums
        made[part] = torch.cat([drawn[..., :3] / alpha.clamp_min(1e-6), alpha], dim=-1).clamp(0, 1)
    return rearrange(made, "(h w) (y x) c -> 1 c (h y) (w x)", h=height, y=scale)


def _flat(cells: Tensor) -> Tensor:
    """What hides under transparency taken away: `b 4 h w` to the same."""
    return torch.cat([cells[:, :3] * (cells[:, 3:] > 0), cells[:, 3:]], dim=1)


def _look(cells: Tensor) -> Tensor:
    """Oklab times alpha, and alpha: `b 4 ...` to the same; transparent is far from every colour."""
    alpha = cells[:, 3:]
    return torch.cat([srgb_to_oklab(cells[:, :3]) * alpha, alpha], dim=1)


def _neighbours(cells: Tensor) -> Tensor:
    """The 3x3 around each cell, row by row: `b c h w` to `b c 9 h w`; beyond the border, the border."""
    around = F.unfold(F.pad(cells, (1, 1, 1, 1), mode="replicate"), 3)
    return rearrange(around, "b (c n) (h w) -> b c n h w", n=9, h=cells.shape[2])


def _given_back(credit: Tensor, size: tuple[int, int]) -> Tensor:
    """Sum for each cell what its neighbours credit it with, `1 9 (h w)` to `1 1 h w`: the way back of `_neighbours`."""
    height, width = size
    area = F.fold(credit, (height + 2, width + 2), 3)
    area[:, :, 1] += area[:, :, 0]
    area[:, :, -2] += area[:, :, -1]
    area[..., 1] += area[..., 0]
    area[..., -2] += area[..., -1]
    return area[:, :, 1:-1, 1:-1]


def _surroundings(flat: Tensor) -> tuple[Tensor, Tensor]:
    """The 3x3 around each cell, `1 4 h w` to `(h w) 9 4`, and which cells, counted row by row, see another colour."""
    around = rearrange(_neighbours(flat), "1 c n h w -> (h w) n c")
    return around, (around != around[:, 4:5]).flatten(1).any(dim=1).nonzero()[:, 0]


def _votes(shares: Tensor, cells: Tensor, points: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Votes for each neighbour at points of some cells, a part of these cells at a time.

    Args:
        shares: `1 9 (y x) h w`.
        cells: `m`, counted row by row.
        points: along a cell's side.

    Yields:
        Some of `cells`, and their `m 9 (y x)`.
    """
    width = shares.shape[4]
    blur = _blur(points).to(shares)
    places = F.pad(shares.flatten(1, 2), (1, 1, 1, 1), mode="replicate")
    places = rearrange(places, "1 (n y x) h w -> n (h y) (w x)", y=VOTES, x=VOTES)
    windows = places.unfold(1, 3 * VOTES, VOTES).unfold(2, 3 * VOTES, VOTES)  # n h w y x
    for part in cells.split(max(1, _AT_ONCE // max(points, 3 * VOTES) ** 2)):
        seen = windows[:, part // width, part % width].transpose(0, 1)
        yield part, torch.einsum("py,mnyx,qx->mnpq", blur, _of_neighbours(seen), blur).flatten(2)


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
    """How much each neighbour's colour counts in the one that wins at each point.

    Args:
        votes: `m 9 p`, of each neighbour.
        around: `m 9 4`, the neighbours' colours, straight alpha last.

    Returns:
        `m p 9`, of sum 1.
    """
    look = _look(around.transpose(1, 2)).transpose(1, 2)
    apart = (look[:, :, None] - look[:, None]).square().sum(dim=-1)
    for distance in (_AKIN, _ALIKE):
        same = torch.exp2(-apart / distance**2)  # m n k
        winner = (same @ votes).argmax(dim=1)  # m p
        votes = votes * same.gather(1, winner[..., None].expand(-1, -1, 9)).transpose(1, 2)
    return (votes / votes.sum(dim=1, keepdim=True)).transpose(1, 2)
