"""Drawings of strokes in both forms: lines of whole cells without corners, and smooth pictures that agree with them."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from train.batches import TranslationBatches
from train.canvas import CanvasMaker
from train.loop import generator_of
from train.pictures import read_picture_set
from train.raster import Drawing, dense, line_cells
from train.strokes import draw_strokes

SQUARE = [(3.2, 3.3), (12.9, 3.3), (12.9, 12.8), (3.2, 12.8)]


@pytest.mark.parametrize("seed", range(20))
def test_a_line_is_unbroken_and_has_no_corners(seed: int) -> None:
    corners = np.random.default_rng(seed).uniform(0, 32, (4, 2)).tolist()
    cells = line_cells(dense([(x, y) for x, y in corners]))
    for (x0, y0), (x1, y1) in itertools.pairwise(cells):
        assert max(abs(x1 - x0), abs(y1 - y0)) == 1
    for (x0, y0), bend, (x2, y2) in zip(cells, cells[1:], cells[2:], strict=False):
        touching = abs(x2 - x0) == 1 and abs(y2 - y0) == 1
        assert not (touching and bend in {(x0, y2), (x2, y0)})


@pytest.mark.parametrize("width", [0.2, 0.7, 1.4])
def test_a_thin_line_is_one_cell_wide(width: int) -> None:
    drawing = Drawing(16, 64)
    drawing.line(dense([(1.5, 8.4), (14.5, 8.4)]), width, (255, 0, 0))
    expected = np.zeros((16, 16), bool)
    expected[8, 1:15] = True
    assert np.array_equal(drawing.art()[..., 3] == 255, expected)
    covered = drawing.picture()[..., 3].sum() / 255 / 16  # cells of 4x4 pixels
    assert covered == pytest.approx(13 * width, rel=0.35)


def test_a_shape_covers_the_cells_that_are_more_than_half_inside() -> None:
    drawing = Drawing(16, 64)
    drawing.fill(dense(SQUARE, closed=True), (0, 255, 0))
    expected = np.zeros((16, 16), bool)
    expected[3:13, 3:13] = True
    assert np.array_equal(drawing.art()[..., 3] == 255, expected)


def test_a_wide_line_is_as_wide_as_drawn_and_a_small_dot_is_seen() -> None:
    drawing = Drawing(16, 64)
    drawing.line(dense([(8, -1), (8, 17)]), 4, (0, 0, 0))
    assert (drawing.art()[..., 3] == 255).sum(axis=1).tolist() == [4] * 16
    drawing.dot(2.4, 2.6, (0.4, 0.4), (9, 8, 7))
    assert drawing.art()[2, 2].tolist() == [9, 8, 7, 255]


@pytest.mark.parametrize("cell", [2, 4, 8])
def test_both_forms_agree(cell: int) -> None:
    """Where a whole neighbourhood of the smooth picture has one colour, the pixel art has it too."""
    compared = 0
    for seed in range(12):
        art, picture = draw_strokes(32, 32 * cell, generator_of(0, seed))
        assert set(art[3].unique().tolist()) <= {0.0, 1.0}
        assert art.shape == (4, 32, 32)
        assert picture.shape == (4, 32 * cell, 32 * cell)
        around = F.unfold(F.pad(picture[None], (cell,) * 4, mode="replicate"), 3 * cell, stride=cell)
        around = around.reshape(4, (3 * cell) ** 2, 32, 32)
        flat = (around.amax(dim=1) - around.amin(dim=1)).amax(dim=0) < 1e-3
        middle = around[:, around.shape[1] // 2]
        assert (art - middle).abs().amax(dim=0)[flat].max() < 0.01
        compared += int(flat.sum())
    assert compared > 1000


def test_a_drawing_depends_on_its_generator_alone() -> None:
    one, two, other = (draw_strokes(24, 96, generator_of(0, seed)) for seed in (1, 1, 2))
    assert all(torch.equal(x, y) for x, y in zip(one, two, strict=True))
    assert not torch.equal(one[0], other[0])


def test_a_batch_has_one_size_of_cell_and_its_strokes_last(folders: tuple[Path, Path]) -> None:
    a, b = (read_picture_set(folder) for folder in folders)
    plain = TranslationBatches(a, CanvasMaker(b), 2048, (16,))
    make = TranslationBatches(a, CanvasMaker(b), 2048, (16,), cell_sizes=(2, 3, 8), strokes=0.5, grain=0.5)
    assert (plain.strokes_of(8), make.strokes_of(8), make.strokes_of(2)) == (0, 4, 1)
    sizes = set()
    for seed in range(8):
        batch = make(generator_of(0, seed))
        cell = int(batch["cell"])
        sizes.add(cell)
        assert batch["cells"].shape == (8, 4, 16, 16)
        assert batch["picture"].shape == (8, 4, 16 * cell, 16 * cell)
        assert batch["a"].shape[2:] == (16 * cell, 16 * cell)
        assert set(batch["cells"][:, 3].unique().tolist()) <= {0.0, 1.0}
        assert 0 <= batch["picture"].min() <= batch["picture"].max() <= 1
    assert sizes == {2, 3, 8}
