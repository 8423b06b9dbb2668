"""CSS sprites: a class a frame. The format has no place for times, animations and pivots; they are left out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...errors import SheetError
from ..core import MAX_FRAMES, Place
from .model import Entry, Metadata, check_unique

# What repeats a group is bounded: a pattern remembers every repeat.
_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<text>"[^"\\]*(?:\\.[^"\\]*){0,4096}"|'[^'\\]*(?:\\.[^'\\]*){0,4096}')
    |(?P<sign>[{};:,])
    |(?P<word>(?:\\.|[^\s"'{};:,\\/]+|/(?!\*)){1,4096})""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\([0-9a-fA-F]{1,6})\s?|\\(.)", re.DOTALL)
_CLASS = re.compile(r"(?:\\.|[^.\\])+", re.DOTALL)
_PIXELS = re.compile(r"-?[0-9]{1,9}")

_STYLE = "background-repeat: no-repeat; display: inline-block; image-rendering: pixelated;"

_MAX_TOKENS = 64 * MAX_FRAMES

_Token = tuple[str, str]
_Declarations = dict[str, list[_Token]]


def write(entries: tuple[Entry, ...], image: str, size: tuple[int, int]) -> str:
    """One class for the picture, one more for each frame; what was trimmed away is its margin.

    A class in HTML has no spaces: they become `_`, and the whole name stands in `--name`.

    Raises:
        SheetError: a name, or a class made of it, comes twice.
    """
    check_unique(entries, "CSS")
    classes = [entry.name.replace(" ", "_") for entry in entries]
    if len(set(classes)) < len(classes):
        twice = next(one for one in classes if classes.count(one) > 1)
        msg = f"two frames would get the CSS class {twice!r}, since a class has no spaces; rename one, or take csv"
        raise SheetError(msg)
    base = "sprite-sheet"
    while base in classes:
        base += "_"
    lines = [
        f'/* Use: <i class="{base} NAME"></i> */',
        f".{base} {{ background-image: url({_quote(image)}); background-size: {size[0]}px {size[1]}px; {_STYLE} }}",
    ]
    for entry, title in zip(entries, classes, strict=True):
        place = entry.place
        name = f" --name: {_quote(entry.name)};" if title != entry.name else ""
        right, bottom = entry.width - place.left - place.width, entry.height - place.top - place.height
        margin = (
            f" margin: {place.top}px {right}px {bottom}px {place.left}px;"
            if (right, bottom, place.left, place.top) != (0, 0, 0, 0)
            else ""
        )
        lines.append(
            f".{base}.{escape(title)} {{ width: {place.width}px; height: {place.height}px; "
            f"background-position: {-place.x}px {-place.y}px;{margin}{name} }}"
        )
    return "\n".join([*lines, ""])


def read(text: str) -> Metadata:
    """Rules that have `width`, `height` and `background-position` in pixels are frames, called by their last class.

    Raises:
        SheetError: damaged, several pictures, or numbers that describe no sheet.
    """
    images: set[str] = set()
    size: tuple[int, int] | None = None
    entries: list[Entry] = []
    for selector, declarations in _rules(text):
        for value in declarations.values():
            images |= _urls(value)
        if "background-size" in declarations:
            sides = _pixels(declarations["background-size"])
            size = (sides[0], sides[1]) if len(sides) == 2 else size
        if {"width", "height", "background-position"} <= set(declarations) and _is_plain(selector):
            entries.append(_entry(selector, declarations))
    if len(images) > 1:
        msg = f"the style sheet names {len(images)} pictures, expected one"
        raise SheetError(msg)
    return Metadata(kind="css", entries=tuple(entries), image=images.pop() if images else "", size=size)


def escape(name: str) -> str:
    """A name as a CSS identifier (CSSOM, "serialize an identifier")."""
    found: list[str] = []
    for index, char in enumerate(name):
        digit = char.isascii() and char.isdigit()
        if digit and (index == 0 or (index == 1 and name[0] == "-")):
            found.append(f"\\{ord(char):x} ")
        elif (char == "-" and name != "-") or char == "_" or not char.isascii() or char.isalnum():
            found.append(char)
        else:
            found.append(f"\\{char}")
    return "".join(found)


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _unescape(text: str) -> str:
    return _ESCAPE.sub(_unescaped, text)


def _unescaped(match: re.Match[str]) -> str:
    if match.group(1) is None:
        return match.group(2)
    code = int(match.group(1), 16)
    if code > 0x10FFFF:
        msg = f"the style sheet has the escape {match.group(0)!r}, which is no character"
        raise SheetError(msg)
    return chr(code)


def _tokens(text: str) -> Iterator[_Token]:
    position = count = 0
    while position < len(text):
        count += 1
        if count > _MAX_TOKENS:
            msg = f"the style sheet has over {_MAX_TOKENS} words, more than a sprite sheet needs"
            raise SheetError(msg)
        if text.startswith("/*", position):
            end = text.find("*/", position + 2)
            position = end + 2 if end >= 0 else len(text)
            if end >= 0:
                continue
        match = _TOKEN.match(text, position)
        if match is None:
            line = text.count("\n", 0, position) + 1
            msg = f"the style sheet is damaged or cut short in line {line}"
            raise SheetError(msg)
        position = match.end()
        if match.lastgroup:
            yield match.lastgroup, match.group()


def _rules(text: str) -> Iterator[tuple[str, _Declarations]]:
    """Selectors with their declarations; a media query's braces are refused."""
    selector: list[_Token] = []
    declarations: _Declarations = {}
    name, value = "", None
    inside = False
    for kind, part in _tokens(text):
        if not inside and part != "{":
            selector.append((kind, part))
        elif kind == "sign" and part == "{":
            if inside:
                msg = "the style sheet has rules inside rules, which are not read"
                raise SheetError(msg)
            inside, declarations, name, value = True, {}, "", None
        elif kind == "sign" and part in ";}":
            if value is not None:
                declarations[name.strip().lower()] = value
            name, value = "", None
            if part == "}":
                yield _joined(selector), declarations
                selector, inside = [], False
        elif kind == "sign" and part == ":" and value is None:
            value = []
        elif value is None:
            name += part
        else:
            value.append((kind, part))
    if inside or _joined(selector):
        msg = "the style sheet is cut short, expected } at its end"
        raise SheetError(msg)


