"""Outlines: one cell wide, where they belong, in colours of the palette."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from pixel_models.cleanup import OUTLINES, clean_up, rim
from pixel_models.errors import PaletteError
from pixel_models.palette import IndexedImage, Palette

PALETTE = Palette.from_hex("#e04040 #801818 #40e040 #186018 #f0f0f0 #101018")
RED, DARK_RED, GREEN, DARK_GREEN, WHITE, BLACK = range(6)


def sprite(*rows: str) -> IndexedImage:
    """Digits are palette indices, dots transparent."""
    cells = torch.tensor([[0 if cell == "." else int(cell) for cell in row] for row in rows])[None]
    clear = torch.tensor([[cell == "." for cell in row] for row in rows])[None]
    return IndexedImage(cells, PALETTE, clear)


def rows(image: IndexedImage) -> list[str]:
    clear = torch.zeros_like(image.indices).bool() if image.transparent is None else image.transparent
    return ["".join(map(str, row)).replace("-1", ".") for row in image.indices.masked_fill(clear, -1)[0].tolist()]


BALL = sprite(".......", "..000..", ".00022.", ".00222.", ".00222.", "..022..", ".......")


def test_an_outside_outline_is_a_ring_in_the_darkest_color() -> None:
    made = clean_up(BALL, outline="outside", orphans=False)
    assert rows(made) == ["..555..", ".50005.", "5000225", "5002225", "5002225", ".50225.", "..555.."]


def test_at_the_border_padding_makes_room() -> None:
    full = sprite("0.", "00")
    assert rows(clean_up(full, outline="outside", orphans=False)) == ["05", "00"]
    assert rows(clean_up(full, outline="outside", padding=1, orphans=False)) == [".5..", "505.", "5005", ".55."]


def test_an_inside_outline_keeps_the_silhouette() -> None:
    made = clean_up(BALL, outline="inside", orphans=False)
    assert rows(made) == [".......", "..555..", ".50025.", ".50225.", ".50225.", "..555..", "......."]


def test_a_selective_outline_takes_a_shade_of_what_it_bounds() -> None:
    made = clean_up(BALL, outline="selective", orphans=False)
    edge = rim(~BALL.transparent)  # pyright: ignore[reportOptionalOperand]
    assert set(made.indices[edge].tolist()) == {DARK_RED, DARK_GREEN}
    assert made.indices[0, 1, 2] == made.indices[0, 3, 1] == DARK_RED
    assert made.indices[0, 5, 4] == made.indices[0, 3, 5] == DARK_GREEN
    assert torch.equal(made.indices[~edge], BALL.indices[~edge])


def test_a_black_outline_becomes_selective() -> None:
    made = clean_up(clean_up(BALL, outline="outside", orphans=False), outline="selective", orphans=False)
    assert rows(made)[0] == "..111.."
    assert rows(made)[3][6] == str(DARK_GREEN)


def test_where_light_falls_a_selective_outline_is_less_dark() -> None:
    palette = Palette.from_hex("#e04040 #c03838 #701818")
    image = IndexedImage(BALL.indices * 0, palette, BALL.transparent)
    made = clean_up(image, outline="selective", light="top left", orphans=False)
    assert made.indices[0, 1, 2] == 1
    assert made.indices[0, 5, 4] == 2


def test_what_has_nothing_darker_stays() -> None:
    image = IndexedImage(torch.full_like(BALL.indices, BLACK), PALETTE, BALL.transparent)
    assert torch.equal(clean_up(image, outline="selective").indices, image.indices)


@pytest.mark.parametrize("outline", OUTLINES)
@pytest.mark.parametrize("transparent", [None, torch.zeros(1, 5, 5, dtype=torch.bool)])
def test_a_tile_without_a_silhouette_gets_none(outline: str, transparent: Tensor | None) -> None:
    tile = IndexedImage(torch.zeros(1, 5, 5, dtype=torch.int64), PALETTE, transparent)
    made = clean_up(tile, outline=outline)  # pyright: ignore[reportArgumentType]
    assert torch.equal(made.to_rgba(), tile.to_rgba())


def test_a_given_color_is_taken_from_the_palette_or_appended_to_it() -> None:
    white = clean_up(BALL, outline="outside", outline_color="#F0F0F0")
    assert white.palette == PALETTE
    assert white.indices[0, 0, 2] == WHITE
    blue = clean_up(BALL, outline="inside", outline_color="00f")
    assert blue.palette.to_hex() == [*PALETTE.to_hex(), "#0000ff"]
    assert blue.indices[0, 1, 2] == len(PALETTE)
    assert clean_up(BALL, outline="selective", outline_color="00f").palette == PALETTE
    with pytest.raises(PaletteError, match="is no colour"):
        clean_up(BALL, outline="inside", outline_color="blue")
