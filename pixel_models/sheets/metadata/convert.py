"""`format_metadata` and `parse_metadata`: a sheet to text and back, in each of `METADATA_FORMATS`."""

from __future__ import annotations

from collections.abc import Callable

from ...errors import SheetError
from ..core import SpriteSheet
from . import aseprite, css, godot, phaser, table, texturepacker
from .model import MAX_CHARACTERS, METADATA_FORMATS, Entry, Metadata, MetadataFormat, check_image_name, entries_of
from .texts import Object, load_json

_Writer = Callable[[tuple[Entry, ...], str, tuple[int, int]], str]

_WRITERS: dict[MetadataFormat, tuple[str, _Writer]] = {
    "aseprite": (".json", aseprite.write_hash),
    "aseprite-array": (".json", aseprite.write_array),
    "texturepacker": (".json", texturepacker.write),
    "phaser": (".json", phaser.write),
    "godot": (".tres", godot.write),
    "css": (".css", css.write),
    "csv": (".csv", table.write),
}

_TEXT_READERS: dict[MetadataFormat, Callable[[str], Metadata]] = {
    "godot": godot.read,
    "css": css.read,
    "csv": table.read,
}

_JSON_READERS: dict[MetadataFormat, Callable[[Object], Metadata]] = {
    "aseprite": aseprite.read,
    "aseprite-array": aseprite.read,
    "texturepacker": texturepacker.read,
    "phaser": phaser.read,
}


def metadata_suffix(kind: MetadataFormat) -> str:
    """The file name ending that goes with a format.

    Raises:
        SheetError: there is no such format.
    """
    return _writer(kind)[0]


def format_metadata(sheet: SpriteSheet, kind: MetadataFormat, image_name: str) -> str:
    """Say where the frames of a packed sheet lie, in the words of an engine.

    Names, places and what was trimmed away are kept by all. Durations, tags and pivots are kept by all but "css", which
    has no place for them; "godot" has only the tag "default" for frames without one.

    Args:
        sheet: with picture and places.
        kind: one of `METADATA_FORMATS`.
        image_name: plain file name of the picture, which is to lie beside the metadata.

    Raises:
        SheetError: not packed, an unknown format, names that cannot be written safely, or, but for "aseprite-array",
            "godot" and "csv", a name that comes twice.
    """
    write = _writer(kind)[1]
    check_image_name(image_name)
    entries = entries_of(sheet)
    assert sheet.picture is not None
    text = write(entries, image_name, (sheet.picture.shape[2], sheet.picture.shape[1]))
    if len(text.encode()) > MAX_CHARACTERS:
        msg = f"the metadata has {len(text)} characters, over the limit of {MAX_CHARACTERS}; make several sheets"
        raise SheetError(msg)
    return text


def parse_metadata(text: str, *, kind: MetadataFormat | None = None) -> Metadata:
    """Read what `format_metadata`, or the engine's own tools, have written.

    Args:
        text: of the file.
        kind: one of `METADATA_FORMATS`; None: found by what the text holds.

    Raises:
        SheetError: damaged, cut short, too long, of no known kind, with unsafe names, or with numbers that describe no
            sheet.
    """
    if len(text) > MAX_CHARACTERS:
        msg = f"the metadata has {len(text)} characters, over the limit of {MAX_CHARACTERS}"
        raise SheetError(msg)
    text = text.lstrip("\ufeff \t\r\n")
    if not text:
        msg = "the metadata is empty"
        raise SheetError(msg)
    if kind is not None:
        _writer(kind)
        return _TEXT_READERS[kind](text) if kind in _TEXT_READERS else _JSON_READERS[kind](load_json(text))
    if text.startswith("[gd_"):
        return godot.read(text)
    if text[0] in "{[":
        root = load_json(text)
        return _JSON_READERS[_json_kind(root)](root)
    if table.is_header(text.split("\n", 1)[0].rstrip("\r")):
        return table.read(text)
    if text[0] in "./@#*" or "{" in text:
        return css.read(text)
    msg = f"this is no metadata that is known, expected one of {', '.join(METADATA_FORMATS)}"
    raise SheetError(msg)


def _json_kind(root: Object) -> MetadataFormat:
    if "textures" in root:
        return "phaser"
    if "frames" not in root:
        msg = "the JSON has neither frames nor textures, expected those of Aseprite, TexturePacker or Phaser"
        raise SheetError(msg)
    meta = root.get("meta")
    is_aseprite = isinstance(meta, dict) and ("frameTags" in meta or "aseprite" in str(meta.get("app", ""))[:200])
    return "aseprite" if is_aseprite else "texturepacker"


def _writer(kind: MetadataFormat) -> tuple[str, _Writer]:
    if kind not in _WRITERS:
        msg = f"the format is {kind!r}, expected one of {', '.join(METADATA_FORMATS)}"
        raise SheetError(msg)
    return _WRITERS[kind]
