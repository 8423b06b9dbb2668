"""Parts of the report about likeness: doubles beside what they are doubles of, and groups."""

from __future__ import annotations

import html
from collections import defaultdict
from collections.abc import Iterable, Sequence

from .model import Record
from .strips import many, one_in, strip

MOST_PAIRS = 180
"""Doubles shown of each kind."""
MOST_GROUPS = 150
_MOST_MEMBERS = 64
_KINDS = {
    "near": "nearly equal",
    "recoloured": "equal but for an exchange of colours",
    "mirrored": "equal when mirrored",
    "equal": "equal, wherever they lie on their canvas",
}
"""In the order in which a person should look at them: the least sure first."""


def of_doubles(records: Sequence[Record]) -> Iterable[str]:
    """Pairs, kind by kind."""
    kinds: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        if record.double_of >= 0:
            kinds[record.double_kind.split(" ")[0]].append(record)
    yield "<h2 id='doubles'>Doubles</h2>"
    yield "<p class='sub'>Left what stays, right its double.</p>" if kinds else "<p class='sub'>None were found.</p>"
    for kind, words in _KINDS.items():
        pairs = kinds[kind]
        if not pairs:
            continue
        step = max(1, -(-len(pairs) // MOST_PAIRS))
        what = "dropped" if pairs[0].dropped else "kept, in the same group"
        yield f"<h3>{words}: {len(pairs):,d}, {what}{one_in(step)}</h3><div class='cards'>"
        for record in pairs[::step]:
            first = records[record.double_of]
            far = record.double_kind.partition(" ")[2].strip("()").replace("0.0%", "under 0.1%")
            yield (
                f"<div class='card'><div class='two'>{strip([first.piece.pixels, record.piece.pixels])}</div>"
                f"{html.escape(_where(first))}<br><span class='bad'>{html.escape(_where(record))}</span>"
                f"{f' {far} of its cells differ' if far else ''}</div>"
            )
        yield "</div>"


def _where(record: Record) -> str:
    return f"{record.file} #{record.number + 1}"


def of_groups(records: Sequence[Record]) -> Iterable[str]:
    """Groups of several pictures, the largest first, and those of one in numbers."""
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        if not record.dropped:
            groups[record.group].append(record)
    several = sorted((name for name, one in groups.items() if len(one) > 1), key=lambda n: (-len(groups[n]), n))
    alone = len(groups) - len(several)
    step = max(1, -(-len(several) // MOST_GROUPS))
    yield f"<h2 id='groups'>Groups: {len(several):,d} of several pictures, {alone:,d} of one</h2>"
    yield f"<p class='sub'>What is one thing, or nearly so, never stands in two splits{one_in(step, 'group')}.</p>"
    for name in several[::step]:
        members = groups[name]
        more = (
            f"<div class='sub'>and {len(members) - _MOST_MEMBERS:,d} more</div>" if len(members) > _MOST_MEMBERS else ""
        )
        title = f"{many(len(members), 'picture')} in {members[0].split}"
        yield (
            f"<div class='file'><div><span class='name'>{html.escape(title)}</span>"
            f"<div class='sub'>{_files_of(members)}<br>{html.escape(name)}</div></div>"
            f"<div>{strip([record.piece.pixels for record in members[:_MOST_MEMBERS]])}{more}</div></div>"
        )


def _files_of(members: Sequence[Record]) -> str:
    files = sorted({record.file for record in members})
    rest = f" and {len(files) - 1:,d} more" if len(files) > 1 else ""
    return f"{html.escape(files[0])}{rest}"
