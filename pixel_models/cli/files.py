"""Reads whatever a user names: pictures, animations, Aseprite files."""

from __future__ import annotations

from pathlib import Path

from ..image import count_frames, read_rgba
from ..sheets import Frame, SpriteSheet
from ..spritefiles import read_art

_SPRITES = (".gif", ".webp", ".apng", ".aseprite", ".ase")


def read_file(source: Path) -> SpriteSheet:
    """Read any picture or sprite file; a still picture may be as large as `read_rgba` takes it.

    Raises:
        ImageError: as `read_art` and `read_rgba`.
    """
    if source.suffix.lower() in _SPRITES or count_frames(source) > 1:
        return read_art(source)
    return SpriteSheet(frames=(Frame(rgba=read_rgba(source)[0], name=source.stem),))
