"""Palettes and indexed pictures: extract, match, read, and the named palettes."""

from __future__ import annotations

from .choose import PALETTE_METHODS, PaletteMethod, choose_palette
from .core import Palette
from .distance import SPACES, Space
from .edit import (
    SORT_KEYS,
    cycle_frames,
    cycle_palette,
    merge_near,
    palette_order,
    permute_palette,
    reduce_palette,
    sort_palette,
)
from .extract import extract_palette
from .files import PALETTE_SUFFIXES, PALETTE_WRITE_SUFFIXES, read_palette, write_palette
from .indexed import IndexedImage, nearest_indices
from .mixture import mixture_palette
from .named import NAMED_PALETTES, PALETTE_SOURCES, find_palette
from .quantize import median_cut, octree, palette_for_error
from .ramp import make_ramp
from .swap import SWAP_ORDERS, count_colors, index_exactly, remap, swap_colors, swap_palette
from .views import COLOR_BLINDNESSES, contrast_ratios, palette_as_seen, simulate_color_blindness

__all__ = [
    "COLOR_BLINDNESSES",
    "NAMED_PALETTES",
    "PALETTE_METHODS",
    "PALETTE_SOURCES",
    "PALETTE_SUFFIXES",
    "PALETTE_WRITE_SUFFIXES",
    "SORT_KEYS",
    "SPACES",
    "SWAP_ORDERS",
    "IndexedImage",
    "Palette",
    "PaletteMethod",
    "Space",
    "choose_palette",
    "contrast_ratios",
    "count_colors",
    "cycle_frames",
    "cycle_palette",
    "extract_palette",
    "find_palette",
    "index_exactly",
    "make_ramp",
    "median_cut",
    "merge_near",
    "mixture_palette",
    "nearest_indices",
    "octree",
    "palette_as_seen",
    "palette_for_error",
    "palette_order",
    "permute_palette",
    "read_palette",
    "reduce_palette",
    "remap",
    "simulate_color_blindness",
    "sort_palette",
    "swap_colors",
    "swap_palette",
    "write_palette",
]
