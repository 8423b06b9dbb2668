"""Frames of a walk as pixel art that stays put: a cell keeps its colour until another is clearly nearer."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ..cleanup import merge_orphans
from ..color import srgb_to_oklab
from ..image import from_uint8
from ..palette import IndexedImage, Palette
from ..sampling import StepCallback
from .art import fill_holes, tidy
from .networks import Pictures

HOLD = 0.25
"""How much clearly nearer is: so far beyond the middle between two colours a cell must go, as a share of half the way
from one to the other, before it changes."""

LEAST = 0.004
"""Squared Oklab distance by which another colour must be nearer on top of that: between shades that hardly differ, a
change is seen as flicker or not at all."""

ALPHA_HOLD = 0.15
"""How far alpha must pass a half before a cell comes or goes."""

_DIAGONAL = 0.7
_ROUNDS = 3
_LAPS = 2
"""Of a loop: the first finds what stands when it closes, the second starts from that."""


def steady_frames(
    pictures: Pictures,
    palette: Palette,
    *,
    loop: bool,
    clean: bool = True,
    hold: float = HOLD,
    alpha_hold: float = ALPHA_HOLD,
    callback: StepCallback | None = None,
) -> IndexedImage:
    """Frames in one palette, in which cells change seldom.

    Each frame's entries are chosen by Besag's iterated conditional modes, as in `cleanup.cluster_cells`, of the
    squared distance less what agreeing neighbours are worth. The entry of the frame before stays unless the best one
    is better by `hold` times the squared distance between the two, in a coarse palette by more than in a fine one.

    Args:
        pictures: frames in order.
        palette: of all.
        loop: whether the last is followed by the first.
        clean: take specks, holes, texture and orphans away, in every frame.
        hold: 0 to below 1; 0 makes every frame as if it were alone, but for alpha.
        alpha_hold: 0 to below 0.5; 0 as above.
        callback: called after each frame, of a loop twice; may raise to cancel.

    Returns:
        As many frames.
    """
    table = srgb_to_oklab(from_uint8(palette.colors), dim=1)  # k 3
    indices: list[Tensor] = []
    shown: list[Tensor] = []
    before: tuple[Tensor, Tensor] | None = None
    count = len(pictures.rgb)
    laps = _LAPS if loop and count > 1 else 1
    for lap in range(laps):
        indices, shown = [], []
        for index in range(count):
            frame = pictures.part(slice(index, index + 1))
            before = _next(frame, palette, table, before, clean, hold, alpha_hold)
            indices.append(before[0])
            shown.append(before[1])
            if callback is not None:
                callback(lap * count + index + 1, laps * count)
    opaque = torch.cat(shown)
    return IndexedImage(torch.cat(indices), palette, None if bool(opaque.all()) else ~opaque)


def _next(
    frame: Pictures,
    palette: Palette,
    table: Tensor,
    before: tuple[Tensor, Tensor] | None,
    clean: bool,
    hold: float,
    alpha_hold: float,
) -> tuple[Tensor, Tensor]:
    """Entries and what is opaque, `1 h w` each, after those of the frame before."""
    alpha, rgb = frame.alpha[:, 0], frame.rgb
    there = alpha >= 0.5
    opaque = there
    if before is not None:
        opaque = torch.where(before[1], alpha >= 0.5 - alpha_hold, alpha >= 0.5 + alpha_hold)
    solid = tidy(opaque) if clean else opaque
    rgb = fill_holes(rgb, opaque, solid)
    cost = (srgb_to_oklab(rgb) - table[:, :, None, None]).square().sum(1)  # k h w
    kept = None
    if before is not None:
        stays = (before[1] & solid)[0]
        apart = (table - table[:, None]).square().sum(2)  # k k
        kept = _Kept(before[0][0], hold * apart + (LEAST if hold else 0.0), stays, stays & ~there[0] & opaque[0])
    indices = _agreed(cost, solid, frame.agreement if clean else 0.0, kept)
    return merge_orphans(indices, palette, solid) if clean else indices, solid


class _Kept(NamedTuple):
    """What stood in the frame before."""

    indices: Tensor
    """`h w`, int64."""

    margin: Tensor
    """`k k`: by how much the second must be nearer than the first."""

    stays: Tensor
    """`h w`, bool: where something stood and something stands."""

    held: Tensor
    """`h w`, bool: where it stands against its own alpha, and so has no colour to go by."""

    def chosen(self, cost: Tensor) -> Tensor:
        """Entries of least cost, `k h w` to `h w`, where they are clearly better than what stood there."""
        least, new = cost.min(0)
        own = cost.gather(0, self.indices[None])[0]
        stands = self.held | (own <= least + self.margin[self.indices, new])
        return torch.where(self.stays & stands, self.indices, new)


def _agreed(cost: Tensor, opaque: Tensor, agreement: float, kept: _Kept | None) -> Tensor:
    """Entries of least cost, `k h w` to `1 h w`, each neighbour of the same entry being worth `agreement`."""

    def choose(cost: Tensor) -> Tensor:
        return cost.argmin(0) if kept is None else kept.chosen(cost)

    indices = choose(cost)
    if not agreement:
        return indices[None]
    count, height, width = cost.shape
    side, corner = agreement, agreement * _DIAGONAL
    worth = torch.tensor([[corner, side, corner], [side, 0, side], [corner, side, corner]]).view(1, 1, 3, 3)
    rows, columns = torch.arange(height)[:, None] % 2, torch.arange(width) % 2
    for _ in range(_ROUNDS):
        old = indices
        for top, left in ((0, 0), (0, 1), (1, 0), (1, 1)):  # no two of these cells touch, so none trade places
            same = F.one_hot(indices, count).permute(2, 0, 1) * opaque
            gain = F.conv2d(same[:, None].float(), worth, padding=1)[:, 0]
            here = (rows == top) & (columns == left)
            indices = torch.where(here, choose(cost - gain), indices)
        if torch.equal(old, indices):
            break
    return indices[None]
