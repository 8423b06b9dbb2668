"""Sprites that move: simple motions on whole pixels, colour cycling, onion skin, frames without repeats."""

from __future__ import annotations

from .blink import eye_mask
from .cycling import DEFAULT_STEP, Cycle, cycle_colors, index_in_order, parse_cycles
from .easing import EASINGS, Easing
from .eyes import SURE, Eyes, find_eyes
from .frames import Deduped, Held, dedupe_frames, frame_difference
from .motions import AMPLITUDE_RANGE, DURATION_RANGE, FRAMES_RANGE, MOTIONS, Motion, animate
from .naming import name_frames, parse_durations
from .onion import MOST_SKINS, onion_skin, onion_skins
from .parts import PART_COLORS, PARTS, Part, find_legs, parts_from_colors
from .walk import VIEWS, View

__all__ = [
    "AMPLITUDE_RANGE",
    "DEFAULT_STEP",
    "DURATION_RANGE",
    "EASINGS",
    "FRAMES_RANGE",
    "MOST_SKINS",
    "MOTIONS",
    "PARTS",
    "PART_COLORS",
    "SURE",
    "VIEWS",
    "Cycle",
    "Deduped",
    "Easing",
    "Eyes",
    "Held",
    "Motion",
    "Part",
    "View",
    "animate",
    "cycle_colors",
    "dedupe_frames",
    "eye_mask",
    "find_eyes",
    "find_legs",
    "frame_difference",
    "index_in_order",
    "name_frames",
    "onion_skin",
    "onion_skins",
    "parse_cycles",
    "parse_durations",
    "parts_from_colors",
]
