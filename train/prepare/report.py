"""The picture report of a set: one page, its pictures inside, of what was found, dropped, grouped, set aside."""

from __future__ import annotations

import html
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from .model import Found, Record
from .plain import SPLITS
from .report_files import of_files, of_others
from .report_pairs import of_doubles, of_groups
from .strips import counted, many, one_in, strip

_SHOWN = 120
"""Pictures of each split that are shown."""
_SUSPECT = 256
"""Pieces from which on a file is named as one to look at."""
_PARTS = {"set": "The set", "files": "Files", "doubles": "Doubles", "groups": "Groups", "aside": "Set aside"}

_STYLE = """
:root{color-scheme:light dark;--ink:#222;--soft:#5a5a60;--line:#dcdcd6;--page:#fbfbf8;--card:#fff;--bad:#a02020;
--warn:#fff3d0;--a:#b4b4bc;--b:#c6c6cc}
@media(prefers-color-scheme:dark){:root{--ink:#e6e6e2;--soft:#a4a4aa;--line:#3a3a40;--page:#17171a;--card:#212126;
--bad:#ff8a80;--warn:#3d3413;--a:#5c5c66;--b:#6a6a74}a{color:#8ab4f8}}
body{font:15px/1.45 system-ui,sans-serif;margin:1.5em auto;max-width:1180px;padding:0 1em;background:var(--page);
color:var(--ink)}
h1{font-size:1.5em;margin-bottom:.2em}h2{font-size:1.25em;margin-top:2em;border-bottom:1px solid var(--line)}
h3{font-size:1em;margin:1.6em 0 .4em}
table{border-collapse:collapse;margin:.6em 0}td,th{padding:.2em 1em .2em 0;text-align:left;vertical-align:top}
td.n{text-align:right;font-variant-numeric:tabular-nums}
img{image-rendering:pixelated;max-width:100%;height:auto;vertical-align:top;
background:repeating-conic-gradient(var(--a) 0 25%,var(--b) 0 50%) 0 0/12px 12px}
.file{display:grid;grid-template-columns:232px minmax(0,1fr);gap:1em;padding:.7em 0;border-top:1px solid var(--line)}
.file,.card{content-visibility:auto;contain-intrinsic-size:auto 160px}
.before img{image-rendering:auto;max-height:224px;width:auto}
.sub{color:var(--soft);font-size:.9em;overflow-wrap:anywhere}.name{font-weight:600;overflow-wrap:anywhere}
.cards{display:flex;flex-wrap:wrap;gap:.7em}
.card{border:1px solid var(--line);border-radius:4px;padding:.5em;background:var(--card);font-size:.8em;width:214px;
overflow-wrap:anywhere;box-sizing:border-box}
.card.slim{width:128px}.card .before img{max-height:96px}
.two{display:flex;gap:.6em;flex-wrap:wrap;align-items:end;margin-bottom:.3em}
.bad{color:var(--bad)}.warn{background:var(--warn);padding:.6em 1em;border-radius:4px}
.warn ul{margin:.3em 0;padding-left:1.2em}
nav a{margin-right:1em;white-space:nowrap}
@media(max-width:640px){.file{grid-template-columns:minmax(0,1fr);gap:.4em}.card{width:calc(50% - .5em)}
.card.slim{width:calc(33% - .65em)}td,th{padding-right:.6em}}
"""


