"""Sprites named by Pokédex number, and the public PokeAPI tables that say what each one is.

The sprites are Nintendo's: whoever has them names them, or keeps them named, like this (folders in any order):

    6.png  6-mega-x.png  10034.png  shiny/6.png  back/6.png  back/shiny/6.png  female/3.png  6-mega-x_platinum.png

A number above 10000 is a form's, as in PokeAPI; which species it belongs to stands in `pokemon.csv`. What follows an
underscore says where a sprite comes from. The tables are the files of data/v2/csv in https://github.com/PokeAPI/pokeapi.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

COLUMNS: tuple[str, ...] = ("number", "form", "view", "shiny", "female", "type1", "type2", "shape", "color")
"""What the manifest says of each sprite, beside the usual columns; empty where the tables do not know."""

FIRST_FORM = 10001
"""Numbers from here on are forms of species, not species."""

_TABLES = ("pokemon", "pokemon_types", "types", "pokemon_species", "pokemon_shapes", "pokemon_colors")
_NAME = re.compile(r"(?P<number>\d+)(?:-(?P<form>[^_]+))?(?:_.*)?")


@dataclass(frozen=True)
class Pokedex:
    """What the PokeAPI tables say; empty without them."""

    species: dict[int, int] = field(default_factory=dict)
    """Number of a species or form to its species."""

    names: dict[int, str] = field(default_factory=dict)
    """Number to identifier, such as `charizard-mega-x`."""

    types: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Number to its one or two types, the second one possibly empty."""

    looks: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Species to shape and colour."""

    def of_form(self, species: int, form: str) -> int:
        """The number of a species' form by the end of its name; the species' own where the tables know no such."""
        for number, owner in self.species.items():
            if form and owner == species and self.names[number].endswith(f"-{form}"):
                return number
        return species


def read_tables(folder: Path) -> Pokedex:
    """Read PokeAPI's CSV files.

    Raises:
        FileNotFoundError: one is missing.
        ValueError: one lacks a column.
    """
    for name in _TABLES:
        if not (folder / f"{name}.csv").is_file():
            msg = f"{folder / name}.csv is missing; expected PokeAPI's data/v2/csv with {', '.join(_TABLES)}"
            raise FileNotFoundError(msg)
    tables = {}
    for name in _TABLES:
        with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            tables[name] = list(csv.DictReader(file))
    try:
        words = {
            name: {row["id"]: row["identifier"] for row in tables[name]}
            for name in ("types", "pokemon_shapes", "pokemon_colors")
        }
        types: dict[int, tuple[str, str]] = {}
        for row in sorted(tables["pokemon_types"], key=lambda row: int(row["slot"])):
            first, _ = types.get(int(row["pokemon_id"]), ("", ""))
            word = words["types"][row["type_id"]]
            types[int(row["pokemon_id"])] = (first, word) if first else (word, "")
        return Pokedex(
            {int(row["id"]): int(row["species_id"]) for row in tables["pokemon"]},
            {int(row["id"]): row["identifier"] for row in tables["pokemon"]},
            types,
            {
                int(row["id"]): (
                    words["pokemon_shapes"].get(row["shape_id"], ""),
                    words["pokemon_colors"].get(row["color_id"], ""),
                )
                for row in tables["pokemon_species"]
            },
        )
    except (KeyError, ValueError) as error:
        msg = f"the tables of {folder} are not PokeAPI's ({error!r} in a row); fetch data/v2/csv again"
        raise ValueError(msg) from error


def sprite_rows(names: Sequence[str], dex: Pokedex) -> Iterator[dict[str, str]]:
    """A manifest row for every sprite whose name begins with a number; `group_id` is its species.

    Args:
        names: paths of pictures, with `/`.
        dex: what is known of the numbers.

    Raises:
        ValueError: a form's number without a table that says whose form it is.
    """
    for name in names:
        path = PurePosixPath(name)
        match = _NAME.fullmatch(path.stem)
        number = int(match["number"]) if match else 0
        if not match or not number:  # an egg, a substitute, the question mark
            continue
        if number >= FIRST_FORM and number not in dex.species:
            msg = f"{name} is a form, and no table says of which species; give --pokeapi FOLDER with pokemon.csv"
            raise ValueError(msg)
        species, folders = dex.species.get(number, number), {part.lower() for part in path.parts[:-1]}
        form = match["form"] or ""
        known = dex.of_form(species, form) if number == species else number
        first, second = dex.types.get(known, dex.types.get(species, ("", "")))
        shape, color = dex.looks.get(species, ("", ""))
        yield {
            "path": name,
            "group_id": str(species),
            "label": first,
            "number": str(species),
            "form": form or ("" if number == species else dex.names[number].partition("-")[2]),
            "view": "back" if "back" in folders else "front",
            "shiny": str(int("shiny" in folders)),
            "female": str(int("female" in folders or form == "female")),
            "type1": first,
            "type2": second,
            "shape": shape,
            "color": color,
        }
