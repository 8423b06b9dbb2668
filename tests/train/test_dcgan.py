"""Training the DCGAN: the reference's steps, the aids for few sprites, runs that resume to the bit, films, labels."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

import pixel_models
from pixel_models.archs.dcgan import DCGANConfig, DCGANGenerator
from pixel_models.spritefiles import read_art
from train import dcgan
from train.augment import Augmentation, cut_out, recolored, shifted
from train.dcgan_data import CanvasSetting, LabelledBatches, only_of, read_canvas_set
from train.dcgan_parts import R1_EVERY, SETTINGS, Setting, decided, gradient_penalty, nearest_distance
from train.loop import StepContext, generator_of

GOLDEN = Path(__file__).parents[1] / "goldens" / "data" / "dcgan" / "train_2_steps.json"


def arguments(folder: Path, out: Path, *more: str) -> list[str]:
    common = ["--setting", "tiny", "--workers", "0", "--threads", "1", "--precision", "no"]
    return ["--b", str(folder), "--out", str(out), *common, *more]


@pytest.fixture(scope="module")
def labelled(folders: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sprites again, with a manifest: orcs and elves, of two sources."""
    out = tmp_path_factory.mktemp("labelled")
    rows = []
    for index, path in enumerate(sorted(folders[1].glob("*.png"))):
        target = out / "train" / path.name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(path.read_bytes())
        label, source = ("orc", "cave") if index % 3 else ("elf", "wood")
        rows.append({"path": f"train/{path.name}", "split": "train", "label": label, "source": source})
    with (out / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return out


def test_steps_of_the_papers_setting_are_the_references() -> None:
    """Losses, both networks and both batch norms after two steps, from the same weights, pictures and noise."""
    about, tensors = json.loads(GOLDEN.read_text()), load_file(GOLDEN.with_suffix(".safetensors"))
    options = about["config"]
    setting = Setting(
        steps=2, filters=options["g_filters"], judge=options["d_filters"], latent=options["latent_dim"], side=64,
        channels=3, real_label=1.0, plain=True, paper=True,
    )  # fmt: skip
    recipe = dcgan.DCGANRecipe(setting, lambda _: {})
    for name, net in (("G", recipe.generator), ("D", recipe.judge)):
        net.load_state_dict({k[5:]: v for k, v in tensors.items() if k.startswith(f"sd/{name}/")})
    for step, expected in enumerate(about["log"]):
        context = StepContext(Accelerator(cpu=True), 0, step)
        noise = tensors[f"in/noise{step}"].flatten(1)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(torch, "randn", lambda *_, noise=noise, **__: noise)
            losses = recipe.train_step({"pictures": tensors[f"in/real{step}"]}, step, context)
        ours = {"errD_real": losses["d_real"], "errD_fake": losses["d_fake"], "errG": losses["g"]}
        assert {key: float(value.detach()) for key, value in ours.items()} == pytest.approx(
            {key: expected[key] for key in ours}, rel=2e-3
        )
    for name, net in (("G", recipe.generator), ("D", recipe.judge)):
        for key, value in net.state_dict().items():
            theirs = tensors[f"out/after_2_steps/{name}/{key}"]
            torch.testing.assert_close(value, theirs, atol=5e-4, rtol=2e-3, msg=lambda text, key=key: f"{key}: {text}")


def test_a_judge_learns_to_tell_and_the_weights_load(labelled: Path, tmp_path: Path) -> None:
    more = ("--steps", "60", "--rate", "2e-3", "--judge-rate", "4e-3", "--labels", "--least-labelled", "2")
    dcgan.main(arguments(labelled, tmp_path, *more, "--film-every", "30", "--no-augment", "--sample-every", "20"))
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    told = [line["told"] for line in lines if "told" in line]
    assert sum(told) / len(told) > 0.65
    nearest = [line["nearest"] for line in lines if "nearest" in line]
    assert nearest[-1] < 0.97 * nearest[0]
    model = pixel_models.load(tmp_path / "dcgan.safetensors", purpose="generate")
    config = DCGANConfig(latent=8, filters=4, size=16, channels=4, labels=("kind=orc", "kind=elf"))
    assert model.config == config
    assert isinstance(model.module, DCGANGenerator)
    with torch.no_grad():
        made = model.module(torch.randn(3, 8), torch.eye(2)[[0, 1, 1]])
    assert set(made[:, 3].unique().tolist()) <= {0.0, 1.0}
    assert bool((made[:, :3] <= made[:, 3:]).all())  # nothing shows where nothing is
    assert len(read_art(tmp_path / "film.webp")) == 3
    with Image.open(next((tmp_path / "samples").glob("*.png"))) as sheet:
        assert sheet.width == 12 * (96 + 4)


def test_a_run_that_stops_resumes_to_the_same_end_and_film(
    labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = ("--labels", "--least-labelled", "2", "--film-every", "4")
    dcgan.main(arguments(labelled, tmp_path / "whole", *more))
    step = dcgan.DCGANRecipe.train_step

    def stops(self: dcgan.DCGANRecipe, batch: Any, number: int, context: Any) -> dict[str, Tensor]:  # noqa: ANN401
        if number == 10:
            raise KeyboardInterrupt
        return step(self, batch, number, context)

    monkeypatch.setattr(dcgan.DCGANRecipe, "train_step", stops)
    with pytest.raises(KeyboardInterrupt):
        dcgan.main(arguments(labelled, tmp_path / "cut", *more, "--save-every", "0"))
    assert len(read_art(tmp_path / "cut" / "film.webp")) >= 2  # whole after a kill
    monkeypatch.setattr(dcgan.DCGANRecipe, "train_step", step)
    dcgan.main(arguments(labelled, tmp_path / "cut", *more))
    one, two = (load_file(tmp_path / run / "state.safetensors") for run in ("whole", "cut"))
    assert [key for key in one if not torch.equal(one[key], two[key])] == []
    films = [tmp_path / run / "film.webp" for run in ("whole", "cut")]
    assert films[0].read_bytes() == films[1].read_bytes()
    assert len(read_art(films[0])) == 6  # before the first step, and after each fourth


def test_the_papers_setting_is_the_papers(labelled: Path) -> None:
    options = dcgan.parser().parse_args(["--b", str(labelled), "--out", "x", "--setting", "paper"])
    recipe, facts = dcgan.recipe_of(options)
    assert options.steps == 25 * 12 * 24 // 64
    assert sum(p.numel() for net in recipe.nets.values() for p in net.parameters()) == 15_424_000
    assert (facts["batch"], facts["rate"], recipe.average_decay(5, 9), recipe.rate_factor(8, 9)) == (64, 2e-4, 0.0, 1.0)
    assert recipe.config.range == "clamp"
    with pytest.raises(ValueError, match="--setting paper is 64 pixels of RGB"):
        dcgan.main(["--b", str(labelled), "--out", "x", "--setting", "paper", "--labels"])


def test_sprites_are_chosen_by_column_size_and_number(labelled: Path, folders: tuple[Path, Path]) -> None:
    every = read_canvas_set(labelled, "train", CanvasSetting(side=16, groups=("kind",), least_labelled=1))
    assert (len(every), every.names) == (12, ("kind=orc", "kind=elf"))
    assert every.labels.sum(0).tolist() == [8, 4]
    cave = read_canvas_set(labelled, "train", CanvasSetting(side=16, only=only_of(["source=cave"])))
    assert len(cave) == 8
    assert len(read_canvas_set(labelled, "train", CanvasSetting(side=16, least=16))) == 6
    few = read_canvas_set(labelled, "train", CanvasSetting(side=16, limit=5))
    assert len(few) == 5
    assert few.paths == read_canvas_set(labelled, "train", CanvasSetting(side=16, limit=5)).paths
    doubled = read_canvas_set(folders[1], "train", CanvasSetting(side=32, double=True)).canvases
    assert torch.equal(doubled[:, :, ::2, ::2], doubled[:, :, 1::2, 1::2])
    with pytest.raises(FileNotFoundError, match="longer sides are 12 to 16 pixels, expected 0 to 8"):
        read_canvas_set(labelled, "train", CanvasSetting(side=8))
    with pytest.raises(ValueError, match="no column"):
        read_canvas_set(labelled, "train", CanvasSetting(side=16, only={"style": ("x",)}))
    with pytest.raises(ValueError, match="expected COLUMN=VALUE"):
        only_of(["source"])


def test_batches_hold_whole_sprites_with_their_labels(labelled: Path) -> None:
    data = read_canvas_set(labelled, "train", CanvasSetting(side=20, groups=("kind",), least_labelled=1))
    batch = LabelledBatches(data, 4, 40, mirror=0.5, jitter=0.5, move=True, dropped=0.0)(generator_of(0))
    sizes = {int(sprite[3].sum()) for sprite in data.canvases.float() / 255}
    assert {int(sprite[3].sum()) for sprite in batch["pictures"]} <= sizes
    assert batch["labels"].sum(1).tolist() == [1.0] * 40
    rgb = LabelledBatches(data, 3, 4)(generator_of(0))["pictures"]
    assert set(rgb[:, :, 0, 0].flatten().tolist()) == {1.0}


def test_augmentation_keeps_what_makes_pixel_art(labelled: Path) -> None:
    data = read_canvas_set(labelled, "train", CanvasSetting(side=16))
    x = LabelledBatches(data, 4, 8)(generator_of(1))["pictures"]
    for sprite, changed in zip(x, recolored(x, 1.0, generator_of(2)), strict=True):
        colors = [len(one.flatten(1).T.unique(dim=0)) for one in (sprite, changed.mul(1e4).round())]
        assert colors[0] == colors[1]
        assert torch.equal(sprite[3], changed[3])
        assert not changed[:3, sprite[3] == 0].any()
        assert (changed - sprite).abs().max() > 0.01
    padded = torch.nn.functional.pad(x, (4, 4, 4, 4))
    moved = shifted(padded, 4, generator_of(3))
    assert torch.allclose(moved.sum((2, 3)), padded.sum((2, 3)), atol=1e-3)
    assert not torch.equal(moved, padded)
    holes = cut_out(torch.ones(50, 1, 16, 16), 8, generator_of(4))
    assert 16 * 16 - 64 == int(holes.sum((1, 2, 3)).min()) < int(holes.sum((1, 2, 3)).max())
    grown = x.clone().requires_grad_()
    Augmentation()(grown, generator_of(5)).square().sum().backward()
    assert grown.grad is not None
    assert float(grown.grad.abs().sum()) > 0


def test_copies_are_told_from_new_sprites(labelled: Path) -> None:
    data = read_canvas_set(labelled, "train", CanvasSetting(side=16))
    copies = data.canvases[:4].float().flip(3) / 255
    assert nearest_distance(copies, data) == 0.0
    assert nearest_distance(None, data, 4) > 0.005
    noise = decided(torch.rand(4, 4, 16, 16, generator=generator_of(0)))
    assert nearest_distance(noise, data) > nearest_distance(None, data, 4)


def test_the_gradient_penalty_is_the_squared_slope(labelled: Path, tmp_path: Path) -> None:
    judge = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 4 * 4, 1))

    class Told(torch.nn.Module):
        def forward(self, x: Tensor, labels: Tensor | None) -> Tensor:
            assert labels is None
            return judge(x)

    penalty = gradient_penalty(Told(), torch.rand(5, 3, 4, 4), None)
    slope = judge[1].weight
    assert isinstance(slope, Tensor)
    torch.testing.assert_close(penalty, 0.25 * R1_EVERY * slope.square().sum())
    dcgan.main(arguments(labelled, tmp_path, "--hold", "r1", "--steps", "10", "--film-every", "0"))
    state = load_file(tmp_path / "state.safetensors")
    assert "net/judge/main.0.weight" in state  # no spectral norm's parts
    assert not (tmp_path / "film.webp").exists()


def test_settings_can_be_run() -> None:
    for setting in SETTINGS.values():
        DCGANConfig(latent=setting.latent, filters=setting.filters, size=setting.side, channels=setting.channels)
