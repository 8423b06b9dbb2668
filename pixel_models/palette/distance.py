"""Colour differences by which a palette is matched: Oklab, 8-bit RGB, and CIEDE2000."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from ..color import srgb_to_linear, srgb_to_oklab
from ..errors import PaletteError

Space = Literal["oklab", "rgb", "ciede2000"]
"""What "nearest" means: distance in Oklab, distance in gamma-coded RGB, or the CIEDE2000 formula."""

SPACES: tuple[Space, ...] = get_args(Space)
"""Every `Space`, the default first."""

# Linear sRGB to XYZ (IEC 61966-2-1), rows divided by the white that they give, so that white is L 100, a 0, b 0.
_RGB_TO_XYZ = (
    (0.4123907993, 0.3575843394, 0.1804807884),
    (0.2126390059, 0.7151686788, 0.0721923154),
    (0.0193308187, 0.1191947798, 0.9505321522),
)
_LAB_KNEE = (6 / 29) ** 3


def check_space(space: str) -> None:
    """Refuse what is no `Space`.

    Raises:
        PaletteError: it is none of `SPACES`.
    """
    if space not in SPACES:
        msg = f"{space!r} is no colour difference; expected one of {', '.join(SPACES)}"
        raise PaletteError(msg)


def srgb_to_cielab(rgb: Tensor, dim: int = 1) -> Tensor:
    """Turn sRGB into CIE L*a*b* of 1976, relative to the white of sRGB (D65).

    Args:
        rgb: any shape with 3 channels at `dim`, sRGB in [0, 1].
        dim: the channel axis.

    Returns:
        Same shape: L in [0, 100], a and b in about [-110, 100].
    """
    red, green, blue = srgb_to_linear(rgb).unbind(dim)
    xyz = [(red * r + green * g + blue * b) / (r + g + b) for r, g, b in _RGB_TO_XYZ]
    x, y, z = (
        torch.where(v > _LAB_KNEE, v.clamp(min=_LAB_KNEE) ** (1 / 3), v / (3 * (6 / 29) ** 2) + 4 / 29) for v in xyz
    )
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim)


def ciede2000(one: Tensor, other: Tensor) -> Tensor:
    """Colour difference of CIE 142-2001, as Sharma, Wu and Dalal (2005) write it, with kL = kC = kH = 1.

    Args:
        one: `... 3`, CIE L*a*b*, floating point.
        other: the same, of a shape that broadcasts against `one`.

    Returns:
        `...`, 0 or more; about 1 is just noticeable. Symmetric.
    """
    (l1, a1, b1), (l2, a2, b2) = one.unbind(-1), other.unbind(-1)
    mean_chroma7 = ((torch.hypot(a1, b1) + torch.hypot(a2, b2)) / 2) ** 7
    grey = 1.5 - 0.5 * torch.sqrt(mean_chroma7 / (mean_chroma7 + 25.0**7))  # equation 4, with the 1 added
    a1, a2 = a1 * grey, a2 * grey
    c1, c2 = torch.hypot(a1, b1), torch.hypot(a2, b2)
    h1, h2 = torch.rad2deg(torch.atan2(b1, a1)) % 360, torch.rad2deg(torch.atan2(b2, a2)) % 360
    colorless = c1 * c2 == 0
    turn = h2 - h1
    turn = torch.where(turn > 180, turn - 360, torch.where(turn < -180, turn + 360, turn))
    turn = torch.where(colorless, torch.zeros_like(turn), turn)  # equation 10
    d_hue = 2 * torch.sqrt(c1 * c2) * torch.sin(torch.deg2rad(turn) / 2)
    total = h1 + h2
    apart = (h1 - h2).abs() > 180
    hue = torch.where(apart, torch.where(total < 360, total + 360, total - 360), total) / 2
    hue = torch.where(colorless, total, hue)  # equation 14
    light, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    swing = (
        1
        - 0.17 * torch.cos(torch.deg2rad(hue - 30))
        + 0.24 * torch.cos(torch.deg2rad(2 * hue))
        + 0.32 * torch.cos(torch.deg2rad(3 * hue + 6))
        - 0.20 * torch.cos(torch.deg2rad(4 * hue - 63))
    )
    blue_turn = torch.deg2rad(60 * torch.exp(-(((hue - 275) / 25) ** 2)))
    chroma7 = chroma**7
    mixed = -2 * torch.sqrt(chroma7 / (chroma7 + 25.0**7)) * torch.sin(blue_turn)
    middle = (light - 50) ** 2
    d_l = (l2 - l1) / (1 + 0.015 * middle / torch.sqrt(20 + middle))
    d_c = (c2 - c1) / (1 + 0.045 * chroma)
    d_h = d_hue / (1 + 0.015 * chroma * swing)
    return torch.sqrt((d_l**2 + d_c**2 + d_h**2 + mixed * d_c * d_h).clamp(min=0))


def nearest_ciede2000(points: Tensor, wanted: Tensor) -> Tensor:
    """Which of some colours has the least `ciede2000`; pairs that cannot win are left out by a bound.

    The formula divides by at most S_L = 1.75 and S_C = 1 + 0.045 C', with C' at most 1.5 C, takes nothing from the
    differences in a and b, and its mixed term leaves at least 1 - |R_T| / 2 of those in chroma and hue.

    Args:
        points: `n 3`, CIE L*a*b*, float64.
        wanted: `k 3`, the same.

    Returns:
        `n`, int64; of equally near colours the first.
    """
    away = (points[:, None].float() - wanted.float()).square()  # n k 3
    chroma = (points[:, None, 1:].float().norm(dim=2) + wanted[:, 1:].float().norm(dim=1)) * 0.75
    turn = (chroma**7 / (chroma**7 + 25.0**7)).sqrt() * 0.8661
    least = away[..., 0] / 1.75**2 + (1 - turn) * (away[..., 1] + away[..., 2]) / (1 + 0.045 * chroma) ** 2
    most = ciede2000(points, wanted[least.argmin(1)])
    rows, colors = (least <= (most**2 * 1.001 + 1e-4)[:, None]).nonzero(as_tuple=True)
    exact = torch.full(least.shape, float("inf"), dtype=points.dtype, device=points.device)
    exact[rows, colors] = ciede2000(points[rows], wanted[colors])
    return exact.argmin(1)


def coordinates(rgb: Tensor, space: Space) -> Tensor:
    """Where colours lie in the space of a difference.

    Args:
        rgb: `n 3`, float32 in [0, 1], sRGB.
        space: Oklab and RGB are measured by distance, "ciede2000" by `ciede2000` of the result.

    Returns:
        `n 3`, float32; CIE L*a*b* as float64, which the formula needs near grey.
    """
    if space == "ciede2000":
        return srgb_to_cielab(rgb.double(), dim=1)
    return srgb_to_oklab(rgb, dim=1) if space == "oklab" else rgb
