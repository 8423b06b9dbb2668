"""Grids of enlarged pixel art: found, or given by cell or size, and snapped to native pixels."""

from __future__ import annotations

from .detect import IS_GRID, Grid, detect_grid, grid_of_cell, grid_of_size
from .exact import looks_native
from .lines import Lines
from .snap import scatter, snap
from .strict import merge_colors

__all__ = [
    "IS_GRID",
    "Grid",
    "Lines",
    "detect_grid",
    "grid_of_cell",
    "grid_of_size",
    "looks_native",
    "merge_colors",
    "scatter",
    "snap",
]
