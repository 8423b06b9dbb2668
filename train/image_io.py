"""Pictures as the CycleGAN and pix2pix programs prepare them: sizes, crops, flips, [-1, 1], and back to 8 bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .canvas import rand, randint

PreparationMode = Literal["resize_and_crop", "crop", "scale_width", "scale_width_and_crop", "none"]

CROPPING: tuple[PreparationMode, ...] = ("resize_and_crop", "crop", "scale_width_and_crop")
"""Modes that give every picture the same size, as batches and image pools need."""


@dataclass(frozen=True)
class Placement:
    """Where a picture is cropped, in pixels of the resized one, and whether it is mirrored."""

    left: int = 0
    top: int = 0
    flip: bool = False


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """From a picture to what the network sees; the defaults are the reference's in training."""

    mode: PreparationMode = "resize_and_crop"
    """`resize_and_crop` makes a square, whatever the picture's shape; `scale_width` keeps the shape; `none` only rounds
    both sides to multiples of four."""

    load: int = 286
    """Side or width after resizing, pixels."""

    crop: int = 256
    """Side of the square that is cut out, pixels."""

    flip: bool = True
    """Mirror every second picture."""

    def __post_init__(self) -> None:
        """Check the values."""
        if self.mode not in get_args(PreparationMode):
            msg = f"mode is {self.mode!r}, expected one of {', '.join(map(repr, get_args(PreparationMode)))}"
            raise ValueError(msg)
        if not 1 <= self.crop <= self.load:
            msg = f"crop is {self.crop} and load {self.load} pixels, expected 1 <= crop <= load"
            raise ValueError(msg)

    def resized(self, size: tuple[int, int]) -> tuple[int, int]:
        """What a picture of `size` (width, height) is resized to, before cropping."""
        if self.mode == "resize_and_crop":
            return self.load, self.load
        if self.mode in {"scale_width", "scale_width_and_crop"}:
            return scaled_to_width(size, self.load, self.crop)
        return multiple_of_four(size) if self.mode == "none" else size

    def place(self, size: tuple[int, int], generator: torch.Generator) -> Placement:
        """Choose a crop and a flip for a picture of `size` (width, height).

        Raises:
            ValueError: the picture is smaller than the crop, which `crop` does not change.
        """
        left = top = 0
        if self.mode in CROPPING:
            width, height = self.resized(size)
            if min(width, height) < self.crop:
                msg = f"a picture of {width}x{height} pixels holds no crop of {self.crop}; use mode 'resize_and_crop'"
                raise ValueError(msg)
            left, top = randint(generator, 0, width - self.crop), randint(generator, 0, height - self.crop)
        return Placement(left, top, self.flip and rand(generator) < 0.5)

    def apply(self, picture: Image.Image, placement: Placement) -> Tensor:
        """Resize (bicubic), crop, mirror.

        Returns:
            `3 h w`, float32 in [-1, 1].
        """
        size = self.resized(picture.size)
        if picture.size != size:
            picture = picture.resize(size, Image.Resampling.BICUBIC)
        if self.mode in CROPPING:
            left, top = placement.left, placement.top
            picture = picture.crop((left, top, left + self.crop, top + self.crop))
        if placement.flip:
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return from_picture(picture)


def multiple_of_four(size: tuple[int, int]) -> tuple[int, int]:
    """Both sides to the nearest multiple of four, half to even, as Python rounds: 6 to 8, 10 to 8.

    Raises:
        ValueError: a side of one or two pixels would vanish.
    """
    width, height = (round(side / 4) * 4 for side in size)
    if not width or not height:
        msg = f"a picture of {size[0]}x{size[1]} pixels is too small, expected sides of three or more"
        raise ValueError(msg)
    return width, height


def scaled_to_width(size: tuple[int, int], load: int, crop: int) -> tuple[int, int]:
    """Width `load`, height in proportion but no less than `crop`; a picture that already has both stays."""
    width, height = size
    if width == load and height >= crop:
        return size
    return load, int(max(load * height / width, crop))


def on_white(picture: Tensor) -> Image.Image:
    """A picture `4 h w`, uint8, straight alpha, as RGB on white."""
    rgba = Image.fromarray(picture.permute(1, 2, 0).contiguous().numpy())
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")


def from_picture(picture: Image.Image) -> Tensor:
    """A picture to `3 h w`, float32 in [-1, 1]."""
    pixels = torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1)
    return (pixels.float() / 255 - 0.5) / 0.5


def to_unit(x: Tensor, *, faithful: bool = False) -> Tensor:
    """From [-1, 1] to [0, 1] on the 256 levels of 8 bit.

    Args:
        x: any shape.
        faithful: cut off what is between two levels, as the reference does, instead of rounding: 63 of the 256 levels
            then do not survive the way there and back.
    """
    levels = (x.float().clamp(-1, 1) + 1) / 2 * 255
    return (levels.floor() if faithful else levels.round()) / 255
