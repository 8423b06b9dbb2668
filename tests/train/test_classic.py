"""Training the classic CycleGAN and pix2pix: they run, repeat themselves, survive a stop, and prepare their data."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

from pixel_models.checkpoint import load_checkpoint
from train import classic, cyclegan, pix2pix
from train.classic_parts import ClassicSetting, build_generator
from train.loop import StepContext, generator_of
from train.pool import ImagePool, by_chance

QUICK = ["--setting", "tiny", "--workers", "0", "--threads", "1", "--sample-every", "1000", "--precision", "no"]


def log(out: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


def of_cyclegan(folders: tuple[Path, Path], out: Path, *more: str) -> list[str]:
    return ["--a", str(folders[0]), "--b", str(folders[1]), "--out", str(out), *QUICK, "--cell", "2", *more]


def of_pix2pix(folders: tuple[Path, Path], out: Path, *more: str) -> list[str]:
    return ["--sprites", str(folders[1]), "--out", str(out), *QUICK, "--cell", "8", *more]


BOTH = [
    pytest.param(classic, of_cyclegan, classic.ClassicCycleGAN, id="cyclegan"),
    pytest.param(pix2pix, of_pix2pix, pix2pix.Pix2Pix, id="pix2pix"),
]
Arguments = Callable[..., list[str]]


@pytest.mark.parametrize(("program", "arguments", "recipe"), BOTH)
def test_a_run_that_was_stopped_ends_in_the_same_bits(
    program: ModuleType,
    arguments: Arguments,
    recipe: type,
    folders: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole, stopped, options = tmp_path / "whole", tmp_path / "stopped", ("--save-every", "0", "--steps", "12")
    program.main(arguments(folders, whole, *options))
    step_of = recipe.train_step

    def stop_at_seven(self: object, batch: object, step: int, context: object) -> object:
        if step == 7:
            raise KeyboardInterrupt
        return step_of(self, batch, step, context)

    monkeypatch.setattr(recipe, "train_step", stop_at_seven)
    with pytest.raises(KeyboardInterrupt):
        program.main(arguments(folders, stopped, *options))
    monkeypatch.setattr(recipe, "train_step", step_of)
    program.main(arguments(folders, stopped, *options))
    one, two = (load_file(run / "state.safetensors") for run in (whole, stopped))
    assert one.keys() == two.keys()
    assert [key for key in one if not torch.equal(one[key], two[key])] == []
    assert log(whole) == log(stopped)
    if program is classic:
        assert int(one["net/pool_a/stored"]) == 4
        assert one["net/pool_b/images"].abs().sum() > 0


def test_cyclegan_exports_both_generators_with_their_facts(folders: tuple[Path, Path], tmp_path: Path) -> None:
    classic.main(of_cyclegan(folders, tmp_path, "--upsample", "resize"))
    last = log(tmp_path)[-1]
    assert {"G_A", "G_B", "cycle_A", "cycle_B", "idt_A", "idt_B", "D_A", "D_B"} <= last.keys()
    for file, way in (("a-to-b", "A to B"), ("b-to-a", "B to A")):
        model = load_checkpoint(tmp_path / f"classic-{file}.safetensors")
        assert model.spec.id == "resnet_generator"
        assert model.metadata["direction"] == way
        assert model.metadata["cell"] == "[2]"
        assert "'arch': 'resnet_6blocks'" in model.metadata["training"]
        assert "'upsample': 'resize'" in model.metadata["training"]
        made = model.module(torch.zeros(1, 3, 32, 32))
        assert made.shape == (1, 3, 32, 32)
        assert made.abs().max() <= 1
    assert Image.open(tmp_path / "samples" / "0000020.png").size == (6 * 196, 6 * 196)


def test_cyclegan_learns_to_come_back_to_where_it_began() -> None:
    recipe = _recipe(ClassicSetting(**_TINY, rate=4e-3))
    ramp = torch.linspace(-1, 1, 32).expand(1, 3, 32, 32)
    batch = {"a": ramp, "b": ramp.transpose(2, 3)}
    cycles = []
    for step in range(30):
        losses = recipe.train_step(batch, step, StepContext(Accelerator(cpu=True), 0, step))
        cycles.append(float(losses["cycle_A"].detach() + losses["cycle_B"].detach()))
    assert cycles[-1] < 0.7 * cycles[0]


def test_pix2pix_learns_and_exports_a_network_for_eval(folders: tuple[Path, Path], tmp_path: Path) -> None:
    pix2pix.main(of_pix2pix(folders, tmp_path, "--steps", "40", "--rate", "2e-3"))
    lines = log(tmp_path)
    assert lines[-1]["G_L1"] < 0.8 * lines[0]["G_L1"]
    model = load_checkpoint(tmp_path / "pix2pix.safetensors")
    assert model.spec.id == "unet_generator"
    assert model.metadata["cell"] == "8"
    picture = torch.rand(2, 3, 128, 128) * 2 - 1
    assert torch.equal(model.module(picture), model.module(picture))  # no dropout
    torch.testing.assert_close(model.module(picture)[:1], model.module(picture[:1]))  # no batch statistics
    averaged = load_file(tmp_path / "state.safetensors")
    counted = [value for key, value in averaged.items() if key.startswith("net/average-g/") and "tracked" in key]
    assert {int(value) for value in counted} == {40}


def test_pix2pix_takes_files_side_by_side_and_folders_of_equal_names(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for name in ("a", "b", "both"):
        (tmp_path / name).mkdir()
    for index in range(3):
        left, right = (Image.fromarray(rng.integers(0, 255, (160, 160, 3), np.uint8)) for _ in range(2))
        left.save(tmp_path / "a" / f"{index}.png")
        right.save(tmp_path / "b" / f"{index}.png")
        both = Image.new("RGB", (320, 160))
        both.paste(left, (0, 0))
        both.paste(right, (160, 0))
        both.save(tmp_path / "both" / f"{index}.png")
    one, two = tmp_path / "one", tmp_path / "two"
    pix2pix.main(
        ["--pairs", str(tmp_path / "both"), "--out", str(one), *QUICK, "--steps", "10", "--arch", "resnet_6blocks"]
    )
    pix2pix.main(
        [
            "--a",
            str(tmp_path / "a"),
            "--b",
            str(tmp_path / "b"),
            "--out",
            str(two),
            *QUICK,
            "--steps",
            "10",
            "--arch",
            "resnet_6blocks",
        ]
    )
    assert log(one) == log(two)
    (tmp_path / "b" / "2.png").unlink()
    with pytest.raises(ValueError, match=r"^2: no picture of this name"):
        pix2pix.main(["--a", str(tmp_path / "a"), "--b", str(tmp_path / "b"), "--out", str(two), *QUICK])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--arch", "unet_128"], "crops of 32 pixels do not fit unet_128"),
        (["--arch", "unet_128", "--crop", "128", "--load", "128", "--upsample", "resize"], "for the ResNet generators"),
        (["--cell", "5"], "do not divide crops of 32"),
        (["--cell", "16"], "no sprite fits on a canvas of 2x2 cells"),
        (["--policy", "plateau"], "use 'linear' or 'step'"),
        (["--load", "16"], "crop <= load"),
        (["--weight", "cycle=1"], "cycle_a"),
        (["--batch", "0"], "one or more"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_with_what_to_do(
    given: Sequence[str], message: str, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        classic.main(of_cyclegan(folders, tmp_path, *given))


def test_pix2pix_wants_exactly_one_kind_of_pairs(folders: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="give --pairs FOLDER"):
        pix2pix.main(of_pix2pix(folders, tmp_path, "--pairs", str(folders[0])))
    with pytest.raises(ValueError, match="give --pairs FOLDER"):
        pix2pix.main(["--a", str(folders[0]), "--out", str(tmp_path), *QUICK])


def test_steps_follow_from_epochs_and_the_rate_from_steps(folders: tuple[Path, Path], tmp_path: Path) -> None:
    classic.main(of_cyclegan(folders, tmp_path, "--epochs", "1", "--decay-epochs", "1", "--batch", "6"))
    state = load_file(tmp_path / "state.safetensors")
    assert {int(value) for key, value in state.items() if key.endswith("/step")} == {4}  # two epochs of 12 pictures


def test_faithfully_the_last_epoch_learns_nothing() -> None:
    weights = {}
    for name, more in (("ours", []), ("theirs", ["--faithful"])):
        seen: list[Tensor] = []
        recipe = _recipe(ClassicSetting(**_TINY, faithful=bool(more)))
        for step in range(4):  # an epoch each
            factor = recipe.rate_factor(step, 4)
            for optimizer in recipe.optimizers.values():
                for group in optimizer.param_groups:
                    group["lr"] = 1e-3 * factor
            batch = recipe.make_batch(generator_of(0, step))
            recipe.train_step(batch, step, StepContext(Accelerator(cpu=True), 0, step))
            seen.append(torch.cat([p.detach().flatten().clone() for p in recipe.g_a.parameters()]))
        weights[name] = seen
    assert torch.equal(weights["theirs"][3], weights["theirs"][2])
    assert not torch.equal(weights["ours"][3], weights["ours"][2])


_TINY = {
    "arch": "resnet_6blocks", "channels": 4, "judge_channels": 4, "load": 32, "crop": 32, "epochs": 2, "decay_epochs": 2
}  # fmt: skip


def _recipe(setting: ClassicSetting) -> classic.ClassicCycleGAN:
    def noise(generator: torch.Generator) -> Tensor:
        return torch.rand(3, setting.crop, setting.crop, generator=generator) * 2 - 1

    return classic.ClassicCycleGAN(noise, noise, setting)


def test_wgangp_has_its_penalty_unless_faithful() -> None:
    after = {}
    for faithful in (False, True):
        recipe = _recipe(ClassicSetting(**_TINY, gan_mode="wgangp", faithful=faithful))
        recipe.train_step(recipe.make_batch(generator_of(1)), 0, StepContext(Accelerator(cpu=True), 0, 0))
        gradients = [p.grad for p in recipe.d_a.parameters()]
        after[faithful] = torch.cat([g.flatten() for g in gradients if g is not None])
    assert not torch.allclose(after[False], after[True])


def test_starting_weights_depend_on_the_seed_and_on_nothing_else() -> None:
    setting = ClassicSetting(**_TINY)
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    one = build_generator(setting, 0, "G_A")[1].state_dict()
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(2)
    same, other, seed = (
        build_generator(setting, s, n)[1].state_dict() for s, n in ((0, "G_A"), (0, "G_B"), (1, "G_A"))
    )
    assert all(torch.equal(one[key], same[key]) for key in one)
    for different in (other, seed):
        assert not torch.equal(one["model.1.weight"], different["model.1.weight"])


def test_dropout_in_a_step_depends_on_the_step_alone() -> None:
    setting = ClassicSetting(**_TINY, dropout=True)
    logged = []
    for noise in (1, 2):
        recipe = _recipe(setting)
        batch = recipe.make_batch(generator_of(0, "x"))
        torch.manual_seed(noise)
        losses = recipe.train_step(batch, 0, StepContext(Accelerator(cpu=True), 0, 0))
        logged.append({name: value.item() for name, value in losses.items()})
    assert logged[0] == logged[1]


def test_a_pool_exchanges_every_second_picture_once_it_is_full() -> None:
    pool, exchange = ImagePool(8, (1, 1, 1)), by_chance(generator_of(0, "pool"))
    came = torch.arange(1, 1001).float()
    went = torch.cat([pool.query(value.view(1, 1, 1, 1), exchange).flatten() for value in came])
    assert torch.equal(went[:8], came[:8])
    kept = int((went[8:] == came[8:]).sum())
    assert 430 < kept < 560
    assert len(went[8:].unique()) > 900  # what was given from the pool does not stay in it
    made = torch.zeros(2, 1, 1, 1, requires_grad=True)
    assert not pool.query(made, exchange).requires_grad


def test_the_other_command_takes_the_classic_network_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cyclegan.main(["--arch", "resnet_6blocks", "--a", str(tmp_path), "--out", str(tmp_path / "run")])
    assert "python -m train.classic" in capsys.readouterr().err  # its own complaint: --b is missing
