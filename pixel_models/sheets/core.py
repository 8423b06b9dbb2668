"""`SpriteSheet`: frames of any size with names, times and tags, and where they lie on a picture."""

from __future__ import annotations

import dataclasses
import math

import torch
from torch import Tensor

from ..errors import ShapeError, SheetError
from ..image import check_image

DURATION = 100
"""Milliseconds that a frame is shown where nothing says otherwise."""

MAX_FRAMES = 2**14
"""Most frames that are cut from one picture, or read from one file."""

_LONGEST = 2**31 - 1


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Frame:
    """One sprite, whole: what was trimmed away on a sheet is back."""

    rgba: Tensor
    """`4 h w`, float32 in [0, 1], straight alpha."""
    name: str
    """Not empty; unique on a sheet is good manners, engines look frames up by it."""
    duration: int = DURATION
    """How long it is shown in an animation, ms, 1 or more."""
    pivot: tuple[float, float] | None = None
    """Where it stands or turns, in pixels right and down from its upper left corner; None: not said."""
    tag: str = ""
    """The animation it belongs to; empty: none."""

    def __post_init__(self) -> None:
        """Check the parts.

        Raises:
            ShapeError, ImageError: `rgba` is no picture.
            SheetError: no name, or a duration or pivot that is no such thing.
        """
        if not isinstance(self.rgba, Tensor) or self.rgba.ndim != 3:
            got = tuple(self.rgba.shape) if isinstance(self.rgba, Tensor) else type(self.rgba).__name__
            msg = f"a frame is a tensor `4 h w`, got {got}"
            raise ShapeError(msg)
        check_image(self.rgba[None], "frame", channels=(4,))
        if not self.name:
            msg = "a frame needs a name, got an empty one"
            raise SheetError(msg)
        if isinstance(self.duration, bool) or not isinstance(self.duration, int) or not 1 <= self.duration <= _LONGEST:
            msg = f"frame {self.name!r}: the duration is {self.duration!r}, expected whole milliseconds from 1"
            raise SheetError(msg)
        if self.pivot is not None and not all(math.isfinite(part) for part in self.pivot):
            msg = f"frame {self.name!r}: the pivot is {self.pivot}, expected two finite numbers in pixels"
            raise SheetError(msg)

    @property
    def width(self) -> int:
        """Pixels."""
        return self.rgba.shape[2]

    @property
    def height(self) -> int:
        """Pixels."""
        return self.rgba.shape[1]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Place:
    """Where a frame, or what is left of it after trimming, lies on a sheet's picture; all in pixels."""

    x: int
    y: int
    width: int
    """Of the part that lies on the picture."""
    height: int
    left: int = 0
    """Columns that were trimmed away at the frame's left."""
    top: int = 0
    """Rows that were trimmed away at the frame's top."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class SpriteSheet:
    """Frames in order; when they were packed or cut, also their picture and their places on it."""

    frames: tuple[Frame, ...]
    """One or more, of any sizes."""
    picture: Tensor | None = None
    """`4 h w`, float32 in [0, 1], straight alpha; None: not packed."""
    places: tuple[Place, ...] = ()
    """One for each frame, inside the picture; none without a picture."""
    loop: int = 0
    """How often the frames play as an animation; 0: for ever."""

    def __post_init__(self) -> None:
        """Check that the parts fit together.

        Raises:
            SheetError: no frames, places that do not fit frames and picture, or a negative number of times to play.
        """
        if not self.frames:
            msg = "a sprite sheet needs at least one frame, got none"
            raise SheetError(msg)
        if isinstance(self.loop, bool) or not isinstance(self.loop, int) or self.loop < 0:
            msg = f"loop is {self.loop!r}, expected 0 for ever, or how often it plays"
            raise SheetError(msg)
        if len(self.places) != (0 if self.picture is None else len(self.frames)):
            msg = f"{len(self.frames)} frames and {len(self.places)} places; expected one each, none without picture"
            raise SheetError(msg)
        if self.picture is None:
            return
        if self.picture.ndim != 3:
            msg = f"a sheet's picture is a tensor `4 h w`, got {tuple(self.picture.shape)}"
            raise ShapeError(msg)
        check_image(self.picture[None], "picture", channels=(4,))
        for frame, place in zip(self.frames, self.places, strict=True):
            self._check_place(frame, place)

    def _check_place(self, frame: Frame, place: Place) -> None:
        assert self.picture is not None
        height, width = self.picture.shape[1:]
        inside = place.x >= 0 and place.y >= 0 and place.x + place.width <= width and place.y + place.height <= height
        fits = place.left >= 0 and place.left + place.width <= frame.width
        fits = fits and place.top >= 0 and place.top + place.height <= frame.height
        if not inside or not fits or place.width < 0 or place.height < 0:
            msg = (
                f"frame {frame.name!r} of {frame.width}x{frame.height} pixels cannot lie at {place} on {width}x{height}"
            )
            raise SheetError(msg)

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.frames)

    @property
    def same_size(self) -> bool:
        """Whether all frames have one size."""
        return len({frame.rgba.shape for frame in self.frames}) == 1

    def batch(self) -> Tensor:
        """All frames as `b 4 h w`.

        Raises:
            SheetError: they differ in size.
        """
        if not self.same_size:
            sizes = sorted({(frame.width, frame.height) for frame in self.frames})
            msg = f"the frames differ in size (width, height): {sizes}; bring them to one size first"
            raise SheetError(msg)
        return torch.stack([frame.rgba for frame in self.frames])

    def unplaced(self) -> SpriteSheet:
        """The same frames without picture and places."""
        return SpriteSheet(frames=self.frames, loop=self.loop)

    @classmethod
    def of_batch(cls, rgba: Tensor, *, name: str = "frame", duration: int = DURATION) -> SpriteSheet:
        """Frames `name_0`, `name_1` … (or `name` alone) of a batch `b 4 h w`."""
        check_image(rgba, "rgba", channels=(4,))
        digits = len(str(len(rgba) - 1))
        names = [name] if len(rgba) == 1 else [f"{name}_{index:0{digits}}" for index in range(len(rgba))]
        return cls(
            frames=tuple(Frame(rgba=one, name=title, duration=duration) for one, title in zip(rgba, names, strict=True))
        )
