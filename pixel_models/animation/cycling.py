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

_SHOWN = 32
"""Colours that a message lists."""

_RANGE = re.compile(r"(\d{1,5})\s*-\s*(\d{1,5})(?:\s*-\s*(\d{1,5}))?")
_STEP = re.compile(r"(.*?)\s*(?:@\s*(\d{1,6}))?")
_ENTRY = re.compile(r"\d{1,5}|#[0-9a-fA-F]{6}")


@dataclasses.dataclass(frozen=True)
class Cycle:
    """Palette entries through which colours turn."""

    entries: tuple[int | str, ...]
    """Places in the palette, or colours "#rrggbb", in the order in which a colour moves through them. Those that come
    again, as on the way back, are stations, too: each entry starts where it comes first."""
    step: int = DEFAULT_STEP
    """Milliseconds from one step to the next, 10 or more."""

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            PaletteError: no entries, places below 0, or a step of less than 10 ms.
        """
        if not self.entries or any(isinstance(one, int) and one < 0 for one in self.entries) or self.step < 10:
            msg = f"a cycle {self}: expected entries from 0, 10 ms or more"
            raise PaletteError(msg)

    def __str__(self) -> str:
        """As `parse_cycles` reads it."""
        return f"{' '.join(str(one) for one in self.entries)}@{self.step}"

    @classmethod
    def span(cls, first: int, last: int, step: int = DEFAULT_STEP, *, back: bool = False) -> Cycle:
        """All places from one to another, in either direction; with `back`, and back to the first."""
        way = 1 if last >= first else -1
        there = tuple(range(first, last + way, way))
        return cls(there + there[-2:0:-1] if back else there, step)


def parse_cycles(text: str) -> list[Cycle]:
    """Read cycles such as "4-7@120, 12-9@90": from which entry to which, and milliseconds a step (100 if left out).

    "4-7-4" goes there and back, which suits a ramp from dark to light; "4 9 6" and "#a00000 #ff8000" name each entry.

    Args:
        text: one or more, with commas, semicolons or lines between them.

    Raises:
        PaletteError: what is no cycle.
    """
    words = [word.strip() for word in re.split(r"[,;\n]", text) if word.strip()]
    if not words:
        msg = "expected one or more cycles FIRST-LAST@MS, such as 4-7@120, got an empty text"
        raise PaletteError(msg)
    return [_parse(word) for word in words]


def _parse(word: str) -> Cycle:
    parts = _STEP.fullmatch(word)
    span = None if parts is None else _RANGE.fullmatch(parts[1])
    entries = [] if parts is None else parts[1].split()
    listed = len(entries) > 1 and all(_ENTRY.fullmatch(entry) for entry in entries)
    if parts is None or not (listed or (span and span[3] in (None, span[1]))):
        msg = (
            f"{word!r} is no cycle; expected FIRST-LAST@MS, such as 4-7@120, 7-4 to go backwards, 4-7-4 to go there "
            "and back, or two or more entries such as 4 9 6@120 or #a00000 #ff8000@120"
        )
        raise PaletteError(msg)
    step = int(parts[2] or DEFAULT_STEP)
    if span and not listed:
        return Cycle.span(int(span[1]), int(span[2]), step, back=span[3] is not None)
    return Cycle(tuple(entry.lower() if entry.startswith("#") else int(entry) for entry in entries), step)


def cycle_colors(
    picture: IndexedImage, cycles: Sequence[Cycle], *, name: str = "sprite", tag: str = "cycle"
) -> SpriteSheet:
    """Animate a picture by turning ranges of its palette, each at its own speed, for the shortest loop of all.

    A range is back after as many steps as it has stations, or sooner where its colours repeat. The loop is the least
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
    stations = _stations(picture.palette, cycles)
    periods = [_period(picture.palette, places) * cycle.step for places, cycle in zip(stations, cycles, strict=True)]
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
        for cycle, places in zip(cycles, stations, strict=True):
            for place in set(places):
                becomes[place] = places[(places.index(place) - start // cycle.step) % len(places)]
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


def _stations(palette: Palette, cycles: Sequence[Cycle]) -> list[list[int]]:
    """The places of each cycle's entries in a palette; none is in two of them."""
    if not cycles:
        msg = "expected one or more cycles, got none"
        raise PaletteError(msg)
    known = palette.to_hex()
    taken: dict[int, Cycle] = {}
    stations = []
    for cycle in cycles:
        missing = [one for one in cycle.entries if (one >= len(known) if isinstance(one, int) else one not in known)]
        if missing:
            shown = ", ".join(f"{place} {color}" for place, color in enumerate(known[:_SHOWN]))
            more = ", ..." if len(known) > _SHOWN else ""
            msg = f"the cycle {cycle} has {missing[0]}; the palette's entries are 0 to {len(known) - 1}: {shown}{more}"
            raise PaletteError(msg)
        places = [one if isinstance(one, int) else known.index(one) for one in cycle.entries]
        for place in set(places):
            if place in taken:
                msg = f"the cycles {taken[place]} and {cycle} overlap; part them"
                raise PaletteError(msg)
            taken[place] = cycle
        stations.append(places)
    return stations


def _period(palette: Palette, places: list[int]) -> int:
    """Steps after which a cycle looks as it did: a divisor of its length."""
    colors = palette.colors[places]
    return next(
        steps
        for steps in range(1, len(places) + 1)
        if len(places) % steps == 0 and torch.equal(colors.roll(steps, 0), colors)
    )


def _refuse(cycles: Sequence[Cycle], loop: int) -> None:
    steps = ", ".join(str(cycle) for cycle in cycles)
    msg = f"{steps} are all back only after {loop} ms, in more than {MOST_CYCLE_FRAMES} frames; "
    raise PaletteError(f"{msg}take steps that divide each other, such as 60 and 120 ms, or ranges of equal length")
