"""What the comparison measures of a contestant: the sprites that it makes, and how long it takes."""

from __future__ import annotations

import ast
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from pixel_models.archs.native_cyclegan import CELL
from pixel_models.checkpoint import LoadedModel
from pixel_models.cleanup import blends
from pixel_models.errors import PaletteError
from pixel_models.palette import IndexedImage, median_cut, palette_for_error
from pixel_models.pixelate import resize_rgba
from pixel_models.report.measures import find_bands

from ..evaluate.describers import Describer, describer_of
from ..evaluate.pixelators import cell_measures, made_pairs, sprite_canvases, white
from ..metrics import kernel_distance, kernel_distance_in_blocks, oklab_error, patches
from ..pictures import PictureSet
from ..pixelart import pixel_art_scores
from .contestants import Contestant, Made

SIDES = (32, 64)
"""Cells along a side."""

SEEN = 0.02
"""Mean Oklab error that is hardly seen."""

_PATCH = 32
"""Cells along a side of what `kiln-features` is shown: the canvases that it learned on."""

_LEAST = 4
"""Squares that a distance is taken of."""

_LARGE, _LARGE_CELLS = 512, 64


@dataclass(frozen=True, eq=False)
class Yardstick:
    """What every contestant is measured with, made once."""

    pictures: Tensor
    """`n 3 256 256`, float32 in [0, 1]: held-out pictures on white."""

    describer: Describer
    random: Describer

    real: Tensor
    """Features of held-out sprites on canvases, by `describer`."""
    real_random: Tensor
    """Features of their patches, by `random`."""

    smooth: Tensor
    """`m 3 128 128`: smooth pictures made from canvases of held-out sprites, on white."""
    truth: Tensor
    """`m 4 32 32`: the canvases."""

    @classmethod
    def of(
        cls, pictures: Tensor, sprites: PictureSet, features: str, pairs: int = 60, canvases: int = 600
    ) -> Yardstick:
        """Prepare everything.

        Args:
            pictures: `n 4 256 256`, as `held_out_pictures` gives them.
            sprites: held-out ones.
            features: as `describer_of` takes it.
            pairs: how many made pairs are asked for.
            canvases: how many canvases of sprites stand for all.
        """
        describer, random = describer_of(features), describer_of("random")
        real = sprite_canvases(sprites, canvases)
        smooth, truth = made_pairs(sprites, pairs)
        return cls(
            pictures=white(pictures),
            describer=describer,
            random=random,
            real=describer(patches(real, _PATCH)),
            real_random=random(patches(real)),
            smooth=white(smooth),
            truth=truth,
        )

    def measure(self, contestant: Contestant) -> tuple[dict[str, float], dict[int, Made]]:
        """The row of a contestant, and what it made of the pictures at each of `SIDES`."""
        row: dict[str, float] = {"seconds_512_to_64": self.seconds(contestant)}
        if contestant.parameters is not None:
            row["parameters"] = contestant.parameters
        made = {side: contestant.make(self.pictures, side) for side in SIDES}
        for side, one in made.items():
            opaque = torch.cat([self.pictures, torch.ones_like(self.pictures[:, :1])], dim=1)
            whole = resize_rgba(opaque, (side * CELL, side * CELL))[:, :3]
            found = cell_measures(whole, one.frames, one.uncleaned) | without_reference(one)
            found |= self._distances(one.rgb())
            row |= {f"{key}_{side}": value for key, value in found.items()}
        row |= self._pairs(contestant)
        return row, made

    def seconds(self, contestant: Contestant, times: int = 3) -> float:
        """To pixelate one picture of 512x512 pixels to 64x64 cells: the median after a first time."""
        large = F.interpolate(self.pictures[:1], size=(_LARGE, _LARGE), mode="bicubic", align_corners=False).clamp(0, 1)
        took = [_timed(lambda: contestant.once(large, _LARGE_CELLS)) for _ in range(times + 1)]
        return statistics.median(took[1:])

    def _distances(self, rgb: Tensor) -> dict[str, float]:
        """Kernel distances to held-out sprites; none where fewer than four squares show more than one colour."""
        found: dict[str, float] = {}
        small, large = patches(rgb), patches(rgb, _PATCH)
        if len(small) >= _LEAST:
            found["kernel_distance"] = kernel_distance(self.random(small), self.real_random)
        if len(large) >= _LEAST:
            mean, spread = kernel_distance_in_blocks(self.describer(large), self.real)
            found |= {"kiln_distance": mean, "kiln_distance_±": spread}
        return found

    def _pairs(self, contestant: Contestant) -> dict[str, float]:
        """How near the sprites are that the made pictures were made from."""
        made, truth = contestant.make(self.smooth, 32), white(self.truth)
        shown = F.max_pool2d(self.truth[:, 3:], 3, 1, 1) > 0
        full = torch.ones_like(truth[:, :1])
        scores = pixel_art_scores(torch.cat([made.rgb(), full], 1), torch.cat([truth, full], 1), shown)
        return {"pair_error": oklab_error(made.cells, truth), "pair_pixel_art": _mean([s.score for s in scores])}


def without_reference(made: Made) -> dict[str, float]:
    """What sprites say of themselves: colours that cells need, blends, bands; and how far off the grid they were."""
    found = {
        "colors_needed": _mean([colors_needed(cells) for cells in made.cells.split(1)]),
        "blends": _mean([_share(blends(f.indices, f.palette, _all(f))[0]) for f in made.frames]),
        "bands": _mean([_share(find_bands(f.indices, f.palette, _all(f))) for f in made.frames]),
    }
    return found if made.off_grid is None else found | {"off_grid": made.off_grid}


def colors_needed(cells: Tensor, most: int = 256) -> int:
    """How many colours keep the mean error of cells `1 3 h w` below what is seen, by median cut; at most `most`."""
    rgb = cells.clamp(0, 1)
    try:
        return len(palette_for_error(rgb, SEEN, most=most, choose=lambda count: median_cut(rgb, count)))
    except PaletteError:  # so many are not enough
        return most


def steps_of(model: LoadedModel) -> int | None:
    """The number of training steps that a weight file names; None where it names none."""
    try:
        told = ast.literal_eval(model.metadata.get("training", "{}"))
        return int(told["steps"])
    except (ValueError, SyntaxError, KeyError, TypeError, MemoryError, RecursionError):
        return None


def told(row: Mapping[str, float | None]) -> dict[str, object]:
    """Four digits of every number; whole ones whole."""
    return {
        key: int(value) if float(value).is_integer() and abs(value) >= 1 else float(f"{value:.4g}")
        for key, value in row.items()
        if value is not None
    }


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _all(frame: IndexedImage) -> Tensor:
    return torch.ones_like(frame.indices, dtype=torch.bool)


def _share(where: Tensor) -> float:
    return float(where.float().mean())


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
