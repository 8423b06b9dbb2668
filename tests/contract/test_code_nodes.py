"""The nodes of codes, as ComfyUI's own Python ran them."""

from __future__ import annotations

from typing import Any

import pytest

Facts = dict[str, Any]


def test_pictures_become_codes_and_come_back_with_their_mask(facts: Facts) -> None:
    codes = facts["codes"]
    assert codes["shapes"][:3] == [[1, 12, 12, 3], [1, 12, 12, 3], [1, 12, 12]]
    assert codes["shapes"][3] == 3
    assert codes["mask_kept"]
    assert codes["same_codes"]
    assert codes["error"] < 0.05
    assert codes["coarse"] == [1, 12, 12]


def test_codes_are_replaced_mixed_cut_and_fused(facts: Facts) -> None:
    codes = facts["codes"]
    assert codes["replaced"]
    assert codes["halves"]
    assert codes["coins"]
    assert codes["cut"] == 1.0
    assert codes["fused"] == [[1, 12, 12], True]
    assert codes["recolored"] == [1, 12, 12, 3]


def test_a_swap_by_codes_keeps_the_drawings_transparency(facts: Facts) -> None:
    assert facts["codes"]["swapped"] == [[1, 12, 12, 3], True]


def test_codes_are_kept_in_files_that_never_leave_their_folders(facts: Facts) -> None:
    assert facts["codes"]["kept"]
    assert facts["codes"]["inside"]
    assert "broken.npz" in facts["codes"]["broken_file"]
    assert "is not in" in facts["codes"]["outside_file"]


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("other_model", "CodesError: these codes were made by the model"),
        ("no_codes", "ModelKindError: a model to encode is needed"),
        ("no_other", "CodesError: other is not connected"),
        ("no_mask", "CodesError: mask is not connected"),
        ("no_prior", "CodesError: prior is not connected"),
        ("wrong_prior", "ModelKindError: a model to fuse is needed"),
        ("swap_alone", "CodesError: other is not connected"),
        ("sizes", "Error: "),
        ("bad_changes", "changes: '12=x' is no change of a code"),
        ("bad_action", "action is 'melt', expected one of "),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(facts: Facts, case: str, told: str) -> None:
    assert told in facts["codes"][case]
