"""Clean-up of sprites within their palette: clusters, orphans, anti-aliasing, jaggies, outlines."""

from __future__ import annotations

from .background import FIND_BACKGROUND, clear_background
from .blends import blends, merge_blends
from .cells import neighbours, part_sizes
from .clusters import AGREEMENT, cluster_cells
from .core import clean_up
from .jaggies import smooth_lines
from .orphans import ORPHAN_DISTANCE, merge_orphans, orphans
from .outline import LIGHTS, OUTLINES, Light, Outline, rim

__all__ = [
    "AGREEMENT",
    "FIND_BACKGROUND",
    "LIGHTS",
    "ORPHAN_DISTANCE",
    "OUTLINES",
    "Light",
    "Outline",
    "blends",
    "clean_up",
    "clear_background",
    "cluster_cells",
    "merge_blends",
    "merge_orphans",
    "neighbours",
    "orphans",
    "part_sizes",
    "rim",
    "smooth_lines",
]
