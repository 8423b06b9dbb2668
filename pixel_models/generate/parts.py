"""Which codes of sprites stay when the rest is drawn anew: by a mask, a part, near a sprite, between two."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor
from torch.nn import functional as F

from ..codes import CodeGrid
from ..errors import PixelModelError, ShapeError

SIDES: tuple[str, ...] = ("top", "bottom", "left", "right")
"""Parts of a sprite that can be kept."""


def keep_outside(codes: CodeGrid, fill: Tensor) -> Tensor:
    """Keep what a mask does not touch.

    Args:
        codes: of b sprites.
        fill: `b height width` or `1 height width`, bool: the pixels to draw anew; a code of which one is among them
            is drawn anew.

    Returns:
        `b h w`, bool.

    Raises:
        ShapeError: `fill` of another shape.
    """
    pixels = (codes.height, codes.width)
    if fill.dtype != torch.bool or fill.ndim != 3 or fill.shape[1:] != pixels or len(fill) not in (1, len(codes)):
        msg = f"fill is {fill.dtype} {tuple(fill.shape)}, expected bool {(len(codes), *pixels)}, one for each pixel"
        raise ShapeError(msg)
    rows, columns = codes.indices.shape[1:]
    padded = F.pad(fill, (0, columns * codes.patch - codes.width, 0, rows * codes.patch - codes.height))
    cells = padded.view(len(fill), rows, codes.patch, columns, codes.patch).any(4).any(2)
    return (~cells).expand(len(codes), -1, -1).clone()


def keep_side(codes: CodeGrid, side: str, share: float) -> Tensor:
    """Keep a part of each sprite: `b h w`, bool.

    Args:
        codes: of b sprites.
        side: one of `SIDES`.
        share: of its rows or columns, in [0, 1].

    Raises:
        PixelModelError: no such side, or a share beyond 0 to 1.
    """
    if side not in SIDES or not 0 <= share <= 1:
        msg = f"side is {side!r} and share {share!r}, expected one of {', '.join(SIDES)} and a number from 0 to 1"
        raise PixelModelError(msg)
    axis = 1 if side in ("top", "bottom") else 2
    size = codes.indices.shape[axis]
    near = torch.arange(size) < round(share * size)
    near = near.flip(0) if side in ("bottom", "right") else near
    return (near[:, None] if axis == 1 else near[None]).expand(codes.indices.shape).clone()


def keep_some(codes: CodeGrid, change: float, generator: torch.Generator) -> Tensor:
    """Keep a random part of each sprite, for variants near it: `b h w`, bool.

    Args:
        codes: of b sprites.
        change: share of the codes that are drawn anew, in [0, 1].
        generator: a CPU generator.

    Raises:
        PixelModelError: a share beyond 0 to 1.
    """
    _check_share("change", change)
    return _shares(codes, 1, generator)[:, 0] >= change


def repeat(codes: CodeGrid, count: int) -> CodeGrid:
    """Each sprite `count` times, one after another."""
    clear = codes.transparent
    return dataclasses.replace(
        codes,
        indices=codes.indices.repeat_interleave(count, 0),
        transparent=None if clear is None else clear.repeat_interleave(count, 0),
    )


def between(
    a: CodeGrid, b: CodeGrid, place: float, generator: torch.Generator, *, given: float = 0.4
) -> tuple[CodeGrid, Tensor]:
    """What sprites between two are drawn from: codes that both have, and some of either.

    Args:
        a: codes of n sprites.
        b: as many of the same model and size.
        place: 0: all that is given is of `a`; 1: of `b`.
        generator: a CPU generator.
        given: share of the codes in which they differ that is given; the rest is drawn.

    Returns:
        Codes, of which only those to keep count, and `n h w`, bool, which those are.

    Raises:
        CodesError: they are of two models.
        ShapeError: sizes or numbers of sprites differ.
        PixelModelError: a share beyond 0 to 1.
    """
    a.require_like(b)
    _check_share("place", place)
    _check_share("given", given)
    if (a.indices.shape, a.height, a.width) != (b.indices.shape, b.height, b.width):
        msg = (
            f"{len(a)} sprites of {a.width}x{a.height} and {len(b)} of {b.width}x{b.height} have nothing between them; "
            "bring them to one size, and as many"
        )
        raise ShapeError(msg)
    shares = _shares(a, 2, generator)
    of_b = shares[:, 0] < place
    keep = (a.indices == b.indices) | (shares[:, 1] < given)
    return dataclasses.replace(a, indices=b.indices.where(of_b, a.indices), transparent=None), keep


def _shares(codes: CodeGrid, count: int, generator: torch.Generator) -> Tensor:
    """Random numbers in [0, 1), `b count h w`: those of a sprite, and what `generator` gives next, whatever b is."""
    own = torch.Generator().manual_seed(int(torch.randint(2**62, (), generator=generator)))
    return torch.rand((len(codes), count, *codes.indices.shape[1:]), generator=own)


def _check_share(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        msg = f"{name} is {value!r}, expected a number from 0 to 1"
        raise PixelModelError(msg)
