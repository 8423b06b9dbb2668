"""The pixel-art measure: what it says of sprites that an artist would or would not let pass."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from pixel_models.errors import ShapeError
from train.evaluate.evidence import MEASURES, Tally, judge, tallies, variants_of
from train.evaluate.variants import BAD, GOOD, HELD_OUT, LEVELS
from train.evaluate.variants.good import dithered
from train.loop import generator_of
from train.pixelart import pixel_art_scores


def sprite() -> Tensor:
    """A ball: dark outline, three shades of red, two eyes, on nothing; `4 20 20`."""
    y, x = torch.meshgrid(torch.arange(20) - 9.5, torch.arange(20) - 9.5, indexing="ij")
    radius, shade = (x**2 + y**2).sqrt(), x + y
    rgba = torch.zeros(4, 20, 20)
    for where, color in (
        (radius < 9, (40, 10, 20)),
        (radius < 7.9, (200, 40, 40)),
        ((radius < 7.9) & (shade > 4), (150, 30, 60)),
        ((radius < 7.9) & (shade < -4), (235, 90, 60)),
    ):
        rgba[:3, where] = torch.tensor(color)[:, None] / 255
        rgba[3, where] = 1
    rgba[:3, 8, [7, 12]] = 1
    return rgba


def score(made: Tensor, reference: Tensor) -> dict[str, float]:
    return pixel_art_scores(made[None], reference[None])[0].to_dict()


def test_a_sprite_is_as_good_as_itself_and_nothing_as_nothing() -> None:
    assert set(score(sprite(), sprite()).values()) == {1.0}
    assert set(score(torch.zeros(4, 9, 9), torch.zeros(4, 9, 9)).values()) == {1.0}
    lost = score(torch.zeros(4, 20, 20), sprite())
    assert lost["score"] < 0.3


def test_what_is_below_transparent_pixels_is_not_asked() -> None:
    hidden = sprite()
    hidden[:3, hidden[3] == 0] = 0.7
    assert score(hidden, sprite())["score"] == 1.0


def test_a_batch_gives_what_its_pictures_give_alone() -> None:
    made = torch.stack([sprite().flip(2), sprite(), torch.zeros(4, 20, 20)])
    reference = sprite().expand(3, -1, -1, -1)
    assert pixel_art_scores(made, reference) == [pixel_art_scores(m[None], sprite()[None])[0] for m in made]


def less_colors(x: Tensor) -> Tensor:
    gray = x[:3].mean(dim=0, keepdim=True).expand(3, -1, -1)
    return torch.cat([(gray * 4).round() / 4, x[3:]])


def blurred_light(x: Tensor) -> Tensor:
    return torch.cat([F.avg_pool2d(F.pad(x[None, :3], (1,) * 4, mode="replicate"), 3, 1)[0], x[3:]])


def speckled(x: Tensor) -> Tensor:
    """Every third pixel on a diagonal takes another colour of the sprite."""
    y, w = torch.meshgrid(torch.arange(20), torch.arange(20), indexing="ij")
    places = ((y + 2 * w) % 5 == 0) & (x[3] > 0)
    made = x.clone()
    made[:3, places] = torch.tensor([150, 30, 60])[:, None] / 255
    return made


def shrunk(x: Tensor) -> Tensor:
    """A third of the ball is gone."""
    made = x.clone()
    made[:, :, :8] = 0
    return made


@pytest.mark.parametrize(
    ("spoil", "part"),
    [
        (less_colors, "palette"),
        (blurred_light, "cells"),
        (blurred_light, "edges"),
        (speckled, "clean"),
        (shrunk, "shape"),
    ],
)
def test_each_part_falls_with_what_it_is_about(spoil: Callable[[Tensor], Tensor], part: str) -> None:
    assert score(spoil(sprite()), sprite())[part] < 0.85


def test_other_hues_leave_all_but_the_palette() -> None:
    made = GOOD["other hues"](sprite(), 1, generator_of(0))
    assert made is not None
    found = score(made, sprite())
    assert found["cells"] == 1.0
    assert min(found["edges"], found["clean"], found["shape"]) > 0.9
    assert found["palette"] < 0.95


def test_a_shift_by_a_pixel_is_forgiven_in_shape_as_one_by_four_is_not() -> None:
    near, far = (score(sprite().roll(step, dims=2), sprite())["shape"] for step in (1, 4))
    assert 0.8 < near < 0.95
    assert far < 0.6


def test_pixels_that_are_not_asked_do_not_answer() -> None:
    made = sprite()
    made[:, :3] = torch.rand(4, 3, 20, generator=generator_of(0))
    where = torch.ones(1, 1, 20, 20, dtype=torch.bool)
    where[..., :5, :] = False
    assert pixel_art_scores(made[None], sprite()[None], where)[0].cells == 1.0
    assert pixel_art_scores(made[None], sprite()[None])[0].cells < 0.9


def halves(width: int, *columns: tuple[int, float]) -> Tensor:
    """Dark on the left, light from `width` on, whole columns of other greys; `4 12 12`."""
    rgba = torch.ones(4, 12, 12)
    rgba[:3, :, :width] = 0.1
    for column, grey in columns:
        rgba[:3, :, column] = grey
    return rgba


def test_a_column_between_two_areas_is_a_blend_and_a_darker_one_is_a_line() -> None:
    assert score(halves(5, (5, 0.5)), halves(5))["clean"] < 0.95
    assert score(halves(5, (5, 0.0)), halves(5))["clean"] == 1.0


def test_as_many_colours_over_other_areas_are_another_palette() -> None:
    assert score(halves(4), halves(4).flip(2))["palette"] == 1.0
    assert score(halves(4), halves(8))["palette"] < 0.9


def test_a_silhouette_is_an_edge() -> None:
    one = torch.zeros(4, 12, 12)
    one[:, 2:10, 2:10] = torch.tensor([0.5, 0.5, 0.5, 1.0])[:, None, None]
    two = one.clone()
    two[:, 4:8, 4:8] = 0
    assert score(two, one)["edges"] < 0.85


def test_half_transparent_pixels_are_not_clean() -> None:
    made = sprite()
    made[3] = made[3] * 0.8
    assert score(made, sprite())["clean"] < 0.5


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ShapeError, match="of one shape"):
        pixel_art_scores(torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8))


def test_good_variants_rank_above_bad_ones_more_often_than_by_other_measures() -> None:
    reference = sprite()
    found = tallies([list(variants_of(reference, 0))])["all"]
    assert found["pixel art"].pairs > 300
    shares = {name: tally.share for name, tally in found.items()}
    assert shares["pixel art"] > 0.9
    assert shares["pixel art"] > max(share for name, share in shares.items() if name != "pixel art") + 0.05


@pytest.mark.parametrize("kind", [*GOOD, *BAD])
def test_a_variant_changes_colours_or_shape_and_keeps_alpha_hard(kind: str) -> None:
    make = {**GOOD, **BAD}[kind]
    reference = dithered(sprite(), generator_of(0)) if kind == "other phase of dither" else sprite()
    assert reference is not None
    made = [make(reference, level, generator_of(0)) for level in range(LEVELS)]
    changed = [m for m in made if m is not None and not torch.equal(m, reference)]
    assert changed
    for variant in changed:
        assert variant.shape == reference.shape
        assert set(variant[3].unique().tolist()) <= {0.0, 1.0}
        assert variant.min() >= 0
        assert variant.max() <= 1
        torch.testing.assert_close(variant * 255, (variant * 255).round(), atol=1e-3, rtol=0)


def test_the_other_phase_of_a_dither_has_the_same_colours_as_often() -> None:
    reference = dithered(sprite(), generator_of(0))
    assert reference is not None
    made = GOOD["other phase of dither"](reference, 0, generator_of(0))
    assert made is not None
    differ = (made != reference).any(dim=0)
    assert differ.sum() > 12
    inside = [x[:3, differ].T.unique(dim=0) for x in (made, reference)]
    assert torch.equal(*inside)
    assert judge("x", 0, made, reference).values["pixel art"] > 0.8


def test_held_out_kinds_are_kinds() -> None:
    assert GOOD.keys() | BAD.keys() >= HELD_OUT
    assert HELD_OUT & GOOD.keys()
    assert HELD_OUT & BAD.keys()


def test_a_tie_is_half_right() -> None:
    tally = Tally()
    for good, bad in ((2.0, 1.0), (1.0, 2.0), (1.0, 1.0), (3.0, 1.0)):
        tally.add(good, bad)
    assert (tally.share, tally.pairs) == (2.5 / 4, 4)
    assert MEASURES[0] == "pixel art"
