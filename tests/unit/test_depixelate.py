"""Back from sprites: crisp contours at every scale, colours and alpha kept, translators from B to A taken too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import pixel_models
from pixel_models.archs.native_cyclegan import DepixelateGenerator
from pixel_models.archs.resnet import ResnetGeneratorConfig
from pixel_models.checkpoint import LoadedModel, load_checkpoint, save_checkpoint
from pixel_models.cli import main
from pixel_models.contours import CLASSICAL, draw_contours, help_thin, scale2x_shares
from pixel_models.depixelate import FROM_SPRITES, depixelate, require_depixelator
from pixel_models.errors import ModelKindError, ShapeError
from pixel_models.image import enlarge
from pixel_models.registry import REGISTRY


@pytest.fixture(scope="module")
def kiln() -> LoadedModel:
    return pixel_models.load("kiln-depixelate.safetensors")


def translator(**metadata: str) -> LoadedModel:
    """A small random full-resolution generator."""
    spec, config = REGISTRY["resnet_generator"], ResnetGeneratorConfig(channels=4, blocks=1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = spec.build(config).eval().requires_grad_(False)
    return LoadedModel(module, spec, config, "test", metadata)


def disc(cells: int = 16) -> tuple[Tensor, Tensor]:
    """A red disc with a dark rim and one white cell in it, on nothing: `1 3 h w` and `1 1 h w`."""
    at = torch.arange(cells) - (cells - 1) / 2
    radius = (at[:, None] ** 2 + at**2).sqrt()
    rgb = torch.tensor([0.8, 0.1, 0.1]).view(1, 3, 1, 1).expand(1, 3, cells, cells).clone()
    rgb[:, :, radius > cells * 0.3] = 0.1
    rgb[:, :, cells // 2, cells // 2] = 1.0
    return rgb, (radius < cells * 0.4).float()[None, None]


def around(cells: Tensor) -> Tensor:
    """The largest of each cell's 3x3; the border continues."""
    return F.max_pool2d(F.pad(cells, (1, 1, 1, 1), mode="replicate"), 3, 1)


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_alpha_is_none_far_outside_and_full_far_inside(kiln: LoadedModel, scale: int) -> None:
    rgb, alpha = disc()
    _, soft = depixelate(kiln, rgb, alpha=alpha, scale=scale)
    assert soft is not None
    assert not soft[enlarge(around(alpha), scale) == 0].any()
    assert (soft[enlarge(-around(-alpha), scale) == 1] == 1).all()
    assert ((soft > 0) & (soft < 1)).any()
    assert abs(float(soft.mean()) / float(alpha.mean()) - 1) < 0.1


@pytest.mark.parametrize("scale", [4, 8])
def test_areas_of_one_colour_keep_it_exactly_and_edges_bring_no_other_hue(kiln: LoadedModel, scale: int) -> None:
    rgb, alpha = disc()
    made, soft = depixelate(kiln, rgb, alpha=alpha, scale=scale)
    assert soft is not None
    whole = torch.cat([rgb * alpha, alpha], dim=1)
    flat = (around(whole) == -around(-whole)).all(dim=1, keepdim=True)
    kept = enlarge(flat & (alpha > 0), scale).expand(-1, 3, -1, -1)
    assert kept.any()
    torch.testing.assert_close(made[kept], enlarge(rgb, scale)[kept])
    outside = enlarge(1 - around(1 - alpha), scale) * (
        soft > 0
    )  # the disc's rim is dark: so is what is half transparent
    rim = (outside == 0) & (soft > 0) & (soft < 1)
    assert float((made - 0.1).abs().amax(dim=1, keepdim=True)[rim].max()) < 0.02


def test_edges_are_as_sharp_at_eight_times_as_at_four(kiln: LoadedModel) -> None:
    """The share of mixed pixels halves with the scale: it stays a line one pixel wide."""
    rgb, alpha = disc()
    shares = []
    for scale in (4, 8):
        _, soft = depixelate(kiln, rgb, alpha=alpha, scale=scale)
        assert soft is not None
        shares.append(float(((soft > 0) & (soft < 1)).float().mean()))
    assert 0.35 < shares[1] / shares[0] < 0.65


def test_a_diagonal_line_one_cell_wide_stays_one_line(kiln: LoadedModel) -> None:
    cells = 12
    line = torch.eye(cells)[None, None]
    rgb = 1 - 0.9 * line.expand(-1, 3, -1, -1)
    made, _ = depixelate(kiln, rgb, scale=8)
    along = made[0].mean(dim=0)[8:-8, 8:-8].diagonal()
    assert float(along.max()) < 0.5


def test_a_light_chain_of_two_akin_shades_between_dark_ones_stays_one_line(kiln: LoadedModel) -> None:
    """Two greys in turn, which Scale2x by equality would not join."""
    cells = 12
    shade = torch.where(torch.arange(cells) % 2 == 0, 0.9, 0.75)
    rgb = torch.diag(shade)[None, None].expand(-1, 3, -1, -1) + 0.05 * (1 - torch.eye(cells))
    made, _ = depixelate(kiln, rgb, scale=8)
    along = made[0].mean(dim=0)[16:-16, 16:-16].diagonal()
    assert float(along.min()) > 0.5


