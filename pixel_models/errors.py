"""Every error that this package raises on purpose; all are `ValueError`s, so callers can catch the family."""

from __future__ import annotations


class PixelModelError(ValueError):
    """Base of the package's errors: says what was got, what was expected, and what to do."""


class ShapeError(PixelModelError):
    """A tensor has the wrong rank, channel count or size."""


class ImageError(PixelModelError):
    """A picture cannot be read or written, is empty, or holds values that are no colours."""


class PaletteError(PixelModelError):
    """A palette is empty, malformed, or cannot be read."""


class GridError(PixelModelError):
    """A picture has no grid to snap to."""


class SheetError(PixelModelError):
    """A sprite sheet or its metadata cannot be read, packed or written."""


class FilmError(PixelModelError):
    """A film cannot be read or written, holds no frames, or an option does not fit it."""


class CodesError(PixelModelError):
    """A grid of codes is malformed, cannot be read, or belongs to another model."""


class LabelError(PixelModelError):
    """A model was asked for something that it has no name for."""


class CheckpointError(PixelModelError):
    """A weight file is damaged, foreign, or does not fit its architecture."""


class ModelKindError(PixelModelError):
    """A model of another kind was given than the one that is needed."""


class HubError(PixelModelError):
    """Weights are not on this machine, or cannot be fetched."""


_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")  # CUDA, ROCm, XPU, MPS; CPU; Windows


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether PyTorch raised this because memory ran out, on whatever device."""
    return any(words in str(error) for words in _OUT_OF_MEMORY)
