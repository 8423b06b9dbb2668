"""Sprite sheets: frames, cut from a sheet or packed onto one, with the metadata of engines; tiles."""

from __future__ import annotations

from .core import Frame, Place, SpriteSheet

__all__ = ["Frame", "Place", "SpriteSheet"]
