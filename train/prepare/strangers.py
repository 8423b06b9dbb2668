"""Puts pictures that are no pixel art, and single sprites, into a folder, to measure what `--find` takes for which."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from .model import Found
from .plain import PICTURES, open_source

_SIDES = (128, 64, 48, 32)
"""What smaller ones are shrunk to, in turn."""


def put_strangers(folder: Path, sources: Sequence[Path], count: int, rng: np.random.Generator) -> dict[str, str]:
    """Write so many pictures of each folder at the top of each source as they are, and half as many shrunk.

    Returns:
        Path to kind, for `taken`.
    """
    kinds: dict[str, str] = {}
    for path in sources:
        source = open_source(path)
        by_kind: dict[str, list[str]] = defaultdict(list)
        for name in source.names:
            if PurePosixPath(name).suffix.lower() in PICTURES:
                by_kind[PurePosixPath(name).parts[0]].append(name)
        for kind, names in sorted(by_kind.items()):
            for number, at in enumerate(rng.permutation(len(names))[:count].tolist()):
                data = source.read(names[at])
                target = f"{kind}/{number}{PurePosixPath(names[at]).suffix.lower()}"
                _write(folder / target, data)
                kinds[target] = kind
                if number % 2:
                    side, shrunk = _SIDES[number // 2 % len(_SIDES)], io.BytesIO()
                    with Image.open(io.BytesIO(data)) as picture:
                        small = picture.convert("RGBA")
                    small.thumbnail((side, side), Image.Resampling.LANCZOS)
                    small.save(shrunk, "PNG")
                    target = f"{kind}_small/{number}.png"
                    _write(folder / target, shrunk.getvalue())
                    kinds[target] = f"{kind}, shrunk to {_SIDES[-1]} to {_SIDES[0]} pixels"
    return kinds


def put_sprites(folder: Path, archives: Sequence[Path], count: int, rng: np.random.Generator) -> dict[str, str]:
    """Write so many sprites of each tier of each archive, a file each; those with soft alpha by themselves."""
    kinds: dict[str, str] = {}
    for archive in archives:
        with zipfile.ZipFile(archive) as file:
            name = next(name for name in file.namelist() if name.endswith("manifest.csv"))
            by_kind: dict[str, list[str]] = defaultdict(list)
            for row in csv.DictReader(io.StringIO(file.read(name).decode())):
                soft = ", with soft alpha" if float(row["soft_alpha"]) > 0 else ""
                by_kind[f"sprites of tier {row['tier']}{soft}"].append(name.removesuffix("manifest.csv") + row["path"])
            for kind, names in sorted(by_kind.items()):
                for number, at in enumerate(rng.permutation(len(names))[:count].tolist()):
                    target = f"{archive.stem}/{kind.replace(' ', '_').replace(',', '')}/{number}.png"
                    _write(folder / target, file.read(names[at]))
                    kinds[target] = kind
    return kinds


def taken(found: Iterable[Found], kinds: dict[str, str]) -> list[str]:
    """Rows of a table: how many files of each kind there were, and how many of them were taken for pixel art."""
    there, sprites = Counter(kinds.values()), Counter[str]()
    for one in found:
        kind = kinds.get(one.file.split("/", 1)[1])
        if kind is not None and one.kind in ("sprite", "sheet", "animation"):
            sprites[kind] += 1
    return [
        "| files | there | taken for sprites |",
        "|---|---|---|",
        *(f"| {kind} | {count} | {sprites[kind]} |" for kind, count in sorted(there.items())),
    ]


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
