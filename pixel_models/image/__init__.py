"""Pictures: 8-bit and float, checks, padding, whole-factor enlargement, and files in and out."""

from __future__ import annotations

from .read import MAX_PIXELS, READ_SUFFIXES, count_frames, open_picture, read_frames, read_rgba, to_rgba
from .tensors import check_image, crop_to, enlarge, from_uint8, pad_to_multiple, to_uint8
from .write import PixelIndices, encode_colors, encode_png, remove_leftovers, write_bytes, write_png

__all__ = [
    "MAX_PIXELS",
    "READ_SUFFIXES",
    "PixelIndices",
    "check_image",
    "count_frames",
    "crop_to",
    "encode_colors",
    "encode_png",
    "enlarge",
    "from_uint8",
    "open_picture",
    "pad_to_multiple",
    "read_frames",
    "read_rgba",
    "remove_leftovers",
    "to_rgba",
    "to_uint8",
    "write_bytes",
    "write_png",
]
