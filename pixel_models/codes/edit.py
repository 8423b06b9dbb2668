"""Codes exchanged: palettes of codes swapped, rotated, replaced.

Saravanan and Guzdial, "Pixel VQ-VAEs for Improved Pixel Art Representation", EXAG 2022,
https://arxiv.org/abs/2203.12130, Table 6: since a code is a patch of some colours, exchanging the codes of two sprites
exchanges their colours and keeps their drawing.

What is transparent is no part of a palette and stays as it is, so that no background gets into a figure: codes of
which no pixel shows (`CodeGrid.hidden`), and codes that are transparent by themselves, where `clear` says which
(`clear_codes` of the model). `background=True` treats all codes alike, as the paper's reference does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ..errors import CodesError, ShapeError
from .core import CodeGrid


def code_palette(codes: CodeGrid, *, background: bool = False, clear: Tensor | None = None) -> list[int]:
    """The codes in use, the most frequent first; of equally frequent ones the highest code.

    Args:
        codes: all pictures count together.
        background: count what is transparent, too.
        clear: `codebook_size`, bool: codes that are transparent by themselves.

    Raises:
        ShapeError: `clear` is not as above.
    """
    counts = codes.indices[_figure(codes, clear, background=background)].bincount(minlength=codes.codebook_size)
    used = counts.nonzero()[:, 0].flip(0)
    return used[counts[used].argsort(descending=True, stable=True)].tolist()


def swap_codes(
    a: CodeGrid,
    b: CodeGrid,
    *,
    simultaneous: bool = True,
    background: bool = False,
    clear: Tensor | None = None,
) -> tuple[CodeGrid, CodeGrid]:
    """Exchange the palettes of two grids, code by code in the order of `code_palette`.

    What one palette has beyond the other's length stays. Where both are of one length and no two of their codes are
    equally frequent, swapping again gives the grids back.

    Args:
        a: codes.
        b: codes of the same model, of any size.
        simultaneous: all at once. Otherwise one after the other on the same grid, as the reference does it: a new code
            that is also one of those still to come is replaced again.
        background: let what is transparent take part.
        clear: `codebook_size`, bool: codes that are transparent by themselves.

    Returns:
        `a` in the codes of `b`, and `b` in those of `a`.

    Raises:
        CodesError: two models made them.
        ShapeError: `clear` is not as above.
    """
    a.require_like(b)
    ours, theirs = (code_palette(grid, background=background, clear=clear) for grid in (a, b))
    pairs = list(zip(ours, theirs, strict=False))
    back = [(new, old) for old, new in pairs]
    return (
        _exchanged(a, pairs, _figure(a, clear, background=background), simultaneous=simultaneous),
        _exchanged(b, back, _figure(b, clear, background=background), simultaneous=simultaneous),
    )


def recolor_codes(
    codes: CodeGrid,
    new: Sequence[int],
    *,
    simultaneous: bool = True,
    background: bool = False,
    clear: Tensor | None = None,
) -> CodeGrid:
    """Give the most frequent code the first of `new`, the next its second, and so on; further codes stay.

    Args:
        codes: codes.
        new: codes of the same model; `nearest_codes` finds those of chosen colours.
        simultaneous: as for `swap_codes`.
        background: let what is transparent take part.
        clear: `codebook_size`, bool: codes that are transparent by themselves.

    Raises:
        CodesError: `new` holds what is no code.
        ShapeError: `clear` is not as above.
    """
    pairs = list(zip(code_palette(codes, background=background, clear=clear), new, strict=False))
    figure = _figure(codes, clear, background=background)
    return _exchanged(codes, pairs, figure, simultaneous=simultaneous)


def replace_codes(
    codes: CodeGrid, changes: Mapping[int, int], *, background: bool = False, clear: Tensor | None = None
) -> CodeGrid:
    """Exchange single codes, all at once, so that `{1: 2, 2: 1}` swaps two; those that do not occur do not matter.

    Args:
        codes: codes.
        changes: what becomes what.
        background: exchange what is transparent, too.
        clear: `codebook_size`, bool: codes that are transparent by themselves.

    Raises:
        CodesError: `changes` holds what is no code.
        ShapeError: `clear` is not as above.
    """
    return _exchanged(codes, list(changes.items()), _figure(codes, clear, background=background), simultaneous=True)


def rotate_codes(
    codes: CodeGrid, offset: int, keep: int | None = None, *, background: bool = False, clear: Tensor | None = None
) -> CodeGrid:
    """Move every code on by `offset`, around the codebook: other colours at random, but the same for the same code.

    Args:
        codes: codes.
        offset: how far; negative moves back.
        keep: the code that stays, for pictures whose background is not transparent; None is the most frequent code,
            counted with what is transparent.
        background: move what is transparent, too.
        clear: `codebook_size`, bool: codes that are transparent by themselves. No other code becomes one of them.

    Raises:
        CodesError: `keep` is no code.
        ShapeError: `clear` is not as above.
    """
    keep = code_palette(codes, background=True)[0] if keep is None else keep
    _check_codes(codes, [keep])
    skipped = torch.zeros(codes.codebook_size, dtype=torch.bool)
    if clear is not None and not background:
        skipped = _checked(clear, codes)
    ring = (~skipped).nonzero()[:, 0]
    becomes = torch.arange(codes.codebook_size)
    becomes[ring] = ring.roll(-offset)
    becomes[keep] = keep
    figure = _figure(codes, clear, background=background)
    return codes.replace(torch.where(figure, becomes[codes.indices], codes.indices))


def _figure(codes: CodeGrid, clear: Tensor | None, *, background: bool) -> Tensor:
    """Places that take part: `b h w`, bool."""
    if clear is not None:
        clear = _checked(clear, codes)
    if background:
        return torch.ones_like(codes.indices, dtype=torch.bool)
    figure = ~codes.hidden()
    return figure if clear is None else figure & ~clear[codes.indices]


def _exchanged(codes: CodeGrid, pairs: list[tuple[int, int]], figure: Tensor, *, simultaneous: bool) -> CodeGrid:
    _check_codes(codes, [code for pair in pairs for code in pair])
    becomes = torch.arange(codes.codebook_size)
    for old, new in pairs:
        becomes[old if simultaneous else becomes == old] = new
    return codes.replace(torch.where(figure, becomes[codes.indices], codes.indices))


def _check_codes(codes: CodeGrid, wanted: Sequence[int]) -> None:
    for code in wanted:
        if isinstance(code, bool) or not isinstance(code, int) or not 0 <= code < codes.codebook_size:
            msg = f"{code!r} is no code of this codebook, expected 0 to {codes.codebook_size - 1}"
            raise CodesError(msg)


def _checked(clear: Tensor, codes: CodeGrid) -> Tensor:
    if clear.dtype != torch.bool or tuple(clear.shape) != (codes.codebook_size,):
        got = f"{clear.dtype} {tuple(clear.shape)}"
        msg = f"clear is a bool tensor ({codes.codebook_size},), one for each code, got {got}"
        raise ShapeError(msg)
    return clear.cpu()
