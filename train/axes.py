"""Features that are told, not found: the principal axes of patches, so that near in a picture is near in codes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from pixel_models.color import oklab_to_srgb, srgb_to_oklab

SPACES: tuple[str, ...] = ("oklab", "rgb")
"""What distances of patches are measured in; alpha is a fourth number in both."""

_SCALE = 3.0
"""Features are this many times as large as the patches' own numbers."""

_LIFT, _EDGE = 0.015, 0.001


@dataclass(frozen=True)
class PatchAxes:
    """The principal axes of patches, by which distances of features are those of patches."""

    matrix: Tensor
    """`m d`, orthogonal columns; m is c*p*p, or twice as much where patches are lifted; beyond the axes, zero."""

    origin: Tensor
    """`d`, what is subtracted: the mean, or the least, where features cannot be negative."""

    space: str

    @classmethod
    def of(cls, patches: Tensor, weights: Tensor, width: int, space: str, *, signed: bool) -> PatchAxes:
        """Axes of `n c p p` with weights `n`, for features of `width` numbers."""
        rows = _rows(patches, space, lifted=2 * patches[0].numel() <= width).double()
        share = (weights / weights.sum()).double()
        mean = share @ rows
        spread = ((rows - mean) * share[:, None]).T @ (rows - mean)
        axes = torch.linalg.eigh(spread).eigenvectors.flip(1)[:, :width]
        matrix = F.pad(_SCALE * axes, (0, max(0, width - axes.shape[1])))
        origin = mean @ matrix if signed else (rows @ matrix).amin(0)
        return cls(matrix.float(), origin.float(), space)

    def features(self, patches: Tensor) -> Tensor:
        """`n c p p` to `n d`; `patches` is the way back."""
        rows = _rows(patches, self.space, lifted=len(self.matrix) > patches[0].numel())
        return rows @ self.matrix - self.origin

    def patches(self, features: Tensor, shape: torch.Size) -> Tensor:
        """The patches of features, and what is between them of features between: `n d` to `n c p p`, if `complete`."""
        rows = (features + self.origin) @ self.matrix.T / _SCALE**2
        patches = rows[:, : shape.numel()].view(-1, *shape)
        if self.space == "rgb":
            return patches.clamp(0, 1)
        return torch.cat([oklab_to_srgb(patches[:, :3]), patches[:, 3:]], 1).clamp(0, 1)

    @property
    def complete(self) -> bool:
        """Whether features say everything of a patch."""
        return len(self.matrix) <= self.matrix.shape[1]

    def to(self, device: torch.device) -> PatchAxes:
        """The same there."""
        return PatchAxes(self.matrix.to(device), self.origin.to(device), self.space)


def _rows(patches: Tensor, space: str, *, lifted: bool) -> Tensor:
    """`n c p p` to `n c*p*p`, or, lifted, twice as long.

    Lifted: with, faintly, what the decoder's last sigmoid takes, for a decoder without a bend needs it in the codes.
    """
    own = patches if space == "rgb" else torch.cat([srgb_to_oklab(patches[:, :3]), patches[:, 3:]], 1)
    rows = own.flatten(1)
    return torch.cat([rows, _LIFT * torch.logit(patches.flatten(1), _EDGE)], 1) if lifted else rows
