"""The plain background of a picture made transparent, as far as it is reached from the border."""

from __future__ import annotations

import torch
from torch import Tensor

from ..errors import PixelModelError
from ..palette import IndexedImage, Palette

FIND_BACKGROUND = "auto"
"""As a background's colour: the commonest of the picture's border."""

_SHARE = 0.5


def clear_background(image: IndexedImage, color: str = FIND_BACKGROUND) -> IndexedImage:
    """Make a colour transparent where it is connected to the border, so that the same colour inside a figure stays.

    Connected through the four sides of cells: a diagonal outline of one cell keeps what it encloses.

    Args:
        image: sprites at native size; each frame of a batch by itself.
        color: hex colour, or `FIND_BACKGROUND`, which needs half of a frame's opaque border cells in one colour.

    Returns:
        The same sprites, the background transparent. A frame whose border is transparent already stays as it is.

    Raises:
        PixelModelError: no colour holds half of a border.
        PaletteError: `color` is no hex colour.
    """
    opaque = torch.ones_like(image.indices, dtype=torch.bool) if image.transparent is None else ~image.transparent
    found = torch.stack([
        _background(indices, seen, image.palette, color)
        for indices, seen in zip(image.indices, opaque, strict=True)
    ])  # fmt: skip
    clear = ~opaque | found
    return IndexedImage(image.indices, image.palette, clear if bool(clear.any()) else None)


def _background(indices: Tensor, opaque: Tensor, palette: Palette, color: str) -> Tensor:
    """`h w`, bool: what of one frame is background."""
    edge = torch.ones_like(opaque)
    edge[1:-1, 1:-1] = False
    if color == FIND_BACKGROUND:
        border = indices[edge & opaque]
        if len(border) == 0:
            return torch.zeros_like(opaque)
        counts = torch.bincount(border, minlength=len(palette))
        wanted = int(counts.argmax())
        share = float(counts[wanted]) / len(border)
        if share < _SHARE:
            msg = (
                f"no background was found: the commonest colour of the border holds {share:.0%} of it, "
                f"{_SHARE:.0%} is needed; give its colour as hex, or none"
            )
            raise PixelModelError(msg)
        same = opaque & (indices == wanted)
    else:
        entry = Palette.from_hex(color).colors[0].to(palette.colors.device)
        same = opaque & (palette.colors == entry).all(dim=1).to(indices.device)[indices]
    # What is transparent already leads on: a background may lie behind a cut-out.
    open_cells = same | ~opaque
    return _reached(open_cells & edge, open_cells) & same


def _reached(start: Tensor, passable: Tensor) -> Tensor:
    """What is 4-connected to `start` through `passable`, `h w` bool each: whole runs of rows and columns at a time."""
    rows, columns = _runs(passable), _runs(passable.T).T
    while True:
        grown = start
        for runs in (rows, columns):
            hit = torch.bincount(runs[grown], minlength=int(runs.max()) + 1) > 0
            grown = hit[runs] & passable
        if torch.equal(grown, start):
            return start
        start = grown


def _runs(passable: Tensor) -> Tensor:
    """`h w`, int64: cells of a row with nothing impassable between them have the same number."""
    walls = torch.cat([~passable, torch.ones_like(passable[:, :1])], dim=1)
    return walls.flatten().cumsum(0).view(walls.shape)[:, :-1]
