"""Learning rates by epoch, as CycleGAN, pix2pix and CUT set them: our rule, and both of theirs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

Policy = Literal["linear", "step", "cosine", "plateau"]

Rule = Literal["ours", "upstream", "older"]
"""`upstream` counts the scheduler's steps at the start of each epoch (CycleGAN and pix2pix since 2020), `older` at its
end (before, and CUT). `ours` counts at the end too and mends what both get wrong."""


@dataclass(frozen=True, kw_only=True)
class EpochSchedule:
    """The factor of the learning rate in each epoch."""

    policy: Policy = "linear"

    epochs: int = 100
    """Epochs at the full rate; with `cosine` of `upstream` and `older`, those of the first fall."""

    decay_epochs: int = 100
    """Epochs that follow, in which `linear` falls."""

    step_every: int = 50
    """Epochs after which `step` divides the rate by ten."""

    first: int = 1
    """The epoch that a continued run of the reference begins with; its `step` and `cosine` then start anew."""

    rule: Rule = "ours"

    def __post_init__(self) -> None:
        """Check the values."""
        if self.policy not in get_args(Policy) or self.rule not in get_args(Rule):
            msg = f"policy {self.policy!r} and rule {self.rule!r}: expected of {get_args(Policy)} and {get_args(Rule)}"
            raise ValueError(msg)
        if self.epochs < 0 or self.decay_epochs < 0 or not self.total or self.step_every < 1 or self.first < 1:
            msg = f"epochs {self.epochs} + {self.decay_epochs}: expected one or more in all, and none negative"
            raise ValueError(msg)
        if self.policy == "plateau" and self.rule == "ours":
            msg = (
                "policy 'plateau' waits for a measure that is never taken, and so always falls; use 'linear' or 'step'"
            )
            raise ValueError(msg)
        if self.policy == "cosine" and self.rule != "ours" and not self.epochs:
            msg = "policy 'cosine' of the reference needs epochs at the full rate; it has none"
            raise ValueError(msg)

    @property
    def total(self) -> int:
        """Epochs in all."""
        return self.epochs + self.decay_epochs

    def factor(self, epoch: int) -> float:
        """Factor of the rate in an epoch, from 1.

        `linear` of `upstream` is 0 in the last epoch, which is then wasted; `cosine` of both references comes up again
        after `epochs`, where ours goes on falling to the end; `plateau` of both sees the constant 0 and divides by
        five every six epochs.
        """
        counted = epoch - self.first + (self.rule == "upstream")  # the scheduler's steps before this epoch
        if self.policy == "linear":
            return 1 - max(0, counted + self.first - self.epochs) / (self.decay_epochs + 1)
        if self.policy == "step":
            return 0.1 ** (counted // self.step_every)
        if self.policy == "cosine":
            period = self.total if self.rule == "ours" else self.epochs
            return 0.5 * (1 + math.cos(math.pi * counted / period))
        return 0.2 ** (max(0, counted - 1) // 6)

    def factor_at(self, step: int, steps: int) -> float:
        """The factor after `step` of `steps` steps, the epochs being spread evenly over all steps."""
        return self.factor(1 + step * self.total // steps)
