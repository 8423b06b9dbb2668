"""Godot's text resources: sections of properties, values as Godot writes them; parsed with limits, nothing is run."""

from __future__ import annotations

import dataclasses
import re
from typing import NamedTuple, TypeAlias

from ...errors import SheetError
from ..core import MAX_FRAMES

_MAX_DEPTH = 32
_MAX_VALUES = 32 * MAX_FRAMES

# What repeats a group is bounded: a pattern remembers every repeat.
_TOKEN = re.compile(
    r"""(?P<skip>[\s]+|;[^\n]*)
    |[&^]?(?P<text>"[^"\\]*(?:\\.[^"\\]*){0,4096}")
    |(?P<number>[-+]?[0-9][0-9.]*(?:[eE][-+]?[0-9]+)?)
    |(?P<word>[A-Za-z_][A-Za-z0-9_/.]*)
    |(?P<sign>[\[\](){},:=])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


class Call(NamedTuple):
    """`Rect2(0, 0, 8, 8)`, `SubResource("id")`."""

    name: str
    arguments: list[Value]


class Word(str):
    """`true`, `false`, `null`, `inf`, as they stand."""

    __slots__ = ()


Value: TypeAlias = "str | float | Word | Call | list[Value] | dict[str, Value]"


@dataclasses.dataclass
class Section:
    """`[name key=value …]` and what follows it."""

    name: str
    attributes: dict[str, Value]
    properties: dict[str, Value]


def quote(text: str) -> str:
    """A string as Godot writes it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def parse_resource(text: str) -> list[Section]:
    """Parse a text resource.

    Raises:
        SheetError: damaged, cut short, nested too deeply, or with more values than a sprite sheet needs.
    """
    return _Parser(text).sections()


class _Parser:
    """One token ahead of a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.values = 0
        self.kind = self.token = ""
        self.advance()

    def advance(self) -> None:
        """Go to the next token; at the end its kind is empty."""
        while self.position < len(self.text):
            match = _TOKEN.match(self.text, self.position)
            if match is None:
                raise self.damaged("something else")
            self.position = match.end()
            self.kind = match.lastgroup or ""
            if self.kind != "skip":
                self.token = match.group(self.kind)
                return
        self.kind = self.token = ""

    def damaged(self, got: str | None = None) -> SheetError:
        line = self.text.count("\n", 0, self.position) + 1
        got = repr(self.token[:40]) if got is None else got
        return SheetError(f"the Godot resource is damaged or cut short: line {line} has {got or 'nothing'}")

    def at(self, sign: str) -> bool:
        return self.kind == "sign" and self.token == sign

    def take(self, sign: str) -> None:
        if not self.at(sign):
            raise self.damaged()
        self.advance()

    def word(self) -> str:
        if self.kind != "word":
            raise self.damaged()
        found = self.token
        self.advance()
        return found

    def sections(self) -> list[Section]:
        sections: list[Section] = []
        while self.kind:
            if self.at("["):
                sections.append(self.header())
                if len(sections) > 2 * MAX_FRAMES:
                    msg = f"the Godot resource has over {2 * MAX_FRAMES} sections, more than a sprite sheet needs"
                    raise SheetError(msg)
            elif sections:
                name = self.word()
                self.take("=")
                sections[-1].properties[name] = self.value(0)
            else:
                raise self.damaged()
        return sections

    def header(self) -> Section:
        self.take("[")
        section = Section(self.word(), {}, {})
        while not self.at("]"):
            name = self.word()
            self.take("=")
            section.attributes[name] = self.value(0)
        self.advance()
        return section

    def value(self, depth: int) -> Value:
        self.values += 1
        if depth > _MAX_DEPTH or self.values > _MAX_VALUES:
            msg = "the Godot resource is nested too deeply, or holds more values than a sprite sheet needs"
            raise SheetError(msg)
        kind, token = self.kind, self.token
        if kind == "text":
            self.advance()
            return _ESCAPE.sub(_unescape, token[1:-1])
        if kind == "number":
            self.advance()
            try:
                return float(token)
            except ValueError as error:
                raise self.damaged(repr(token[:40])) from error
        if kind == "word":
            self.advance()
            return Call(token, self.items("(", ")", depth)) if self.at("(") else Word(token)
        if self.at("["):
            return self.items("[", "]", depth)
        if self.at("{"):
            return self.pairs(depth)
        raise self.damaged()

    def items(self, begin: str, end: str, depth: int) -> list[Value]:
        self.take(begin)
        found: list[Value] = []
        while not self.at(end):
            found.append(self.value(depth + 1))
            if not self.at(end):
                self.take(",")
        self.advance()
        return found

    def pairs(self, depth: int) -> dict[str, Value]:
        self.take("{")
        found: dict[str, Value] = {}
        while not self.at("}"):
            key = self.value(depth + 1)
            if not isinstance(key, str):
                raise self.damaged("a key that is no text")
            self.take(":")
            found[key] = self.value(depth + 1)
            if not self.at("}"):
                self.take(",")
        self.advance()
        return found


def _unescape(match: re.Match[str]) -> str:
    code = match.group(1)
    return chr(int(code[1:], 16)) if len(code) == 5 else _ESCAPED.get(code, code)
