"""Frames as values: joined under names of their own, and set on one line."""

from __future__ import annotations

import pytest
import torch

from pixel_models.errors import ImageError, ShapeError, SheetError
from pixel_models.sheets import Frame, Place, SpriteSheet
from pixel_models.sheets.join import join_sheets, stand_on_one_line


def frame(width: int, height: int, name: str = "a", value: float = 1.0) -> Frame:
    return Frame(rgba=torch.full((4, height, width), value), name=name, pivot=(0.5, 1.0), duration=70, tag="walk")


def test_joined_frames_keep_their_order_and_get_names_of_their_own() -> None:
    one, other = SpriteSheet(frames=(frame(2, 2), frame(3, 3, "b"))), SpriteSheet(frames=(frame(4, 4), frame(5, 5)))
    joined = join_sheets([one, other])
    assert [(f.name, f.width) for f in joined.frames] == [("a", 2), ("b", 3), ("a_2", 4), ("a_3", 5)]
    assert {(f.duration, f.tag, f.pivot) for f in joined.frames} == {(70, "walk", (0.5, 1.0))}
    with pytest.raises(SheetError, match="at least one frame"):
        join_sheets([])


def test_frames_stand_on_one_line_at_the_middle() -> None:
    stood = stand_on_one_line(SpriteSheet(frames=(frame(5, 4), frame(2, 1, "b"))))
    assert stood.same_size
    small = stood.frames[1].rgba[3]
    assert small.nonzero().tolist() == [[3, 1], [3, 2]]
    assert stood.frames[1].pivot == (1.5, 4.0)
    assert torch.equal(stood.frames[0].rgba, torch.ones(4, 4, 5))


def test_a_batch_becomes_numbered_frames_and_back() -> None:
    batch = torch.rand(11, 4, 3, 5)
    sheet = SpriteSheet.of_batch(batch, name="run", duration=40)
    assert [f.name for f in sheet.frames][::10] == ["run_00", "run_10"]
    assert torch.equal(sheet.batch(), batch)
    with pytest.raises(SheetError, match="differ in size"):
        SpriteSheet(frames=(frame(2, 2), frame(3, 2))).batch()


def test_what_is_no_frame_or_cannot_lie_there_is_refused() -> None:
    with pytest.raises(ShapeError, match="4 h w"):
        Frame(rgba=torch.zeros(1, 4, 2, 2), name="a")
    with pytest.raises(ImageError, match="pixel"):
        Frame(rgba=torch.zeros(4, 0, 2), name="a")
    with pytest.raises(SheetError, match="whole milliseconds"):
        Frame(rgba=torch.zeros(4, 2, 2), name="a", duration=0)
    with pytest.raises(SheetError, match="needs a name"):
        Frame(rgba=torch.zeros(4, 2, 2), name="")
    picture = torch.zeros(4, 8, 8)
    with pytest.raises(SheetError, match="cannot lie"):
        SpriteSheet(frames=(frame(4, 4),), picture=picture, places=(Place(x=6, y=0, width=4, height=4),))
    with pytest.raises(SheetError, match="expected one each"):
        SpriteSheet(frames=(frame(4, 4),), picture=picture)
