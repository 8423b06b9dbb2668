"""Grid finding, snapping and refusing: made-up "fake pixel art" of known truth, photos and drawings; fixed seed.

Every case is a sprite of the test split, not itself doubled, on a background or with its alpha, enlarged by a known
pitch and then damaged. With the data zips in `--data` all of them are drawn from; else the samples. Figures of the last
line: `size_exact` and `size_exact_drift` (share of uncropped cases whose native size is found), `size_exact_cropped`
beside; `size_exact_smooth` (enlarged by bilinear, bicubic or Lanczos straight from native size; in the other cases
by whole numbers first); `cells_bad` (share of cells whose Oklab error is over 0.05, uncropped cases of right size);
`photos_refused` (photos and drawings); `ms_512` (median milliseconds for the whole snap at 512x512). The same figures
with a peer's name are those of other tools on the same pictures; without a network, or with `--no-peers`, they are
left out.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import math
import statistics
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from torch import Tensor

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.grid_peers import peer_sizes, peers_python  # noqa: E402  the repository is not installed
from pixel_models.color import srgb_to_oklab  # noqa: E402
from pixel_models.grid import detect_grid  # noqa: E402
from pixel_models.snapping import Snapped, snap_to_grid  # noqa: E402

Array = NDArray[Any]
SEED = 4
BAD = 0.05
NAMES = {kind: f"size_exact_{kind}".removesuffix("_plain") for kind in ("plain", "drift", "cropped", "smooth")}
RESAMPLING = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One damaged picture and what it was made from."""

    picture: Tensor
    """`1 4 h w`, float32 in [0, 1]."""
    truth: Tensor
    """`1 4 y x`, the native pixels; of a cropped case the uncropped ones."""
    pitch: tuple[float, float]
    kind: str
    """"plain", "drift", "cropped" or "smooth"."""
    how: str
    """The damage, in words."""


def read_zip(path: Path, column: str, value: str) -> Iterator[Image.Image]:
    """Pictures of a data zip whose manifest says `value` in `column`, in the manifest's order."""
    with zipfile.ZipFile(path) as file:
        rows = csv.DictReader(io.StringIO(file.read("manifest.csv").decode()))
        for row in rows:
            if row[column] == value and row.get("tier", "1") in ("1", ""):
                yield Image.open(io.BytesIO(file.read(row["path"]))).convert("RGBA")


def is_doubled(sprite: Array) -> bool:
    """Whether every 2x2 block, at one of the four offsets, is of one colour."""
    for y in (0, 1):
        for x in (0, 1):
            part = sprite[y:, x:]
            part = part[: len(part) // 2 * 2, : part.shape[1] // 2 * 2]
            if (part == part[::2, ::2].repeat(2, 0).repeat(2, 1)).all():
                return True
    return False


def sprites(data: Path) -> list[Array]:
    """RGBA, uint8, distinct enough to have a grid: at least 12 pixels a side and 4 colours."""
    zips = [path for name in ("sprites_cc0", "sprites_permissive") if (path := data / f"{name}.zip").is_file()]
    found = [np.asarray(image) for path in zips for image in read_zip(path, "split", "test")]
    if not zips:
        found = [np.asarray(Image.open(ROOT / "samples" / "sprite_dragon.png").convert("RGBA"))]
    fit = [s for s in found if min(s.shape[:2]) >= 12 and max(s.shape[:2]) <= 96]
    return [s for s in fit if len(np.unique(s.reshape(-1, 4), axis=0)) >= 4 and not is_doubled(s)]


def without_grid(data: Path, count: int, rng: np.random.Generator) -> list[Tensor]:
    """Photos and drawings, at their own size and enlarged: `1 4 h w`."""
    path = data / "domain_a.zip"
    names = sorted((ROOT / "samples").glob("[pcd]*.png"))
    found = [Image.open(name).convert("RGBA") for name in names]
    if path.is_file():
        every = list(read_zip(path, "split", "test"))
        found += [every[i] for i in rng.permutation(len(every))[:count]]
    return [to_tensor(np.asarray(flat(image))) for image in found]


def flat(image: Image.Image) -> Image.Image:
    """On white, as such pictures come."""
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)


def to_tensor(rgba: Array) -> Tensor:
    """`h w 4` uint8 to `1 4 h w` float32 in [0, 1]."""
    return torch.from_numpy(rgba.astype(np.float32) / 255).permute(2, 0, 1)[None]


