"""Colour cycling: several ranges of a palette that turn at speeds of their own, until all are back at once."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Sequence

import torch
from torch import Tensor

from ..errors import PaletteError
from ..image import to_uint8
from ..palette import IndexedImage, Palette, nearest_indices, remap
from ..sheets import Frame, SpriteSheet

MOST_CYCLE_FRAMES = 1024
"""Frames that one loop may have."""

DEFAULT_STEP = 100

_RANGE = re.compile(r"(\d{1,5})\s*-\s*(\d{1,5})\s*(?:@\s*(\d{1,6}))?")


@dataclasses.dataclass(frozen=True)
class Cycle:
    """A range of palette entries that turns."""

    first: int
    """Place of its first entry; colours move from here towards `last`, or the other way where this is the larger."""
    last: int
    """Place of its last entry."""
    step: int = DEFAULT_STEP
    """Milliseconds from one step to the next, 10 or more."""

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            PaletteError: entries below 0, or a step of less than 10 ms.
        """
        if min(self.first, self.last) < 0 or self.step < 10:
            msg = (
                f"a cycle from {self.first} to {self.last} every {self.step} ms: expected entries from 0, 10 ms or more"
            )
            raise PaletteError(msg)

    @property
    def low(self) -> int:
        """The lower end."""
        return min(self.first, self.last)

    @property
    def count(self) -> int:
        """Number of entries."""
        return abs(self.last - self.first) + 1


def parse_cycles(text: str) -> list[Cycle]:
    """Read cycles such as "4-7@120, 12-9@90": from which entry to which, and milliseconds a step (100 if left out).

    Args:
        text: one or more, with commas, semicolons or lines between them.

    Raises:
        PaletteError: what is no cycle.
    """
    words = [word.strip() for word in re.split(r"[,;\n]", text) if word.strip()]
    if not words:
        msg = "expected one or more cycles FIRST-LAST@MS, such as 4-7@120, got an empty text"
        raise PaletteError(msg)
    cycles = []
    for word in words:
        match = _RANGE.fullmatch(word)
        if match is None:
            msg = f"{word!r} is no cycle; expected FIRST-LAST@MS, such as 4-7@120, or 7-4 to go backwards"
            raise PaletteError(msg)
        cycles.append(Cycle(int(match[1]), int(match[2]), int(match[3] or DEFAULT_STEP)))
    return cycles


def cycle_colors(
    picture: IndexedImage, cycles: Sequence[Cycle], *, name: str = "sprite", tag: str = "cycle"
) -> SpriteSheet:
    """Animate a picture by turning ranges of its palette, each at its own speed, for the shortest loop of all.

    A range is back after as many steps as it has colours, or sooner where its colours repeat. The loop is the least
    common multiple of these times; a frame begins whenever one of the ranges takes a step. No other colours come in.

    Args:
        picture: one frame; what matters is the order of its palette.
        cycles: ranges that do not overlap.
        name: frames are called so, with the tag and a number behind.
        tag: of the frames.

    Returns:
        The frames of one loop, each as long as nothing changes; the first is the picture itself.

    Raises:
        PaletteError: no cycles, ranges that overlap or leave the palette, or a loop of more than 1024 frames.
    """
    if len(picture) != 1:
        msg = f"expected one picture, got a batch of {len(picture)}; cycle them one after the other"
        raise PaletteError(msg)
    _check(picture, cycles)
    periods = [_period(picture, cycle) * cycle.step for cycle in cycles]
    loop = math.lcm(*periods)
    turning = [cycle.step for cycle, period in zip(cycles, periods, strict=True) if period > cycle.step]
    if sum(loop // step for step in turning) > 2 * MOST_CYCLE_FRAMES:
        _refuse(cycles, loop)
    starts = sorted({time for step in turning for time in range(0, loop, step)} | {0})
    if len(starts) > MOST_CYCLE_FRAMES:
        _refuse(cycles, loop)
    digits = len(str(len(starts) - 1))
    frames = []
    for index, (start, end) in enumerate(zip(starts, [*starts[1:], loop], strict=True)):
        becomes = torch.arange(len(picture.palette))
        for cycle in cycles:
            places = torch.arange(cycle.count)
            turn = start // cycle.step * (1 if cycle.first > cycle.last else -1)
            becomes[cycle.low : cycle.low + cycle.count] = cycle.low + (places + turn) % cycle.count
        rgba = remap(picture, becomes, picture.palette).to_rgba()[0].cpu()
        frames.append(Frame(rgba=rgba, name=f"{name}_{tag}_{index:0{digits}}", duration=end - start, tag=tag))
    return SpriteSheet(frames=tuple(frames))


def index_in_order(rgba: Tensor, palette: Palette) -> IndexedImage:
    """A picture as places in a palette that holds all its colours.

    Args:
        rgba: `1 4 h w`; pixels below half opacity are transparent.
        palette: the colours, in the order that cycles count by.

    Raises:
        PaletteError: the picture has another colour.
    """
    clear = rgba[:, 3] < 0.5
    indices = nearest_indices(rgba[:, :3], palette)
    other = (to_uint8(rgba[:, :3]) != palette.colors.T[:, indices].transpose(0, 1)).any(dim=1) & ~clear
    if bool(other.any()):
        count = int(other.sum())
        msg = f"{count} pixels have colours that the palette lacks; bring the picture to it first, with palette apply"
        raise PaletteError(msg)
    return IndexedImage(indices, palette, clear)


def _check(picture: IndexedImage, cycles: Sequence[Cycle]) -> None:
    if not cycles:
        msg = "expected one or more cycles, got none"
        raise PaletteError(msg)
    taken: dict[int, Cycle] = {}
    for cycle in cycles:
        if cycle.low + cycle.count > len(picture.palette):
            msg = (
                f"a cycle from {cycle.first} to {cycle.last}: the palette's entries are 0 to {len(picture.palette) - 1}"
            )
            raise PaletteError(msg)
        for place in range(cycle.low, cycle.low + cycle.count):
            if place in taken:
                other = taken[place]
                msg = f"the cycles {other.first}-{other.last} and {cycle.first}-{cycle.last} overlap; part them"
                raise PaletteError(msg)
            taken[place] = cycle


def _period(picture: IndexedImage, cycle: Cycle) -> int:
    """Steps after which a range looks as it did: a divisor of its length."""
    colors = picture.palette.colors[cycle.low : cycle.low + cycle.count]
    return next(
        steps
        for steps in range(1, cycle.count + 1)
        if cycle.count % steps == 0 and torch.equal(colors.roll(steps, 0), colors)
    )


def _refuse(cycles: Sequence[Cycle], loop: int) -> None:
    steps = ", ".join(f"{cycle.first}-{cycle.last}@{cycle.step}" for cycle in cycles)
    msg = f"{steps} are all back only after {loop} ms, in more than {MOST_CYCLE_FRAMES} frames; "
    raise PaletteError(f"{msg}take steps that divide each other, such as 60 and 120 ms, or ranges of equal length")
