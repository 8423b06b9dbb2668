"""Pictures for the classic networks: sprites stay sharp and on the grid, pairs stay together, rates by epoch."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
import torch
from einops import rearrange
from PIL import Image
from torch import Tensor

from train.aligned import PairCrops, PairedBatches, PairSet, PairsFromSprites, PairsOnGrid, side_by_side
from train.canvas import CanvasMaker
from train.image_io import CROPPING, Preparation, from_picture, to_unit
from train.loop import generator_of, usual_rate
from train.pictures import PictureSet, read_picture_set
from train.schedules import EpochSchedule
from train.unaligned import PictureCrops, SpriteCanvases, cell_size, draw_b, to_native


def picture_set(*pictures: Tensor) -> PictureSet:
    chance = torch.full((len(pictures),), 1 / len(pictures), dtype=torch.float64)
    return PictureSet(pictures, chance, ("",) * len(pictures))


def noise(height: int, width: int, seed: int = 0) -> Tensor:
    """An opaque picture `4 h w` of random pixels."""
    picture = torch.randint(0, 256, (4, height, width), generator=generator_of(seed), dtype=torch.uint8)
    picture[3] = 255
    return picture


def enlarged(picture: Tensor, times: int) -> Tensor:
    return picture.repeat_interleave(times, 1).repeat_interleave(times, 2)


def flat_cells(x: Tensor, cell: int) -> bool:
    """Whether every cell of `... h w` has one colour."""
    blocks = rearrange(x, "... (h y) (w x) -> ... h w (y x)", y=cell, x=cell)
    return bool((blocks == blocks[..., :1]).all())


@pytest.mark.parametrize("cell", [4, 8])
def test_a_sprites_canvas_has_whole_cells_of_one_color(folders: tuple[Path, Path], cell: int) -> None:
    draw = SpriteCanvases(CanvasMaker(read_picture_set(folders[1])), 128, (cell,))
    drawn = torch.stack([draw(generator_of(index)) for index in range(8)])
    assert drawn.shape == (8, 3, 128, 128)
    assert flat_cells(drawn, cell)
    assert not flat_cells(drawn, 2 * cell)
    assert drawn.min() >= -1
    assert drawn.max() <= 1


def test_enlarged_sprites_are_taken_back_to_native_size() -> None:
    native = noise(12, 9)
    assert cell_size(native) == 1
    for times in (2, 5, 8):
        assert cell_size(enlarged(native, times)) == times
    hidden = enlarged(native, 4)
    hidden[3, :, :4] = 0
    hidden[:3, :, :4] = noise(48, 4, seed=3)[:3]  # colours that nobody sees
    assert cell_size(hidden) == 4
    assert cell_size(torch.full((4, 16, 16), 7, dtype=torch.uint8)) == 1
    back = to_native(picture_set(enlarged(native, 4), native))
    assert torch.equal(back.pictures[0], native)
    assert torch.equal(back.pictures[1], native)


def test_what_b_holds_is_seen_from_its_size_at_native_size() -> None:
    preparation = Preparation(load=72, crop=64)
    assert draw_b(picture_set(enlarged(noise(16, 16), 32)), preparation, "auto", [4])[1] == "sprites"
    assert draw_b(picture_set(noise(300, 300)), preparation, "auto", [4])[1] == "pictures"
    draw, kind = draw_b(picture_set(enlarged(noise(16, 16), 32)), preparation, "pictures", [4])
    assert (type(draw), kind) == (PictureCrops, "pictures")


@pytest.mark.parametrize("mode", CROPPING)
def test_every_cropping_mode_gives_crops_of_one_size(mode: str) -> None:
    preparation = Preparation(mode=mode, load=40, crop=32)  # pyright: ignore[reportArgumentType]
    draw = PictureCrops(picture_set(noise(50, 90), noise(70, 40)), preparation)
    drawn = [draw(generator_of(index)) for index in range(12)]
    assert {tuple(x.shape) for x in drawn} == {(3, 32, 32)}
    assert len({float(x.sum()) for x in drawn}) > 6


def test_crops_without_resizing_need_large_enough_pictures() -> None:
    draw = PictureCrops(picture_set(noise(20, 90)), Preparation(mode="crop", load=40, crop=32))
    with pytest.raises(ValueError, match=r"90x20 pixels holds no crop of 32"):
        draw(generator_of(0))


def test_transparency_becomes_white() -> None:
    picture = torch.zeros(4, 8, 8, dtype=torch.uint8)
    draw = PictureCrops(picture_set(picture), Preparation(load=8, crop=8))
    assert bool((draw(generator_of(0)) == 1).all())


def test_eight_bit_survives_there_and_back_and_faithfully_does_not() -> None:
    levels = torch.arange(256, dtype=torch.uint8).view(16, 16, 1).repeat(1, 1, 3)
    x = from_picture(Image.fromarray(levels.numpy()))
    rounded, cut = (torch.round(to_unit(x, faithful=way) * 255).to(torch.uint8) for way in (False, True))
    assert torch.equal(rounded.permute(1, 2, 0), levels)
    assert int((cut.permute(1, 2, 0)[..., 0] != levels[..., 0]).sum()) == 63


def test_pairs_side_by_side_are_cropped_and_mirrored_alike() -> None:
    left = noise(40, 40)
    both = torch.cat([left, 255 - left], dim=2)
    both[3] = 255
    draw = PairCrops(side_by_side(picture_set(both)), Preparation(load=48, crop=32))
    for index in range(6):
        a, b = draw(generator_of(index))
        assert a.shape == (3, 32, 32)
        assert float((a + b).abs().max()) < 0.05  # one is the other's negative, but for rounding
    swapped = PairedBatches(draw, 2, swap=True)(generator_of(0))
    straight = PairedBatches(draw, 2)(generator_of(0))
    assert torch.equal(swapped["a"], straight["b"])


@pytest.mark.parametrize("size", [(10, 6), (40, 30)])
def test_a_picture_and_its_sprite_are_cut_at_whole_cells(size: tuple[int, int]) -> None:
    sprite = noise(*size, seed=4)
    pairs = PairSet((enlarged(sprite, 7),), (enlarged(sprite, 2),))
    draw = PairsOnGrid(pairs, 64, 4)
    offsets = set()
    for index in range(6):
        a, b = draw(generator_of(index))
        assert a.shape == b.shape == (3, 64, 64)
        assert flat_cells(b, 4)
        # A is the same sprite, resized: cell for cell it has nearly B's colours.
        means = [rearrange(x, "c (h y) (w x) -> c h w (y x)", y=4, x=4).mean(-1) for x in (a, b)]
        assert float((means[0] - means[1]).abs().mean()) < 0.12
        offsets.add(float(b[:, :32].sum()))
    assert len(offsets) > 2


def test_pairs_made_from_sprites_show_the_same_canvas(folders: tuple[Path, Path]) -> None:
    canvases = CanvasMaker(read_picture_set(folders[1]))
    for cell in (4, 8):
        draw = PairsFromSprites(canvases, 128, cell)
        pairs = [draw(generator_of(index)) for index in range(6)]
        for a, b in pairs:
            assert a.shape == b.shape == (3, 128, 128)
            assert flat_cells(b, cell)
        wrong = [float((pairs[i][0] - pairs[i - 1][1]).abs().mean()) for i in range(6)]
        right = [float((a - b).abs().mean()) for a, b in pairs]
        assert sum(right) < 0.5 * sum(wrong)


def test_our_schedules_never_stand_still_and_never_rise() -> None:
    for policy in ("linear", "cosine", "step"):
        schedule = EpochSchedule(policy=policy, epochs=5, decay_epochs=5)
        factors = [schedule.factor(epoch) for epoch in range(1, 11)]
        assert factors[0] == 1
        assert factors[-1] > 0
        assert all(later <= earlier for earlier, later in pairwise(factors)), policy


def test_plateau_is_what_pytorch_makes_of_a_constant() -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode="min", factor=0.2, threshold=0.01, patience=5)
    schedule = EpochSchedule(policy="plateau", epochs=20, decay_epochs=20, rule="upstream")
    for epoch in range(1, 41):
        theirs.step(0)
        assert schedule.factor(epoch) == pytest.approx(optimizer.param_groups[0]["lr"])


def test_epochs_are_spread_evenly_over_the_steps() -> None:
    schedule = EpochSchedule(epochs=1, decay_epochs=3)
    assert [schedule.factor_at(step, 8) for step in range(8)] == [1, 1, 0.75, 0.75, 0.5, 0.5, 0.25, 0.25]


def test_the_usual_rate_warms_up_and_falls_over_the_second_half() -> None:
    assert usual_rate(0, 1000) == pytest.approx(0.01)
    assert usual_rate(300, 1000) == 1
    assert usual_rate(900, 1000) == pytest.approx(0.21)
