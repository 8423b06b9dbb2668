"""The paper's data step agrees with the reference's where the reference does what it says."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from golden import assert_close, cases, read_case
from torch import Tensor

from train.backgrounds import TURNS, noise, on_background, resized
from train.sprites import rotated

pytestmark = pytest.mark.skipif(
    not {"sprite_preprocess", "noise_background"} <= set(cases("preprocess")), reason="these goldens are not here"
)


def planes(pixels: Tensor) -> Tensor:
    """`h w c` to `c h w`."""
    return pixels.permute(2, 0, 1).contiguous()


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("bg_white", lambda sprite: sprite),
        ("rot15_white", lambda sprite: rotated(sprite, 15)),
        ("rot30_white", lambda sprite: rotated(sprite, 30)),
        ("flip_white", lambda sprite: sprite.flip(2)),
    ],
)
def test_a_sprite_on_white_is_the_references(name: str, change: Callable[[Tensor], Tensor]) -> None:
    case = read_case("preprocess", "sprite_preprocess")
    sprite = change(planes(case.tensors["in/rgba"]))
    made = on_background(sprite, torch.full_like(sprite[:3], 255))
    assert torch.equal(made, planes(case.tensors[f"out/{name}"]))
    assert {15, 30, -15, -30} < set(TURNS)


def test_a_sprite_on_black_is_the_references() -> None:
    case = read_case("preprocess", "sprite_preprocess")
    sprite = planes(case.tensors["in/rgba"])
    assert torch.equal(on_background(sprite, torch.zeros_like(sprite[:3])), planes(case.tensors["out/bg_black"]))


@pytest.mark.parametrize("side", [64, 16])
def test_resizing_is_bicubic_on_the_tensor_without_antialias(side: int) -> None:
    case = read_case("preprocess", "sprite_preprocess")
    white = planes(case.tensors["out/bg_white"]).float() / 255
    made = resized(white, side)
    assert_close(made, case.tensors[f"out/resize{side}_tensor_bicubic_noantialias"], 1e-5)
    if side == 64:
        assert float(made.min()) < -0.1
        assert float(made.max()) > 1.1


def test_noise_is_the_references_to_the_byte() -> None:
    case = read_case("preprocess", "noise_background")
    sprite = planes(case.tensors["in/rgba"])
    normal = np.random.RandomState(case.about["numpy_legacy_seed"]).normal(0, 1, (*sprite.shape[1:], 3))
    assert torch.equal(on_background(sprite, noise(normal)), planes(case.tensors["out/rgb"]))
