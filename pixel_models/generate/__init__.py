"""Sprites out of a PixelCNN over codes: drawn anew, completed, near others; and how each code is chosen."""

from __future__ import annotations

from .choice import Choice
from .labels import find_label, label_vector, labels_by_group, parse_labels
from .parts import SIDES, between, keep_outside, keep_side, keep_some, repeat
from .sampler import METHODS, Method, sample_codes, uniforms_of
from .sprites import MOST_PIXELS, PALETTES, Preview, coder_name, complete_sprites, prior_of, sample_sprites

__all__ = [
    "METHODS",
    "MOST_PIXELS",
    "PALETTES",
    "SIDES",
    "Choice",
    "Method",
    "Preview",
    "between",
    "coder_name",
    "complete_sprites",
    "find_label",
    "keep_outside",
    "keep_side",
    "keep_some",
    "label_vector",
    "labels_by_group",
    "parse_labels",
    "prior_of",
    "repeat",
    "sample_codes",
    "sample_sprites",
    "uniforms_of",
]
