"""Training VQ-VAE models: distinct patches stand for whole pictures, codes stay in use, runs resume to the bit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

import pixel_models
from pixel_models.archs.vqvae import VQVAE, VQVAEConfig
from pixel_models.ops.quantizer import VectorQuantizer
from train import vqvae
from train.backgrounds import PaperBatches
from train.codebook import dead_codes, kmeans, restart
from train.codes import PatchCodes
from train.loop import generator_of
from train.pictures import read_picture_set
from train.reconstruction import measures, reconstruct
from train.sprites import BACKGROUNDS, PatchBatches, SpriteDraw, cut, hard, jitter, join, laid, without_alpha
from train.weighted import distinct, weighted_forward, weighted_mean


def arguments(folders: tuple[Path, Path], out: Path, *more: str) -> list[str]:
    common = ["--setting", "tiny", "--workers", "0", "--threads", "1", "--precision", "no", "--codes", "16"]
    return ["--sprites", str(folders[1]), "--out", str(out), *common, *more]


def log(out: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def close(one: Tensor, two: Tensor) -> None:
    torch.testing.assert_close(one, two, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("layers", [0, 1, 2])
def test_a_step_on_distinct_patches_is_the_step_on_whole_pictures(layers: int) -> None:
    config = VQVAEConfig(layers=layers, codes=8, embedding=8, filters=16, channels=4)
    torch.manual_seed(0)
    whole, ours = VQVAE(config), VQVAE(config)
    ours.load_state_dict(whole.state_dict())
    levels = torch.randint(0, 2, (3, 4, 4, 4), generator=generator_of(1), dtype=torch.uint8)
    levels = levels.repeat_interleave(4, 2).repeat_interleave(4, 3).repeat(2, 1, 1, 1)[:3] * 200  # many equal patches
    levels[2] = levels[0]
    pictures = levels.float() / 255
    z = whole.encoder(pictures)
    made = whole.vq_vae(z)
    F.mse_loss(whole.decoder(made.values), pictures).backward()

    patches, weights = distinct(torch.cat([cut(picture, config.patch) for picture in levels]))
    assert len(patches) < 3 * (16 // config.patch) ** 2
    assert weights.sum() == 3 * (16 // config.patch) ** 2
    x = patches.float() / 255
    z = weighted_forward(ours.encoder, x, weights)
    found = ours.vq_vae(z)
    weighted_mean((weighted_forward(ours.decoder, found.values, weights) - x).square(), weights).backward()
    close(weighted_mean((z - ours.vq_vae.lookup(found.indices)).square(), weights), made.distance)
    for (name, there), here in zip(whole.named_parameters(), ours.parameters(), strict=True):
        if there.grad is not None:
            assert here.grad is not None, name
            close(here.grad, there.grad)
    for (name, there), here in zip(whole.named_buffers(), ours.buffers(), strict=True):
        assert not name.endswith("mean") or float(there.abs().sum()) > 0
        close(here, there)


def test_it_learns_and_its_weights_load(folders: tuple[Path, Path], tmp_path: Path) -> None:
    vqvae.main(arguments(folders, tmp_path, "--steps", "60", "--model", "medres", "--rate", "5e-3"))
    lines = log(tmp_path)
    assert lines[-1]["mse"] < 0.3 * lines[0]["mse"]
    assert {"choice", "agreed", "used", "perplexity", "geometry"} <= lines[-1].keys()
    assert len(list((tmp_path / "samples").glob("*.png"))) == 1
    model = pixel_models.load(tmp_path / "vqvae.safetensors", purpose="encode")
    assert model.config == VQVAEConfig(layers=1, codes=16, embedding=32, filters=16, channels=4)
    assert "'steps': '60'" in model.metadata["training"]


@pytest.mark.parametrize(("choice", "stop"), [("picture", 1), ("features", 9), ("picture", 31)])
def test_a_run_that_stops_resumes_to_the_same_end(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, choice: str, stop: int
) -> None:
    options = ("--save-every", "0", "--choice", choice, "--model", "hires")
    vqvae.main(arguments(folders, tmp_path / "whole", *options))
    step = PatchCodes.train_step

    def stops(self: PatchCodes, batch: Any, number: int, context: Any) -> dict[str, Tensor]:  # noqa: ANN401
        if number == stop:
            raise KeyboardInterrupt
        return step(self, batch, number, context)

    monkeypatch.setattr(PatchCodes, "train_step", stops)
    with pytest.raises(KeyboardInterrupt):
        vqvae.main(arguments(folders, tmp_path / "cut", *options))
    monkeypatch.setattr(PatchCodes, "train_step", step)
    vqvae.main(arguments(folders, tmp_path / "cut", *options))
    one, two = (load_file(tmp_path / run / "state.safetensors") for run in ("whole", "cut"))
    assert one.keys() == two.keys()
    assert [key for key in one if not torch.equal(one[key], two[key])] == []


def used_of(folders: tuple[Path, Path], path: Path) -> float:
    module: Any = pixel_models.load(path / "vqvae.safetensors").module
    return measures(reconstruct(module, read_picture_set(folders[1]).pictures), module.config.codes)["used"]


def test_our_recipe_keeps_the_codes_that_the_papers_loses(folders: tuple[Path, Path], tmp_path: Path) -> None:
    common = ("--model", "hires", "--filters", "32")
    vqvae.main(arguments(folders, tmp_path / "paper", *common, "--faithful", "--steps", "80", "--batch", "2"))
    ours = ("--steps", "300", "--jitter", "0", "--rate", "1e-2")  # takes less time than the paper's
    vqvae.main(arguments(folders, tmp_path / "ours", *common, *ours))
    assert used_of(folders, tmp_path / "paper") < 0.4
    assert used_of(folders, tmp_path / "ours") > 0.7  # there are fifteen colours


def test_dead_codes_are_moved_to_what_is_worst(folders: tuple[Path, Path]) -> None:
    del folders
    book = VectorQuantizer(4, 2)
    book.start_from(torch.tensor([[0.0, 0.0], [1.0, 0.0], [500.0, 0.0], [0.0, 500.0]]), 10.0)
    book.counts[2:] = 0.001
    dead = dead_codes(book.counts, 0.01)
    assert dead.tolist() == [2, 3]
    features = torch.tensor([[0.0, 0.0], [1.0, 0.0], [7.0, 7.0], [0.0, 9.0]])
    restart(book, dead, features, torch.tensor([0.0, 0.0, 3.0, 2.0]), generator_of(0))
    assert sorted(book.codebook[2:].tolist()) == [[0.0, 9.0], [7.0, 7.0]]
    assert sorted(book.encode(features.T[None, :, None]).flatten().tolist()) == [0, 1, 2, 3]
    assert len(dead_codes(book.counts, 0.01)) == 0


def test_kmeans_finds_groups_and_bears_having_fewer_rows_than_centres() -> None:
    centres = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    rows = centres.repeat(20, 1) + 0.1 * torch.randn(60, 2, generator=generator_of(3))
    found = kmeans(rows, torch.ones(60), 3, generator_of(4))
    assert torch.cdist(centres, found).min(1).values.max() < 0.2
    few = kmeans(centres, torch.ones(3), 8, generator_of(5))
    assert few.shape == (8, 2)
    assert bool(few.isfinite().all())
    assert torch.cdist(centres, few).min(1).values.max() == 0


def test_patches_of_sprites_are_exact_and_show_nothing_of_the_transparent(folders: tuple[Path, Path]) -> None:
    sprite = torch.randint(0, 256, (4, 7, 10), generator=generator_of(0), dtype=torch.uint8)
    padded = laid(hard(sprite), 4, 1, 2)
    assert padded.shape == (4, 8, 12)
    assert torch.equal(join(cut(padded, 4), 3), padded)
    assert torch.equal(padded[:, 1:, 2:], hard(sprite))
    assert int(padded[:3][(padded[3:] == 0).expand(3, -1, -1)].sum()) == 0
    changed = jitter(hard(sprite), generator_of(1))
    assert torch.equal(changed[3], hard(sprite)[3])
    assert int(changed[:3][(changed[3:] == 0).expand(3, -1, -1)].sum()) == 0
    assert not torch.equal(changed, hard(sprite))
    draw = SpriteDraw(read_picture_set(folders[1]))
    make = PatchBatches(draw, 2, 4, 4)
    one, two = make(generator_of(0)), make(generator_of(0))
    assert torch.equal(one["patches"], two["patches"])
    assert one["patches"].shape[1:] == (4, 2, 2)
    assert len(one["patches"].unique(dim=0)) == len(one["patches"])
    levels = 255 * one["patches"]
    assert torch.equal(levels, levels.round())


def test_a_patch_without_alpha_takes_its_own_colours_mean() -> None:
    patch = torch.zeros(2, 4, 2, 2, dtype=torch.uint8)
    patch[0, :, 0] = torch.tensor([10, 20, 30, 255], dtype=torch.uint8)[:, None]
    patch[0, 0, 0, 1] = 20
    made = {name: without_alpha(patch, name)[:, :, 1, 1].tolist() for name in BACKGROUNDS}
    assert made == {"mean": [[15, 20, 30], [255] * 3], "white": [[255] * 3] * 2, "black": [[0] * 3] * 2}


def test_the_papers_pictures_are_64_pixels_and_of_every_kind(folders: tuple[Path, Path]) -> None:
    sprites = read_picture_set(folders[1])
    pictures = PaperBatches(sprites, 48)(generator_of(0))["pictures"]
    assert pictures.shape == (48, 3, 64, 64)
    corners = pictures[:, :, 0, 0]
    kinds = [int((corners == value).all(1).sum()) for value in (1.0, 0.0)]
    assert all(4 <= kind <= 20 for kind in kinds)
    plain = PaperBatches(sprites, 8, ("white",))(generator_of(0))["pictures"]
    assert bool((plain[:, :, 0, 0] == 1).all())


@pytest.mark.parametrize("model", ["lowres", "medres", "hires"])
@pytest.mark.parametrize("more", [(), ("--no-adapter",), ("--no-pixelsight",), ("--channels", "3"), ("--faithful",)])
def test_every_row_of_the_papers_tables_trains(
    folders: tuple[Path, Path], tmp_path: Path, model: str, more: tuple[str, ...]
) -> None:
    options = arguments(folders, tmp_path, "--model", model, "--steps", "10", "--batch", "2", "--filters", "16", *more)
    if model == "hires" and "--no-pixelsight" in more:
        with pytest.raises(ValueError, match="leaves no network"):
            vqvae.main(options)
        return
    vqvae.main(options)
    config = pixel_models.load(tmp_path / "vqvae.safetensors").config
    assert isinstance(config, VQVAEConfig)
    assert (config.adapter, config.pixelsight) == ("--no-adapter" not in more, "--no-pixelsight" not in more)
    assert config.channels == (3 if {"--faithful", "--channels"} & set(more) else 4)


def test_the_nearest_picture_is_never_worse_than_the_networks_choice(folders: tuple[Path, Path]) -> None:
    sprites = read_picture_set(folders[1]).pictures
    torch.manual_seed(1)
    for channels in (3, 4):
        net = VQVAE(VQVAEConfig(layers=1, codes=16, embedding=8, filters=16, channels=channels)).eval()
        found = [reconstruct(net, sprites, how) for how in ("features", "picture")]
        assert [p.shape for p in found[0].pictures] == [s.shape for s in sprites]
        whole = torch.cat([cut(laid(hard(sprite), 2), 2) for sprite in sprites])
        seen = (whole if channels == 4 else without_alpha(whole, "mean")).float() / 255
        chosen = [net.table()[torch.cat([i.flatten() for i in made.indices])] for made in found]
        features, picture = ((patches - seen).square().flatten(1).sum(1) for patches in chosen)
        assert bool((picture <= features + 1e-5).all())
        assert float((picture - features).sum()) < 0
        assert measures(found[0], 16)["alpha"] == 0 or channels == 4
        perfect = measures(type(found[0])(found[0].originals, found[0].originals, found[0].indices), 16)
        assert (perfect["mse"], perfect["oklab"], perfect["worst"]) == (0, 0, 0)


def test_what_the_papers_recipe_cannot_do_is_refused(folders: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="--faithful is trained on RGB"):
        vqvae.main(arguments(folders, tmp_path, "--faithful", "--channels", "4"))
    vqvae.main(arguments(folders, tmp_path, "--steps", "4"))
    with pytest.raises(ValueError, match=r"other settings.*jitter"):
        vqvae.main(arguments(folders, tmp_path, "--steps", "4", "--jitter", "0"))
