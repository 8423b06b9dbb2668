"""What of sprites stays when a PixelCNN completes them, from what is connected to the node."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor
from torch.nn import functional as F

from ..pixel_models.checkpoint import LoadedModel
from ..pixel_models.codes import CodeGrid, clear_codes, decode, encode
from ..pixel_models.errors import ImageError, ShapeError
from ..pixel_models.generate.parts import between, keep_outside
from ..pixel_models.palette import IndexedImage
from ._art import to_rgba


def prior_codes(coder: LoadedModel, picture: Tensor | IndexedImage | CodeGrid, mask: Tensor | None) -> CodeGrid:
    """Pictures as codes of the kind that priors are trained on, which themselves say what is transparent.

    Other codes do not: beside a mask that travels with them, those of places that it hides stand for anything.
    """
    if isinstance(picture, CodeGrid):
        if picture.require(coder).transparent is None:
            return picture
        rgb, alpha = decode(coder, picture)
    else:
        rgba = to_rgba(picture, mask)
        rgb, alpha = rgba[:, :3], (rgba[:, 3:] >= 0.5).float()
    codes = encode(coder, rgb, alpha, keep_alpha=False, nearest="picture")
    return dataclasses.replace(codes, transparent=alpha[:, 0].cpu() < 0.5)


def series(
    given: CodeGrid, other: CodeGrid, count: int, place: float, generator: torch.Generator
) -> tuple[CodeGrid, Tensor]:
    """For each pair of n sprites the codes of `count` between them, and which of these stay, `n*count h w`, bool."""
    places = [place] if count == 1 else [(index + 1) / (count + 1) for index in range(count)]
    parts = [between(given, other, one, generator) for one in places]
    indices = torch.stack([codes.indices for codes, _ in parts], 1).flatten(0, 1)
    stays = torch.stack([one for _, one in parts], 1).flatten(0, 1)
    return dataclasses.replace(parts[0][0], indices=indices), stays


def outside(coder: LoadedModel, given: CodeGrid, fill: Tensor | None, count: int) -> Tensor:
    """Codes that stay, `b h w`, bool: outside `fill`, or without one those of which something shows.

    Raises:
        ImageError: all of them.
    """
    if fill is None:
        stays = ~(given.hidden() | clear_codes(coder)[given.indices])
    else:
        stays = keep_outside(given, _pixels(fill, given, count))
    if bool(stays.all()):
        what = "no place of the image is wholly transparent" if fill is None else "fill is 0 everywhere"
        msg = f"there is nothing to draw: {what}; connect a fill mask that is 1 where something is missing"
        raise ImageError(msg)
    return stays


def silhouette(coder: LoadedModel, given: CodeGrid, fill: Tensor | None, count: int) -> Tensor:
    """What is to be opaque, `b height width`, bool: inside `fill`, or without one what the sprites show.

    Raises:
        ImageError: all of it, or nothing.
    """
    opaque = decode(coder, given)[1][:, 0] > 0 if fill is None else _pixels(fill, given, count)
    if fill is None and bool(opaque.all()):
        msg = "the image is opaque throughout, so it has no silhouette; connect its mask (1 = transparent), or fill"
        raise ImageError(msg)
    if not bool(opaque.any()):
        what = "the image is transparent" if fill is None else "fill is 0"
        msg = f"the silhouette is empty, for {what} everywhere; expected something to draw into"
        raise ImageError(msg)
    return opaque


def _pixels(fill: Tensor, given: CodeGrid, count: int) -> Tensor:
    """A MASK `b h w` or `h w` fitted to sprites that stand `count` times each: `b*count height width`, bool.

    Raises:
        ShapeError: another number of masks than one, or one a sprite.
    """
    fill = fill[None] if fill.ndim == 2 else fill
    sprites = len(given) // count
    if fill.ndim != 3 or len(fill) not in (1, sprites):
        msg = f"fill is {tuple(fill.shape)}, expected `b h w` with b = 1 or {sprites}, one mask a sprite"
        raise ShapeError(msg)
    fitted = F.adaptive_avg_pool2d(fill.float()[:, None], (given.height, given.width))[:, 0].cpu() >= 0.5
    return fitted.expand(sprites, -1, -1).repeat_interleave(count, 0)


def with_kept(picture: tuple[Tensor, Tensor], own: Tensor, stays: Tensor, patch: int) -> tuple[Tensor, Tensor]:
    """A picture `b 3 h w`, `b 1 h w` with the pixels of `own`, `b 4 h w`, at those codes that stay, `b h w`."""
    here = stays.repeat_interleave(patch, 1).repeat_interleave(patch, 2)[:, None, : own.shape[2], : own.shape[3]]
    own, (rgb, alpha) = own.float().cpu(), picture
    opaque = (own[:, 3:] >= 0.5).float()
    return (own[:, :3] * opaque).where(here, rgb), opaque.where(here, alpha)
