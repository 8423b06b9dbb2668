"""`pixel-kiln sample` with a DCGAN or a VAE, `walk` and `fuse`: small random models in files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from latent_models import LATENT, SIDE, random_dcgan, random_vae
from numpy.typing import NDArray
from PIL import Image

from pixel_models import load
from pixel_models.animation import EASINGS
from pixel_models.checkpoint import load_checkpoint, save_checkpoint
from pixel_models.cli import main, parse_latents
from pixel_models.image import from_uint8, to_uint8
from pixel_models.latents import (
    DEFAULT_COLORS,
    FUSE_HOWS,
    WAYS,
    draw_sprites,
    fuse_sprites,
    latents_of_seeds,
    parse_seeds,
    plan_walk,
    walk_frames,
)
from pixel_models.registry import REGISTRY
from pixel_models.spritefiles import read_art

Pixels = NDArray[np.uint8]
FEW = ["--colors", "4"]


class Files(NamedTuple):
    """Models, and two sprites."""

    dcgan: Path
    vae: Path
    a: Path
    b: Path
    prior: Path
    """A PixelCNN, which makes no sprites of latents."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("latents")
    names = ("dcgan.safetensors", "vae.safetensors", "a.png", "b.png", "prior.safetensors")
    made = Files(*(folder / name for name in names))
    spec = REGISTRY["pixelcnn"]
    save_checkpoint(made.prior, spec.build(spec.tiny), spec, spec.tiny, {})
    for path, model in ((made.dcgan, random_dcgan()), (made.vae, random_vae())):
        save_checkpoint(path, model.module, model.spec, model.config, {})
    for path, seed in ((made.a, 1), (made.b, 2)):
        dice = np.random.default_rng(seed)
        rgba = dice.integers(0, 256, (12, 9, 4), dtype=np.uint8)
        rgba[..., 3] = np.where(dice.random((12, 9)) < 0.7, 255, 0)
        Image.fromarray(rgba).save(path)
    return made


def named(model: Path) -> list[str]:
    return ["--model", str(model), "--device", "cpu", *FEW]


def pixels(path: Path) -> Pixels:
    """`h w 4`, black where transparent."""
    found = np.asarray(Image.open(path).convert("RGBA")).copy()
    found[found[..., 3] == 0] = 0
    return found


def in_numpy(rgba: torch.Tensor) -> Pixels:
    """`b 4 h w` to `b h w 4`."""
    return to_uint8(rgba).permute(0, 2, 3, 1).numpy()


def given(path: Path) -> torch.Tensor:
    return from_uint8(torch.from_numpy(np.asarray(Image.open(path)).copy())).permute(2, 0, 1)[None]


# sample


@pytest.mark.parametrize("kind", ["dcgan", "vae"])
def test_sample_draws_the_librarys_sprites_with_either_model(kind: str, files: Files, tmp_path: Path) -> None:
    path: Path = getattr(files, kind)
    labels = ["--label", "dragon"] if kind == "dcgan" else []
    command = ["sample", *named(path), *labels, "--count", "3", "--seed", "4", "--temperature", "0.8"]
    assert main([*command, "-o", str(tmp_path / "all")]) == 0
    wanted = draw_sprites(
        load_checkpoint(path),
        torch.Generator().manual_seed(4),
        count=3,
        labels=[["dragon"]] if labels else [],
        temperature=0.8,
        colors=4,
    )
    for index, one in enumerate(in_numpy(wanted.to_rgba())):
        assert np.array_equal(pixels(tmp_path / "all" / f"sprite_{index:04}.png"), one)
    note = json.loads(Image.open(tmp_path / "all" / "sprite_0000.png").info["pixel-kiln"])
    assert (note["command"], note["seed"], note["colors"]) == ("sample", 4, 4)
    assert note["model"] == load_checkpoint(path).fingerprint
    assert "codes" not in note


def test_sample_keeps_to_given_colours_and_to_one_palette(files: Files, tmp_path: Path) -> None:
    def colors(*arguments: str) -> set[tuple[int, ...]]:
        out = tmp_path / "sheet.png"
        command = ["sample", "--model", str(files.vae), "--device", "cpu", "--count", "4", "-o", str(out)]
        assert main([*command, "--overwrite", *arguments]) == 0
        found = pixels(out)
        return {tuple(color) for color in found[found[..., 3] > 0][:, :3].tolist()}

    assert len(colors("--colors", "3", "--one-palette")) == 3
    assert len(colors("--colors", "3")) > 3
    assert colors("--palette", "ff0000 0000ff") == {(255, 0, 0), (0, 0, 255)}
    assert len(colors("--palette", "any")) > 100


