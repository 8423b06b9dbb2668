"""Pictures to a palette, by any dither, with hard alpha."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from ..errors import PaletteError, ShapeError
from ..image import check_image
from ..palette import IndexedImage, Palette, Space, nearest_indices
from .diffusion import DIFFUSIONS, Diffusion, diffuse
from .matrices import ORDERED, Ordered
from .ordered import ordered_dither

Dither = Literal["none"] | Ordered | Diffusion
"""Every way to bring a picture to a palette."""

DITHERS: tuple[Dither, ...] = ("none", *ORDERED, *DIFFUSIONS)
"""Every `Dither`."""


def apply_palette(
    rgb: Tensor,
    palette: Palette,
    *,
    alpha: Tensor | None = None,
    dither: Dither = "none",
    strength: float = 1.0,
    serpentine: bool = False,
    linear: bool = False,
    space: Space = "oklab",
    pattern: Tensor | None = None,
) -> IndexedImage:
    """Give every pixel a colour of the palette, and nothing else.

    Args:
        rgb: `b 3 h w`, floating point in [0, 1].
        palette: k colours.
        alpha: `b 1 h w` in [0, 1]; below a half is transparent, and hands no error on. None is opaque.
        dither: one of `DITHERS`.
        strength: for dithers: 0 (none) to 1; ordered ones take more.
        serpentine: for error diffusion: every second line from right to left.
        linear: for error diffusion: hand on light instead of gamma-coded sRGB.
        space: which difference decides what is nearest.
        pattern: an ordered dither's matrix of one's own, `h w`, which takes the place of the named one's ("none" is
            then as "bayer4"); see `matrices.pattern_map`.

    Returns:
        The picture; `transparent` is None when no pixel is.

    Raises:
        ShapeError, ImageError: `rgb` or `alpha` is no picture, or they differ in size.
        PaletteError: no such dither or difference, `strength` out of range, no pattern, or one with error diffusion.
    """
    check_image(rgb, "rgb")
    clear = None
    if alpha is not None:
        check_image(alpha, "alpha", (1,))
        b, _, h, w = rgb.shape
        if alpha.shape != (b, 1, h, w):
            msg = f"alpha: expected shape {(b, 1, h, w)}, as the picture's, got {tuple(alpha.shape)}"
            raise ShapeError(msg)
        clear = (alpha[:, 0].detach() < 0.5).to(rgb.device)
        clear = clear if bool(clear.any()) else None
    if pattern is not None and dither in DIFFUSIONS:
        msg = f"a pattern takes the place of an ordered dither's matrix, and {dither} is none; choose one of {ORDERED}"
        raise PaletteError(msg)
    if pattern is not None and dither == "none":
        dither = "bayer4"
    if dither == "none":
        indices = nearest_indices(rgb, palette, space=space)
    elif dither in ORDERED:
        indices = ordered_dither(rgb, palette, dither, strength=strength, space=space, pattern=pattern)
    elif dither in DIFFUSIONS:
        opaque = None if clear is None else ~clear
        indices = diffuse(
            rgb,
            palette,
            dither,
            serpentine=serpentine,
            strength=strength,
            linear=linear,
            opaque=opaque,
            space=space,
        )
    else:
        msg = f"{dither!r} is no dither; expected one of {', '.join(DITHERS)}"
        raise PaletteError(msg)
    return IndexedImage(indices, palette, clear)
