"""One network for cells of several sizes: it sees them at one size and picks among the source's own pixels."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pixel_models.archs.native_cyclegan import CELL, SPECS, NativeGeneratorConfig, PixelateGenerator, _between
from pixel_models.checkpoint import LoadedModel, load_checkpoint, save_checkpoint
from pixel_models.drawers import drawer_of
from pixel_models.errors import ShapeError
from pixel_models.pixelate import pixelate

SIZES = (2, 3, 4, 5, 6, 7, 8)
CONFIG = NativeGeneratorConfig(channels=8, outer_blocks=1, inner_dilations=(1,), settle_rounds=1, cell_sizes=SIZES)


@pytest.fixture
def network() -> PixelateGenerator:
    torch.manual_seed(0)
    made = PixelateGenerator(CONFIG).eval()
    torch.nn.init.normal_(made.told.weight, std=0.1)
    return made


@pytest.mark.parametrize("cell", SIZES)
def test_every_size_gives_exact_cells(network: PixelateGenerator, cell: int) -> None:
    for height, width in ((1, 1), (5, 2), (8, 7)):
        with torch.no_grad():
            made = network(torch.rand(2, 4, cell * height, cell * width), cell)
        assert made.shape == (2, 4, height, width)
        assert 0 <= made.min() <= made.max() <= 1


@pytest.mark.parametrize("cell", SIZES)
def test_a_cell_has_colours_of_its_own_pixels_alone(network: PixelateGenerator, cell: int) -> None:
    """A red square on transparent green, at every size: no green may show, whatever the weights."""
    assert network.paint.bias is not None
    network.paint.bias.data[0] = -30.0  # no repainting: what is left is picked
    picture = torch.zeros(1, 4, 8 * cell, 8 * cell)
    picture[:, 1] = 1
    picture[:, :, 2 * cell : 6 * cell, 2 * cell : 6 * cell] = torch.tensor([1.0, 0.0, 0.0, 1.0])[None, :, None, None]
    with torch.no_grad():
        made = network(picture, cell)[0]
    assert made[1, 2:6, 2:6].max() < 0.02
    assert made[0, 2:6, 2:6].min() > 0.98


@pytest.mark.parametrize("cell", [3, 4, 8])
def test_rows_at_a_time_are_all_at_once(network: PixelateGenerator, cell: int) -> None:
    picture = torch.rand(1, 4, 70 * cell, 5 * cell)
    with torch.no_grad():
        apart = network(picture, cell)
    torch.testing.assert_close(apart, network(picture, cell).detach(), atol=1e-6, rtol=1e-5)


def test_the_size_is_told(network: PixelateGenerator) -> None:
    """The same cells at another size come out otherwise, but for the plain size as without telling."""
    torch.manual_seed(1)
    small = torch.rand(1, 4, 6, 6)
    made = {c: network(small.repeat_interleave(c, 2).repeat_interleave(c, 3), c).detach() for c in (4, 8)}
    assert (made[4] - made[8]).abs().max() > 1e-4
    alone = PixelateGenerator(NativeGeneratorConfig(**{**CONFIG.__dict__, "cell_sizes": (CELL,)})).eval()
    alone.load_state_dict({k: v for k, v in network.state_dict().items() if k != "told.weight"})
    assert torch.equal(alone(small.repeat_interleave(4, 2).repeat_interleave(4, 3)), made[4])


@pytest.mark.parametrize("cell", SIZES)
def test_places_lend_all_they_have(cell: int) -> None:
    window = cell + 2 * (cell // 2)
    lent = _between(window, cell, 2 * CELL)
    torch.testing.assert_close(lent.sum(dim=1), torch.ones(window))
    torch.testing.assert_close(lent, lent.flip(0, 1))  # the same from both ends
    assert lent.min() >= 0
    if cell == CELL:
        torch.testing.assert_close(lent, torch.eye(2 * CELL))


def test_another_size_is_refused(network: PixelateGenerator) -> None:
    with pytest.raises(ShapeError, match=r"cells of 9 pixels .* takes \(2, 3, 4"):
        network(torch.rand(1, 4, 9, 9), 9)
    with pytest.raises(ValueError, match="cell_sizes"):
        NativeGeneratorConfig(cell_sizes=(1, 4))


def test_pixelate_shows_the_picture_as_it_is(network: PixelateGenerator, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_checkpoint(path, network, SPECS[0], CONFIG, {})
    model: LoadedModel = load_checkpoint(path)
    scales = {natural: drawer_of(model, (8, 8), natural, None).scale for natural in (1.2, 2, 5, 5.4, 8, 30)}
    assert scales == {1.2: 2, 2: 2, 5: 5, 5.4: 5, 8: 8, 30: 8}
    picture = torch.rand(1, 3, 5 * 9, 5 * 7)
    made = pixelate(model, picture, cell=5, colors=256, clean=False)
    whole = torch.cat([picture, torch.ones(1, 1, 45, 35)], dim=1)
    with torch.no_grad():
        cells = model.module(whole, 5)
    assert made.size == (9, 7)
    torch.testing.assert_close(made.rgb(), cells[:, :3], atol=0.01, rtol=0)  # 63 cells: a colour each
