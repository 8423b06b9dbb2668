"""Training SinCUT: patches of one picture each, runs that repeat themselves and survive a stop, weights that work."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

from pixel_models.checkpoint import load_checkpoint
from pixel_models.pixelate import pixelate
from train import sincut
from train.cut_native import NativeCUT
from train.loop import generator_of
from train.sincut import SinCUT
from train.single import (
    CellPatches,
    SingleBatches,
    ZoomedPatches,
    at_native_size,
    grid_patches,
    is_pixel_art,
    lively_patches,
    patches_of_b,
    read_single,
)
from train.unaligned import cell_size

QUICK = ["--setting", "tiny", "--workers", "0", "--threads", "1", "--sample-every", "1000", "--precision", "no"]
ARCHS = [pytest.param("stylegan2", SinCUT, id="stylegan2"), pytest.param("native", NativeCUT, id="native")]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A drawing of 96x80 pixels in a folder of its own, and a sheet of 40x24 cells enlarged threefold."""
    folder = tmp_path_factory.mktemp("pair")
    y, x = np.mgrid[:80, :96]
    drawing = np.stack([x * 2, y * 3, 255 - x], axis=2).astype(np.uint8)
    drawing[(x - 40) ** 2 + (y - 40) ** 2 < 500] = (200, 30, 30)
    (folder / "a").mkdir()
    Image.fromarray(drawing).save(folder / "a" / "drawing.png")
    Image.fromarray(sheet().permute(1, 2, 0).numpy()).resize((120, 72), Image.Resampling.NEAREST).save(folder / "b.png")
    return folder / "a", folder / "b.png"


def sheet() -> Tensor:
    """`4 24 40`, uint8: four opaque colours in single cells and pairs."""
    rng = np.random.default_rng(0)
    colors = np.array([(20, 12, 28), (208, 70, 72), (109, 170, 44), (222, 238, 214)], np.uint8)
    rgb = colors[rng.integers(0, 4, (24, 40))]
    return torch.from_numpy(np.dstack([rgb, np.full((24, 40), 255, np.uint8)])).permute(2, 0, 1).contiguous()


def arguments(pair: tuple[Path, Path], out: Path, *more: str) -> list[str]:
    return ["--a", str(pair[0]), "--b", str(pair[1]), "--out", str(out), *QUICK, *more]


