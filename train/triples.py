"""Triples of sprites to learn fusing from: a base, a second, and what somebody made of the two, or we make here."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from pixel_models.color import oklab_to_srgb, srgb_to_oklab
from pixel_models.image import from_uint8, read_rgba, to_uint8

from .canvas import rand, randint
from .pictures import PictureSet
from .prepare import PICTURES, SPLITS, split_of
from .sprites import LARGEST, hard, jitter

KINDS: tuple[str, ...] = ("over", "colors", "heads")
"""What self-made fusions are: see `composite`."""

BASES: tuple[str, ...] = (
    *("humanoid", "creature_other", "animal", "demon", "undead", "dragon", "aberration", "construct"),
    *("portrait", "plant"),
)
"""Labels of sprites that something is laid on."""

OVERLAYS: tuple[str, ...] = ("equipment", "armour", "weapon")
"""Labels of sprites that are laid on others: clothes, hair, weapons."""

FOLDERS: tuple[str, ...] = ("base", "second", "fusion")
"""Of a folder of triples."""

_NECK = 0.45
"""How far down the base its head ends, of its height."""


class Triple(NamedTuple):
    """Three pictures of one size, each `4 h w` uint8 as of `hard`."""

    base: Tensor
    second: Tensor
    fusion: Tensor
    kind: int
    """Place in `KINDS`; of triples out of files 0."""


class TripleMaker(Protocol):
    """Draws triples; goes to other processes, so it pickles."""

    def draw(self, generator: torch.Generator) -> Triple:
        """One triple."""
        ...


def composite(base: Tensor, second: Tensor, kind: str) -> Tensor:
    """A fusion as an artist might begin it.

    Args:
        base: `4 h w`, uint8, as of `hard`.
        second: the same of another sprite.
        kind: "over": the second laid over the base. "colors": the base's drawing in the second's colours, that is its
            Oklab lightness with the hue and chroma of the second wherever both show. "heads": above the base's neck,
            45 % down, the second; below it the base.

    Returns:
        `4 h w`, uint8, as of `hard`.
    """
    if kind == "over":
        return torch.where(second[3:] > 0, second, base)
    if kind == "colors":
        one, two = (srgb_to_oklab(from_uint8(x[:3]), 0) for x in (base, second))
        mixed = to_uint8(oklab_to_srgb(torch.cat([one[:1], two[1:]]), 0))
        return torch.where((base[3:] > 0) & (second[3:] > 0), torch.cat([mixed, base[3:]]), base)
    assert kind == "heads", kind
    rows = base[3].any(1).nonzero()[:, 0]
    top, bottom = (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, base.shape[1])
    neck = round(top + _NECK * (bottom - top))
    return torch.cat([second[:, :neck], base[:, neck:]], 1)


def centred(sprite: Tensor, height: int, width: int) -> Tensor:
    """In the middle of a transparent canvas: `4 h w` to `4 height width`."""
    top, left = (height - sprite.shape[1]) // 2, (width - sprite.shape[2]) // 2
    return F.pad(sprite, (left, width - sprite.shape[2] - left, top, height - sprite.shape[1] - top))


class LayerTriples:
    """Triples made of single sprites: bodies and creatures, and what is laid on them."""

    def __init__(
        self, sprites: PictureSet, kinds: tuple[str, ...] = KINDS, *, overlays: float = 0.5, vary: float = 0.3
    ) -> None:
        """Sort the sprites: only those of at most `LARGEST` pixels with a transparent part are of use.

        Args:
            sprites: with labels of `BASES` and `OVERLAYS`; without any labels, every sprite is both.
            kinds: of fusions, each as often as the others.
            overlays: share of the triples of kind "over" whose second is an overlay; otherwise it is another base.
            vary: share of the sprites that get another palette; above 0 half of the triples are mirrored too.

        Raises:
            ValueError: no base is there.
        """
        self.kinds, self.overlays, self.vary = kinds, overlays, vary
        fits = [max(p.shape[1:]) <= LARGEST and 0 < int((p[3] >= 128).sum()) < p[3].numel() for p in sprites.pictures]
        plain = not any(sprites.labels)
        bases = [fit and (plain or label in BASES) for fit, label in zip(fits, sprites.labels, strict=True)]
        over = [fit and (plain or label in OVERLAYS) for fit, label in zip(fits, sprites.labels, strict=True)]
        if not any(bases):
            msg = f"none of the {len(sprites)} sprites is a base: at most {LARGEST} pixels, partly transparent, "
            raise ValueError(msg + f"its label in the manifest one of {', '.join(BASES)} (or no labels at all)")
        self.bases = sprites.where(bases)
        self._bases, self._over = _by_size(self.bases), _by_size(sprites.where(over)) if any(over) else {}

    def draw(self, generator: torch.Generator) -> Triple:
        """One triple; the second is of the base's size."""
        g = generator
        kind = self.kinds[randint(g, 0, len(self.kinds) - 1)]
        base = self.bases.draw(g)
        size = (base.shape[1], base.shape[2])
        over = kind == "over" and size in self._over and rand(g) < self.overlays
        second = (self._over if over else self._bases)[size].draw(g)
        one, two = (hard(x) for x in (base, second))
        if self.vary:
            one, two = (jitter(x, g) if rand(g) < self.vary else x for x in (one, two))
            if rand(g) < 0.5:
                one, two = one.flip(2), two.flip(2)
        return Triple(one, two, composite(one, two, kind), KINDS.index(kind))


