"""`pack_sheet`: frames brought onto one picture, with their places."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from ..errors import SheetError
from ..image import to_uint8
from .arrange import LAYOUTS, Layout, Size, arrange, extent
from .core import Frame, Place, SpriteSheet

_MOST = 2**16


def pack_sheet(
    sheet: SpriteSheet,
    *,
    layout: Layout = "packed",
    columns: int = 0,
    padding: int = 0,
    margin: int = 0,
    extrude: int = 0,
    power_of_two: bool = False,
    trim: bool = False,
    max_side: int = 8192,
    share: bool = True,
) -> SpriteSheet:
    """Bring all frames onto one picture. Nothing is turned or scaled; frames keep their order, names, times and tags.

    Args:
        sheet: the frames; places that they have are forgotten.
        layout: "packed" (as small as possible, any order on the picture), "grid" (equal cells), "row", "column".
        columns: of the grid; 0 makes it nearly square.
        padding: empty pixels between frames, counted after extruding.
        margin: empty pixels around all.
        extrude: how often every frame's outermost pixels are repeated around it, so that an engine that reads a little
            beside a frame finds its own colour.
        power_of_two: width and height become powers of two, each for itself.
        trim: leave transparent borders away; `Place.left` and `Place.top` tell how much. Of a frame without a visible
            pixel one pixel stays, since engines take no empty boxes.
        max_side: longest side in pixels that the picture may get.
        share: for "packed", frames whose pixels are the same (after trimming) lie at one place.

    Returns:
        The same frames with picture and places.

    Raises:
        SheetError: numbers out of range, or the frames do not fit `max_side`.
    """
    if layout not in LAYOUTS:
        msg = f"the layout is {layout!r}, expected one of {', '.join(LAYOUTS)}"
        raise SheetError(msg)
    numbers = {"columns": columns, "padding": padding, "margin": margin, "extrude": extrude}
    for title, number in numbers.items():
        if not 0 <= number <= _MOST:
            msg = f"{title} is {number}, expected 0 to {_MOST}"
            raise SheetError(msg)
    if not 1 <= max_side <= _MOST:
        msg = f"max_side is {max_side} pixels, expected 1 to {_MOST}"
        raise SheetError(msg)
    cuts = [_trimmed(frame) if trim else _whole(frame) for frame in sheet.frames]
    pieces, which = _distinct(cuts) if share and layout == "packed" else (cuts, list(range(len(cuts))))
    sizes = [(cut.pixels.shape[2] + 2 * extrude, cut.pixels.shape[1] + 2 * extrude) for cut in pieces]
    inner = max_side - 2 * margin
    if any(max(size) > inner for size in sizes):
        width, height = max(sizes, key=max)
        msg = (
            f"a frame of {width}x{height} pixels (extruded) with margin {margin} is over max_side {max_side}; {_ADVICE}"
        )
        raise SheetError(msg)

    def grow(side: int) -> int:
        return (1 << (side + 2 * margin - 1).bit_length()) - 2 * margin if power_of_two else side

    try:
        spots = arrange(sizes, layout, columns, padding, inner, grow)
    except SheetError as error:
        msg = f"{error} (max_side {max_side}, margin {margin}); {_ADVICE}"
        raise SheetError(msg) from error
    width, height = (grow(side) + 2 * margin for side in extent(sizes, spots))
    if max(width, height) > max_side:
        msg = f"the sheet would be {width}x{height} pixels, over max_side {max_side}; {_ADVICE}"
        raise SheetError(msg)
    device = sheet.frames[0].rgba.device
    picture = torch.zeros(4, height, width, device=device)
    for cut, (x, y), (across, down) in zip(pieces, spots, sizes, strict=True):
        picture[:, margin + y : margin + y + down, margin + x : margin + x + across] = _extruded(cut.pixels, extrude)
    places = []
    for cut, piece in zip(cuts, which, strict=True):
        x, y = (margin + extrude + offset for offset in spots[piece])
        places.append(
            Place(x=x, y=y, width=cut.pixels.shape[2], height=cut.pixels.shape[1], left=cut.left, top=cut.top)
        )
    return SpriteSheet(frames=sheet.frames, picture=picture, places=tuple(places), loop=sheet.loop)


_ADVICE = "allow more, trim, take smaller padding, margin or extrude, the layout packed, or fewer frames a sheet"


@dataclasses.dataclass(frozen=True, eq=False)
class _Cut:
    """What of a frame goes onto the picture."""

    pixels: Tensor
    left: int = 0
    top: int = 0


def _whole(frame: Frame) -> _Cut:
    return _Cut(frame.rgba.float().clamp(0, 1))


def _trimmed(frame: Frame) -> _Cut:
    pixels = frame.rgba.float().clamp(0, 1)
    seen = to_uint8(pixels[3]) > 0
    if not bool(seen.any()):
        return _Cut(pixels[:, :1, :1])
    rows, columns = seen.any(dim=1).nonzero(), seen.any(dim=0).nonzero()
    top, bottom, left, right = (int(value) for value in (rows[0], rows[-1] + 1, columns[0], columns[-1] + 1))
    return _Cut(pixels[:, top:bottom, left:right], left, top)


def _distinct(cuts: list[_Cut]) -> tuple[list[_Cut], list[int]]:
    """The cuts without repeats, and for every cut which of them it is."""
    seen: dict[tuple[Size, bytes], int] = {}
    pieces: list[_Cut] = []
    which: list[int] = []
    for cut in cuts:
        key = ((cut.pixels.shape[2], cut.pixels.shape[1]), to_uint8(cut.pixels).cpu().numpy().tobytes())
        if key not in seen:
            seen[key] = len(pieces)
            pieces.append(cut)
        which.append(seen[key])
    return pieces, which


def _extruded(pixels: Tensor, extrude: int) -> Tensor:
    if extrude == 0:
        return pixels
    return torch.nn.functional.pad(pixels[None], (extrude,) * 4, mode="replicate")[0]