def log(out: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


@pytest.mark.parametrize(("arch", "recipe"), ARCHS)
def test_a_run_that_was_stopped_ends_in_the_same_bits(
    arch: str, recipe: type, pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    options = ("--arch", arch, "--save-every", "0", "--steps", "12")
    sincut.main(arguments(pair, whole, *options))
    step_of = recipe.train_step

    def stop_at_seven(self: object, batch: object, step: int, context: object) -> object:
        if step == 7:
            raise KeyboardInterrupt
        return step_of(self, batch, step, context)

    monkeypatch.setattr(recipe, "train_step", stop_at_seven)
    with pytest.raises(KeyboardInterrupt):
        sincut.main(arguments(pair, stopped, *options))
    monkeypatch.setattr(recipe, "train_step", step_of)
    sincut.main(arguments(pair, stopped, *options))
    one, two = (load_file(run / "state.safetensors") for run in (whole, stopped))
    assert one.keys() == two.keys()
    assert [key for key in one if not torch.equal(one[key], two[key])] == []
    assert log(whole) == log(stopped)


@pytest.mark.parametrize(
    ("arch", "kind", "cell"), [("stylegan2", "stylegan2_generator", "2"), ("native", "native_pixelate", "4")]
)
def test_the_weights_say_what_they_are_and_make_pixel_art(
    arch: str, kind: str, cell: str, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    more = ("--cell", "2") if arch == "stylegan2" else ()
    sincut.main(arguments(pair, tmp_path, "--arch", arch, *more))
    model = load_checkpoint(tmp_path / "sincut.safetensors")
    assert model.spec.id == kind
    assert (model.metadata["recipe"], model.metadata["direction"]) == ("SinCUT", "A to B")
    assert model.metadata["cell"] == cell
    image = torch.rand(1, 3, 37, 50, generator=torch.Generator().manual_seed(0))
    made = pixelate(model, image, cell=4, colors=8)
    assert made.size == (10, 13)
    assert torch.equal(made.rgb(), pixelate(model, image, cell=4, colors=8).rgb())
    assert Image.open(next((tmp_path / "samples").iterdir())).width > 100


def test_every_loss_is_logged_and_the_identity_is_learned(pair: tuple[Path, Path], tmp_path: Path) -> None:
    sincut.main(arguments(pair, tmp_path, "--steps", "40"))
    lines = [line for line in log(tmp_path) if "idt" in line]
    assert {"G", "G_GAN", "NCE", "NCE_Y", "idt", "D_real", "D_fake", "D_R1"} <= lines[-1].keys()
    for line in lines:
        total = line["G_GAN"] + (line["NCE"] + line["NCE_Y"]) / 2 + line["idt"]
        assert line["G"] == pytest.approx(total, rel=1e-4)
    assert lines[-1]["idt"] < 0.8 * lines[0]["idt"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--cell", "3"], "cells of 3 pixels do not divide patches of 16"),
        (["--crop", "24"], "size is 24, expected one of"),
        (["--nce-layers", "input", "down2"], "expected of input stem down1 block1 block2"),
        (["--batch", "1"], "two places in a batch"),
        (["--blocks", "3"], "an even number"),
    ],
    ids=str,
)
def test_a_setting_that_cannot_work_is_refused_with_what_to_do(
    given: Sequence[str], message: str, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        sincut.main(arguments(pair, tmp_path, *given))


def test_the_native_network_refuses_a_b_that_is_no_pixel_art(pair: tuple[Path, Path], tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (150, 150, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "photo.png")
    with pytest.raises(ValueError, match=r"does not look like pixel art.*--b-kind sprites"):
        sincut.main(arguments((pair[0], tmp_path / "photo.png"), tmp_path / "run", "--arch", "native"))


def test_a_folder_of_several_pictures_and_a_file_that_is_none_are_refused(tmp_path: Path) -> None:
    for name in ("one.png", "two.png"):
        Image.new("RGB", (4, 4)).save(tmp_path / name)
    with pytest.raises(ValueError, match=r"holds 2 pictures, expected one: name the file"):
        read_single(tmp_path)
    (tmp_path / "two.png").unlink()
    assert read_single(tmp_path).shape == (4, 4, 4)
    (tmp_path / "words.txt").write_text("no picture")
    for name in ("words.txt", "missing.png"):
        with pytest.raises(FileNotFoundError, match="cannot be read as a picture"):
            read_single(tmp_path / name)


def test_no_place_comes_twice_before_all_had_their_turn() -> None:
    picture = torch.arange(36.0 * 40).view(1, 36, 40)
    patches = grid_patches(picture, 8, 20, generator_of(1))  # four rows and five columns of places
    assert patches.shape == (20, 1, 8, 8)
    corners = sorted((int(p.min()) // 40 // 8, int(p.min()) % 40 // 8) for p in patches)
    assert corners == [(row, column) for row in range(4) for column in range(5)]
    shifts = {int(p.min()) // 40 % 8 for p in patches}
    assert len(shifts) > 2
    mirrored = [bool(p[0, 0, 0] > p[0, 0, 1]) for p in patches]
    assert any(mirrored)
    assert not all(mirrored)
    again = grid_patches(picture, 8, 45, generator_of(1))
    counted = torch.tensor([int(p.min()) // 40 // 8 * 5 + int(p.min()) % 40 // 8 for p in again]).bincount()
    assert sorted(counted.tolist()) == [2] * 15 + [3] * 5


def test_flat_patches_are_taken_only_where_there_are_too_few_others() -> None:
    picture = torch.zeros(1, 32, 64)
    picture[:, :, 12:36] = torch.rand(32, 24, generator=generator_of(0))  # in six of the eight places
    patches = lively_patches(picture, 16, 3, generator_of(1))
    assert (patches.flatten(1).amax(dim=1) > 0).all()
    assert lively_patches(picture * 0, 16, 3, generator_of(1)).shape == (3, 1, 16, 16)


def test_patches_of_a_batch_come_from_one_zoom_and_zooms_differ() -> None:
    ramp = torch.zeros(4, 300, 400, dtype=torch.uint8)
    ramp[3] = 255
    ramp[0] = torch.linspace(0, 255, 400).round().to(torch.uint8)
    ramp[1] = torch.linspace(0, 255, 300).round().to(torch.uint8)[:, None]
    draw = ZoomedPatches(ramp, 64)
    slopes = []
    for number in range(6):
        patches = draw(generator_of(number), 8)
        assert patches.shape == (8, 4, 64, 64)
        across = (patches[:, 0, :, -1] - patches[:, 0, :, 0]).abs().mean(dim=1)
        down = (patches[:, 1, -1] - patches[:, 1, 0]).mean(dim=1)
        assert across.max() - across.min() < 0.03
        assert down.max() - down.min() < 0.03
        slopes.append((float(across.mean()), float(down.mean())))
    assert max(x for x, _ in slopes) > 1.2 * min(x for x, _ in slopes)
    assert len({round(x / y, 2) for x, y in slopes}) > 3  # the shape changes too


def test_patches_of_pixel_art_hold_whole_cells_of_the_sheet_as_they_are() -> None:
    patches = CellPatches(sheet(), 16, 4)(generator_of(0), 6)
    assert patches.shape == (6, 4, 64, 64)
    cells = patches[:, :, ::4, ::4]
    assert torch.equal(cells.repeat_interleave(4, 2).repeat_interleave(4, 3), patches)
    windows = sheet().float().div(255).unfold(1, 16, 1).unfold(2, 16, 1).flatten(1, 2).movedim(1, 0)
    windows = torch.cat([windows, windows.flip(3)])
    for patch in cells:
        assert (windows == patch).flatten(1).all(dim=1).any()


def test_a_sprite_that_is_smaller_than_a_patch_stands_in_its_middle_on_nothing() -> None:
    sprite = torch.full((4, 6, 10), 255, dtype=torch.uint8)
    patch = CellPatches(sprite, 16, 1)(generator_of(0), 1)[0]
    assert torch.equal(patch[3, 5:11, 3:13], torch.ones(6, 10))
    assert patch[3].sum() == 60
    batch = SingleBatches(CellPatches(sprite, 16, 1), CellPatches(sprite * 0 + 255, 16, 1), 2)(generator_of(0))
    assert all(torch.equal(patches, torch.ones(2, 3, 16, 16)) for patches in batch.values())  # white on white


def test_b_is_looked_at_and_brought_to_native_size() -> None:
    art = sheet()
    enlarged = art.repeat_interleave(5, 1).repeat_interleave(5, 2)
    photo = torch.randint(0, 256, (4, 200, 200), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    large = art.repeat(1, 6, 6)
    assert [is_pixel_art(picture) for picture in (art, enlarged, large, photo)] == [True, True, True, False]
    assert torch.equal(at_native_size(enlarged), art)
    drawn, kind = patches_of_b(enlarged, "auto", 64, 8)
    assert kind == "sprites"
    assert cell_size((drawn(generator_of(0), 1)[0] * 255).round().to(torch.uint8)) == 8
    assert patches_of_b(photo, "auto", 64, 8)[1] == "pictures"
    assert isinstance(patches_of_b(enlarged, "pictures", 64, 8)[0], ZoomedPatches)


def test_a_batch_depends_on_its_generator_alone() -> None:
    photo = torch.randint(0, 256, (4, 90, 70), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    batches = SingleBatches(ZoomedPatches(photo, 32), CellPatches(sheet(), 8, 4), 3)
    one, two, other = (batches(generator_of(seed)) for seed in (4, 4, 5))
    assert all(torch.equal(one[name], two[name]) for name in "ab")
    assert not any(torch.equal(one[name], other[name]) for name in "ab")
    assert one["a"].shape == one["b"].shape == (3, 3, 32, 32)
    assert one["a"].min() >= -1
