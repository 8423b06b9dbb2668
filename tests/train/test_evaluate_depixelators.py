"""The measures of enlarged sprites: each sees the fault it is for, and the command writes its table and sheets."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from pixel_models.errors import ModelKindError
from pixel_models.image import enlarge
from train.evaluate import __main__ as door
from train.evaluate.depixelators import cells_of, edge_agreement, fidelity, held_out_sprites, scalers
from train.pictures import read_picture_set


@pytest.fixture(scope="module")
def sprite(folders: tuple[Path, Path]) -> Tensor:
    return held_out_sprites(folders[1], "test", 1)[0]


def test_sprites_are_squares_of_hard_alpha_with_air_around(sprite: Tensor) -> None:
    assert sprite.shape[2] == sprite.shape[3]
    assert set(sprite[:, 3].unique().tolist()) == {0.0, 1.0}
    assert not sprite[:, 3, 0].any()
    assert not sprite[:, 3, :, -1].any()


def test_exact_enlargement_is_true_in_all_but_its_stairs(sprite: Tensor) -> None:
    found = fidelity(sprite, enlarge(sprite, 4))
    assert found.pop("stairs") > 3.9
    assert all(abs(value) < 1e-3 for value in found.values())


@pytest.mark.parametrize("scale", [4, 8])
def test_each_measure_sees_its_fault(sprite: Tensor, scale: int) -> None:
    exact = enlarge(sprite, scale)
    tinted, specked, thinner, fringed = (exact.clone() for _ in range(4))
    tinted[:, :3] = (tinted[:, :3] * 0.6 + 0.3) * tinted[:, 3:]
    specked[:, 3, 0, 0] = 1
    thinner[:, 3] *= 0.5
    fringed[:, :3] = torch.where(fringed[:, 3:] > 0, fringed[:, :3], torch.tensor([0.0, 1.0, 0.0]).view(1, 3, 1, 1))
    fringed[:, 3] = (fringed[:, 3] + 0.5).clamp_max(1)
    assert fidelity(sprite, tinted)["shift"] > 1
    assert fidelity(sprite, specked)["specks"] > 0
    assert fidelity(sprite, thinner)["alpha"] > 5
    assert fidelity(sprite, fringed)["fringe"] > 10


def test_the_ways_differ_as_they_should(sprite: Tensor) -> None:
    ways = scalers(["kiln-depixelate"])
    found = {name: fidelity(sprite, way(sprite, 4)) for name, way in ways.items()}
    assert set(found) == {"nearest", "epx", "smooth", "bicubic", "kiln-depixelate"}
    assert found["nearest"]["stairs"] == max(row["stairs"] for row in found.values())
    ours = found["kiln-depixelate"]
    assert ours["specks"] == 0
    assert ours["shift_flat"] < 1e-2
    assert ours["fringe"] < found["bicubic"]["fringe"]
    assert ours["alpha"] < found["bicubic"]["alpha"]


def test_edges_agree_with_themselves_and_not_with_others(folders: tuple[Path, Path]) -> None:
    (cells, drawing), *_ = cells_of(read_picture_set(folders[0], "test"), 2)
    assert cells.shape == (1, 4, 32, 32)
    assert len(cells[0].flatten(1).T.unique(dim=0)) <= 17
    assert edge_agreement(drawing, drawing, 1) == pytest.approx(1)
    assert edge_agreement(drawing.roll(9, dims=3), drawing, 1) < 0.9


def test_a_model_of_another_kind_is_refused() -> None:
    with pytest.raises(ModelKindError, match="to depixelate is needed"):
        scalers(["kiln-pixelate"])


def test_the_command_writes_table_and_sheets(folders: tuple[Path, Path], tmp_path: Path) -> None:
    a, b = folders
    command = ["depixelators", "--a", str(a), "--b", str(b), "--out", str(tmp_path), "--count", "2", "--shown", "2"]
    door.main(command)
    with (tmp_path / "table.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["model"]: row for row in csv.DictReader(file)}
    assert {f"{name} x{scale}" for name in ("nearest", "kiln-depixelate") for scale in (4, 8)} <= set(rows)
    assert float(rows["nearest x8"]["stairs"]) > float(rows["kiln-depixelate x8"]["stairs"])
    assert float(rows["kiln-depixelate x4"]["edges"]) > 0
    sizes = [Image.open(tmp_path / f"sheet-x{scale}.png").size for scale in (4, 8)]
    assert sizes[0] == sizes[1]


def test_no_sprite_of_a_licence_is_told(folders: tuple[Path, Path]) -> None:
    with pytest.raises(FileNotFoundError, match="licence 'CC0'"):
        held_out_sprites(folders[1], "test", 1, "CC0")
