"""Lists of pictures of unequal sizes through the real server, and what is saved from them."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from harness.client import Client, Prompt
from PIL import Image

pytestmark = pytest.mark.comfy


def sheet_prompt(save: str) -> Prompt:
    """A sheet cut into its sprites, one palette for them all, each brought into it, and each saved."""
    return {
        "sheet": {"class_type": "LoadImage", "inputs": {"image": "sheet_monsters.png"}},
        "slice": {
            "class_type": "PixelKilnSliceSheet",
            "inputs": {
                "image": ["sheet", 0], "how": "auto", "frame_width": 32, "frame_height": 32, "columns": 1,
                "rows": 1, "margin": 0, "spacing": 0, "background": "", "name": "monster",
            },
        },
        "choose": {
            "class_type": "PixelKilnPaletteFromImage",
            "inputs": {"image": ["slice", 1], "colors": 7, "method": "k-means", "error": 0.0, "accents": 0.5},
        },
        "apply": {
            "class_type": "PixelKilnPaletteApply",
            "inputs": {
                "image": ["slice", 1], "mask": ["slice", 2], "palette": ["choose", 0], "dither": "bayer4",
                "strength": 0.5, "space": "oklab", "serpentine": False, "linear_light": False,
            },
        },
        "save": {
            "class_type": "PixelKilnSavePixelArt",
            "inputs": {
                "image": ["apply", 2], "filename_prefix": save, "format": "png", "scale": 1, "duration": 100, "loop": 0,
            },
        },
        "text": {"class_type": "PreviewAny", "inputs": {"source": ["choose", 1]}},
    }  # fmt: skip


def test_a_list_of_sprites_of_unequal_sizes_gets_one_palette_and_is_saved_one_by_one(client: Client) -> None:
    run = client.run(sheet_prompt("lists/monster"))
    assert run.status == "success", run.error
    palette = set(run.outputs["text"]["text"][0].split())
    assert len(palette) == 7
    saved = run.outputs["save"]["images"]
    assert len({entry["filename"] for entry in saved}) == len(saved) == 8
    sizes, used = set(), set()
    for entry in saved:
        assert entry["subfolder"] == "lists"
        picture = Image.open(io.BytesIO(client.view(entry)))
        assert picture.mode == "P"
        assert json.loads(str(picture.info["prompt"]))["slice"]["class_type"] == "PixelKilnSliceSheet"
        pixels = np.asarray(picture.convert("RGBA")).reshape(-1, 4)
        assert set(pixels[:, 3].tolist()) == {0, 255}
        used |= {"#{:02x}{:02x}{:02x}".format(*color[:3]) for color in pixels.tolist() if color[3]}
        sizes.add(picture.size)
    assert len(sizes) > 3
    assert used == palette
