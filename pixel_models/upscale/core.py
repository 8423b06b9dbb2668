"""`upscale`: sprites enlarged by a whole factor, with the method as a choice."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from ..errors import ShapeError
from ..image import check_image, enlarge
from .epx import EPX_SCALES, MOST_SCALE, epx
from .smooth import smooth

UpscaleMethod = Literal["nearest", "epx", "smooth"]
UPSCALE_METHODS: tuple[UpscaleMethod, ...] = get_args(UpscaleMethod)
"""Every `UpscaleMethod`."""

_BY = {"nearest": enlarge, "epx": epx, "smooth": smooth}


@torch.no_grad()
def upscale(
    rgb: Tensor, scale: int, method: UpscaleMethod = "nearest", *, alpha: Tensor | None = None
) -> tuple[Tensor, Tensor | None]:
    """Enlarge sprites by a whole factor.

    `nearest`: every pixel becomes a square. `epx`: squares lose their corners where two neighbours agree (EPX, also
    known as Scale2x, and Scale3x); hard edges, no new colours. `smooth`: areas with curved, anti-aliased borders, as if
    drawn with a pen; flat areas keep their colours exactly.

    Args:
        rgb: `b 3 h w`, float32 in [0, 1], at native size.
        scale: 1 to 16; for "epx" a product of 2 and 3.
        method: how.
        alpha: `b 1 h w`, float32 in [0, 1]; one more value of the colour. What is under transparent pixels is ignored.

    Returns:
        `b 3 h*scale w*scale` and, where `alpha` was given, `b 1 h*scale w*scale`; soft at borders for "smooth".

    Raises:
        ShapeError: `method` is unknown, `scale` is not possible, or `alpha` does not fit.
        ImageError: a picture is empty, or holds no colours.
    """
    check_image(rgb, "rgb")
    if method not in UPSCALE_METHODS:
        msg = f"method is {method!r}, expected one of {', '.join(UPSCALE_METHODS)}"
        raise ShapeError(msg)
    if isinstance(scale, bool) or scale not in (EPX_SCALES if method == "epx" else range(1, MOST_SCALE + 1)):
        can = f"one of {', '.join(map(str, EPX_SCALES))}" if method == "epx" else f"a whole number of 1 to {MOST_SCALE}"
        msg = f"scale is {scale!r}, expected {can} for {method!r}"
        raise ShapeError(f"{msg}; nearest and smooth do others" if method == "epx" else msg)
    picture = rgb
    if alpha is not None:
        check_image(alpha, "alpha", channels=(1,))
        if alpha.shape != rgb[:, :1].shape:
            msg = f"alpha is {tuple(alpha.shape)}, expected {tuple(rgb[:, :1].shape)}, as its picture"
            raise ShapeError(msg)
        picture = torch.cat([rgb, alpha.to(rgb)], dim=1)
    made = picture if scale == 1 else _BY[method](picture, scale)
    return made[:, :3].contiguous(), None if alpha is None else made[:, 3:].contiguous()
