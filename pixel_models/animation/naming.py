"""Plain frames to a named animation: names, a tag, times, pivots, and the way back."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from ..errors import SheetError
from ..sheets import SpriteSheet


def parse_durations(text: str) -> list[int]:
    """Read milliseconds, one number or several with commas, blanks or lines between them; none of an empty text.

    Raises:
        SheetError: what is no whole number of 1 or more.
    """
    words = [word for word in re.split(r"[\s,;]+", text.strip()) if word]
    wrong = [word for word in words if re.fullmatch(r"[1-9]\d{0,8}", word) is None]
    if wrong:
        msg = f"{wrong[0]!r} is no duration; expected whole milliseconds from 1, such as 100 or 200, 80, 80"
        raise SheetError(msg)
    return [int(word) for word in words]


def name_frames(
    sheet: SpriteSheet,
    *,
    name: str = "",
    tag: str = "",
    durations: Sequence[int] = (),
    ping_pong: bool = False,
    feet: bool = False,
) -> SpriteSheet:
    """Make frames one animation.

    Args:
        sheet: the frames; a picture and places that it has are forgotten.
        name: what they are called, with the tag and a number behind; empty keeps their names.
        tag: of all of them; empty keeps theirs.
        durations: one for all, one a frame, or none to keep theirs; ms.
        ping_pong: the frames between the first and the last come once more, backwards.
        feet: frames without a pivot get one at the middle of their lower edge.

    Raises:
        SheetError: another number of durations than one, or one a frame.
    """
    if len(durations) not in (0, 1, len(sheet)):
        msg = f"{len(durations)} durations for {len(sheet)} frames; expected one for all, or one a frame"
        raise SheetError(msg)
    order = [*range(len(sheet)), *(range(len(sheet) - 2, 0, -1) if ping_pong else ())]
    digits = len(str(len(order) - 1))
    stem = "_".join(part for part in (name, tag) if part)
    frames = []
    for place, index in enumerate(order):
        frame = sheet.frames[index]
        back = f"{frame.name}_back" if place >= len(sheet) else frame.name
        frames.append(
            dataclasses.replace(
                frame,
                name=f"{stem}_{place:0{digits}}" if name else back,
                tag=tag or frame.tag,
                duration=durations[index if len(durations) > 1 else 0] if durations else frame.duration,
                pivot=(frame.width / 2, float(frame.height)) if feet and frame.pivot is None else frame.pivot,
            )
        )
    return SpriteSheet(frames=tuple(frames), loop=sheet.loop)
