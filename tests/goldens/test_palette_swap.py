"""Palettes of codes are swapped, rotated and given as the paper's reference does, and as it was meant."""

from __future__ import annotations

import pytest
import torch
from golden import cases, read_case
from torch import Tensor

from pixel_models.codes import CodeGrid, code_palette, recolor_codes, rotate_codes, swap_codes

SWAPS = [name for name in cases("palette_swap") if name not in {"code_rotation", "recolour_to_given_palette"}]


def grid(indices: Tensor) -> CodeGrid:
    """Codes of one HiRes picture."""
    height, width = indices.shape
    return CodeGrid(indices[None], 256, "golden", 1, height, width)


@pytest.mark.parametrize("name", SWAPS)
@pytest.mark.parametrize("way", ["reference", "simultaneous"])
def test_a_swap_gives_the_references_codes(name: str, way: str) -> None:
    case = read_case("palette_swap", name)
    a, b = grid(case.tensors["in/a"]), grid(case.tensors["in/b"])
    assert code_palette(a) == case.about["palette_a"]
    assert code_palette(b) == case.about["palette_b"]
    for background in (True, False):
        made = swap_codes(a, b, simultaneous=way == "simultaneous", background=background)
        assert torch.equal(made[0].indices[0], case.tensors[f"out/{way}_a"])
        assert torch.equal(made[1].indices[0], case.tensors[f"out/{way}_b"])


def test_there_is_a_swap_that_the_two_ways_do_not_agree_on() -> None:
    assert not read_case("palette_swap", "overlap_chain").about["reference_equals_simultaneous"]


def test_a_rotation_gives_the_references_codes() -> None:
    case = read_case("palette_swap", "code_rotation")
    for name, wanted in case.group("out/rot_").items():
        made = rotate_codes(grid(case.tensors["in/x"]), int(name), 112)
        assert torch.equal(made.indices[0], wanted), name


def test_codes_given_by_a_list_are_the_references() -> None:
    case = read_case("palette_swap", "recolour_to_given_palette")
    before = grid(case.tensors["in/a"])
    assert code_palette(before) == case.about["palette_a"]
    made = recolor_codes(before, case.about["given_palette"], simultaneous=False)
    assert torch.equal(made.indices[0], case.tensors["out/reference"])
