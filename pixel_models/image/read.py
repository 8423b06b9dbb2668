"""Reads picture files of every common kind into float RGBA tensors."""

from __future__ import annotations

import io
import os
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ..errors import ImageError
from .tensors import from_uint8

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 2**27
"""Largest picture that is read, in pixels (11585x11585): a small file can claim to be a picture of any size."""

READ_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")
"""File name endings of the pictures that are looked for in folders."""

# A JPEG of several pictures (a phone's depth map, a preview) is a still picture, and so is an icon of several sizes.
_MOVING_FORMATS = ("GIF", "WEBP", "PNG", "TIFF", "AVIF")
_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, struct.error, zlib.error)


def read_rgba(path: str | os.PathLike[str]) -> Tensor:
    """Read a picture; of an animation, the first frame.

    The EXIF rotation is applied, colours with an embedded profile (CMYK among them) are brought to sRGB,
    16-bit greys keep their precision.

    Args:
        path: PNG, JPEG, WebP, GIF, BMP, TIFF, or what else Pillow reads.

    Returns:
        `1 4 h w`, float32 in [0, 1], straight alpha (1 = opaque).

    Raises:
        ImageError: the file is missing, empty, cut short, no picture, over `MAX_PIXELS`, or of float pixels.
    """
    with open_picture(path) as image:
        image.load()
        return to_rgba(image)


def read_frames(path: str | os.PathLike[str]) -> Tensor:
    """Read every frame of a picture or an animation.

    Args:
        path: as for `read_rgba`.

    Returns:
        `f 4 h w`, float32 in [0, 1], straight alpha; a still picture has one frame.

    Raises:
        ImageError: as `read_rgba`; also when the frames together exceed `MAX_PIXELS`, or differ in size.
    """
    with open_picture(path) as image:
        count = frame_count(image)
        if count * image.width * image.height > MAX_PIXELS:
            msg = f"{path}: {count} frames of {image.width}x{image.height} pixels are over the limit of {MAX_PIXELS}"
            raise ImageError(msg)
        frames: list[Tensor] = []
        for index in range(count):
            image.seek(index)
            image.load()
            frames.append(to_rgba(image))
        sizes = {tuple(frame.shape[-2:]) for frame in frames}
        if len(sizes) > 1:
            msg = f"{path}: the pages differ in size (height, width): {sorted(sizes)}; expected one size"
            raise ImageError(msg)
        return torch.cat(frames)


def count_frames(path: str | os.PathLike[str]) -> int:
    """Count the frames of a picture file; 1 for a still picture.

    Raises:
        ImageError: as `read_rgba`.
    """
    with open_picture(path) as image:
        return frame_count(image)


@contextmanager
def open_picture(path: str | os.PathLike[str], most: int = MAX_PIXELS) -> Iterator[Image.Image]:
    """Open a picture, and turn what goes wrong while it is open into an `ImageError`.

    Raises:
        ImageError: as `read_rgba`, with `most` as the limit.
    """
    from PIL import Image

    path = Path(path)
    try:
        if path.stat().st_size == 0:
            msg = f"{path}: the file is empty (0 bytes); expected a picture"
            raise ImageError(msg)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # MAX_PIXELS is our limit
            image = Image.open(path)
        with image:
            if image.width * image.height > most:
                msg = f"{path}: {image.width}x{image.height} pixels are over the limit of {most}; make it smaller"
                raise ImageError(msg)
            yield image
    except ImageError as error:
        raise error if str(path) in str(error) else ImageError(f"{path}: {error}") from error
    except FileNotFoundError as error:
        msg = f"{path}: there is no such file"
        raise ImageError(msg) from error
    except IsADirectoryError as error:
        msg = f"{path}: is a folder; expected a picture file"
        raise ImageError(msg) from error
    except Image.UnidentifiedImageError as error:
        msg = f"{path}: is no picture that can be read; expected one of {', '.join(READ_SUFFIXES)}"
        raise ImageError(msg) from error
    except (Image.DecompressionBombError, MemoryError) as error:
        msg = f"{path}: the picture is too large; the limit is {most} pixels"
        raise ImageError(msg) from error
    except _UNREADABLE as error:
        msg = f"{path}: the picture cannot be read, it may be damaged or cut short ({error})"
        raise ImageError(msg) from error


def frame_count(image: Image.Image) -> int:
    """Frames of an opened picture; 1 where several pictures in a file are no animation."""
    return int(getattr(image, "n_frames", 1)) if image.format in _MOVING_FORMATS else 1


def to_rgba(image: Image.Image) -> Tensor:
    """Turn a loaded Pillow picture into `1 4 h w`, as `read_rgba` gives it.

    Raises:
        ImageError: float pixels, or whole numbers beyond 16 bits.
    """
    from PIL import ImageOps

    image = ImageOps.exif_transpose(image)
    if image.mode == "F":
        msg = "holds 32-bit float pixels, whose range is not known; save it with 8 or 16 bits"
        raise ImageError(msg)
    if image.mode.startswith("I"):
        return _deep_grey(image)
    pixels = np.array(_to_srgb(image).convert("RGBA"))  # h w 4
    return from_uint8(torch.from_numpy(pixels).permute(2, 0, 1)[None].contiguous())  # 1 4 h w


def _deep_grey(image: Image.Image) -> Tensor:
    """16-bit greys; `convert` would clip them at 255."""
    values = np.array(image).astype(np.int64)  # h w
    if values.size and (values.min() < 0 or values.max() > 65535):
        msg = f"holds grey values from {values.min()} to {values.max()}; expected 16 bits, 0 to 65535"
        raise ImageError(msg)
    clear = image.info.get("transparency")
    alpha = np.ones_like(values) if clear is None else values != clear
    grey = torch.from_numpy(values).float() / 65535
    return torch.stack([grey, grey, grey, torch.from_numpy(alpha).float()])[None]  # 1 4 h w


def _to_srgb(image: Image.Image) -> Image.Image:
    """Bring colours with an embedded profile to sRGB; a profile that does not work is ignored, as viewers do."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "RGBA", "CMYK", "L"):
        return image
    try:
        from PIL import ImageCms
    except ImportError:  # Pillow can be built without it
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(source).lower():
            return image
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (OSError, ValueError, TypeError, ImageCms.PyCMSError):
        return image
    return image if converted is None else converted
