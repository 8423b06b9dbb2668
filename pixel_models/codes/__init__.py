"""Pictures as codes of a VQ-VAE: made, shown, exchanged, mixed, kept in files, and turned back into pictures."""

from __future__ import annotations

from .coder import NEAREST_BYS, NearestBy, decode, encode
from .core import CodeGrid
from .edit import code_palette, recolor_codes, replace_codes, rotate_codes, swap_codes
from .files import CODES_SUFFIXES, load_codes, save_codes
from .fuse import fuse, fuse_codes
from .mix import MIX_HOWS, MixHow, mask_codes, mix
from .picture import code_colors, code_map, code_sheet
from .table import clear_codes, nearest_codes

__all__ = [
    "CODES_SUFFIXES",
    "MIX_HOWS",
    "NEAREST_BYS",
    "CodeGrid",
    "MixHow",
    "NearestBy",
    "clear_codes",
    "code_colors",
    "code_map",
    "code_palette",
    "code_sheet",
    "decode",
    "encode",
    "fuse",
    "fuse_codes",
    "load_codes",
    "mask_codes",
    "mix",
    "nearest_codes",
    "recolor_codes",
    "replace_codes",
    "rotate_codes",
    "save_codes",
    "swap_codes",
]
