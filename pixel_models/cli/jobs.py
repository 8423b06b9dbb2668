"""Which file is made from which: folders and patterns spelled out, outputs named, finished ones recognized."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import ImageError
from ..image import READ_SUFFIXES

NOTE = "pixel-kiln"
"""Keyword under which a file notes how it was made."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"


@dataclass(frozen=True)
class Job:
    """One file to make."""

    source: Path
    target: Path


@dataclass
class Plan:
    """All files to make, and those that cannot be."""

    jobs: list[Job] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def make_plan(inputs: list[str], out: str) -> Plan:
    """Find the inputs, and name an output for each.

    Args:
        inputs: files, folders, and glob patterns (`**` for any depth).
        out: a file ending in .png when there is one input file; otherwise a folder.

    Returns:
        The files in a fixed order. Two inputs for one output, or an output that is an input, become problems.

    Raises:
        ImageError: nothing is found, or `out` does not fit the inputs.
    """
    plan = Plan()
    place = Path(out)
    found = [pair for given in inputs for pair in _find(given, place, plan)]
    if not found and not plan.problems:
        msg = f"no pictures in {', '.join(inputs)}; looked for {', '.join(READ_SUFFIXES)}"
        raise ImageError(msg)
    single = _is_file(out, place)
    if single and (len(found) + len(plan.problems) > 1 or Path(inputs[0]).is_dir()):
        msg = f"{out} is a file, but there are {len(found)} inputs; give a folder as OUT"
        raise ImageError(msg)
    targets: dict[str, Path] = {}
    sources = {_key(source) for source, _ in found}
    for source, inside in found:
        target = place if single else place / inside.with_suffix(".png")
        key = _key(target)
        if targets.get(key) == source:
            continue  # the same file was named twice
        if key in targets:
            plan.problems.append(f"{source}: {target} is made from {targets[key]} already; rename one of the two")
        elif key in sources:
            plan.problems.append(f"{source}: its output {target} is an input too; choose another OUT")
        else:
            targets[key] = source
            plan.jobs.append(Job(source, target))
    return plan


def is_done(job: Job, note: str) -> bool:
    """Whether the output is there, complete, newer than its source, and made in the way that `note` tells.

    Raises:
        ImageError: a file stands there that this program did not make.
    """
    if not job.target.is_file():
        return False
    with job.target.open("rb") as file:
        head = file.read(len(_SIGNATURE))
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - len(_END)))
        complete = head == _SIGNATURE and file.read() == _END
    if not complete and (head == _SIGNATURE or size == 0):
        return False
    found = _read_note(job.target) if complete else None
    if found is None:
        msg = f"{job.target}: is there already and was not made by pixel-kiln; give --overwrite to replace it"
        raise ImageError(msg)
    return found == note and job.target.stat().st_mtime >= job.source.stat().st_mtime


def _read_note(path: Path) -> str | None:
    from PIL import Image

    try:
        with Image.open(path) as image:
            note = image.info.get(NOTE)
    except (OSError, SyntaxError, ValueError):
        return None
    return str(note) if note is not None else None


def _is_file(out: str, place: Path) -> bool:
    """Whether OUT names a file rather than a folder.

    Raises:
        ImageError: a file of another kind than PNG.
    """
    if place.is_dir() or out.endswith(("/", os.sep)) or not place.suffix:
        return False
    if place.suffix.lower() == ".png":
        return True
    if place.suffix.lower() in READ_SUFFIXES:
        msg = f"{out}: results are PNG files, since others lose pixels; expected a name that ends in .png, or a folder"
        raise ImageError(msg)
    return False


def _find(given: str, place: Path, plan: Plan) -> Iterator[tuple[Path, Path]]:
    """Every picture that an argument means, and its path inside OUT."""
    path = Path(given)
    if path.is_dir():
        yield from _walk(path, place, plan)
    elif path.exists() or not glob.has_magic(given):
        yield path, Path(path.name)  # a missing file is reported when its turn comes
    else:
        root = _fixed_part(path)
        matches = sorted(Path(match) for match in glob.glob(given, recursive=True))  # noqa: PTH207 - drives, "~", "**"
        files = [match for match in matches if match.suffix.lower() in READ_SUFFIXES and match.is_file()]
        if not files:
            msg = f"{given}: no picture matches this pattern"
            raise ImageError(msg)
        for match in files:
            if not _is_inside(match, place):
                yield match, match.relative_to(root)


def _walk(folder: Path, place: Path, plan: Plan) -> Iterator[tuple[Path, Path]]:
    if _key(folder) == _key(place):
        msg = f"{place}: OUT is the folder of the inputs; choose another, inside it if you like"
        raise ImageError(msg)

    def report(error: OSError) -> None:
        plan.problems.append(f"{error.filename}: cannot be listed ({error.strerror})")

    for here, folders, names in os.walk(folder, onerror=report):
        folders[:] = sorted(name for name in folders if _key(Path(here) / name) != _key(place))
        for name in sorted(names):
            path = Path(here) / name
            if path.suffix.lower() in READ_SUFFIXES and not name.startswith("."):
                yield path, path.relative_to(folder)


def _fixed_part(pattern: Path) -> Path:
    """The folders before the first wildcard: what is below them is kept in OUT."""
    parts: list[str] = []
    for part in pattern.parts[:-1]:
        if glob.has_magic(part):
            break
        parts.append(part)
    return Path(*parts)


def _is_inside(path: Path, folder: Path) -> bool:
    return folder.is_dir() and Path(_key(path)).is_relative_to(_key(folder))


def _key(path: Path) -> str:
    return os.path.normcase(path.resolve())
