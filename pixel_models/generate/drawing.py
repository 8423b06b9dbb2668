"""The drawing itself: grids of codes filled some sprites at a time, within palettes and silhouettes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from ..archs.pixelcnn import Hints, PixelCNN
from ..codes import CodeGrid
from ..codes.table import CodeTable
from ..sampling import StepCallback
from .choice import Choice
from .sampler import sample_codes

Preview = Callable[[CodeGrid], None]
"""Called after each row with the sprites so far; what is still to come is transparent where codes can be."""

_AT_ONCE = 64


@dataclasses.dataclass(frozen=True)
class Drawing:
    """Sprites to be drawn."""

    network: PixelCNN
    table: CodeTable
    blank: CodeGrid
    """Tells sizes and maker."""

    start: Tensor
    """`b h w`."""

    uniforms: Tensor
    """`b 1 h w`."""

    labels: Tensor

    def drawn(
        self,
        opaque: Tensor | None,
        within: Tensor | None,
        choice: Choice,
        callback: StepCallback | None,
        preview: Preview | None,
    ) -> CodeGrid:
        """`start` filled, some sprites at a time, in a silhouette `b height width` and palettes `b codes`."""
        network, start, device = self.network, self.start, next(self.network.parameters()).device
        cells = None if opaque is None else cells_of(opaque, self.blank)  # b h w p p
        unseen = int(self.table.clear.to(torch.uint8).argmax())  # a code that shows nothing, else the first
        made, turns = start.clone(), -(-len(start) // _AT_ONCE)
        for turn, first in enumerate(range(0, len(start), _AT_ONCE)):
            part = slice(first, first + _AT_ONCE)
            allowed = self._allowed(part, cells, within)
            hints = None
            if network.config.context:
                shown = torch.full(start[part].shape, -1.0) if cells is None else cells[part].float().mean((3, 4))
                told = torch.zeros(len(shown), network.config.codes) if within is None else within[part].float()
                hints = Hints(start[part], shown, told).each(lambda x: x.to(device))

            def on_row(codes: Tensor, row: int, part: slice = part) -> None:
                del row
                if preview is not None:
                    made[part] = codes[:, 0].cpu()
                    preview(self.blank.replace(made.where(made >= 0, unseen)))

            def on_place(done: int, total: int, turn: int = turn) -> None:
                if callback is not None:
                    callback(turn * total + done, turns * total)

            made[part] = sample_codes(
                network,
                start[part, None].to(device),
                self.uniforms[part],
                labels=self.labels[part].to(device) if network.config.labels else None,
                hints=hints,
                choice=choice,
                allowed=allowed,
                callback=on_place,
                on_row=on_row if preview is not None else None,
            )[:, 0].cpu()
        return self.blank.replace(made)

    def _allowed(self, part: slice, cells: Tensor | None, within: Tensor | None) -> Tensor | None:
        """`b h w codes`, bool: what may be drawn; where a palette has nothing for a silhouette's place, any code."""
        rows, columns = self.start.shape[1:]
        palette = None
        if within is not None:  # a palette of nothing is none
            known = within[part] | ~within[part].any(1, keepdim=True)
            palette = known[:, None, None].expand(-1, rows, columns, -1)
        if cells is None:
            return palette
        return _fitting(cells[part], self.table, palette)


def _padded(pixels: Tensor, grid: CodeGrid) -> Tensor:
    """`b height width` continued with False to whole patches."""
    rows, columns = grid.indices.shape[1:]
    return F.pad(pixels, (0, columns * grid.patch - grid.width, 0, rows * grid.patch - grid.height))


def cells_of(pixels: Tensor, grid: CodeGrid) -> Tensor:
    """`b height width` to `b h w p p`."""
    rows, columns = grid.indices.shape[1:]
    parts = _padded(pixels, grid).view(len(pixels), rows, grid.patch, columns, grid.patch)
    return parts.permute(0, 1, 3, 2, 4)


def pixels_of(cells: Tensor, grid: CodeGrid) -> Tensor:
    """`b h w` to `b height width`."""
    large = cells.repeat_interleave(grid.patch, 1).repeat_interleave(grid.patch, 2)
    return large[:, : grid.height, : grid.width]


def shown_by(grid: CodeGrid, table: CodeTable) -> Tensor:
    """What the codes themselves show: `b height width`, bool."""
    cells = table.opaque[grid.indices].permute(0, 1, 3, 2, 4)  # b h p w p
    return cells.flatten(3, 4).flatten(1, 2)[:, : grid.height, : grid.width]


def _fitting(cells: Tensor, table: CodeTable, palette: Tensor | None) -> Tensor:
    """Codes whose transparency is nearest to a silhouette's: `b h w p p` bool to `b h w k` bool."""
    wanted, own = cells.flatten(3).float(), table.opaque.flatten(1).float()  # b h w pp, k pp
    differ = wanted.sum(-1, keepdim=True) + own.sum(1) - 2 * wanted @ own.T
    # A place that shows something must not get a code that shows nothing, or a hole would stay there.
    differ = differ + ((wanted.sum(-1, keepdim=True) > 0) & table.clear) * float(own.shape[1] + 1)
    if palette is not None:
        differ = differ.masked_fill(~palette, 1e6)
    return differ <= differ.amin(-1, keepdim=True) + 0.5
