"""`python -m train.prepare.measure ZIP … --work FOLDER`: how much of a known mess `--find` brings back."""

from __future__ import annotations

import argparse
import shutil
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .command import parser as prepare_parser
from .entities import measure_entities
from .finding import find
from .forms import form_of
from .looking import Job
from .mess import crop, make_mess, read_pool
from .model import Pixels, Record
from .processes import look
from .strangers import put_sprites, put_strangers, taken

_CLOSE = 12
"""Mean of a sprite's largest channel errors, levels, up to which it came back close."""
_OUTLINE = 0.02
"""Share of its box where opaque and transparent may be exchanged in one that is close."""


def measure(archives: Sequence[Path], work: Path, *, count: int, seed: int, workers: int) -> None:
    """Make a mess, find what is in it, and print what came back."""
    rng = np.random.default_rng(seed)
    shutil.rmtree(work / "mess", ignore_errors=True)
    mess = make_mess(work / "mess", read_pool(archives, rng), rng, count)
    options = prepare_parser().parse_args(
        [str(work / "mess"), "-o", str(work / "set"), "--find", "sprites", "--workers", str(workers)]
    )
    _, records, _ = find(options, {}, work / "unpacked")
    by_file: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_file[record.file].append(record)
    wanted, exact, close, extra = (Counter[str]() for _ in range(4))
    for name, kind, sprites in mess.wanted:
        made = [record.piece.pixels for record in by_file[f"mess/{name}"]]
        keys = {form_of(pixels).same for pixels in made}
        crops = [crop(pixels) for pixels in made]
        wanted[kind] += len(sprites)
        exact[kind] += sum(form_of(sprite).same in keys for sprite in sprites)
        close[kind] += sum(any(is_close(sprite, one) for one in crops) for sprite in sprites)
        extra[kind] += max(0, len({form_of(pixels).same for pixels in made}) - len(sprites))
    lines = ["| in the folder | sprites | exactly back | nearly | pieces too many |", "|---|---|---|---|---|"]
    lines += [
        f"| {kind} | {n} | {exact[kind] / n:.1%} | {close[kind] / n:.1%} | {extra[kind]} |"
        for kind, n in wanted.items()
    ]
    found, all_of = Counter[str](), Counter[str]()
    ours = {f"mess/{name}": how for name, how in mess.doubles}
    marked = {record.file for record in records if record.double_of >= 0}
    marked |= {records[record.double_of].file for record in records if record.double_of >= 0}
    for file, how in ours.items():
        all_of[how] += 1
        found[how] += file in marked
    lines += ["", "| double | put there | found |", "|---|---|---|"]
    lines += [f"| {how} | {all_of[how]} | {found[how]} |" for how in all_of]
    others = Counter(
        record.double_kind.split(" ")[0]
        for record in records
        if record.dropped and not record.file.startswith(("mess/more/", "mess/moving/"))
        and not records[record.double_of].file.startswith("mess/more/")
    )  # fmt: skip
    lines += ["", f"dropped as doubles though nobody put them there: {dict(others) or 'none'}"]
    print("\n".join(lines))  # noqa: T201  a command's own output


def measure_strangers(
    archives: Sequence[Path], strangers: Sequence[Path], work: Path, *, count: int, seed: int, workers: int
) -> None:
    """Put pictures of all kinds into one folder, and print which are taken for sprites."""
    rng = np.random.default_rng(seed)
    folder = work / "strangers"
    shutil.rmtree(folder, ignore_errors=True)
    kinds = put_strangers(folder, strangers, count, rng) | put_sprites(folder, archives, count, rng)
    found = look([Job(file=f"all/{name}", path=str(folder / name)) for name in sorted(kinds)], workers)
    print("\n".join(["", *taken(found, kinds)]))  # noqa: T201  a command's own output


def is_close(one: Pixels, other: Pixels) -> bool:
    """Whether two cropped sprites differ by little: the outline nearly equal, colours a few levels off."""
    if one.shape != other.shape:
        return False
    seen = one[..., 3] >= 128
    if float((seen != (other[..., 3] >= 128)).mean()) > _OUTLINE:
        return False
    errors = np.abs(one[seen][:, :3].astype(int) - other[seen][:, :3].astype(int)).max(axis=1)
    return float(errors.mean()) < _CLOSE


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    command = argparse.ArgumentParser(prog="python -m train.prepare.measure", description=measure.__doc__)
    command.add_argument("archives", nargs="+", type=Path, metavar="ZIP", help="sprites, with a manifest of doubles")
    command.add_argument("--work", type=Path, required=True, help="folder for the mess; earlier ones in it go")
    command.add_argument("--count", type=int, default=12, help="files of each kind (default 12)")
    command.add_argument("--strangers", nargs="*", default=[], type=Path, metavar="SOURCE", help="what is no pixel art")
    command.add_argument("--each", type=int, default=200, help="of each folder of these, and each tier (default 200)")
    command.add_argument("--entities", type=int, default=0, help="sprites of each archive to find doubles among")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--workers", type=int, default=2)
    given = command.parse_args(argv)
    if given.count:
        measure(given.archives, given.work, count=given.count, seed=given.seed, workers=given.workers)
    if given.entities:
        lines = measure_entities(
            given.archives, given.work, count=given.entities, seed=given.seed, workers=given.workers
        )
        print("\n".join(["", *lines]))  # noqa: T201  a command's own output
    if given.strangers:
        measure_strangers(
            given.archives, given.strangers, given.work, count=given.each, seed=given.seed, workers=given.workers
        )


if __name__ == "__main__":
    main()
