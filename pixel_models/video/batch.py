"""`pixelate_frames`: the frames of a film that are in memory already, as a batch of pictures."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..checkpoint import LoadedModel
from ..drawers import require_pixelator
from ..image import check_image, to_uint8
from ..palette import IndexedImage
from ..pixelate import check_alpha, counter
from ..sampling import StepCallback
from .cells import CellMaker, mean_of
from .grid import Bytes, Grid
from .maker import FilmMaker
from .options import FilmOptions
from .palettes import MOST_KEPT, ShotPalette, make_palette
from .shots import ShotSplitter


@torch.no_grad()
def pixelate_frames(
    image: Tensor,
    options: FilmOptions,
    *,
    alpha: Tensor | None = None,
    model: LoadedModel | None = None,
    callback: StepCallback | None = None,
) -> list[IndexedImage]:
    """Turn a batch of frames into pixel art, steady from frame to frame as `pixelate_film` makes it.

    Args:
        image: `b 3 h w`, float32 in [0, 1], in the order in which they are shown.
        options: cells and colours; `fps`, `start` and `end` are without effect.
        alpha: `b 1 h w`, float32 in [0, 1], 1 = opaque.
        model: one to pixelate, or to translate, where its weights are; None: `options.method`.
        callback: called after each frame; may raise to cancel.

    Returns:
        One picture of one frame for each.

    Raises:
        ShapeError, ImageError: `image` or `alpha` is no picture.
        FilmError: more cells than pixels.
        ModelKindError: the model is neither one to pixelate nor one to translate.
    """
    check_image(image)
    if alpha is not None:
        check_alpha(alpha, image)
    if model is not None:
        require_pixelator(model)
    height, width = image.shape[2:]
    maker = CellMaker(options.method, model)
    grid = maker.grid(lambda samples: Grid.of((width, height), options, samples))

    def picture(index: int) -> Bytes:
        return _samples(image[index : index + 1], None if alpha is None else alpha[index : index + 1], grid)

    palettes = _palettes(image, options, grid, maker, picture)
    done = counter(callback, len(image))
    film = FilmMaker(options, grid, maker, palettes)
    made: list[IndexedImage] = []
    for first in range(0, len(image), film.batch):
        indices = range(first, min(first + film.batch, len(image)))
        for drawn in film.make([(picture(index), Fraction(index), Fraction(1)) for index in indices]):
            made.append(drawn.indexed())
            done()
    return made


def _palettes(
    image: Tensor, options: FilmOptions, grid: Grid, maker: CellMaker, picture: Callable[[int], Bytes]
) -> list[ShotPalette]:
    if options.palette is not None:
        return [ShotPalette(Fraction(0), options.palette)]
    starts = [0]
    if options.palette_per == "shot":
        splitter = ShotSplitter()
        found = [splitter.add(mean_of(picture(index), grid)) for index in range(len(image))]
        starts += sorted({start for start in (*found, splitter.end()) if start})
    palettes: list[ShotPalette] = []
    for start, end in zip(starts, [*starts[1:], len(image)], strict=True):
        chosen = np.unique(np.linspace(start, end - 1, min(MOST_KEPT, end - start)).round().astype(int))
        palettes.append(
            ShotPalette(Fraction(start), make_palette([picture(int(i)) for i in chosen], options, grid, maker))
        )
    return palettes


def _samples(rgb: Tensor, alpha: Tensor | None, grid: Grid) -> Bytes:
    """Samples `h*s w*s c` of one frame, each the mean of its area."""
    size = grid.height * grid.samples, grid.width * grid.samples
    if alpha is None:
        made = F.interpolate(rgb.cpu(), size=size, mode="area")
    else:
        rgb, alpha = rgb.cpu(), alpha.cpu()
        share = F.interpolate(alpha, size=size, mode="area")
        made = torch.cat([F.interpolate(rgb * alpha, size=size, mode="area") / share.clamp_min(1e-3), share], dim=1)
    return to_uint8(made.clamp(0, 1))[0].permute(1, 2, 0).contiguous().numpy()
