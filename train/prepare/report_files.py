"""Parts of the report about files: what was cut, brought to native size, or taken as it is; and what was set aside."""

from __future__ import annotations

import html
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from .model import Found, Record
from .strips import counted, many, one_in, picture, small_picture, strip

MOST_FILES = 300
"""Files of a kind that are shown with pictures; of more, one in so many."""
_MOST_FOLDERS = 120
_MOST_OTHERS = 96
"""Files set aside for one reason that are shown."""
_MOST_NAMES = 500
_MOST_FRAMES = 96


def of_files(used: Sequence[Found], by_file: dict[str, list[Record]]) -> Iterable[str]:
    """Every file beside its pieces; sprites that were taken as they are, folder by folder."""
    yield "<h2 id='files'>Files</h2><p class='sub'>Crossed out: dropped as doubles.</p>"
    kinds: dict[str, list[Found]] = defaultdict(list)
    for one in used:
        kinds["enlarged" if one.kind == "sprite" and one.cell > 1 else one.kind].append(one)
    for kind, title in (("sheet", "Sheets, cut"), ("animation", "Animations, frame by frame")):
        files = kinds[kind]
        if files:
            step = max(1, -(-len(files) // MOST_FILES))
            yield f"<h3>{title}: {len(files):,d}{one_in(step)}</h3>"
            for one in files[::step]:
                yield _row(one, by_file[one.file])
    if kinds["enlarged"]:
        step = max(1, -(-len(kinds["enlarged"]) // MOST_FILES))
        yield f"<h3>Enlarged sprites, at native size now: {len(kinds['enlarged']):,d}{one_in(step)}</h3>"
        yield "<p class='sub'>Left the file, right what is in the set.</p><div class='cards'>"
        for one in kinds["enlarged"][::step]:
            yield _card(one, by_file[one.file])
        yield "</div>"
    yield from _folders("Sprites, taken as they are", kinds["sprite"], by_file)
    yield from _folders("Smooth pictures", kinds["picture"], by_file)


def _row(one: Found, pieces: Sequence[Record]) -> str:
    shown = strip([r.piece.pixels for r in pieces[:_MOST_FRAMES]], [r.dropped for r in pieces[:_MOST_FRAMES]])
    return (
        f"<div class='file'><div class='before'>{picture(one.thumb)}</div><div>{_name(one.file)}"
        f"<div class='sub'>{html.escape(one.what)}</div><div class='sub'>{_about(pieces)}</div>{shown}"
        f"{_more(len(pieces) - _MOST_FRAMES)}{_left_out(one)}</div></div>"
    )


def _card(one: Found, pieces: Sequence[Record]) -> str:
    made = strip([r.piece.pixels for r in pieces], [r.dropped for r in pieces])
    return (
        f"<div class='card'><div class='two'><span class='before'>{small_picture(one.thumb)}</span>{made}</div>"
        f"{_name(one.file)}<span class='sub'>{html.escape(one.what)}</span></div>"
    )


def _folders(title: str, files: Sequence[Found], by_file: dict[str, list[Record]]) -> Iterable[str]:
    if not files:
        return
    folders: dict[str, list[Record]] = defaultdict(list)
    for one in files:
        folders[str(PurePosixPath(one.file).parent)].extend(by_file[one.file])
    step = max(1, -(-len(folders) // _MOST_FOLDERS))
    yield f"<h3>{title}: {len(files):,d} in {many(len(folders), 'folder')}{one_in(step, 'folder')}</h3>"
    for folder in sorted(folders)[::step]:
        pieces = folders[folder]
        part = max(1, -(-len(pieces) // _MOST_FRAMES))
        shown = strip([r.piece.pixels for r in pieces[::part]], [r.dropped for r in pieces[::part]])
        yield (
            f"<div class='file'><div>{_name(folder)}<div class='sub'>{many(len(pieces), 'picture')}{one_in(part)}</div>"
            f"<div class='sub'>{_about(pieces)}</div></div><div>{shown}</div></div>"
        )


def of_others(others: Sequence[Found], used: Sequence[Found]) -> Iterable[str]:
    """What is not in the set, reason by reason."""
    out = sum(len(one.left_out) for one in used)
    yield f"<h2 id='aside'>Set aside: {many(len(others), 'file')}, and {many(out, 'piece')} of others</h2>"
    reasons: dict[str, list[Found]] = defaultdict(list)
    for one in others:
        reasons[_reason(one.what)].append(one)
    for reason, files in sorted(reasons.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        step = max(1, -(-len(files) // _MOST_OTHERS))
        yield f"<h3>{html.escape(reason)}: {len(files):,d}{one_in(step)}</h3><div class='cards'>"
        for one in files[::step]:
            more = one.what.removesuffix(f": {reason}") if one.what != reason else ""
            more = f"<span class='sub'>{html.escape(more)}</span>"
            shown = f"<span class='before'>{small_picture(one.thumb)}</span>"
            yield f"<div class='card slim'>{shown}{_name(one.file)}{more}</div>"
        yield "</div>"
        if step > 1:
            names = ", ".join(html.escape(one.file) for one in files[:_MOST_NAMES])
            rest = f" and {len(files) - _MOST_NAMES} more" if len(files) > _MOST_NAMES else ""
            yield f"<details><summary>all their names</summary><p class='sub'>{names}{rest}</p></details>"


def _reason(what: str) -> str:
    """The sentence without the figures of one file: what stands before the first colon tells its size and grid."""
    return what.rsplit(": ", 1)[-1] if what[:1].isdigit() else what


def _about(pieces: Sequence[Record]) -> str:
    """Label, author and licence, each the commonest of these pieces."""
    parts = [Counter(getattr(r, key) for r in pieces) for key in ("label", "author", "licence")]
    return html.escape(" · ".join(name for part in parts for name, _ in part.most_common(1) if name))


def _name(file: str) -> str:
    return f"<div class='name'>{html.escape(file)}</div>"


def _more(count: int) -> str:
    return f"<div class='sub'>and {count:,d} more</div>" if count > 0 else ""


def _left_out(one: Found) -> str:
    if not one.left_out:
        return ""
    reasons = Counter(text.rsplit(": ", 1)[-1] for text in one.left_out)
    return f"<div class='sub bad'>left out: {counted(reasons, 4)}</div>"
