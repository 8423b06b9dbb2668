"""One code out of logits: temperature, the likeliest alone, and the place where a uniform number falls.

Twice the same arithmetic, in float64: `draw` in NumPy, a few microseconds for one picture, and `draw_tensor` on tensors
for devices where leaving the device for every place would cost more than all the rest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """How a code is drawn from the logits: guidance first, then temperature, `top_k`, and of those left `top_p`."""

    temperature: float = 1.0
    """What logits are divided by; 0: always the likeliest code."""

    top_k: int = 0
    """So many of the likeliest codes alone; 0: all. Of equally likely ones the lower code counts as likelier."""

    top_p: float = 1.0
    """The smallest set of likeliest codes whose probability reaches this."""

    guidance: float = 1.0
    """Logits are those without labels, plus this times what labels change; 1: with labels alone, at half the work."""

    def __post_init__(self) -> None:
        """Check the values."""
        for name, low, high in (("temperature", 0.0, 1e6), ("top_p", 0.0, 1.0), ("guidance", -100.0, 100.0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, float | int) or not low <= value <= high:
                msg = f"{name} is {value!r}, expected a number from {low:g} to {high:g}"
                raise ValueError(msg)
        if self.top_p == 0:
            msg = "top_p is 0, expected more than 0 and at most 1; for the likeliest code alone set temperature to 0"
            raise ValueError(msg)
        if isinstance(self.top_k, bool) or not isinstance(self.top_k, int) or self.top_k < 0:
            msg = f"top_k is {self.top_k!r}, expected a whole number, 0 for all codes"
            raise ValueError(msg)

    def is_cut(self, codes: int) -> bool:
        """Whether some of so many codes may be left out."""
        return 0 < self.top_k < codes or self.top_p < 1


def draw(logits: Floats, uniforms: Floats, choice: Choice, allowed: Flags | None = None) -> NDArray[np.intp]:
    """The first code whose cumulated probability exceeds the uniform number.

    Args:
        logits: `n codes`, guided already; overwritten.
        uniforms: `n`, in [0, 1).
        choice: how.
        allowed: `n codes`, at least one each; None: all.

    Returns:
        `n`.
    """
    if allowed is not None:
        logits[~allowed] = -math.inf
    if choice.temperature == 0:
        return logits.argmax(1)
    # Before the division: a tiny temperature must not make inf - inf.
    logits -= np.maximum.reduce(logits, axis=1, keepdims=True)
    if choice.temperature != 1:
        logits /= choice.temperature
    weights = np.exp(logits, out=logits)
    if choice.is_cut(weights.shape[1]):
        order = np.argsort(-weights, axis=1, kind="stable")
        ranked = np.take_along_axis(weights, order, 1)
        if choice.top_k:
            ranked[:, choice.top_k :] = 0
        cumulated = ranked.cumsum(1)
        ranked[cumulated - ranked >= choice.top_p * cumulated[:, -1:]] = 0  # what stands before it reaches top_p alone
        np.put_along_axis(weights, order, ranked, 1)
    cumulated = weights.cumsum(1)
    total = cumulated[:, -1:]
    # The product may round up to the total, which nothing exceeds.
    target = np.minimum(uniforms[:, None] * total, np.nextafter(total, 0))
    return (cumulated > target).argmax(1)


def draw_tensor(logits: Tensor, uniforms: Tensor, choice: Choice, allowed: Tensor | None = None) -> Tensor:
    """`draw` on float64 tensors of any device that has them; nothing waits for the device."""
    if allowed is not None:
        logits = logits.masked_fill(~allowed, -math.inf)
    if choice.temperature == 0:
        return logits.argmax(1)
    weights = ((logits - logits.amax(1, keepdim=True)) / choice.temperature).exp()
    if choice.is_cut(weights.shape[1]):
        ranked, order = weights.sort(dim=1, descending=True, stable=True)
        if choice.top_k:
            ranked[:, choice.top_k :] = 0
        cumulated = ranked.cumsum(1)
        ranked = ranked.masked_fill(cumulated - ranked >= choice.top_p * cumulated[:, -1:], 0)
        weights = torch.zeros_like(weights).scatter(1, order, ranked)
    cumulated = weights.cumsum(1)
    total = cumulated[:, -1:]
    target = torch.minimum(uniforms[:, None] * total, torch.nextafter(total, torch.zeros_like(total)))
    return (cumulated > target).to(torch.uint8).argmax(1)  # the first of equals, as in NumPy
