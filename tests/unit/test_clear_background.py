"""A plain background made transparent from the border on."""

from __future__ import annotations

import pytest
import torch

from pixel_models.cleanup import clean_up, clear_background
from pixel_models.errors import PaletteError, PixelModelError
from pixel_models.palette import IndexedImage, Palette

PALETTE = Palette.from_hex("ffffff 000000 ff0000")
RING = """
.......
..###..
.#...#.
.#.o.#.
.#...#.
..###..
......o
"""


def image(*drawings: str, clear: str = "") -> IndexedImage:
    """Of drawings: `.` white, `#` black, `o` red; characters of `clear` are transparent."""
    rows = [[list(row) for row in drawing.split()] for drawing in drawings]
    indices = torch.tensor([[[".#o".index(c) for c in row] for row in frame] for frame in rows])
    hidden = torch.tensor([[[c in clear for c in row] for row in frame] for frame in rows])
    return IndexedImage(indices, PALETTE, hidden if clear else None)


def drawn(art: IndexedImage, frame: int = 0) -> list[str]:
    """Rows, `_` where it is transparent."""
    assert art.transparent is not None
    return [
        "".join("_" if hidden else ".#o"[index] for index, hidden in zip(row, clear, strict=True))
        for row, clear in zip(art.indices[frame].tolist(), art.transparent[frame].tolist(), strict=True)
    ]


def test_the_background_goes_and_the_same_colour_inside_a_closed_outline_stays() -> None:
    """The ring's corners touch diagonally: nothing runs in through them."""
    wanted = ["_______", "__###__", "_#...#_", "_#.o.#_", "_#...#_", "__###__", "______o"]
    assert drawn(clear_background(image(RING))) == wanted
    assert drawn(clean_up(image(RING), orphans=False, background="auto")) == wanted


def test_a_named_colour_goes_where_the_border_has_it_and_nowhere_else() -> None:
    art = clear_background(image(RING), "#f00")
    assert art.transparent is not None
    assert art.transparent.nonzero().tolist() == [[0, 6, 6]]
    assert clear_background(image(RING), "123456").transparent is None


def test_a_long_way_round_is_found() -> None:
    maze = "#########\n........#\n#######.#\n#.....#.#\n#.###.#.#\n#.#...#.#\n#.#####.#\n#.......#\n#########"
    art = clear_background(image(maze), "ffffff")
    assert art.transparent is not None
    assert torch.equal(art.transparent, art.indices == 0)


def test_what_is_transparent_already_leads_on_to_the_background_behind() -> None:
    art = clear_background(image("ooooo\no...o\no.#.o\no...o\nooooo", clear="o"), "ffffff")
    assert drawn(art) == ["_____", "_____", "__#__", "_____", "_____"]


def test_each_frame_has_its_own_background_and_a_transparent_one_stays() -> None:
    art = clear_background(image("...\n.#.\n...", "###\n#o#\n###"))
    assert drawn(art, 0) == ["___", "_#_", "___"]
    assert drawn(art, 1) == ["___", "_o_", "___"]
    kept = image("...\n.#.\n...", clear=".")
    assert drawn(clear_background(kept)) == drawn(kept)


def test_no_background_and_no_colour_are_refused() -> None:
    with pytest.raises(PixelModelError, match=r"38%.*50% is needed"):
        clear_background(image("...\n#o#\nooo"))
    with pytest.raises(PaletteError, match="mauve"):
        clear_background(image(RING), "mauve")
