"""Palettes joined, edited in one call and read off pictures; explicit changes of colours, first or alone."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pixel_models.color import srgb_to_oklab
from pixel_models.errors import PaletteError
from pixel_models.image import from_uint8
from pixel_models.palette import IndexedImage, Palette, swap_palette
from pixel_models.palette.combine import distinct_colors, edit_palette, join_palettes
from pixel_models.palette.swap import SwapOrder, parse_changes
from pixel_models.palette.views import least_contrasts

RGB = st.tuples(*[st.integers(0, 255)] * 3)


def drawn(palette: Palette) -> torch.Tensor:
    """One pixel a colour, `1 3 1 k`."""
    return from_uint8(palette.colors).T[None, :, None]


def test_joining_keeps_the_order_and_every_colour_once() -> None:
    joined = join_palettes([Palette.from_hex("00f f00", "a"), Palette.from_hex("f00 0f0 00f fff")])
    assert joined.to_hex() == ["#0000ff", "#ff0000", "#00ff00", "#ffffff"]
    with pytest.raises(PaletteError, match="at least one"):
        join_palettes([])


@given(colors=st.lists(RGB, min_size=1, max_size=40, unique=True))
def test_a_palette_drawn_one_pixel_a_colour_reads_back_in_its_order(colors: list[tuple[int, int, int]]) -> None:
    palette = Palette(torch.tensor(colors, dtype=torch.uint8))
    assert distinct_colors([drawn(palette)]) == palette
    assert distinct_colors([drawn(palette), drawn(palette).flip(3)]) == palette


def test_transparent_pixels_are_no_colours_and_too_many_are_refused() -> None:
    rgba = torch.zeros(1, 4, 1, 2)
    rgba[0, :, 0, 1] = 1
    assert distinct_colors([rgba]).to_hex() == ["#ffffff"]
    with pytest.raises(PaletteError, match="no opaque pixel"):
        distinct_colors([torch.zeros(1, 4, 2, 2)])
    ramp = torch.arange(1200)
    many = torch.stack([ramp % 256, ramp // 256, ramp * 0]).to(torch.uint8)
    with pytest.raises(PaletteError, match="1200 colours"):
        distinct_colors([from_uint8(many)[None, :, None]])


def test_edits_come_in_their_order() -> None:
    palette = Palette.from_hex("ffffff 000000 ff0000 fe0000 00ff00")
    assert edit_palette(palette) == palette
    assert edit_palette(palette, merge=0.02).to_hex() == ["#ffffff", "#000000", "#ff0000", "#00ff00"]
    thin = edit_palette(palette, merge=0.02, reduce=3, sort="lightness", reverse=True)
    assert len(thin) == 3
    light = srgb_to_oklab(from_uint8(thin.colors), dim=1)[:, 0]
    assert bool((light.diff() < 0).all())


@pytest.mark.parametrize("text", ["#111=#222 #333=#444", "111=222,333=444", "#111->#222\n#333->#444;"])
def test_changes_are_read_however_they_are_parted(text: str) -> None:
    assert [pair[-3:] for pair in parse_changes(text).values()] == ["222", "444"]


@pytest.mark.parametrize("text", ["#111", "=#222", "#111=", "#111=#222 #111=#333"])
def test_changes_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(PaletteError, match=r"no change|both"):
        parse_changes(text)


@pytest.mark.parametrize("by", ["frequency", "lightness", "hue"])
def test_a_colour_that_is_pinned_becomes_what_was_said_and_the_others_the_palettes(by: SwapOrder) -> None:
    picture = IndexedImage(torch.tensor([[[0, 1, 2, 2]]]), Palette.from_hex("000 888 fff"))
    made = swap_palette(picture, Palette.from_hex("00f ff0"), by, first={"#888888": "#123456"})
    colors = ["#" + bytes(pixel).hex() for pixel in (made.to_rgb()[0, :, 0].T * 255).round().to(torch.uint8).tolist()]
    assert colors[1] == "#123456"
    assert set(colors[:1] + colors[2:]) <= {"#0000ff", "#ffff00"}
    assert made.palette.to_hex()[:2] == ["#0000ff", "#ffff00"]


def test_the_worst_contrast_comes_first() -> None:
    pairs = least_contrasts(Palette.from_hex("000 111 fff"), count=2)
    assert pairs[0][:2] == ("#000000", "#111111")
    assert 1 < pairs[0][2] < pairs[1][2]
    assert len(least_contrasts(Palette.from_hex("000"))) == 0
