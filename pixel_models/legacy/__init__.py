"""Other people's weight files, read safely and turned into networks of ours: the CycleGAN, pix2pix and CUT family."""

from __future__ import annotations

from .layouts import recognise
from .load import convert_file, convert_state, is_foreign, load_file, load_foreign, read_foreign

__all__ = ["convert_file", "convert_state", "is_foreign", "load_file", "load_foreign", "read_foreign", "recognise"]
