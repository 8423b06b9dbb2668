"""Sprites named by Pokédex number: split by species, labels from PokeAPI's tables; pictures and tables made up here."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from train import pokedex, prepare
from train.prepare import split_of

FILES = (
    *("7.png", "7-mega-z.png", "shiny/7.png", "back/7.png", "back/shiny/7.png", "female/7.png", "10001.png"),
    *("8_sheet.png", "8-odd_sheet.png", "shiny/8.png", "egg.png", "0.png"),
)
TABLES = {
    "pokemon": "id,identifier,species_id\n7,blot,7\n8,drop,8\n10001,blot-mega-z,7\n10002,drop-other,8\n",
    "pokemon_types": "pokemon_id,type_id,slot\n7,2,2\n7,1,1\n8,3,1\n10001,3,1\n10002,1,1\n",
    "types": "id,identifier\n1,ink\n2,water\n3,gold\n",
    "pokemon_species": "id,identifier,shape_id,color_id\n7,blot,1,2\n8,drop,,1\n",
    "pokemon_shapes": "id,identifier\n1,blob\n",
    "pokemon_colors": "id,identifier\n1,green\n2,black\n",
}


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    sprites, tables = tmp_path / "sprites", tmp_path / "csv"
    tables.mkdir()
    for index, name in enumerate(FILES):
        (sprites / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((6, 6, 4), 10 * index + 50, np.uint8)).save(sprites / name)
    for name, text in TABLES.items():
        (tables / f"{name}.csv").write_text(text)
    return sprites, tables


def prepared(sprites: Path, out: Path, *more: str) -> dict[str, dict[str, str]]:
    prepare.main([str(sprites), "-o", str(out), "--layout", "pokedex", *more])
    with (out / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return {row["path"].partition("/")[2].removesuffix(".png"): row for row in csv.DictReader(file)}


def test_all_views_and_forms_of_a_species_are_of_one_split(folders: tuple[Path, Path], tmp_path: Path) -> None:
    rows = prepared(folders[0], tmp_path / "set", "--pokeapi", str(folders[1]))
    assert len(rows) == 10  # neither the egg nor number 0
    for species in ("7", "8"):
        assert {row["split"] for row in rows.values() if row["group_id"] == species} == {split_of(species)}
    assert {row["group_id"] for row in rows.values()} == {"7", "8"}
    assert rows["10001"]["group_id"] == "7"
    assert all((tmp_path / "set" / row["path"]).is_file() for row in rows.values())


def test_labels_come_from_the_tables_and_forms_have_their_own_types(folders: tuple[Path, Path], tmp_path: Path) -> None:
    rows = prepared(folders[0], tmp_path / "set", "--pokeapi", str(folders[1]))
    wanted = {
        "7": ("ink", "water", "blob", "black"),
        "7-mega-z": ("gold", "", "blob", "black"),
        "10001": ("gold", "", "blob", "black"),
        "back__shiny__7": ("ink", "water", "blob", "black"),
        "8-odd_sheet": ("gold", "", "", "green"),
    }
    assert {n: tuple(rows[n][c] for c in ("type1", "type2", "shape", "color")) for n in wanted} == wanted
    views = {n: tuple(rows[n][c] for c in ("form", "view", "shiny", "female")) for n in rows}
    assert views["back__shiny__7"] == ("", "back", "1", "0")
    assert views["female__7"] == ("", "front", "0", "1")
    assert views["10001"] == ("mega-z", "front", "0", "0")
    assert rows["7"]["label"] == "ink"


def test_without_tables_there_are_numbers_but_no_labels(folders: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"10001\.png is a form.*--pokeapi"):
        prepared(folders[0], tmp_path / "set")
    (folders[0] / "10001.png").unlink()
    rows = prepared(folders[0], tmp_path / "set")
    assert len(rows) == 9
    assert {row["type1"] for row in rows.values()} == {""}
    assert rows["7-mega-z"]["group_id"] == "7"


def test_missing_and_foreign_tables_are_named(folders: tuple[Path, Path], tmp_path: Path) -> None:
    sprites, tables = folders
    (tables / "types.csv").write_text("id,name\n1,ink\n")
    with pytest.raises(ValueError, match=r"not PokeAPI's.*identifier"):
        pokedex.read_tables(tables)
    (tables / "types.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"types\.csv is missing"):
        prepared(sprites, tmp_path / "set", "--pokeapi", str(tables))
    assert not (tmp_path / "set").exists()
    with pytest.raises(ValueError, match="--layout pokedex"):
        prepare.main([str(sprites), "-o", str(tmp_path / "set"), "--pokeapi", str(tables)])
