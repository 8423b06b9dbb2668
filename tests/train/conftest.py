"""Small sets of pictures to train on, drawn here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def _sprite(rng: np.random.Generator, side: int) -> Image.Image:
    """A filled ellipse with a dark outline and two eyes, on nothing."""
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    radius = np.hypot(x / rng.uniform(0.5, 0.9), y / rng.uniform(0.5, 0.9)) / (side / 2)
    pixels = np.zeros((side, side, 4), np.uint8)
    pixels[radius < 1] = (20, 12, 28, 255)
    pixels[radius < 0.8] = (*rng.integers(60, 255, 3), 255)
    pixels[side // 3, [side // 3, side - side // 3]] = (255, 255, 255, 255)
    return Image.fromarray(pixels)


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Folders A (smooth pictures, 64 pixels) and B (sprites of 12 and 16 pixels)."""
    rng = np.random.default_rng(0)
    a, b = (tmp_path_factory.mktemp(name) for name in "ab")
    for index in range(12):
        sprite = _sprite(rng, 16 if index % 2 else 12)
        sprite.save(b / f"{index}.png")
        white = Image.new("RGBA", sprite.size, "white")
        Image.alpha_composite(white, _sprite(rng, sprite.width)).convert("RGB").resize((64, 64)).save(
            a / f"{index}.jpg"
        )
    return a, b
