"""Onion skin: a frame with those before and after shining through, as animators see it at work."""

from __future__ import annotations

import torch
from torch import Tensor

from ..errors import SheetError
from ..sheets import SpriteSheet
from ..sheets.join import stand_on_one_line

BEFORE_TINT = (0.90, 0.25, 0.25)
"""sRGB; frames that were are seen in red."""

AFTER_TINT = (0.20, 0.45, 0.95)
"""sRGB; frames that come are seen in blue."""

MOST_SKINS = 8

_NEAREST = 0.5
_TINTED = 0.6


def onion_skin(
    sheet: SpriteSheet, index: int, *, before: int = 1, after: int = 1, opacity: float = _NEAREST, wrap: bool = True
) -> Tensor:
    """A frame over its neighbours, which are tinted, red those before and blue those after, and fainter farther away.

    This is for looking, not for keeping: it has colours of its own and half-transparent pixels.

    Args:
        sheet: an animation; smaller frames stand at the middle of the bottom.
        index: which frame.
        before: how many of those before, 0 to 8.
        after: how many of those after, 0 to 8.
        opacity: of the nearest, 0 to 1; each farther one has half of the one before.
        wrap: whether the first comes after the last, where the animation plays for ever.

    Returns:
        `4 h w`, float32 in [0, 1], straight alpha.

    Raises:
        SheetError: there is no such frame, or a number out of range.
    """
    count = len(sheet)
    if not 0 <= index < count:
        msg = f"there is no frame {index}; expected 0 to {count - 1}"
        raise SheetError(msg)
    if not 0 <= before <= MOST_SKINS or not 0 <= after <= MOST_SKINS or not 0 <= opacity <= 1:
        msg = f"before, after and opacity are {before}, {after} and {opacity}; expected 0 to {MOST_SKINS} and 0 to 1"
        raise SheetError(msg)
    frames = stand_on_one_line(sheet).batch()
    round_ = wrap and sheet.loop == 0
    seen = {index}
    skins: list[tuple[int, Tensor, float]] = []
    for away in range(1, max(before, after) + 1):
        for way, tint, most in ((-1, BEFORE_TINT, before), (1, AFTER_TINT, after)):
            at = index + way * away
            at = at % count if round_ else at
            if away <= most and 0 <= at < count and at not in seen:
                seen.add(at)
                skins.append((at, torch.tensor(tint), opacity * 0.5 ** (away - 1)))
    made = torch.zeros_like(frames[0])
    for at, tint, strength in reversed(skins):
        skin = frames[at].clone()
        skin[:3] = skin[:3] * (1 - _TINTED) + tint[:, None, None] * _TINTED
        skin[3] *= strength
        made = _over(skin, made)
    return _over(frames[index], made)


def onion_skins(sheet: SpriteSheet, *, before: int = 1, after: int = 1, opacity: float = _NEAREST) -> Tensor:
    """`onion_skin` for every frame: `b 4 h w`."""
    return torch.stack(
        [onion_skin(sheet, index, before=before, after=after, opacity=opacity) for index in range(len(sheet))]
    )


def _over(upper: Tensor, lower: Tensor) -> Tensor:
    """Two pictures `4 h w` of straight alpha, one over the other (Porter & Duff 1984)."""
    alpha = upper[3:] + lower[3:] * (1 - upper[3:])
    color = upper[:3] * upper[3:] + lower[:3] * lower[3:] * (1 - upper[3:])
    return torch.cat([torch.where(upper[3:] == 1, upper[:3], color / alpha.clamp(min=1e-6)), alpha])
