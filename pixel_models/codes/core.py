"""`CodeGrid`: pictures as codes of one model's codebook, and the hard alpha that travels beside them."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor
from torch.nn import functional as F

from ..checkpoint import LoadedModel
from ..errors import CodesError, ShapeError

MAX_CODEBOOK = 2**16
"""The most codes that a codebook has; files keep an index in 16 bits."""

MAX_PATCH = 64
"""The largest patch, pixels a side; the deepest network here has 16."""


@dataclasses.dataclass(frozen=True, eq=False)
class CodeGrid:
    """Pictures of one size, each patch of which is a code; decoded by `decode` with the model that made them."""

    indices: Tensor
    """`b h w`, int64, on the CPU, in [0, codebook_size)."""

    codebook_size: int
    """Codes that the model has."""

    fingerprint: str
    """Of the model that made them, `LoadedModel.fingerprint`."""

    patch: int
    """Pixels along the sides of what a code stands for."""

    height: int
    """Of the pictures, pixels; at most `h * patch`, more than `(h - 1) * patch`: decoding crops what is beyond."""

    width: int
    """Of the pictures, pixels, as `height`."""

    transparent: Tensor | None = None
    """`b height width`, bool, True = transparent: hard alpha beside the codes; None: as the codes say."""

    def __post_init__(self) -> None:
        """Check that the parts fit together.

        Raises:
            ShapeError: wrong types, shapes or sizes.
            CodesError: an index outside the codebook, or a codebook that cannot be.
        """
        indices, clear = self.indices, self.transparent
        if not isinstance(indices, Tensor) or indices.dtype != torch.int64 or indices.ndim != 3 or not indices.numel():
            msg = f"indices are a non-empty int64 tensor `b h w`, got {_told(indices)}"
            raise ShapeError(msg)
        if indices.device.type != "cpu" or (clear is not None and clear.device.type != "cpu"):
            msg = f"codes are kept on the CPU, got {indices.device}; use .cpu()"
            raise ShapeError(msg)
        _check_whole("patch", self.patch, 1, MAX_PATCH)
        _check_whole("codebook_size", self.codebook_size, 1, MAX_CODEBOOK)
        rows, columns = indices.shape[1:]
        _check_whole("height", self.height, (rows - 1) * self.patch + 1, rows * self.patch)
        _check_whole("width", self.width, (columns - 1) * self.patch + 1, columns * self.patch)
        if not isinstance(self.fingerprint, str) or not self.fingerprint:
            msg = f"codes carry the fingerprint of the model that made them, got {self.fingerprint!r}"
            raise CodesError(msg)
        shape = (len(indices), self.height, self.width)
        if clear is not None and (clear.dtype != torch.bool or tuple(clear.shape) != shape):
            msg = f"transparent is a bool tensor {shape}, one for each pixel, got {_told(clear)}"
            raise ShapeError(msg)
        low, high = (int(value) for value in indices.aminmax())
        if low < 0 or high >= self.codebook_size:
            msg = f"indices of {self.codebook_size} codes are 0 to {self.codebook_size - 1}, got {low} to {high}"
            raise CodesError(msg)

    def __len__(self) -> int:
        """Number of pictures, b."""
        return len(self.indices)

    def frame(self, index: int) -> CodeGrid:
        """One picture, as a batch of one; negative counts from the end.

        Raises:
            ShapeError: there is no such picture.
        """
        if not -len(self) <= index < len(self):
            msg = f"there is no frame {index}; expected 0 to {len(self) - 1}"
            raise ShapeError(msg)
        index %= len(self)
        clear = None if self.transparent is None else self.transparent[index : index + 1]
        return dataclasses.replace(self, indices=self.indices[index : index + 1], transparent=clear)

    def replace(self, indices: Tensor) -> CodeGrid:
        """Other codes, `b h w` int64, in the same places under the same alpha.

        Raises:
            ShapeError: another shape, or no int64.
            CodesError: an index outside the codebook.
        """
        if isinstance(indices, Tensor) and indices.shape != self.indices.shape:
            msg = f"expected codes {tuple(self.indices.shape)} as before, got {tuple(indices.shape)}"
            raise ShapeError(msg)
        return dataclasses.replace(self, indices=indices)

    def hidden(self) -> Tensor:
        """Codes of which no pixel shows, because `transparent` covers all of them: `b h w`, bool."""
        if self.transparent is None:
            return torch.zeros_like(self.indices, dtype=torch.bool)
        rows, columns = self.indices.shape[1:]
        beyond = (0, columns * self.patch - self.width, 0, rows * self.patch - self.height)
        clear = F.pad(self.transparent, beyond, value=True)
        return clear.view(len(self), rows, self.patch, columns, self.patch).all(4).all(2)

    def require(self, model: LoadedModel) -> CodeGrid:
        """These codes, if `model` made them.

        Raises:
            CodesError: it is another one; names both fingerprints.
        """
        self.check_maker(model.fingerprint, f"this model ({model.spec.id})")
        return self

    def require_like(self, other: CodeGrid) -> CodeGrid:
        """These codes, if the model that made `other` made them too.

        Raises:
            CodesError: it was another one; names both fingerprints.
        """
        self.check_maker(other.fingerprint, "the other codes'")
        if (self.codebook_size, self.patch) != (other.codebook_size, other.patch):
            msg = (
                f"codes of {self.codebook_size} for {self.patch}x{self.patch} pixels do not go with codes of "
                f"{other.codebook_size} for {other.patch}x{other.patch}; encode both with one model"
            )
            raise CodesError(msg)
        return self

    def check_maker(self, fingerprint: str, whose: str) -> None:
        """Refuse another fingerprint than that of these codes' model.

        Args:
            fingerprint: of the other model.
            whose: what has it, for the message.

        Raises:
            CodesError: they differ; names both.
        """
        if self.fingerprint != fingerprint:
            msg = (
                f"these codes were made by the model {self.fingerprint}, and {whose} is {fingerprint}; codes mean "
                "nothing to another model: load the one that made them, or encode the picture again"
            )
            raise CodesError(msg)


def _told(value: object) -> str:
    return f"{value.dtype} {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__


def _check_whole(name: str, value: object, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        msg = f"{name} is {value!r}, expected a whole number from {least} to {most}"
        raise ShapeError(msg)
