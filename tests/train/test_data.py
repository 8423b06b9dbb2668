"""From folders of pictures to batches: preparing, drawing canvases, and pairs that fit together."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from train import prepare
from train.batches import TranslationBatches, cut_out
from train.canvas import MAX_COLORS, CanvasMaker
from train.loop import generator_of
from train.pairs import CELL, axis_weights, draw_picture, smooth
from train.pictures import read_picture_set


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_plain_folder_becomes_a_set_without_doubles(folders: tuple[Path, Path], tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    for path in folders[1].glob("*.png"):
        (source / path.name).write_bytes(path.read_bytes())
    Image.open(source / "0.png").save(source / "same-picture-other-file.gif")
    (source / "readme.txt").write_text("no picture")
    (source / "broken.png").write_bytes(b"\x89PNG\r\n")
    prepare.main([str(source), "-o", str(tmp_path / "set")])
    made = rows(tmp_path / "set")
    assert len(made) in {12, 13}  # a GIF may round colours
    assert {row["split"] for row in made} <= set(prepare.SPLITS)
    assert all((tmp_path / "set" / row["path"]).is_file() for row in made)
    again = tmp_path / "again"
    prepare.main([str(source), "-o", str(again)])
    assert [r["path"] for r in rows(again)] == [r["path"] for r in made]


def test_a_manifest_decides_split_and_licence(tmp_path: Path) -> None:
    archive = tmp_path / "x.zip"
    table = "path,licence,split,group_id,generated,author\n"
    with zipfile.ZipFile(archive, "w") as file:
        for index, (licence, split) in enumerate([("CC0-1.0", "test"), ("CC0 statement", "train"), ("MIT", "train")]):
            image = Image.fromarray(np.full((8, 8, 3), index * 50, np.uint8))
            with file.open(f"p/{index}.png", "w") as inside:
                image.save(inside, "PNG")
            table += f"{index}.png,{licence},{split},g{index},{int(index == 2)},Ann\n"
        file.writestr("p/manifest.csv", table)
    prepare.main([str(archive), "-o", str(tmp_path / "set")])
    made = rows(tmp_path / "set")
    assert [(r["split"], r["licence"], r["weight"], r["author"]) for r in made] == [
        ("test", "CC0-1.0", "1", "Ann"),
        ("train", "MIT", "0.35", "Ann"),
    ]
    assert len(read_picture_set(tmp_path / "set")) == 1


def test_nothing_to_prepare_is_said_and_nothing_is_written(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(FileNotFoundError, match="passed the filters"):
        prepare.main([str(empty), "-o", str(tmp_path / "set")])
    assert not (tmp_path / "set").exists()
    with pytest.raises(FileNotFoundError, match="folder or a zip"):
        prepare.main([str(tmp_path / "nowhere"), "-o", str(tmp_path / "set")])


def test_a_folder_that_is_no_set_is_not_overwritten(folders: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="no training set"):
        prepare.main([str(folders[1]), "-o", str(tmp_path)])
    assert (tmp_path / "precious.txt").read_text() == "mine"


@pytest.mark.parametrize("cells", [16, 24, 32, 48])
def test_canvases_are_pixel_art(folders: tuple[Path, Path], cells: int) -> None:
    maker, g = CanvasMaker(read_picture_set(folders[1])), generator_of(0)
    for _ in range(20):
        canvas = maker.draw(cells, g)
        assert canvas.shape == (4, cells, cells)
        assert set(canvas[3].unique().tolist()) <= {0.0, 1.0}
        assert len(canvas.flatten(1).T.unique(dim=0)) <= MAX_COLORS
        assert torch.equal(canvas * 255, (canvas * 255).round())
        assert canvas[:3][(canvas[3:] == 0).expand(3, -1, -1)].abs().sum() == 0


@pytest.mark.parametrize("shift", [0.0, 0.3, -2.0])
def test_every_pixel_is_a_mixture_of_cells(shift: float) -> None:
    weights = axis_weights(8, 32, sigma=0.4, shift=shift, scale=1.02)
    assert weights.min() >= 0
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(32))
    middle = (weights * torch.arange(8)).sum(dim=1)
    assert bool((middle.diff() >= 0).all())


def test_the_smooth_picture_shrinks_back_to_its_canvas(folders: tuple[Path, Path]) -> None:
    maker, g = CanvasMaker(read_picture_set(folders[1])), generator_of(1)
    for _ in range(10):
        canvas = maker.draw(16, g)
        picture = smooth(canvas, pixels=64)
        centres = picture.unflatten(1, (16, 4)).unflatten(3, (16, 4))[:, :, 1:3, :, 1:3].mean(dim=(2, 4))
        assert (centres - canvas).abs().mean() < 0.06
        drawn = draw_picture(canvas, g)
        assert drawn.shape == (4, 64, 64)
        assert 0 <= drawn.min() <= drawn.max() <= 1


def test_a_batch_depends_on_its_generator_alone(folders: tuple[Path, Path]) -> None:
    a, b = (read_picture_set(folder) for folder in folders)
    make = TranslationBatches(a, CanvasMaker(b), 1024, (16, 24))
    one, two, other = make(generator_of(0, 1)), make(generator_of(0, 1)), make(generator_of(0, 2))
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert not all(one[key].shape == other[key].shape and torch.equal(one[key], other[key]) for key in one)
    side = one["cells"].shape[2]
    assert one["picture"].shape == one["clean"].shape == (len(one["cells"]), 4, CELL * side, CELL * side)
    assert one["a"].shape[2] == CELL * side


def test_a_cut_out_drawing_is_the_same_on_white() -> None:
    y, x = torch.meshgrid(torch.arange(64) - 31.5, torch.arange(64) - 31.5, indexing="ij")
    cover = (20 - (x**2 + y**2).sqrt()).clamp(0, 1)  # a red disc, its rim anti-aliased, a white spot inside
    rgb = 1 - cover * torch.tensor([0.2, 0.9, 0.9])[:, None, None]
    rgb[:, 30:34, 30:34] = 1
    picture = torch.cat([rgb, torch.ones(1, 64, 64)])
    cut = cut_out(picture)
    torch.testing.assert_close(cut[:3] * cut[3:] + 1 - cut[3:], rgb, atol=1e-4, rtol=0)
    assert cut[3, 0, 0] == 0
    assert cut[3, 32, 32] == 1
    assert 0 < cut[3][(cover > 0.2) & (cover < 0.8)].mean() < 1
    dark = picture.clone()
    dark[:3] *= 0.5
    assert torch.equal(cut_out(dark), dark)