def test_a_dcgans_labels_are_listed(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", "--list-labels", "--model", str(files.dcgan)]) == 0
    assert capsys.readouterr().out == "creature\tdragon, orc\ncolor\tred\n"
    assert main(["sample", "--list-labels", "--model", str(files.vae)]) == 0
    assert capsys.readouterr().err == "pixel-kiln: this model has no labels\n"


# walk


def test_a_walk_is_the_librarys_with_its_times(files: Files, tmp_path: Path) -> None:
    out = tmp_path / "walk.apng"
    command = ["walk", *named(files.dcgan), "--seeds", "3, 3:1", "--frames", "6", "--duration", "80", "-o", str(out)]
    assert main([*command, "--label", "dragon", "--easing", "smooth"]) == 0
    model = load_checkpoint(files.dcgan)
    keys = latents_of_seeds(parse_seeds("3 3:1"), LATENT)
    dice = torch.Generator().manual_seed(1)
    route = plan_walk(model, keys, dice, frames=6, easing="smooth", labels=[["dragon"]])
    wanted = walk_frames(model, route, colors=4)
    sheet = read_art(out)
    assert (len(sheet), {frame.duration for frame in sheet.frames}, sheet.loop) == (6, {80}, 0)
    assert np.array_equal(in_numpy(sheet.batch()), in_numpy(wanted.to_rgba()))


def test_a_walk_becomes_a_sheet_with_metadata_or_a_folder(files: Files, tmp_path: Path) -> None:
    command = ["walk", *named(files.vae), "--frames", "4", "--scale", "2"]
    assert main([*command, "-o", str(tmp_path / "w.png")]) == 0
    assert pixels(tmp_path / "w.png").shape == (2 * SIDE, 4 * 2 * SIDE, 4)
    assert len(json.loads((tmp_path / "w.json").read_text())["frames"]) == 4
    assert main([*command, "-o", str(tmp_path / "all")]) == 0
    frames = [pixels(path) for path in sorted((tmp_path / "all").iterdir())]
    assert np.array_equal(np.concatenate(frames, 1), pixels(tmp_path / "w.png"))
    colors = {tuple(color) for one in frames for color in one[one[..., 3] > 0][:, :3].tolist()}
    assert len(colors) <= 4


def test_a_walk_goes_through_given_sprites_and_ends_where_it_shall(files: Files, tmp_path: Path) -> None:
    command = ["walk", str(files.a), str(files.b), *named(files.vae), "--frames", "5"]
    assert main([*command, "--open", "-o", str(tmp_path / "open.apng")]) == 0
    assert main([*command, "-o", str(tmp_path / "loop.apng")]) == 0
    opened, looped = read_art(tmp_path / "open.apng"), read_art(tmp_path / "loop.apng")
    assert (opened.loop, looped.loop) == (1, 0)
    assert not torch.equal(opened.batch(), looped.batch())
    assert not torch.equal(opened.frames[0].rgba, opened.frames[4].rgba)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--seeds", "one"], "'one' is no seed"),
        (["--seeds", "1", "{a}"], "--seeds and SPRITE: a walk goes through the one or the other"),
        (["--frames", "0"], "--frames is 0, expected 1 to 1024"),
        (["--seeds", "1 2 3", "--frames", "2"], "frames is 2, expected 3"),
        (["--way", "circle", "--seeds", "1 2 3"], "way 'circle' goes through none, one or two, got 3"),
        (["--way", "linear"], "way 'linear' goes through 1 to 256, got 0"),
        (["--colors", "1"], "colors is 1"),
        (["--label", "dragon"], "it has none: leave labels empty"),
        (["--model", "{dcgan}", "--label", "elf"], "no label 'elf'"),
        (["--temperature", "nan"], "temperature is nan"),
        (["-o", "{}/a.jpg"], ".jpg loses pixels"),
        (["--model", "{prior}"], "a model to generate is needed, and this one (pixelcnn) is to sample"),
    ],
)
def test_walks_that_cannot_be_are_refused_and_nothing_is_written(
    arguments: list[str], told: str, files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {"{}": str(tmp_path), "{a}": str(files.a), "{dcgan}": str(files.dcgan), "{prior}": str(files.prior)}
    spelled = [names.get(text, text.replace("{}", str(tmp_path))) for text in arguments]
    assert main(["walk", *named(files.vae), "-o", str(tmp_path / "w.gif"), *spelled]) == 2
    assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_without_a_model_a_walk_takes_the_vae_and_with_labels_the_dcgan(tmp_path: Path) -> None:
    for name, labels in (("kiln-vae", []), ("kiln-dcgan", ["--label", "color=red"])):
        out = tmp_path / f"{name}.png"
        assert main(["walk", "--seeds", "1", "--frames", "1", *FEW, *labels, "--device", "cpu", "-o", str(out)]) == 0
        note = json.loads(Image.open(out).info["pixel-kiln"])
        assert note["model"] == load(name, purpose="generate").fingerprint


def test_sprites_that_a_walk_cannot_take_are_named(
    files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    large = tmp_path / "large.png"
    Image.new("RGBA", (40, 40), (255, 0, 0, 255)).save(large)
    out = tmp_path / "w.gif"
    assert main(["walk", str(files.a), str(large), *named(files.vae), "-o", str(out)]) == 1
    assert "large.png: the sprite is 40x40 pixels, and this model takes at most 16x16" in capsys.readouterr().err
    assert main(["walk", str(files.a), *named(files.dcgan), "-o", str(out)]) == 1
    assert "the sprite a.png is none that this DCGAN draws: what was found overlaps it by " in capsys.readouterr().err
    assert not out.exists()


# fuse


def test_a_fusion_is_the_librarys_and_of_more_the_first_stay(files: Files, tmp_path: Path) -> None:
    command = ["fuse", str(files.a), str(files.b), *named(files.vae), "--share", "0.3", "--seed", "6"]
    assert main([*command, "-o", str(tmp_path / "one.png")]) == 0
    assert main([*command, "-o", str(tmp_path / "all"), "--count", "3"]) == 0
    dice = torch.Generator().manual_seed(6)
    wanted = fuse_sprites(
        load_checkpoint(files.vae), given(files.a), given(files.b), dice, share=0.3, count=3, colors=4
    )
    for index, one in enumerate(in_numpy(wanted.to_rgba())):
        assert np.array_equal(pixels(tmp_path / "all" / f"sprite_{index:04}.png"), one)
    assert np.array_equal(pixels(tmp_path / "one.png"), pixels(tmp_path / "all" / "sprite_0000.png"))
    note = json.loads(Image.open(tmp_path / "one.png").info["pixel-kiln"])
    assert (note["command"], note["how"], note["share"], len(note["sprites"])) == ("fuse", "blend", 0.3, 2)


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["{a}", "{b}", "--share", "1.5"], 2, "--share is 1.5, expected 0 to 1"),
        (["{a}", "{b}", "--count", "0"], 2, "--count is 0, expected 1 to 256"),
        (["{a}", "{b}", "--model", "{dcgan}"], 1, "the first sprite is none that this DCGAN draws"),
        (["{a}", "{}/none.png"], 1, "none.png"),
        (["{a}", "{a}", "-o", "{a}"], 1, "is an input too"),
    ],
)
def test_what_cannot_be_fused_is_refused(
    arguments: list[str],
    status: int,
    told: str,
    files: Files,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = files.a.read_bytes()
    names = {"{a}": str(files.a), "{b}": str(files.b), "{dcgan}": str(files.dcgan)}
    spelled = [names.get(text, text.replace("{}", str(tmp_path))) for text in arguments]
    options = ["--model", str(files.vae), "--device", "cpu", "-o", str(tmp_path / "f.png")]
    assert main(["fuse", *options, *spelled]) == status
    assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert files.a.read_bytes() == before


# all


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--top-k", "3"], "--top-k: for a PixelCNN alone, and"),
        (["--width", "16", "--codes", "c.npz"], "--width, --codes: for a PixelCNN alone"),
        (["--colors", "1"], "colors is 1, expected 2 to 256"),
        (["--count", "0"], "--count is 0"),
        (["--label", "dragn"], "did you mean dragon?"),
    ],
)
def test_what_a_dcgan_cannot_sample_is_refused(
    arguments: list[str], told: str, files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sample", "--model", str(files.dcgan), "-o", str(tmp_path / "a.png"), *arguments]) == 2
    assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_what_is_for_latents_is_refused_for_a_pixelcnn(
    files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["sample", "--model", str(files.prior), "-o", str(tmp_path / "a.png")]
    for option in (["--colors", "8"], ["--one-palette"], ["--no-clean"]):
        assert main([*command, *option]) == 2
        assert "--colors, --one-palette and --no-clean are for a DCGAN or a VAE" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["sample", "walk", "fuse"])
def test_an_interrupted_run_leaves_nothing_behind_and_files_stay(
    command: str, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    inputs = [str(files.a), str(files.b)] if command == "fuse" else []
    out = tmp_path / "out.gif"
    out.write_bytes(b"mine")
    assert main([command, *inputs, *named(files.vae), "-o", str(out)]) == 1
    assert "is there already; choose another name, or give --overwrite" in capsys.readouterr().err
    assert out.read_bytes() == b"mine"
    out.unlink()

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pixel_models.latents.networks._straight", stop)
    assert main([command, *inputs, *named(files.vae), "-o", str(out)]) == 130
    assert list(tmp_path.iterdir()) == []


def test_the_parser_knows_the_librarys_names() -> None:
    assert parse_latents.WAYS == WAYS
    assert parse_latents.FUSE_HOWS == FUSE_HOWS
    assert sorted(parse_latents.EASINGS) == sorted(EASINGS)
    assert parse_latents.DEFAULT_COLORS == DEFAULT_COLORS
