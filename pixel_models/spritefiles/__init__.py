"""Sprite files: PNG, GIF, APNG, lossless WebP and Aseprite's own, there and back, with times, tags, names and notes."""

from __future__ import annotations

from .film import Art
from .gif import gif_times
from .limits import MAX_ART_BYTES, MAX_ART_FRAMES, MAX_ART_PIXELS
from .names import safe_name
from .read import ART_SUFFIXES, read_art, read_text
from .write import SAVE_FORMATS, kept, write_art

__all__ = [
    "ART_SUFFIXES",
    "MAX_ART_BYTES",
    "MAX_ART_FRAMES",
    "MAX_ART_PIXELS",
    "SAVE_FORMATS",
    "Art",
    "gif_times",
    "kept",
    "read_art",
    "read_text",
    "safe_name",
    "write_art",
]
