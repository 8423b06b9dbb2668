"""Sprites that a generator learns from: whole ones on square canvases with labels, all of a set or part of it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from .attributes import GROUPS, n_hot, names_of, rows_by_name, vocabulary
from .canvas import rand
from .hints import some_labels
from .loop import Batch, generator_of
from .pictures import PictureSet, read_picture_set
from .sprites import hard, jitter

_MOVE = 2


@dataclass(frozen=True, eq=False)
class LabelledCanvases:
    """Sprites in the middle of square canvases."""

    canvases: Tensor
    """`n 4 s s`, uint8, alpha 0 or 255, black where nothing is."""

    labels: Tensor
    """`n k`, bool."""

    names: tuple[str, ...]
    """Of the k labels."""

    weights: Tensor
    """`n`, float64, how often each is drawn; sums to 1."""

    paths: tuple[str, ...]
    """Inside their folder, without suffix."""

    def __len__(self) -> int:
        """How many sprites."""
        return len(self.canvases)


@dataclass(frozen=True, kw_only=True)
class CanvasSetting:
    """Which sprites of a set, and how they lie."""

    side: int
    """Of the canvas, pixels; larger sprites are left out."""

    least: int = 0
    """Sprites whose longer side is smaller are left out."""

    double: bool = False
    """Draw sprites of at most half the side twice as large, exactly."""

    only: Mapping[str, tuple[str, ...]] | None = None
    """Columns of the manifest to the values that are taken."""

    limit: int = 0
    """Take so many, drawn evenly; 0: all."""

    groups: tuple[str, ...] = ()
    """Which labels; see `train.attributes.GROUPS`."""

    least_labelled: int = 20
    """Labels of fewer sprites are left out."""


def read_canvas_set(
    folder: Path, split: str, setting: CanvasSetting, names: Sequence[str] | None = None
) -> LabelledCanvases:
    """The sprites of a split that fit the setting.

    Args:
        folder: a set that `train.prepare` wrote, or any folder of sprites; without a manifest, a sprite's folder
            is its kind.
        split: train, val or test.
        setting: which, and how.
        names: the labels; None: those that the split has, which is for training.

    Raises:
        FileNotFoundError: there is no such folder or split, or no sprite is left.
        ValueError: the set has no column that is asked for.
    """
    pictures = read_picture_set(folder, split)
    rows = rows_by_name(folder)
    kept = _chosen(pictures, rows, setting, folder)
    if setting.limit and len(kept) > setting.limit:
        order = torch.randperm(len(kept), generator=generator_of(0, "limit"))[: setting.limit]
        kept = [kept[place] for place in sorted(order.tolist())]
    canvases, told = [], []
    for index in kept:
        sprite, name = hard(pictures.pictures[index]), pictures.names[index]
        told.append(names_of(sprite, rows.get(name, _row_of(name)), setting.groups))
        canvases.append(centred(sprite, setting))
    names = vocabulary(told, setting.least_labelled) if names is None else tuple(names)
    weights = pictures.weights[torch.tensor(kept)]
    return LabelledCanvases(
        torch.stack(canvases),
        n_hot(told, names),
        names,
        weights / weights.sum(),
        tuple(pictures.names[i] for i in kept),
    )


def _chosen(
    pictures: PictureSet, rows: Mapping[str, Mapping[str, str]], setting: CanvasSetting, folder: Path
) -> list[int]:
    """Places of the sprites that fit."""
    only = setting.only or {}
    columns = set(next(iter(rows.values()), {}))
    if missing := sorted(only.keys() - columns):
        msg = f"the manifest of {folder} has no column {missing}, expected some of {sorted(columns)}"
        raise ValueError(msg)
    kept = []
    for index, (sprite, name) in enumerate(zip(pictures.pictures, pictures.names, strict=True)):
        longer = max(sprite.shape[1:])
        row = rows.get(name, {})
        wanted = all(row.get(column) in values for column, values in only.items())
        if wanted and setting.least <= longer <= setting.side and bool((sprite[3] >= 128).any()):
            kept.append(index)
    if not kept:
        sides = sorted({max(sprite.shape[1:]) for sprite in pictures.pictures})
        msg = f"no sprite of {folder} is left: its longer sides are {sides[0]} to {sides[-1]} pixels, expected "
        msg += f"{setting.least} to {setting.side}" + (f"; and only {dict(only)}" if only else "")
        raise FileNotFoundError(msg)
    return kept


def _row_of(name: str) -> dict[str, str]:
    """What the folder of a sprite says of it, where no manifest does."""
    parents = [part for part in Path(name).parts[:-1] if part != "train"]
    return {"label": parents[-1]} if parents else {}


def centred(sprite: Tensor, setting: CanvasSetting) -> Tensor:
    """A sprite `4 h w` in the middle of a transparent canvas, `4 s s`."""
    if setting.double and 2 * max(sprite.shape[1:]) <= setting.side:
        sprite = sprite.repeat_interleave(2, 1).repeat_interleave(2, 2)
    height, width = sprite.shape[1:]
    top, left = (setting.side - height) // 2, (setting.side - width) // 2
    return F.pad(sprite, (left, setting.side - width - left, top, setting.side - height - top))


@dataclass(frozen=True, eq=False)
class LabelledBatches:
    """Batches of `pictures` `b c s s`, float32 in [0, 1], and their `labels` `b k`, float32.

    Of 4 channels they are RGB times alpha, and alpha; of 3 they lie on white.
    """

    data: LabelledCanvases
    channels: int
    count: int
    mirror: float = 0.0
    """Share of the sprites that are mirrored."""

    jitter: float = 0.0
    """Share of the sprites that get another palette."""

    move: bool = False
    """Move sprites by up to two pixels where there is room."""

    dropped: float = 0.15
    """Share of the sprites whose labels are not told; of the others each label with the same chance."""

    def __call__(self, generator: torch.Generator) -> Batch:
        """Draw a batch."""
        g, data = generator, self.data
        chosen = torch.multinomial(data.weights, self.count, replacement=True, generator=g)
        pictures = torch.stack([self._varied(sprite, g) for sprite in data.canvases[chosen]]).float() / 255
        if self.channels == 3:
            pictures = pictures[:, :3] + 1 - pictures[:, 3:]
        labels = some_labels(data.labels[chosen], self.dropped, self.dropped, g)
        return {"pictures": pictures, "labels": labels.float()}

    def _varied(self, sprite: Tensor, g: torch.Generator) -> Tensor:
        if self.mirror and rand(g) < self.mirror:
            sprite = sprite.flip(2)
        if self.jitter and rand(g) < self.jitter:
            sprite = jitter(sprite, g)
        return moved(sprite, g) if self.move else sprite


def whole_pictures(data: LabelledCanvases, channels: int, most: int) -> Tensor:
    """The sprites as they are, `n c s s`, float32 in [0, 1]; of more than `most` so many, evenly spread."""
    places = torch.linspace(0, len(data) - 1, min(most, len(data))).long()
    pictures = data.canvases[places].float() / 255
    return pictures if channels == 4 else pictures[:, :3] + 1 - pictures[:, 3:]


def moved(sprite: Tensor, g: torch.Generator) -> Tensor:
    """A sprite `4 s s` moved by up to two pixels along both axes, nothing of it beyond the rim."""
    places = sprite[3].nonzero()
    low, high = places.amin(0), sprite.shape[1] - 1 - places.amax(0)
    shifts = []
    for before, after in zip(low.tolist(), high.tolist(), strict=True):
        least, most = -min(_MOVE, before), min(_MOVE, after)
        shifts.append(int(torch.randint(least, most + 1, (), generator=g)))
    return sprite.roll(shifts, (1, 2))


def add_set_arguments(command: argparse.ArgumentParser) -> None:
    """The options that choose sprites, the same for every recipe that draws whole ones."""
    command.add_argument("--sprites", "--b", type=Path, required=True, help="folder of sprites at native size")
    command.add_argument("--limit", type=int, default=0, metavar="N", help="take so many sprites (default: all)")
    command.add_argument(
        "--only",
        nargs="*",
        default=[],
        metavar="COLUMN=A,B",
        help="of the set's manifest: sprites with one of these values, such as source=crawl-2015,crawl-doll",
    )
    command.add_argument("--least", type=int, default=0, metavar="PIXELS", help="smaller sprites are left out")
    command.add_argument("--double", action="store_true", help="sprites of half the side are drawn twice as large")


def only_of(words: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """``COLUMN=A,B`` by column.

    Raises:
        ValueError: a word is not of this form.
    """
    if wrong := [word for word in words if not all(word.partition("=")[::2])]:
        msg = f"--only got {wrong}, expected COLUMN=VALUE or COLUMN=VALUE,VALUE"
        raise ValueError(msg)
    return {column: tuple(values.split(",")) for column, _, values in (word.partition("=") for word in words)}


def setting_of(options: argparse.Namespace, side: int, groups: Sequence[str] = ()) -> CanvasSetting:
    """What the options of `add_set_arguments` choose."""
    assert set(groups) <= set(GROUPS)
    return CanvasSetting(
        side=side,
        least=options.least,
        double=options.double,
        only=only_of(options.only),
        limit=options.limit,
        groups=tuple(groups),
    )
