"""Training a prior: triples are made and split as they should be, it learns what a place can say, runs resume."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

import pixel_models
from pixel_models.archs.code_prior import CodePrior, CodePriorConfig
from train import fusion, vqvae
from train.fusion import FusionRecipe, PlaceBatches
from train.loop import StepContext, generator_of
from train.pictures import PictureSet, read_picture_set
from train.prepare import split_of
from train.sprites import cut
from train.triples import KINDS, LayerTriples, composite, read_triples, split_of_triple


@pytest.fixture(scope="module")
def codes(folders: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a small VQ-VAE."""
    out = tmp_path_factory.mktemp("codes")
    common = ["--setting", "tiny", "--workers", "0", "--threads", "1", "--precision", "no", "--codes", "16"]
    vqvae.main(["--sprites", str(folders[1]), "--out", str(out), "--model", "medres", *common])
    return out / "vqvae.safetensors"


def arguments(data: list[str], model: Path, out: Path, *more: str) -> list[str]:
    common = ["--setting", "tiny", "--workers", "0", "--threads", "1", "--precision", "no"]
    return [*data, "--model", str(model), "--out", str(out), *common, *more]


def dot(color: tuple[int, int, int], rows: slice, columns: slice) -> Tensor:
    """`4 8 8` uint8, one opaque rectangle."""
    sprite = torch.zeros(4, 8, 8, dtype=torch.uint8)
    sprite[:, rows, columns] = torch.tensor([*color, 255], dtype=torch.uint8)[:, None, None]
    return sprite


@pytest.mark.parametrize(
    ("parts", "split"),
    [
        (("train", "train", ""), "train"),
        (("train", "train", "train"), "train"),
        (("train", "val", "train"), "val"),
        (("val", "val", ""), "val"),
        (("train", "train", "val"), "val"),
        (("val", "test", "val"), "test"),
        (("test", "train", ""), "test"),
        (("train", "train", "test"), "test"),
    ],
)
def test_a_triple_is_held_out_if_any_part_is(parts: tuple[str, str, str], split: str) -> None:
    assert split_of_triple(*parts) == split


def test_a_split_that_is_none_is_refused() -> None:
    for parts in (("", "train", ""), ("train", "train", "tests")):
        with pytest.raises(ValueError, match="splits are train, val, test"):
            split_of_triple(*parts)


def test_fusions_are_overlays_recolourings_and_heads() -> None:
    base = dot((120, 120, 120), slice(0, 8), slice(0, 4))
    second = dot((250, 60, 60), slice(0, 8), slice(2, 8))
    over = composite(base, second, "over")
    assert torch.equal(over[:, :, :2], base[:, :, :2])
    assert torch.equal(over[:, :, 2:], second[:, :, 2:])
    colored = composite(base, second, "colors")
    assert torch.equal(colored[3], base[3])
    assert torch.equal(colored[:, :, :2], base[:, :, :2])
    red, green, blue, _ = colored[:, 0, 3].tolist()
    assert red > green + 50
    assert abs(green - blue) < 40
    heads = composite(base, second, "heads")
    assert torch.equal(heads[:, :4], second[:, :4])
    assert torch.equal(heads[:, 4:], base[:, 4:])


def test_overlays_are_laid_on_bodies_of_their_size() -> None:
    body, small = dot((9, 9, 9), slice(0, 8), slice(0, 4)), dot((7, 7, 7), slice(0, 6), slice(0, 6))[:, :7, :7]
    hat, wall = dot((200, 0, 0), slice(0, 2), slice(0, 2)), dot((1, 1, 1), slice(0, 8), slice(0, 8))
    labels = ("humanoid", "animal", "equipment", "terrain")
    sprites = PictureSet((body, small, hat, wall), torch.full((4,), 0.25, dtype=torch.float64), labels)
    draw, generator = LayerTriples(sprites, ("over",), overlays=1.0, vary=0.0), generator_of(0)
    drawn = [draw.draw(generator) for _ in range(20)]
    for triple in drawn:
        large = triple.base.shape[1] == 8
        assert torch.equal(triple.base, body if large else small)
        assert torch.equal(triple.second, hat if large else small)
    assert {t.base.shape[1] for t in drawn} == {7, 8}
    assert {KINDS[t.kind] for t in drawn} == {"over"}
    with pytest.raises(ValueError, match="none of the 1 sprites is a base"):
        LayerTriples(sprites.where([False, False, False, True]))


def write(path: Path, value: int, size: int = 4) -> None:
    path.parent.mkdir(exist_ok=True)
    pixels = np.full((size, size, 4), 255, np.uint8)
    pixels[..., 0] = value
    Image.fromarray(pixels).save(path)


