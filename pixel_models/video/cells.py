"""Cells out of samples: a colour for each, and the mean by which one sees whether the film changed there."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..checkpoint import LoadedModel
from ..downscale import MOST_SAMPLES, DownscaleMethod, downscale
from ..drawers import drawer_of
from ..image import from_uint8, to_uint8
from ..spec import Purpose
from .grid import Bytes, Grid
from .options import FilmMethod

Floats = NDArray[np.float32]

# Levels between the darkest and the lightest sample of a cell below which it counts as one area.
_FLAT = 14


@dataclasses.dataclass(frozen=True)
class Cells:
    """One frame's cells."""

    color: Bytes
    """`h w 3`, sRGB."""
    mean: Floats
    """`h w 3`, in [0, 255]: the mean of a cell's samples, which flickers less than its colour."""
    clear: NDArray[np.bool_] | None
    """`h w`, transparent cells; None where the film has no transparency."""


Draw = Callable[[Sequence[Bytes], Sequence[Floats]], list[Bytes]]
"""From samples `h*s w*s c` and means of some frames to colours `h w 3`."""


class CellMaker:
    """Makes cells of frames by a method or a model."""

    def __init__(self, method: FilmMethod, model: LoadedModel | None) -> None:
        """Choose how.

        Args:
            method: how without a model.
            model: one to pixelate, or to translate; it runs where its weights are.
        """
        self._method, self._model = method, model
        self._draw: Draw | None = None
        self.batch = 1
        """Frames that are best made together."""

    def grid(self, plan: Callable[[int], Grid]) -> Grid:
        """The grid whose samples suit the method; `plan` makes one for a number of samples, 0 as it likes."""
        first = plan(0)
        pixels = min(first.film[0] / first.width, first.film[1] / first.height)
        if self._model is not None:
            drawer = drawer_of(self._model, (first.height, first.width), pixels, None)
            grid = plan(drawer.scale)
            self._draw = self._by_model(self._model, drawer.draw, drawer.steps, grid)
        elif self._method == "sharp":
            grid = first
            self._draw = lambda pictures, means: [
                sharp(one, mean, grid) for one, mean in zip(pictures, means, strict=True)
            ]
        elif self._method == "box":
            grid = first
            self._draw = lambda pictures, means: [np.round(mean).astype(np.uint8) for mean in means]  # noqa: ARG005
        else:
            grid = plan(max(1, min(MOST_SAMPLES, round(pixels))))
            self._draw = lambda pictures, means: [self._by_method(one, grid) for one in pictures]  # noqa: ARG005
        return grid

    def cells(self, pictures: Sequence[Bytes], grid: Grid) -> list[Cells]:
        """Cells of a few frames.

        Args:
            pictures: each `h*s w*s 3` or `h*s w*s 4`.
            grid: as `grid` gave it.
        """
        assert self._draw is not None
        clears: list[NDArray[np.bool_] | None] = [None] * len(pictures)
        shares: list[Floats | None] = [None] * len(pictures)
        for index, picture in enumerate(pictures):
            if picture.shape[2] == 4:
                share = split(picture[..., 3:], grid).mean(axis=0, dtype=np.float32)[..., 0]  # h w
                clears[index], shares[index] = share < 127.5, share
        means = [mean_of(picture, grid) for picture in pictures]
        colors = self._draw(pictures, means)
        return [Cells(color, mean, clear) for color, mean, clear in zip(colors, means, clears, strict=True)]

    def _by_method(self, picture: Bytes, grid: Grid) -> Bytes:
        rgb, alpha = _tensors(picture)
        made, _ = downscale(rgb, (grid.width, grid.height), cast(DownscaleMethod, self._method), alpha=alpha)
        return to_uint8(made)[0].permute(1, 2, 0).contiguous().numpy()

    def _by_model(
        self, model: LoadedModel, draw: Callable[[Tensor, Callable[[], None]], Tensor], steps: int, grid: Grid
    ) -> Draw:
        weight = next(model.module.parameters())
        together = model.purpose is Purpose.PIXELATE and steps == 1 and weight.device.type != "cpu"
        # A batch keeps a GPU busy; on a CPU it only takes memory.
        self.batch = max(1, min(16, 2**22 // (grid.width * grid.height * grid.samples**2))) if together else 1
        network: Any = model.module

        @torch.no_grad()
        def made(pictures: Sequence[Bytes], means: Sequence[Floats]) -> list[Bytes]:
            del means
            rgba = torch.cat([_join(*_tensors(picture)) for picture in pictures])
            if together and len(rgba) > 1:
                seen = rgba.to(weight.device, weight.dtype, memory_format=torch.channels_last)
                known = tuple(network.config.cell_sizes)
                found = network(seen, *((grid.samples,) if len(known) > 1 else ()))
            else:
                found = torch.cat([draw(one, lambda: None) for one in rgba.split(1)])
            levels = to_uint8(found[:, :3].float().clamp(0, 1).cpu()).permute(0, 2, 3, 1)
            return [one.contiguous().numpy() for one in levels]

        return made


def sharp(picture: Bytes, mean: Floats, grid: Grid) -> Bytes:
    """Of a cell's samples, split at their middle lightness, the mean of the larger half: crisp where box would blur.

    It is one step of k-centroid's two clusters, in whole numbers; a cell without an edge keeps the mean of all.
    """
    seen = split(picture[..., :3], grid)  # n h w 3
    light = seen[..., 0] * np.uint16(5) + seen[..., 1] * np.uint16(9)
    light += seen[..., 2] * np.uint16(2)  # n h w
    low, high = light.min(axis=0), light.max(axis=0)
    above = light > (low // 2 + high // 2)
    count = above.sum(axis=0, dtype=np.uint16)
    upper = 2 * count >= len(light)
    chosen = (above == upper).astype(np.uint8)  # n h w
    number = chosen.sum(axis=0, dtype=np.uint16)[..., None]
    total = (seen * chosen[..., None]).sum(axis=0, dtype=np.uint16)
    made = (total + number // 2) // number
    flat = (high - low) < 16 * _FLAT
    return np.where(flat[..., None], np.round(mean), made).astype(np.uint8)


def split(picture: Bytes, grid: Grid) -> Bytes:
    """Samples `h*s w*s c` to `s*s h w c`, contiguous: sums over the first axis are quick."""
    s = grid.samples
    tiles = picture.reshape(grid.height, s, grid.width, s, picture.shape[2])
    return np.ascontiguousarray(tiles.transpose(1, 3, 0, 2, 4)).reshape(s * s, grid.height, grid.width, -1)


def mean_of(picture: Bytes, grid: Grid) -> Floats:
    """Mean of each cell's samples, `h w 3`; where there is transparency, of what is opaque."""
    samples = split(picture, grid)
    if picture.shape[2] == 3:
        return samples.sum(axis=0, dtype=np.uint32).astype(np.float32) / len(samples)
    weight = samples[..., 3:].astype(np.float32)
    return (samples[..., :3] * weight).sum(axis=0) / np.maximum(weight.sum(axis=0), 1e-3)


def _tensors(picture: Bytes) -> tuple[Tensor, Tensor | None]:
    planes = from_uint8(torch.from_numpy(picture).permute(2, 0, 1)[None].contiguous())
    return planes[:, :3], planes[:, 3:] if picture.shape[2] == 4 else None


def _join(rgb: Tensor, alpha: Tensor | None) -> Tensor:
    if alpha is None:
        return torch.cat([rgb, torch.ones_like(rgb[:, :1])], dim=1)
    return torch.cat([rgb * (alpha > 0), alpha], dim=1)
