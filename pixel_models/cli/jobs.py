"""Which file is made from which: folders and patterns spelled out, outputs named."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import ImageError
from ..spritefiles import ART_SUFFIXES, MOVING_SUFFIXES, SAVE_SUFFIXES
from .files import count_art, is_art

_KEPT = {suffix: suffix for suffix in MOVING_SUFFIXES} | {".ase": ".aseprite"}
"""By an animation's ending, that of its output in a folder; the others become animated PNGs."""


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
    notes: list[str] = field(default_factory=list)
    """What to say before the work begins."""


def make_plan(inputs: Sequence[str], out: str, *, moving: bool = False) -> Plan:
    """Find the inputs, and name an output for each.

    Args:
        inputs: files, folders, and glob patterns (`**` for any depth).
        out: a file ending in .png when there is one input file; otherwise a folder.
        moving: animations stay animations: `out` may end in any of `SAVE_SUFFIXES`, and in a folder an animation keeps
            its ending.

    Returns:
        The files in a fixed order. Inputs that differ only in their ending get it into the names of their outputs,
        which is noted. Other inputs for one output, or an output that is an input, become problems.

    Raises:
        ImageError: nothing is found, or `out` does not fit the inputs.
    """
    plan = Plan()
    place = Path(out)
    found = [pair for given in inputs for pair in _find(given, place, plan)]
    if not found and not plan.problems:
        msg = f"no pictures in {', '.join(inputs)}; looked for {', '.join(ART_SUFFIXES)}"
        raise ImageError(msg)
    single = _is_file(out, place, SAVE_SUFFIXES if moving else (".png",))
    if single and (len(found) + len(plan.problems) > 1 or Path(inputs[0]).is_dir()):
        msg = f"{out} is a file, but there are {len(found)} inputs; give a folder as OUT"
        raise ImageError(msg)
    sources = {same_key(source) for source, _ in found}
    pairs = [
        (source, place if single else place / inside.with_suffix(_ending(source) if moving else ".png"))
        for source, inside in found
    ]
    targets: dict[str, Path] = {}
    for source, target in _told_apart(list(dict.fromkeys(pairs)), sources, plan):
        key = same_key(target)
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


def _told_apart(pairs: list[tuple[Path, Path]], sources: set[str], plan: Plan) -> list[tuple[Path, Path]]:
    """Inputs and outputs; where inputs of several endings would become one file, each with its ending in the name."""
    shared: dict[str, list[tuple[Path, Path]]] = {}
    for source, target in pairs:
        shared.setdefault(same_key(target), []).append((source, target))
    names = {pair: pair[1] for pair in pairs}
    for key, group in shared.items():
        endings = [source.suffix.lower().removeprefix(".") for source, _ in group]
        if len(group) == 1 or key in sources or "" in endings or len(set(endings)) < len(group):
            continue
        new = [
            target.with_name(f"{target.stem}_{ending}{target.suffix}")
            for (_, target), ending in zip(group, endings, strict=True)
        ]
        names |= dict(zip(group, new, strict=True))
        which = ", ".join(str(source) for source, _ in group)
        plan.notes.append(
            f"{which}: all would become {group[0][1]}; they become {', '.join(path.name for path in new)}"
        )
    return [(source, names[source, target]) for source, target in pairs]


def gather(inputs: Sequence[str], out: str) -> list[tuple[Path, str]]:
    """Find the inputs of a command that makes one thing of all of them.

    Args:
        inputs: files, folders, and patterns, in the order of the result; inside a folder or pattern, 2 is before 10.
        out: what is made; where it lies inside an input folder, it is left out.

    Returns:
        Each file once, and a name for it: its path inside what was given, without its ending, parts joined by "/".

    Raises:
        ImageError: nothing is found, or a folder cannot be listed.
    """
    plan = Plan()
    found: dict[str, tuple[Path, str]] = {}
    for given in inputs:
        pairs = sorted(_find(given, None, plan), key=lambda pair: _natural(pair[1]))
        for source, inside in pairs:
            if len(pairs) == 1 or same_key(source) != same_key(Path(out)):
                found.setdefault(same_key(source), (source, inside.with_suffix("").as_posix()))
    if plan.problems:
        raise ImageError(plan.problems[0])
    if not found:
        msg = f"no pictures in {', '.join(inputs)}; looked for {', '.join(ART_SUFFIXES)}"
        raise ImageError(msg)
    return list(found.values())


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sorts numbers in names by their value."""
    parts = re.split(r"(\d+)", path.as_posix().lower())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _ending(source: Path) -> str:
    """Of the output in a folder, of a command that keeps animations."""
    suffix = _KEPT.get(source.suffix.lower(), ".png")
    if suffix == ".png":
        return suffix
    try:
        return suffix if count_art(source) > 1 else ".png"
    except ImageError:  # reported when its turn comes
        return ".png"


def _is_file(out: str, place: Path, suffixes: tuple[str, ...]) -> bool:
    """Whether OUT names a file rather than a folder.

    Raises:
        ImageError: a file of another kind than `suffixes`.
    """
    if place.is_dir() or out.endswith(("/", os.sep)) or not place.suffix:
        return False
    if place.suffix.lower() in suffixes:
        return True
    if place.suffix.lower() in ART_SUFFIXES:
        kinds = "PNG files" if len(suffixes) == 1 else "lossless"
        msg = f"{out}: results are {kinds}, since others lose pixels; expected a name that ends in "
        raise ImageError(f"{msg}{' or '.join(suffixes)}, or a folder")
    return False


def _find(given: str, place: Path | None, plan: Plan) -> Iterator[tuple[Path, Path]]:
    """Every picture that an argument means, and its path inside OUT, whose own files are left out."""
    path = Path(given)
    if path.is_dir():
        yield from _walk(path, place, plan)
    elif path.exists() or not glob.has_magic(given):
        yield path, Path(path.name)  # a missing file is reported when its turn comes
    else:
        root = _fixed_part(path)
        matches = sorted(Path(match) for match in glob.glob(given, recursive=True))  # noqa: PTH207 - drives, "~", "**"
        files = [match for match in matches if match.is_file() and is_art(match)]
        if not files:
            msg = f"{given}: no picture matches this pattern"
            raise ImageError(msg)
        for match in files:
            if place is None or not _is_inside(match, place):
                yield match, match.relative_to(root)


def _walk(folder: Path, place: Path | None, plan: Plan) -> Iterator[tuple[Path, Path]]:
    out = None if place is None else same_key(place)
    if same_key(folder) == out:
        msg = f"{place}: OUT is the folder of the inputs; choose another, inside it if you like"
        raise ImageError(msg)

    def report(error: OSError) -> None:
        plan.problems.append(f"{error.filename}: cannot be listed ({error.strerror})")

    for here, folders, names in os.walk(folder, onerror=report):
        folders[:] = sorted(name for name in folders if same_key(Path(here) / name) != out)
        for name in sorted(names):
            path = Path(here) / name
            if not name.startswith(".") and is_art(path):
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
    return folder.is_dir() and Path(same_key(path)).is_relative_to(same_key(folder))


def same_key(path: Path) -> str:
    """Equal for two paths of one file."""
    return os.path.normcase(path.resolve())
