"""A full-resolution network's picture brought to cells: true colours, exact sizes, and what the network is shown."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from pixel_models.color import srgb_to_oklab
from pixel_models.errors import ModelKindError, PixelModelError, ShapeError
from pixel_models.regrid import MOST_PIXELS, cell_colors, draw_cells, mirror_to, run_whole, working_cell


class Probe(nn.Module):
    """Stands where a generator does: keeps what it is shown, and gives a picture that the test chose."""

    def __init__(self, answer: float | None = None, channels: tuple[int, int] = (3, 3), multiple: int = 4) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.config = SimpleNamespace(
            in_channels=channels[0], out_channels=channels[1], multiple=multiple, smallest=2 * multiple
        )
        self.answer = answer
        self.seen = torch.empty(0)

    def forward(self, x: Tensor) -> Tensor:
        self.seen = x.clone()
        made = x if self.answer is None else torch.full_like(x, self.answer)
        return made[:, :1] if self.config.out_channels == 1 else made


def distance(x: Tensor, y: Tensor) -> Tensor:
    """Oklab distance of every pixel, `b h w`."""
    return (srgb_to_oklab(x) - srgb_to_oklab(y)).norm(dim=1)


def sprite(cells: int, seed: int = 0) -> Tensor:
    """Cells `1 3 n n` in patches of eight strong colours."""
    g = torch.Generator().manual_seed(seed)
    colors = torch.tensor([[x, y, z] for x in (0.1, 0.9) for y in (0.1, 0.9) for z in (0.1, 0.9)])
    patches = torch.randint(8, (-(-cells // 2),) * 2, generator=g).repeat_interleave(2, 0).repeat_interleave(2, 1)
    return colors[patches[:cells, :cells]].permute(2, 0, 1)[None]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9), st.integers(0, 99))
def test_pixel_art_that_lies_on_the_grid_comes_back_as_it_was(height: int, width: int, cell: int, seed: int) -> None:
    cells = torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(seed))
    large = cells.repeat_interleave(cell, 2).repeat_interleave(cell, 3)
    torch.testing.assert_close(cell_colors(large, cell), cells, atol=1e-4, rtol=0)


@pytest.mark.parametrize(("cell", "blur"), [(4, 1), (6, 3), (8, 3)])
def test_a_cell_never_becomes_the_blur_of_two_where_the_mean_does(cell: int, blur: int) -> None:
    """Pixels that lie off the grid by a quarter of a cell, softened and noisy."""
    cells, g = sprite(24), torch.Generator().manual_seed(1)
    shift = cell // 4
    large = cells.repeat_interleave(cell, 2).repeat_interleave(cell, 3).roll((shift, -shift), (2, 3))
    large = F.avg_pool2d(F.pad(large, (blur // 2,) * 4, mode="replicate"), blur, 1)
    large = (large + 0.02 * torch.randn(large.shape, generator=g)).clamp(0, 1)
    inner = slice(1, -1)
    mine, mean = (distance(x, cells)[:, inner, inner] for x in (cell_colors(large, cell), F.avg_pool2d(large, cell)))
    assert (mine < 0.04).float().mean() > 0.9
    assert mine.mean() < 0.5 * mean.mean()


def test_the_larger_part_of_a_cell_wins() -> None:
    cell = torch.zeros(1, 3, 6, 6)
    cell[:, 0, :, :4] = 1  # two thirds red, one third black
    torch.testing.assert_close(cell_colors(cell, 6).flatten(), torch.tensor([1.0, 0, 0]), atol=1e-4, rtol=0)


def test_pixels_without_weight_have_no_say_and_a_cell_without_any_keeps_its_colour() -> None:
    picture = torch.zeros(1, 3, 4, 8)
    picture[:, 1] = 1
    picture[:, :, 0, 0] = torch.tensor([1.0, 0, 0])
    weight = torch.zeros(1, 1, 4, 8)
    weight[:, :, 0, 0] = 0.5
    made = cell_colors(picture, 4, weight)[0, :, 0]
    torch.testing.assert_close(made.T, torch.tensor([[1.0, 0, 0], [0, 1.0, 0]]), atol=1e-4, rtol=0)


def test_a_large_picture_is_worked_on_in_parts_that_fit_together() -> None:
    picture = torch.rand(1, 3, 1200, 900, generator=torch.Generator().manual_seed(0))
    made = cell_colors(picture, 4)
    torch.testing.assert_close(made[:, :, 280:], cell_colors(picture[:, :, 1120:], 4))
    with pytest.raises(ShapeError, match="multiples of 7"):
        cell_colors(picture, 7)


@pytest.mark.parametrize(
    ("cell", "trained", "expected"),
    [(2, (), 4), (4, (), 4), (5.6, (), 6), (8, (), 8), (32, (), 8), (32, (3,), 3), (5.6, (4, 6, 8), 6)],
)
def test_a_network_works_at_a_scale_it_knows(cell: float, trained: tuple[int, ...], expected: int) -> None:
    assert working_cell(cell, trained) == expected


def test_mirroring_goes_on_as_long_as_it_takes() -> None:
    row = torch.tensor([1.0, 2, 3]).view(1, 1, 1, 3)
    assert mirror_to(row, (2, 8))[0, 0].tolist() == [[1, 2, 3, 3, 2, 1, 1, 2]] * 2


@pytest.mark.parametrize("size", [(1, 1), (3, 17), (8, 8), (9, 8)])
@pytest.mark.parametrize("multiple", [4, 32])
def test_the_network_sees_whole_multiples_and_gives_the_pictures_size(size: tuple[int, int], multiple: int) -> None:
    probe, picture = Probe(multiple=multiple), torch.rand(1, 3, *size)
    made = run_whole(probe, picture)
    assert all(side % multiple == 0 and side >= 2 * multiple for side in probe.seen.shape[2:])
    torch.testing.assert_close(probe.seen[:, :, : size[0], : size[1]], picture * 2 - 1)
    torch.testing.assert_close(made, picture, atol=1e-6, rtol=0)


def test_a_grey_network_sees_luma_and_its_output_becomes_grey() -> None:
    red = torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    made = run_whole(Probe(channels=(1, 1)), red)
    torch.testing.assert_close(made, torch.full((1, 3, 8, 8), 0.299), atol=1e-4, rtol=0)


def test_what_is_transparent_is_shown_as_white() -> None:
    probe, picture = Probe(), torch.zeros(1, 4, 8, 8)
    picture[:, 3, :4] = 1
    made = draw_cells(probe, picture, 4)
    assert probe.seen[:, :, :4].max() == -1
    assert probe.seen[:, :, 4:].min() == 1
    assert made[0, 3].tolist() == [[1, 1], [0, 0]]
    assert made[0, :3, 0].max() < 1e-3


def test_a_cell_that_is_mostly_transparent_takes_the_colour_of_its_opaque_pixels() -> None:
    picture = torch.zeros(1, 4, 8, 8)
    picture[:, 0, :4, :3] = picture[:, 3, :4, :3] = 1
    made = draw_cells(Probe(), picture, 8)
    torch.testing.assert_close(made.flatten(), torch.tensor([1.0, 0, 0, 12 / 64]), atol=1e-4, rtol=0)


@pytest.mark.parametrize("channels", [(6, 3), (3, 2)])
def test_a_network_of_other_channels_is_refused_with_their_number(channels: tuple[int, int]) -> None:
    with pytest.raises(ModelKindError, match=f"from {channels[0]} to {channels[1]} channels"):
        run_whole(Probe(channels=channels), torch.rand(1, 3, 8, 8))


def test_a_picture_too_large_to_be_seen_whole_is_refused_before_anything_is_made() -> None:
    picture = torch.zeros(1, 3, 1, 1).expand(1, 3, 4, MOST_PIXELS)
    with pytest.raises(ShapeError, match=r"sees whole pictures.*larger cells"):
        run_whole(Probe(), picture)


def test_out_of_memory_says_what_to_do_and_other_failures_stay_themselves() -> None:
    class Failing(Probe):
        def __init__(self, reason: str) -> None:
            super().__init__()
            self.reason = reason

        def forward(self, x: Tensor) -> Tensor:  # noqa: ARG002
            raise RuntimeError(self.reason)

    with pytest.raises(PixelModelError, match="16x8 pixels, never tiles; use larger cells"):
        run_whole(Failing("CUDA out of memory. Tried to allocate 2 GiB"), torch.rand(1, 3, 7, 13))
    with pytest.raises(RuntimeError, match="something else"):
        run_whole(Failing("something else"), torch.rand(1, 3, 8, 8))
