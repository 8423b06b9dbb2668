"""Sprite files: PNG, GIF, APNG, lossless WebP and Aseprite's own, there and back, with times, tags, names and notes."""

from __future__ import annotations

from .endings import ART_SUFFIXES, MOVING_SUFFIXES, SAVE_FORMATS, SAVE_SUFFIXES
from .film import Art
from .gif import gif_times
from .limits import MAX_ART_BYTES, MAX_ART_FRAMES, MAX_ART_PIXELS
from .names import safe_name
from .read import read_art, read_text
from .write import kept, write_art

__all__ = [
    "ART_SUFFIXES",
    "MAX_ART_BYTES",
    "MAX_ART_FRAMES",
    "MAX_ART_PIXELS",
    "MOVING_SUFFIXES",
    "SAVE_FORMATS",
    "SAVE_SUFFIXES",
    "Art",
    "gif_times",
    "kept",
    "read_art",
    "read_text",
    "safe_name",
    "write_art",
]
