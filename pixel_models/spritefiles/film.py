"""Frames as files hold them: 8 bits a channel, of one size where they move, of one palette where that holds them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import ImageError
from ..image import MAX_PIXELS, check_image, from_uint8, to_uint8
from ..palette import IndexedImage, Palette, extract_palette, nearest_indices
from ..sheets.core import SpriteSheet

Bytes = NDArray[np.uint8]
"""An array of bytes."""

Art = SpriteSheet | IndexedImage | Tensor
"""What can be written: frames, an indexed batch, or a batch `b 4 h w` (or `b 3 h w`), float32 in [0, 1]."""

MOST_ENTRIES = 256
"""Entries of a file's palette, the transparent one included."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Film:
    """Frames ready to be written. Where pixels are transparent, entry 0 stands for them and the colours follow."""

    frames: list[Bytes]
    """Each `h w` palette indices where there are colours, else `h w 4`, straight alpha, 0 where that is 0."""
    colors: Bytes | None
    """`k 3`, entry 0 of no meaning where `clear`; None: more colours than a palette holds, or half-opaque pixels."""
    clear: bool
    """Whether entry 0 is transparent."""
    durations: list[int]
    """Milliseconds."""
    names: list[str]
    tags: list[str]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the first frame."""
        return self.frames[0].shape[1], self.frames[0].shape[0]


def make_film(
    art: Art,
    *,
    scale: int = 1,
    duration: int = 100,
    palette: Palette | None = None,
    one_size: bool = True,
    hard: bool = False,
    always_clear: bool = False,
) -> Film:
    """Bring frames to what a file holds.

    Args:
        art: the frames.
        scale: every pixel so many times along both axes.
        duration: milliseconds a frame, where `art` does not say.
        palette: bring all to this one, by the nearest colour; pixels below half opacity become transparent.
        one_size: set smaller frames at the middle of the bottom of the largest width and height.
        hard: the file holds indices alone: pixels below half opacity become transparent, the others opaque, and where
            more colours are left than it holds, a palette is made (Oklab k-means).
        always_clear: keep entry 0 for transparent pixels also where there are none.

    Raises:
        ShapeError, ImageError, SheetError: `art` is none of the kinds, or the frames get too large.
    """
    sheet = to_sheet(art, duration)
    given = art if isinstance(art, IndexedImage) and palette in (None, art.palette) else None
    if given is not None and isinstance(given, IndexedImage):
        frames, masks, colors = _indexed(given)
    else:
        pictures = [_to_pixels(frame.rgba) for frame in sheet.frames]
        pictures = _on_one_canvas(pictures) if one_size else pictures
        frames, masks, colors = _match(pictures, palette) if palette else _count(pictures, hard=hard)
    clear = always_clear or any(bool(mask.any()) for mask in masks)
    if colors is not None and len(colors) + clear > MOST_ENTRIES:
        frames, masks, colors = _fewer(frames, masks, colors, clear=clear, hard=hard)
    if colors is not None:
        frames, colors = _with_clear(frames, masks, colors) if clear else (frames, colors)
        frames = [frame.astype(np.uint8) for frame in frames]
    return Film(
        frames=[_enlarge(frame, scale) for frame in frames],
        colors=None if colors is None else colors,
        clear=clear and colors is not None,
        durations=[frame.duration for frame in sheet.frames],
        names=[frame.name for frame in sheet.frames],
        tags=[frame.tag for frame in sheet.frames],
    )


_Parts = tuple[list[NDArray[np.integer[Any]]], list[NDArray[np.bool_]], Bytes | None]
"""Indices `h w` (or pixels `h w 4`), transparent pixels `h w`, and colours `k 3` (or None)."""


def to_sheet(art: Art, duration: int) -> SpriteSheet:
    """Frames of whatever can be written.

    Raises:
        ShapeError, ImageError: `art` is none of the kinds.
    """
    if isinstance(art, SpriteSheet):
        return art
    rgba = art.to_rgba() if isinstance(art, IndexedImage) else art
    check_image(rgba, "art", channels=(3, 4))
    if rgba.shape[1] == 3:
        rgba = torch.cat([rgba, torch.ones_like(rgba[:, :1])], dim=1)
    return SpriteSheet.of_batch(rgba, duration=duration)


def _to_pixels(rgba: Tensor) -> Bytes:
    pixels = to_uint8(rgba.detach().cpu()).permute(1, 2, 0).numpy().copy()  # h w 4
    pixels[pixels[..., 3] == 0] = 0
    return pixels


def _on_one_canvas(pictures: list[Bytes]) -> list[Bytes]:
    """Sprites stand on the ground: the middle of the bottom stays where it is."""
    height = max(picture.shape[0] for picture in pictures)
    width = max(picture.shape[1] for picture in pictures)
    out: list[Bytes] = []
    for picture in pictures:
        h, w = picture.shape[:2]
        left = (width - w) // 2
        out.append(np.pad(picture, ((height - h, 0), (left, width - w - left), (0, 0))))
    return out


def _indexed(image: IndexedImage) -> _Parts:
    indices = image.indices.cpu().numpy()
    clear = np.zeros(indices.shape, bool) if image.transparent is None else image.transparent.cpu().numpy()
    return list(indices), list(clear), image.palette.colors.numpy()


def _match(pictures: Sequence[Bytes], palette: Palette) -> _Parts:
    frames = [nearest_indices(_to_rgb(picture), palette)[0].numpy() for picture in pictures]
    return list(frames), [picture[..., 3] < 128 for picture in pictures], palette.colors.numpy()


def _to_rgb(picture: Bytes) -> Tensor:
    return from_uint8(torch.from_numpy(np.ascontiguousarray(picture[..., :3])).permute(2, 0, 1)[None])  # 1 3 h w


def _count(pictures: list[Bytes], *, hard: bool) -> _Parts:
    """The exact colours in the order in which they appear, where a palette holds them."""
    soft = any(bool(((p[..., 3] > 0) & (p[..., 3] < 255)).any()) for p in pictures)
    masks = [picture[..., 3] < (128 if hard else 1) for picture in pictures]
    if soft and not hard:
        return list(pictures), masks, None
    codes = np.concatenate([_codes(p)[~mask] for p, mask in zip(pictures, masks, strict=True)])
    distinct, first = np.unique(codes, return_index=True)
    if len(distinct) == 0:
        return [np.zeros(mask.shape, np.int64) for mask in masks], masks, np.zeros((1, 3), np.uint8)
    if len(distinct) > MOST_ENTRIES - any(bool(mask.any()) for mask in masks):
        return _extract(pictures, masks) if hard else (list(pictures), masks, None)
    order = first.argsort()
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    colors = np.stack([distinct[order] >> shift & 255 for shift in (16, 8, 0)], axis=1).astype(np.uint8)
    at = [np.searchsorted(distinct, _codes(picture)).clip(max=len(distinct) - 1) for picture in pictures]
    return [rank[places] for places in at], masks, colors


def _codes(picture: Bytes) -> NDArray[np.int64]:
    return picture[..., :3].astype(np.int64) @ np.array([1 << 16, 1 << 8, 1])


def _extract(pictures: list[Bytes], masks: list[NDArray[np.bool_]]) -> _Parts:
    """A palette of all frames together, for a file that holds no more."""
    pixels = np.concatenate([p[~mask] for p, mask in zip(pictures, masks, strict=True)])[:, :3]  # n 3
    column = from_uint8(torch.from_numpy(pixels.T.copy()))[None, :, None]  # 1 3 1 n
    return _match(pictures, extract_palette(column, MOST_ENTRIES - any(bool(mask.any()) for mask in masks)))


def _fewer(
    frames: Sequence[NDArray[np.integer[Any]]],
    masks: list[NDArray[np.bool_]],
    colors: Bytes,
    *,
    clear: bool,
    hard: bool,
) -> _Parts:
    """Leave out entries that no pixel has; where that is not enough, give the palette up."""
    used = np.unique(np.concatenate([f[~m] for f, m in zip(frames, masks, strict=True)]))
    if len(used) + clear <= MOST_ENTRIES:
        at = [np.searchsorted(used, frame).clip(max=max(0, len(used) - 1)) for frame in frames]
        return list(at), masks, colors[used]
    pictures = [_paint(frame, mask, colors) for frame, mask in zip(frames, masks, strict=True)]
    return _extract(pictures, masks) if hard else (list(pictures), masks, None)


def _paint(frame: NDArray[np.integer[Any]], mask: NDArray[np.bool_], colors: Bytes) -> Bytes:
    picture = np.concatenate([colors[frame.astype(np.int64)], np.full((*frame.shape, 1), 255, np.uint8)], axis=2)
    picture[mask] = 0
    return picture


def _with_clear(
    frames: Sequence[NDArray[np.integer[Any]]], masks: list[NDArray[np.bool_]], colors: Bytes
) -> tuple[list[NDArray[np.integer[Any]]], Bytes]:
    shifted = [np.where(mask, 0, frame.astype(np.int64) + 1) for frame, mask in zip(frames, masks, strict=True)]
    return list(shifted), np.concatenate([np.zeros((1, 3), np.uint8), colors])


def _enlarge(frame: NDArray[np.integer[Any]], scale: int) -> Bytes:
    if isinstance(scale, bool) or not isinstance(scale, int) or scale < 1:
        msg = f"scale is {scale!r}, expected a whole factor of at least 1"
        raise ImageError(msg)
    height, width = frame.shape[:2]
    if height * width * scale * scale > MAX_PIXELS:
        msg = f"{width}x{height} pixels, {scale} times as large, are over the limit of {MAX_PIXELS} pixels"
        raise ImageError(msg)
    return np.ascontiguousarray(frame.repeat(scale, axis=0).repeat(scale, axis=1), dtype=np.uint8)


def refuse_over(film: Film, side: int, longest: int, kind: str) -> None:
    """Refuse frames that are larger than a format holds, or shown for longer.

    Raises:
        ImageError: a side is over `side` pixels, or a duration over `longest` milliseconds.
    """
    if max(film.size) > side:
        msg = f"{film.size[0]}x{film.size[1]} pixels; {kind} holds at most {side} along a side, make the frames smaller"
        raise ImageError(msg)
    if max(film.durations) > longest:
        msg = f"a frame of {max(film.durations)} ms; {kind} holds at most {longest} ms, repeat the frame instead"
        raise ImageError(msg)


__all__ = ["MOST_ENTRIES", "Art", "Bytes", "Film", "make_film", "refuse_over", "to_sheet"]
