"""What a prior is told in advance while it learns: codes of parts of a sprite, its silhouette, some of its labels."""

from __future__ import annotations

import torch
from torch import Tensor

from .canvas import rand, randint

WAYS: tuple[str, ...] = ("top", "bottom", "left", "right", "outside", "inside", "scattered")
"""Which parts of a grid are given."""


def given_part(height: int, width: int, generator: torch.Generator) -> Tensor:
    """A part of a grid that is given: `h w`, bool; at least one place is not."""
    g, given = generator, torch.zeros(height, width, dtype=torch.bool)
    way = WAYS[randint(g, 0, len(WAYS) - 1)]
    if way in ("top", "bottom"):
        rows = randint(g, 1, max(1, height - 1))
        given[:rows] = True
        given = given.flip(0) if way == "bottom" else given
    elif way in ("left", "right"):
        given[:, : randint(g, 1, max(1, width - 1))] = True
        given = given.flip(1) if way == "right" else given
    elif way == "scattered":
        given = torch.rand(height, width, generator=g) < rand(g, 0.02, 0.9)
    else:
        top, left = randint(g, 0, height - 1), randint(g, 0, width - 1)
        bottom, right = randint(g, top, height - 1), randint(g, left, width - 1)
        given[top : bottom + 1, left : right + 1] = True
        given = ~given if way == "outside" else given
    if bool(given.all()):
        given[randint(g, 0, height - 1), randint(g, 0, width - 1)] = False
    return given


def some_labels(labels: Tensor, all_dropped: float, one_dropped: float, generator: torch.Generator) -> Tensor:
    """Labels `n k`, bool, of which some are not told: of so many pictures none, of the others each with this chance."""
    n, k = labels.shape
    kept = torch.rand(n, k, generator=generator) >= one_dropped
    return labels & kept & (torch.rand(n, 1, generator=generator) >= all_dropped)
