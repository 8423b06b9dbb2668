"""Films of high dynamic range brought to what sRGB shows: HLG and PQ in the colours of BT.2020.

Source: ITU-R BT.2100-2 (the two curves, their numbers by ITU-T H.273), BT.2087 (the matrix between the colours).
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

PQ, HLG = 16, 18
TONE_CURVES = (PQ, HLG)
"""Numbers of the curves that are brought down."""

# BT.2408: what a page of paper is lit with, in cd/m²; it becomes sRGB's white, but for the room that highlights get.
_WHITE = 203.0
_KNEE = 0.8

_TO_BT709 = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32)


def to_sdr(pixels: NDArray[np.uint8], curve: int) -> NDArray[np.uint8]:
    """Pixels `h w 3` or `h w 4` with one of `TONE_CURVES`, as sRGB; alpha stays."""
    light = _light(curve)[pixels[..., :3]] @ _TO_BT709.T  # h w 3, 1 = white
    most = light.max(axis=2, keepdims=True)
    bent = np.where(most > _KNEE, _KNEE + (1 - _KNEE) * np.tanh((most - _KNEE) / (1 - _KNEE)), most)
    light = np.clip(light * bent / np.maximum(most, 1e-6), 0, 1)
    made = _encoded()[(light * (len(_encoded()) - 1)).astype(np.int32)]
    return np.concatenate([made, pixels[..., 3:]], axis=2)


@functools.cache
def _light(curve: int) -> NDArray[np.float32]:
    """Light on the screen for each of 256 levels, 1 = white."""
    x: NDArray[np.floating[Any]] = np.arange(256) / 255
    if curve == PQ:
        m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
        root = x ** (1 / m2)
        light = 10000 * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1) / _WHITE
    else:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        scene = np.where(x <= 0.5, x * x / 3, (np.exp((x - c) / a) + b) / 12)
        # The curve's own rise from scene to screen, 1.2, for a screen of 1000 cd/m².
        light = 1000 * scene**1.2 / _WHITE
    return light.astype(np.float32)


@functools.cache
def _encoded() -> NDArray[np.uint8]:
    """Level in sRGB for each of 4096 steps of light."""
    x = np.arange(4096) / 4095
    return np.round(255 * np.where(x <= 0.0031308, x * 12.92, 1.055 * x ** (1 / 2.4) - 0.055)).astype(np.uint8)
