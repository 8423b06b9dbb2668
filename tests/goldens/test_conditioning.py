"""Labels from a manifest's columns are numbered, and make the vectors, as in the reference."""

from __future__ import annotations

import pytest
from golden import read_case

from train.attributes import column_names, first_appearance, n_hot

CASE = read_case("conditioning", "labels").about


@pytest.mark.parametrize("which", list(CASE["results"]))
def test_classes_are_numbered_by_first_appearance_and_vectors_are_n_hot(which: str) -> None:
    columns, expected = which.split("+"), CASE["results"][which]
    rows = [column_names({k: v or "" for k, v in row.items()}, columns) for row in CASE["metadata"].values()]
    known = first_appearance(rows)
    assert {name.split("=")[1]: index for index, name in enumerate(known)} == expected["encoding_dict"]
    assert len(known) == expected["size"]
    found = n_hot([[name for name in row if name] for row in rows], known)
    assert found.long().tolist() == [expected["vectors"][file] for file in CASE["metadata"]]
