"""Blink: eyes shut by a row at a time, with the skin around them; found, or given as a mask or a box."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import torch
from torch import Tensor

from ..color import srgb_to_oklab
from ..errors import ShapeError, SheetError
from .easing import Easing, ease
from .eyes import SURE, find_eyes
from .islands import Spots, islands
from .poses import Pose

_OPEN = 40
"""Eyes stay open so many times as long as one of the other frames lasts."""

_WHITE = 0.1
"""How much lighter than the skin a pixel beside a pupil is, in Oklab, that belongs to the eye."""


def eye_mask(sprite: Tensor, eyes: Tensor | Sequence[int] | None = None) -> Tensor:
    """The pixels of a sprite's eyes: those that are given, or those that are found.

    Args:
        sprite: `4 h w`.
        eyes: `h w`, bool or 0 to 1; or a box (left, top, width, height) in which the eyes are the dark pixels and what
            they enclose; None looks for them.

    Returns:
        `h w`, bool.

    Raises:
        ShapeError: a mask of another size.
        SheetError: none are found for certain; a mask or box in which nothing is.
    """
    height, width = sprite.shape[1:]
    if eyes is None:
        found = find_eyes(sprite)
        if found is None or found.sure < SURE:
            told = "no pair of eyes was found" if found is None else f"the best pair is only {found.sure:.0%} sure"
            msg = f"{told} ({SURE:.0%} is enough); say where the eyes are, by a mask or by a box around both"
            raise SheetError(msg)
        return _with_whites(sprite, found.mask)
    if isinstance(eyes, Tensor):
        mask = eyes.cpu() if eyes.dtype == torch.bool else eyes.cpu() >= 0.5
        if mask.shape != (height, width):
            msg = (
                f"the mask of the eyes is {tuple(mask.shape)}, expected {(height, width)} as the sprite (height, width)"
            )
            raise ShapeError(msg)
    else:
        mask = _in_box(sprite, eyes)
    mask = mask & (sprite[3] > 0)
    if not bool(mask.any()):
        msg = "there is nothing of the sprite where its eyes are said to be; draw the mask or box over them"
        raise SheetError(msg)
    return mask


def blink(
    sprite: Tensor,
    *,
    amplitude: int,
    frames: int,
    easing: Easing = "smooth",
    eyes: Tensor | Sequence[int] | None = None,
    duration: int = 60,
) -> list[Pose]:
    """Shut the eyes for a moment, then keep them open for long.

    Rows of each eye take the colour of the skin around it, from the top. Of an eye three rows high or higher the
    lowest row stays, as a line of its darkest colour; a lower one goes altogether.

    Args:
        sprite: `4 h w`.
        amplitude: blinks one after the other, before the eyes stay open.
        frames: of one blink: the first open, then shutting and opening.
        easing: how fast they shut.
        eyes: as for `eye_mask`.
        duration: of a frame in ms; the first is shown 40 times as long.

    Returns:
        Poses of a loop; the first is the sprite itself.

    Raises:
        ShapeError, SheetError: as `eye_mask`.
    """
    spots = islands(eye_mask(sprite, eyes))
    poses = []
    for turn in range(max(1, amplitude)):
        for index in range(frames):
            shut = ease(1 - abs(2 * index / frames - 1), easing)
            long = _OPEN if turn == 0 else 2
            made = sprite if index == 0 else _shut(sprite, spots, shut)
            poses.append(Pose(rgba=made, duration=long * duration if index == 0 else duration))
    return poses


def _shut(sprite: Tensor, spots: list[Spots], share: float) -> Tensor:
    made = sprite.clone()
    every = {at for island in spots for at in island}
    for island in spots:
        top, bottom = min(y for y, _ in island), max(y for y, _ in island) + 1
        tall = bottom - top
        skin, dark = _skin(sprite, island, every), _darkest(sprite, island)
        rows = max(1, int(share * tall + 0.5))
        for y, x in island:
            if y < top + rows:
                made[:, y, x] = skin
        if rows >= tall and tall >= 3:
            lash = {x for y, x in island if y >= bottom - 2}  # the lowest row alone may be a corner
            for x in lash:
                made[:, bottom - 1, x] = dark
    return made


def _skin(sprite: Tensor, island: Spots, every: set[tuple[int, int]]) -> Tensor:
    """The commonest opaque colour around an eye; of equals, the lightest. `4`."""
    height, width = sprite.shape[1:]
    ring = [
        (y + down, x + across)
        for y, x in island
        for down in (-1, 0, 1)
        for across in (-1, 0, 1)
        if (y + down, x + across) not in every and 0 <= y + down < height and 0 <= x + across < width
    ]
    colors = Counter(tuple(sprite[:, y, x].tolist()) for y, x in ring if float(sprite[3, y, x]) >= 0.5)
    if not colors:
        y, x = island[0]
        return sprite[:, y, x]
    return torch.tensor(max(colors, key=lambda color: (colors[color], sum(color))))


def _darkest(sprite: Tensor, island: Spots) -> Tensor:
    y, x = min(island, key=lambda spot: (float(sprite[:3, spot[0], spot[1]].sum()), spot))
    return sprite[:, y, x]


def _in_box(sprite: Tensor, box: Sequence[int]) -> Tensor:
    """Of a box's pixels those that are not of its commonest colour, which is the skin."""
    height, width = sprite.shape[1:]
    if len(box) != 4 or box[2] < 1 or box[3] < 1:
        msg = f"the box of the eyes is {tuple(box)}, expected left, top, width and height, the last two 1 or more"
        raise SheetError(msg)
    left, top, right, bottom = box[0], box[1], box[0] + box[2], box[1] + box[3]
    if left < 0 or top < 0 or right > width or bottom > height:
        msg = f"the box of the eyes is {tuple(box)}, which reaches out of a sprite of {width}x{height} pixels"
        raise SheetError(msg)
    part = sprite[:, top:bottom, left:right]
    seen = [tuple(color) for color in part.flatten(1).T.tolist() if color[3] >= 0.5]
    mask = torch.zeros(height, width, dtype=torch.bool)
    if not seen:
        return mask
    counts = Counter(seen)
    skin = torch.tensor(max(counts, key=lambda color: (counts[color], sum(color))))
    lab = srgb_to_oklab(torch.cat([part[:3].flatten(1), skin[:3, None]], 1), dim=0)  # 3 n+1
    differs = (lab[:, :-1] - lab[:, -1:]).norm(dim=0) > _WHITE
    mask[top:bottom, left:right] = differs.view(bottom - top, right - left) & (part[3] >= 0.5)
    return mask


