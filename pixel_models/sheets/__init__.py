"""Sprite sheets: frames, cut from a sheet or packed onto one, with the metadata of engines; tiles."""

from __future__ import annotations

from .arrange import LAYOUTS, Layout
from .autotile import (
    AUTOTILE_KINDS,
    BLOB_16,
    BLOB_47,
    TILE_COUNTS,
    AutotileKind,
    TileLayout,
    autotile,
    choose_tiles,
    draw_map,
    example_map,
    tile_set,
)
from .background import NO_BACKGROUND
from .core import DURATION, MAX_FRAMES, Frame, Place, SpriteSheet
from .files import cut, read_sheet, write_sheet
from .metadata import (
    METADATA_FORMATS,
    Entry,
    Metadata,
    MetadataFormat,
    format_metadata,
    metadata_suffix,
    parse_metadata,
)
from .pack import pack_sheet
from .slice import SLICE_HOWS, SliceHow, slice_sheet
from .tiles import make_seamless, repeat, seam_error

__all__ = [
    "AUTOTILE_KINDS",
    "BLOB_16",
    "BLOB_47",
    "DURATION",
    "LAYOUTS",
    "MAX_FRAMES",
    "METADATA_FORMATS",
    "NO_BACKGROUND",
    "SLICE_HOWS",
    "TILE_COUNTS",
    "AutotileKind",
    "Entry",
    "Frame",
    "Layout",
    "Metadata",
    "MetadataFormat",
    "Place",
    "SliceHow",
    "SpriteSheet",
    "TileLayout",
    "autotile",
    "choose_tiles",
    "cut",
    "draw_map",
    "example_map",
    "format_metadata",
    "make_seamless",
    "metadata_suffix",
    "pack_sheet",
    "parse_metadata",
    "read_sheet",
    "repeat",
    "seam_error",
    "slice_sheet",
    "tile_set",
    "write_sheet",
]
