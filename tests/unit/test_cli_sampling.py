"""`pixel-kiln sample` and `complete`: small random models in files; what is kept stays, one seed gives one sprite."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from pixel_models.archs.pixelcnn import PixelCNN, PixelCNNConfig
from pixel_models.archs.vqvae import VQVAE, VQVAEConfig
from pixel_models.checkpoint import load_checkpoint, save_checkpoint
from pixel_models.cli import main, parse_sampling, sampling
from pixel_models.codes import decode, load_codes
from pixel_models.generate.parts import SIDES
from pixel_models.generate.sprites import PALETTES, sample_sprites
from pixel_models.image import to_uint8
from pixel_models.registry import REGISTRY, PublishedWeights
from pixel_models.spec import Purpose

LABELS = ("creature=dragon", "creature=orc", "color=red")
CODES = 24
Pixels = NDArray[np.uint8]


class Files(NamedTuple):
    """A prior and its VQ-VAE, and the arguments that name both."""

    prior: Path
    coder: Path

    @property
    def named(self) -> list[str]:
        return ["--model", str(self.prior), "--vq", str(self.coder), "--device", "cpu"]


def write_models(folder: Path, layers: int) -> Files:
    """Random models; of the VQ-VAE's codes some show nothing and some have holes."""
    torch.manual_seed(layers)
    coder = VQVAE(VQVAEConfig(layers=layers, channels=4, codes=CODES, embedding=8, filters=16))
    every = torch.arange(CODES).view(1, 1, -1)
    with torch.no_grad():
        coder.vq_vae.start_from(torch.randn(CODES, 8) * 2)
        for _ in range(30):
            coder.decode(every)
        last = [layer for layer in coder.decoder if isinstance(layer, torch.nn.ConvTranspose2d)][-1]
        last.weight *= 20
        assert last.bias is not None
        last.bias -= coder.eval().decode(every).clamp(1e-6, 1 - 1e-6).logit().median(3).values.median(2).values[0]
    files = Files(folder / f"prior{layers}.safetensors", folder / f"coder{layers}.safetensors")
    save_checkpoint(files.coder, coder, REGISTRY["vqvae"], coder.config, {})
    config = PixelCNNConfig(
        codes=CODES,
        width=8,
        dilations=(1, 2),
        labels=LABELS,
        embedding=6,
        context=8,
        codes_of=load_checkpoint(files.coder).fingerprint,
        patch=2**layers,
        size=6,
    )
    prior = PixelCNN(config)
    with torch.no_grad():
        for parameter in prior.parameters():
            parameter *= 2
    save_checkpoint(files.prior, prior, REGISTRY["pixelcnn"], config, {})
    return files


