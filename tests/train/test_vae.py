"""Training the VAE and the Pixel VAE: the loss is the paper's, runs resume to the bit, samples come from N(0, 1)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

import pixel_models
from pixel_models.archs.vae import VAEConfig
from train import vae
from train.loop import generator_of
from train.losses import kl_from_normal
from train.pictures import read_picture_set
from train.sprites import CanvasBatches, SpriteDraw


def arguments(folders: tuple[Path, Path], out: Path, *more: str) -> list[str]:
    common = ["--setting", "tiny", "--workers", "0", "--threads", "1", "--precision", "no"]
    return ["--sprites", str(folders[1]), "--out", str(out), *common, *more]


def log(out: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def test_the_divergence_is_that_of_two_normal_distributions() -> None:
    mean, log_variance = torch.tensor([[1.0, 0.0], [0.0, 0.0]]), torch.tensor([[0.0, 0.0], [1.0, 0.0]])
    ours = kl_from_normal(mean, log_variance).mean()
    normal = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
    theirs = torch.distributions.kl_divergence(normal, torch.distributions.Normal(0.0, 1.0)).sum(1).mean()
    torch.testing.assert_close(ours, theirs)
    assert float(ours) > 0


@pytest.mark.parametrize("pixel", [False, True])
def test_it_learns_and_its_weights_load(folders: tuple[Path, Path], tmp_path: Path, pixel: bool) -> None:
    more = ["--pixel", "--kl", "0.001"] if pixel else ["--kl", "0.001"]
    vae.main(arguments(folders, tmp_path, "--steps", "60", "--rate", "5e-3", *more))
    first, last = log(tmp_path)[0], log(tmp_path)[-1]
    assert last["mse"] < 0.7 * first["mse"]
    assert ("unlike" in last) == pixel
    model = pixel_models.load(tmp_path / "vae.safetensors", purpose="generate")
    assert model.config == VAEConfig(layers=2, filters=16, latent=8, size=16, pixelsight=pixel, channels=4)
    with Image.open(next((tmp_path / "samples").glob("*.png"))) as sheet:
        assert sheet.height == 3 * (128 + 4)  # pictures, reconstructions, samples


def test_a_run_that_stops_resumes_to_the_same_end(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vae.main(arguments(folders, tmp_path / "whole", "--pixel"))
    step = vae.VAERecipe.train_step

    def stops(self: vae.VAERecipe, batch: Any, number: int, context: Any) -> dict[str, Tensor]:  # noqa: ANN401
        if number == 7:
            raise KeyboardInterrupt
        return step(self, batch, number, context)

    monkeypatch.setattr(vae.VAERecipe, "train_step", stops)
    with pytest.raises(KeyboardInterrupt):
        vae.main(arguments(folders, tmp_path / "cut", "--pixel", "--save-every", "0"))
    monkeypatch.setattr(vae.VAERecipe, "train_step", step)
    vae.main(arguments(folders, tmp_path / "cut", "--pixel"))
    one, two = (load_file(tmp_path / run / "state.safetensors") for run in ("whole", "cut"))
    assert [key for key in one if not torch.equal(one[key], two[key])] == []


def test_the_papers_steps_follow_from_the_number_of_pictures(folders: tuple[Path, Path], tmp_path: Path) -> None:
    sprites = read_picture_set(folders[1])
    options = vae.parser().parse_args(["--sprites", "x", "--out", "y", "--setting", "full", "--faithful"])
    recipe, facts = vae.recipe_of(options, sprites, sprites)
    assert options.steps == 25 * len(sprites) * 24 // 64
    assert (facts["rate"], facts["batch"], facts["kl"], recipe.net.config.filters) == (1e-4, 64, 1.0, 512)
    with pytest.raises(ValueError, match="--faithful is 64 pixels"):
        vae.main(arguments(folders, tmp_path, "--faithful"))


def test_sprites_lie_whole_on_their_canvas(folders: tuple[Path, Path]) -> None:
    sprites = read_picture_set(folders[1])
    draw = SpriteDraw(sprites, jitter=0.0, flips=False)
    rgba = CanvasBatches(draw, 20, 4, 6)(generator_of(2))["pictures"]
    assert rgba.shape == (6, 4, 20, 20)
    assert set(rgba[:, 3].unique().tolist()) == {0.0, 1.0}
    counts = {int((p[3] >= 128).sum()) for p in sprites.pictures}
    assert {int(p[3].sum()) for p in rgba} <= counts
    rgb = CanvasBatches(draw, 20, 3, 6)(generator_of(2))["pictures"]
    assert set(rgb[:, :, 0, 0].unique().tolist()) == {0.0, 1.0}
