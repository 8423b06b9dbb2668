"""The parts of a body for walking: read from a picture in four colours, or legs found where a gap parts them."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from ..color import srgb_to_oklab
from ..errors import ShapeError, SheetError
from ..palette import Palette
from .poses import visible_box

Part = Literal["body", "leg", "other leg", "arm", "other arm"]

PARTS: tuple[Part, ...] = get_args(Part)
"""What the labels of `h w` masks mean, from 0 on. Of two, the first is drawn behind, where the sprite is seen from the
side: it is the one farther away."""

PART_COLORS: dict[Part, str] = {
    "leg": "#ff0000",
    "other leg": "#0000ff",
    "arm": "#00ff00",
    "other arm": "#ffff00",
}
"""How a picture marks the parts; all else is body."""

_NEAR = 0.16
"""Oklab distance within which a pixel counts as one of `PART_COLORS`."""

_LEAST_GAP = 2


def parts_from_colors(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """Read a picture of parts: a leg red, the other one blue, an arm green, the other one yellow, the rest anything.

    Args:
        picture: `4 h w` or `3 h w`, float32 in [0, 1].
        size: height and width of the sprite.

    Returns:
        `h w`, int64: places in `PARTS`.

    Raises:
        ShapeError: it has another size.
        SheetError: no pixel has one of the four colours.
    """
    if picture.ndim != 3 or picture.shape[0] not in (3, 4) or picture.shape[1:] != size:
        msg = f"the picture of the parts is {tuple(picture.shape)}, expected `3 h w` or `4 h w` with h, w = {size}"
        raise ShapeError(msg)
    marks = Palette.from_hex(PART_COLORS.values()).colors.float() / 255  # 4 3
    lab, wanted = srgb_to_oklab(picture[:3].float().cpu(), dim=0), srgb_to_oklab(marks, dim=1)
    apart = (lab[:, None] - wanted.T[:, :, None, None]).norm(dim=0)  # 4 h w
    nearest = apart.min(dim=0)
    labels = (nearest.indices + 1) * (nearest.values < _NEAR)
    if picture.shape[0] == 4:
        labels = labels * (picture[3].cpu() >= 0.5)
    if not bool(labels.any()):
        known = ", ".join(f"{color} {part}" for part, color in PART_COLORS.items())
        msg = f"the picture of the parts marks none of them; expected these colours on anything else: {known}"
        raise SheetError(msg)
    return labels


def find_legs(sprite: Tensor) -> Tensor | None:
    """Find two legs where the sprite's lowest rows fall into two runs with a gap between them, about its middle.

    Args:
        sprite: `4 h w`.

    Returns:
        `h w`, int64: places in `PARTS`, the left leg as "leg", the right one as "other leg"; None where it is not
        plain, as with robes, four legs, or a shadow on the ground.
    """
    left, top, right, bottom = visible_box(sprite)
    body = (sprite[3] >= 0.5)[top:bottom, left:right]
    height, width = body.shape
    gaps: list[tuple[int, int]] = []  # from the lowest row up
    for row in range(height - 1, height // 2, -1):
        runs = runs_of(body[row])
        if len(runs) != 2:
            break
        gap = runs[0][1], runs[1][0]
        if gaps and (gap[0] >= gaps[-1][1] or gap[1] <= gaps[-1][0]):
            break  # it is not the gap of the row below any more
        gaps.append(gap)
    if len(gaps) < max(_LEAST_GAP, height // 12):
        return None
    middle = sum(begin + end for begin, end in gaps) / (2 * len(gaps))
    if abs(middle - width / 2) > width / 5:
        return None
    labels = torch.zeros(sprite.shape[1:], dtype=torch.int64)
    hip = max(height // 2, height - len(gaps) - max(1, len(gaps) // 4))
    feet = torch.arange(width)
    for row in range(height - 1, hip - 1, -1):
        index = height - 1 - row
        begin, end = gaps[min(index, len(gaps) - 1)]
        cut = (begin + end) // 2
        own = body[row]
        if index >= len(gaps):  # above the gap, between the legs, the leg's own columns alone
            low, high = _reach(body, height - len(gaps))
            own = own & (feet >= low) & (feet < high)
        labels[top + row, left : left + width] = torch.where(own, torch.where(feet < cut, 1, 2), 0)
    return labels


def runs_of(row: Tensor) -> list[tuple[int, int]]:
    """Runs of True: first, and one past the last."""
    steps = torch.diff(torch.cat([torch.zeros(1), row.float(), torch.zeros(1)])).tolist()
    begins = [at for at, step in enumerate(steps) if step > 0]
    return list(zip(begins, (at for at, step in enumerate(steps) if step < 0), strict=True))


def _reach(body: Tensor, row: int) -> tuple[int, int]:
    columns = body[row].nonzero()
    return int(columns[0]), int(columns[-1]) + 1
