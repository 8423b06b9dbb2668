"""Measures doubles and groups on sprites of which a manifest says which are one entity; the command is not told."""

from __future__ import annotations

import csv
import io
import itertools
import shutil
import zipfile
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from .command import parser as prepare_parser
from .finding import find
from .grouping import sequence_of
from .model import Found, Record

_SERIES = 8
"""Files of one name but for their number that are surely frames of one thing, and no series of things."""


def measure_entities(archives: Sequence[Path], work: Path, *, count: int, seed: int, workers: int) -> list[str]:
    """Lines of a table: what became of so many sprites of tiers 1 and 2 of each archive, a file each.

    Args:
        archives: zips with a manifest that has `group_id` and `tier`.
        work: their files go into a folder there.
        count: of each archive.
        seed: which.
        workers: processes.
    """
    shutil.rmtree(work / "real", ignore_errors=True)
    rng = np.random.default_rng(seed)
    entities: dict[str, str] = {}
    for archive in archives:
        entities |= _put(archive, work / "real", count, rng)
    options = prepare_parser().parse_args(
        [str(work / "real"), "-o", str(work / "set"), "--find", "sprites", "--workers", str(workers)]
    )
    found, records, _ = find(options, {}, work / "unpacked")
    return [*_table(found, records, entities)]


def _put(archive: Path, folder: Path, count: int, rng: np.random.Generator) -> dict[str, str]:
    entities: dict[str, str] = {}
    with zipfile.ZipFile(archive) as file:
        name = next(name for name in file.namelist() if name.endswith("manifest.csv"))
        rows = list(csv.DictReader(io.StringIO(file.read(name).decode())))
        rows = [row for row in rows if row["tier"] in ("1", "2")]
        for at in rng.permutation(len(rows))[:count].tolist():
            path = folder / rows[at]["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.read(name.removesuffix("manifest.csv") + rows[at]["path"]))
            entities[f"{folder.name}/{rows[at]['path']}"] = rows[at]["group_id"]
    return entities


def _table(found: Sequence[Found], records: Sequence[Record], entities: Mapping[str, str]) -> list[str]:
    kinds = Counter("set aside as smooth" if one.kind == "picture" else f"a {one.kind}" for one in found)
    lines = ["| of the files | |", "|---|---|", *(f"| {kind} | {count} |" for kind, count in kinds.most_common())]
    dropped, right = Counter[str](), Counter[str]()
    for record in records:
        if record.dropped:
            kind = record.double_kind.split(" ")[0]
            dropped[kind] += 1
            right[kind] += entities[record.file] == entities[records[record.double_of].file]
    lines += ["", "| doubles | dropped | of the same entity |", "|---|---|---|"]
    lines += [f"| {kind} | {count} | {right[kind]} |" for kind, count in dropped.most_common()]
    series: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        if not record.dropped:
            series[sequence_of(record.file)].append(record)
    pairs, joined = Counter[bool](), Counter[bool]()
    for members in series.values():
        if len(members) <= _SERIES:
            for one, other in itertools.combinations(members, 2):
                same = entities[one.file] == entities[other.file]
                pairs[same] += 1
                joined[same] += one.group == other.group
    lines += ["", "| pairs of a short numbered series | there | in one group |", "|---|---|---|"]
    for same, what in ((True, "of one entity"), (False, "of two")):
        lines.append(f"| {what} | {pairs[same]} | {joined[same]} |")
    return lines
