"""Metadata of sprite sheets, there and back: Aseprite, TexturePacker, Phaser, Godot, CSS, CSV."""

from __future__ import annotations

from .convert import format_metadata, metadata_suffix, parse_metadata
from .model import MAX_CHARACTERS, METADATA_FORMATS, Entry, Metadata, MetadataFormat

__all__ = [
    "MAX_CHARACTERS",
    "METADATA_FORMATS",
    "Entry",
    "Metadata",
    "MetadataFormat",
    "format_metadata",
    "metadata_suffix",
    "parse_metadata",
]
