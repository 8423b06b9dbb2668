"""The only door to ComfyUI: its node API, devices, memory, progress, folders, IMAGE and MASK <-> `b c h w`."""

from __future__ import annotations

from comfy_api.v0_0_2 import ComfyExtension, io, ui

from .devices import LiveProgress, progress, run_network, run_on_device
from .films import film_of_file, film_of_frames, film_parts, film_place, film_source, is_film_file
from .folders import (
    PALETTE_FOLDER,
    file_state,
    find_user_file,
    list_user_files,
    model_folders,
    output_place,
    register_model_folders,
    saved_files,
    workflow_text,
)
from .pictures import image_to_nchw, nchw_to_image, nchw_to_mask, preview

__all__ = [
    "PALETTE_FOLDER",
    "ComfyExtension",
    "LiveProgress",
    "file_state",
    "film_of_file",
    "film_of_frames",
    "film_parts",
    "film_place",
    "film_source",
    "find_user_file",
    "image_to_nchw",
    "io",
    "is_film_file",
    "list_user_files",
    "model_folders",
    "nchw_to_image",
    "nchw_to_mask",
    "output_place",
    "preview",
    "progress",
    "register_model_folders",
    "run_network",
    "run_on_device",
    "saved_files",
    "ui",
    "workflow_text",
]
