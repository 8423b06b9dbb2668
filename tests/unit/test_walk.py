"""Walks: rough masks of the legs, joints that stay closed, one blob for two legs, the way a sprite looks."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from pixel_models.animation import animate
from pixel_models.animation.limbs import limbs_of, split_leg
from pixel_models.animation.poses import visible_box
from pixel_models.animation.stride import shaded
from pixel_models.errors import SheetError

SKIN, COAT, TROUSERS, DARK = (
    torch.tensor(color)[:, None, None]
    for color in ((0.9, 0.7, 0.5, 1.0), (0.7, 0.1, 0.1, 1.0), (0.3, 0.3, 0.8, 1.0), (0.2, 0.2, 0.6, 1.0))
)


def walker() -> Tensor:
    """A head, a coat, and two legs of eight rows with a gap below the second: `4 24 16`."""
    art = torch.zeros(4, 24, 16)
    art[:, 1:7, 4:11] = SKIN
    art[:, 7:16, 3:12] = COAT
    art[:, 16:24, 3:12] = TROUSERS
    art[:, 18:24, 7:8] = 0
    art[:, 20:24, 3:5] = DARK
    return art


def exact() -> Tensor:
    """Its legs, pixel by pixel: `24 16`."""
    labels = torch.zeros(24, 16, dtype=torch.int64)
    labels[16:, 3:7], labels[16:, 7:12] = 1, 2
    return labels * (walker()[3] > 0)


def rough() -> Tensor:
    """The same, as one draws it in a hurry: edges are missed, corners are round."""
    labels = torch.zeros(24, 16, dtype=torch.int64)
    labels[17:, 4:7], labels[17:, 8:11] = 1, 2
    labels[16, 5], labels[16, 9] = 1, 2
    return labels * (walker()[3] > 0)


def test_a_rough_mask_becomes_legs_up_to_the_edges_of_the_sprite() -> None:
    made = limbs_of(walker(), rough())
    assert not made.copied
    assert made.crotch == 18
    legs = made.labels[17:] > 0
    assert torch.equal(legs, walker()[3, 17:] > 0)
    assert not bool(made.labels[:16].any())


@pytest.mark.parametrize("labels", [exact(), rough()])
@pytest.mark.parametrize("amplitude", [1, 3, 6])
def test_from_the_side_joints_stay_closed_and_feet_go_both_ways(labels: Tensor, amplitude: int) -> None:
    sprite = walker()
    made = animate(sprite, "walk", view="side", parts=labels, frames=8, amplitude=amplitude)
    seen = {tuple(color) for frame in made.frames for color in frame.rgba[:, frame.rgba[3] > 0].T.tolist()}
    assert seen <= {tuple(color) for color in sprite[:, sprite[3] > 0].T.tolist()}
    feet = []
    for frame in made.frames:
        bottom = visible_box(frame.rgba)[3]
        for row in frame.rgba[3, : bottom - 6] > 0:  # from the head to the crotch no row has a hole
            columns = row.nonzero().flatten()
            assert len(columns) == 0 or len(columns) == int(columns[-1] - columns[0]) + 1
        for above, below in zip(frame.rgba[3, 4 : bottom - 1] > 0, frame.rgba[3, 5:bottom] > 0, strict=True):
            assert bool((above & below).any())  # nothing hangs in the air
        columns = frame.rgba[3, bottom - 1].nonzero().flatten()
        feet.append((int(columns[0]), int(columns[-1])))
    reach = max(right for _, right in feet) - min(right for _, right in feet)
    assert reach >= amplitude
    assert len({visible_box(frame.rgba)[3] for frame in made.frames}) == 1


def test_one_who_looks_to_the_left_walks_as_the_mirror_image_does() -> None:
    right = animate(walker(), "walk", view="side", parts=exact(), frames=8, amplitude=2)
    left = animate(walker().flip(2), "walk", view="side-left", parts=exact().flip(1), frames=8, amplitude=2)
    for one, two in zip(right.frames, left.frames, strict=True):
        assert torch.equal(one.rgba, two.rgba.flip(2))


def test_one_blob_is_two_legs_where_a_gap_parts_them_and_else_a_leg_with_a_darker_one_behind() -> None:
    blob = (exact() > 0).long()
    assert torch.equal(limbs_of(walker(), blob).labels > 0, exact() > 0)
    split = split_leg(blob > 0)
    assert split is not None
    assert torch.equal(split[18:], exact()[18:])
    closed = walker()
    closed[:, 18:24, 7] = TROUSERS[:, 0]
    made = limbs_of(closed, blob)
    assert made.copied
    frames = animate(closed, "walk", view="side", parts=blob, frames=8, amplitude=3).frames
    apart = frames[2].rgba
    row = apart[:, visible_box(apart)[3] - 1]
    seen = {tuple(round(value, 3) for value in color) for color in row[:, row[3] > 0].T.tolist()}
    assert seen == {(0.3, 0.3, 0.8, 1.0), (0.2, 0.2, 0.6, 1.0)}  # the far leg is in the darker blue
    lifted = animate(closed, "walk", view="front", parts=blob, frames=4, amplitude=2).frames
    assert len({frame.rgba.numpy().tobytes() for frame in lifted}) > 2


def test_shades_come_from_the_palette_alone_and_the_darkest_stays() -> None:
    art = torch.cat([TROUSERS, DARK, COAT], dim=2)
    assert torch.equal(shaded(art), torch.cat([DARK, DARK, COAT], dim=2))


def test_a_shadow_on_the_ground_stays_while_the_body_sinks() -> None:
    sprite = torch.nn.functional.pad(walker(), (4, 4, 0, 0))
    shadow = torch.tensor([0.1, 0.1, 0.1, 1.0])
    sprite[:, 23, 0:7] = shadow[:, None]
    sprite[:, 23, 17:24] = shadow[:, None]
    labels = torch.nn.functional.pad(exact(), (4, 4))
    labels[23, :7] = 0
    for frame in animate(sprite, "walk", view="side", parts=labels, frames=8, amplitude=1).frames:
        dark = (frame.rgba[:3] - shadow[:3, None, None]).abs().sum(0) < 1e-3
        rows = (dark & (frame.rgba[3] > 0)).any(dim=1).nonzero().flatten().tolist()
        assert rows == [visible_box(frame.rgba)[3] - 1]


def test_a_mask_of_nearly_all_the_sprite_is_refused() -> None:
    labels = (walker()[3] > 0).long()
    labels[20:] *= 2
    with pytest.raises(SheetError, match="two legs alone"):
        animate(walker(), "walk", parts=labels)
