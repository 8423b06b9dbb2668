"""Is it pixel art? Sizes, shares and a verdict for sprites, enlarged sprites and photos, and where it was seen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from pixel_models.errors import ImageError, ShapeError
from pixel_models.image import enlarge, from_uint8, read_rgba
from pixel_models.palette import Palette
from pixel_models.report import MARKS, inspect_picture, marked, measures
from pixel_models.report.measures import find_bands

SAMPLES = Path(__file__).parents[2] / "samples"
GREYS = Palette.from_hex("#000000 #404040 #808080 #c0c0c0 #ffffff")


def sample(name: str) -> Tensor:
    picture = read_rgba(SAMPLES / name)
    return picture if picture.ndim == 4 else picture[None]


def grid(*rows: str) -> Tensor:
    return torch.tensor([[int(cell) for cell in row] for row in rows])[None]


def bands(cells: Tensor) -> list[str]:
    found = find_bands(cells, GREYS, torch.ones_like(cells, dtype=torch.bool))
    return ["".join("#" if cell else "." for cell in row) for row in found[0].tolist()]


def colors(picture: Tensor) -> set[tuple[int, ...]]:
    return {tuple(color) for color in (picture * 255).round().long().permute(0, 2, 3, 1).flatten(0, 2).tolist()}


def test_a_sprite_at_native_size_is_pixel_art_of_its_own_size() -> None:
    report = inspect_picture(sample("sprite_dragon.png"))
    assert report.is_pixel_art
    assert (report.cell_x, report.cell_y, report.native_width, report.native_height) == (1, 1, 32, 32)
    assert report.grid_purity == 1
    assert report.colors == report.native_colors == 15


@pytest.mark.parametrize("scale", [3, 8])
def test_an_enlarged_sprite_reports_as_it_did_at_native_size(scale: int) -> None:
    sprite = sample("sprite_dragon.png")
    small, large = inspect_picture(sprite), inspect_picture(enlarge(sprite, scale))
    assert large.is_pixel_art
    assert (large.native_width, large.native_height, large.cell_x) == (32, 32, scale)
    assert large.grid_purity == 1
    for name in ("colors", "native_colors", "orphan_share", "anti_aliased", "banding", "soft_alpha"):
        assert getattr(large, name) == getattr(small, name)


@pytest.mark.parametrize("name", ["photo_cat.png", "sprite_dragon.png", "enlarged_scene.jpg"])
def test_a_picture_that_is_looked_at_in_bands_reports_the_same(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    picture = sample(name)[..., :240, :240]
    whole = inspect_picture(picture)
    monkeypatch.setattr(measures, "_AT_ONCE", 7 * picture.shape[3])
    banded = inspect_picture(picture)
    assert banded.to_dict() == whole.to_dict()
    assert torch.equal(banded.places.impure, whole.places.impure)
    rgb = (picture[:, :3] * 255).round().permute(0, 2, 3, 1)[picture[:, 3] >= 0.5]
    assert banded.colors == len(rgb.unique(dim=0))


def test_a_photo_is_no_pixel_art_and_says_why() -> None:
    report = inspect_picture(sample("photo_cat.png"))
    assert not report.is_grid
    assert not report.is_pixel_art
    assert report.reasons[0].startswith("No grid was found")
    assert report.colors > 10_000


def test_a_soft_edge_is_counted_in_pixels() -> None:
    sprite = sample("sprite_dragon.png")
    sprite[:, 3, 0, :4] = 0.5
    report = inspect_picture(sprite)
    assert report.soft_alpha == pytest.approx(4 / 1024, abs=1e-6)
    assert any("half transparent" in reason for reason in report.reasons)


def test_a_spoilt_cell_is_impure_and_its_border_alone_is_not() -> None:
    sprite = sample("sprite_dragon.png")
    large = enlarge(sprite, 8)
    large[:, :3, 16 * 8 + 3 : 16 * 8 + 5, 16 * 8 + 2 : 16 * 8 + 4] = 1.0
    report = inspect_picture(large)
    assert report.places.impure.nonzero().tolist() == [[0, 16, 16]]
    assert report.grid_purity == pytest.approx(1 - 1 / 1024, abs=1e-6)
    blurred = F.avg_pool2d(F.pad(enlarge(sprite, 8), (1, 1, 1, 1), mode="replicate"), 3, 1)
    assert inspect_picture(blurred).grid_purity > 0.95


def test_a_step_that_hugs_an_edge_is_a_band() -> None:
    assert bands(grid("00000", "11111", "22222", "22222")) == [".....", "#####", ".....", "....."]
    # Around a corner and along a diagonal as well.
    assert bands(grid("000000", "110000", "221100", "222210", "222221", "222222")) == [
        "......",
        "##....",
        "..##..",
        "....#.",
        ".....#",
        "......",
    ]


@pytest.mark.parametrize(
    "cells",
    [
        grid("22222", "00000", "44444", "44444"),  # an outline is darker than both sides
        grid("00000", "11111", "11111", "22222"),  # a step of two cells gives form
        grid("00000", "00100", "22222", "22222"),  # one cell softens a corner
        grid("22222", "22222", "22222", "22222"),
    ],
)
def test_outlines_broad_steps_and_single_cells_are_no_bands(cells: Tensor) -> None:
    assert not any("#" in row for row in bands(cells))


def test_a_banded_ball_has_more_bands_than_a_flat_one() -> None:
    y, x = torch.meshgrid(torch.arange(24) - 11.5, torch.arange(24) - 11.5, indexing="ij")
    away = (x.square() + y.square()).sqrt()
    ball = from_uint8(GREYS.colors)[(11 - away).clamp(0, 4).long()].permute(2, 0, 1)[None]
    flat = from_uint8(GREYS.colors)[(away < 11).long() * 4].permute(2, 0, 1)[None]
    opaque = torch.ones(1, 1, 24, 24)
    assert inspect_picture(torch.cat([ball, opaque], dim=1)).banding > 0.2
    assert inspect_picture(torch.cat([flat, opaque], dim=1)).banding == 0


def test_the_report_is_json_with_the_names_that_are_promised() -> None:
    told = json.loads(json.dumps(inspect_picture(sample("sprite_dragon.png")).to_dict()))
    wanted = "width height cell_x cell_y offset_x offset_y confidence is_grid native_width native_height colors"
    assert set(wanted.split()) <= set(told)
    assert told["is_pixel_art"] is True
    assert all(isinstance(reason, str) and reason.endswith(".") for reason in told["reasons"])


def test_the_marked_picture_shows_what_the_report_counts() -> None:
    sprite = enlarge(sample("sprite_dragon.png"), 8)
    clean = marked(sprite, inspect_picture(sprite))
    assert clean.shape == (1, 3, 512, 512)
    assert MARKS["impure"] not in colors(clean)
    assert MARKS["orphan"] in colors(clean)
    sprite[:, :3, 130:134, 130:134] = torch.rand(3, 4, 4, generator=torch.Generator().manual_seed(0))
    sprite[:, 3, 0, 0] = 0.5
    spoilt = marked(sprite, inspect_picture(sprite))
    assert {MARKS["impure"], MARKS["soft"]} <= colors(spoilt)


def test_a_batch_shares_its_grid_and_a_picture_of_one_color_has_no_grid() -> None:
    pair = enlarge(sample("sprite_dragon.png").expand(2, -1, -1, -1), 4)
    report = inspect_picture(pair)
    assert report.native_width == 32
    assert marked(pair, report).shape[0] == 2
    blank = inspect_picture(torch.zeros(1, 4, 20, 30))
    assert not blank.is_pixel_art
    assert blank.colors == 0


def test_what_is_no_picture_or_another_is_refused() -> None:
    with pytest.raises(ShapeError, match="expected a tensor `b 4 h w`"):
        inspect_picture(torch.rand(1, 3, 8, 8))
    with pytest.raises(ImageError):
        inspect_picture(torch.full((1, 4, 8, 8), torch.nan))
    sprite = sample("sprite_dragon.png")
    with pytest.raises(ShapeError, match="inspect this picture first"):
        marked(enlarge(sprite, 2), inspect_picture(sprite))
