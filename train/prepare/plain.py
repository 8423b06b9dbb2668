"""Pictures as they are, with or without a manifest, in a folder or a zip: every readable one once, as RGBA PNG."""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from PIL import Image
from tqdm import tqdm

from .. import pokedex

PICTURES = {".png", ".webp", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff"}
SPLITS: tuple[str, ...] = ("train", "val", "test")
COLUMNS: tuple[str, ...] = (
    "path", "split", "group_id", "licence", "author", "source", "category", "label", "weight", "sha256",
)  # fmt: skip


@dataclass(frozen=True)
class Source:
    """A folder or a zip: names inside it, and how to read one."""

    names: tuple[str, ...]
    read: Callable[[str], bytes]


def open_source(path: Path) -> Source:
    """Open a folder or a zip file of pictures.

    Raises:
        FileNotFoundError: there is neither at `path`.
    """
    if path.is_dir():
        names = sorted(p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file())
        return Source(tuple(names), lambda name: (path / name).read_bytes())
    if zipfile.is_zipfile(path):
        archive = zipfile.ZipFile(path)
        return Source(tuple(sorted(archive.namelist())), archive.read)
    msg = f"{path}: expected a folder or a zip of pictures, found neither"
    raise FileNotFoundError(msg)


def split_of(group: str) -> str:
    """A split that depends on the group's name alone: 90 % train, 5 % val, 5 % test."""
    place = int(hashlib.sha256(group.encode()).hexdigest()[:8], 16) % 100
    return "train" if place < 90 else "val" if place < 95 else "test"


def rows_of(source: Source) -> Iterator[dict[str, str]]:
    """Rows of every `manifest.csv`, or one row a picture where there is none; `path` is inside the source."""
    manifests = [name for name in source.names if PurePosixPath(name).name == "manifest.csv"]
    for manifest in manifests:
        base = PurePosixPath(manifest).parent
        for row in csv.DictReader(io.StringIO(source.read(manifest).decode("utf-8"))):
            yield {**row, "path": (base / row["path"]).as_posix()}
    if not manifests:
        for name in source.names:
            if PurePosixPath(name).suffix.lower() in PICTURES:
                yield {"path": name, "group_id": name}


def pokedex_rows(source: Source, tables: Path | None) -> Iterator[dict[str, str]]:
    """Rows of sprites named by Pokédex number; `tables` is a folder of PokeAPI's."""
    names = [name for name in source.names if PurePosixPath(name).suffix.lower() in PICTURES]
    return pokedex.sprite_rows(names, pokedex.read_tables(tables) if tables else pokedex.Pokedex())


def wanted(row: dict[str, str], options: argparse.Namespace) -> bool:
    """Whether a manifest row passes the filters; a row without the column passes."""
    licence = row.get("licence", "").lower()
    if any(word.lower() in licence for word in options.exclude_licence):
        return False
    if options.tier and row.get("tier") and int(row["tier"]) not in options.tier:
        return False
    if "duplicate" in row.get("flags", ""):
        return False
    return not (row.get("kind") and options.kind and row["kind"] not in options.kind)


def begin(out: Path) -> Path:
    """The folder beside `out` in which a set is made; what a killed run left there is gone, what it moved is back.

    Raises:
        FileExistsError: `out` holds something that is no training set of ours.
    """
    before = out.with_name(out.name + ".before")
    if before.exists() and not out.exists():
        before.rename(out)
    if out.exists() and any(out.iterdir()) and not (out / "manifest.csv").exists():
        msg = f"{out} exists and is no training set; give an empty folder or a new name"
        raise FileExistsError(msg)
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    return partial


def put_in_place(partial: Path, out: Path) -> None:
    """Give a whole set its name; the set that had it goes only then."""
    before = out.with_name(out.name + ".before")
    shutil.rmtree(before, ignore_errors=True)
    if out.exists():
        out.rename(before)
    partial.rename(out)
    shutil.rmtree(before, ignore_errors=True)


def prepare(options: argparse.Namespace) -> dict[str, int]:
    """Write the set beside `options.out` and put it in place when whole; returns pictures a split.

    Raises:
        FileExistsError: `options.out` holds something that is no training set of ours.
        ValueError: PokeAPI's tables for sprites of another layout.
    """
    out: Path = options.out
    numbered = options.layout == "pokedex"
    if options.pokeapi and not numbered:
        msg = f"--pokeapi is of use with --layout pokedex alone, got {options.layout}; add it, or leave --pokeapi out"
        raise ValueError(msg)
    columns = (*COLUMNS, *pokedex.COLUMNS) if numbered else COLUMNS
    partial = begin(out)
    counts = dict.fromkeys((*SPLITS, "skipped"), 0)
    seen: set[str] = set()
    written: list[dict[str, str]] = []
    for path in options.sources:
        source = open_source(path)
        rows = list(pokedex_rows(source, options.pokeapi) if numbered else rows_of(source))
        for row in tqdm(rows, desc=path.name, unit="picture", file=sys.stderr):
            digest = ""
            if wanted(row, options):
                digest = _copy(source, row, partial, seen, options.max_side)
            if not digest:
                counts["skipped"] += 1
                continue
            split = _split(row)
            counts[split] += 1
            weight = (0.35 if row.get("generated") == "1" else 1.0) * (0.3 if row.get("tier") == "3" else 1.0)
            known = {key: row.get(key, "") for key in columns}
            label = row.get("cls") or row.get("kind") or row.get("label", "")
            target = _target(row)
            written.append(
                {
                    **known,
                    "path": f"{split}/{target}",
                    "split": split,
                    "label": label,
                    "weight": f"{weight:g}",
                    "sha256": digest,
                }
            )
    if not written:
        msg = f"no picture in {[str(p) for p in options.sources]} passed the filters"
        raise FileNotFoundError(msg)
    with (partial / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, columns)
        table.writeheader()
        table.writerows(written)
    put_in_place(partial, out)
    return counts


def _split(row: dict[str, str]) -> str:
    given = row.get("split", "")
    return given if given in SPLITS else split_of(row.get("group_id") or row["path"])


def _target(row: dict[str, str]) -> str:
    return PurePosixPath(row["path"]).with_suffix(".png").as_posix().replace("/", "__")


def _copy(source: Source, row: dict[str, str], folder: Path, seen: set[str], max_side: int) -> str:
    """Write one picture as a plain RGBA PNG; returns its hash, or "" for a double or an unreadable file."""
    try:
        with Image.open(io.BytesIO(source.read(row["path"]))) as picture:
            rgba = picture.convert("RGBA")
    except (OSError, ValueError, KeyError, Image.DecompressionBombError) as error:
        print(f"skipped {row['path']}: {error}", file=sys.stderr)  # noqa: T201  a command's own output
        return ""
    if max_side and max(rgba.size) > max_side:
        return ""
    digest = hashlib.sha256(repr(rgba.size).encode() + rgba.tobytes()).hexdigest()
    if digest in seen:
        return ""
    seen.add(digest)
    target = folder / _split(row) / _target(row)
    target.parent.mkdir(parents=True, exist_ok=True)
    rgba.save(target)
    return digest
