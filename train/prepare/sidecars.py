"""Label, author and licence of a file: from tables and texts that lie beside it, and from the folders it is in."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

MAX_BYTES = 2**21
"""Longest sidecar file that is read."""

TEXTS = re.compile(r"(licen[cs]e|copying|credits?|authors?|attribution|readme|copyright)([\s_.\-].*)?$", re.IGNORECASE)
"""Names of texts that speak for all files of their folder and of those below."""

_TEXT_ENDINGS = ("", ".txt", ".md", ".rst", ".html")
_KEYS: dict[str, tuple[str, ...]] = {
    "label": ("label", "cls", "class", "kind"),
    "category": ("category", "type"),
    "author": ("author", "authors", "artist", "artists", "creator", "credit", "credits", "by"),
    "licence": ("licence", "license", "licences", "licenses", "spdx"),
    "source": ("source", "url", "urls", "link", "homepage"),
}
"""Columns of the manifest, and how tables and JSON files call them."""
_FILE_KEYS = ("path", "file", "filename", "file_name", "image", "name", "sprite")
_LICENCES = (
    (r"cc0|creative commons zero|publicdomain/zero", "CC0-1.0"),
    (r"unlicense|public domain", "public domain"),
    (r"cc[\s-]?by[\s-]?nc[\s-]?sa|attribution[\s-]noncommercial[\s-]sharealike|licenses/by-nc-sa", "CC-BY-NC-SA"),
    (r"cc[\s-]?by[\s-]?nc[\s-]?nd|attribution[\s-]noncommercial[\s-]noderiv|licenses/by-nc-nd", "CC-BY-NC-ND"),
    (r"cc[\s-]?by[\s-]?nc|attribution[\s-]noncommercial|licenses/by-nc", "CC-BY-NC"),
    (r"cc[\s-]?by[\s-]?nd|attribution[\s-]noderiv|licenses/by-nd", "CC-BY-ND"),
    (r"cc[\s-]?by[\s-]?sa|attribution[\s-]share[\s-]?alike|licenses/by-sa", "CC-BY-SA"),
    (r"oga[\s-]?by", "OGA-BY"),
    (r"cc[\s-]?by|creative commons attribution|licenses/by", "CC-BY"),
    (r"apache", "Apache-2.0"),
    (r"general public license|\bgpl", "GPL"),
    (r"\bmit\b|permission is hereby granted, free of charge", "MIT"),
    (r"\bbsd\b|redistribution and use in source and binary", "BSD"),
    (r"all rights reserved", "all rights reserved"),
)
_VERSIONED = ("CC-BY", "OGA-BY", "GPL")
_VERSION = re.compile(r"(?<![\d.])([1-4](?:\.\d)?)(?![\d.]\d)")
"""What texts say, the first that is found holds."""
_AUTHOR = re.compile(
    r"^\W*(?:authors?|artists?|creators?|created by|made by|drawn by|art by|sprites by|graphics by|"
    r"credits?(?: to)?|copyright(?: \(c\)| ©)?(?: \d{4}(?:-\d{4})?)?)\s*[:\-]?\s+([^\n]{2,80})",
    re.IGNORECASE | re.MULTILINE,
)
_BESIDES = re.compile(r"\)?\s+(?:would be|is not|is appreciated|if you)\b", re.IGNORECASE)
"""Where what is said of giving credit begins."""
_DULL = re.compile(
    r"(sprites?|images?|img|png|gif|pngs?|assets?|frames?|sheets?|spritesheets?|graphics|gfx|art|textures?|pixel ?art|"
    r"data|src|files?|resources?|res|export(ed|s)?|output|\d+(x\d+)?(px)?|train|val|test|new folder.*|untitled.*)",
    re.IGNORECASE,
)
"""Folders whose name says nothing of what is in them."""


@dataclass(frozen=True)
class Sidecars:
    """Everything that is said about a source's files."""

    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By folder."""
    rows: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By path in lower case."""

    def of(self, file: str) -> dict[str, str]:
        """What is known of a file, by the manifest's columns; what is said closest to it holds.

        Args:
            file: its path inside the source.
        """
        path = PurePosixPath(file)
        known = dict(self.rows.get(file.lower(), {}))
        for folder in path.parents:
            for key, value in self.texts.get(str(folder), {}).items():
                known.setdefault(key, value)
        names = [part for part in path.parent.parts if not _DULL.fullmatch(part)]
        if names:
            known.setdefault("label", names[-1])
        if len(names) > 1:
            known.setdefault("category", names[0])
        return {key: value for key, value in known.items() if value}