def _with_whites(sprite: Tensor, pupils: Tensor) -> Tensor:
    """Pupils and the white beside them: pixels of one colour, lighter than the face, on the eye's side of the face."""
    light = srgb_to_oklab(sprite[:3], dim=0)[0]
    mask = pupils.clone()
    eyes = islands(pupils)
    middle = sum(x for island in eyes for _, x in island) / int(pupils.sum())
    for island in eyes:
        (top, left), (bottom, right) = (tuple(end(axis) for axis in zip(*island, strict=True)) for end in (min, max))
        wide = 2 * (right - left + 1)
        face = float(srgb_to_oklab(_face(sprite, island, pupils)[:3, None], dim=0)[0, 0])
        if all(float(light[at]) >= face for at in island):
            continue  # eyes that shine have no white
        box = torch.zeros_like(mask)
        box[max(0, top - 1) : bottom + 2, max(0, left - wide) : right + wide + 1] = True
        columns = torch.arange(mask.shape[1])
        own = box & ~pupils & ((columns > middle) if left > middle else (columns < middle)) & (light >= face + _WHITE)
        beside = [(y, x) for y, x in _around(island) if 0 <= y < len(own) and 0 <= x < own.shape[1] and own[y, x]]
        if beside:
            y, x = max(beside, key=lambda at: float(light[at]))
            own &= (sprite == sprite[:, y : y + 1, x : x + 1]).all(dim=0)
            mask |= _reached(own, beside)
    return mask & (sprite[3] >= 0.5)


def _around(island: Spots) -> set[tuple[int, int]]:
    """The pixels that touch an eye by their sides."""
    sides = {(y + down, x + across) for y, x in island for down, across in ((-1, 0), (1, 0), (0, -1), (0, 1))}
    return sides - set(island)


def _reached(inside: Tensor, starts: Sequence[tuple[int, int]]) -> Tensor:
    """What of a mask hangs together with some of its pixels, by their sides."""
    reached = torch.zeros_like(inside)
    ends = [at for at in starts if inside[at]]
    while ends:
        reached[tuple(zip(*ends, strict=True))] = True
        ends = [
            at for at in _around(ends) if all(0 <= place < most for place, most in zip(at, inside.shape, strict=True))
        ]
        ends = [at for at in ends if inside[at] and not reached[at]]
    return reached


def _face(sprite: Tensor, island: Spots, pupils: Tensor) -> Tensor:
    """The commonest opaque colour in a box some pixels around an eye: `4`."""
    top, bottom = max(0, min(y for y, _ in island) - 2), max(y for y, _ in island) + 3
    left, right = max(0, min(x for _, x in island) - 3), max(x for _, x in island) + 4
    part, off = sprite[:, top:bottom, left:right], ~pupils[top:bottom, left:right]
    colors = Counter(tuple(color) for color in part[:, off].T.tolist() if color[3] >= 0.5)
    return torch.tensor(max(colors, key=lambda color: (colors[color], -sum(color))))
