"""File name endings of sprite files, each list once: what is read, what is written, what may move."""

from __future__ import annotations

from ..image import READ_SUFFIXES

ART_SUFFIXES = (*READ_SUFFIXES, ".avif", ".tga", ".apng", ".aseprite", ".ase")
"""What is looked for in folders; `.ase` is also what Adobe calls its swatches, and Pillow may be built without AVIF."""

SAVE_ENDINGS = {
    "png": (".png",),
    "gif": (".gif",),
    "apng": (".png", ".apng"),
    "webp": (".webp",),
    "aseprite": (".aseprite", ".ase"),
}
"""By format, what a file that `write_art` writes may end in."""

SAVE_FORMATS = tuple(SAVE_ENDINGS)
"""What `write_art` writes: a PNG a frame, three kinds of animations, and Aseprite's own files."""

SAVE_SUFFIXES = tuple(f".{kind}" for kind in SAVE_FORMATS)
"""The ending that is each format's own."""

MOVING_SUFFIXES = tuple(suffix for suffix in SAVE_SUFFIXES if suffix != ".png")
"""Of these, the endings of formats that hold all frames in one file."""