@pytest.fixture(scope="module")
def fine(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """A code a pixel."""
    return write_models(tmp_path_factory.mktemp("fine"), 0)


@pytest.fixture(scope="module")
def coarse(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """A code for 2x2 pixels."""
    return write_models(tmp_path_factory.mktemp("coarse"), 1)


def pixels(path: Path) -> Pixels:
    """`h w 4`, black where transparent."""
    found = np.asarray(Image.open(path).convert("RGBA")).copy()
    found[found[..., 3] == 0] = 0
    return found


def draw(path: Path, width: int = 9, height: int = 7, seed: int = 0) -> Pixels:
    """A sprite file with colours at random: the upper rows transparent, some holes below; `h w 4`."""
    dice = np.random.default_rng(seed)
    rgba = dice.integers(0, 256, (height, width, 4), dtype=np.uint8)
    rgba[..., 3] = np.where(dice.random((height, width)) < 0.8, 255, 0)
    rgba[: height // 3, :, 3] = 0
    rgba[rgba[..., 3] == 0] = 0
    Image.fromarray(rgba).save(path)
    return rgba


# sample


def test_a_folder_gets_a_png_a_sprite_and_the_first_stay_whatever_the_count(fine: Files, tmp_path: Path) -> None:
    few, many = tmp_path / "few", tmp_path / "many"
    command = ["sample", *fine.named, "--label", "dragon", "--seed", "7"]
    assert main([*command, "--count", "2", "-o", str(few)]) == 0
    assert main([*command, "--count", "5", "-o", f"{many}/"]) == 0
    assert [path.name for path in sorted(many.iterdir())] == [f"sprite_{index:04}.png" for index in range(5)]
    for path in few.iterdir():
        assert np.array_equal(pixels(path), pixels(many / path.name))
    assert pixels(few / "sprite_0000.png").shape == (6, 6, 4)
    assert not np.array_equal(pixels(few / "sprite_0000.png"), pixels(few / "sprite_0001.png"))


def test_the_sprites_are_the_librarys_and_the_codes_and_the_note_are_written(
    fine: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, codes = tmp_path / "one.png", tmp_path / "one.npz"
    command = ["sample", *fine.named, "--label", "dragon, color=red", "--seed", "3", "--temperature", "0.8"]
    assert main([*command, "--codes", str(codes), "-o", str(out)]) == 0
    assert capsys.readouterr().out.splitlines() == [str(out), str(codes)]
    prior, coder = load_checkpoint(fine.prior), load_checkpoint(fine.coder)
    wanted = sample_sprites(
        prior,
        coder,
        torch.Generator().manual_seed(3),
        labels=[["dragon", "color=red"]],
        choice=sampling.Choice(temperature=0.8),
    )
    assert torch.equal(load_codes(codes).indices, wanted.indices)
    rgba = to_uint8(torch.cat(decode(coder, wanted), 1))[0].permute(1, 2, 0).numpy()
    assert np.array_equal(pixels(out), rgba)
    note = json.loads(Image.open(out).info["pixel-kiln"])
    assert (note["command"], note["seed"], note["label"]) == ("sample", 3, ["dragon, color=red"])
    assert note["model"] == prior.fingerprint


def test_a_png_of_several_sprites_is_a_sheet_and_a_film_has_a_frame_each(coarse: Files, tmp_path: Path) -> None:
    command = ["sample", *coarse.named, "--count", "5", "--width", "7", "--height", "10"]
    assert main([*command, "-o", str(tmp_path / "all")]) == 0
    assert main([*command, "-o", str(tmp_path / "sheet.png"), "--scale", "2"]) == 0
    single = [pixels(tmp_path / "all" / f"sprite_{index:04}.png") for index in range(5)]
    sheet = pixels(tmp_path / "sheet.png")
    assert sheet.shape == (2 * 2 * 10, 3 * 2 * 7, 4)
    for index, sprite in enumerate(single):
        row, column = divmod(index, 3)
        part = sheet[row * 20 : row * 20 + 20, column * 14 : column * 14 + 14]
        assert np.array_equal(part[::2, ::2], sprite)
        assert np.array_equal(part[1::2, 1::2], sprite)
    assert not sheet[20:, 28:].any()
    for suffix in (".gif", ".apng", ".webp"):
        path = tmp_path / f"film{suffix}"
        assert main([*command, "-o", str(path)]) == 0
        with Image.open(path) as film:
            assert (getattr(film, "n_frames", 1), film.size) == (5, (7, 10))


def test_each_gives_the_sprites_labels_of_their_own_in_turn(fine: Files, tmp_path: Path) -> None:
    def drawn(name: str, *arguments: str) -> list[Pixels]:
        assert main(["sample", *fine.named, *arguments, "-o", str(tmp_path / name)]) == 0
        return [pixels(path) for path in sorted((tmp_path / name).iterdir())]

    turns = drawn("turns", "--label", "red", "--each", "dragon", "--each", "", "--count", "3")
    dragons = drawn("dragons", "--label", "red", "--label", "dragon", "--count", "3")
    red = drawn("red", "--label", "red", "--count", "3")
    for index, wanted in enumerate((dragons, red, dragons)):
        assert np.array_equal(turns[index], wanted[index])
    assert not np.array_equal(dragons[1], red[1])
    assert len(drawn("as many", "--each", "dragon", "--each", "orc")) == 2


@pytest.mark.parametrize("kind", ["fine", "coarse"])
def test_a_palette_leaves_its_colours_alone(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    files: Files = request.getfixturevalue(kind)
    out = tmp_path / "p.png"
    command = ["sample", *files.named, "--count", "9", "-o", str(out)]
    assert main([*command, "--palette", "ff0000 00ff00 0000ff 000000 ffffff"]) == 0
    found = pixels(out)
    colors = {tuple(color) for color in found[found[..., 3] > 0][:, :3].tolist()}
    assert 1 < len(colors) <= 5
    assert colors <= {(255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0), (255, 255, 255)}
    assert main([*command, "--palette", "any", "--overwrite"]) == 0
    assert not np.array_equal(pixels(out), found)


def test_labels_are_listed_by_group(fine: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", "--list-labels", "--model", str(fine.prior)]) == 0
    assert capsys.readouterr().out == "creature\tdragon, orc\ncolor\tred\n"
    spec = REGISTRY["pixelcnn"]
    config = PixelCNNConfig(codes=CODES, width=4)
    save_checkpoint(tmp_path / "plain.safetensors", spec.build(config), spec, config, {})
    assert main(["sample", "--list-labels", "--model", str(tmp_path / "plain.safetensors")]) == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "pixel-kiln: this model has no labels\n")


def test_the_default_is_the_first_shipped_prior_with_its_own_vqvae(
    fine: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def entry(path: Path, purpose: Purpose) -> PublishedWeights:
        return PublishedWeights(
            name=str(path), title="", purpose=purpose, sha256=load_checkpoint(path).fingerprint + "0" * 48
        )

    shipped = (entry(fine.coder, Purpose.ENCODE), entry(fine.prior, Purpose.SAMPLE))
    monkeypatch.setattr("pixel_models.cli.sampling.SHIPPED", shipped)
    monkeypatch.setattr("pixel_models.generate.sprites.SHIPPED", shipped)
    assert main(["sample", "-o", str(tmp_path / "a.png"), "--device", "cpu"]) == 0
    assert main(["sample", *fine.named, "-o", str(tmp_path / "b.png")]) == 0
    assert np.array_equal(pixels(tmp_path / "a.png"), pixels(tmp_path / "b.png"))


def test_a_foreign_prior_is_used_with_the_vqvae_that_is_named(fine: Files, tmp_path: Path) -> None:
    torch.manual_seed(2)
    module = PixelCNN(PixelCNNConfig(codes=CODES, width=4, labels=("label=0", "label=1")))
    facts = {"epoch": 1, "model_state_dict": module.state_dict(), "encoding_dict": {"Fire": 0, "Water": 1}}
    torch.save(facts, tmp_path / "model.pt")
    command = ["sample", "--model", str(tmp_path / "model.pt"), "--width", "5", "--height", "4", "--label", "fire"]
    assert main([*command, "-o", str(tmp_path / "a.png"), "--vq", str(fine.coder)]) == 0
    assert pixels(tmp_path / "a.png").shape == (4, 5, 4)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "-o is missing"),
        (["-o", "{}/a.jpg"], "{}/a.jpg: .jpg loses pixels; expected a name that ends in .png"),
        (["-o", "{}/a", "--label", "dargon"], "no label 'dargon'; did you mean dragon?"),
        (["-o", "{}/a", "--each", "color=dragon"], "no label 'color=dragon'"),
        (["-o", "{}/a", "--count", "0"], "--count is 0, expected 1 to 4096"),
        (["-o", "{}/a", "--seed", "-1"], "--seed is -1, expected 0"),
        (["-o", "{}/a", "--scale", "0"], "--scale is 0"),
        (["-o", "{}/a", "--temperature", "-1"], "temperature is -1.0, expected"),
        (["-o", "{}/a", "--temperature", "nan"], "temperature is nan, expected"),
        (["-o", "{}/a", "--top-p", "0"], "top_p is 0"),
        (["-o", "{}/a", "--top-k", "-3"], "top_k is -3"),
        (["-o", "{}/a", "--width", "1025"], "--width is 1025, expected 0 to 1024"),
        (["-o", "{}/a", "--palette", "no-such-palette"], "palette"),
        (["-o", "{}/a", "--codes", "{}/a.txt"], "codes are written as .npz or .png"),
        (["-o", "{}/a", "--model", "{coder}"], "a model to sample is needed"),
        (["-o", "{}/a", "--vq", "{prior}"], "encode"),
        (["-o", "{}/a", "--vq", "{other}"], "codes mean nothing to another model"),
    ],
)
def test_what_cannot_be_sampled_is_refused_and_nothing_is_written(
    arguments: list[str],
    told: str,
    fine: Files,
    coarse: Files,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = {"{}": str(tmp_path), "{coder}": str(fine.coder), "{prior}": str(fine.prior), "{other}": str(coarse.coder)}

    def spelled(text: str) -> str:
        for short, name in names.items():
            text = text.replace(short, name)
        return text

    assert main(["sample", *fine.named, *map(spelled, arguments)]) == 2
    assert spelled(told) in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_prior_of_no_shipped_vqvae_asks_for_its_own(
    fine: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sample", "--model", str(fine.prior), "-o", str(tmp_path / "a.png")]) == 2
    told = capsys.readouterr().err
    assert load_checkpoint(fine.coder).fingerprint in told
    assert "--vq" in told


def test_files_that_are_there_are_not_replaced_unless_asked_for(
    fine: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    foreign = tmp_path / "sprite_0001.png"
    foreign.write_bytes(b"mine")
    command = ["sample", *fine.named, "--count", "2", "-o", str(tmp_path)]
    assert main(command) == 1
    assert "sprite_0001.png: is there already" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["sprite_0001.png"]
    assert foreign.read_bytes() == b"mine"
    assert main([*command, "--overwrite"]) == 0
    assert pixels(foreign).shape == (6, 6, 4)


@pytest.mark.parametrize("command", ["sample", "complete"])
def test_an_interrupted_run_leaves_nothing_behind(
    command: str, fine: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pixel_models.generate.job.Job.step", stop)
    draw(tmp_path / "in.png")
    out = tmp_path / "out.png"
    action = ["sample"] if command == "sample" else ["complete", str(tmp_path / "in.png"), "--keep", "top"]
    assert main([*action, *fine.named, "-o", str(out)]) == 130
    assert [path.name for path in tmp_path.iterdir()] == ["in.png"]


# complete


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        (["--keep", "top"], (slice(0, 4), slice(None))),
        (["--keep", "bottom", "--share", "0.3"], (slice(5, None), slice(None))),
        (["--keep", "left"], (slice(None), slice(0, 4))),
        (["--keep", "right", "--share", "1"], None),
    ],
)
def test_a_side_that_is_kept_stays_pixel_for_pixel(
    arguments: list[str],
    kept: tuple[slice, slice] | None,
    fine: Files,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = draw(tmp_path / "in.png")
    out = tmp_path / "out.png"
    status = main(["complete", str(tmp_path / "in.png"), *arguments, *fine.named, "-o", str(out)])
    if kept is None:
        assert status == 1
        assert "nothing of it is to be drawn anew" in capsys.readouterr().err
        return
    assert status == 0
    made = pixels(out)
    rest = np.ones(made.shape[:2], bool)
    rest[kept] = False
    assert np.array_equal(made[kept], before[kept])
    assert not np.array_equal(made[rest], before[rest])


@pytest.mark.parametrize("kind", ["fine", "coarse"])
def test_white_of_a_mask_is_drawn_anew_and_the_rest_stays(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    files: Files = request.getfixturevalue(kind)
    before = draw(tmp_path / "in.png")
    white = np.zeros((7, 9), bool)
    white[3:6, 2:7] = True
    mask = np.zeros((7, 9, 4), np.uint8)
    mask[white] = 255
    shown = tuple(np.argwhere((before[..., 3] > 0) & ~white)[0])
    mask[shown] = (255, 255, 255, 0)  # transparent, so not white
    Image.fromarray(mask).save(tmp_path / "mask.png")
    command = ["complete", str(tmp_path / "in.png"), "--fill", str(tmp_path / "mask.png"), *files.named]
    assert main([*command, "-o", str(tmp_path / "out.png")]) == 0
    made = pixels(tmp_path / "out.png")
    assert np.array_equal(made[~white], before[~white])
    assert not np.array_equal(made[white], before[white])


@pytest.mark.parametrize("kind", ["fine", "coarse"])
def test_what_is_transparent_is_drawn_anew_and_what_was_drawn_stays(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    files: Files = request.getfixturevalue(kind)
    before = draw(tmp_path / "in.png", 10, 9)
    command = ["complete", str(tmp_path / "in.png"), "--fill", "transparent", *files.named, "--count", "4"]
    assert main([*command, "-o", str(tmp_path / "out")]) == 0
    made = [pixels(path) for path in sorted((tmp_path / "out").iterdir())]
    assert [path.name for path in sorted((tmp_path / "out").iterdir())] == [f"in_{n:04}.png" for n in range(4)]
    visible = before[..., 3] > 0
    assert all(np.array_equal(one[visible], before[visible]) for one in made)
    assert any(one[~visible].any() for one in made)


@pytest.mark.parametrize("kind", ["fine", "coarse"])
def test_a_silhouette_is_drawn_in_anew_exactly(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    files: Files = request.getfixturevalue(kind)
    before = draw(tmp_path / "in.png")
    command = ["complete", str(tmp_path / "in.png"), "--silhouette", *files.named, "--label", "orc"]
    assert main([*command, "-o", str(tmp_path / "out.png")]) == 0
    made = pixels(tmp_path / "out.png")
    assert np.array_equal(made[..., 3], before[..., 3])
    assert not np.array_equal(made, before)


def test_variants_keep_a_share_and_the_first_stay_whatever_the_count(fine: Files, tmp_path: Path) -> None:
    before = draw(tmp_path / "in.png", 20, 20)
    command = ["complete", str(tmp_path / "in.png"), "--vary", "0.3", *fine.named]
    assert main([*command, "--count", "2", "-o", str(tmp_path / "few")]) == 0
    assert main([*command, "--count", "5", "-o", str(tmp_path / "many")]) == 0
    for path in (tmp_path / "few").iterdir():
        made = pixels(path)
        assert np.array_equal(made, pixels(tmp_path / "many" / path.name))
        same = (made == before).all(-1).mean()
        assert 0.6 < same < 0.95
    one, two = (pixels(path) for path in (tmp_path / "few").iterdir())
    assert not np.array_equal(one, two)


def test_between_two_sprites_the_places_are_spread_or_the_one_asked_for(fine: Files, tmp_path: Path) -> None:
    one, two = (tmp_path / "one.png", tmp_path / "two.png")
    assert main(["sample", *fine.named, "--seed", "1", "-o", str(one), "--width", "16", "--height", "16"]) == 0
    assert main(["sample", *fine.named, "--seed", "2", "-o", str(two), "--width", "16", "--height", "16"]) == 0
    before, after = pixels(one), pixels(two)
    command = ["complete", str(one), "--between", str(two), *fine.named, "--count", "3"]
    for place, order in ((None, "falls"), ("1", "none")):
        out = tmp_path / order
        assert main([*command, *(["--place", place] if place else []), "-o", str(out)]) == 0
        made = [pixels(path) for path in sorted(out.iterdir())]
        near_one = [float((sprite == before).all(-1).mean()) for sprite in made]
        near_two = [float((sprite == after).all(-1).mean()) for sprite in made]
        if place is None:
            assert near_one[0] > near_one[2]
            assert near_two[0] < near_two[2]
        else:
            assert all(a < b for a, b in zip(near_one, near_two, strict=True))
            assert main([*command[:-1], "2", "--place", place, "-o", str(tmp_path / "few")]) == 0
            few = [pixels(path) for path in sorted((tmp_path / "few").iterdir())]
            assert all(np.array_equal(a, b) for a, b in zip(few, made, strict=False))
            assert not np.array_equal(few[0], few[1])


def test_a_folder_is_gone_through_and_done_files_are_left_out(
    fine: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    draw(tmp_path / "in" / "a.png")
    draw(tmp_path / "in" / "deep" / "b.png", 5, 5, 1)
    (tmp_path / "in" / "c.png").write_bytes(b"no picture")
    command = ["complete", str(tmp_path / "in"), "--keep", "top", *fine.named, "-o", str(tmp_path / "out")]
    assert main(command) == 1
    told = capsys.readouterr()
    assert told.out.splitlines() == [str(tmp_path / "out" / "a.png"), str(tmp_path / "out" / "deep" / "b.png")]
    assert "c.png" in told.err
    assert told.err.splitlines()[-1] == "pixel-kiln: 2 written, 0 already done, 1 failed"
    (tmp_path / "in" / "c.png").unlink()
    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.png")}
    assert main(command) == 0
    assert capsys.readouterr().err.splitlines()[-1] == "pixel-kiln: 0 written, 2 already done, 0 failed"
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.png")} == stamps
    assert main([*command, "--seed", "9"]) == 0
    assert capsys.readouterr().err.splitlines()[-1] == "pixel-kiln: 2 written, 0 already done, 0 failed"
    (tmp_path / "out" / "a.png").write_bytes((tmp_path / "in" / "a.png").read_bytes())
    assert main(command) == 1
    assert "was not made by pixel-kiln" in capsys.readouterr().err


def test_one_file_out_is_a_sheet_or_a_film_of_the_results(fine: Files, tmp_path: Path) -> None:
    draw(tmp_path / "in.png")
    command = ["complete", str(tmp_path / "in.png"), "--vary", "0.5", *fine.named, "--each", "orc", "--each", "dragon"]
    assert main([*command, "-o", str(tmp_path / "sheet.png"), "--scale", "3"]) == 0
    assert pixels(tmp_path / "sheet.png").shape == (21, 54, 4)
    assert main([*command, "-o", str(tmp_path / "film.gif")]) == 0
    with Image.open(tmp_path / "film.gif") as film:
        assert (getattr(film, "n_frames", 1), film.size) == (2, (9, 7))


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        ([], 2, "one of the arguments --keep --fill --silhouette --vary --between is required"),
        (["--keep", "top", "--silhouette"], 2, "not allowed with argument"),
        (["--keep", "middle"], 2, "'top', 'bottom', 'left', 'right'"),
        (["--keep", "top", "--share", "2"], 2, "--share is 2.0, expected 0 to 1"),
        (["--vary", "0.3", "--share", "0.5"], 2, "--share goes with --keep alone"),
        (["--keep", "top", "--place", "0.5"], 2, "--place goes with --between alone"),
        (["--vary", "1.5"], 2, "--vary is 1.5, expected 0 to 1"),
        (["--vary", "0"], 1, "nothing of it is to be drawn anew"),
        (["--keep", "top", "--label", "dargon"], 2, "did you mean dragon?"),
        (["--fill", "{}/none.png"], 2, "none.png"),
        (["--fill", "{}/small.png"], 1, "in.png: the mask of --fill is 4x4 pixels, expected 9x7 as the sprite"),
        (["--between", "{}/small.png"], 1, "in.png: 1 sprites of 9x7 and 1 of 4x4 have nothing between them"),
        (["--between", "{}/none.png"], 2, "none.png"),
    ],
)
def test_what_cannot_be_completed_is_refused_and_nothing_is_written(
    arguments: list[str],
    status: int,
    told: str,
    fine: Files,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    draw(tmp_path / "in.png")
    draw(tmp_path / "small.png", 4, 4)
    spelled = [argument.replace("{}", str(tmp_path)) for argument in arguments]
    command = ["complete", str(tmp_path / "in.png"), *spelled, *fine.named, "-o", str(tmp_path / "out.png")]
    assert main(command) == status
    assert told in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.png", "small.png"]


def test_an_empty_picture_has_no_silhouette_and_a_huge_one_is_no_sprite(
    fine: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGBA", (4, 4)).save(tmp_path / "empty.png")
    Image.new("RGB", (1025, 2)).save(tmp_path / "huge.png")
    for name, told in (("empty", "empty.png: is wholly transparent"), ("huge", "huge.png: is 1025x2 pixels")):
        command = ["complete", str(tmp_path / f"{name}.png"), "--silhouette", *fine.named]
        assert main([*command, "-o", str(tmp_path / "out.png")]) == 1
        assert told in capsys.readouterr().err
    assert not (tmp_path / "out.png").exists()


def test_the_parser_knows_the_librarys_choices() -> None:
    assert parse_sampling.KEEP_SIDES == SIDES
    assert parse_sampling.PALETTES == PALETTES
