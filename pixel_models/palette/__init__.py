"""Palettes and indexed pictures: extract, match, read, and the named palettes."""

from __future__ import annotations

from .core import Palette
from .extract import extract_palette
from .files import read_palette
from .indexed import IndexedImage, nearest_indices
from .named import NAMED_PALETTES, find_palette

__all__ = [
    "NAMED_PALETTES",
    "IndexedImage",
    "Palette",
    "extract_palette",
    "find_palette",
    "nearest_indices",
    "read_palette",
]
