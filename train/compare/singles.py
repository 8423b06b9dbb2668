"""One picture of a set, for recipes that learn from a single one: that with the most varied colours."""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from ..pictures import PictureSet

LEAST_SIDE = 48
"""Pixels of the shorter side of what is chosen, where the set has such pictures: a patch has to fit in."""

PASSED_OVER = frozenset({"photo"})
"""Labels that are chosen only where there are no others: a drawing says more of drawings."""

_LEVELS = 8
"""Of a channel, by which colours are told apart."""


def variety(picture: Tensor) -> float:
    """Entropy, in nats, of the coarse colours of `4 h w` uint8; what is transparent is one colour more."""
    red, green, blue = (picture[:3] // (256 // _LEVELS)).long()
    color = torch.where(picture[3] >= 128, (red * _LEVELS + green) * _LEVELS + blue, _LEVELS**3)
    share = color.unique(return_counts=True)[1].double() / color.numel()
    return float(-(share * share.log()).sum())


def most_varied(pictures: PictureSet) -> int:
    """Which picture of the set has the most varied colours, of those that are large enough and not passed over."""
    places = range(len(pictures))
    large = [i for i in places if min(pictures.pictures[i].shape[1:]) >= LEAST_SIDE] or list(places)
    wanted = [i for i in large if pictures.labels[i] not in PASSED_OVER] or large
    return max(wanted, key=lambda i: variety(pictures.pictures[i]))


def single_folder(pictures: PictureSet, folder: Path) -> str:
    """Write the most varied picture as the only one of a folder; returns its name in the set."""
    index = most_varied(pictures)
    folder.mkdir(parents=True, exist_ok=True)
    rgba = pictures.pictures[index].permute(1, 2, 0).contiguous().numpy()
    Image.fromarray(rgba).save(folder / "one.png")
    return pictures.names[index]
