"""The comparison: rows are trained within a budget or told why not, all are measured alike, pages are laid out."""

from __future__ import annotations

import csv
import importlib
import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn import functional as F

from pixel_models.checkpoint import LoadedModel, save_checkpoint
from pixel_models.pixelate import pixelate
from pixel_models.registry import REGISTRY
from train.compare import __main__ as compare
from train.compare.child import MemoryWatch
from train.compare.contestants import ByModel, Pillow, off_grid_share
from train.compare.measures import colors_needed, steps_of
from train.compare.pages import page
from train.compare.rows import ROWS, Row, chosen_rows, loaded_files
from train.compare.singles import most_varied
from train.compare.training import Budget, Data, TrainingError, seconds_a_step, train_row
from train.loop import generator_of
from train.pictures import PictureSet

QUICK = ["--setting", "tiny", "--threads", "1", "--count", "2", "--pairs", "2", "--canvases", "60", "--split", "train"]


def random_model(spec: str) -> LoadedModel:
    """An architecture's tiny network with random weights, always the same ones."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        module = REGISTRY[spec].build(REGISTRY[spec].tiny)
    return LoadedModel(module.eval(), REGISTRY[spec], module.config, "test", {"cell": "4"})


def noise(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=generator_of(0, shape))


def blocks(count: int, cells: int, size: int) -> Tensor:
    """Random flat squares of `size` pixels."""
    return noise(count, 3, cells, cells).repeat_interleave(size, 2).repeat_interleave(size, 3)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.folder)
def test_every_row_has_a_recipe_that_knows_its_options(row: Row, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        importlib.import_module(row.module).main([*row.options, "-h"])
    known = capsys.readouterr().out
    data = Data(a=Path("a"), b=Path("b"), one_a=Path("c"), one_b=Path("d")).options(row)
    shared = (
        "--setting",
        "--steps",
        "--threads",
        "--seed",
        "--precision",
        "--sample-every",
        "--save-every",
        "--workers",
    )
    asked = {word for word in (*data, *row.options, *shared) if word.startswith("--")}
    assert [word for word in asked if word not in known] == []
    assert len({other.folder for other in ROWS}) == len({other.title for other in ROWS}) == len(ROWS)


def test_a_comparison_trains_measures_and_shows_and_a_row_that_fails_is_told(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    a, b = map(str, folders)
    model = random_model("resnet_generator")
    file = tmp_path / "mine.safetensors"
    save_checkpoint(file, model.module, model.spec, model.config, {"training": "{'steps': '77'}", "cell": "4"})
    out, trained = tmp_path / "out", ["--rows", "cyclegan-native", "CycleGAN classic", "--trial", "10"]
    shared = ["--a", a, "--b", b, "--out", str(out), *QUICK, "--load", f"Mine={file}"]
    compare.main([*shared, *trained, "--seconds", "0.5"])
    table = json.loads((out / "table.json").read_text())["rows"]
    own = table["CycleGAN native"]
    plan = json.loads((out / "runs/cyclegan-native/plan.json").read_text())
    assert own["steps"] == plan["steps"] >= 10
    assert own["steps"] % 10 == 0
    with safe_open(out / "runs/cyclegan-native/state.safetensors", framework="pt") as state:
        assert json.loads(state.metadata()["config"])["steps"] == own["steps"]  # what the learning rate follows
    assert own["seconds_a_step"] > 0
    assert own["process_mb"] > own["memory_mb"] > 0
    assert "no sprite fits on a canvas of 8x8 cells" in table["CycleGAN classic"]["failed"]
    assert table["Mine"]["steps"] == 77
    assert 0 < table["Mine"]["off_grid_64"] <= 1
    compared = [compare.PILLOW, compare.CENTROID, compare.SHIPPED, "Mine", "CycleGAN native"]
    for title in compared:
        row = table[title]
        assert {f"{key}_{side}" for key in ("oklab_error", "orphans", "kernel_distance") for side in (32, 64)} <= set(
            row
        )
        assert 0 < row["pair_pixel_art"] <= 1
        assert ("off_grid_32" in row) == (title == "Mine")
        assert row["seconds_512_to_64"] > 0
    told = (out / "compare.md").read_text()
    assert "CycleGAN classic: ValueError: no sprite fits" in told
    assert "## At 64 cells" in told
    with (out / "compare.csv").open(newline="", encoding="utf-8") as lines:
        assert {line["model"] for line in csv.DictReader(lines)} == set(table)
    with Image.open(out / "sheet-64-1.png") as sheet:
        assert sheet.width > 6 * 128
    assert (out / "large-32.png").exists()

    before = (out / "runs/cyclegan-native/kiln-pixelate.safetensors").stat().st_mtime_ns
    compare.main([*shared, "--no-training"])
    again = json.loads((out / "table.json").read_text())["rows"]
    assert set(again) == set(compared)
    timed = "seconds_512_to_64"
    assert {k: v for k, v in again["CycleGAN native"].items() if k != timed} == {
        k: v for k, v in own.items() if k != timed
    }
    assert (out / "runs/cyclegan-native/kiln-pixelate.safetensors").stat().st_mtime_ns == before


def test_a_row_without_a_recipe_tells_so(folders: tuple[Path, Path], tmp_path: Path) -> None:
    data = Data(a=folders[0], b=folders[1], one_a=folders[0], one_b=folders[1])
    row = Row(title="No such", module="train.no_such_recipe", weights="x.safetensors")
    with pytest.raises(TrainingError, match=r"No module named 'train\.no_such_recipe'"):
        train_row(row, tmp_path, data, Budget(steps=10, setting="tiny"))


@pytest.mark.parametrize("spec", ["native_pixelate", "resnet_generator"])
def test_a_model_is_compared_by_what_pixelate_makes(spec: str) -> None:
    model, pictures = random_model(spec), torch.stack([noise(3, 96, 96), blocks(1, 8, 12)[0]])
    made = ByModel(model).make(pictures, 24)
    for clean, frames in ((True, made.frames), (False, made.uncleaned)):
        true = pixelate(model, pictures, size=(24, 24), palette_per="image", clean=clean).frames
        assert [f.palette for f in frames] == [f.palette for f in true]
        assert all(torch.equal(x.indices, y.indices) for x, y in zip(frames, true, strict=True))
    assert (made.off_grid is None) == (spec == "native_pixelate")


def test_pillows_way_is_box_and_median_cut_to_the_bit() -> None:
    picture = blocks(1, 20, 5) * 0.8 + noise(1, 3, 100, 100) * 0.2
    made = Pillow().make(picture, 32)
    image = Image.fromarray((picture[0] * 255).round().to(torch.uint8).permute(1, 2, 0).numpy())
    small = image.resize((32, 32), Image.Resampling.BOX).quantize(16, method=Image.Quantize.MEDIANCUT).convert("RGB")
    ours = (made.rgb()[0] * 255).round().to(torch.uint8).permute(1, 2, 0)
    assert ours.numpy().tobytes() == small.tobytes()
    assert len(made.frames[0].palette) <= 16
    assert F.l1_loss(made.cells, F.adaptive_avg_pool2d(picture, 32)) < 0.04


def test_what_is_on_the_grid_has_nothing_off_it() -> None:
    picture = blocks(2, 16, 4)
    assert off_grid_share(picture, 4) == 0
    assert off_grid_share(picture.roll((2, 2), (2, 3)), 4) == 1
    assert off_grid_share(noise(2, 3, 256, 256), 4) == pytest.approx(0.75, abs=0.01)
    assert off_grid_share(torch.ones(1, 3, 8, 8), 4) == 0


def test_as_many_colors_are_needed_as_are_seen() -> None:
    cells = noise(1, 3, 1, 5).repeat_interleave(5, 2)
    assert colors_needed(cells) == 5
    assert colors_needed(cells + 0.004 * noise(1, 3, 5, 5)) < 10  # of 25, which are hardly told apart
    assert colors_needed(noise(1, 3, 16, 16), most=20) == 20


def test_the_time_of_a_step_leaves_out_what_a_run_did_before_it_was_broken_off(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    assert seconds_a_step(log) is None
    lines = [(10, 30.0), (20, 50.0), (30, 4.0), (40, 14.0)]
    log.write_text("".join(json.dumps({"step": step, "seconds": seconds}) + "\n" for step, seconds in lines))
    assert seconds_a_step(log) == pytest.approx((30 + 20 + 10) / 30)


def test_the_memory_of_training_is_what_comes_after_the_first_run_of_a_network() -> None:
    kept = torch.ones(2**24)
    watch = MemoryWatch()
    nn.Linear(1, 1)(torch.ones(1, 1))
    more = torch.ones(2**24)
    told = watch.told()
    assert told["memory_mb"] is not None
    assert told["process_mb"] is not None
    assert len(kept) == len(more)
    assert 60 <= told["memory_mb"] < told["process_mb"] - 60


def test_pages_have_a_column_for_each_title_and_a_row_for_each_picture() -> None:
    red = torch.tensor([1.0, 0, 0])[None, :, None, None]
    columns = {"input": red.expand(5, 3, 64, 64), "a title of several words": 1 - red.expand(5, 3, 8, 8)}
    one, two = page(columns, 32), page(columns, 32, groups=2)
    assert two.width > 1.9 * one.width
    assert two.height < one.height
    pixels = one.load()
    assert pixels is not None
    assert pixels[4 + 16, one.height - 20] == (255, 0, 0)
    assert pixels[4 + 36 + 16, one.height - 20] == (0, 255, 255)
    with pytest.raises(ValueError, match="whole factor"):
        page({"input": torch.zeros(1, 3, 24, 24)}, 32)


def test_the_single_picture_is_a_varied_drawing_with_room_for_patches() -> None:
    def flat(side: int) -> Tensor:
        return torch.full((4, side, side), 255, dtype=torch.uint8)

    def varied(side: int) -> Tensor:
        return (noise(4, side, side) * 255).to(torch.uint8)

    pictures = (flat(64), varied(64), varied(16), varied(96))
    chosen = PictureSet(pictures, torch.full((4,), 0.25).double(), ("drawing", "drawing", "drawing", "photo"))
    assert most_varied(chosen) == 1
    assert most_varied(chosen.where([False, False, True, False])) == 0
    assert most_varied(chosen.where([False, False, True, True])) == 1


def test_wrong_options_are_told_what_is_expected() -> None:
    assert [row.title for row in chosen_rows(["CUT", "sincut-native"])] == ["CUT", "SinCUT native"]
    with pytest.raises(ValueError, match=r"no row \['cut-gan'\]; expected some of \['cyclegan-classic'"):
        chosen_rows(["CUT GAN"])
    assert loaded_files(["kiln=kiln-pixelate"]) == {"kiln": "kiln-pixelate"}
    for wrong in (["cut.safetensors"], ["A=x", "A=y"], ["=x"]):
        with pytest.raises(ValueError, match="expected TITLE=FILE"):
            loaded_files(wrong)
    for seconds, steps in ((None, None), (1.0, 10), (None, 0), (-1.0, None)):
        with pytest.raises(ValueError, match="steps"):
            Budget(seconds=seconds, steps=steps)


def test_a_foreign_files_steps_are_not_guessed() -> None:
    model = random_model("native_pixelate")
    assert steps_of(model) is None
    for text in ("nonsense(", "['steps']", "{'steps': 'many'}"):
        assert steps_of(LoadedModel(model.module, model.spec, model.config, "", {"training": text})) is None