def _is_plain(selector: str) -> bool:
    """Whether a selector is made of classes alone."""
    return selector.startswith(".") and not set(_ESCAPE.sub("", selector)) & set(" \t\n,:>+~[#*\"'")


def _joined(tokens: list[_Token]) -> str:
    """A selector without the space around it; an escaped space at its end is part of a word."""
    while tokens and tokens[-1][0] == "space":
        tokens = tokens[:-1]
    return "".join(part for _, part in tokens).lstrip()


def _entry(selector: str, declarations: _Declarations) -> Entry:
    classes = _CLASS.findall(selector)
    name = _unescape(classes[-1]) if classes else ""
    told = [part for kind, part in declarations.get("--name", []) if kind == "text"]
    name = _unescape(told[0][1:-1]) if told else name
    (width, *_), (height, *_) = (_pixels(declarations[side]) or [-1] for side in ("width", "height"))
    position = _pixels(declarations["background-position"])
    if len(position) != 2:
        msg = f"the class {name[:80]!r} has a background-position that is not two numbers of pixels"
        raise SheetError(msg)
    sides = _pixels(declarations.get("margin", []))
    top, right, bottom, left = {0: (0,) * 4, 1: (*sides,) * 4, 2: (*sides,) * 2, 4: tuple(sides)}.get(
        len(sides), (-1,) * 4
    )
    return Entry(
        name=name,
        place=Place(x=-position[0], y=-position[1], width=width, height=height, left=left, top=top),
        width=left + width + right,
        height=top + height + bottom,
    )


def _pixels(value: list[_Token]) -> list[int]:
    """Numbers of pixels; none where there is anything else."""
    words = [part.removesuffix("px") for kind, part in value if kind != "space"]
    return [int(word) for word in words] if all(_PIXELS.fullmatch(word) for word in words) else []


def _urls(value: list[_Token]) -> set[str]:
    words = [part for kind, part in value if kind != "space"]
    text = "".join(words)
    if "url(" not in text.lower():
        return set()
    begin, end = text.lower().index("url(") + 4, text.rfind(")")
    inner = text[begin:end] if end >= begin else ""
    if len(inner) >= 2 and inner[0] in "\"'" and inner[-1] == inner[0]:
        inner = inner[1:-1]
    return {_unescape(inner)}
