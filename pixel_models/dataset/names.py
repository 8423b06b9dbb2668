"""Names that do not collide: of pictures that differ in their ending alone, and of members of foreign files."""

from __future__ import annotations

from pathlib import PurePosixPath

from ..spritefiles import safe_name


def free_name(name: str, taken: set[str]) -> str:
    """The name, or the first `name_2`, `name_3` … that is not taken; small and capital letters are one.

    Args:
        name: what is wished.
        taken: the names so far, case-folded; the result is added.
    """
    free, number = name, 1
    while free.casefold() in taken:
        number += 1
        free = f"{name}_{number}"
    taken.add(free.casefold())
    return free


def told_apart(names: list[str]) -> dict[str, str]:
    """Give the files of one folder names without their endings.

    Args:
        names: file names, sorted.

    Returns:
        By file name the stem; where files share it, the ending is joined by "_": `a.png`, `a.jpg` become `a_png`,
        `a_jpg`.
    """
    stems = [PurePosixPath(name).stem for name in names]
    count: dict[str, int] = {}
    for stem in stems:
        count[stem.casefold()] = count.get(stem.casefold(), 0) + 1
    taken = {key for key, number in count.items() if number == 1}
    made: dict[str, str] = {}
    for name, stem in zip(names, stems, strict=True):
        if count[stem.casefold()] == 1:
            made[name] = stem
        else:
            made[name] = free_name(f"{stem}_{PurePosixPath(name).suffix[1:].lower()}", taken)
    return made


def inner_key(name: str) -> str:
    """A foreign file's name for a picture as a path that stays inside the folder it is put in."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return "/".join(safe_name(part) for part in parts) or "picture"