def drifted(sprite: Array, pitch: tuple[float, float], rng: np.random.Generator) -> Array:
    """Nearest enlargement whose grid lines wander smoothly, up to a third of a cell, the borders fixed."""
    picks = []
    for cells, step in zip(sprite.shape[:2], reversed(pitch), strict=True):
        place = np.linspace(0, 1, cells + 1)
        wave = sum(rng.normal() * np.sin(np.pi * k * place) for k in range(1, max(3, cells // 5)))
        lines = np.arange(cells + 1) * step + wave / np.abs(wave).max() * step * rng.uniform(0.15, 1 / 3)
        pixels = np.arange(round(cells * step)) + 0.5
        picks.append(np.searchsorted(np.maximum.accumulate(lines), pixels, side="right").clip(1, cells) - 1)
    return sprite[np.ix_(*picks)]


def make_case(sprite: Array, kind: str, rng: np.random.Generator) -> Case:
    """One case: backgrounds, pitch, resampling, drift, blur, noise, JPEG, crop."""
    if rng.random() < 0.35:  # a margin, as generated pictures have
        sprite = np.pad(sprite, [tuple(rng.integers(0, 5, 2)), tuple(rng.integers(0, 5, 2)), (0, 0)])
    keeps_alpha = kind != "drift" and rng.random() < 0.15
    if not keeps_alpha:
        back = Image.new("RGBA", sprite.shape[1::-1], tuple(int(v) for v in rng.integers(0, 256, 3)))
        sprite = np.asarray(Image.alpha_composite(back, Image.fromarray(sprite)))
    else:
        sprite = sprite * np.array([1, 1, 1, 0], np.uint8) + (sprite[..., 3:] > 127) * np.array(
            [0, 0, 0, 255], np.uint8
        )
    step = float(rng.choice([float(rng.integers(3, 25)), rng.uniform(3, 24)]))
    step = min(step, 1000 / max(sprite.shape[:2]))
    pitch = (step, step * float(rng.choice([1, 1, 1, rng.uniform(0.75, 1.33)])))
    pitch = (max(3, pitch[0]), max(3, pitch[1]))
    size = (round(sprite.shape[1] * pitch[0]), round(sprite.shape[0] * pitch[1]))
    if kind == "drift":
        image, how = Image.fromarray(drifted(sprite, pitch, rng)), "drift"
    elif kind == "smooth":
        filtering = RESAMPLING[rng.integers(len(RESAMPLING))]
        image, how = Image.fromarray(sprite).resize(size, filtering), filtering.name.lower()
    elif rng.random() < 0.6:
        image, how = Image.fromarray(sprite).resize(size, Image.Resampling.NEAREST), "nearest"
    else:  # enlarged by whole numbers, and the result resampled
        filtering = RESAMPLING[rng.integers(len(RESAMPLING))]
        whole = tuple(side * math.ceil(step * rng.uniform(0.7, 1.5)) for side in sprite.shape[1::-1])
        image = Image.fromarray(sprite).resize(whole, Image.Resampling.NEAREST).resize(size, filtering)
        how = f"resampled {filtering.name.lower()}"
    if rng.random() < 0.5:
        radius = rng.uniform(0.2, 0.12 * min(pitch) + 0.2)
        image, how = image.filter(ImageFilter.GaussianBlur(radius)), f"{how} blur {radius:.1f}"
    if rng.random() < 0.4:
        sigma = rng.uniform(1, 10)
        noisy = np.asarray(image) + rng.normal(0, sigma, (*image.size[::-1], 4)) * [1, 1, 1, 0]
        image, how = Image.fromarray(noisy.round().clip(0, 255).astype(np.uint8)), f"{how} noise {sigma:.0f}"
    if rng.random() < 0.5 and not keeps_alpha:
        quality = int(rng.integers(60, 96))
        image.convert("RGB").save(held := io.BytesIO(), "JPEG", quality=quality)
        image, how = Image.open(held).convert("RGBA"), f"{how} jpeg {quality}"
    picture = np.asarray(image)
    if kind == "cropped":
        left, top, right, bottom = (int(rng.integers(0, max(2, int(step)))) for _ in range(4))
        picture = picture[top : picture.shape[0] - bottom, left : picture.shape[1] - right]
    return Case(picture=to_tensor(picture), truth=to_tensor(sprite), pitch=pitch, kind=kind, how=how)


def make_cases(data: Path, count: int, seed: int) -> list[Case]:
    """`count` plain cases, half as many with drift, cropped, and smooth; same seed, same cases."""
    rng = np.random.default_rng(seed)
    pool = sprites(data)
    kinds = ["plain"] * count + [kind for kind in ("drift", "cropped", "smooth") for _ in range(count // 2)]
    return [make_case(pool[rng.integers(len(pool))], kind, rng) for kind in kinds]


def bad_cells(made: Tensor, truth: Tensor) -> float:
    """Share of cells that are off by more than `BAD` in Oklab, or of the wrong opacity; transparent ones match."""
    away = (srgb_to_oklab(made[:, :3]) - srgb_to_oklab(truth[:, :3])).norm(dim=1)
    seen = truth[:, 3] > 0.5
    return float(((away > BAD) & seen | ((made[:, 3] > 0.5) != seen)).float().mean())


def snapped(picture: Tensor) -> Snapped:
    """As a user gets it."""
    return snap_to_grid(picture[:, :3], alpha=picture[:, 3:], force=True)


def measure(case: Case) -> tuple[bool, bool, float | None, str]:
    """Whether the size is right, whether a grid is seen, the share of bad cells where that is defined, and a report."""
    made = snapped(case.picture)
    grid = made.grid
    truth = (case.truth.shape[3], case.truth.shape[2])
    found = (grid.native_width, grid.native_height)
    right, bad = found == truth, None
    if case.kind == "cropped":  # border cells may be gone: the cell has to be right to half a cell over the whole
        both = zip((grid.cell_x, grid.cell_y), case.pitch, truth, strict=True)
        right = all(abs(cell / pitch - 1) * cells < 0.5 for cell, pitch, cells in both)
    elif right:
        bad = bad_cells(made.image.to_rgba(), case.truth)
    report = (
        f"{case.kind}: truth {truth}, {case.pitch[0]:.2f} {case.pitch[1]:.2f}, found {found} cell {grid.cell_x:.2f} "
        f"{grid.cell_y:.2f} sure {grid.confidence:.2f} bad {bad or 0:.2f}; {case.how}"
    )
    return right, grid.is_grid, bad, report


def milliseconds(picture: Tensor) -> float:
    """Median time of finding the grid, snapping and merging colours."""
    spent = []
    for _ in range(9):
        began = time.perf_counter()
        snapped(picture)
        spent.append((time.perf_counter() - began) * 1000)
    return statistics.median(spent)


def peer_figures(cases: list[Case], photos: list[Tensor]) -> dict[str, float]:
    """Sizes found and photos refused by each peer; empty where they cannot be had."""
    python = peers_python()
    if python is None:
        return {}
    figures = {}
    for peer, sizes in peer_sizes(python, [case.picture for case in cases] + photos).items():
        for kind in ("plain", "drift", "smooth"):
            same = [
                size == (case.truth.shape[3], case.truth.shape[2])
                for size, case in zip(sizes, cases, strict=False)
                if case.kind == kind
            ]
            figures[f"{NAMES[kind]}_{peer}"] = statistics.fmean(same)
        figures[f"photos_refused_{peer}"] = statistics.fmean(size is None for size in sizes[len(cases) :])
    return figures


def main() -> None:
    """Measure and print, one JSON line last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="folder of the data zips")
    parser.add_argument("--cases", type=int, default=200, help="plain cases; half as many drift, half as many cropped")
    parser.add_argument("--seed", type=int, default=SEED, help="other cases than those of the figures")
    parser.add_argument("--no-peers", action="store_true", help="leave the other tools out")
    parser.add_argument("--verbose", action="store_true", help="print every case that fails")
    options = parser.parse_args()
    right: dict[str, list[bool]] = {"plain": [], "drift": [], "cropped": [], "smooth": []}
    bad: dict[str, list[float]] = {"plain": [], "drift": [], "smooth": []}
    accepted: list[bool] = []
    cases = make_cases(options.data, options.cases, options.seed)
    for case in cases:
        size_right, is_grid, share, report = measure(case)
        right[case.kind].append(size_right)
        accepted.append(is_grid)
        if share is not None:
            bad[case.kind].append(share)
        if options.verbose and not (size_right and is_grid and (share or 0) < BAD):
            print(report)
    photos = without_grid(options.data, options.cases, np.random.default_rng(options.seed))
    picture = make_cases(options.data, 2, options.seed)[0].picture
    figures = {
        **{NAMES[kind]: statistics.fmean(found) for kind, found in right.items()},
        "grids_accepted": statistics.fmean(accepted),
        "photos_refused": statistics.fmean(not detect_grid(photo).is_grid for photo in photos),
        "cells_bad": statistics.fmean(bad["plain"] or [1.0]),
        "cells_bad_drift": statistics.fmean(bad["drift"] or [1.0]),
        "cells_bad_smooth": statistics.fmean(bad["smooth"] or [1.0]),
        "ms_512": milliseconds(torch.nn.functional.interpolate(picture, (512, 512), mode="nearest")),
    }
    if not options.no_peers:
        figures |= peer_figures([case for case in cases if case.kind != "cropped"], photos)
    print(json.dumps({name: round(value, 4) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
