"""`train.evaluate latents`: how steady walks are, and how well given sprites are found."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from pixel_models.archs.dcgan import DCGANConfig
from pixel_models.archs.vae import VAEConfig
from pixel_models.checkpoint import save_checkpoint
from pixel_models.image import write_png
from pixel_models.latents import Pictures
from pixel_models.palette import IndexedImage, Palette
from pixel_models.registry import REGISTRY
from train.evaluate.__main__ import main
from train.evaluate.latents import read_sprites, steadiness

GREYS = Palette.from_hex("#000000 #ffffff")


def film(cells: list[list[int]]) -> tuple[IndexedImage, Pictures]:
    """Frames of one row of cells, 0 or 1, and just what a network drew for them; -1 is transparent."""
    indices = torch.tensor(cells)[:, None]
    clear = indices < 0
    rgb = indices.clamp_min(0)[:, None].float().expand(-1, 3, -1, -1)
    return IndexedImage(indices.clamp_min(0), GREYS, clear), Pictures(rgb, (~clear)[:, None].float())


def test_changes_and_blinks_are_shares_of_visible_cells() -> None:
    still = steadiness(*film([[0, 1, -1, -1]] * 4))
    assert still == (0, 0, 0)
    once = steadiness(*film([[0, 1, -1, -1], [0, 0, -1, -1], [0, 1, -1, -1], [0, 1, -1, -1]]))
    assert (once.changed, once.blinks) == (2 / 8, 1 / 8)
    comes = steadiness(*film([[0, -1], [0, -1], [0, 1], [0, 1]]))
    assert comes.changed == pytest.approx(2 / 7), "a cell that came or went is visible in one of both"
    assert comes.blinks == 0


def test_the_distance_is_that_of_colours_where_both_show_something() -> None:
    art, pictures = film([[0, 1, -1]] * 2)
    grey = Pictures(torch.full_like(pictures.rgb, 1.0), pictures.alpha)
    assert steadiness(art, grey).distance == pytest.approx(0.5, abs=1e-4), "of two cells one is black instead of white"


def test_both_kinds_of_model_are_measured_on_walks_their_own_sprites_and_folders(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configs = {
        "dcgan": DCGANConfig(latent=6, filters=4, size=16, channels=4),
        "vae": VAEConfig(layers=2, filters=16, latent=6, size=16, channels=4),
    }
    for name, config in configs.items():
        torch.manual_seed(0)
        save_checkpoint(tmp_path / f"{name}.safetensors", REGISTRY[name].build(config), REGISTRY[name], config, {})
    (tmp_path / "given" / "deep").mkdir(parents=True)
    for index in range(3):
        write_png(tmp_path / "given" / "deep" / f"{index}.png", square(index)[None])
    files = [str(tmp_path / f"{name}.safetensors") for name in configs]
    main(
        [
            "latents",
            *files,
            "--sprites",
            str(tmp_path / "given"),
            "--count",
            "1",
            "--walks",
            "1",
            "--frames",
            "3",
            "--colors",
            "4",
        ]
    )
    lines = capsys.readouterr().out.splitlines()
    assert [sum(words in line for line in lines) for words in ("walks, steady", "walks, alone")] == [2, 2]
    assert [sum(words in line for line in lines) for words in ("1 of its own", "1 of " + str(tmp_path))] == [2, 2]
    assert all("overlap" in line and "refused" in line for line in lines if " of " in line)


def test_sprites_are_spread_over_a_folder_and_none_is_refused(tmp_path: Path) -> None:
    for index in range(4):
        write_png(tmp_path / f"{index}.png", square(index)[None])
    found = read_sprites(tmp_path, 16, 2)
    assert found[:, 3].sum((1, 2)).tolist() == [16, 36]
    with pytest.raises(FileNotFoundError, match=r"holds no \.png"):
        read_sprites(tmp_path / "none", 16, 2)


def square(index: int) -> Tensor:
    """`4 8 8`: a white square of 4 cells and more."""
    rgba = torch.zeros(4, 8, 8)
    rgba[:, : 4 + index, : 4 + index] = 1
    return rgba
