"""Is it pixel art? What a picture's grid, cells and colours say, and a picture that shows where."""

from __future__ import annotations

from .inspect import Report, inspect_picture
from .marks import MARKS, marked

__all__ = ["MARKS", "Report", "inspect_picture", "marked"]
