"""A walk seen from the side: legs and arms lean from hip and shoulder, the joints stay closed, the body bobs."""

from __future__ import annotations

import math
from collections import Counter

import torch
from torch import Tensor
from torch.nn import functional as F

from ..color import srgb_to_oklab
from .easing import Easing, phases, pixels, to_and_fro
from .limbs import ARMS, LEGS, Limbs
from .poses import Pose, visible_box

_FOOT = 0.25
"""The lowest part of a leg that moves as one piece."""

_STEEP = 1.0
"""A limb leans by at most so many pixels a row; more would tear it."""

_CRACK = 2
"""Cracks up to so wide are filled."""

_NOBODY = -1
_STILL = (0, *LEGS, *ARMS)

_SHADE, _HUE = (0.04, 0.25), 0.1
"""How much darker, in Oklab, a colour of the far leg is than that of the near one, and how far at most in hue."""


def stride(
    sprite: Tensor, limbs: Limbs, *, amplitude: int, frames: int, easing: Easing = "smooth", forward: int = 1
) -> list[Pose]:
    """Swing legs and arms.

    A leg's highest row stays where it is and its foot goes farthest; what belongs to the hip stays behind it, as far as
    the legs cover it at all, so that nothing opens. The leg that comes forward is lifted and vanishes behind the body.

    Args:
        sprite: `4 h w`.
        limbs: its legs and arms.
        amplitude: pixels that a foot goes to the front and to the back.
        frames: of two steps.
        easing: how feet move.
        forward: 1 where the sprite looks to the right, -1 to the left.

    Returns:
        Poses of a loop.
    """
    room = amplitude + 2
    wide = (room,) * 4
    body, hips = F.pad(_body(sprite, limbs), wide), F.pad(_hips(sprite, limbs), wide)
    far = shaded(sprite) if limbs.copied else sprite
    ground = room + visible_box(sprite)[3]
    poses = []
    for phase in phases(frames):
        swing = to_and_fro(phase, easing)
        drop = 1 if abs(swing) > 0.5 else 0
        moved: dict[int, Tensor] = {0: _sunk(body, room + limbs.crotch, drop)}
        for part in (*LEGS, *ARMS):
            own = limbs.labels == (LEGS[1] if limbs.copied and part in LEGS else part)
            sign = 1 if part in (1, 4) else -1  # an arm goes with the leg of the other side
            coming = max(0.0, sign * math.cos(2 * math.pi * phase))
            down = -pixels(coming * amplitude / 2) if part in LEGS else drop
            picture = (far if part == LEGS[0] else sprite) * own
            moved[part] = _leaning(picture, forward * sign * swing * amplitude, room, leg=part in LEGS).roll(down, 1)
        canvas = _within(_sunk(hips, room + limbs.crotch, drop), moved)
        owner = torch.where(canvas[3] > 0, 0, _NOBODY)
        for part in (ARMS[0], *LEGS, 0, ARMS[1]):
            here = moved[part][3] > 0
            canvas, owner = torch.where(here, moved[part], canvas), torch.where(here, part, owner)
        _close(canvas, owner, _sunk(F.pad(sprite, wide), room + limbs.crotch, drop)[3] > 0)
        canvas[:, ground:] = 0  # a body that sinks pushes nothing through the ground
        poses.append(Pose(rgba=canvas, x=-room, y=-room))
    return poses


def _leaning(picture: Tensor, reach: float, room: int, *, leg: bool) -> Tensor:
    """A limb alone, `4 h w`, whose rows shift the more the lower they are: `4 h+2*room w+2*room`."""
    made = F.pad(picture, (room,) * 4)
    rows = (made[3] > 0).any(dim=1).nonzero().flatten().tolist()
    if not rows:
        return made
    top, bottom = rows[0], rows[-1] + 1
    length = max(1, bottom - 1 - top - (round(_FOOT * (bottom - top)) if leg else 0))
    reach = math.copysign(min(abs(reach) * (1.0 if leg else 0.75), _STEEP * length), reach)
    for row in rows:
        made[:, row] = made[:, row].roll(pixels(reach * min(1.0, (row - top) / length)), 1)
    return made


def _sunk(body: Tensor, crotch: int, drop: int) -> Tensor:
    """All above the crotch lowered; what reaches below it, such as a shadow, a staff or a cape, stays on the ground."""
    upper, lower = body.clone(), body.clone()
    upper[:, crotch:], lower[:, :crotch] = 0, 0
    upper = upper.roll(drop, 1)
    return torch.where(upper[3:] > 0, upper, lower)