def _by_size(sprites: PictureSet) -> Mapping[tuple[int, int], PictureSet]:
    sizes = [(p.shape[1], p.shape[2]) for p in sprites.pictures]
    return {size: sprites.where([other == size for other in sizes]) for size in dict.fromkeys(sizes)}


@dataclass(frozen=True)
class FileTriples:
    """Triples out of files."""

    triples: tuple[Triple, ...]

    def draw(self, generator: torch.Generator) -> Triple:
        """One triple, each as often as the others."""
        return self.triples[randint(generator, 0, len(self.triples) - 1)]


def split_of_triple(base: str, second: str, fusion: str = "") -> str:
    """The split of a triple: "test" if any part is of that, else "val" if any is, else "train".

    The rule of the Pixel VQ-VAE paper's repository, less a branch that is never reached there.

    Args:
        base: the base's split, one of `SPLITS`.
        second: the second's.
        fusion: the fusion's own; empty where it has none.

    Raises:
        ValueError: no such split.
    """
    parts = {base, second, fusion} - {""}
    if not base or not second or not parts <= set(SPLITS):
        msg = f"splits are {', '.join(SPLITS)}, got {base!r}, {second!r} and {fusion!r}"
        raise ValueError(msg)
    return next(split for split in ("test", "val", "train") if split in parts)


def read_triples(folder: Path, split: str = "train") -> FileTriples:
    """Read the triples of a split: `base/`, `second/` and `fusion/`, matched by name.

    A fusion `fusion/A.B.png` is of `base/A.png` and `second/B.png`; where `base/A.B.png` is there, it is of this and
    `second/A.B.png`. Pictures of unequal size are centred on the largest one's; nothing is resampled.

    The splits of the parts stand in `manifest.csv` (columns `path` and `split`) where there is one; otherwise those of
    base and second follow from their names, and the fusion has none of its own.

    Raises:
        FileNotFoundError: a folder or a part is missing, or no triple is of this split.
    """
    parts = {name: _pictures_of(folder / name) for name in FOLDERS}
    known = _splits(folder)
    found: list[Triple] = []
    for stem, path in parts["fusion"].items():
        first, _, last = stem.partition(".")
        names = (stem, stem) if stem in parts["base"] else (first, last)
        paths = []
        for role, name in zip(FOLDERS, names, strict=False):
            if name not in parts[role]:
                msg = f"{path} has no {role}: expected {folder / role / name}.png, or a name BASE.SECOND; see {folder}"
                raise FileNotFoundError(msg)
            paths.append(parts[role][name])
        given = [known.get(part.relative_to(folder).as_posix(), "") for part in (*paths, path)]
        own = [one or split_of(part.stem) for one, part in zip(given, paths, strict=False)]
        if split_of_triple(own[0], own[1], given[2]) != split:
            continue
        pictures = [hard(to_uint8(read_rgba(part))[0]) for part in (*paths, path)]
        height, width = (max(p.shape[axis] for p in pictures) for axis in (1, 2))
        base, second, made = (centred(p, height, width) for p in pictures)
        found.append(Triple(base, second, made, 0))
    if not found:
        msg = f"{folder} holds no triple of the split {split!r}, of {len(parts['fusion'])} fusions in all"
        raise FileNotFoundError(msg)
    return FileTriples(tuple(found))


def _pictures_of(folder: Path) -> dict[str, Path]:
    """Pictures by name without ending."""
    if not folder.is_dir():
        msg = f"{folder} is missing; expected the folders {', '.join(FOLDERS)} side by side"
        raise FileNotFoundError(msg)
    return {p.stem: p for p in sorted(folder.iterdir()) if p.suffix.lower() in PICTURES}


def _splits(folder: Path) -> dict[str, str]:
    return {row["path"]: row.get("split", "") for row in _rows(folder / "manifest.csv")}


def _rows(manifest: Path) -> Iterator[dict[str, str]]:
    if manifest.exists():
        with manifest.open(newline="", encoding="utf-8") as file:
            yield from csv.DictReader(file)
