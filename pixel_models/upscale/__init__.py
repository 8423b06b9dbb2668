"""Sprites larger, without a model: nearest, EPX, and smooth."""

from __future__ import annotations

from .core import MOST_SCALE, UPSCALE_METHODS, UpscaleMethod, upscale
from .epx import EPX_SCALES

__all__ = ["EPX_SCALES", "MOST_SCALE", "UPSCALE_METHODS", "UpscaleMethod", "upscale"]