def _within(hips: Tensor, moved: dict[int, Tensor]) -> Tensor:
    """The hips, row by row from the first to the last column of all that is drawn over them."""
    over = torch.stack([layer[3] > 0 for layer in moved.values()]).any(dim=0).to(torch.uint8)
    inside = over.cummax(dim=1).values & over.flip(1).cummax(dim=1).values.flip(1)
    return hips * inside


def _close(canvas: Tensor, owner: Tensor, was: Tensor) -> None:
    """Fill cracks beside a limb, where the sprite had none, from what stays still; legs may part."""
    there = (owner != _NOBODY).tolist()
    for y, x in (was & (owner == _NOBODY)).nonzero().tolist():
        for down, across in ((0, 1), (1, 0)):
            found = [
                next((at for at in _line(y, x, way * down, way * across) if there[at[0]][at[1]]), None)
                for way in (-1, 1)
            ]
            sides = [at for at in found if at is not None]
            if len(sides) < 2 or abs(sum(sides[1]) - sum(sides[0])) > _CRACK + 1:
                continue
            owners = [int(owner[at]) for at in sides]
            if owners[0] != owners[1] and all(one in LEGS for one in owners):
                continue
            still = min(sides, key=lambda at: _STILL.index(int(owner[at])))
            canvas[:, y, x] = canvas[:, still[0], still[1]]
            break


def _line(y: int, x: int, down: int, across: int) -> list[tuple[int, int]]:
    return [(y + step * down, x + step * across) for step in range(1, _CRACK + 1)]


def _hips(sprite: Tensor, limbs: Limbs) -> Tensor:
    rows = torch.arange(sprite.shape[1])[:, None]
    return sprite * ((limbs.labels == LEGS[0]) | (limbs.labels == LEGS[1])) * (rows < limbs.crotch)


def _body(sprite: Tensor, limbs: Limbs) -> Tensor:
    """All but legs and arms, filled where it lies on both sides of one."""
    body = sprite * (limbs.labels == 0)
    fill = []
    for part in (*LEGS, *ARMS):
        own = limbs.labels == part
        reach = int(own.sum(dim=1).max()) + 2
        for y, x in own.nonzero().tolist():
            sides = [_beside(body, y, x, way, reach) for way in (-1, 1)]
            if not all(sides) or (part in LEGS and (y < limbs.crotch or not _alike(body, sides))):
                continue
            fill.append((y, x, _commonest(body, [at for side in sides for at in side])))
    for y, x, color in fill:
        body[:, y, x] = color
    return body


def _alike(body: Tensor, sides: list[list[tuple[int, int]]]) -> bool:
    """Whether what is left and right of a leg is one thing, such as a shadow or a skirt."""
    (y, left), (_, right) = sides[0][0], sides[1][0]
    return torch.equal(body[:, y, left], body[:, y, right])


def _beside(body: Tensor, y: int, x: int, way: int, reach: int) -> list[tuple[int, int]]:
    """The nearest pixels of the body in a row to one side; none where it is too far."""
    for step in range(1, reach + 1):
        at = x + way * step
        if not 0 <= at < body.shape[2]:
            return []
        if body[3, y, at] > 0:
            return [(y, at + way * more) for more in range(3) if 0 <= at + way * more < body.shape[2]]
    return []


def _commonest(body: Tensor, places: list[tuple[int, int]]) -> Tensor:
    """Of equals, the lightest: an outline is dark."""
    colors = Counter(tuple(body[:, y, x].tolist()) for y, x in places if body[3, y, x] > 0)
    return torch.tensor(max(colors, key=lambda color: (colors[color], sum(color))))


def shaded(sprite: Tensor) -> Tensor:
    """A sprite with each colour a shade darker, from its own palette, where that has one: `4 h w`."""
    colors, places = torch.unique(sprite.flatten(1).T, dim=0, return_inverse=True)  # k 4, h*w
    lab = srgb_to_oklab(colors[:, :3], dim=1)
    apart = lab[:, None] - lab[None]  # k k 3: what the first has more than the second
    fits = (apart[..., 0] >= _SHADE[0]) & (apart[..., 0] <= _SHADE[1]) & (colors[None, :, 3] == colors[:, None, 3])
    hue = apart[..., 1:].norm(dim=2)
    cost = (apart.norm(dim=2) + 2 * hue).masked_fill(~(fits & (hue <= _HUE)), math.inf)
    best = cost.min(dim=1)
    chosen = torch.where(best.values.isfinite(), best.indices, torch.arange(len(colors)))
    return colors[chosen][places].T.reshape(sprite.shape)
