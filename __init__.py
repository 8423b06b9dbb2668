"""Pixel Kiln's entry point for ComfyUI; outside ComfyUI, importing this does nothing."""

from __future__ import annotations

import importlib.util

WEB_DIRECTORY = "./web"
"""Folder whose `docs/` holds the nodes' help pages."""

if importlib.util.find_spec("comfy_api") is not None:
    from .nodes import comfy_entrypoint

    __all__ = ["WEB_DIRECTORY", "comfy_entrypoint"]
else:
    __all__ = ["WEB_DIRECTORY"]
