"""Aseprite's files: written with one layer or several, and read with all that shows.

Source: "Aseprite File Format (.ase/.aseprite) Specifications", docs/ase-file-specs.md in aseprite/aseprite.
"""

from __future__ import annotations

from .read import read_aseprite, read_aseprite_text
from .write import write_aseprite

__all__ = ["read_aseprite", "read_aseprite_text", "write_aseprite"]