def write_report(path: Path, found: Sequence[Found], records: Sequence[Record], moved: int) -> None:
    """Write the page; it needs no other file, no script, and no network.

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
    others = [one for one in found if not one.pieces]
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'><meta name='viewport' content='width=device-width'>",
        f"<title>What became of the pictures</title><style>{_STYLE}</style><h1>What became of the pictures</h1>",
        f"<nav>{' '.join(f'<a href=#{key}>{title}</a>' for key, title in _PARTS.items())}</nav>",
        *_flow(found, used, records),
        *_warnings(used, records, moved),
        *_set(records),
        *of_files(used, by_file),
        *of_doubles(records),
        *of_groups(records),
        *of_others(others, used),
        "</html>\n",
    ]
    path.write_text("\n".join(parts), encoding="utf-8")


def _flow(found: Sequence[Found], used: Sequence[Found], records: Sequence[Record]) -> Iterable[str]:
    """From files to the set, in numbers."""
    kinds = Counter(one.kind for one in used)
    smooth = sum(one.kind == "picture" and not one.pieces for one in found)
    refused = len(found) - len(used) - smooth
    dropped = Counter(r.double_kind.split(" ")[0] for r in records if r.dropped)
    steps = [
        (len(found), "files looked into", ""),
        (-smooth, "set aside", "smooth drawings or photos") if smooth else None,
        (-refused, "refused", "for the reasons below") if refused else None,
        (len(used), "files of use", counted(kinds)),
        (len(records), "pieces in them", f"{many(sum(one.cell > 1 for one in used), 'file')} had been enlarged"),
        (-dropped.total(), "doubles", counted(dropped)) if dropped else None,
        (len(records) - dropped.total(), "<b>pictures in the set</b>", ""),
    ]
    yield "<table>"
    for step in steps:
        if step is not None:
            number, what, more = step
            yield f"<tr><td class='n'>{number:+,d}" if number < 0 else f"<tr><td class='n'>{number:,d}"
            yield f"<td>{what}<td class='sub'>{more}</tr>"
    yield "</table>"


def _warnings(used: Sequence[Found], records: Sequence[Record], moved: int) -> Iterable[str]:
    """What to look at before training with it."""
    kept = [record for record in records if not record.dropped]
    said: list[str] = []
    for split in SPLITS:
        if not any(record.split == split for record in kept):
            groups = len({record.group for record in kept})
            said.append(f"<b>{split}</b> is empty: a group goes there by chance, and there are only {groups}.")
    if moved:
        said.append(
            f"{moved} pictures of an earlier set left val or test for train: "
            "they turned out to be of one group with pictures that were trained on."
        )
    said += [
        f"{html.escape(one.file)} gives {len(one.pieces):,d} pieces by itself: {html.escape(one.what)}."
        for one in sorted(used, key=lambda one: -len(one.pieces))
        if len(one.pieces) >= max(_SUSPECT, len(kept) / 4)
    ]
    guessed = sum("snapped" in one.what for one in used)
    if guessed:
        said.append(f"{many(guessed, 'file')} came to native size by a guess at the grid; see whether it is right.")
    for what, count in (("licence", sum(not r.licence for r in kept)), ("label", sum(not r.label for r in kept))):
        if count:
            said.append(f"Nothing says the {what} of {count:,d} of {many(len(kept), 'picture')}.")
    if said:
        points = "".join(f"<li>{text}</li>" for text in said)
        yield f"<div class='warn'><b>Look at this first</b><ul>{points}</ul></div>"


def _set(records: Sequence[Record]) -> Iterable[str]:
    """What is in the set, split by split."""
    kept = [record for record in records if not record.dropped]
    yield "<h2 id='set'>The set</h2><table>"
    sizes = Counter(f"{r.piece.pixels.shape[1]}x{r.piece.pixels.shape[0]}" for r in kept)
    for title, counts in (
        ("sizes", sizes),
        ("labels", Counter(r.label or "(none)" for r in kept)),
        ("licences", Counter(r.licence or "(not said)" for r in kept)),
        ("authors", Counter(r.author or "(not said)" for r in kept)),
    ):
        yield f"<tr><th>{title}<td>{counted(counts, 12)}</tr>"
    yield "</table>"
    for split in SPLITS:
        inside = [record for record in kept if record.split == split]
        groups = len({record.group for record in inside})
        step = max(1, -(-len(inside) // _SHOWN))
        share = f"{len(inside) / max(1, len(kept)):.0%}"
        yield f"<h3>{split}: {many(len(inside), 'picture')} ({share}) in {many(groups, 'group')}{one_in(step)}</h3>"
        yield strip([record.piece.pixels for record in inside[::step]])
