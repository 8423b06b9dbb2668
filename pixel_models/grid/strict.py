"""Takes JPEG's and noise's scatter out of snapped pixels: colours that nearly agree become one."""

from __future__ import annotations

import torch
from torch import Tensor

from ..errors import PixelModelError
from ..image import check_image

NEAR = 0.05
"""Distance in sRGB, of each channel 0 to 1, at which colours count as the same: about 13 of 255 steps."""

_BLACK = 6.5 / 255
"""Colours whose channels are all below this are black: that is where JPEG and noise leave black outlines, and no screen
shows the difference."""

_ROUNDS = 3
_MOST = 2048
"""Distinct colours, gathered in boxes where they are more, that are compared with each other; a picture of more still
is no pixel art and is left alone."""


@torch.no_grad()
def merge_colors(native: Tensor, near: float = NEAR) -> Tensor:
    """Replace colours by the mean of those around them, until near ones are one (mean shift, Cheng 1995).

    Args:
        native: `b 3 h w` or `b 4 h w`, floating point in [0, 1]; all pictures share the colours. Transparent pixels
            have no say and stay as they are. What is next to black becomes black.
        near: how far apart, in sRGB, colours may be that count as the same; 0 changes nothing.

    Returns:
        Same shape, float32.

    Raises:
        ShapeError, ImageError: `native` is not as above.
        PixelModelError: `near` is below 0.
    """
    check_image(native, "native", channels=(3, 4))
    if not near >= 0:
        msg = f"near is {near}, expected 0 (no colours are merged) or more, in sRGB from 0 to 1"
        raise PixelModelError(msg)
    made = native.float().clamp(0, 1)
    place = made[:, 3] > 0 if native.shape[1] == 4 else torch.ones_like(made[:, 0], dtype=torch.bool)
    colors = made[:, :3].permute(0, 2, 3, 1)[place]  # n 3
    entries, which, counts = (colors * 255).round().unique(dim=0, return_inverse=True, return_counts=True)
    if near == 0 or len(entries) == 0:
        return made
    start, share = entries / 255, counts.float()
    if len(start) > _MOST:
        start, share, group = _heaped(start, share, near / 2)
        which = group[which]
    if len(start) > _MOST:
        return made
    at = start
    for _ in range(_ROUNDS):
        same = (torch.cdist(at, start) <= near) * share
        at = same @ start / same.sum(dim=1, keepdim=True).clamp_min(1e-12)
    made = made.clone().permute(0, 2, 3, 1)
    made[place] = torch.cat([_joined(at, share, near)[which], made[place][:, 3:]], dim=1)
    return made.permute(0, 3, 1, 2)


def _heaped(colors: Tensor, counts: Tensor, step: float) -> tuple[Tensor, Tensor, Tensor]:
    """Colours `n 3` gathered in boxes of `step` a side: their means `m 3`, counts `m`, and each one's box, `n`."""
    boxes, box = (colors / step).floor().unique(dim=0, return_inverse=True)
    total = counts.new_zeros(len(boxes)).index_add_(0, box, counts)
    sums = colors.new_zeros(len(boxes), 3).index_add_(0, box, colors * counts[:, None])
    return sums / total[:, None], total, box


def _joined(at: Tensor, counts: Tensor, near: float) -> Tensor:
    """`k 3` where each goes to the commonest within half of `near`, so that modes are exactly equal."""
    close = torch.cdist(at, at) <= near / 2
    joined = at[(close * counts).argmax(dim=1)]
    return joined * (joined.amax(dim=1, keepdim=True) >= _BLACK)
