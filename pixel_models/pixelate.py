"""The main job in one call: a batch of pictures in, sprites on an exact grid in a strict palette out."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional as F

from .checkpoint import LoadedModel
from .cleanup import cluster_cells, merge_orphans
from .dither import Dither, apply_palette
from .drawers import drawer_of, require_pixelator
from .errors import ShapeError
from .image import check_image
from .palette import IndexedImage, Palette, extract_palette, nearest_indices
from .sampling import StepCallback

CELL_RANGE = (2, 32)
"""Smallest and largest cell, input pixels a side."""

COLOR_RANGE = (2, 256)
"""Fewest and most colours of a palette that is made from the picture."""

MAX_CELLS = 4096
"""Most cells along one side of a sprite."""

ACCENTS = 0.7
"""How much small areas of another hue are favoured when the palette is made from the picture; see `extract_palette`."""

CHROMA = 2.0
"""How much more hue and saturation count than lightness when cells are matched to that palette; else skin is grey."""

PalettePer = Literal["image", "batch"]
"""One palette for every picture of the batch on its own, or one that they share, as frames of an animation do."""


@dataclass(frozen=True)
class Pixelated:
    """Sprites of one size, and the size of the pictures they were made from."""

    frames: tuple[IndexedImage, ...]
    """One for each picture of the batch, each `1 h w` cells."""

    input_size: tuple[int, int]
    """Height and width of the input, pixels."""

    cell: int | None
    """Input pixels along a cell's side, where the caller gave it."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in cells."""
        _, height, width = self.frames[0].indices.shape
        return height, width

    def rgb(self) -> Tensor:
        """`b 3 h w`, float32 in [0, 1]; transparent cells are black."""
        return torch.cat([frame.to_rgb() for frame in self.frames])

    def alpha(self) -> Tensor:
        """`b 1 h w`, float32, 0 or 1."""
        return torch.cat([frame.alpha() for frame in self.frames])

    def at_input_size(self) -> tuple[Tensor, Tensor]:
        """The sprites enlarged to the input's size: `b 3 H W` and alpha `b 1 H W`, nearest neighbour.

        With `cell` every cell is exactly that many pixels, the last row and column cut off where the input ends.
        With a target size cells differ by a pixel where the input's size is no multiple of it.
        """
        rgba = torch.cat([self.rgb(), self.alpha()], dim=1)
        height, width = self.input_size
        if self.cell:
            rgba = rgba.repeat_interleave(self.cell, 2).repeat_interleave(self.cell, 3)[:, :, :height, :width]
        else:
            rgba = F.interpolate(rgba, size=(height, width), mode="nearest-exact")
        return rgba[:, :3].contiguous(), rgba[:, 3:].contiguous()


