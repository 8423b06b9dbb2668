"""`--find`: from folders of anything to a set of sprites, or of smooth pictures, with a report of what was done."""

from __future__ import annotations

import argparse
import csv
import dataclasses
import hashlib
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from PIL import Image

from pixel_models.spritefiles.names import safe_name

from .doubles import DOUBLES, drop, mark_doubles
from .forms import form_of
from .gathering import gather
from .grouping import assign, group
from .looking import LARGEST, Job
from .model import Found, Record
from .plain import COLUMNS, SPLITS, begin, put_in_place
from .processes import look
from .report import write_report

MORE_COLUMNS: tuple[str, ...] = ("file", "frame", "tag", "box", "cell", "stands_for")
"""Appended to every set's columns: where it was found, and how many doubles it stands for."""


def prepare(options: argparse.Namespace) -> dict[str, int]:
    """Find what is in the sources, write the set beside `options.out`, and put it in place when whole.

    Returns:
        Pieces of each split, and how many doubles and refused files there were.

    Raises:
        FileExistsError: `options.out` holds something that is no training set of ours.
        FileNotFoundError: a source is missing, or nothing in them is of use; the set is then as it was.
    """
    out: Path = options.out
    known = read_known(out)
    partial = begin(out)
    try:
        found, records, moved = find(options, known, partial / "unpacked")
        kept = [record for record in records if not record.dropped]
        if not kept:
            msg = f"nothing in {[str(path) for path in options.sources]} is of use; {_why(found)}"
            raise FileNotFoundError(msg)
        _write(kept, records, {one.file: one for one in found}, partial)
        write_report(partial / "report.html", found, records, moved)
        shutil.rmtree(partial / "unpacked", ignore_errors=True)
        put_in_place(partial, out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    counts = Counter(record.split for record in kept)
    return {
        **{split: counts[split] for split in SPLITS},
        "doubles": len(records) - len(kept),
        "refused": sum(not one.pieces for one in found),
    }


def find(
    options: argparse.Namespace, known: dict[str, tuple[str, str]], unpacked: Path
) -> tuple[list[Found], list[Record], int]:
    """Everything but the writing: files, their pieces, and how many of these had to change splits."""
    gathered = [gather(path, unpacked / str(at)) for at, path in enumerate(options.sources)]
    jobs = [
        Job(
            file=f"{source.name}/{name}",
            path=path,
            beside=beside,
            pictures=options.find == "pictures",
            largest=options.max_side or LARGEST,
            clear=options.background == "auto",
        )
        for source in gathered
        for name, path, beside in source.files
    ]
    found = [*look(jobs, options.workers), *(one for source in gathered for one in source.refused)]
    said = {f"{source.name}/{name}": source.sidecars.of(name) for source in gathered for name, _, _ in source.files}
    found = sorted((_licensed(one, said, options) for one in found), key=lambda one: one.file)
    records = _records(found, said, options)
    forms = [form_of(record.piece.pixels) for record in records]
    if options.find == "sprites":
        mark_doubles(records, forms, known)
        drop(records, options.keep)
    else:
        _drop_equal(records, known)
    groups = group(records, forms, {one.file: one for one in found})
    return found, records, assign(records, forms, groups, known)


def _licensed(found: Found, said: dict[str, dict[str, str]], options: argparse.Namespace) -> Found:
    """The file, refused where its licence is unwanted."""
    licence = said.get(found.file, {}).get("licence") or options.licence
    unwanted = [word for word in options.exclude_licence if word.lower() in licence.lower()]
    if not found.pieces or not unwanted:
        return found
    return dataclasses.replace(found, kind="refused", what=f"its licence, {licence!r}, is left out", pieces=())


def read_known(out: Path) -> dict[str, tuple[str, str]]:
    """Group and split by SHA-256 of what a set that stands at `out` holds; a set of later additions keeps them."""
    manifest = out / "manifest.csv"
    if not manifest.is_file():
        return {}
    with manifest.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {
        row["sha256"]: (row["group_id"], row["split"])
        for row in rows
        if row.get("sha256") and row.get("group_id") and row.get("split") in SPLITS
    }


def _records(found: Sequence[Found], said: dict[str, dict[str, str]], options: argparse.Namespace) -> list[Record]:
    """A record for each piece, with what is said about its file."""
    made: list[Record] = []
    for one in found:
        known = said.get(one.file, {})
        for number, piece in enumerate(one.pieces):
            size = (piece.pixels.shape[1], piece.pixels.shape[0])
            made.append(
                Record(
                    piece=piece,
                    file=one.file,
                    number=number,
                    label=known.get("label") or options.label,
                    category=known.get("category", ""),
                    author=known.get("author") or options.author,
                    licence=known.get("licence") or options.licence,
                    source=known.get("source") or one.file.split("/", 1)[0],
                    sha256=hashlib.sha256(repr(size).encode() + piece.pixels.tobytes()).hexdigest(),
                )
            )
    return made


def _drop_equal(records: Sequence[Record], known: dict[str, tuple[str, str]]) -> None:
    first: dict[str, int] = {}
    for index in sorted(range(len(records)), key=lambda i: (records[i].sha256 not in known, i)):
        record = records[index]
        if record.sha256 in first:
            record.double_of, record.double_kind, record.dropped = first[record.sha256], "equal", True
        first.setdefault(record.sha256, index)


def _write(kept: Sequence[Record], records: Sequence[Record], files: dict[str, Found], folder: Path) -> None:
    stands = Counter(record.double_of for record in records if record.double_of >= 0)
    place = {id(record): index for index, record in enumerate(records)}
    many = Counter(record.file for record in records)
    taken: set[str] = set()
    for split in SPLITS:
        (folder / split).mkdir(parents=True, exist_ok=True)
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, (*COLUMNS, *MORE_COLUMNS))
        table.writeheader()
        for record in kept:
            record.path = _free(record, taken, several=many[record.file] > 1)
            Image.fromarray(record.piece.pixels).save(folder / record.path)
            table.writerow(
                {
                    "path": record.path,
                    "split": record.split,
                    "group_id": record.group,
                    "licence": record.licence,
                    "author": record.author,
                    "source": record.source,
                    "category": record.category,
                    "label": record.label,
                    "weight": "1",
                    "sha256": record.sha256,
                    "file": record.file,
                    "frame": record.piece.name or record.number,
                    "tag": record.piece.tag,
                    "box": " ".join(map(str, record.piece.box)) if any(record.piece.box) else "",
                    "cell": f"{files[record.file].cell:.4g}",
                    "stands_for": stands[place[id(record)]],
                }
            )


def _free(record: Record, taken: set[str], *, several: bool) -> str:
    """A path inside the set that no other record has, on no system."""
    path = PurePosixPath(record.file)
    stem = safe_name("__".join([*path.parts[1:-1], path.stem])[-90:])
    stem = f"{stem}_{record.number:04d}" if several else stem
    name, count = f"{record.split}/{stem}.png", 1
    while name.lower() in taken:
        count += 1
        name = f"{record.split}/{stem}~{count}.png"
    taken.add(name.lower())
    return name


def _why(found: Sequence[Found]) -> str:
    if not found:
        return "no file of a kind that is read was there"
    counts = Counter(one.what for one in found if not one.pieces)
    return "; ".join(f"{count} files: {what}" for what, count in counts.most_common(3)) or "all was left out by licence"


__all__ = ["DOUBLES", "MORE_COLUMNS", "find", "look", "prepare", "read_known"]
