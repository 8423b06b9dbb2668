"""Palette files, there and back: hex lists, GIMP, JASC, RIFF, Adobe, Paint.NET, Aseprite, JSON, and small pictures."""

from __future__ import annotations

from .disk import PALETTE_SUFFIXES, PALETTE_WRITE_SUFFIXES, read_palette, write_palette
from .picture import MAX_PICTURE_COLORS

__all__ = [
    "MAX_PICTURE_COLORS",
    "PALETTE_SUFFIXES",
    "PALETTE_WRITE_SUFFIXES",
    "read_palette",
    "write_palette",
]