def test_a_mark_of_one_cell_keeps_most_of_its_area(kiln: LoadedModel) -> None:
    cells = torch.ones(1, 4, 9, 9)
    cells[:, :3] = 0.1
    cells[:, :3, 4, 4] = 1.0
    network = kiln.module
    assert isinstance(network, DepixelateGenerator)
    shares = torch.lerp(network.shares(cells), scale2x_shares(cells), CLASSICAL)
    sizes = [
        float(((draw_contours(given, cells, 8)[0, 0] - 0.1) / 0.9).sum() / 64)
        for given in (shares, help_thin(shares, cells))
    ]
    assert sizes[0] < sizes[1]
    assert 0.65 < sizes[1] < 1.1


def test_tiles_do_not_show(kiln: LoadedModel) -> None:
    """Noise, where every cell is helped: nothing farther than a tile's overlap reaches may count."""
    rgb = torch.rand(1, 3, 8, 120, generator=torch.Generator().manual_seed(0)).round()
    whole, tiled = (depixelate(kiln, rgb, scale=2, tile=tile)[0] for tile in (None, 16))
    torch.testing.assert_close(tiled, whole)


def test_shades_nearly_alike_mix_and_others_do_not() -> None:
    def colors(step: float) -> int:
        cells = torch.ones(1, 4, 4, 4)
        cells[:, :3, :, 2:] = 1 - step
        made = draw_contours(scale2x_shares(cells), cells, 8)
        return len((made[0, 0] * 255).round().unique())

    assert colors(0.02) > 3
    assert colors(0.6) <= 3


def test_what_hides_under_transparency_does_not_matter(kiln: LoadedModel) -> None:
    rgb, alpha = disc()
    other = torch.where(alpha > 0, rgb, torch.rand(rgb.shape, generator=torch.Generator().manual_seed(0)))
    for loaded in (kiln, translator(direction=FROM_SPRITES)):
        one, two = (depixelate(loaded, x, alpha=alpha, scale=4)[0] for x in (rgb, other))
        assert torch.equal(one, two)


@pytest.mark.parametrize(("cell", "scale", "seen"), [("4", 3, 4), ("[4, 6, 8]", 8, 8), ("[4, 6, 8]", 6, 6), ("", 2, 4)])
def test_a_translator_from_sprites_sees_its_own_cells_and_gives_any_scale(cell: str, scale: int, seen: int) -> None:
    rgb, alpha = disc(12)
    loaded, sizes = translator(direction=FROM_SPRITES, cell=cell), []
    loaded.module.register_forward_pre_hook(lambda _, inputs: sizes.append(tuple(inputs[0].shape[2:])))
    steps: list[tuple[int, int]] = []
    made, soft = depixelate(
        loaded, torch.cat([rgb, rgb]), alpha=torch.cat([alpha] * 2), scale=scale, callback=lambda *s: steps.append(s)
    )
    assert sizes == [(12 * seen, 12 * seen)] * 2
    assert steps == [(1, 2), (2, 2)]
    assert made.shape == (2, 3, 12 * scale, 12 * scale)
    assert soft is not None
    assert not soft[0, 0][enlarge(around(alpha), scale)[0, 0] == 0].any()
    assert depixelate(loaded, rgb, scale=scale)[1] is None


def test_a_translator_lets_no_white_into_the_edge_and_shifts_no_colour() -> None:
    """Even a random network: regions come back to the sprite's colour, and a dark sprite gets no pale edge."""
    rgb, alpha = torch.full((1, 3, 16, 16), 0.2), torch.zeros(1, 1, 16, 16)
    alpha[:, :, 3:13, 3:13] = 1
    made, soft = depixelate(translator(direction=FROM_SPRITES), rgb, alpha=alpha, scale=4)
    assert soft is not None
    inside = F.avg_pool2d(made, 4)[:, :, 5:11, 5:11]
    assert float((inside - 0.2).abs().max()) < 0.06
    assert float(made[(soft > 0).expand_as(made)].max()) < 0.6


@pytest.mark.parametrize("said", ["", "A to B"])
def test_a_translator_of_another_direction_is_refused_by_what_it_says(said: str) -> None:
    with pytest.raises(ModelKindError, match=rf"resnet_generator.*translate.*'{said}'.*'B to A'"):
        depixelate(translator(direction=said), torch.rand(1, 3, 8, 8))
    with pytest.raises(ModelKindError, match=r"to depixelate is needed.*native_pixelate"):
        require_depixelator(pixel_models.load("kiln-pixelate.safetensors"))


def test_a_sprite_too_large_to_be_seen_whole_is_refused_before_work() -> None:
    with pytest.raises(ShapeError, match="sees whole pictures"):
        depixelate(translator(direction=FROM_SPRITES, cell="32"), torch.zeros(1, 3, 200, 200), scale=2)


def test_the_shell_takes_a_translator_that_goes_from_sprites(tmp_path: Path, root: Path) -> None:
    loaded = translator()
    paths = {way: tmp_path / f"{way[0]}.safetensors" for way in (FROM_SPRITES, "A to B")}
    for way, path in paths.items():
        save_checkpoint(path, loaded.module, loaded.spec, loaded.config, {"direction": way, "cell": "[4]"})
    source, target = next((root / "samples").glob("sprite*.png")), tmp_path / "large.png"
    assert main(["depixelate", str(source), "-o", str(target), "--model", str(paths[FROM_SPRITES])]) == 0
    assert target.is_file()
    assert main(["depixelate", str(source), "-o", str(target), "--model", str(paths["A to B"])]) != 0
    again = load_checkpoint(paths[FROM_SPRITES])
    image = torch.rand(1, 3, 8, 8)
    one, two = (depixelate(m, image)[0] for m in (again, replace(loaded, metadata={"direction": FROM_SPRITES})))
    torch.testing.assert_close(one, two)
