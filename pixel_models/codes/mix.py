"""Codes cut out, painted over, and two pictures' codes fused into one: `mask_codes`, `mix`."""

from __future__ import annotations

import dataclasses
from typing import Literal, get_args

import torch
from torch import Tensor

from ..errors import CodesError, ShapeError
from ..image import enlarge
from .core import CodeGrid

MixHow = Literal["mask", "top", "left", "checker", "coin"]
"""Which of two grids a place is taken from."""

MIX_HOWS: tuple[MixHow, ...] = get_args(MixHow)
"""Every `MixHow`."""


def mask_codes(codes: CodeGrid, mask: Tensor, code: int | None = None) -> CodeGrid:
    """Paint over some places, or cut them out.

    Args:
        codes: codes.
        mask: `b h w` or `1 h w`, bool: the places.
        code: what is put there, opaque as far as the code is; None: the pixels become transparent and the codes stay.

    Raises:
        ShapeError: `mask` is not as above.
        CodesError: `code` is no code.
    """
    mask = _checked(mask, codes)
    clear = codes.transparent
    if code is None:
        covered = _pixels(mask, codes)
        return dataclasses.replace(codes, transparent=covered if clear is None else clear | covered)
    if isinstance(code, bool) or not 0 <= code < codes.codebook_size:
        msg = f"{code!r} is no code of this codebook, expected 0 to {codes.codebook_size - 1}"
        raise CodesError(msg)
    clear = None if clear is None else clear & ~_pixels(mask, codes)
    return dataclasses.replace(codes, indices=codes.indices.masked_fill(mask, code), transparent=clear)


def mix(
    a: CodeGrid,
    b: CodeGrid,
    how: MixHow,
    *,
    mask: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> CodeGrid:
    """Fuse two grids place by place, their transparency with them.

    Args:
        a: codes of b pictures, or of one for all of the other's.
        b: codes of the same model and for pictures of the same size, as many or one.
        how: what is taken from `b`: "mask": where `mask` is True. "top": the lower half, so that the upper is of `a`.
            "left": the right half. "checker": every other place. "coin": each place with a probability of a half.
        mask: `b h w` or `1 h w`, bool; for "mask" alone.
        generator: for "coin"; the same state gives the same places.

    Returns:
        The codes. Where only one of the two has a mask of transparency, the other counts as opaque.

    Raises:
        CodesError: two models made them, or `how` is not known or lacks its mask or generator.
        ShapeError: the sizes differ, or `mask` is not as above.
    """
    a.require_like(b)
    if (a.height, a.width) != (b.height, b.width):
        msg = (
            f"the pictures are {a.width}x{a.height} and {b.width}x{b.height}; bring them to one size, then encode them"
        )
        raise ShapeError(msg)
    if len(a) != len(b) and 1 not in (len(a), len(b)):
        msg = f"{len(a)} and {len(b)} pictures cannot be paired; expected as many, or one for all"
        raise ShapeError(msg)
    longer = a if len(a) >= len(b) else b
    theirs = _checked(_places(longer, how, mask, generator), longer)
    indices = torch.where(theirs, b.indices, a.indices)
    clear = None
    if a.transparent is not None or b.transparent is not None:
        none = torch.zeros(1, a.height, a.width, dtype=torch.bool)
        first, second = (none if grid.transparent is None else grid.transparent for grid in (a, b))
        clear = torch.where(_pixels(theirs, longer), second, first)
    return dataclasses.replace(longer, indices=indices, transparent=clear)


def _places(codes: CodeGrid, how: MixHow, mask: Tensor | None, generator: torch.Generator | None) -> Tensor:
    """Which places are the second grid's: `b h w` or `1 h w`, bool."""
    if how not in MIX_HOWS:
        msg = f"{how!r} is no way to mix codes; expected one of {', '.join(MIX_HOWS)}"
        raise CodesError(msg)
    if (mask is not None) != (how == "mask"):
        msg = f"to mix by {how!r}, expected {'a' if how == 'mask' else 'no'} mask; a mask goes with 'mask'"
        raise CodesError(msg)
    if mask is not None:
        return mask
    rows, columns = (torch.arange(size) for size in codes.indices.shape[1:])
    if how == "top":
        return (rows >= (len(rows) + 1) // 2)[None, :, None].expand(1, -1, len(columns))
    if how == "left":
        return (columns >= (len(columns) + 1) // 2)[None, None].expand(1, len(rows), -1)
    if how == "checker":
        return ((rows[:, None] + columns) % 2 == 1)[None]
    if generator is None:
        msg = "to mix by 'coin', expected a generator to throw it with; make one with a seed"
        raise CodesError(msg)
    return torch.rand(codes.indices.shape, generator=generator, device=generator.device).cpu() < 0.5


def _checked(mask: Tensor, codes: CodeGrid) -> Tensor:
    """`b h w`, bool."""
    shape = tuple(codes.indices.shape)
    if mask.dtype != torch.bool or tuple(mask.shape) not in (shape, (1, *shape[1:])):
        msg = f"mask is a bool tensor {shape}, one for each code, got {mask.dtype} {tuple(mask.shape)}"
        raise ShapeError(msg)
    return mask.cpu().expand(shape)


def _pixels(mask: Tensor, codes: CodeGrid) -> Tensor:
    """Places `b h w` as pixels, `b height width`."""
    return enlarge(mask, codes.patch)[:, : codes.height, : codes.width]
