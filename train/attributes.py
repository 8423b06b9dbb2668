"""Labels of sprites: what is drawn, in whose style, in which colours; n-hot over names such as ``creature=dragon``."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import torch
from torch import Tensor

from pixel_models.color import srgb_to_oklab

GROUPS: tuple[str, ...] = ("kind", "style", "color")
"""What labels can be about; `kind` is named ``creature=`` or ``thing=``, or ``kind=`` where the category is unknown."""

COLORS: tuple[str, ...] = (
    "red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink", "brown", "white", "gray", "black",
)  # fmt: skip
"""Names of colours."""

_HUES = (
    (45.0, "red"), (85.0, "orange"), (118.0, "yellow"), (165.0, "green"), (225.0, "cyan"), (285.0, "blue"),
    (325.0, "purple"), (362.0, "pink"),
)  # fmt: skip
# Oklab hues up to which a name goes, degrees; sRGB's red lies at 29, yellow at 110, green at 142, cyan at 195, blue
# at 264, magenta at 328.
_CREATURES = ("creature", "character")
_LEAST_SHARE = 0.25
_MOST_COLORS = 2


def color_names(sprite: Tensor) -> list[str]:
    """The one or two colours that a sprite has most of, outlines and shadows not counted where anything else shows.

    Args:
        sprite: `4 h w` uint8.

    Returns:
        Of `COLORS`, the commonest first; none where nothing shows.
    """
    seen = sprite[3] >= 128
    if not bool(seen.any()):
        return []
    lab = srgb_to_oklab(sprite[:3, seen].T.double() / 255)  # n 3
    light, chroma = lab[:, 0], lab[:, 1:].norm(dim=1)
    hue = torch.rad2deg(torch.atan2(lab[:, 2], lab[:, 1])) % 360
    place = torch.bucketize((hue - 2) % 360, torch.tensor([h - 2 for h, _ in _HUES], dtype=torch.float64))
    names = torch.tensor([COLORS.index(name) for _, name in _HUES])[place]
    dim_orange = (names == COLORS.index("orange")) & (light < 0.62)
    names[dim_orange | ((names == COLORS.index("yellow")) & (light < 0.5))] = COLORS.index("brown")
    plain = chroma < 0.035
    names[plain] = COLORS.index("gray")
    names[plain & (light > 0.85)] = COLORS.index("white")
    names[(light < 0.25) | (plain & (light < 0.35))] = COLORS.index("black")
    counts = Counter(names.tolist())
    black = counts.pop(COLORS.index("black"), 0)
    total = sum(counts.values())
    if total < 0.15 * (total + black):
        return ["black"]
    return [COLORS[index] for index, count in counts.most_common(_MOST_COLORS) if count >= _LEAST_SHARE * total]


def rows_by_name(folder: Path) -> dict[str, Mapping[str, str]]:
    """Rows of a prepared set's manifest by the pictures' paths inside it, without suffix; empty without a manifest."""
    manifest = folder / "manifest.csv"
    if not manifest.is_file():
        return {}
    with manifest.open(newline="", encoding="utf-8") as file:
        return {PurePosixPath(row["path"]).with_suffix("").as_posix(): row for row in csv.DictReader(file)}


def fixed_names(row: Mapping[str, str], groups: Sequence[str]) -> list[str]:
    """What a manifest's row says of a sprite: kind and style; catch-alls such as ``creature_other`` say nothing."""
    found: list[str] = []
    label, category, source = (row.get(key, "") for key in ("label", "category", "source"))
    if "kind" in groups and label and not label.endswith(("_other", "_misc")):
        group = "kind" if not category else "creature" if category in _CREATURES else "thing"
        found.append(f"{group}={label}")
    if "style" in groups and source:
        found.append(f"style={source.split(':')[-1].split(' (')[0]}")
    return found


def names_of(sprite: Tensor, row: Mapping[str, str], groups: Sequence[str]) -> list[str]:
    """Every label of a sprite `4 h w` uint8 with this manifest row."""
    colors = [f"color={name}" for name in color_names(sprite)] if "color" in groups else []
    return [*fixed_names(row, groups), *colors]


def vocabulary(names: Sequence[Sequence[str]], least: int) -> tuple[str, ...]:
    """The labels that at least so many sprites have, by group, the commonest first."""
    counts = Counter(name for one in names for name in set(one))
    order = {group: index for index, group in enumerate(("creature", "thing", "kind", "style", "color"))}
    kept = [name for name, count in counts.items() if count >= least]
    return tuple(sorted(kept, key=lambda n: (order.get(n.split("=")[0], math.inf), -counts[n], n)))


def column_names(row: Mapping[str, str], columns: Sequence[str]) -> list[str | None]:
    """A row's value in each column as a label, ``type1`` and ``type2`` alike as ``type=``; None where it is empty."""
    return [f"{c.rstrip('0123456789')}={row[c]}" if row.get(c) else None for c in columns]


def first_appearance(rows: Sequence[Sequence[str | None]]) -> tuple[str, ...]:
    """Labels in the order of the paper's repository: the first column of all rows, then the second and so on."""
    columns = range(max((len(row) for row in rows), default=0))
    return tuple(dict.fromkeys(name for c in columns for row in rows if (name := row[c]) is not None))


def n_hot(names: Sequence[Sequence[str]], known: Sequence[str]) -> Tensor:
    """`n k`, bool: which of the known labels each sprite has."""
    places = {name: index for index, name in enumerate(known)}
    found = torch.zeros(len(names), len(known), dtype=torch.bool)
    for row, one in zip(found, names, strict=True):
        row[[places[name] for name in one if name in places]] = True
    return found
