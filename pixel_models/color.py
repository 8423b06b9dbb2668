"""Colour spaces: sRGB, linear light and Oklab, as differentiable inverse pairs."""

from __future__ import annotations

import torch
from torch import Tensor

RGB_TO_LMS = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
"""Linear sRGB to cone responses. Björn Ottosson, "A perceptual color space for image processing" (2020),
https://bottosson.github.io/posts/oklab/"""

LMS_TO_LAB = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)
"""Cube roots of cone responses to Oklab; Ottosson, as above."""


def _inverse(matrix: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
    """Inverse of a 3x3 matrix, so that each pair below is one to rounding."""
    (a, b, c), (d, e, f), (g, h, i) = matrix
    determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    adjugate = (
        (e * i - f * h, c * h - b * i, b * f - c * e),
        (f * g - d * i, a * i - c * g, c * d - a * f),
        (d * h - e * g, b * g - a * h, a * e - b * d),
    )
    return tuple(tuple(value / determinant for value in row) for row in adjugate)


_LMS_TO_RGB = _inverse(RGB_TO_LMS)
_LAB_TO_LMS = _inverse(LMS_TO_LAB)

# Below this the cube root is replaced by the straight line through zero, so that its slope stays finite at
# black. Every cone response of an 8-bit colour is either 0 or above it, so 8-bit colours come out exact.
_ROOT_KNEE = 1e-5
_ROOT_SLOPE = _ROOT_KNEE ** (-2 / 3)


def srgb_to_linear(x: Tensor) -> Tensor:
    """Undo the sRGB curve (IEC 61966-2-1), element by element.

    Args:
        x: any shape, floating point; sRGB in [0, 1]. Values below 0 continue the curve's straight part.

    Returns:
        Same shape, linear light in [0, 1]. The inverse of `linear_to_srgb`.
    """
    return torch.where(x <= 0.04045, x / 12.92, ((x.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(x: Tensor) -> Tensor:
    """Apply the sRGB curve (IEC 61966-2-1), element by element.

    Args:
        x: any shape, floating point; linear light in [0, 1]. Values below 0 continue the curve's straight part.

    Returns:
        Same shape, sRGB in [0, 1]. The inverse of `srgb_to_linear`.
    """
    return torch.where(x <= 0.0031308, x * 12.92, 1.055 * x.clamp(min=0.0031308) ** (1 / 2.4) - 0.055)


def srgb_to_oklab(rgb: Tensor, dim: int = 1) -> Tensor:
    """Turn sRGB into Oklab; differentiable, with finite gradients everywhere, black included.

    Args:
        rgb: any shape with 3 channels at `dim`, sRGB in [0, 1]; computed in at least float32.
        dim: the channel axis; 1 for `b 3 h w`, -1 for `... 3`.

    Returns:
        Same shape: lightness in [0, 1], then a and b in about [-0.4, 0.4]. The inverse of `oklab_to_srgb`.
    """
    linear = srgb_to_linear(_at_least_float32(rgb))
    return _mix(_signed_root(_mix(linear, RGB_TO_LMS, dim)), LMS_TO_LAB, dim)


def oklab_to_srgb(lab: Tensor, dim: int = 1) -> Tensor:
    """Turn Oklab into sRGB; colours outside sRGB are clamped channel by channel.

    Args:
        lab: any shape with 3 channels at `dim`; computed in at least float32.
        dim: the channel axis; 1 for `b 3 h w`, -1 for `... 3`.

    Returns:
        Same shape, sRGB in [0, 1]. The inverse of `srgb_to_oklab`.
    """
    roots = _mix(_at_least_float32(lab), _LAB_TO_LMS, dim)
    return linear_to_srgb(_mix(_signed_cube(roots), _LMS_TO_RGB, dim)).clamp(0, 1)


def _at_least_float32(x: Tensor) -> Tensor:
    return x if x.dtype == torch.float64 else x.float()


def _mix(x: Tensor, matrix: tuple[tuple[float, ...], ...], dim: int) -> Tensor:
    # Sums instead of a matrix product: autocast and TF32 would compute that in half precision.
    first, second, third = x.unbind(dim)
    return torch.stack([(first * a).add(second, alpha=b).add(third, alpha=c) for a, b, c in matrix], dim)


def _signed_root(x: Tensor) -> Tensor:
    root = x.sign() * x.abs().clamp(min=_ROOT_KNEE) ** (1 / 3)
    return torch.where(x.abs() < _ROOT_KNEE, x * _ROOT_SLOPE, root)


def _signed_cube(x: Tensor) -> Tensor:
    return torch.where(x.abs() < _ROOT_KNEE ** (1 / 3), x / _ROOT_SLOPE, x**3)
