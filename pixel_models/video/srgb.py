"""Films of wide colours, and of high dynamic range, brought to what sRGB shows.

Sources: ITU-T H.273 (numbers and chromaticities of the primaries), ITU-R BT.2100-2 (the curves PQ and HLG),
ITU-R BT.2408 (what paper white is lit with), ITU-R BT.2390-10, section 5.4.1 (how highlights are bent).
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from .cells import Floats
from .grid import Bytes

PQ, HLG = 16, 18
"""The curves of high dynamic range, by their numbers in H.273."""

_BT709, _BT2020 = 1, 9
_D65 = (0.3127, 0.3290)
# x and y of red, green, blue, and of white. The primaries of BT.601 are so near to BT.709's that players leave them.
_PRIMARIES = {
    _BT709: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), _D65),
    _BT2020: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),
}

# cd/m²: paper, by BT.2408, which becomes about 90 % of sRGB's white; and the brightest that keeps a difference.
_WHITE, _PEAK = 203.0, 1000.0
_LEVELS = 4096
"""Of the tables: the steps of 12 bits, more than films have."""


def is_beyond(curve: int, primaries: int) -> bool:
    """Whether a film with this curve and these primaries is more than sRGB shows."""
    return curve in (PQ, HLG) or (primaries in _PRIMARIES and primaries != _BT709)


def to_srgb(pixels: NDArray[np.uint16], curve: int, primaries: int) -> Bytes:
    """What is shown of a film's pixels.

    Args:
        pixels: `h w 3`, R'G'B' of 16 bits.
        curve: its number in H.273; those other than `PQ` and `HLG` are taken for sRGB's own.
        primaries: their number in H.273; unknown ones are BT.2020's where the curve is PQ or HLG, else BT.709's.

    Returns:
        `h w 3`, sRGB. Up to half of paper white a film of high dynamic range looks as one without; above, all
        that is lit by up to 1000 cd/m² is bent into what is left. Colours that sRGB has not are cut off.
    """
    high = curve in (PQ, HLG)
    known = primaries if primaries in _PRIMARIES else _BT2020 if high else _BT709
    light = _light(curve)[pixels >> 4]  # h w 3
    if curve == HLG:
        # Equation of BT.2100's table 5: the screen's rise is that of the luminance, or saturation would grow.
        luminance = light @ _to_xyz(known)[1].astype(np.float32)
        light *= (_PEAK / _WHITE * luminance**0.2)[..., None]
    light = np.clip(light @ _to_bt709(known).T, 0, None)
    if high:
        most = light.max(axis=2)
        light *= _gain()[np.minimum(np.sqrt(most) * _PER_ROOT, _LEVELS - 1).astype(np.intp)][..., None]
    return _encoded()[np.minimum(light * (_LEVELS - 1) + 0.5, _LEVELS - 1).astype(np.intp)]


def _to_xyz(primaries: int) -> NDArray[np.float64]:
    """From linear R, G, B with white at luminance 1 to X, Y, Z."""
    *colors, white = (np.array([x / y, 1, (1 - x - y) / y]) for x, y in _PRIMARIES[primaries])
    matrix = np.stack(colors, axis=1)
    return matrix * np.linalg.solve(matrix, white)


@functools.cache
def _to_bt709(primaries: int) -> Floats:
    """From linear R, G, B of some primaries to BT.709's; each white becomes white."""
    made = np.linalg.solve(_to_xyz(_BT709), _to_xyz(primaries))
    return (made / made.sum(axis=1, keepdims=True)).astype(np.float32)


@functools.cache
def _light(curve: int) -> Floats:
    """Light for each of `_LEVELS` levels: of PQ on the screen, 1 = paper white; of HLG in the scene, 1 = the most."""
    x = np.arange(_LEVELS) / (_LEVELS - 1)
    if curve == PQ:
        light = _from_pq(x) / _WHITE
    elif curve == HLG:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        light = np.where(x <= 0.5, x * x / 3, (np.exp((x - c) / a) + b) / 12)
    else:
        light = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    return light.astype(np.float32)


@functools.cache
def _gain() -> Floats:
    """What light is multiplied with, for equal steps of its root up to `_PEAK`: BT.2390's curve to `_WHITE`."""
    nits = np.maximum((np.arange(_LEVELS) / _PER_ROOT) ** 2 * _WHITE, 1e-4)
    peak = _to_pq(np.array(_PEAK))
    level, most = np.minimum(_to_pq(nits) / peak, 1), _to_pq(np.array(_WHITE)) / peak
    knee = 1.5 * most - 0.5
    t = np.maximum(level - knee, 0) / (1 - knee)
    bent = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * most
    return (_from_pq(np.where(level < knee, level, bent) * peak) / nits).astype(np.float32)


_PER_ROOT = (_LEVELS - 1) / np.sqrt(_PEAK / _WHITE)
_M1, _M2, _C1, _C2, _C3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128


def _from_pq(level: NDArray[np.float64]) -> NDArray[np.float64]:
    """cd/m² of levels in [0, 1]; BT.2100, table 4."""
    root = level ** (1 / _M2)
    return 10000 * (np.maximum(root - _C1, 0) / (_C2 - _C3 * root)) ** (1 / _M1)


def _to_pq(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse of `_from_pq`."""
    root = (light / 10000) ** _M1
    return ((_C1 + _C2 * root) / (1 + _C3 * root)) ** _M2


@functools.cache
def _encoded() -> Bytes:
    """Level in sRGB for each of `_LEVELS` steps of light."""
    x = np.arange(_LEVELS) / (_LEVELS - 1)
    return np.round(255 * np.where(x <= 0.0031308, x * 12.92, 1.055 * x ** (1 / 2.4) - 0.055)).astype(np.uint8)
