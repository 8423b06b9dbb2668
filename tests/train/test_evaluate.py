"""The evaluation's commands: their doors, their tables, and the paper's rows as they are trained."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from pixel_models.archs.native_cyclegan import SPECS, NativeGeneratorConfig
from pixel_models.archs.vae import VAE, VAEConfig
from pixel_models.archs.vqvae import VQVAE, VQVAEConfig
from pixel_models.checkpoint import LoadedModel, save_checkpoint
from pixel_models.errors import ModelKindError
from pixel_models.registry import REGISTRY
from train import prepare, vae, vqvae
from train.evaluate import __main__ as door
from train.evaluate import generation, reconstruction
from train.evaluate.data import SIDE, Canvases, read_canvases, subset
from train.evaluate.reconstruction import errors, measure, pixel_art, rebuild
from train.evaluate.rows import ROWS, chosen_rows, weights_of
from train.evaluate.tables import labelled_sheet, write_csv, write_markdown

PARAMETERS = {
    "base VQ-VAE LowRes": 50_182,
    "base VQ-VAE MedRes": 17_222,
    "Adapter VQ-VAE LowRes": 1_155_654,
    "Adapter VQ-VAE MedRes": 63_014,
    "PixelSight VQ-VAE LowRes": 53_689,
    "PixelSight VQ-VAE MedRes": 20_729,
    "PixelSight VQ-VAE HiRes": 16_681,
    "Pixel VQ-VAE LowRes": 1_413_065,
    "Pixel VQ-VAE MedRes": 1_102_121,
    "Pixel VQ-VAE HiRes": 54_313,
}
"""Of the reference's networks with these switches, the codebook's running sums among them."""


def model(module: VQVAE | VAE, spec: str) -> LoadedModel:
    return LoadedModel(module.eval(), REGISTRY[spec], module.config, "test")


@pytest.fixture(scope="module")
def canvases(folders: tuple[Path, Path]) -> Canvases:
    return read_canvases(folders[1], "test", 6)


@pytest.fixture(scope="module")
def prepared(folders: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sprites with a manifest: half of a source each, all of them in every split."""
    out = tmp_path_factory.mktemp("prepared") / "set"
    prepare.main([str(folders[1]), "-o", str(out)])
    with (out / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with (out / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        for index, row in enumerate(rows):
            source, label = ("dolls", "doll") if index % 2 else ("monsters", "monster")
            table.writerows({**row, "source": source, "label": label, "split": split} for split in prepare.SPLITS)
    return out


def test_an_unknown_command_is_told_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        door.main(["kiln-pixelate", "--a", "x"])
    told = capsys.readouterr().err
    assert "no 'kiln-pixelate'" in told
    assert all(name in told for name in door.COMMANDS)


@pytest.mark.parametrize("name", list(door.COMMANDS))
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        door.main([name, "-h"])
    assert f"python -m train.evaluate {name}" in capsys.readouterr().out


@pytest.mark.parametrize("row", [row for row in ROWS if row.recipe == "train.vqvae"], ids=lambda row: row.folder)
def test_a_row_of_codes_is_the_papers_network(row: reconstruction.Row) -> None:
    options = vqvae.parser().parse_args(["--sprites", ".", "--out", ".", "--channels", "3", *row.options])
    options.filters = 512
    config = vqvae.config_of(options, vqvae.SETTINGS["small"])
    assert sum(p.numel() for p in VQVAE(config).parameters()) == PARAMETERS[row.title]


def test_the_rows_of_vaes_are_understood_by_their_command() -> None:
    plain, pixel = (
        vae.parser().parse_args(["--sprites", ".", "--out", ".", "--channels", "3", *row.options])
        for row in ROWS
        if row.recipe == "train.vae"
    )
    assert (plain.pixel, pixel.pixel) == (False, True)


def test_there_are_twelve_rows_and_a_wrong_name_is_told_all() -> None:
    assert len({row.folder for row in ROWS}) == 12
    assert [row.title for row in chosen_rows(["vae"])] == ["VAE"]
    with pytest.raises(ValueError, match="pixel-vq-vae-hires"):
        chosen_rows(["hires"])


def test_canvases_hold_sprites_as_they_are(folders: tuple[Path, Path]) -> None:
    found = read_canvases(folders[1], "test")
    assert found.rgba.shape == (12, 4, SIDE, SIDE)
    rows, columns = found.box(1)
    inside = found.rgba[1, 3, rows, columns]
    assert inside.sum() == found.rgba[1, 3].sum()
    for rim in (inside[:2], inside[-2:], inside[:, :2], inside[:, -2:]):
        assert rim.sum() == 0
    for line in (inside[2], inside[-3], inside[:, 2], inside[:, -3]):
        assert line.sum() > 0
    assert set(found.on("black")[1, :, 0, 0].tolist()) == {0.0}
    assert set(found.on("white")[1, :, 0, 0].tolist()) == {1.0}


def test_larger_sprites_are_left_out_and_counted(tmp_path: Path) -> None:
    for name, side in (("small", 16), ("large", 65)):
        Image.new("RGBA", (side, side), "red").save(tmp_path / f"{name}.png")
    Image.new("RGBA", (16, 16), (0, 0, 0, 0)).save(tmp_path / "empty.png")
    found = read_canvases(tmp_path, "test")
    assert (len(found.rgba), found.left_out) == (1, 2)
    (tmp_path / "small.png").unlink()
    with pytest.raises(FileNotFoundError, match="64 pixels"):
        read_canvases(tmp_path, "test")


def test_a_perfect_reconstruction_has_no_error(canvases: Canvases) -> None:
    for background in ("white", "black"):
        found = errors(canvases.on(background), canvases, background)
        assert found == pytest.approx({"mse": 0, "ssim": 1, "mse_sprite": 0, "ssim_sprite": 1}, abs=1e-5)
    assert pixel_art(canvases.on("white"), canvases, 3)["pixel_art"] == 1.0


def test_errors_of_the_ground_leave_the_sprites_own_alone(canvases: Canvases) -> None:
    made = canvases.on("white").clone()
    made[:, :, :6] = 0
    found = errors(made, canvases, "white")
    assert found["mse"] == pytest.approx(6 / 64)
    assert found["mse_sprite"] == 0
    assert found["ssim"] < 0.99
    assert found["ssim_sprite"] > 0.999


def test_blurred_sprites_are_worse_in_every_column(canvases: Canvases) -> None:
    white = canvases.on("white")
    soft = F.avg_pool2d(F.pad(white, (1, 1, 1, 1), mode="replicate"), 3, 1)
    one, two = (errors(x, canvases, "white") | pixel_art(x, canvases, 4) for x in (white, soft))
    assert two["mse"] > one["mse"]
    assert two["mse_sprite"] > two["mse"]
    assert all(two[key] < one[key] for key in one if not key.startswith("mse"))


@pytest.mark.parametrize("channels", [3, 4])
def test_models_of_either_kind_are_measured(channels: int, canvases: Canvases) -> None:
    torch.manual_seed(0)
    codes = model(VQVAE(VQVAEConfig(layers=1, codes=8, embedding=4, filters=8, channels=channels)), "vqvae")
    found = measure(codes, canvases, 2)
    assert 1 <= found["codes_used"] <= 8
    assert found["perplexity"] <= found["codes_used"] + 1e-6
    latent = model(VAE(VAEConfig(layers=2, filters=8, latent=4, channels=channels)), "vae")
    assert "codes_used" not in measure(latent, canvases, 2)
    made = rebuild(codes, canvases, "black").rgb
    assert made.shape == (6, 3, SIDE, SIDE)


def test_other_models_are_refused(canvases: Canvases) -> None:
    spec = REGISTRY["sprite_features"]
    with pytest.raises(ModelKindError, match="sprite_features"):
        rebuild(LoadedModel(spec.build(spec.tiny), spec, spec.tiny, "x"), canvases, "white")


def test_a_subset_holds_one_source_alone(prepared: Path, tmp_path: Path) -> None:
    out = subset(prepared, ["dolls"], tmp_path / "dolls")
    with (out / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["source"] for row in rows} == {"dolls"}
    assert len(list(out.rglob("*.png"))) == 6
    assert all((out / row["path"]).is_file() for row in rows)
    with pytest.raises(FileNotFoundError, match="monsters"):
        subset(prepared, ["dragons"], tmp_path / "none")


def test_rows_are_trained_once_and_measured_into_tables(
    prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--data", str(prepared), "--out", str(tmp_path), "--rows", "vae", "pixel-vq-vae-medres"]
    arguments += ["--steps", "4", "--batch", "2", "--filters", "16", "--pixel-art-count", "2", "--pictures", "3"]
    arguments += ["--source", "dolls"]
    reconstruction.main(arguments)
    first = capsys.readouterr()
    assert "training VAE" in first.err
    rows = chosen_rows(["vae", "pixel-vq-vae-medres"])
    times = [weights_of(row, tmp_path / "runs").stat().st_mtime_ns for row in rows]
    table = json.loads((tmp_path / "table.json").read_text())
    assert list(table["rows"]) == ["VAE", "Pixel VQ-VAE MedRes"]
    assert table["rows"]["VAE"]["mse (paper, other data)"] == 0.01815
    assert table["facts"]["sprites"] == 6
    assert "--steps 4" in table["facts"]["budget"]
    with (tmp_path / "table.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert lines[0]["codes_used"] == ""
    assert float(lines[1]["codes_used"]) >= 1
    assert Image.open(tmp_path / "pictures-black.png").height > 3 * 32 * 3
    reconstruction.main([*arguments, "--no-training"])
    assert "training" not in capsys.readouterr().err
    assert times == [weights_of(row, tmp_path / "runs").stat().st_mtime_ns for row in rows]


def test_generated_pictures_join_by_folder_or_model(prepared: Path, folders: tuple[Path, Path], tmp_path: Path) -> None:
    spec, config = REGISTRY["vae"], VAEConfig(layers=2, filters=8, latent=4)
    torch.manual_seed(0)
    save_checkpoint(tmp_path / "vae.safetensors", spec.build(config), spec, config, {})
    made = ["--made", f"VAE={tmp_path / 'vae.safetensors'}", f"sprites={folders[1]}", "--damaged", "blurred"]
    common = ["--data", str(prepared), "--out", str(tmp_path / "out"), "--features", "random", "--count", "8"]
    generation.main([*common, *made])
    told = json.loads((tmp_path / "out" / "generation.json").read_text())
    assert told["facts"]["features"] == "random-conv-1"
    rows = told["rows"]
    assert list(rows) == ["training sprites", "training sprites, blurred", "VAE", "sprites"]
    assert rows["training sprites, blurred"]["feature distance"] > 2 * rows["training sprites"]["feature distance"]
    assert not any("FID" in key or "KID" in key for key in rows["sprites"])
    assert rows["VAE"]["feature distance"] > 3 * rows["sprites"]["feature distance"]
    assert rows["VAE"]["FID (paper, other data)"] == 322.746
    assert (tmp_path / "out" / "generation.png").is_file()


def test_the_same_seed_draws_the_same_pictures(tmp_path: Path) -> None:
    spec, config = REGISTRY["vae"], VAEConfig(layers=2, filters=8, latent=4, size=32)
    save_checkpoint(tmp_path / "vae.safetensors", spec.build(config), spec, config, {})
    one, two = (generation.made_by(str(tmp_path / "vae.safetensors"), 3)[0] for _ in range(2))
    assert torch.equal(one, two)
    assert one.shape == (3, 3, SIDE, SIDE)
    assert bool((one[..., 0, :] == 1).all())
    spec = REGISTRY["vqvae"]
    save_checkpoint(tmp_path / "vqvae.safetensors", spec.build(spec.tiny), spec, spec.tiny, {})
    with pytest.raises(ModelKindError, match="a folder of pictures"):
        generation.made_by(str(tmp_path / "vqvae.safetensors"), 3)


def test_tables_leave_empty_what_a_row_does_not_have(tmp_path: Path) -> None:
    table: dict[str, dict[str, object]] = {"a": {"x": 1.5}, "b": {"y": 12345.0}}
    write_csv(tmp_path / "t.csv", table)
    assert (tmp_path / "t.csv").read_text().splitlines() == ["model,x,y", "a,1.5,", "b,,12345.0"]
    assert write_markdown(tmp_path / "t.md", table).splitlines()[2:] == ["| a | 1.5 |  |", "| b |  | 12,345 |"]


def test_the_picture_table_enlarges_by_a_whole_number() -> None:
    picture = torch.rand(3, 5, 7, generator=torch.Generator().manual_seed(0))
    made = labelled_sheet({"one": [picture], "another": [picture, picture]}, scale=3)
    right = made.crop((made.width - 25, made.height - 19, made.width - 4, made.height - 4))
    pixels = torch.tensor(list(right.tobytes())).view(15, 21, 3)[1::3, 1::3].permute(2, 0, 1)
    assert torch.equal(pixels, (picture * 255).round().long())


def test_the_paper_rows_keep_their_figures() -> None:
    pixel = next(row for row in ROWS if row.folder == "pixel-vq-vae-hires")
    assert dataclasses.asdict(pixel)["ssim"] == 0.82967
    assert generation.PAPER["Pixel VQ-VAE HiRes"] == (54_313, 98.575)


def test_errors_by_the_size_of_a_cell(folders: tuple[Path, Path], tmp_path: Path) -> None:
    """A network for cells of several sizes is measured both ways, one for four alone the one way."""
    a, b = folders
    config = NativeGeneratorConfig(channels=8, outer_blocks=1, inner_dilations=(1,), cell_sizes=(2, 4, 8))
    torch.manual_seed(0)
    for name, made in (("several", config), ("four", dataclasses.replace(config, cell_sizes=(4,)))):
        save_checkpoint(tmp_path / f"{name}.safetensors", SPECS[0].build(made), SPECS[0], made, {})
    files = [str(tmp_path / f"{name}.safetensors") for name in ("several", "four")]
    data = ["--a", str(a), "--b", str(b), "--split", "train"]
    door.main(["cells", *files, *data, "--count", "2", "--strokes", "0.5", "--out", str(tmp_path / "out")])
    lines = (tmp_path / "out" / "cells.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[0].strip('"') for line in lines[1:]] == ["several", "several", "four"]
    rows = [line.rsplit(",", 7)[1:] for line in lines]
    assert rows[0] == ["2_px", "3_px", "4_px", "5_px", "6_px", "7_px", "8_px"]
    assert rows[1][2] == rows[2][2]  # four is four
    assert rows[1][0] != rows[2][0]
    assert all(0 < float(value) < 100 for row in rows[1:] for value in row)
