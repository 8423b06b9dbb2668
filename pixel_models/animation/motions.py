"""`animate`: one sprite and the name of a motion to the frames of an animation."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Literal, get_args

from torch import Tensor

from ..errors import SheetError
from ..palette import IndexedImage
from ..sheets import Frame, SpriteSheet
from . import blink as blinking
from .body import bob, hop, squash
from .easing import EASINGS, Easing
from .eyes import find_eyes
from .fade import appear, dissolve
from .poses import Pose, feet, on_one_canvas, one_sprite, visible_box, whole
from .walk import View, walk
from .whole import float_, hit, shake, spin, sway

Motion = Literal["bob", "squash", "blink", "walk", "hop", "float", "sway", "shake", "hit", "spin", "dissolve", "appear"]

MOTIONS: tuple[Motion, ...] = get_args(Motion)
"""Everything that `animate` can do with a sprite."""

FRAMES_RANGE = (2, 64)
AMPLITUDE_RANGE = (0, 256)
DURATION_RANGE = (10, 60_000)

_HINT = 0.4
"""So sure a pair of eyes must be for lines to be left out elsewhere: where it is none, nothing is lost."""


@dataclasses.dataclass(frozen=True)
class _Manner:
    """What a motion does where the user does not say."""

    part: float
    """Pixels of amplitude, as a part of the sprite's height."""
    least: int
    frames: int
    total: int
    """Milliseconds that all frames take together."""
    easing: Easing = "smooth"
    loop: int = 0
    """How often it plays; 0: for ever."""


_MANNERS: dict[Motion, _Manner] = {
    "bob": _Manner(1 / 32, 1, 2, 800),
    "squash": _Manner(1 / 12, 1, 8, 640),
    "blink": _Manner(0, 1, 4, 240),
    "walk": _Manner(1 / 16, 1, 4, 600),
    "hop": _Manner(1 / 4, 2, 8, 640),
    "float": _Manner(1 / 16, 1, 8, 1200),
    "sway": _Manner(1 / 12, 1, 8, 1200),
    "shake": _Manner(0, 1, 4, 200),
    "hit": _Manner(1 / 12, 1, 6, 360),
    "spin": _Manner(0, 0, 8, 800, "linear"),
    "dissolve": _Manner(0, 0, 9, 720, "linear", 1),
    "appear": _Manner(0, 0, 9, 720, "linear", 1),
}

_PLAIN: dict[str, Callable[..., list[Pose]]] = {
    "float": float_,
    "sway": sway,
    "shake": shake,
    "hit": hit,
    "spin": spin,
    "dissolve": dissolve,
    "appear": appear,
}

_BODIES: dict[str, Callable[..., list[Pose]]] = {"bob": bob, "squash": squash, "hop": hop}


def animate(
    sprite: Tensor | IndexedImage,
    motion: Motion,
    *,
    amplitude: int | None = None,
    frames: int | None = None,
    duration: int | None = None,
    easing: Easing | None = None,
    eyes: Tensor | Sequence[int] | None = None,
    parts: Tensor | None = None,
    view: View = "front",
    pivot: tuple[float, float] | None = None,
    name: str = "sprite",
    tag: str | None = None,
) -> SpriteSheet:
    """Make a motion of one sprite: whole pixels, its own colours, nothing cut off, and the end joins the beginning.

    Args:
        sprite: `4 h w` or `1 4 h w`, float32 in [0, 1]; or an indexed picture of one frame.
        motion: one of `MOTIONS`.
        amplitude: how far it goes, in pixels; what that means, the motion says. None: about what suits its height.
        frames: 2 to 64; of "walk" an even number. None: as many as the motion needs, 2 to 9.
        duration: of a frame, 10 to 60000 ms; "blink" shows the open eyes 40 times as long. None: the motion's own.
        easing: one of `EASINGS`. None: the motion's own.
        eyes: for "blink", where they are, as `eye_mask` takes it; None looks for them. A mask also keeps "bob",
            "squash" and "hop" from leaving out its rows and columns.
        parts: for "walk", `h w`, int64: places in `PARTS`; None looks for legs.
        view: for "walk", from where the sprite is seen.
        pivot: where the sprite stands, in pixels right and down; None: the middle of its lowest visible row's edge.
        name: frames are called so, with the tag and a number behind.
        tag: of the frames; None: the motion's name.

    Returns:
        Frames of one size, as large as the sprite or grown, with pivots at the same place of the sprite. "dissolve"
        and "appear" play once, the others for ever.

    Raises:
        ShapeError, ImageError: no sprite, or a mask of another size.
        SheetError: a setting that cannot be, or what the motion needs was not found.
    """
    rgba = one_sprite(sprite)
    if motion not in MOTIONS:
        msg = f"{motion!r} is no motion; expected one of {', '.join(MOTIONS)}"
        raise SheetError(msg)
    manner = _MANNERS[motion]
    _, top, _, bottom = visible_box(rgba)
    reach = max(manner.least, round((bottom - top) * manner.part)) if amplitude is None else amplitude
    whole("amplitude", AMPLITUDE_RANGE, reach)
    if amplitude is None and motion == "bob" and frames is None:
        frames = 2 * reach
    count = whole("frames", FRAMES_RANGE, manner.frames if frames is None else frames)
    time = whole("duration", DURATION_RANGE, max(10, manner.total // count) if duration is None else duration)
    way = manner.easing if easing is None else easing
    if way not in EASINGS:
        msg = f"{way!r} is no easing; expected one of {', '.join(EASINGS)}"
        raise SheetError(msg)
    if motion in _BODIES:
        most = max(1, (bottom - top) // 2)
        if motion != "hop" and reach > most:
            msg = f"amplitude is {reach} pixels, expected at most {most}, half the height of what is visible"
            raise SheetError(msg)
        kept = _eyes_to_keep(rgba, eyes)
        poses = _BODIES[motion](rgba, amplitude=reach, frames=count, easing=way, eyes=kept)
    elif motion == "blink":
        poses = blinking.blink(rgba, amplitude=reach, frames=count, easing=way, eyes=eyes, duration=time)
    elif motion == "walk":
        poses = walk(rgba, amplitude=reach, frames=count, easing=way, parts=parts, view=view)
    else:
        poses = _PLAIN[motion](rgba, amplitude=reach, frames=count, easing=way)
    return _film(rgba, poses, pivot, time, name, motion if tag is None else tag, manner.loop)


def _film(
    sprite: Tensor,
    poses: list[Pose],
    pivot: tuple[float, float] | None,
    duration: int,
    name: str,
    tag: str,
    loop: int,
) -> SpriteSheet:
    canvas, (left, top) = on_one_canvas(sprite, poses)
    stands = feet(sprite) if pivot is None else pivot
    digits = len(str(len(poses) - 1))
    return SpriteSheet(
        frames=tuple(
            Frame(
                rgba=rgba,
                name=f"{name}_{tag}_{index:0{digits}}" if tag else f"{name}_{index:0{digits}}",
                duration=pose.duration or duration,
                pivot=(stands[0] + left, stands[1] + top),
                tag=tag,
            )
            for index, (rgba, pose) in enumerate(zip(canvas, poses, strict=True))
        ),
        loop=loop,
    )


def _eyes_to_keep(sprite: Tensor, eyes: Tensor | Sequence[int] | None) -> Tensor | None:
    """What no line goes through: the eyes that are given, or those that may be some."""
    if eyes is not None:
        return blinking.eye_mask(sprite, eyes)
    found = find_eyes(sprite)
    return found.mask if found is not None and found.sure >= _HINT else None
