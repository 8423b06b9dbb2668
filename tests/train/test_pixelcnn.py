"""Training priors: labels say what is seen, codes are stored once, hints leave work to do, runs resume and learn."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

import pixel_models
from pixel_models.archs.pixelcnn import PixelCNN
from pixel_models.codes import CodeGrid, decode
from pixel_models.errors import ModelKindError
from pixel_models.spec import Purpose
from train import inpaint, pixelcnn, vqvae
from train.attributes import color_names, fixed_names, n_hot, vocabulary
from train.codeset import CodeSet, CodeSetting, code_set
from train.evaluate import contact, priors
from train.hints import given_part, some_labels
from train.loop import generator_of
from train.nearest import nearest_shares
from train.pixelcnn import PriorRecipe


@pytest.fixture(scope="module")
def sprites(folders: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sprites as a prepared set, with a manifest: two kinds, two splits."""
    out = tmp_path_factory.mktemp("set")
    rows = []
    for index, path in enumerate(sorted(folders[1].glob("*.png"))):
        split = "val" if index % 4 == 3 else "train"
        (out / split).mkdir(exist_ok=True)
        (out / split / path.name).write_bytes(path.read_bytes())
        kind = {"category": "creature", "label": "animal"} if index % 2 else {"category": "item", "label": "weapon"}
        rows.append({"path": f"{split}/{path.name}", "split": split, "source": "drawn here", "weight": "1", **kind})
    with (out / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return out


@pytest.fixture(scope="module")
def coder(sprites: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a small VQ-VAE of 2x2 patches."""
    out = tmp_path_factory.mktemp("codes")
    common = ["--setting", "tiny", "--workers", "0", "--threads", "1", "--precision", "no", "--codes", "16"]
    vqvae.main(["--sprites", str(sprites), "--out", str(out), "--model", "medres", *common])
    return out / "vqvae.safetensors"


def arguments(sprites: Path, coder: Path | str, out: Path, *more: str) -> list[str]:
    common = ["--setting", "tiny", "--workers", "0", "--threads", "1", "--precision", "no", "--side", "16"]
    return ["--sprites", str(sprites), "--model", str(coder), "--out", str(out), *common, *more]


def log(out: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def flat(*color: int, share: float = 1.0, rest: tuple[int, int, int] = (0, 0, 0)) -> Tensor:
    """`4 10 10` uint8: a colour, and another for what is left."""
    rows = round(10 * share)
    pixels = torch.full((4, 10, 10), 255, dtype=torch.uint8)
    pixels[:3, :rows] = torch.tensor(color, dtype=torch.uint8)[:, None, None]
    pixels[:3, rows:] = torch.tensor(rest, dtype=torch.uint8)[:, None, None]
    return pixels


@pytest.mark.parametrize(
    ("color", "name"),
    [
        ((220, 30, 30), "red"), ((240, 140, 30), "orange"), ((240, 220, 40), "yellow"), ((40, 170, 60), "green"),
        ((40, 200, 210), "cyan"), ((40, 80, 220), "blue"), ((130, 50, 200), "purple"), ((240, 100, 190), "pink"),
        ((110, 70, 35), "brown"), ((250, 250, 250), "white"), ((130, 130, 130), "gray"), ((8, 8, 10), "black"),
    ],
)  # fmt: skip
def test_colours_have_the_names_that_people_give_them(color: tuple[int, int, int], name: str) -> None:
    assert color_names(flat(*color)) == [name]


def test_outlines_are_not_what_a_sprite_is_called_by() -> None:
    assert color_names(flat(220, 30, 30, share=0.4)) == ["red"]
    assert color_names(flat(220, 30, 30, share=0.5, rest=(40, 80, 220))) == ["red", "blue"]
    assert color_names(flat(220, 30, 30, share=0.1)) == ["black"]
    assert color_names(torch.zeros(4, 3, 3, dtype=torch.uint8)) == []


def test_catch_alls_say_nothing_and_creatures_are_no_things() -> None:
    groups = ("kind", "style")
    row = {"label": "dragon", "category": "creature", "source": "pack:cave (v1)"}
    assert fixed_names(row, groups) == ["creature=dragon", "style=cave"]
    assert fixed_names({**row, "category": "item", "label": "wand"}, groups)[0] == "thing=wand"
    assert fixed_names({**row, "label": "creature_other"}, groups) == ["style=cave"]
    assert fixed_names({"label": "cat"}, groups) == ["kind=cat"]
    assert fixed_names(row, ("style",)) == ["style=cave"]


def test_rare_labels_are_left_out_and_the_others_n_hot() -> None:
    names = [["thing=a", "color=red"], ["thing=a"], ["creature=b", "color=red"]]
    known = vocabulary(names, 2)
    assert known == ("thing=a", "color=red")
    assert n_hot(names, known).tolist() == [[True, True], [True, False], [False, True]]


def test_codes_are_stored_once_and_their_first_variant_is_the_sprite(
    sprites: Path, coder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, setting = pixel_models.load(coder), CodeSetting(side=16, variants=3, least_labelled=2)
    made = code_set(sprites, "train", model, setting, tmp_path)
    assert made.codes.shape == (9, 3, 1, 8, 8)
    assert made.opaque.shape == (9, 3, 8, 8)
    assert {"creature=animal", "thing=weapon", "style=drawn here"} <= set(made.names)
    _, alpha = decode(model, CodeGrid(made.codes[:, 0, 0].long(), 16, model.fingerprint, 2, 16, 16))
    for index, path in enumerate(made.paths):
        with Image.open(sprites / f"{path}.png") as picture:
            pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)
        low = (16 - pixels.shape[1]) // 2
        inside = slice(low, low + pixels.shape[1])
        assert (alpha[index, 0, inside, inside] == (pixels[3] > 0)).float().mean() > 0.8
        assert not alpha[index, 0, : max(0, low - 1)].any()
        shares = torch.nn.functional.avg_pool2d((torch.nn.functional.pad(pixels[3:] > 0, (low,) * 4)).float(), 2)[0]
        assert torch.equal(made.opaque[index, 0], (255 * shares).round().to(torch.uint8))
    monkeypatch.setattr("train.codeset.encode", None)  # nothing is computed again
    again = code_set(sprites, "train", model, setting, tmp_path)
    assert torch.equal(again.codes, made.codes)
    assert torch.equal(again.labels, made.labels)
    assert (again.names, again.paths) == (made.names, made.paths)


def test_codes_without_transparency_stand_for_the_sprite_on_white(sprites: Path, tmp_path: Path) -> None:
    common = ["--setting", "tiny", "--workers", "0", "--threads", "1", "--precision", "no", "--codes", "16"]
    more = ["--model", "hires", "--channels", "3", "--background", "white", "--steps", "60"]
    vqvae.main(["--sprites", str(sprites), "--out", str(tmp_path), *common, *more])
    model = pixel_models.load(tmp_path / "vqvae.safetensors")
    made = code_set(sprites, "train", model, CodeSetting(side=16, variants=1))
    rgb, _ = decode(model, CodeGrid(made.codes[:, 0, 0].long(), 16, model.fingerprint, 1, 16, 16))
    behind = rgb.mean(1)[made.opaque[:, 0] == 0]
    assert len(behind) > 100
    assert float(behind.min()) > 0.8


def test_no_sprite_that_fits_is_refused(sprites: Path, coder: Path) -> None:
    with pytest.raises(FileNotFoundError, match="longer side of 20 to 24"):
        code_set(sprites, "train", pixel_models.load(coder), CodeSetting(side=24, least=20))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 5), (6, 7), (16, 16)])
def test_hints_never_give_everything(height: int, width: int) -> None:
    drawn = [given_part(height, width, generator_of(0, turn)) for turn in range(60)]
    assert all(part.shape == (height, width) and not part.all() for part in drawn)
    assert height * width == 1 or any(part.any() for part in drawn)


def test_labels_are_dropped_as_often_as_asked_and_never_made_up() -> None:
    labels = torch.rand(4000, 3, generator=generator_of(0)) < 0.5
    kept = some_labels(labels, 0.2, 0.3, generator_of(1))
    assert not (kept & ~labels).any()
    assert kept.sum() / labels.sum() == pytest.approx(0.8 * 0.7, abs=0.02)
    assert torch.equal(some_labels(labels, 0.0, 0.0, generator_of(1)), labels)


def test_columns_of_the_manifest_are_labels_however_rare(sprites: Path, coder: Path) -> None:
    setting = CodeSetting(side=16, variants=1, groups=("color",), least_labelled=99, columns=("label", "category"))
    made = code_set(sprites, "train", pixel_models.load(coder), setting)
    assert sorted(made.names) == ["category=creature", "category=item", "label=animal", "label=weapon"]
    assert [name.split("=")[0] for name in made.names] == ["label", "label", "category", "category"]
    assert (made.labels[:, 0].sum(1) == 2).all()


def test_the_nearest_training_sprite_is_found_with_what_differs() -> None:
    codes = torch.zeros(5, 2, 1, 4, 4, dtype=torch.uint8)
    codes[:, :, :, :2] = torch.arange(1, 11, dtype=torch.uint8).view(5, 2, 1, 1, 1)
    train = CodeSet(
        codes, codes[:, :, 0], torch.zeros(5, 2, 0, dtype=torch.bool), (), torch.full((5,), 0.2).double(), ("",) * 5
    )
    one = codes[3, 1].long().clone()
    one[0, 0, 0], one[0, 3, 3] = 200, 201
    found = nearest_shares(one[None], train)
    assert (int(found.sprites), int(found.variants)) == (3, 1)
    assert float(found.shares) == pytest.approx(2 / 9)  # eight places show something, and one more in the sample


def test_a_run_that_stops_resumes_to_the_same_end_and_its_file_loads(
    sprites: Path, coder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = ("--steps", "6", "--sample-every", "3", "--least-labelled", "2", "--save-every", "0")
    pixelcnn.main(arguments(sprites, coder, tmp_path / "whole", *more))
    step = PriorRecipe.train_step

    def stops(self: PriorRecipe, batch: Any, number: int, context: Any) -> dict[str, Tensor]:  # noqa: ANN401
        if number == 4:
            raise KeyboardInterrupt
        return step(self, batch, number, context)

    monkeypatch.setattr(PriorRecipe, "train_step", stops)
    with pytest.raises(KeyboardInterrupt):
        pixelcnn.main(arguments(sprites, coder, tmp_path / "cut", *more))
    monkeypatch.setattr(PriorRecipe, "train_step", step)
    pixelcnn.main(arguments(sprites, coder, tmp_path / "cut", *more))
    one, two = (load_file(tmp_path / run / "state.safetensors") for run in ("whole", "cut"))
    assert one.keys() == two.keys()
    assert [key for key in one if not torch.equal(one[key], two[key])] == []
    model = pixel_models.load(tmp_path / "whole" / "prior.safetensors", purpose=Purpose.SAMPLE)
    assert isinstance(model.module, PixelCNN)
    assert model.module.config.codes_of == pixel_models.load(coder).fingerprint
    assert model.module.config.labels[:2] == ("creature=animal", "thing=weapon")
    measured = [line for line in log(tmp_path / "whole") if "held_out" in line]
    assert [line["step"] for line in measured] == [3, 6]
    assert all(0 <= line["nearest"] <= 1 and line["held_out_plain"] > 0 for line in measured)
    with Image.open(tmp_path / "whole" / "samples" / "0000006.png") as sheet:
        assert sheet.width >= 3 * 96


@pytest.mark.slow
def test_bits_fall(sprites: Path, coder: Path, tmp_path: Path) -> None:
    pixelcnn.main(arguments(sprites, coder, tmp_path, "--steps", "150", "--rate", "0.01", "--sample-every", "75"))
    measured = [line for line in log(tmp_path) if "held_out" in line]
    assert measured[-1]["held_out"] < 0.75 * 4  # 16 codes at random: 4 bits


@pytest.mark.parametrize("model", ["codes", "rgb"])
def test_the_papers_recipe_has_the_papers_network(sprites: Path, coder: Path, tmp_path: Path, model: str) -> None:
    more = ("--faithful", "--steps", "2", "--least-labelled", "2", "--sample-every", "2")
    pixelcnn.main(arguments(sprites, coder if model == "codes" else "rgb", tmp_path, *more))
    config: Any = pixel_models.load(tmp_path / "prior.safetensors").config
    assert (config.embedding, config.context, config.dropout) == (0, 0, 0.0)
    assert config.channels == (1 if model == "codes" else 3)
    assert config.dilations == (1, 2, 1, 4, 1, 2, 1)


def test_silhouettes_become_sprites(sprites: Path, coder: Path, tmp_path: Path) -> None:
    inpaint.main(arguments(sprites, coder, tmp_path, "--steps", "60", "--sample-every", "30", "--rate", "0.01"))
    lines = log(tmp_path)
    measured = [line for line in lines if "held_out" in line]
    assert measured[-1]["held_out"] < lines[0]["cross_entropy"]
    config: Any = pixel_models.load(tmp_path / "inpaint.safetensors").config
    assert config.translate
    assert config.labels == ()


def test_the_papers_rows_are_trained_drawn_and_compared(sprites: Path, tmp_path: Path) -> None:
    budget = ["--coder-steps", "12", "--filters", "16", "--prior-steps", "2", "--width", "8", "--batch", "4"]
    common = ["--side", "16", "--split", "train", "--count", "6", "--variants", "2", "--threads", "1"]
    rows = ["vae", "pixel-vae", "gan-dcgan", "vq-vae-medres", "pixelcnn-on-rgb"]
    priors.main(["--data", str(sprites), "--out", str(tmp_path), "--rows", *rows, *budget, *common])
    table = json.loads((tmp_path / "priors.json").read_text())["rows"]
    assert list(table) == ["VAE", "Pixel VAE", "GAN (DCGAN)", "VQ-VAE MedRes", "PixelCNN on RGB"]
    for name, row in table.items():
        assert row["kernel distance"] == row["kernel distance"]
        assert name in ("VAE", "Pixel VAE", "GAN (DCGAN)") or row["bits a pixel"] > 0
    assert table["GAN (DCGAN)"]["FID (paper, other data)"] == 101.759
    assert table["VQ-VAE MedRes"]["FID (paper, other data)"] == 118.253
    assert "PixelCNN on RGB" in (tmp_path / "priors.md").read_text()
    with Image.open(tmp_path / "priors.png") as sheet:
        assert sheet.height >= 3 * 32
    before = (tmp_path / "runs" / "prior-pixelcnn-on-rgb" / "prior.safetensors").stat().st_mtime_ns
    priors.main(["--data", str(sprites), "--out", str(tmp_path), "--rows", *rows, *budget, *common])
    assert (tmp_path / "runs" / "prior-pixelcnn-on-rgb" / "prior.safetensors").stat().st_mtime_ns == before


def test_a_contact_sheet_shows_samples_beside_their_nearest(
    sprites: Path, coder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pixelcnn.main(arguments(sprites, coder, tmp_path, "--steps", "2", "--least-labelled", "2", "--sample-every", "2"))
    out = tmp_path / "sheet.png"
    common = ["--coder", str(coder), "--data", str(sprites), "--out", str(out), "--split", "val", "--licence", ""]
    contact.main([str(tmp_path / "prior.safetensors"), *common, "--count", "5", "--columns", "3", "--scale", "2"])
    told = capsys.readouterr().out
    assert "samples: differ from the nearest in" in told
    assert "of 5\n" in told
    with Image.open(out) as sheet:
        assert sheet.size == (3 * 36 + 4, 2 * 76 + 4)
    with pytest.raises(ModelKindError, match="give its own with --coder"):
        contact.main([str(tmp_path / "prior.safetensors"), *common[2:]])
