"""Smooth enlargement: areas of one colour with curved, anti-aliased borders, by votes of the cells around."""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor

from ..color import linear_to_srgb, srgb_to_linear
from ..image import enlarge
from .epx import epx_places, keys_of

_SPREAD = 0.85
"""Standard deviation of the votes, in half cells: larger is rounder, smaller nearer to the cells' own corners."""
_REACH = 2
"""Half cells beyond a cell that vote."""
_WINDOW = 2 + 2 * _REACH
_POINTS = (2, 4)
"""Fewest and most points along a pixel's side."""
_POINTS_A_CELL = 24
_AT_ONCE = 2**17
_VOTES = 2**16
"""Votes of all half cells at a point: whole numbers, so that sums are exact and ties are ties."""


def smooth(picture: Tensor, scale: int) -> Tensor:
    """Enlarge so that borders between colours are curves.

    Own design. Cells are halved by Scale2x, which joins diagonals. Then each half cell votes for its colour at every
    point near it, less with distance (a Gaussian), and the point takes the colour with most votes: no blends, but
    borders that follow the cells in a curve. A pixel is the mean, in linear light, of the points in it.

    Args:
        picture: `b 3 h w` or `b 4 h w`, float32 in [0, 1], straight alpha last.
        scale: 1 to 16.

    Returns:
        `b c h*scale w*scale`, float32 in [0, 1]. Pixels within one colour have it exactly; where there is alpha, it is
        soft at borders, and transparent pixels are 0.
    """
    at = epx_places(keys_of(picture), 2)
    opaque = picture if picture.shape[1] == 3 else torch.where(picture[:, 3:] > 0, picture, 0.0)
    flat = opaque.permute(0, 2, 3, 1).flatten(0, 2)  # (b h w) c
    first = torch.arange(len(at), device=at.device) * picture[0, 0].numel()
    windows = _windows(at + first[:, None, None])  # (b h w) n
    keys = keys_of(picture).flatten()[windows]
    made = rearrange(enlarge(opaque, scale), "b c (h y) (w x) -> (b h w) (y x) c", y=scale, x=scale)
    cells = (keys != keys[:, :1]).any(dim=1).nonzero()[:, 0]  # others see one colour
    rank = _ranks(keys[cells])
    count = rank.amax(dim=1) + 1
    points = max(_POINTS[0], min(_POINTS[1], _POINTS_A_CELL // scale))
    votes = _votes(scale, points).to(flat)  # (y x p) n
    for colors in count.unique().tolist():
        for part in (count == colors).nonzero()[:, 0].split(max(1, _AT_ONCE // len(votes))):
            made[cells[part]] = _drawn(rank[part], flat[windows[cells[part]]], votes, colors, points)
    h, w = picture.shape[2:]
    return rearrange(made, "(b h w) (y x) c -> b c (h y) (w x)", h=h, w=w, y=scale)


def _windows(at: Tensor) -> Tensor:
    """Where the half cells in and around each cell come from, `b 2h 2w` to `(b h w) n`; at borders they repeat."""
    rows, columns = (torch.arange(-_REACH, n + _REACH, device=at.device).clamp(0, n - 1) for n in at.shape[1:])
    padded = at.index_select(1, rows).index_select(2, columns)
    return padded.unfold(1, _WINDOW, 2).unfold(2, _WINDOW, 2).flatten(3).flatten(0, 2)


def _ranks(keys: Tensor) -> Tensor:
    """Colours of each window numbered from 0 on, by key, so that ties do not hang on places: `m n` to `m n`, int64."""
    ordered, at = keys.sort(dim=1)
    fresh = torch.zeros_like(ordered)
    fresh[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    return torch.empty_like(at).scatter_(1, at, fresh.cumsum(dim=1))


def _votes(scale: int, points: int) -> Tensor:
    """How much each half cell of a window counts at each point of the cell: `(y x py px) n`."""
    place = (
        (torch.arange(scale * points, dtype=torch.float64) + 0.5) * 2 / (scale * points)
    )  # half cells from the cell's corner
    center = torch.arange(_WINDOW, dtype=torch.float64) - _REACH + 0.5
    weight = torch.exp(-0.5 * ((place[:, None] - center) / _SPREAD).square())
    weight = (weight / weight.sum(dim=1, keepdim=True)).view(scale, points, _WINDOW)
    both = torch.einsum("ypm,xqn->yxpqmn", weight, weight)
    return (both.reshape(-1, _WINDOW * _WINDOW) * _VOTES).round().float()


def _drawn(rank: Tensor, colors: Tensor, votes: Tensor, count: int, points: int) -> Tensor:
    """Pixels of cells that see `count` colours.

    Args:
        rank: `m n`, which of its colours each half cell has.
        colors: `m n c`, the half cells' colours.
        votes: `(y x p) n`.
        count: number of colours.
        points: along a pixel's side.

    Returns:
        `m (y x) c`.
    """
    member = torch.stack([rank == k for k in range(count)])  # k m n
    own = colors.gather(1, member.int().argmax(dim=2).T[..., None].expand(-1, -1, colors.shape[2]))  # m k c
    most = votes @ member[0].T.to(votes)  # (y x p) m
    won = torch.zeros_like(most, dtype=torch.uint8)
    for k in range(1, count):
        now = votes @ member[k].T.to(votes)
        won.masked_fill_(now > most, k)
        most = torch.maximum(most, now)
    won = won.unflatten(0, (-1, points * points))
    share = torch.stack([(won == k).float().mean(dim=1).T for k in range(count)], dim=2)  # m (y x) k
    weight = share if own.shape[2] == 3 else share * own[:, None, :, 3]
    light = (weight[..., None] * srgb_to_linear(own[:, None, :, :3])).sum(dim=2)
    cover = weight.sum(dim=2, keepdim=True)
    rgb = linear_to_srgb(light / cover.clamp_min(1e-12)).clamp(0, 1)
    mixed = rgb if own.shape[2] == 3 else torch.cat([torch.where(cover > 0, rgb, 0.0), cover], dim=2)
    largest, at = share.max(dim=2, keepdim=True)
    return torch.where(largest == 1, own.gather(1, at.expand(-1, -1, own.shape[2])), mixed)
