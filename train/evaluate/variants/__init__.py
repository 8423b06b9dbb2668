"""Variants of sprites that an artist would let pass, and ones that no artist would, to judge measures by.

Each takes a sprite `4 h w`, float in [0, 1], hard alpha, a level from 0 (slight) to 2, and a generator, and gives the
sprite changed, or None where the sprite has nothing to change. Alpha stays hard in all of them, so that no measure
gets its answer from that. `HELD_OUT` names kinds that were made after the measure was, and never looked at for it.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from . import bad, good

Variant = Callable[[Tensor, int, torch.Generator], Tensor | None]
LEVELS = 3

GOOD: dict[str, Variant] = {
    "other hues": good.other_hues,
    "merged shades": good.merged_shades,
    "other outline pixels": good.other_outline_pixels,
    "other phase of dither": good.other_phase,
    "moved detail": good.moved_detail,
    "other light": good.other_light,
    "one hue replaced": good.one_hue_replaced,
}
"""Kinds that an artist would let pass."""

BAD: dict[str, Variant] = {
    "blurred": bad.blurred,
    "JPEG": bad.as_jpeg,
    "noisy": bad.noisy,
    "palette exploded": bad.exploded,
    "wrong grid": bad.wrong_grid,
    "colour bleeding": bad.bled,
    "anti-aliased": bad.anti_aliased,
    "lost outline": bad.lost_outline,
    "median": bad.median,
    "rotated and back": bad.turned,
    "broken pixels": bad.broken,
    "airbrushed": bad.airbrushed,
    "palette shuffled": bad.shuffled,
}
"""Kinds that none would."""

HELD_OUT = frozenset(
    {"moved detail", "other light", "one hue replaced"}
    | {"median", "rotated and back", "broken pixels", "airbrushed", "palette shuffled"}
)
"""Kinds that no choice of the measure was made with."""