def is_sidecar(name: str) -> bool:
    """Whether a file may say something about others."""
    path = PurePosixPath(name)
    ending = path.suffix.lower()
    return ending in (".csv", ".json", ".tsv") or (bool(TEXTS.match(path.name)) and ending in _TEXT_ENDINGS)


def read_sidecars(files: Mapping[str, bytes]) -> Sidecars:
    """Read texts, tables and JSON files.

    Args:
        files: what `is_sidecar` lets through, by path inside the source; what cannot be read is passed over.
    """
    texts: dict[str, dict[str, str]] = {}
    rows: dict[str, dict[str, str]] = {}
    for name, data in sorted(files.items()):
        path = PurePosixPath(name)
        content = data[:MAX_BYTES].decode("utf-8-sig", "replace")
        if path.suffix.lower() in (".csv", ".tsv"):
            for file, row in _table(content, "\t" if path.suffix.lower() == ".tsv" else ","):
                rows.setdefault(str(path.parent / file).lower(), {}).update(row)
        elif path.suffix.lower() == ".json":
            said = _object(content)
            if said:
                for ending in ("", ".png", ".gif", ".webp", ".apng", ".aseprite", ".ase", ".jpg", ".jpeg", ".bmp"):
                    rows.setdefault(str(path.with_suffix(ending)).lower(), {}).update(said)
        elif TEXTS.match(path.name):
            known = texts.setdefault(str(path.parent), {})
            for key, value in _text(content).items():
                known.setdefault(key, value)
    return Sidecars(texts, rows)


def licence_of(text: str) -> str:
    """The licence that a text names, as SPDX does where it can; empty where it names none that is known."""
    for pattern, name in _LICENCES:
        match = re.search(pattern, text, re.IGNORECASE)
        if match:
            version = _VERSION.search(text[match.end() : match.end() + 48])
            return f"{name}-{version.group(1)}" if version and name.startswith(_VERSIONED) else name
    return ""


def _text(content: str) -> dict[str, str]:
    author = _AUTHOR.search(content)
    name = _BESIDES.split(author.group(1))[0].strip(" \t\r*_.()") if author else ""
    return {"licence": licence_of(content), "author": name}


def _table(content: str, delimiter: str) -> list[tuple[str, dict[str, str]]]:
    """Rows of a table that names files."""
    made: list[tuple[str, dict[str, str]]] = []
    try:
        reader = csv.DictReader(io.StringIO(content), delimiter=delimiter)
        titles = {(title or "").strip().lower(): title for title in reader.fieldnames or ()}
        at = next((titles[key] for key in _FILE_KEYS if key in titles), None)
        if at is None:
            return []
        for row in reader:
            file = (row.get(at) or "").strip().replace("\\", "/")
            known = _row({title: row.get(original) for title, original in titles.items()})
            if file and known:
                made.append((file, known))
    except csv.Error:
        return made
    return made


def _object(content: str) -> dict[str, str]:
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return _row({str(key).lower(): value for key, value in said.items()}) if isinstance(said, dict) else {}


def _row(said: Mapping[str, Any]) -> dict[str, str]:
    """The manifest's columns of what a row or an object says."""
    known: dict[str, str] = {}
    for column, names in _KEYS.items():
        value = next((_words(said[name]) for name in names if said.get(name)), "")
        if value:
            known[column] = value
    return known


def _words(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(str(part) for part in value if isinstance(part, (str, int)))[:200]
    return value.strip()[:200] if isinstance(value, str) else ""