def native_size(size: tuple[int, int], cell: int) -> tuple[int, int]:
    """Height and width in cells of a picture of `size` (height, width) pixels; a part of a cell counts as one."""
    return -(-size[0] // cell), -(-size[1] // cell)


@torch.no_grad()
def pixelate(
    model: LoadedModel,
    image: Tensor,
    *,
    alpha: Tensor | None = None,
    cell: int | None = None,
    size: tuple[int, int] | None = None,
    colors: int = 16,
    palette: Palette | None = None,
    palette_per: PalettePer = "batch",
    clean: bool = True,
    dither: Dither = "none",
    strength: float = 1.0,
    tile: int | None = None,
    callback: StepCallback | None = None,
) -> Pixelated:
    """Turn pictures into pixel art.

    Two kinds of network do it. A native-grid one (`pixelate`) makes one colour a cell, in tiles where the picture is
    large. A full-resolution one (`translate`: CycleGAN's, CUT's and pix2pix's own generators) makes a picture, of which
    each cell keeps one colour that it really has. It sees the whole picture at 4 to 8 pixels a cell (see
    `regrid.working_cell`), on white, and needs about 1 kB of memory for each of those pixels: where that is too
    much, larger cells or a smaller size need less.

    Args:
        model: a model to pixelate, or to translate pictures into pixel art (not every such model was made for
            that: its maker knows); the network runs where its weights are, the rest where `image` is.
        image: `b 3 h w`, float32 in [0, 1].
        alpha: `b 1 h w`, float32 in [0, 1], 1 = opaque; the sprite's own alpha is hard.
        cell: input pixels along a cell's side, 2 to 32; or
        size: width and height in cells of the result.
        colors: most colours of a palette made from the picture, 2 to 256.
        palette: use exactly these colours instead; the result has no other.
        palette_per: one palette for each picture, or one for the batch.
        clean: let cells take a neighbour's colour where they hardly differ, so that there are areas rather than noise,
            and merge stray single cells; a dither's cells are left alone.
        dither: how cells are mixed from the palette's colours; one of `dither.DITHERS`.
        strength: of the dither, 0 to 1.
        tile: side in cells of the tiles that a native-grid network sees at once, for little memory; same result.
            Without effect on a full-resolution network.
        callback: called after each tile (or picture) and each palette; may raise to cancel.

    Raises:
        ShapeError: a tensor has the wrong shape, or an option is out of its range.
        ImageError: the picture is empty, or holds NaN, infinity, or values outside [0, 1].
        ModelKindError: the model is neither one to pixelate nor one to translate.
        PaletteError: no such dither.
        PixelModelError: memory ran out in a full-resolution network.
    """
    require_pixelator(model)
    check_image(image)
    height, width = image.shape[2:]
    _check_options(cell, size, colors, palette_per)
    if alpha is not None:
        check_alpha(alpha, image)
    cells = native_size((height, width), cell) if cell else (size[1], size[0]) if size else (0, 0)
    if max(cells) > MAX_CELLS:
        msg = f"the result would be {cells[1]}x{cells[0]} cells, most are {MAX_CELLS} a side; use larger cells"
        raise ShapeError(msg)
    groups = [slice(0, len(image))] if palette_per == "batch" else [slice(i, i + 1) for i in range(len(image))]
    natural = cell or math.sqrt(height * width / (cells[0] * cells[1]))
    drawer = drawer_of(model, cells, natural, tile)
    done = counter(callback, len(image) * drawer.steps + len(groups))
    drawn = []
    for rgba in join_alpha(image, alpha).split(1):
        whole = rgba
        if cell:
            whole = F.pad(rgba, (0, cells[1] * cell - width, 0, cells[0] * cell - height), mode="replicate")
        picture = resize_rgba(whole, (cells[0] * drawer.scale, cells[1] * drawer.scale))
        drawn.append(drawer.draw(picture, done))
    made = torch.cat(drawn)
    opaque = made[:, 3:] >= 0.5 if alpha is not None else torch.ones_like(made[:, 3:], dtype=torch.bool)
    frames: list[IndexedImage] = []
    for group in groups:
        rgb, seen = made[group, :3], opaque[group]
        chosen = palette or extract_palette(rgb, colors, weight=seen.float(), accents=ACCENTS)
        if dither != "none":
            indices = apply_palette(rgb, chosen, alpha=seen.float(), dither=dither, strength=strength).indices
        else:
            chroma = 1.0 if palette else CHROMA
            indices = nearest_indices(rgb, chosen, chroma=chroma)
            if clean:
                indices = cluster_cells(rgb, indices, chosen, seen[:, 0], chroma=chroma)
                indices = merge_orphans(indices, chosen, seen[:, 0])
        hidden = None if alpha is None else ~seen[:, 0]
        whole = IndexedImage(indices, chosen, hidden)
        frames += [whole.frame(i) for i in range(len(indices))]
        done()
    return Pixelated(tuple(frames), (height, width), cell)


def resize_rgba(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize `b 4 h w`, straight alpha in [0, 1], bicubic and anti-aliased; transparent pixels lend no colour."""
    if tuple(picture.shape[2:]) == size:
        return picture
    flat = torch.cat([picture[:, :3] * picture[:, 3:], picture[:, 3:]], dim=1)
    flat = F.interpolate(flat, size=size, mode="bicubic", antialias=True, align_corners=False)
    alpha = flat[:, 3:].clamp(0, 1)
    return torch.cat([(flat[:, :3] / alpha.clamp_min(1e-3)).clamp(0, 1), alpha], dim=1)


def counter(callback: StepCallback | None, total: int) -> Callable[[], None]:
    """A function that reports one more of `total` steps each time it is called."""
    steps = itertools.count(1)

    def done() -> None:
        step = next(steps)
        if callback:
            callback(step, total)

    return done


def join_alpha(image: Tensor, alpha: Tensor | None) -> Tensor:
    """`b 4 h w`, black where nothing is: what a file hides under full transparency has no say."""
    if alpha is None:
        return torch.cat([image, torch.ones_like(image[:, :1])], dim=1)
    return torch.cat([image * (alpha > 0), alpha], dim=1)


def _check_options(cell: int | None, size: tuple[int, int] | None, colors: int, palette_per: str) -> None:
    if (cell is None) == (size is None):
        msg = f"give either cell or size, got cell={cell} and size={size}"
        raise ShapeError(msg)
    if cell is not None and not CELL_RANGE[0] <= cell <= CELL_RANGE[1]:
        msg = f"cell is {cell} pixels, expected {CELL_RANGE[0]} to {CELL_RANGE[1]}; for others give size"
        raise ShapeError(msg)
    if size is not None and not (len(size) == 2 and min(size) >= 1):
        msg = f"size is {size}, expected width and height in cells, each at least 1"
        raise ShapeError(msg)
    if not COLOR_RANGE[0] <= colors <= COLOR_RANGE[1]:
        msg = f"colors is {colors}, expected {COLOR_RANGE[0]} to {COLOR_RANGE[1]}"
        raise ShapeError(msg)
    if palette_per not in get_args(PalettePer):
        msg = f"palette_per is {palette_per!r}, expected one of {get_args(PalettePer)}"
        raise ShapeError(msg)


def check_alpha(alpha: Tensor, image: Tensor) -> None:
    """See that an alpha fits its picture.

    Raises:
        ShapeError: it has not the picture's size.
        ImageError: it holds NaN, infinity, or values outside [0, 1].
    """
    expected = (len(image), 1, *image.shape[2:])
    if tuple(alpha.shape) != expected:
        msg = f"alpha is {tuple(alpha.shape)}, expected {expected}, as the image has it"
        raise ShapeError(msg)
    check_image(alpha.expand(-1, 3, -1, -1), "alpha")