def test_triples_are_matched_by_name_and_held_out_by_their_parents(tmp_path: Path) -> None:
    for n in range(1, 30):
        write(tmp_path / "base" / f"{n}.png", n)
        write(tmp_path / "second" / f"{n}.png", 100 + n, 6)
        write(tmp_path / "fusion" / f"{n}.{n % 29 + 1}.png", 200)
    found = {split: read_triples(tmp_path, split).triples for split in ("train", "val", "test")}
    assert sum(map(len, found.values())) == 29
    for split, triples in found.items():
        for triple in triples:
            first, second = int(triple.base[0, 3, 3]), int(triple.second[0, 3, 3]) - 100
            assert second == first % 29 + 1
            assert split_of_triple(split_of(str(first)), split_of(str(second))) == split
            assert triple.base.shape == triple.second.shape == triple.fusion.shape == (4, 6, 6)
            assert triple.base[3].sum() == 16 * 255
    with (tmp_path / "manifest.csv").open("w", newline="") as file:
        table = csv.writer(file)
        rows = [(f"{part}/{n}.png", "train") for part in ("base", "second") for n in range(1, 30)]
        table.writerows([("path", "split"), *rows, ("fusion/5.6.png", "val"), ("fusion/7.8.png", "test")])
    told = {split: [int(t.base[0, 3, 3]) for t in read_triples(tmp_path, split).triples] for split in found}
    assert (len(told["train"]), told["val"], told["test"]) == (27, [5], [7])
    write(tmp_path / "fusion" / "3.99.png", 200)
    with pytest.raises(FileNotFoundError, match=r"3\.99\.png has no second"):
        read_triples(tmp_path)
    with pytest.raises(FileNotFoundError, match="base is missing"):
        read_triples(tmp_path / "base")


def test_a_step_on_distinct_places_is_the_step_on_all_of_them(folders: tuple[Path, Path], codes: Path) -> None:
    model, triples = pixel_models.load(codes), LayerTriples(read_picture_set(folders[1]), vary=0.0)
    config = CodePriorConfig(codes=16, layers=1, widths=(8, 8, 8), codes_of=model.fingerprint)
    batches = PlaceBatches(triples, 2, 4, 5)
    recipe = FusionRecipe(model, config, batches, triples)
    whole = CodePrior(config)
    whole.load_state_dict(recipe.net.state_dict())

    places, generator = [], generator_of(3)
    for _ in range(5):
        triple = triples.draw(generator)
        top, left = (int(torch.randint(0, 2, (), generator=generator)) for _ in range(2))
        size = triple.base.shape[1]
        laid = [F.pad(p, (left, (size + left) % 2, top, (size + top) % 2)) for p in triple[:3]]
        places.append(cut(torch.cat(laid), 2))
    x = torch.cat(places).float() / 255
    network: Any = model.module
    loss = F.cross_entropy(whole(x[:, :8]), network.encode(x[:, 8:]))
    loss.backward()

    batch = batches(generator_of(3))
    assert len(batch["weights"]) < batch["weights"].sum() == len(x)
    logged = recipe.train_step(batch, 0, StepContext(Accelerator(cpu=True), 0, 0))
    torch.testing.assert_close(logged["cross_entropy"], loss)
    for here, there in zip(recipe.net.parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(here.grad, there.grad, atol=1e-5, rtol=1e-3)


def test_it_learns_to_overlay_and_its_weights_load(
    folders: tuple[Path, Path], codes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ["--layers-of", str(folders[1])]
    fusion.main(arguments(data, codes, tmp_path, "--steps", "80", "--kinds", "over", "--rate", "1e-2"))
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert lines[-1]["cross_entropy"] < 0.5 * lines[0]["cross_entropy"]
    told = capsys.readouterr().out.splitlines()[-1].split()
    assert told[:2] == ["over:", "agreed"]
    assert float(told[2]) > 0.6
    assert len(list((tmp_path / "samples").glob("*.png"))) == 1
    prior, model = pixel_models.load(tmp_path / "prior.safetensors", purpose="fuse"), pixel_models.load(codes)
    assert isinstance(prior.config, CodePriorConfig)
    assert (prior.config.codes_of, prior.config.layers) == (model.fingerprint, 1)


def test_it_learns_from_triples_out_of_files(codes: Path, folders: tuple[Path, Path], tmp_path: Path) -> None:
    for index, path in enumerate(sorted(folders[1].glob("*.png"))):
        for part in ("base", "second", "fusion"):
            (tmp_path / part).mkdir(exist_ok=True)
            Image.open(path).save(tmp_path / part / f"{index}.png")
    fusion.main(arguments(["--data", str(tmp_path)], codes, tmp_path / "run"))
    assert pixel_models.load(tmp_path / "run" / "prior.safetensors").purpose == "fuse"


def test_a_run_that_stops_resumes_to_the_same_end(
    folders: tuple[Path, Path], codes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = ["--layers-of", str(folders[1])]
    fusion.main(arguments(data, codes, tmp_path / "whole", "--save-every", "0"))
    step = FusionRecipe.train_step

    def stops(self: FusionRecipe, batch: Any, number: int, context: Any) -> dict[str, Tensor]:  # noqa: ANN401
        if number == 9:
            raise KeyboardInterrupt
        return step(self, batch, number, context)

    monkeypatch.setattr(FusionRecipe, "train_step", stops)
    with pytest.raises(KeyboardInterrupt):
        fusion.main(arguments(data, codes, tmp_path / "cut", "--save-every", "0"))
    monkeypatch.setattr(FusionRecipe, "train_step", step)
    fusion.main(arguments(data, codes, tmp_path / "cut", "--save-every", "0"))
    one, two = (load_file(tmp_path / run / "state.safetensors") for run in ("whole", "cut"))
    assert one.keys() == two.keys()
    assert [key for key in one if not torch.equal(one[key], two[key])] == []
    with pytest.raises(ValueError, match=r"other settings.*rate"):
        fusion.main(arguments(data, codes, tmp_path / "cut", "--rate", "1e-4"))
