"""Training the VAE and the Pixel VAE: the loss is the paper's, runs resume to the bit, samples come from N(0, 1)."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

import pixel_models
from pixel_models.archs.vae import VAE, VAEConfig
from pixel_models.spritefiles import read_art
from train import vae
from train.dcgan_data import CanvasSetting, read_canvas_set, whole_pictures
from train.dcgan_parts import decided
from train.loop import generator_of
from train.losses import kl_from_normal
from train.pictures import read_picture_set
from train.sprites import CanvasBatches, SpriteDraw
from train.vae_parts import sprite_losses, with_fitted_latent


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


def test_the_recipe_for_sprites_learns_colours_and_alpha(folders: tuple[Path, Path], tmp_path: Path) -> None:
    more = ["--setting", "small", "--filters", "16", "--latent", "8", "--side", "16", "--batch", "8", "--limit", "6"]
    vae.main([*arguments(folders, tmp_path), *more, "--steps", "120", "--rate", "5e-3", "--film-every", "60"])
    first, last = log(tmp_path)[0], log(tmp_path)[-1]
    assert last["color"] < 0.9 * first["color"]
    assert last["alpha"] < 0.85 * first["alpha"]
    assert len(read_art(tmp_path / "film.webp")) == 3
    with pytest.raises(ValueError, match="--limit, --only"):
        vae.main(arguments(folders, tmp_path / "paper", "--limit", "5"))


def test_what_is_decided_is_what_is_shown() -> None:
    soft = torch.tensor([0.3, 0.2, 0.1, 0.6])[None, :, None, None]
    torch.testing.assert_close(decided(soft).flatten(), torch.tensor([0.5, 1 / 3, 1 / 6, 1.0]))
    assert not decided(soft * 0.5).any()
    rgb = torch.rand(1, 3, 2, 2, generator=generator_of(0))
    assert torch.equal(decided(rgb), rgb)


def test_the_losses_for_sprites_are_nothing_where_nothing_is_wrong() -> None:
    x = torch.tensor([[0.5, 0.2, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0]])[:, :, None, None]
    logits = torch.logit(x, 1e-4)
    losses = {name: float(value) for name, value in sprite_losses(logits, x).items()}
    assert losses == pytest.approx({"color": 0, "alpha": 0}, abs=1e-3)
    assert float(sprite_losses(-logits, x)["alpha"]) > 5
    assert "alpha" not in sprite_losses(logits[:, :3], x[:, :3])


@torch.no_grad()
def test_a_fitted_latent_is_normal_and_changes_no_picture() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = VAE(VAEConfig(layers=2, filters=16, latent=6, size=16, channels=4)).eval()
    net.fc_mu.weight *= 20  # so that its means are far from N(0, 1), and hang together
    net.fc_mu.bias += 3  # pyright: ignore[reportAttributeAccessIssue]
    net.fc_log_var.weight.zero_()
    net.fc_log_var.bias.fill_(math.log(0.5))
    pictures = torch.rand(300, 4, 16, 16, generator=generator_of(0))
    pictures = pictures * torch.rand(300, 4, 1, 1, generator=generator_of(1))
    fitted = with_fitted_latent(net, pictures)
    before, after = net(pictures), fitted(pictures)
    assert float((torch.cov(before.mean.T) - torch.eye(6)).abs().max()) > 0.5
    torch.testing.assert_close(after.picture, before.picture, atol=1e-4, rtol=0)
    torch.testing.assert_close(after.mean.mean(0), torch.zeros(6), atol=1e-3, rtol=0)
    torch.testing.assert_close(torch.cov(after.mean.T), torch.eye(6), atol=1e-2, rtol=0)
    spread = torch.cov(before.mean.T)  # what was 0.5 along every axis is so along the axes that were stretched
    expected = (0.5 * torch.linalg.inv(spread).diagonal()).log().expand_as(after.log_variance)
    torch.testing.assert_close(after.log_variance, expected, atol=1e-2, rtol=0)
    with pytest.raises(ValueError, match="2 pictures or more"):
        with_fitted_latent(net, pictures[:1])


def test_what_is_written_is_fitted_unless_it_shall_not_be(folders: tuple[Path, Path], tmp_path: Path) -> None:
    more = ["--setting", "small", "--filters", "16", "--latent", "3", "--side", "16", "--batch", "8", "--steps", "4"]
    means = {}
    for name, option in (("fitted", []), ("learned", ["--latent-as-learned"])):
        vae.main([*arguments(folders, tmp_path / name), *more, *option, "--film-every", "0"])
        net = pixel_models.load(tmp_path / name / "vae.safetensors").module
        assert isinstance(net, VAE)
        setting = CanvasSetting(side=16)
        pictures = whole_pictures(read_canvas_set(folders[1], "train", setting), 4, 100)
        means[name] = net.encode(pictures)[0].detach()
    torch.testing.assert_close(means["fitted"].mean(0), torch.zeros(3), atol=0.05, rtol=0)
    assert float((means["learned"].mean(0)).abs().max()) > 0.05 or float(means["learned"].var(0).max()) < 0.5


def test_a_colour_that_is_stuck_comes_loose_again() -> None:
    x = torch.tensor([0.2, 0.2, 0.2, 1.0])[None, :, None, None]
    logits = torch.full((1, 4, 1, 1), 30.0, requires_grad=True)  # white, to all bits of the sigmoid
    sprite_losses(logits, x)["color"].backward()
    assert logits.grad is not None
    assert float(logits.grad[0, :3].min()) > 0.2


def test_the_papers_steps_follow_from_the_number_of_pictures(folders: tuple[Path, Path], tmp_path: Path) -> None:
    sprites = read_picture_set(folders[1])
    options = vae.parser().parse_args(["--sprites", str(folders[1]), "--out", "y", "--setting", "full", "--faithful"])
    recipe, facts = vae.recipe_of(options)
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
