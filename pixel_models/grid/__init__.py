"""Grids of enlarged pixel art: found, or given by cell or size, and snapped to native pixels."""

from __future__ import annotations

from .detect import IS_GRID, Grid, detect_grid, grid_of_cell, grid_of_size
from .lines import Lines
from .snap import snap
from .strict import merge_colors

__all__ = ["IS_GRID", "Grid", "Lines", "detect_grid", "grid_of_cell", "grid_of_size", "merge_colors", "snap"]
