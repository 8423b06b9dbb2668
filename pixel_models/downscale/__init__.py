"""Pictures to cells without a model, eight ways."""

from __future__ import annotations

from .core import DOWNSCALE_METHODS, MOST_SAMPLES, DownscaleMethod, downscale, native_size

__all__ = ["DOWNSCALE_METHODS", "MOST_SAMPLES", "DownscaleMethod", "downscale", "native_size"]
