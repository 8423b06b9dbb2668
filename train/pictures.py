"""Folders of pictures as tensors in memory, drawn with weights from generators that are passed in."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .prepare import PICTURES


@dataclass(frozen=True)
class PictureSet:
    """Pictures of any size, `4 h w` uint8 with straight alpha, and how often to draw each."""

    pictures: tuple[Tensor, ...]
    weights: Tensor
    """`n`, float64, sums to 1."""

    labels: tuple[str, ...]

    names: tuple[str, ...] = ()
    """Paths inside the folder, without suffix: what pairs of folders are matched by; empty where unknown."""

    def __len__(self) -> int:
        """How many pictures."""
        return len(self.pictures)

    def draw(self, generator: torch.Generator) -> Tensor:
        """One picture, `4 h w` uint8."""
        place = torch.rand((), generator=generator, dtype=torch.float64)
        index = int(torch.searchsorted(self.weights.cumsum(0), place).clamp_max(len(self.pictures) - 1))
        return self.pictures[index]

    def where(self, keep: list[bool]) -> PictureSet:
        """The pictures whose flag is set.

        Raises:
            ValueError: none is.
        """
        if not any(keep):
            msg = "no picture is left of this set"
            raise ValueError(msg)
        weights = self.weights[torch.tensor(keep)]
        chosen = [i for i, flag in enumerate(keep) if flag]
        return PictureSet(
            tuple(self.pictures[i] for i in chosen),
            weights / weights.sum(),
            tuple(self.labels[i] for i in chosen),
            tuple(self.names[i] for i in chosen if self.names),
        )


def _rows(folder: Path, split: str) -> Iterator[tuple[Path, float, str]]:
    manifest = folder / "manifest.csv"
    if manifest.exists():
        with manifest.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if row.get("split", split) == split:
                    yield folder / row["path"], float(row.get("weight") or 1), row.get("label", "")
        return
    inside = folder / split if (folder / split).is_dir() else folder
    for path in sorted(inside.rglob("*")):
        if path.suffix.lower() in PICTURES:
            yield path, 1.0, ""


def read_picture_set(folder: Path, split: str = "train") -> PictureSet:
    """Read a folder: one that `train.prepare` wrote, one with `train/` inside, or simply one of pictures.

    Raises:
        FileNotFoundError: the folder is missing or holds no readable picture.
    """
    pictures, weights, labels, names = [], [], [], []
    for path, weight, label in _rows(folder, split):
        try:
            with Image.open(path) as picture:
                pixels = np.asarray(picture.convert("RGBA"))
        except (OSError, ValueError) as error:
            msg = f"{path} cannot be read as a picture ({error}); `python -m train.prepare` leaves such files out"
            raise FileNotFoundError(msg) from error
        pictures.append(torch.from_numpy(pixels.copy()).permute(2, 0, 1).contiguous())
        weights.append(weight)
        labels.append(label)
        names.append(path.relative_to(folder).with_suffix("").as_posix())
    if not pictures:
        msg = f"{folder} holds no pictures of the split {split!r}; expected {sorted(PICTURES)} files"
        raise FileNotFoundError(msg)
    chance = torch.tensor(weights, dtype=torch.float64)
    return PictureSet(tuple(pictures), chance / chance.sum(), tuple(labels), tuple(names))
