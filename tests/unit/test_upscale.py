"""Sprites larger: exact squares, the published rules of EPX, and smooth borders that keep flat colours."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pixel_models.errors import ShapeError
from pixel_models.image import enlarge
from pixel_models.upscale import EPX_SCALES, UPSCALE_METHODS, UpscaleMethod, upscale


def sprite(seed: int, *, colors: int = 4, b: int = 1, h: int = 9, w: int = 7) -> tuple[Tensor, Tensor]:
    """Random cells of a few colours, some transparent: `b 3 h w`, `b 1 h w`."""
    generator = torch.Generator().manual_seed(seed)
    palette = torch.randint(0, 256, (colors, 3), generator=generator) / 255
    rgb = palette[torch.randint(0, colors, (b, h, w), generator=generator)].permute(0, 3, 1, 2)
    return rgb, (torch.rand(b, 1, h, w, generator=generator) > 0.3).float()


def values(rgb: Tensor, alpha: Tensor) -> set[tuple[float, ...]]:
    return {tuple(color) for color in torch.cat([rgb * alpha, alpha], dim=1).permute(0, 2, 3, 1).flatten(0, 2).tolist()}


def letters(*rows: str) -> Tensor:
    """Letters as shades of grey, `1 3 h w`."""
    return torch.tensor([[(ord(cell) - 65) / 25 for cell in row] for row in rows])[None, None].expand(-1, 3, -1, -1)


def text(rgb: Tensor) -> list[str]:
    return ["".join(chr(65 + round(cell * 25)) for cell in row) for row in rgb[0, 0].tolist()]


def test_scale2x_cuts_the_corner_between_two_equal_neighbours() -> None:
    made, alpha = upscale(letters("XAX", "AEF", "GHI"), 2, "epx")
    assert alpha is None
    assert [row[2:4] for row in text(made)[2:4]] == ["AE", "EE"]
    made, _ = upscale(letters("AAA", "AEA", "GHI"), 2, "epx")  # B = D = F: three agree
    assert [row[2:4] for row in text(made)[2:4]] == ["EE", "EE"]


def test_scale3x_goes_on_along_the_edge() -> None:
    made, _ = upscale(letters("AAC", "AEE", "GEE"), 3, "epx")  # D = B and E is not C, E is not G
    assert [row[3:6] for row in text(made)[3:6]] == ["AAE", "AEE", "EEE"]
    made, _ = upscale(letters("AAE", "AEE", "EEE"), 3, "epx")
    assert [row[3:6] for row in text(made)[3:6]] == ["AEE", "EEE", "EEE"]


def test_a_diagonal_line_hangs_together() -> None:
    line = torch.eye(8)[None, None].expand(-1, 3, -1, -1)
    made, _ = upscale(line, 2, "epx")
    assert made[0, 0].diagonal(1).sum() == 15
    smooth, _ = upscale(line, 8, "smooth")
    assert smooth[0, 0].diagonal().min() == 1


@pytest.mark.parametrize("scale", EPX_SCALES)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_epx_makes_no_new_color(scale: int, seed: int) -> None:
    rgb, alpha = sprite(seed)
    made, cover = upscale(rgb, scale, "epx", alpha=alpha)
    assert cover is not None
    assert made.shape == (1, 3, 9 * scale, 7 * scale)
    assert values(made, cover) <= values(rgb, alpha)


def test_four_times_is_twice_twice_and_nine_times_thrice_thrice() -> None:
    rgb, _ = sprite(1)
    for whole, part in ((4, 2), (9, 3)):
        twice = upscale(upscale(rgb, part, "epx")[0], part, "epx")[0]
        assert torch.equal(upscale(rgb, whole, "epx")[0], twice)


@pytest.mark.parametrize("method", UPSCALE_METHODS)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6), scale=st.sampled_from([2, 3, 4, 8]))
def test_enlarging_turns_and_mirrors_with_the_sprite(method: UpscaleMethod, seed: int, scale: int) -> None:
    rgb, _ = sprite(seed, colors=2)
    made, _ = upscale(rgb, scale, method)
    for change in (lambda x: x.flip(3), lambda x: x.flip(2), lambda x: x.transpose(2, 3)):
        torch.testing.assert_close(upscale(change(rgb), scale, method)[0], change(made), atol=0.002, rtol=0)


@pytest.mark.parametrize("method", UPSCALE_METHODS)
def test_a_batch_is_enlarged_frame_by_frame(method: UpscaleMethod) -> None:
    rgb, alpha = sprite(2, b=3)
    made, cover = upscale(rgb, 6, method, alpha=alpha)
    for number in range(3):
        one, clear = upscale(rgb[number : number + 1], 6, method, alpha=alpha[number : number + 1])
        torch.testing.assert_close(one[0], made[number], atol=1e-6, rtol=0)
        assert torch.equal(clear[0], cover[number])  # pyright: ignore[reportOptionalSubscript]


@pytest.mark.parametrize("method", UPSCALE_METHODS)
def test_what_is_under_transparent_pixels_changes_nothing_that_is_seen(method: UpscaleMethod) -> None:
    rgb, alpha = sprite(5)
    other = torch.where(alpha > 0, rgb, 1 - rgb)
    (one, cover), (two, again) = upscale(rgb, 4, method, alpha=alpha), upscale(other, 4, method, alpha=alpha)
    assert cover is not None
    assert again is not None
    assert torch.equal(cover, again)
    assert torch.equal(one * (cover > 0), two * (cover > 0))


@pytest.mark.parametrize("scale", range(1, 17))
def test_smooth_keeps_flat_areas_exactly_and_blends_only_neighbours(scale: int) -> None:
    rgb = torch.full((1, 3, 12, 12), 0.2)
    rgb[:, 0, :, 6:] = 0.9
    made, _ = upscale(rgb, scale, "smooth")
    border = 6 * scale
    assert torch.equal(made[..., : border - 1], enlarge(rgb, scale)[..., : border - 1])
    assert torch.equal(made[..., border + 1 :], enlarge(rgb, scale)[..., border + 1 :])
    assert 0.2 <= made.min() <= made.max() <= 0.9


def test_smooth_draws_a_disc_round_and_soft() -> None:
    y, x = torch.meshgrid(torch.arange(16) - 7.5, torch.arange(16) - 7.5, indexing="ij")
    disc = ((x.square() + y.square()).sqrt() < 6).float()[None, None]
    _, cover = upscale(disc.expand(-1, 3, -1, -1), 8, "smooth", alpha=disc)
    assert cover is not None
    y, x = torch.meshgrid(torch.arange(128) - 63.5, torch.arange(128) - 63.5, indexing="ij")
    wrong = {
        name: float((picture[0, 0] - ((x.square() + y.square()).sqrt() < 48).float()).abs().mean())
        for name, picture in (("smooth", cover), ("nearest", enlarge(disc, 8)))
    }
    assert wrong["smooth"] < 0.6 * wrong["nearest"]
    assert ((cover > 0) & (cover < 1)).any()


def test_an_eye_and_a_thin_line_survive_smoothing() -> None:
    rgb = torch.ones(1, 3, 12, 12)
    rgb[:, :, 3, 3] = 0
    rgb[:, :, 8] = 0
    made = upscale(rgb, 8, "smooth")[0]
    assert made[0, 0, 28, 28] == 0
    assert (made[0, 0, 68] == 0).all()


def test_what_cannot_be_is_refused() -> None:
    rgb, alpha = sprite(0)
    with pytest.raises(ShapeError, match="scale is 5, expected one of 1, 2, 3, 4, 6, 8, 9, 12, 16 for 'epx'"):
        upscale(rgb, 5, "epx")
    with pytest.raises(ShapeError, match="scale is 17, expected a whole number of 1 to 16 for 'smooth'"):
        upscale(rgb, 17, "smooth")
    with pytest.raises(ShapeError, match="expected one of nearest, epx, smooth"):
        upscale(rgb, 2, "hq2x")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ShapeError, match="as its picture"):
        upscale(rgb, 2, alpha=alpha[..., 1:])
