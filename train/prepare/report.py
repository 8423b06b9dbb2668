"""The picture report of a set: one page with all its pictures inside, of what was found, dropped, grouped, refused."""

from __future__ import annotations

import html
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from .model import Found, Record
from .plain import SPLITS
from .strips import picture, strip

MOST_FILES = 600
"""Files that are shown with pictures; of more, every so many-eth."""
MOST_PAIRS = 240
"""Doubles shown of each kind."""
MOST_GROUPS = 200
_PARTS = ("files", "doubles", "groups", "refused")
_MOST_REFUSED = 1000
_MOST_FRAMES = 96

_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:1180px;padding:0 1em;background:#fbfbf8;color:#222}
h1{font-size:1.5em}h2{font-size:1.2em;margin-top:2em;border-bottom:1px solid #ccc}
table{border-collapse:collapse}td,th{padding:.25em .9em .25em 0;text-align:left;vertical-align:top}
img{image-rendering:pixelated;background:repeating-conic-gradient(#d4d4d8 0 25%,#ececf0 0 50%) 0 0/12px 12px}
.file{display:grid;grid-template-columns:232px 1fr;gap:1em;padding:.7em 0;border-top:1px solid #e4e4e0}
.file>div:first-child img{image-rendering:auto;max-width:224px}
.sub{color:#555;font-size:.9em}.name{font-weight:600;overflow-wrap:anywhere}
.pairs{display:flex;flex-wrap:wrap;gap:1em}
.pair{border:1px solid #e0e0da;padding:.4em;background:#fff;font-size:.8em;max-width:230px;overflow-wrap:anywhere}
.bad{color:#a02020}nav a{margin-right:1em}
"""


def write_report(path: Path, found: Sequence[Found], records: Sequence[Record], moved: int) -> None:
    """Write the page; it needs no other file and no network.

    Args:
        path: of the page.
        found: all files, in order.
        records: all pieces, with what became of each.
        moved: how many had to leave `val` or `test`, since they turned out to be of a group in `train`.
    """
    by_file: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_file[record.file].append(record)
    used = [one for one in found if one.pieces]
    refused = [one for one in found if not one.pieces]
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>What became of the pictures</title>",
        f"<style>{_STYLE}</style><h1>What became of the pictures</h1>",
        f"<nav>{''.join(f'<a href=#{one}>{one.title()}</a>' for one in _PARTS)}</nav>",
        *_summary(found, used, records, moved),
        *_files(used, by_file),
        *_doubles(records),
        *_groups(records),
        *_refused(refused, used),
        "</html>\n",
    ]
    path.write_text("\n".join(parts), encoding="utf-8")


def _summary(found: Sequence[Found], used: Sequence[Found], records: Sequence[Record], moved: int) -> Iterable[str]:
    kept = [record for record in records if not record.dropped]
    kinds = Counter(one.kind for one in used)
    dropped = Counter(r.double_kind.split(" ")[0] for r in records if r.dropped)
    enlarged = sum(one.cell > 1 for one in used)
    yield (
        f"<p><b>{len(found)}</b> files: {_list(kinds)}; {len(found) - len(used)} refused or set aside. "
        f"{enlarged} were enlarged and are at native size now.</p>"
        f"<p><b>{len(records)}</b> pieces in them, <b>{len(kept)}</b> of them in the set; "
        f"doubles that were dropped: {_list(dropped) or 'none'}.</p>"
    )
    if moved:
        yield (
            f"<p class='bad'>{moved} pictures of an earlier set left val or test for train: "
            "they turned out to be of one group with pictures that were trained on.</p>"
        )
    yield "<table><tr><th>split<th>pictures<th>groups</tr>"
    for split in SPLITS:
        inside = [record for record in kept if record.split == split]
        yield f"<tr><td>{split}<td>{len(inside)}<td>{len({record.group for record in inside})}</tr>"
    yield "</table><table>"
    sizes = Counter(f"{r.piece.pixels.shape[1]}x{r.piece.pixels.shape[0]}" for r in kept)
    for title, counts in (
        ("sizes", sizes),
        ("labels", Counter(r.label or "(none)" for r in kept)),
        ("licences", Counter(r.licence or "(not said)" for r in kept)),
        ("authors", Counter(r.author or "(not said)" for r in kept)),
    ):
        yield f"<tr><th>{title}<td>{_list(counts, 12)}</tr>"
    yield "</table>"


def _list(counts: Counter[str], most: int = 20) -> str:
    shown = [f"{html.escape(name)} {count}" for name, count in counts.most_common(most)]
    more = len(counts) - most
    return ", ".join([*shown, f"and {more} more"] if more > 0 else shown)


def _files(used: Sequence[Found], by_file: dict[str, list[Record]]) -> Iterable[str]:
    step = max(1, -(-len(used) // MOST_FILES))
    yield f"<h2 id='files'>Files{f' (every {step}th shown)' if step > 1 else ''}</h2>"
    yield "<p class='sub'>Left the file, right its pieces at native size; crossed out: dropped as doubles.</p>"
    for one in used[::step]:
        pieces = by_file[one.file]
        shown = strip([r.piece.pixels for r in pieces[:_MOST_FRAMES]], [r.dropped for r in pieces[:_MOST_FRAMES]])
        first = pieces[0] if pieces else None
        about = [] if first is None else [first.label, first.author, first.licence]
        yield (
            f"<div class='file'><div>{picture(one.thumb)}</div><div>{_name(one.file)}"
            f"<div class='sub'>{one.kind}: {html.escape(one.what)}</div>"
            f"<div class='sub'>{html.escape(' · '.join(word for word in about if word))}</div>{shown}"
            f"{_more(len(pieces) - _MOST_FRAMES)}{_left_out(one)}</div></div>"
        )


def _name(file: str) -> str:
    return f"<div class='name'>{html.escape(file)}</div>"


def _more(count: int) -> str:
    return f"<div class='sub'>and {count} more</div>" if count > 0 else ""


def _left_out(one: Found) -> str:
    if not one.left_out:
        return ""
    shown = "; ".join(html.escape(text) for text in one.left_out[:4])
    return f"<div class='sub bad'>{len(one.left_out)} left out: {shown}{' …' if len(one.left_out) > 4 else ''}</div>"


def _doubles(records: Sequence[Record]) -> Iterable[str]:
    kinds: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        if record.double_of >= 0:
            kinds[record.double_kind.split(" ")[0]].append(record)
    yield "<h2 id='doubles'>Doubles</h2><p class='sub'>Left what stays, right its double.</p>"
    for kind in ("near", "recoloured", "mirrored", "equal"):
        pairs = kinds[kind]
        if not pairs:
            continue
        step = max(1, -(-len(pairs) // MOST_PAIRS))
        what = "dropped" if pairs[0].dropped else "kept, in the same group"
        yield f"<h3>{kind}: {len(pairs)}, {what}{f', every {step}th shown' if step > 1 else ''}</h3><div class='pairs'>"
        for record in pairs[::step]:
            first = records[record.double_of]
            yield (
                f"<div class='pair'>{strip([first.piece.pixels, record.piece.pixels])}<br>{html.escape(_where(first))}"
                f"<br><span class='bad'>{html.escape(_where(record))}</span> {html.escape(record.double_kind)}</div>"
            )
        yield "</div>"


def _where(record: Record) -> str:
    return f"{record.file} #{record.number}"


def _groups(records: Sequence[Record]) -> Iterable[str]:
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        if not record.dropped:
            groups[record.group].append(record)
    several = sorted((name for name, one in groups.items() if len(one) > 1), key=lambda n: (-len(groups[n]), n))
    yield f"<h2 id='groups'>Groups: {len(groups)}, {len(several)} of more than one picture</h2>"
    yield "<p class='sub'>What is one thing or nearly so never stands in two splits.</p>"
    step = max(1, -(-len(several) // MOST_GROUPS))
    for name in several[::step]:
        members = groups[name]
        shown = strip([record.piece.pixels for record in members[:_MOST_FRAMES]])
        yield (
            f"<div class='file'><div><span class='name'>{html.escape(name)}</span><div class='sub'>{members[0].split}, "
            f"{len(members)} pictures, {_files_of(members)}</div></div><div>{shown}"
            f"{_more(len(members) - _MOST_FRAMES)}</div></div>"
        )


def _files_of(members: Sequence[Record]) -> str:
    count = len({record.file for record in members})
    return f"{count} file{'s' if count > 1 else ''}"


def _refused(refused: Sequence[Found], used: Sequence[Found]) -> Iterable[str]:
    out = sum(len(one.left_out) for one in used)
    yield f"<h2 id='refused'>Refused and set aside: {len(refused)} files, {out} pieces of others</h2>"
    for one in refused[:_MOST_REFUSED]:
        yield (
            f"<div class='file'><div>{picture(one.thumb)}</div><div>{_name(one.file)}"
            f"<div class='sub bad'>{html.escape(one.what)}</div></div></div>"
        )
    yield _more(len(refused) - _MOST_REFUSED)
